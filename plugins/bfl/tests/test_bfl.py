"""Black Forest Labs: the provider against its emulator, from a prompt to pictures that open."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import anymodal
import anymodal_bfl as plugin
import pytest
from anymodal import Image
from anymodal import errors as e
from anymodal.policies import Policy, Retry
from anymodal_bfl import BflImage
from anymodal_emulator import Reset, Rewrite, Status, emulated
from anymodal_emulator.pictures import picture, seen
from inline_snapshot import snapshot
from PIL import Image as Pillow

pytestmark = pytest.mark.anyio
(SPEC,) = plugin.anymodal_image_providers()
(EMULATOR,) = plugin.anymodal_emulators()
BOAT = Image(picture("a boat", 320, 240))
PRO = "bfl/flux-2-pro"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(scope="module")
def running():
    with emulated(EMULATOR) as vendor:
        yield vendor


@pytest.fixture
def vendor(running):
    running.clear()
    return running


class Quick:
    """A clock whose waits are over at once; it remembers them."""

    def __init__(self):
        self.waits = []

    def now(self):
        return sum(self.waits)

    async def sleep(self, seconds):
        from anyio import lowlevel

        self.waits.append(seconds)
        await lowlevel.checkpoint()


def client(vendor, **more):
    settings = anymodal.Settings.from_mapping(vendor.settings(), environ={})
    given = {"clock": Quick(), "policy": Policy(retry=Retry(attempts=1)), **more}
    return anymodal.Client(settings, **given)


def opened(image):
    found = Pillow.open(io.BytesIO(image.read_bytes()))
    found.load()
    return found


# -- what is made ---------------------------------------------------------------------


async def test_picture_from_words(vendor):
    """Submitted, asked for twice, fetched without the key; the cost is the vendor's word."""
    clock = Quick()
    async with client(vendor, clock=clock) as ai:
        found = await ai.image.generate(
            "a lighthouse", model=PRO, size="1920x1088", format="png", seed=7, raw=True, strict=True
        )

    submitted, *asked, fetched = vendor.requests
    assert ("POST", "/v1/flux-2-pro") == (submitted.method, submitted.path)
    assert submitted.json == snapshot(
        {
            "prompt": "a lighthouse",
            "width": 1920,
            "height": 1088,
            "seed": 7,
            "output_format": "png",
        }
    )
    assert ["/v1/get_result"] * 2 == [one.path for one in asked]
    assert {vendor.key} == {one.headers["x-key"] for one in (submitted, *asked)}
    assert fetched.path.startswith("/delivery/")
    assert "x-key" not in fetched.headers
    assert 2 == len(clock.waits)
    assert clock.waits[0] < clock.waits[1]
    assert (1920, 1088) == opened(found.image).size
    assert "bfl flux-2-pro: a lighthouse (1920x1088; seed 7)" == seen(found.image.data).words
    assert Decimal("0.045") == found.record.cost.usd
    assert "reported by the vendor" == found.record.cost.source
    assert (7, found.record.request_id) == (found.seed, found.request_id)
    assert "Ready" == found.record.raw[0]["status"]
    assert [] == found.record.warnings


async def test_pictures_from_pictures(vendor, tmp_path):
    """Each goes as base64, or as the URL that it is."""
    (tmp_path / "boat.png").write_bytes(BOAT.data)
    given = [BOAT, Image(path=tmp_path / "boat.png"), Image(url="https://a.example/b.png")]
    async with client(vendor) as ai:
        found = await ai.image.edit(
            "paint it red", given, model="bfl/flux-2-klein-4b", count=2, seed=3
        )

    bodies = [one.json for one in vendor.requests if one.method == "POST"]
    assert [3, 4] == [body["seed"] for body in bodies]
    assert {"input_image", "input_image_2", "input_image_3", "prompt", "seed"} == set(bodies[0])
    assert BOAT.to_base64() == bodies[0]["input_image"] == bodies[0]["input_image_2"]
    assert "https://a.example/b.png" == bodies[0]["input_image_3"]
    assert 2 == len({image.data for image in found.images})
    assert "JPEG" == opened(found.image).format
    assert (
        "input_image image/png 320x240; input_image_2 image/png 320x240; input_image_3 https"
        in (seen(found.image.data).words)
    )
    assert Decimal("0.06") == found.record.cost.usd


