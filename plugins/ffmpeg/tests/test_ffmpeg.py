"""FFmpeg: what it makes, as a decoder that is not ours sees it; and that nothing is left of it."""

from __future__ import annotations

import array
import io
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import anyio
import anyio.lowlevel
import anymodal
import anymodal_ffmpeg as plugin
import av
import PIL.Image
import pytest
from anymodal import Audio, Connection, Image, JobStatus, Video
from anymodal import errors as e
from anymodal.modalities.sizes import Size
from anymodal.modalities.video import Clip, Overlay, Track
from anymodal_ffmpeg import FFmpegAudio, FFmpegVideo
from anymodal_ffmpeg.binary import binary_of
from anymodal_ffmpeg.graphs import frame_of
from anymodal_ffmpeg.running import Probe, running

pytestmark = pytest.mark.anyio
RED, BLUE = (254, 0, 0), (0, 0, 254)
LOCAL = "ffmpeg/local"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
async def ai(anyio_backend):
    settings = anymodal.Settings.from_mapping({"store": {"path": "off"}}, environ={})
    async with anymodal.Client(settings) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_left(tmp_path_factory, monkeypatch):
    """Each piece of work has a folder of its own, which is gone in the end."""
    folder = tmp_path_factory.mktemp("work")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert [] == list(folder.iterdir())


# -- material -----------------------------------------------------------------------------


def picture(colour, width=64, height=48):
    """A PNG of one colour, by a library that is not ours."""
    out = io.BytesIO()
    PIL.Image.new("RGB", (width, height), colour).save(out, "png")
    return Image(out.getvalue())


