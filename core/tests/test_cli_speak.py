"""What `anymodal speak` says, where the sound goes, and how it ends."""

import io
import json
import subprocess
import wave

import pytest

from .distributions import COMMAND, PATIENCE, Site
from .terminal import terminal

SPEAKS = """
from anymodal import ModelSpec, hookimpl, streaming
from anymodal import errors as e
from anymodal.modalities.speech import AudioChunk, SpeechEnd, SpeechProviderSpec, VoiceSpec


class Speaks:
    @streaming
    async def stream(self, request):
        print("acme is called")
        yield AudioChunk(request.text.encode("utf-16-le"))
        if "fail" in request.text:
            raise e.ServerError("no voice today")
        if request.speed == 4:
            request.warn("speed", "it is as usual")
        yield SpeechEnd()


@hookimpl
def anymodal_speech_providers():
    yield SpeechProviderSpec(
        id="acme",
        display_name="Acme",
        kind="local",
        models=[ModelSpec(id="acme-1")],
        default_model="acme-1",
        voices=[VoiceSpec(id="v", name="Vera"), VoiceSpec(id="w", name="Will")],
        default_voice="v",
        formats=["pcm_16000"],
        connect=lambda connection: Speaks(),
    )
"""


@pytest.fixture
def site(tmp_path):
    """A place where only acme is installed, and nothing is tried again."""
    found = Site(tmp_path)
    found.install("acme", SPEAKS)
    found.settings("[policy.retry]\nattempts = 1\n")
    return found


def words_of(path):
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes()).decode("utf-16-le")


def test_words_become_a_file(site):
    """Nothing else is written where the words of the result would be."""
    ended = site.run("speak", "Hello there.", "-o", "said.wav", "--voice", "acme/Will")

    assert (0, "", "acme is called\n") == (ended.returncode, ended.stdout, ended.stderr)
    assert "Hello there." == words_of(site.home / "said.wav")


@pytest.mark.parametrize("words", [["-"], []])
def test_words_from_a_pipe(site, words):
    """With a dash, or without any words."""
    site.run("speak", *words, "-o", "said.wav", piped="Grüße".encode())

    assert "Grüße" == words_of(site.home / "said.wav")


def test_one_document(site):
    """A list of one object, which says who spoke, and for how long."""
    ended = site.run("speak", "Hi", "-o", "said.pcm", "--json", "--speed", "4")

    (found,) = json.loads(ended.stdout)
    assert ("said.pcm", "pcm_16000", 4, 2 / 16000, "Vera", "acme", "acme-1") == tuple(
        found[name]
        for name in ("file", "format", "bytes", "audio_seconds", "voice", "provider", "model")
    )
    assert [{"setting": "speed", "message": "it is as usual"}] == found["warnings"]
    assert "speed: it is as usual\n" in ended.stderr
    assert "Hi".encode("utf-16-le") == (site.home / "said.pcm").read_bytes()


def test_sound_into_a_pipe(site):
    """It is bytes, and what the plugin prints is not among them."""
    done = subprocess.run(
        [COMMAND, "speak", "Hi", "-o", "-"], cwd=site.home, env=site.environ(),
        capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip

    with wave.open(io.BytesIO(done.stdout)) as file:
        assert 2 == file.getnframes()


def test_a_failure_leaves_no_file(site):
    """Nor harms the one that is there."""
    (site.home / "old.wav").write_bytes(b"old")
    for name in ("new.wav", "old.wav"):
        ended = site.run("speak", "fail now", "-o", name)
        assert 1 == ended.returncode
        assert "no voice today" in ended.stderr

    assert b"old" == (site.home / "old.wav").read_bytes()
    assert ["old.wav"] == [one.name for one in site.home.iterdir() if "wav" in one.name]


@pytest.mark.parametrize(
    ("words", "status", "match"),
    [
        (["Hi"], 2, "--out"),
        ([" ", "-o", "a.wav"], 2, "empty"),
        (["-o", "a.wav"], 2, "empty"),
        (["Hi", "-o", "nowhere/a.wav"], 2, "no folder"),
        (["Hi", "-o", "-", "--json"], 2, "--json"),
        (["Hi", "-o", "a.mp3"], 1, "pcm_16000"),
        (["Hi", "-o", "a.wav", "--voice", "Nobody"], 1, "Nobody"),
    ],
)
def test_what_is_refused(site, words, status, match):
    """Before anybody is asked."""
    ended = site.run("speak", *words)

    assert status == ended.returncode
    assert match in ended.stderr
    assert "acme is called" not in ended.stderr


def test_a_terminal_is_not_sent_sound(site):
    """It may be driven by it."""
    with terminal(site, "speak", "Hi", "-o", "-") as seen:
        seen.wait_for("not written to a terminal")

        assert 2 == seen.ended()
