"""Clips and sound: as jobs and at once, into files, and paid for once."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from anymodal import Audio, Budget, Deadlines, Image, JobStatus, Policy, Settings, SyncClient, Video
from anymodal import errors as e
from anymodal.jobs import JobToken
from anymodal.modalities import AUDIO, VIDEO
from anymodal.modalities.making import check_seconds
from anymodal.modalities.sizes import Size
from anymodal.modalities.video import Clip, Overlay, Track, VideoOption
from anymodal.stores import MemoryStore

from .making import CLIP, DONE, RUNNING, SOUND, AtOnce, Jobs, Stops, brings, client

pytestmark = pytest.mark.anyio
PNG = Image(b"\x89PNG\r\n\x1a\n" + bytes(8))
OTHER = Image(b"\x89PNG\r\n\x1a\n" + bytes(9))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


# -- at once ------------------------------------------------------------------------------


async def test_clip_at_once():
    """Its bytes are at hand, the record has what it cost, and progress was told."""
    provider, told = AtOnce(), []
    async with client(provider) as ai:
        found = await ai.video.generate(
            "waves", model="acme/m-1", image=PNG, last_image=OTHER, seconds=5, size="16:9",
            sound=True, seed=7, progress=told.append, raw=True,
        )  # fmt: skip

    (asked,) = provider.asked
    assert CLIP == found.video.data == found.media.data
    assert ("waves", PNG, OTHER, 5, Size("ratio", 16, 9), True, 7) == (
        asked.prompt, asked.image, asked.last_image, asked.seconds, asked.size, asked.sound, asked.seed,
    )  # fmt: skip
    assert [JobStatus(state="running", progress=0.5)] == told
    assert (Decimal("0.50"), {"it": "says"}, "r-1") == (
        found.record.cost.usd, found.record.raw, found.record.request_id,
    )  # fmt: skip


async def test_clip_at_once_into_a_file(tmp_path):
    """A provider that knows nothing of files has its clip put there all the same."""
    async with client(AtOnce()) as ai:
        found = await ai.video.generate("waves", into=tmp_path / "clip.mp4")

    assert CLIP == (tmp_path / "clip.mp4").read_bytes()
    assert (tmp_path / "clip.mp4", "video/mp4") == (found.video.path, found.video.media_type)


async def test_provider_that_puts_it_there_itself(tmp_path):
    """It is not written twice."""

    class Puts(AtOnce):
        async def generate(self, request):
            request.into.write_bytes(CLIP)
            found = await super().generate(request)
            return type(found)(video=Video(path=request.into))

    async with client(Puts()) as ai:
        found = await ai.video.generate("waves", into=str(tmp_path / "clip.mp4"))

    assert tmp_path / "clip.mp4" == found.video.path


@pytest.mark.parametrize("place", ["", "gone/clip.mp4"])
async def test_file_that_cannot_be(tmp_path, place):
    """It is refused before anything is paid for."""
    provider = Jobs()
    async with client(provider) as ai:
        with pytest.raises(e.InvalidRequestError, match="into: "):
            await ai.video.generate("waves", into=tmp_path / place)

    assert [] == provider.calls


async def test_who_makes_things_at_once_has_no_jobs():
    """Nothing could be come back to, so a key would promise what nobody keeps."""
    provider = AtOnce()
    async with client(provider) as ai:
        for asking in (ai.video.submit("waves"), ai.video.generate("waves", key="k")):
            with pytest.raises(e.UnsupportedFeatureError, match="makes no jobs"):
                await asking

        assert () == await ai.jobs.list()
    assert [] == provider.asked


async def test_failure_at_once():
    """It is the vendor's, with the record."""
    async with client(AtOnce(e.ServerError("acme: no"))) as ai:
        with pytest.raises(e.ServerError) as caught:
            await ai.video.generate("waves")

    assert "acme" == caught.value.record.provider


# -- as a job -----------------------------------------------------------------------------


