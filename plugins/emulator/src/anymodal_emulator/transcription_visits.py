"""What the tour asks of a provider of text from speech, and how it tells that all was heard."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import anyio
import anymodal
from anymodal.modalities.live import AudioFormat, Partial
from anymodal.modalities.transcription import TranscriptionResult

from .operations import Operation
from .sounds import wav
from .visits import SECONDS, Visit

__all__ = ["TRANSCRIPTION", "sample"]

SAID: Final = "Please turn on the light."
RATE: Final = 16_000
PIECE: Final = 3200


def sample(client: anymodal.Client, provider: str) -> bytes:
    """
    Return a WAV file in which *SAID* is said.

    Emulators understand sound that spells its words; who works for real gets a voice,
    that of eSpeak NG.
    """
    offers = client.registry.providers(modality="transcription")
    if any(offer.spec.kind == "local" and offer.instance == provider for offer in offers):
        return files("anymodal_emulator").joinpath("light.wav").read_bytes()
    return wav(SAID, RATE)


async def _transcribe(client: anymodal.Client, visit: Visit, name: str) -> None:
    sound = anymodal.Audio(sample(client, visit.row.provider))
    found = await client.transcription.transcribe(sound, model=name, timeout=SECONDS)
    _note(visit, found)


async def _words(client: anymodal.Client, visit: Visit, name: str) -> None:
    sound = anymodal.Audio(sample(client, visit.row.provider))
    found = await client.transcription.transcribe(sound, model=name, words=True, timeout=SECONDS)
    starts = [word.start for word in found.words]
    if len(starts) != len(found.text.split()) or starts != sorted(starts):
        msg = f"{len(found.text.split())} words have {len(starts)} times, or not in their order"
        raise LookupError(msg)
    _note(visit, found)


async def _diarize(client: anymodal.Client, visit: Visit, name: str) -> None:
    sound = anymodal.Audio(wav(f"{visit.prompt} / {ANSWER}", RATE))
    found = await client.transcription.transcribe(sound, model=name, diarize=True, timeout=SECONDS)
    turns = [(one.speaker, one.text) for one in found.segments]
    if [text for _, text in turns] != [visit.prompt, ANSWER] or turns[0][0] == turns[1][0]:
        msg = f"two speakers were heard as {turns}"
        raise LookupError(msg)
    _note(visit, found)


async def _live(client: anymodal.Client, visit: Visit, name: str) -> None:
    """
    Send sound while another task reads what is heard.

    Raises:
        LookupError: Nothing was heard before the end.
    """
    with wave.open(io.BytesIO(sample(client, visit.row.provider))) as file:
        sound = file.readframes(file.getnframes())
    partials = 0
    async with (
        client.transcription.live(format=AudioFormat(rate=RATE), model=name) as session,
        anyio.create_task_group() as tasks,
    ):

        async def read() -> None:
            nonlocal partials
            async for event in session:
                partials += isinstance(event, Partial)

        tasks.start_soon(read)
        for at in range(0, len(sound), PIECE):
            await session.send(sound[at : at + PIECE])
        await session.finish()
    if not partials:
        msg = "nothing was heard before the end"
        raise LookupError(msg)
    visit.first_event = session.record.first_event_seconds
    _note(visit, await session.result())


def _note(visit: Visit, found: TranscriptionResult) -> None:
    visit.seconds = found.record.seconds
    if not found.text:
        return
    visit.said = f"{found.text}\n{found.duration:g} s of sound" if found.duration else found.text
    written = {
        "text": found.text,
        "duration": found.duration,
        "segments": [
            {"text": one.text, "start": one.start, "end": one.end, "speaker": one.speaker}
            for one in found.segments
        ],
        "words": [{"text": one.text, "start": one.start, "end": one.end} for one in found.words],
    }
    visit.artefact, visit.suffix = json.dumps(written, indent=1).encode(), ".json"


ANSWER: Final = "It is on."

TRANSCRIPTION: Final[Mapping[str, Operation]] = {
    "transcribe": Operation("", _transcribe, SAID),
    "words": Operation("word_timestamps", _words, SAID),
    "diarize": Operation("diarization", _diarize, SAID, (ANSWER,)),
    "live": Operation("live", _live, SAID),
}
"""By name, in the order of the table."""