@pytest.mark.parametrize(
    ("model", "settings", "sent", "warned"),
    [
        ("flux-2-pro", {"size": "1000x700"}, {"width": 992, "height": 704}, ["size"]),
        ("flux-2-max", {"size": "16:9"}, {"width": 1280, "height": 720}, []),
        ("flux-2-max", {"size": "4k"}, {"width": 2048, "height": 2048}, ["size"]),
        ("flux-dev", {"size": "2k"}, {"width": 1440, "height": 1440}, ["size"]),
        ("flux-kontext-pro", {"size": "2:1"}, {"aspect_ratio": "2:1"}, []),
        ("flux-kontext-pro", {"size": "1024x768"}, {"aspect_ratio": "4:3"}, ["size"]),
        ("flux-pro-1.1-ultra", {"size": "3:1"}, {"aspect_ratio": "21:9"}, ["size"]),
        ("flux-pro-1.1-ultra", {}, {}, []),
        ("flux-pro-1.1", {"format": "webp"}, {"output_format": "webp"}, []),
        ("flux-2-pro", {"quality": "high", "background": "opaque", "negative_prompt": "rain",
                        "end_user": "u"}, {}, ["quality", "background", "negative_prompt", "end_user"]),
        ("flux-2-flex", {"options": [BflImage(steps=20, guidance=4.5, safety_tolerance=0)]},
         {"safety_tolerance": 0, "steps": 20, "guidance": 4.5}, []),
        ("flux-2-pro", {"options": [BflImage(raw=True, extra_body={"seed": 5})]}, {"seed": 5}, ["raw"]),
        ("flux-pro-1.1-ultra", {"options": [BflImage(raw=True)]}, {"raw": True}, []),
    ],
)  # fmt: skip
async def test_settings_go_in_the_models_words(vendor, model, settings, sent, warned):
    """What it has no field for is left out, and said."""
    async with client(vendor) as ai:
        found = await ai.image.generate("a cat", model=f"bfl/{model}", **settings)

    body = vendor.requests[0].json
    assert {"prompt": "a cat", **sent} == body
    assert warned == [one.setting for one in found.record.warnings]
    assert opened(found.image).size[0] > 0


async def test_extra_headers_and_unlisted_models(vendor):
    """A model that is not known is taken for the latest, and its name quoted."""
    async with client(vendor) as ai:
        with pytest.raises(e.NotFoundError):
            await ai.image.generate(
                "a cat", model="bfl/flux-9/../x", options=[BflImage(extra_headers={"X-Test": "1"})]
            )

    (asked,) = vendor.requests
    assert "1" == asked.headers["x-test"]


# -- what goes wrong ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "error", "words"),
    [
        ("emulator:block", e.ContentFilteredError, "Derivative Works"),
        ("emulator:filter", e.ContentFilteredError, "Safety Filter"),
        ("emulator:fail", e.JobFailedError, "the machine stopped"),
        ("emulator:quota", e.QuotaExceededError, "Insufficient credits"),
    ],
)
async def test_tasks_that_end_without_a_picture(vendor, prompt, error, words):
    """The vendor says 200 to most of them."""
    async with client(vendor) as ai:
        with pytest.raises(error, match=words) as raised:
            await ai.image.generate(prompt, model=PRO)

    assert "bfl" == raised.value.provider
    assert not [one for one in vendor.requests if one.path.startswith("/delivery/")]


async def test_state_that_nobody_knows_goes_on_until_the_deadline(vendor):
    """A vendor's new word for a state must end nothing."""
    async with client(vendor) as ai:
        with pytest.raises((e.DeadlineExceededError, e.TimedOutError)):
            await ai.image.generate("emulator:slow", model=PRO, timeout=0.5)

    assert len([one for one in vendor.requests if one.path == "/v1/get_result"]) > 1


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"images": [BOAT] * 5, "model": "bfl/flux-2-klein-9b"}, e.InvalidRequestError),
        ({"images": BOAT, "model": "bfl/flux-pro-1.1"}, e.UnsupportedFeatureError),
        ({"images": BOAT, "mask": BOAT}, e.UnsupportedFeatureError),
    ],
)
async def test_what_a_model_never_takes_is_not_sent(vendor, settings, error):
    """The number of pictures, and masks."""
    async with client(vendor) as ai:
        with pytest.raises(error):
            await ai.image.edit("a cat", **{"model": PRO, **settings})

    assert not vendor.requests


async def test_wrong_key(vendor):
    """The vendor says 403 to it."""
    settings = {"providers": {"bfl": {"base_url": vendor.base_url, "api_key": "wrong"}}}
    async with anymodal.Client(anymodal.Settings.from_mapping(settings, environ={})) as ai:
        with pytest.raises(e.AuthenticationError, match="Invalid Authentication"):
            await ai.image.generate("a cat", model=PRO)