async def test_generate_is_submit_wait_and_fetch(tmp_path):
    """Whoever is told of progress hears of each state."""
    provider, told = Jobs(JobStatus(state="queued"), RUNNING, DONE), []
    async with client(provider) as ai:
        found = await ai.video.generate(
            "waves", seconds=5, progress=told.append, into=tmp_path / "clip.mp4"
        )

    assert ["submit", "poll", "poll", "poll", "fetch"] == provider.calls
    assert ["queued", "running", "succeeded"] == [status.state for status in told]
    assert CLIP == (tmp_path / "clip.mp4").read_bytes()
    assert (Decimal("0.50"), "r-2", "generate") == (
        found.record.cost.usd, found.record.request_id, found.record.operation,
    )  # fmt: skip
    assert found.record.seconds > 0
    assert tmp_path / "clip.mp4" == provider.wanted[0].into


async def test_generate_without_end():
    """No deadline is one that never comes."""
    async with client(Jobs(RUNNING, DONE)) as ai:
        found = await ai.video.generate("waves", timeout=Deadlines(total=None))

    assert CLIP == found.video.data


async def test_submitted_job(tmp_path):
    """It is waited for by whoever holds it, and its result is put into a file."""
    provider = Jobs(RUNNING, DONE)
    async with client(provider) as ai:
        job = await ai.video.submit("waves", raw=True)
        assert "the job has not ended" == job.record.cost.source
        seen = [status.state async for status in job.progress()]
        found = await job.result(into=tmp_path / "clip.mp4")
        again = await job.result()

    assert ["running", "succeeded"] == seen
    assert (tmp_path / "clip.mp4", CLIP) == (found.video.path, again.video.data)
    assert {"it": "says"} == job.record.raw
    assert Decimal("0.50") == job.record.cost.usd


async def test_another_process_comes_back_to_it():
    """By its token, through the client's jobs and the facade alike; it is not made again."""
    async with client(Jobs()) as ai:
        token = (await ai.video.submit("waves", raw=True)).token
    later = Jobs()
    async with client(later) as ai:
        found = await ai.jobs.resume(token).result()
        job = ai.video.resume(token)

    assert ["poll", "fetch"] == later.calls
    assert CLIP == found.video.data
    assert ("acme", "m-1", Decimal("0.50")) == (
        found.record.provider, found.record.model, found.record.cost.usd,
    )  # fmt: skip
    assert token == job.token
    assert later.wanted[0].raw


async def test_a_provider_comes_back_to_jobs_of_its_former_id():
    """What was submitted before the provider was renamed is paid for."""
    async with client(Jobs()) as ai:
        token = JobToken.parse((await ai.video.submit("waves")).token)
    token = attrs.evolve(token, provider="zenith", instance="zenith")
    async with client(Jobs(), former_ids=["zenith"]) as ai:
        found = await ai.jobs.resume(str(token)).result()

    assert CLIP == found.video.data


async def test_tokens_of_other_jobs():
    """Nor of other instances."""
    async with client(Jobs()) as ai:
        token = JobToken.parse((await ai.video.submit("waves")).token)
        with pytest.raises(e.InvalidRequestError, match="not that of a job of audio"):
            ai.audio.resume(str(token))
    async with client(Jobs(), settings={"providers": {"acme": {"enabled": False}}}) as ai:
        with pytest.raises(e.ConfigurationError):
            ai.video.resume(str(token))
    theirs = attrs.evolve(token, provider="other")
    async with client(Jobs()) as ai:
        with pytest.raises(e.UnknownProviderError, match="not the other"):
            ai.video.resume(str(theirs))


async def test_same_key_same_job():
    """Paid for once, though the picture comes from another place; `generate` and `submit` share it."""
    provider, store = Jobs(), MemoryStore()
    async with client(provider, store=store) as ai:
        first = await ai.video.submit("waves", image=PNG, key="clip")
        second = await ai.video.submit("waves", image=Image(PNG.data), key="clip")
        found = await ai.video.generate("waves", image=PNG, key="clip", raw=True)

        assert first.token == second.token
        assert CLIP == found.video.data
        with pytest.raises(e.KeyReusedError):
            await ai.video.submit("waves", image=OTHER, key="clip")
    assert 1 == provider.calls.count("submit")


