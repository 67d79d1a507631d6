"""
eSpeak NG as a program of its own: text to its standard input, sound from its output.

No shell is involved, and the text is no argument. Source: the manual page of espeak-ng
1.51, read 2026-11-20.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE
from typing import IO, TYPE_CHECKING, Final

import anyio
from anymodal import Connection, streaming
from anymodal.errors import (
    ConfigurationError,
    InvalidRequestError,
    MalformedReplyError,
    NotFoundError,
    ServerError,
    VendorError,
)
from anymodal.modalities.sounds import Unwrapped
from anymodal.modalities.speech import (
    AudioChunk,
    SpeechEnd,
    SpeechEvent,
    SpeechRequest,
    VoiceSpec,
)
from anymodal.usage import Usage, Used

from .options import EspeakSpeech

if TYPE_CHECKING:
    from anyio.abc import Process

__all__ = ["EspeakVoices", "command_of", "voices_of"]

USUAL_WORDS_PER_MINUTE: Final = 175
SLOWEST: Final = 80
FASTEST: Final = 450
READ_BYTES: Final = 16_384
WORDS_BYTES: Final = 2_000

_VOICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+()-]*(?:/[A-Za-z0-9_+()-]+)?")
_GENDERS: Final = {"F": "female", "M": "male"}


class EspeakVoices:
    """The voices of eSpeak NG."""

    def __init__(self, connection: Connection) -> None:
        self._command = command_of(connection)
        self._provider = connection.provider

    @streaming
    async def stream(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent, None]:
        """Say a text, piece by piece."""
        arguments = arguments_of(request)
        async with self._running([*arguments, "--stdin", "--stdout"]) as (process, said):
            await _tell(process, request.text)
            sound = Unwrapped()  # its header does not know how long the sound is
            while data := await _read(process):
                if samples := sound.feed(data):
                    yield AudioChunk(samples)
            if await process.wait():
                raise self._failed(said, process.returncode)
        yield SpeechEnd(usage=Usage(units=(Used("character", len(request.text)),)))

    async def voices(self) -> Sequence[VoiceSpec]:
        """List what the program can say."""
        async with self._running(["--voices"]) as (process, said):
            found = b""
            while data := await _read(process):
                found += data
            if await process.wait():
                raise self._failed(said, process.returncode)
        return voices_of(found.decode("utf-8", "replace"))

    @asynccontextmanager
    async def _running(
        self, arguments: Sequence[str]
    ) -> AsyncGenerator[tuple[Process, IO[bytes]], None]:
        """Run the program; whoever leaves before it has ended ends it."""
        with tempfile.TemporaryFile() as said:
            try:
                with anyio.CancelScope(shield=True):  # asyncio forgets one that it has half begun
                    process = await anyio.open_process(
                        [*self._command, *arguments], stdin=PIPE, stdout=PIPE, stderr=said
                    )
            except OSError as error:
                msg = f"{self._provider}: {self._command[0]} cannot be started: {error.strerror}."
                raise ConfigurationError(msg) from error
            try:
                yield process, said
            finally:
                with anyio.CancelScope(shield=True):
                    if process.returncode is None:
                        process.kill()
                    await process.aclose()

    def _failed(self, said: IO[bytes], status: int | None) -> VendorError:
        said.seek(0)
        words = " ".join(said.read(WORDS_BYTES).decode("utf-8", "replace").split())
        cls = NotFoundError if "voice" in words.lower() else ServerError
        msg = f"{self._provider}: it ended with status {status}"
        return cls(f"{msg}: {words}" if words else msg, provider=self._provider)


async def _tell(process: Process, text: str) -> None:
    if process.stdin is not None:
        with contextlib.suppress(anyio.BrokenResourceError, OSError):  # its status says why
            await process.stdin.send(text.encode("utf-8", "replace"))
            await process.stdin.aclose()


async def _read(process: Process) -> bytes:
    """Return what it says next; nothing at the end."""
    try:
        return b"" if process.stdout is None else await process.stdout.receive(READ_BYTES)
    except anyio.EndOfStream:
        return b""


def command_of(connection: Connection) -> list[str]:
    """
    Return what to start.

    Raises:
        ConfigurationError: There is nothing.
    """
    program = connection.settings.get("program")
    if program is not None:
        found = shutil.which(str(program))
        if found is None:
            msg = f"{connection.provider}: program: {program} is nothing that can be started."
            raise ConfigurationError(msg)
        return [found]
    for name in ("espeak-ng", "espeak"):
        if (found := shutil.which(name)) is not None:
            return [found]
    if importlib.util.find_spec("espeakng_loader") is not None:
        return [sys.executable, "-I", str(Path(__file__).with_name("speaker.py"))]
    msg = (
        f"{connection.provider}: espeak-ng is not installed. Install it with the system's packages "
        "(apt install espeak-ng, brew install espeak-ng), or its library: "
        "pip install 'anymodal-espeak[library]'"
    )
    raise ConfigurationError(msg)


def arguments_of(request: SpeechRequest) -> list[str]:
    """
    Return how to say it, as arguments; the text is none of them.

    Raises:
        InvalidRequestError: The voice's name is none.
    """
    option = request.option(EspeakSpeech) or EspeakSpeech()
    voice = request.required_voice().id
    if not _VOICE.fullmatch(voice):
        msg = f"voice: {voice!r} is no name of a voice, such as en-us or en-gb+f3."
        raise InvalidRequestError(msg, field="voice")
    for name in ("instructions", "end_user"):
        if getattr(request, name) is not None:
            request.warn(name, "left out, because eSpeak NG has nothing for it")
    said = {
        "-s": _words_per_minute(request, option),
        "-p": option.pitch,
        "-a": option.volume,
        "-g": option.word_gap,
    }
    arguments = ["-v", voice, "-b", "1"]
    for name, value in said.items():
        if value is not None:
            arguments += [name, str(int(value))]
    return arguments


def _words_per_minute(request: SpeechRequest, option: EspeakSpeech) -> int | None:
    if option.words_per_minute is not None:
        return option.words_per_minute
    if request.speed is None:
        return None
    wanted = round(USUAL_WORDS_PER_MINUTE * request.speed)
    found = min(max(wanted, SLOWEST), FASTEST)
    if found != wanted:
        request.warn("speed", f"{found} words a minute; eSpeak NG has {SLOWEST} to {FASTEST}")
    return found


def voices_of(table: str) -> list[VoiceSpec]:
    """
    Return the voices in what `--voices` prints; those of MBROLA are another program's.

    Raises:
        MalformedReplyError: It is no such table.
    """
    found: dict[str, VoiceSpec] = {}
    lines = table.splitlines()
    if not lines or "Language" not in lines[0]:
        msg = "espeak: its list of voices cannot be read"
        raise MalformedReplyError(msg, provider="espeak")
    for line in lines[1:]:
        _, language, sort, name, file, *_ = line.split()
        if not file.startswith("mb/"):
            gender = _GENDERS.get(sort.rpartition("/")[2], "")
            words = name.replace("_", " ")
            voice = VoiceSpec(id=language, name=words, languages=[language], gender=gender)
            found.setdefault(language, voice)
    return list(found.values())