def film(colour, seconds=2, *, sound=0, width=64, height=48):
    """An MP4 of one colour, with a tone of *sound* hertz."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        seen = file.add_stream("mpeg4", rate=10)
        seen.width, seen.height, seen.pix_fmt = width, height, "yuv420p"
        heard = file.add_stream("aac", rate=44100) if sound else None
        for number in range(seconds * 10):
            frame = av.VideoFrame(width, height, "rgb24")
            frame.planes[0].update(bytes(colour) * (frame.planes[0].line_size // 3) * height)
            frame.pts = number
            file.mux(seen.encode(frame))
        if heard is not None:
            for start in range(0, 44100 * seconds, 1024):
                piece = av.AudioFrame("fltp", "mono", 1024)
                values = [
                    0.5 * math.sin((start + n) * sound * math.tau / 44100) for n in range(1024)
                ]
                piece.planes[0].update(array.array("f", values).tobytes())
                piece.sample_rate, piece.pts = 44100, start
                file.mux(heard.encode(piece))
            file.mux(heard.encode(None))
        file.mux(seen.encode(None))
    return Video(out.getvalue())


def tone(seconds=3.0, *, level=0.05, rate=16000, silence=0.0, hertz=440):
    """A WAV with a tone between two silences."""
    quiet = [0] * int(silence * rate)
    loud = [
        int(32767 * level * math.sin(n * hertz * math.tau / rate))
        for n in range(int(seconds * rate))
    ]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array.array("h", quiet + loud + quiet).tobytes())
    return Audio(out.getvalue())


def watched(media):
    """Return what a clip is: size, seconds, whether it is heard, and its colour at moments."""
    source = str(media.path) if media.path else io.BytesIO(media.data)
    with av.open(source) as file:
        stream = file.streams.video[0]
        frames = [(float(one.time), one.to_rgb()) for one in file.decode(stream)]
        codec, has_sound = stream.codec_context.name, bool(file.streams.audio)
        return {
            "size": (stream.codec_context.width, stream.codec_context.height),
            "seconds": file.duration / 1e6,
            "codec": codec,
            "heard": has_sound,
            "frames": frames,
        }


def colour_at(found, seconds, x=0.5, y=0.5):
    """Return the colour at a moment and a place, to the nearest that is pure."""
    _, frame = min(found["frames"], key=lambda one: abs(one[0] - seconds))
    row, column = int(frame.height * y), int(frame.width * x)
    plane = frame.planes[0]
    at = row * plane.line_size + column * 3
    return tuple(254 if value > 128 else 0 for value in bytes(plane)[at : at + 3])


def loudness(media, start=0.0, end=None):
    """Return the root of the mean square of a stretch of sound, and how long all of it is."""
    source = str(media.path) if media.path else io.BytesIO(media.data)
    values, rate = [], 0
    with av.open(source) as file:
        turned = av.AudioResampler(format="s16", layout="mono")
        for frame in file.decode(audio=0):
            for one in turned.resample(frame):
                rate = one.sample_rate
                values += array.array("h", bytes(one.planes[0])[: one.samples * 2])
    piece = values[int(start * rate) : None if end is None else int(end * rate)]
    mean = math.sqrt(sum(value * value for value in piece) / max(len(piece), 1))
    return mean / 32768, len(values) / rate


# -- a clip of a picture ------------------------------------------------------------------


async def test_clip_of_a_picture(ai):
    """As large and as long as asked, in H.264, and for nothing."""
    told = []
    found = await ai.video.generate(
        "", image=picture(RED), model=LOCAL, seconds=2, size="96x63", progress=told.append
    )

    seen = watched(found.video)
    assert ((96, 64), 2.0, "h264", False) == tuple(
        seen[name] for name in ("size", "seconds", "codec", "heard")
    )
    assert RED == colour_at(seen, 1)
    assert 0 == found.record.cost.usd
    assert 1.0 == told[-1].progress
    assert all(one.state == "running" for one in told)
    assert ["size"] == [one.setting for one in found.record.warnings]


async def test_picture_that_turns_into_another(ai):
    """With a fade, and a slow zoom of the first."""
    found = await ai.video.generate(
        "", image=picture(RED), last_image=picture(BLUE), model=LOCAL, seconds=3,
        options=[FFmpegVideo(zoom=1.3, quality=28)],
    )  # fmt: skip

    seen = watched(found.video)
    assert (RED, BLUE) == (colour_at(seen, 0.2), colour_at(seen, 2.9))
    assert ((64, 48), 3.0) == (seen["size"], seen["seconds"])


@pytest.mark.parametrize(
    ("size", "pixels"),
    [("2:1", (78, 40)), ("480p", (740, 554)), (None, (64, 48)), ("65x49", (64, 48))],
)
async def test_sizes(size, pixels):
    """A ratio has as many pixels as the picture, a class has its shape."""
    assert pixels == frame_of(None if size is None else Size.parse(size), Probe(0, 64, 48))


async def test_what_is_left_out(ai):
    """Each a warning; an error for whoever is strict."""
    given = {"image": picture(RED), "model": LOCAL, "seconds": 1, "negative_prompt": "rain",
             "seed": 1, "end_user": "u", "sound": True}  # fmt: skip
    found = await ai.video.generate("waves", **given)

    warned = [one.setting for one in found.record.warnings]
    assert ["prompt", "negative_prompt", "seed", "end_user", "sound"] == warned
    with pytest.raises(e.UnsupportedFeatureError):
        await ai.video.generate("waves", **given, strict=True)


async def test_words_alone(ai):
    """It is known not to make clips of words."""
    with pytest.raises(e.UnsupportedFeatureError, match="text_to_video"):
        await ai.video.generate("waves", model=LOCAL)


# -- compositions -------------------------------------------------------------------------


async def test_one_after_the_other(ai, tmp_path):
    """A part of a clip, a picture, and a clip with sound, which is heard where it stands."""
    clips = [
        Clip(film(RED), start=0.5, seconds=1),
        picture(BLUE),
        film(RED, 1, sound=440, width=48, height=64),
    ]
    found = await ai.video.compose(
        clips, model=LOCAL, size="128x96", fps=20, into=tmp_path / "f.mp4"
    )

    seen = watched(found.video)
    assert ((128, 96), True) == (seen["size"], seen["heard"])
    assert abs(seen["seconds"] - 5.0) < 0.1
    assert [RED, BLUE, RED] == [colour_at(seen, moment) for moment in (0.5, 2.5, 4.5)]
    assert (0, 0, 0) == colour_at(seen, 4.5, x=0.05)
    assert loudness(found.video, 0.1, 3.9)[0] < 0.01
    assert loudness(found.video, 4.2, 4.8)[0] > 0.2
    assert tmp_path / "f.mp4" == found.video.path
    assert abs(found.seconds - 5) < 0.1


async def test_beside_each_other(ai):
    """Three clips in a grid of four; who ends early stands still."""
    found = await ai.video.compose(
        [film(RED, 1), film(BLUE, 2, sound=440), picture(RED)],
        layout="grid",
        model=LOCAL,
        size="128x96",
    )

    seen = watched(found.video)
    assert ((128, 96), 3.0) == (seen["size"], round(seen["seconds"], 1))
    places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
    assert [RED, BLUE, RED, (0, 0, 0)] == [colour_at(seen, 1.5, *place) for place in places]


async def test_grid_of_one(ai):
    """It is the clip itself."""
    found = await ai.video.compose([film(RED, 1)], layout="grid", model=LOCAL)

    assert (64, 48) == watched(found.video)["size"]


async def test_tracks(ai):
    """At their time, as loud as asked, cut where the clips end."""
    found = await ai.video.compose(
        [film(RED, 3)], model=LOCAL,
        tracks=[Track(tone(5, level=0.5), at=1), Track(tone(1, level=0.5), at=1, volume=0)],
    )  # fmt: skip

    assert loudness(found.video, 0.1, 0.8)[0] < 0.01
    assert loudness(found.video, 1.3, 2.8)[0] > 0.2
    assert abs(watched(found.video)["seconds"] - 3) < 0.1


async def test_overlays(ai):
    """Where and while they are asked for, the last on top."""
    found = await ai.video.compose(
        [film(RED, 3, width=128, height=96)], model=LOCAL,
        overlays=[
            Overlay(picture(BLUE), x=0.5, y=0.5, width=0.5, at=1, seconds=1),
            Overlay(film(BLUE, 1), width=0.25, at=2),
        ],
    )  # fmt: skip

    seen = watched(found.video)
    corner, top = (0.75, 0.75), (0.1, 0.1)
    assert [RED, BLUE, RED] == [colour_at(seen, at, *corner) for at in (0.5, 1.5, 2.5)]
    assert [RED, RED, BLUE] == [colour_at(seen, at, *top) for at in (0.5, 1.5, 2.5)]


async def test_opacity(ai):
    """Nothing of it is seen at none."""
    found = await ai.video.compose(
        [film(RED, 1)], overlays=[Overlay(picture(BLUE), opacity=0)], model=LOCAL
    )

    assert RED == colour_at(watched(found.video), 0.5)


async def test_filters_of_ones_own(ai):
    """Everything seen and heard goes through them."""
    option = FFmpegVideo(video_filter="negate", audio_filter="volume=0")
    found = await ai.video.compose([film(RED, 1, sound=440)], options=[option], model=LOCAL)

    assert (0, 254, 254) == colour_at(watched(found.video), 0.5)
    assert loudness(found.video)[0] < 0.01


# -- sound --------------------------------------------------------------------------------


async def test_loudness(ai):
    """As asked, to within a decibel, and as long as before."""
    told = []
    found = await ai.audio.enhance(tone(4), loudness=-20, model=LOCAL, progress=told.append)

    level, seconds = loudness(found.audio)
    # a tone of 440 Hz has its mean square in LUFS, to 0.7
    assert abs(20 * math.log10(level) - -20) < 1.5
    assert abs(seconds - 4) < 0.05
    with wave.open(io.BytesIO(found.audio.data)) as file:
        assert (16000, 2) == (file.getframerate(), file.getsampwidth())
    assert 1.0 == told[-1].progress
    assert sorted(one.progress for one in told) == [one.progress for one in told]


async def test_silence_has_no_loudness(ai):
    """It is left as it is, with a warning."""
    found = await ai.audio.enhance(tone(2, level=0), loudness=-20, model=LOCAL)

    assert ["loudness"] == [one.setting for one in found.record.warnings]
    assert 0 == loudness(found.audio)[0]


async def test_trimming(ai):
    """By the clock, and by ear."""
    sound = tone(2, silence=1.0, level=0.5)
    cut = await ai.audio.enhance(sound, trim=(1, 2.5), model=LOCAL)
    heard = await ai.audio.enhance(sound, trim_silence=True, model=LOCAL)
    rest = await ai.audio.enhance(sound, trim=(1.5, None), model=LOCAL)

    assert [1.5, 2.5] == [round(loudness(one.audio)[1], 1) for one in (cut, rest)]
    assert abs(loudness(heard.audio)[1] - 2) < 0.2
    assert (1.5, None) == (cut.seconds, heard.seconds)


async def test_denoising(ai):
    """White noise becomes less of it."""
    chance = random.Random(7)
    noise = [int(chance.gauss(0, 600)) for _ in range(3 * 16000)]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(array.array("h", noise).tobytes())
    sound = Audio(out.getvalue())
    option = FFmpegAudio(noise_reduction=20, audio_filter="volume=1")
    found = await ai.audio.enhance(sound, denoise=True, model=LOCAL, options=[option])

    assert loudness(found.audio)[0] < 0.3 * loudness(sound)[0]


@pytest.mark.parametrize(
    ("packed", "codec", "rate", "media_type"),
    [
        ("mp3_44100_96", "mp3float", 44100, "audio/mpeg"),
        ("wav_8000", "pcm_s16le", 8000, "audio/wav"),
        ("flac", "flac", 16000, "audio/flac"),
        ("opus", "libopus", 48000, "audio/ogg"),
        ("aac", "aac", 16000, "audio/aac"),
        (None, "pcm_s16le", 16000, "audio/wav"),
    ],
)
async def test_packings(ai, tmp_path, packed, codec, rate, media_type):  # noqa: PLR0917  # a table
    """Each opens."""
    found = await ai.audio.enhance(tone(1), format=packed, model=LOCAL, into=tmp_path / "sound")

    with av.open(str(tmp_path / "sound")) as file:
        stream = file.streams.audio[0]
        assert codec.replace("lib", "").replace("float", "") in stream.codec_context.name
        assert rate == stream.codec_context.sample_rate
    assert (media_type, tmp_path / "sound") == (found.audio.media_type, found.audio.path)
    assert abs(loudness(found.audio)[1] - 1) < 0.15


@pytest.mark.parametrize("packed", ["pcm", "ulaw", "alaw"])
async def test_packings_without_a_head(ai, packed):
    """A second of them has as many bytes as that takes."""
    found = await ai.audio.enhance(tone(1), format=packed, model=LOCAL)

    assert {"pcm": 32000}.get(packed, 8000) == found.audio.size


# -- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "media", [Image(url="https://a.example/a.png"), Video(url="https://a.example/a.mp4")]
)
async def test_addresses(ai, media):
    """Nothing is fetched."""
    with pytest.raises(e.InvalidRequestError, match="FFmpeg fetches nothing"):
        await ai.video.compose([media], model=LOCAL)


async def test_playlists_are_not_read(ai, tmp_path):
    """They name further files, which nobody gave."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(film(RED, 1).data)
    lists = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"
    with pytest.raises(e.BadRequestError, match="neither picture nor sound"):
        await ai.video.compose([Video(lists.encode(), media_type="video/mp4")], model=LOCAL)