async def test_job_that_is_late():
    """It goes on, and the error says how to come back to it."""
    provider = Jobs(RUNNING)
    async with client(provider) as ai:
        with pytest.raises(e.DeadlineExceededError, match=r"client\.jobs\.get") as caught:
            await ai.video.generate("waves", timeout=20)
        (kept,) = await ai.jobs.list()
        provider.states = [DONE]
        found = await (await ai.jobs.get(kept.key)).result()

    assert kept.key in str(caught.value)
    assert caught.value.record is not None
    assert CLIP == found.video.data
    assert 1 == provider.calls.count("submit")


async def test_job_that_failed():
    """It is the caller's error, and nothing was fetched."""
    failed = JobStatus(state="filtered", message="too much blood", code="policy")
    provider = Jobs(failed)
    async with client(provider) as ai:
        with pytest.raises(e.ContentFilteredError, match="too much blood"):
            await ai.video.generate("waves")

    assert ["submit", "poll"] == provider.calls


async def test_refused_submit_frees_its_key():
    """It was not made."""
    provider = Jobs(refuses=e.BadRequestError("acme: no"))
    async with client(provider, store=MemoryStore()) as ai:
        with pytest.raises(e.BadRequestError):
            await ai.video.submit("waves", key="clip")

        assert () == await ai.jobs.list()


async def test_cancel():
    """Where the vendor can; else it is said that the job goes on."""
    stops = Stops(RUNNING)
    async with client(stops) as ai:
        await (await ai.video.submit("waves")).cancel()
    async with client(Jobs(RUNNING)) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="goes on"):
            await (await ai.video.submit("waves")).cancel()

    assert "cancel" in stops.calls


async def test_vendor_that_forgets_what_it_stopped():
    """Of a job that was taken out of a queue nothing is known there; who asked for that knows."""
    gone = JobStatus(state="expired", message="acme no longer knows it")
    async with client(Stops(gone)) as ai:
        job = await ai.video.submit("waves")
        await job.cancel()
        with pytest.raises(e.JobFailedError, match="was cancelled: acme no longer knows it"):
            await job.result()
        assert ["cancelled"] == [one.state for one in await ai.jobs.list()]
    async with client(Stops(gone)) as ai:
        job = await ai.video.submit("waves")
        with pytest.raises(e.JobFailedError, match="expired before it was done"):
            await job.result()
    async with client(Stops(attrs.evolve(gone, has_result=True))) as ai:
        job = await ai.video.submit("waves")
        await job.cancel()
        await job.result()
        assert "expired" == job.status.state  # it is known there, and says what became of it


async def test_what_is_expected_is_kept_back():
    """Seconds are known before they are made; what was used counts afterwards."""
    provider = Jobs()
    async with client(provider, policy=Policy(budgets=[Budget(usd="0.60")])) as ai:
        await ai.video.generate("waves", seconds=5, size="720p")
        for seconds in (5, None):
            with pytest.raises(e.BudgetExceededError):
                await ai.video.submit("waves", seconds=seconds)

    assert 1 == provider.calls.count("submit")


async def test_batches_have_no_file():
    """Nothing of a batch of text is one."""
    from .batching import Acme
    from .batching import client as of_text

    async with of_text(Acme()) as ai:
        job = await ai.text.batch(["One"], model="acme")
        with pytest.raises(e.InvalidRequestError, match="into: what comes of a batch is no file"):
            await job.result(into="batch.txt")


# -- what providers are -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("methods", "why"),
    [({}, "neither submit"), ({"submit": 1, "poll": 1}, "not both poll"), ({"submit": 1}, "fetch")],
)
async def test_half_a_provider(methods, why):
    """It is the plugin's fault, and it is named."""
    provider = type("Half", (), {name: lambda *_: None for name in methods})()
    async with client(provider) as ai:
        with pytest.raises(e.BrokenPluginError, match=why):
            await ai.video.generate("waves")


