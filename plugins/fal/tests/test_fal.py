"""fal: the provider against its emulator, from a prompt to a clip that plays."""

from __future__ import annotations

import io
import json
import signal
import sys
from contextlib import asynccontextmanager

import anyio
import anymodal
import anymodal_fal as plugin
import av
import pytest
from anymodal import Connection, Image, JobStatus, Policy, Retry, Secret
from anymodal import errors as e
from anymodal.jobs import JobToken
from anymodal.modalities.making import Fetching
from anymodal.modalities.sizes import Size
from anymodal.modalities.video import VideoRequest
from anymodal.specs import ModelSpec
from anymodal_emulator import Reset, Rewrite, Status, emulated
from anymodal_emulator.samples import png
from anymodal_fal import FalVideo
from anymodal_fal.body import encode
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio
(SPEC,) = plugin.anymodal_video_providers()
(EMULATOR,) = plugin.anymodal_emulators()
SEEDANCE = "bytedance/seedance-2.0/text-to-video"
FROM_PICTURE = "bytedance/seedance-2.0/image-to-video"
FLUX = "blackforestlabs/flux-3-max/text-to-video"
MINI = "bytedance/seedance-2.0/mini/text-to-video"
PICTURE = Image(png(64, 48))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated(EMULATOR) as running:
        yield running


class Quick:
    """A clock whose waits are over at once."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds


def client(vendor, **more):
    settings = {**vendor.settings(), "store": {"path": "off"}}
    return anymodal.Client(
        anymodal.Settings.from_mapping(settings, environ={}),
        policy=Policy(retry=Retry(attempts=1)), clock=Quick(), **more,
    )  # fmt: skip


def request(model=SEEDANCE, **given):
    spec = SPEC.model(model) or ModelSpec(id=model, listed=False)
    return VideoRequest(model=spec, **{"prompt": "waves", **given})


@asynccontextmanager
async def provided(vendor, base_url=None):
    connection = Connection(
        provider="fal",
        base_url=base_url or vendor.base_url,
        credentials={"api_key": Secret(vendor.key)},
        clock=Quick(),
        refine=SPEC.errors,
    )
    try:
        yield plugin.connect(connection)
    finally:
        await connection.aclose()


def opened(data):
    with av.open(io.BytesIO(data)) as file:
        frame = next(file.decode(video=0))
        return frame.width, frame.height, file.duration / 1e6, file.metadata["comment"]


# -- from a prompt to a clip --------------------------------------------------------------


async def test_clip_from_words(vendor, tmp_path):
    """It plays, is as large and as long as asked, and what it cost is known."""
    told = []
    async with client(vendor) as ai:
        found = await ai.video.generate(
            "waves at night", model=f"fal/{MINI}", seconds=4, size="480p", seed=7,
            progress=told.append, into=tmp_path / "clip.mp4",
        )  # fmt: skip

    width, height, seconds, words = opened((tmp_path / "clip.mp4").read_bytes())
    assert (854, 480, 4.0) == (width, height, seconds)
    assert words.startswith(f"fal ({MINI}) made: waves at night")
    assert ["queued", "running", "succeeded"] == [one.state for one in told]
    assert 0.5 == told[1].progress
    assert ("0.2884", 4, 7) == (str(found.record.cost.usd), found.seconds, found.seed)
    assert [] == found.record.warnings


async def test_clip_from_a_picture(vendor):
    """The picture arrives with its bytes."""
    async with client(vendor) as ai:
        found = await ai.video.generate("it moves", image=PICTURE, model=f"fal/{FROM_PICTURE}")

    assert "it moves from image/png" in opened(found.video.data)[3].replace("image ", "")


@pytest.mark.parametrize(("model", "image"), [(SEEDANCE, PICTURE), (FROM_PICTURE, None)])
async def test_model_of_the_other_kind(vendor, model, image):
    """It is refused before anything is sent."""
    async with client(vendor) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="_to_video"):
            await ai.video.generate("waves", image=image, model=f"fal/{model}")

    assert () == vendor.requests


async def test_job_that_is_come_back_to(vendor):
    """By a client that never saw it; it is made, and paid for, once."""
    async with client(vendor) as ai:
        token = (await ai.video.submit("waves", model=f"fal/{MINI}", seconds=4)).token
    async with client(vendor) as ai:
        found = await ai.jobs.resume(token).result()

    assert 4.0 == opened(found.video.data)[2]
    assert 1 == sum(one.method == "POST" for one in vendor.requests)


KILLED = """
import anyio, anymodal, json, os, signal, sys