async def test_files_named_like_options(ai, tmp_path, monkeypatch):
    """A name is a name."""
    monkeypatch.chdir(tmp_path)
    for name in ("-y %d.mp4", "pipe:0"):
        await anyio.Path(name).write_bytes(film(RED, 1).data)
        found = await ai.video.compose([Video(path=name)], model=LOCAL)
        assert RED == colour_at(watched(found.video), 0.5)


@pytest.mark.parametrize(
    ("asking", "error"),
    [
        (lambda ai: ai.video.compose([Video(b"nonsense", media_type="video/mp4")], model=LOCAL), e.BadRequestError),
        (lambda ai: ai.video.compose([Clip(film(RED, 1), start=3)], model=LOCAL), e.InvalidRequestError),
        (lambda ai: ai.video.compose([Video(tone(1).data, media_type="video/mp4")], model=LOCAL), e.InvalidRequestError),
        (lambda ai: ai.video.compose([film(RED, 1)], size="9000x100", model=LOCAL), e.InvalidRequestError),
        (lambda ai: ai.video.compose([Image(b"<svg></svg>")], model=LOCAL), e.InvalidRequestError),
        (lambda ai: ai.video.compose([film(RED, 1)], options=[FFmpegVideo(video_filter="nonsense")], model=LOCAL), e.BadRequestError),
        (lambda ai: ai.audio.enhance(tone(1), trim=(2, None), model=LOCAL), e.InvalidRequestError),
        (lambda ai: ai.audio.enhance(Audio(film(RED, 1).data, media_type="audio/mp4"), model=LOCAL), e.InvalidRequestError),
    ],
)  # fmt: skip
async def test_what_cannot_be_made(ai, asking, error):
    """It is said whose fault it is, without the paths of this machine."""
    with pytest.raises(error) as caught:
        await asking(ai)

    assert "anymodal-" not in str(caught.value)