class Composes:
    """One that makes nothing of words."""

    async def compose(self, request):
        raise NotImplementedError


async def test_words_for_one_that_only_composes():
    """Nothing is sent."""
    async with client(Composes()) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="makes nothing from a prompt"):
            await ai.video.generate("waves")


# -- composing ----------------------------------------------------------------------------


async def test_composition(tmp_path):
    """Bare media are parts as they are; the others say when and where."""
    provider = AtOnce()
    video, sound = Video(CLIP), Audio(SOUND)
    async with client(provider) as ai:
        found = await ai.video.compose(
            [video, Clip(PNG, seconds=2)], tracks=[sound, Track(sound, at=1, volume=0.5)],
            overlays=[PNG, Overlay(PNG, width=0.2)], layout="grid", size="640x360", fps=24,
            into=tmp_path / "clip.mp4",
        )  # fmt: skip

    (asked,) = provider.asked
    assert (Clip(video), Clip(PNG, seconds=2)) == asked.clips
    assert (Track(sound), Track(sound, at=1, volume=0.5)) == asked.tracks
    assert (Overlay(PNG), Overlay(PNG, width=0.2)) == asked.overlays
    assert ("grid", Size("pixels", 640, 360), 24) == (asked.layout, asked.size, asked.fps)
    assert ("compose", Decimal("0.50")) == (found.record.operation, found.record.cost.usd)
    assert CLIP == found.video.path.read_bytes()


async def test_provider_that_does_not_compose():
    """Nothing is sent."""
    async with client(Jobs()) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="composes no clips"):
            await ai.video.compose([PNG])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"clips": []}, "clips"),
        ({"clips": [PNG] * 101}, "clips"),
        ({"clips": ["clip.mp4"]}, "clips"),
        ({"clips": [PNG], "tracks": [PNG]}, "tracks"),
        ({"clips": [PNG], "overlays": ["x"]}, "overlays"),
        ({"clips": [PNG], "layout": "pile"}, "layout"),
        ({"clips": [PNG], "fps": 0}, "fps"),
        ({"clips": [PNG], "fps": 1000}, "fps"),
        ({"clips": [PNG], "size": "large"}, "size"),
    ],
)
async def test_compositions_that_nobody_could_make(given, field):
    """They are refused with the argument's name."""
    async with client(AtOnce()) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.video.compose(**given)

    assert field == caught.value.field


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Clip(PNG, start=-1), "start"),
        (lambda: Clip(PNG, seconds=0), "seconds"),
        (lambda: Track(Audio(SOUND), at=-1), "at"),
        (lambda: Track(Audio(SOUND), volume=11), "volume"),
        (lambda: Overlay(PNG, x=2), "x"),
        (lambda: Overlay(PNG, width=0), "width"),
        (lambda: Overlay(PNG, opacity="half"), "opacity"),
    ],
)
def test_parts_that_cannot_be(make, field):
    """They say so when they are written."""
    with pytest.raises(e.InvalidRequestError) as caught:
        make()

    assert field == caught.value.field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"prompt": " "}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " ", "image": PNG}, "prompt"),
        ({"image": "lamp.png"}, "image"),
        ({"last_image": PNG}, "last_image"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"seconds": True}, "seconds"),
        ({"seconds": 1e9}, "seconds"),
        ({"seed": 1.5}, "seed"),
        ({"options": ["x"]}, "options"),
    ],
)
async def test_clips_that_nobody_could_make(given, field):
    """They are refused before anything is sent."""
    provider = AtOnce()
    async with client(provider) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.video.generate(**{"prompt": "waves", **given})

    assert field == caught.value.field
    assert [] == provider.asked


async def test_picture_needs_no_words():
    """It may speak for itself."""
    provider = AtOnce()
    async with client(provider) as ai:
        await ai.video.generate("", image=PNG, options=[VideoOption()])

    assert "" == provider.asked[0].prompt


@pytest.mark.parametrize("value", [None, 0, 3])
def test_moments(value):
    """The beginning is one."""
    check_seconds("at", value, strictly=False)
    with pytest.raises(e.InvalidRequestError, match="of 4 or more"):
        check_seconds("at", 3, least=4, strictly=False)