async def main():
    async with anymodal.Client(anymodal.Settings.from_mapping(json.loads(sys.argv[1]))) as ai:
        job = await ai.video.submit("waves", model=sys.argv[2], seconds=4, key="clip")
        await job.poll()
        os.kill(os.getpid(), signal.SIGKILL)

anyio.run(main)
"""


async def test_process_that_is_killed(vendor, tmp_path):
    """Another one comes back to its job by the key alone, and no second is made."""
    kept = {"path": str(tmp_path / "jobs.db")}
    settings = {**vendor.settings(), "store": kept}
    command = [sys.executable, "-c", KILLED, json.dumps(settings), f"fal/{MINI}"]
    with anyio.fail_after(60):
        done = await anyio.run_process(command, check=False)
    assert -signal.SIGKILL == done.returncode, done.stderr
    assert 1 == sum(one.method == "POST" for one in vendor.requests)

    asked = anymodal.Settings.from_mapping(settings, environ={})
    async with anymodal.Client(asked, clock=Quick()) as ai:
        (there,) = await ai.jobs.list()
        job = await ai.video.submit("waves", model=f"fal/{MINI}", seconds=4, key="clip")
        found = await job.result(into=tmp_path / "clip.mp4")

    assert "clip" == there.key
    assert 4.0 == opened(found.video.path.read_bytes())[2]
    assert 1 == sum(one.method == "POST" for one in vendor.requests)


# -- what is sent -------------------------------------------------------------------------


async def test_request(vendor):
    """As the page of the model says."""
    option = FalVideo(
        priority="low", start_timeout=90, retried=False, extra_body={"bitrate": 1},
        extra_headers={"X-Mine": "1"},
    )  # fmt: skip
    async with client(vendor) as ai:
        await ai.video.submit(
            "waves", model=f"fal/{SEEDANCE}", seconds=5, size="9:16", sound=False, seed=1,
            options=[option],
        )  # fmt: skip

    (sent,) = vendor.requests
    assert f"/{SEEDANCE}" == sent.path
    assert sent.json == snapshot(
        {
            "prompt": "waves",
            "duration": "5",
            "aspect_ratio": "9:16",
            "generate_audio": False,
            "seed": 1,
            "bitrate": 1,
        }
    )
    names = (
        "authorization",
        "x-fal-queue-priority",
        "x-fal-request-timeout",
        "x-fal-no-retry",
        "x-mine",
    )
    assert [f"Key {vendor.key}", "low", "90", "1", "1"] == [sent.headers[name] for name in names]


@pytest.mark.parametrize(
    ("given", "body", "warned"),
    [
        ({"seconds": 4.4}, {"duration": "4"}, ["seconds"]),
        ({"seconds": 60}, {"duration": "15"}, ["seconds"]),
        ({"model": FLUX, "seconds": 2}, {"duration": 5}, ["seconds"]),
        ({"size": Size.parse("1280x720")}, {"aspect_ratio": "16:9", "resolution": "720p"}, []),
        ({"size": Size.parse("1080p")}, {"resolution": "720p"}, ["size"]),
        ({"size": Size.parse("5:4")}, {"aspect_ratio": "4:3"}, ["size"]),
        ({"size": Size.parse("512x512")}, {"aspect_ratio": "1:1", "resolution": "480p"}, ["size"]),
        ({"model": FLUX, "seed": 3}, {}, ["seed"]),
        ({"negative_prompt": "rain", "end_user": "u"}, {}, ["negative_prompt", "end_user"]),
        ({"model": "fal-ai/veo3.1", "seed": 3, "seconds": 8, "sound": True}, {"seed": 3}, ["seconds", "sound"]),
    ],
)  # fmt: skip
async def test_settings_in_the_words_of_models(given, body, warned):
    """What is not exact is a warning, and an error for whoever is strict."""
    asked = request(**given)

    assert {"prompt": "waves", **body} == await encode(asked)
    assert warned == [one.setting for one in asked.warnings]
    if warned:
        with pytest.raises(e.UnsupportedFeatureError):
            await encode(request(**given, strict=True))


async def test_pictures(tmp_path):
    """From a file, from memory and by their address; one to end with where the model takes it."""
    (tmp_path / "a.png").write_bytes(PICTURE.data)
    pair = {
        "image": Image(path=tmp_path / "a.png"),
        "last_image": Image(url="https://a.example/b.png"),
    }
    sent = await encode(request(FROM_PICTURE, **pair))
    lacking = request(SEEDANCE, **pair)
    await encode(lacking)

    assert PICTURE.to_data_uri() == sent["image_url"]
    assert "https://a.example/b.png" == sent["end_image_url"]
    assert ["last_image"] == [one.setting for one in lacking.warnings]


@pytest.mark.parametrize("model", ["veo", "../x/y", "a/b?c=d", "a/..//b"])
async def test_names_that_are_none(vendor, model):
    """They would lead the key to another path."""
    async with provided(vendor) as provider:
        with pytest.raises(e.InvalidRequestError, match="no name of fal's"):
            await provider.submit(request(model))

    assert () == vendor.requests


# -- what goes wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "error", "code"),
    [
        ("emulator:filter", e.ContentFilteredError, "content_policy_violation"),
        ("emulator:fail", e.JobFailedError, "runner_disconnected"),
    ],
)
async def test_job_that_fails(vendor, prompt, error, code):
    """The state says so, and fal's name for it is kept."""
    async with client(vendor) as ai:
        with pytest.raises(error) as caught:
            await ai.video.generate(prompt, model=f"fal/{MINI}")

    assert code == caught.value.vendor_code
    assert error is type(caught.value)