# -- nothing is left ----------------------------------------------------------------------


def children():
    """Return the programs that this process has started and that run."""
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [pid for one in found for pid in one.read_text().split()]
    names = [Path(f"/proc/{pid}/cmdline") for pid in pids]
    return [one for one in names if one.exists() and b"ffmpeg" in one.read_bytes()]


@pytest.mark.parametrize("turns", range(6))
async def test_giving_up_at_the_start(turns):
    """Who is cancelled while the program starts leaves none behind: nobody would know of it."""
    silence = ["-re", "-f", "lavfi", "-i", "anullsrc", "-t", "60", "-f", "null", "-"]

    async def run():
        async with running([binary_of(connection()), *silence]):
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()

    assert [] == children()


async def test_cancelling(ai, tmp_path):
    """It ends the program, and leaves no file."""
    began = anyio.Event()

    def told(status: JobStatus) -> None:
        began.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            lambda: ai.video.generate(
                "", image=picture(RED), model=LOCAL, seconds=3600, size="640x480",
                progress=told, into=tmp_path / "clip.mp4",
            )
        )  # fmt: skip
        with anyio.fail_after(30):
            await began.wait()
        assert 1 == len(children())
        tasks.cancel_scope.cancel()

    assert [] == children()
    assert [] == list(tmp_path.iterdir())


