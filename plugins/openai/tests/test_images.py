"""Pictures of OpenAI: the emulator by the SDK's own calls, and the provider by the emulator."""

from __future__ import annotations

import base64
import datetime as dt
import io
from decimal import Decimal

import anymodal
import openai
import pytest
from anymodal import Image
from anymodal import errors as e
from anymodal.policies import Policy, Retry
from anymodal.usage import Used
from anymodal_emulator import Raw, Status, emulated, gaps
from anymodal_emulator.pictures import picture, seen
from anymodal_openai import OpenAIImage
from inline_snapshot import snapshot
from PIL import Image as Pillow

pytestmark = pytest.mark.anyio

BOAT = picture("a boat", 320, 240)
MODEL = "gpt-image-2.5-flare"
PILLOWS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(scope="module")
def running():
    with emulated("openai") as vendor:
        yield vendor


@pytest.fixture
def vendor(running):
    running.clear()
    return running


@pytest.fixture
def sdk(vendor):
    with openai.OpenAI(base_url=vendor.base_url, api_key=vendor.key, max_retries=0) as client:
        yield client


def client(vendor):
    settings = anymodal.Settings.from_mapping(vendor.settings(), environ={})
    return anymodal.Client(settings, policy=Policy(retry=Retry(attempts=1)))


def opened(data: bytes):
    found = Pillow.open(io.BytesIO(data))
    found.load()
    return found


# -- the emulator, by the SDK ---------------------------------------------------------


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_sdk_generates(sdk, form):
    """Each picture opens, has its size, and says who made it of what."""
    found = sdk.images.generate(
        model=MODEL, prompt="a lighthouse", n=2, size="1024x768", output_format=form
    )

    assert [] == gaps(found)
    made = [base64.b64decode(one.b64_json) for one in found.data]
    assert 2 == len(set(made))
    for data in made:
        assert (1024, 768) == opened(data).size
        assert PILLOWS[form] == opened(data).format
        assert seen(data).words.startswith("openai gpt-image-2.5-flare: a lighthouse (1024x768)")
    assert (form, "1024x768", "opaque") == (found.output_format, found.size, found.background)
    assert found.usage.total_tokens == found.usage.input_tokens + found.usage.output_tokens


def test_sdk_edits(sdk):
    """Several pictures and a mask; the answer says which came."""
    found = sdk.images.edit(
        model=MODEL,
        prompt="paint it red",
        image=[("a.png", BOAT, "image/png"), ("b.jpg", picture("b", 16, 16, media_type="image/jpeg"), "image/jpeg")],
        mask=("m.png", BOAT, "image/png"),
        background="transparent",
    )  # fmt: skip

    assert [] == gaps(found)
    data = base64.b64decode(found.data[0].b64_json)
    assert 0 == opened(data).convert("RGBA").getpixel((500, 500))[3]
    assert "image[] image/png 320x240; image[] image/jpeg of some size; mask image/png" in (
        seen(data).words
    )
    assert 512 + 256 == found.usage.input_tokens_details.image_tokens


@pytest.mark.parametrize(
    ("changes", "status", "code", "words"),
    [
        ({"size": "1000x700"}, 400, "invalid_value", "must both be divisible by 16"),
        ({"size": "3200x1024"}, 400, "invalid_value", "out of this model's bounds"),
        ({"size": "512x512"}, 400, "invalid_value", "out of this model's bounds"),
        ({"size": "large"}, 400, "invalid_value", "Expected WIDTHxHEIGHT"),
        ({"model": "gpt-image-1.5", "size": "1280x720"}, 400, "invalid_value", "'1536x1024'"),
        ({"model": "gpt-image-2", "quality": "max"}, 400, "invalid_value", "'high'"),
        ({"model": "dall-e-3"}, 404, "model_not_found", "does not exist"),
        ({"response_format": "url"}, 400, "unknown_parameter", "response_format"),
        ({"n": 11}, 400, None, "n"),
        ({"prompt": ""}, 400, "invalid_value", "prompt"),
        ({"output_format": "jpeg", "background": "transparent"}, 400, None, "JPEG"),
        ({"prompt": "emulator:block"}, 400, "moderation_blocked", "safety system"),
        ({"prompt": "emulator:quota"}, 429, "insufficient_quota", "quota"),
    ],
)
def test_emulator_refuses_what_the_vendor_refuses(sdk, changes, status, code, words):
    """By status and code; the words are for people."""
    with pytest.raises(openai.APIStatusError, match=words) as raised:
        sdk.images.generate(**{"model": MODEL, "prompt": "a cat", **changes})

    assert status == raised.value.status_code
    assert code is None or code == raised.value.code


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"image": ("a.gif", b"GIF89a", "image/gif")}, "Invalid image file"),
        ({"image": ("a.png", BOAT, "image/tiff")}, "unsupported mimetype"),
        ({"image": [("a.png", BOAT, "image/png")] * 17}, "at most 16"),
        (
            {"image": ("a.png", BOAT, "image/png"), "mask": ("m.jpg", b"\xff\xd8\xff", "image/jpeg")},
            "a PNG is needed",
        ),
        ({"image": ("a.png", BOAT, "image/png"), "markup": ("m.png", BOAT, "image/png")}, "markup"),
        ({"image": []}, "Missing required parameter|Unsupported content type"),
    ],
)  # fmt: skip
def test_emulator_refuses_bad_files(sdk, files, words):
    """What is no picture, or too many."""
    with pytest.raises(openai.APIStatusError, match=words):
        sdk.images.edit(model=MODEL, prompt="red", **files)