async def test_refused_by_the_model(vendor):
    """The queue takes anything; the model does not."""
    async with client(vendor) as ai:
        with pytest.raises(e.JobFailedError, match="Input should be"):
            await ai.video.generate(
                "waves", model=f"fal/{MINI}", options=[FalVideo(extra_body={"duration": "99"})]
            )


@pytest.mark.parametrize(
    ("prompt", "model", "error"),
    [
        ("emulator:quota", MINI, e.PermissionDeniedError),
        ("waves", "fal-ai/nothing", e.NotFoundError),
    ],
)
async def test_refused_by_the_queue(vendor, prompt, model, error):
    """Nothing was made, and fal's own sentence is told."""
    async with client(vendor) as ai:
        with pytest.raises(error, match="fal: HTTP 40"):
            await ai.video.submit(prompt, model=f"fal/{model}")

        assert () == await ai.jobs.list()


async def test_wrong_key(vendor):
    """It is an authentication error without the key."""
    settings = {"providers": {"fal": {"base_url": vendor.base_url, "api_key": "id:wrong-key"}}}
    settings["store"] = {"path": "off"}
    async with anymodal.Client(anymodal.Settings.from_mapping(settings, environ={})) as ai:
        with pytest.raises(e.AuthenticationError) as caught:
            await ai.video.submit("waves", model=f"fal/{MINI}")

    assert "wrong-key" not in str(caught.value)


async def test_no_answer_to_a_submit(vendor):
    """It may be paid for."""
    vendor.script(Reset())
    async with client(vendor) as ai:
        with pytest.raises(e.OutcomeUnknownError):
            await ai.video.submit("waves", model=f"fal/{MINI}")


async def test_polling_goes_on_past_failures(vendor):
    """A job does not die of one request."""
    async with client(vendor) as ai:
        job = await ai.video.submit("waves", model=f"fal/{MINI}", seconds=4)
        vendor.script(Status(503), Status(429, retry_after=1), path="*/status*")
        found = await job.result()

    assert 4.0 == opened(found.video.data)[2]