STUBBORN = """#!{python}
import signal, sys, time
if "pipe:1" not in sys.argv:
    sys.exit("Stream #0:0: Video: png, rgb24, 64x48 ")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("out_time_us=N/A")
print("out_time_us=1000000", flush=True)
{then}
"""


def program(tmp_path, then):
    file = tmp_path / "program"
    file.write_text(STUBBORN.format(python=sys.executable, then=then))
    file.chmod(0o700)
    return {"providers": {"ffmpeg": {"binary": str(file)}}, "store": {"path": "off"}}


async def test_program_that_will_not_end(tmp_path, anyio_backend, monkeypatch):
    """It is killed after a while."""
    monkeypatch.setattr("anymodal_ffmpeg.running.GRACE_SECONDS", 0.1)
    began = anyio.Event()
    settings = anymodal.Settings.from_mapping(program(tmp_path, "time.sleep(600)"), environ={})
    async with anymodal.Client(settings) as ai, anyio.create_task_group() as tasks:
        tasks.start_soon(
            lambda: ai.video.generate(
                "", image=picture(RED), model=LOCAL, progress=lambda _: began.set()
            )
        )
        with anyio.fail_after(30):
            await began.wait()
        tasks.cancel_scope.cancel()

    left = subprocess.run(["pgrep", "-f", str(tmp_path)], check=False, capture_output=True)  # noqa: ASYNC221  # at once
    assert b"" == left.stdout


async def test_program_that_is_killed(tmp_path, anyio_backend):
    """It is no fault of the request's."""
    then = f"import os; os.kill(os.getpid(), {signal.SIGKILL})"
    settings = anymodal.Settings.from_mapping(program(tmp_path, then), environ={})
    policy = anymodal.Policy(retry=anymodal.Retry(attempts=1))
    async with anymodal.Client(settings, policy=policy) as ai:
        with pytest.raises(e.ServerError, match="signal 9"):
            await ai.video.generate("", image=picture(RED), model=LOCAL)


# -- the program --------------------------------------------------------------------------


def connection(**settings):
    return Connection(provider="ffmpeg", settings=settings, clock=None)


def test_where_the_program_is(tmp_path, monkeypatch):
    """Settings, then the variable, then the path, then the extra."""
    for name in ("said", "named", "ffmpeg"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o700)
    packaged = binary_of(connection())
    assert "imageio_ffmpeg" in packaged
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(tmp_path / "ffmpeg") == binary_of(connection())
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "named"))
    assert str(tmp_path / "named") == binary_of(connection())
    assert str(tmp_path / "said") == binary_of(connection(binary=str(tmp_path / "said")))


def test_no_program(tmp_path, monkeypatch):
    """What to do is said."""
    with pytest.raises(e.ConfigurationError, match="is no program"):
        binary_of(connection(binary="/nowhere/ffmpeg"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(e.ConfigurationError, match=r"anymodal-ffmpeg\[binary\]"):
        binary_of(connection())


def test_names():
    """Options come without the program."""
    assert (plugin.FFmpegVideo, plugin.FFmpegAudio) == (FFmpegVideo, FFmpegAudio)
    with pytest.raises(AttributeError):
        plugin.nonsense  # noqa: B018