# -- the provider, by the emulator ----------------------------------------------------


async def test_pictures_from_words(vendor):
    """The body has what was asked for and nothing else; the cost is by kinds of tokens."""
    async with client(vendor) as ai:
        found = await ai.image.generate(
            "a lighthouse",
            model="openai/gpt-image-2.5-flare",
            size="16:9",
            count=2,
            quality="xhigh",
            format="webp",
            background="transparent",
            end_user="u-1",
            options=[OpenAIImage(moderation="low", output_compression=80, complexity="high")],
            raw=True,
            strict=True,
        )

    (asked,) = vendor.requests
    assert asked.json == snapshot(
        {
            "model": "gpt-image-2.5-flare",
            "prompt": "a lighthouse",
            "n": 2,
            "size": "1280x720",
            "quality": "xhigh",
            "output_format": "webp",
            "background": "transparent",
            "safety_identifier": "u-1",
            "output_compression": 80,
            "complexity": "high",
            "moderation": "low",
        }
    )
    assert "/v1/images/generations" == asked.path
    assert asked.client.startswith("AsyncOpenAI/Python")
    assert ["image/webp"] * 2 == [one.media_type for one in found.images]
    assert (1280, 720) == opened(found.image.data).size
    assert (Used("image_output_token", 2048),) == found.usage.units
    assert Decimal("0.06145") == found.record.cost.usd
    assert [] == found.record.warnings
    assert found.request_id == found.record.request_id
    assert found.record.raw["size"] == "1280x720"


async def test_pictures_from_pictures(vendor, tmp_path):
    """As a form; a file on disk is read only then."""
    (tmp_path / "boat.png").write_bytes(BOAT)
    async with client(vendor) as ai:
        found = await ai.image.edit(
            "paint it red",
            [Image(path=tmp_path / "boat.png"), Image(BOAT)],
            mask=Image(BOAT),
            model="openai/gpt-image-1.5",
            options=[
                OpenAIImage(
                    input_fidelity="high",
                    moderation="low",
                    extra_body={"output_compression": 100, "output_format": "jpeg"},
                    extra_headers={"X-Test": "yes"},
                )
            ],
        )

    (asked,) = vendor.requests
    assert "/v1/images/edits" == asked.path
    assert "yes" == asked.headers["x-test"]
    assert b'name="image[]"; filename="image-2.png"\r\nContent-Type: image/png' in asked.body
    assert seen(found.image.data).words == (
        "openai gpt-image-1.5: paint it red (1024x1024; image[] image/png 320x240; "
        "image[] image/png 320x240; mask image/png 320x240)"
    )
    assert "image/jpeg" == found.image.media_type
    assert ["model", "moderation"] == [one.setting for one in found.record.warnings]
    assert "gpt-image-2" in found.record.warnings[0].message  # what takes its place
    assert Used("image_input_token", 768) in found.usage.units