async def test_vendor_that_fails_while_it_is_asked(vendor):
    """A few times in a row are waited out; a wait that it names is kept."""
    clock = Quick()
    vendor.script(Status(500), Status(429, retry_after=9), path="/v1/get_result")
    async with client(vendor, clock=clock) as ai:
        await ai.image.generate("a cat", model=PRO)
    assert 9 == clock.waits[2]

    vendor.clear()
    vendor.script(Status(503), times=5, path="/v1/get_result")
    async with client(vendor) as ai:
        with pytest.raises(e.OverloadedError):
            await ai.image.generate("a cat", model=PRO)
    assert 1 == len([one for one in vendor.requests if one.method == "POST"])


async def test_task_that_nobody_knows_any_more(vendor):
    """It is asked for in vain."""
    vendor.script(Rewrite(renamed))
    async with client(vendor) as ai:
        with pytest.raises(e.JobFailedError, match="Task not found"):
            await ai.image.generate("a cat", model=PRO)


def renamed(_, body: bytes) -> bytes:
    found = json.loads(body)
    found["polling_url"] += "0"
    return json.dumps(found).encode()


async def test_no_answer_to_what_makes_a_task(vendor):
    """It may exist, and be paid for: it is not sent again."""
    vendor.script(Reset())
    async with client(vendor, policy=Policy()) as ai:
        with pytest.raises(e.OutcomeUnknownError):
            await ai.image.generate("a cat", model=PRO)

    assert 1 == len(vendor.requests)


@pytest.mark.parametrize(
    "change",
    [
        {"polling_url": "https://bfl.ai.evil.example/v1/get_result?id=1"},
        {"polling_url": "http://api.bfl.ai/v1/get_result?id=1"},
        {"polling_url": "file:///etc/passwd"},
        {"polling_url": 7},
        {"id": None},
    ],
)
async def test_key_follows_no_link_elsewhere(vendor, change):
    """Neither to another host nor in the clear."""
    vendor.script(Rewrite(lambda _, body: json.dumps(json.loads(body) | change).encode()))
    async with client(vendor) as ai:
        with pytest.raises(e.MalformedReplyError):
            await ai.image.generate("a cat", model=PRO)

    assert 1 == len(vendor.requests)


@pytest.mark.parametrize(
    "answer", [b"[]", b'{"status": "Ready", "result": {}}', b'{"status": "Ready"}']
)
async def test_answers_that_are_none(vendor, answer):
    """They are the vendor's fault, and say so."""
    vendor.script(Rewrite(lambda *_: answer), path="/v1/get_result")
    async with client(vendor) as ai:
        with pytest.raises(e.MalformedReplyError):
            await ai.image.generate("a cat", model=PRO)


# -- the emulator, by hand ------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "body", "place"),
    [
        ("flux-2-pro", {}, "prompt"),
        ("flux-2-pro", {"width": 63}, "width"),
        ("flux-2-pro", {"width": 4096, "height": 4096}, "width"),
        ("flux-2-pro", {"safety_tolerance": 6}, "safety_tolerance"),
        ("flux-2-pro", {"input_image": "no picture"}, "input_image"),
        ("flux-2-pro", {"output_format": "gif"}, "output_format"),
        ("flux-2-klein-4b", {"input_image_5": BOAT.to_base64()}, "input_image_5"),
        ("flux-pro-1.1", {"width": 1000}, "width"),
        ("flux-kontext-pro", {"aspect_ratio": "3:1"}, "aspect_ratio"),
    ],
)
async def test_emulator_refuses_what_the_vendor_refuses(vendor, model, body, place):
    """With 422 and the place, as FastAPI has it."""
    from httpx2 import AsyncClient

    given = body and {"prompt": "a cat", **body}
    async with AsyncClient(base_url=vendor.base_url, headers={"x-key": vendor.key}) as http:
        reply = await http.post(f"/v1/{model}", json=given)

    assert 422 == reply.status_code
    assert ["body", place] == reply.json()["detail"][0]["loc"]


def test_spec_says_what_is_known():
    """Prices have a source and a day; a model without one has none."""
    assert {"flux-2-pro-preview", "flux-2-klein-9b-preview"} == {
        model.id for model in SPEC.models if model.prices is None
    }
    assert all(model.source for model in SPEC.models)
    assert SPEC.model(SPEC.default_model)
