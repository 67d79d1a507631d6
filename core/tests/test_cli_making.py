"""What `anymodal video` and `audio` say, where the file goes, and how they end."""

import json

import pytest

from .distributions import Site
from .terminal import terminal

MAKES = """
from anymodal import Audio, JobStatus, ModelSpec, Video, hookimpl
from anymodal import errors as e
from anymodal.modalities.audio import AudioProviderSpec, AudioResult
from anymodal.modalities.video import VideoProviderSpec, VideoResult


class Films:
    def __init__(self):
        self.asked = 0

    async def submit(self, request):
        print("acme is called")
        if request.seconds == 4:
            request.warn("seconds", "it is as usual")
        image = request.image.name if request.image else ""
        return {"words": request.prompt, "image": image, "size": str(request.size)}

    async def poll(self, handle):
        self.asked += 1
        if "fail" in handle["words"]:
            return JobStatus(state="failed", message="no film today")
        return JobStatus(state="running" if self.asked == 1 else "succeeded", progress=0.5)

    async def fetch(self, handle, wanted):
        said = " ".join(handle.values()).encode()
        return VideoResult(video=Video(b"\\0\\0\\0\\x18ftypisom" + said), seconds=4.0)


class Sings:
    async def generate(self, request):
        return AudioResult(audio=Audio(b"ID3" + f"{request.prompt} {request.format}".encode()))


def spec(cls, provider):
    return cls(
        id="acme", display_name="Acme", kind="local", models=[ModelSpec(id="acme-1")],
        default_model="acme-1", connect=lambda connection: provider(),
    )


@hookimpl
def anymodal_video_providers():
    yield spec(VideoProviderSpec, Films)


@hookimpl
def anymodal_audio_providers():
    yield spec(AudioProviderSpec, Sings)
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.fixture
def site(tmp_path):
    """A place where only acme is installed."""
    found = Site(tmp_path)
    found.install("acme", MAKES)
    return found


def test_clip(site):
    """The file is there, and nothing is said."""
    ended = site.run("video", "waves", "-o", "clip.mp4", "-m", "acme/acme-1", "--size", "16:9")

    assert (0, "", "acme is called\n") == (ended.returncode, ended.stdout, ended.stderr)
    assert (site.home / "clip.mp4").read_bytes().endswith(b"isomwaves  16:9")


def test_clip_of_a_picture(site):
    """Which needs no words."""
    (site.home / "still.png").write_bytes(PNG)
    ended = site.run("video", "-o", "clip.mp4", "--image", "still.png", "-m", "acme/acme-1")

    assert 0 == ended.returncode
    assert b"still.png" in (site.home / "clip.mp4").read_bytes()


def test_one_document(site):
    """A list of one object, which says what was made of it and what was not honoured."""
    ended = site.run(
        "video",
        "-",
        "-o",
        "clip.mp4",
        "-m",
        "acme/acme-1",
        "--seconds",
        "4",
        "--json",
        piped=b"waves\n",
    )

    (found,) = json.loads(ended.stdout)
    assert ("clip.mp4", "video/mp4", 4.0, "acme", "acme-1") == tuple(
        found[name] for name in ("file", "media_type", "video_seconds", "provider", "model")
    )
    assert found["bytes"] == (site.home / "clip.mp4").stat().st_size
    assert "seconds: it is as usual\n" in ended.stderr


def test_sound(site):
    """Of words from a pipe, packed as asked."""
    ended = site.run(
        "audio", "-o", "waves.mp3", "-m", "acme/acme-1", "--format", "mp3", "--json", piped=b"waves"
    )

    (found,) = json.loads(ended.stdout)
    assert ("audio/mpeg", None) == (found["media_type"], found["audio_seconds"])
    assert b"ID3waves mp3" == (site.home / "waves.mp3").read_bytes()


def test_same_key(site):
    """Another process has the same job."""
    for name in ("a.mp4", "b.mp4"):
        ended = site.run("video", "waves", "-o", name, "-m", "acme/acme-1", "--key", "k")
        assert 0 == ended.returncode, ended.stderr

    assert "acme is called" not in ended.stderr


def test_job_that_is_come_back_to(site):
    """By its key, into a file, with what is known of it as JSON."""
    site.run("video", "waves", "-o", "a.mp4", "-m", "acme/acme-1", "--key", "k")
    lacking = site.run("jobs", "resume", "k")
    ended = site.run("jobs", "resume", "k", "-o", "b.mp4")

    assert (1, "Error: what comes of this job is a file: name one with -o.\n") == (
        lacking.returncode, lacking.stderr,
    )  # fmt: skip
    assert "b.mp4" == json.loads(ended.stdout)["file"]
    assert (site.home / "a.mp4").read_bytes() == (site.home / "b.mp4").read_bytes()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["video", "fail", "-o", "clip.mp4", "-m", "acme/acme-1"], 1, "no film today"),
        (["video", "waves", "-o", "gone/clip.mp4"], 2, "There is no folder gone"),
        (["video", "waves", "-o", "clip.mp4", "--size", "big"], 2, "none of 1024x768"),
        (["video", "waves"], 2, "--out"),
        (["video", " ", "-o", "clip.mp4"], 2, "The prompt is empty"),
        (
            ["audio", "waves", "-o", "a.mp3", "-m", "acme/acme-1", "--format", "x"],
            1,
            "is no format",
        ),
        (["audio", "waves", "-o", "a.mp3", "-m", "acme/acme-1", "--key", "k"], 1, "makes no jobs"),
        (["video", "waves", "-o", "clip.mp4", "--seconds", "0"], 2, "--seconds"),
    ],
)
def test_what_cannot_be_made(site, words, status, says):
    """One or two sentences, and no file."""
    before = (site.home / "clip.mp4").exists()
    ended = site.run(*words)

    assert (status, "") == (ended.returncode, ended.stdout)
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert before == (site.home / "clip.mp4").exists()


def test_progress_on_a_terminal(site):
    """Somebody waits there; it is gone in the end."""
    with terminal(site, "video", "waves", "-o", "clip.mp4", "-m", "acme/acme-1") as screen:
        screen.wait_for("running")
        assert 0 == screen.ended()

    assert (site.home / "clip.mp4").exists()