# -- sound --------------------------------------------------------------------------------


async def test_sound_at_once(tmp_path):
    """Music and effects, as clips are made."""
    provider = AtOnce()
    async with client(provider, kind="audio") as ai:
        found = await ai.audio.generate(
            "waves", seconds=5, format="mp3_44100_128", loop=True, instrumental=True, seed=1,
            into=tmp_path / "waves.wav",
        )  # fmt: skip

    (asked,) = provider.asked
    assert ("mp3_44100_128", True, True, 1) == (
        str(asked.format), asked.loop, asked.instrumental, asked.seed,
    )  # fmt: skip
    assert SOUND == found.audio.path.read_bytes()


async def test_sound_as_a_job():
    """Submitted, and come back to."""
    provider = Jobs(kind="audio")
    async with client(provider, kind="audio") as ai:
        job = await ai.audio.submit("waves")
        found = await ai.audio.resume(job.token).result()

    assert SOUND == found.audio.data
    assert ["submit", "poll", "fetch"] == provider.calls


async def test_sound_made_better(tmp_path):
    """All that is asked arrives."""
    provider = AtOnce()
    async with client(provider, kind="audio") as ai:
        found = await ai.audio.enhance(
            Audio(SOUND), loudness=-16, denoise=True, trim=(1, 3.5), trim_silence=True,
            format="wav", into=tmp_path / "a.wav",
        )  # fmt: skip
        await ai.audio.enhance(Audio(SOUND))

    asked, bare = provider.asked
    assert (-16, True, 1, 3.5, True, "wav") == (
        asked.loudness, asked.denoise, asked.start, asked.end, asked.trim_silence, str(asked.format),
    )  # fmt: skip
    assert (None, 0.0, None, None) == (bare.loudness, bare.start, bare.end, bare.format)
    assert ("enhance", SOUND) == (found.record.operation, found.audio.path.read_bytes())


async def test_provider_that_makes_no_sound_better():
    """Nothing is sent."""
    async with client(Jobs(), kind="audio") as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="makes no sound better"):
            await ai.audio.enhance(Audio(SOUND))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"audio": PNG}, "audio"),
        ({"loudness": 3}, "loudness"),
        ({"loudness": float("nan")}, "loudness"),
        ({"trim": 3}, "trim"),
        ({"trim": (-1, 3)}, "trim"),
        ({"trim": (3, 3)}, "trim"),
        ({"format": "nonsense"}, "format"),
    ],
)
async def test_sound_that_nobody_could_make_better(given, field):
    """It is refused with the argument's name."""
    async with client(AtOnce(), kind="audio") as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.audio.enhance(**{"audio": Audio(SOUND), **given})

    assert field == caught.value.field


@pytest.mark.parametrize(
    ("given", "field"),
    [({"prompt": ""}, "prompt"), ({"seconds": -1}, "seconds"), ({"seed": "x"}, "seed")],
)
async def test_sound_that_nobody_could_make(given, field):
    """As with clips."""
    async with client(AtOnce(), kind="audio") as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.audio.generate(**{"prompt": "waves", **given})

    assert field == caught.value.field


# -- in other ways ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_warming(kind):
    """A provider is connected before it is first called."""
    async with client(AtOnce(), kind=kind) as ai:
        await ai.warm("acme/m-1")
        found = await ai[VIDEO if kind == "video" else AUDIO].generate("waves")

    assert found.media.data in {CLIP, SOUND}


def test_without_await(tmp_path):
    """The same, for plain functions."""
    with SyncClient(plugins=[brings(Jobs(RUNNING, DONE))], settings=Settings.empty()) as ai:
        job = ai.video.submit("waves", model="acme/m-1")
        states = [status.state for status in job.progress()]
        found = job.result(into=tmp_path / "clip.mp4")
        again = ai.jobs.resume(job.token).result()

    assert ["running", "succeeded"] == states
    assert CLIP == found.video.read_bytes() == again.video.data
