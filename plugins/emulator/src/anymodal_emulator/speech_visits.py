"""What the tour asks of a provider of speech, and how it tells that all of it was said."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator, Mapping
from typing import Final

import anyio
import anymodal
from anymodal.modalities.speech import SpeechResult

from .operations import Operation
from .sounds import heard, wav
from .visits import PROMPT, SECONDS, Visit

__all__ = ["SPEECH"]

SHORT: Final = "The lamp."
PIECES: Final = ("The keeper of the light", "house looks out over ", "the sea. He sees", " a ship.")
CONSENT: Final = "It is a voice that nobody has."


async def _synthesize(client: anymodal.Client, visit: Visit, name: str) -> None:
    short = await client.speech.synthesize(SHORT, model=name, format="wav", timeout=SECONDS)
    made = await client.speech.synthesize(visit.prompt, model=name, format="wav", timeout=SECONDS)
    _note(visit, made)
    brief = _samples(short)[0]
    if brief in visit.artefact or len(brief) * 1.5 > len(visit.artefact):
        msg = "a longer text is not longer to hear, or is the same"
        raise ValueError(msg)


async def _stream(client: anymodal.Client, visit: Visit, name: str) -> None:
    async with client.speech.stream(
        visit.prompt, model=name, format="wav", timeout=SECONDS
    ) as stream:
        pieces = [chunk.data async for chunk in stream]
        made = await stream.result()
    if len(b"".join(pieces)) != len(made.audio.data or b""):
        msg = "the pieces are not the whole"
        raise ValueError(msg)
    _note(visit, made)
    visit.said += f" in {len(pieces)} pieces"


async def _told(client: anymodal.Client, visit: Visit, name: str) -> None:
    async with client.speech.stream(_pieces(), model=name, format="wav", timeout=SECONDS) as stream:
        _note(visit, await stream.result())


async def _pieces() -> AsyncIterator[str]:
    for piece in PIECES:
        await anyio.lowlevel.checkpoint()
        yield piece


async def _voices(client: anymodal.Client, visit: Visit, name: str) -> None:
    provider = name.partition("/")[0]
    found = await client.speech.voices(provider, timeout=SECONDS)
    visit.said = "\n".join(f"{one.name} ({', '.join(one.languages) or '?'})" for one in found)


async def _clone(client: anymodal.Client, visit: Visit, name: str) -> None:
    sample = anymodal.Audio(wav("One, two, three.", 16000), name="sample.wav")
    learned = await client.speech.clone(
        "The tour", sample, consent=CONSENT, model=name, timeout=SECONDS
    )
    provider = name.partition("/")[0]
    made = await client.speech.synthesize(
        visit.prompt, voice=f"{provider}/{learned.voice.id}", format="wav", timeout=SECONDS
    )
    _note(visit, made)


def _note(visit: Visit, made: SpeechResult) -> None:
    """
    Take the sound, and say what is heard.

    Raises:
        ValueError: It is none, or lasts another time than it says.
    """
    samples, rate = _samples(made)
    seconds = len(samples) / 2 / rate
    told = made.seconds or made.audio.seconds or 0.0
    if abs(told - seconds) > 0.01:
        msg = f"it is said to last {told} s, and lasts {seconds:.2f} s"
        raise ValueError(msg)
    visit.artefact, visit.suffix = made.audio.data or b"", ".wav"
    words = heard(samples, rate)
    visit.said = f"{words if words.isprintable() else 'A voice'} ({seconds:.1f} s at {rate} Hz)"
    visit.seconds = made.record.seconds
    visit.first_event = made.record.first_event_seconds


def _samples(made: SpeechResult) -> tuple[bytes, int]:
    """Return what the standard library's module finds in it."""
    with wave.open(io.BytesIO(made.audio.data or b"")) as file:
        return file.readframes(file.getnframes()), file.getframerate()


SPEECH: Final[Mapping[str, Operation]] = {
    "synthesize": Operation("", _synthesize, PROMPT, (" s at ",)),
    "stream": Operation("streaming", _stream, PROMPT, (" pieces",)),
    "told": Operation("", _told, "".join(PIECES), ("The keeper", "a ship."), echoes=False),
    "voices": Operation("", _voices, "Which voices do you have?", ("(",), echoes=False),
    "clone": Operation("voice_cloning", _clone, "This is my voice.", ("The tour",)),
}
"""By name, in the order of the table."""