@pytest.mark.parametrize(
    ("settings", "warned", "sent"),
    [
        ({"size": (1000, 700)}, ["size"], {"size": "992x704"}),
        ({"size": "1280x720", "model": "openai/gpt-image-1-mini"}, ["size"], {"size": "1536x1024"}),
        ({"size": "1024x1536", "model": "openai/gpt-image-1-mini"}, [], {"size": "1024x1536"}),
        ({"size": "3:2", "model": "openai/gpt-image-1-mini"}, [], {"size": "1536x1024"}),
        ({"model": "openai/gpt-image-1-mini"}, [], {}),
        ({"quality": "max", "model": "openai/gpt-image-2"}, ["quality"], {"quality": "high"}),
        ({"quality": "low"}, [], {"quality": "low"}),
        ({"seed": 7, "negative_prompt": "rain"}, ["negative_prompt", "seed"], {}),
        ({"options": [OpenAIImage(input_fidelity="low")]}, ["input_fidelity"], {}),
    ],
)
async def test_what_cannot_be_honoured_is_warned_of(vendor, settings, warned, sent):
    """And what is sent instead is what the vendor takes."""
    async with client(vendor) as ai:
        found = await ai.image.generate("a cat", **{"model": f"openai/{MODEL}", **settings})

    assert warned == [one.setting for one in found.record.warnings if one.setting != "model"]
    body = vendor.requests[0].json
    assert sent == {name: value for name, value in body.items() if name not in {"model", "prompt"}}


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"count": 11}, "count"),
        ({"background": "transparent", "format": "jpeg"}, "background"),
        ({"images": Image(url="https://a.example/b.png")}, "images"),
        ({"images": Image(b"GIF89a", media_type="image/gif")}, "images"),
        ({"images": [Image(BOAT)] * 17}, "images"),
        ({"images": Image(BOAT), "mask": Image(url="https://a.example/b.png")}, "mask"),
    ],
)
async def test_what_the_vendor_never_takes_is_not_sent(vendor, settings, field):
    """The field says what to change."""
    async with client(vendor) as ai:
        with pytest.raises(e.InvalidRequestError) as raised:
            call = ai.image.edit if "images" in settings else ai.image.generate
            await call("a cat", **settings, model=f"openai/{MODEL}")

    assert field == raised.value.field
    assert not vendor.requests


@pytest.mark.parametrize(
    ("prompt", "error"),
    [
        ("emulator:block", e.ContentFilteredError),
        ("emulator:filter", e.ContentFilteredError),
        ("emulator:quota", e.QuotaExceededError),
        ("emulator:context", e.ContextLengthError),
    ],
)
async def test_errors_are_our_own(vendor, prompt, error):
    """A filter is one error, before and after the picture is made."""
    async with client(vendor) as ai:
        with pytest.raises(error):
            await ai.image.generate(prompt, model=f"openai/{MODEL}")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'{"data": []}', "empty"),
        (b'{"data": [{"b64_json": "AAAA"}]}', "no picture"),
        (b"[1]", "list"),
    ],
)
async def test_answers_that_are_none(vendor, body, what):
    """They are the vendor's fault, and say so."""
    del what
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    vendor.script(Raw(head % len(body) + body))
    async with client(vendor) as ai:
        with pytest.raises(e.MalformedReplyError):
            await ai.image.generate("a cat", model=f"openai/{MODEL}")


async def test_busy_vendor(vendor):
    """Its wait is carried."""
    vendor.script(Status(429, retry_after=7))
    async with client(vendor) as ai:
        with pytest.raises(e.RateLimitedError) as raised:
            await ai.image.generate("a cat", model=f"openai/{MODEL}")

    assert 7 == raised.value.retry_after


async def test_retired_models_are_refused_with_their_successor(vendor):
    """Nothing is sent."""
    async with client(vendor) as ai:
        with pytest.raises(e.RetiredModelError, match="gpt-image-2"):
            await ai.image.generate("a cat", model="openai/dall-e-3")

    assert not vendor.requests


def test_models_that_leave_say_when():
    """Eleven days from when this was read."""
    spec = next(
        one
        for one in anymodal.plugin_manager().hook.anymodal_image_providers()
        for one in one
        if one.id == "openai"
    )
    leaving = [model for model in spec.models if model.lifecycle.state == "deprecated"]

    assert {dt.date(2026, 12, 1)} == {model.lifecycle.retires_on for model in leaving}
    assert 4 == len(leaving)
    assert all(model.source for model in spec.models)