async def test_unknown_state_means_running(vendor):
    """A new word ends no job."""
    async with client(vendor) as ai:
        job = await ai.video.submit("waves", model=f"fal/{MINI}")
        vendor.script(
            Rewrite(lambda _, body: body.replace(b"IN_QUEUE", b"PLANNING")), path="*/status*"
        )
        status = await job.poll()

    assert ("running", "PLANNING") == (status.state, status.word)


@pytest.mark.parametrize("link", ["http://evil.example/x/y/status", "nonsense", None, 7])
async def test_links_elsewhere(vendor, link):
    """A key follows none, whether fal returns it or a token has it."""
    async with provided(vendor) as provider:
        for asking in (provider.poll, provider.cancel):
            with pytest.raises(e.MalformedReplyError, match="not followed"):
                await asking({"status_url": link, "cancel_url": link})
        with pytest.raises(e.MalformedReplyError, match="not followed"):
            await provider.fetch({"response_url": link}, Fetching(model=SPEC.models[0]))

    assert () == vendor.requests


async def test_submit_that_is_answered_with_links_elsewhere(vendor):
    """The job may exist, so its key is not free."""
    vendor.script(Rewrite(lambda _, body: body.replace(b"127.0.0.1", b"evil.example")))
    async with client(vendor) as ai:
        with pytest.raises(e.MalformedReplyError, match="not followed"):
            await ai.video.submit("waves", model=f"fal/{MINI}", key="clip")

        assert ["submitting"] == [one.state for one in await ai.jobs.list()]


@pytest.mark.parametrize("answer", [b"[]", b'{"images": []}', b'{"video": {"url": 3}}'])
async def test_answers_without_a_clip(vendor, answer):
    """They are malformed, not a crash."""
    async with provided(vendor) as provider:
        handle = await provider.submit(request(MINI))
        vendor.script(Rewrite(lambda *_: answer, status=200), path="*/requests/*")
        with pytest.raises(e.MalformedReplyError):
            await provider.fetch(handle, Fetching(model=SPEC.models[0]))


# -- cancelling ---------------------------------------------------------------------------


async def test_cancelled_in_the_queue(vendor):
    """fal takes it out, and then knows nothing of it."""
    async with client(vendor) as ai:
        job = await ai.video.submit("waves", model=f"fal/{MINI}")
        await job.cancel()
        with pytest.raises(e.JobFailedError, match="no longer knows it"):
            await job.result()


async def test_cancelled_while_it_runs(vendor):
    """Its model stops."""
    async with client(vendor) as ai:
        job = await ai.video.submit("emulator:slow", model=f"fal/{MINI}")
        assert ["queued", "running", "running"] == [(await job.poll()).state for _ in range(3)]
        await job.cancel()
        with pytest.raises(e.JobFailedError, match="cancelled"):
            await job.result()


async def test_cancelled_too_late(vendor):
    """What has ended has ended."""
    async with client(vendor) as ai:
        job = await ai.video.submit("waves", model=f"fal/{MINI}", seconds=4)
        async for _ in job.progress():
            pass
        token = JobToken.parse(job.token)
        job.status = JobStatus(state="running")
        await job.cancel()
        await ai.jobs.cancel(str(token))
        assert 4.0 == opened((await job.result()).video.data)[2]


async def test_cancel_that_is_refused(vendor):
    """Any other refusal is told."""
    async with client(vendor) as ai:
        job = await ai.video.submit("waves", model=f"fal/{MINI}")
        vendor.script(Status(422))
        with pytest.raises(e.BadRequestError):
            await job.cancel()


# -- what it says of itself ---------------------------------------------------------------


def test_facts_have_sources():
    """Each model's page, and each price's day."""
    assert all(one.source.startswith("https://fal.ai/models/") for one in SPEC.models)
    assert all(one.prices.as_of.year == 2026 for one in SPEC.models if one.prices)
    assert ("FAL_KEY", "FAL_AI_API_KEY", "FALAI_API_KEY") == SPEC.credentials[0].env
    assert plugin.FalVideo is FalVideo
    with pytest.raises(AttributeError):
        plugin.nonsense  # noqa: B018
