"""What the tour asks of a provider of music, of effects, or of better sound."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from typing import Final

import anymodal
from anymodal.formats import extension
from anymodal.modalities.audio import AudioResult

from .operations import Operation
from .sounds import wav
from .visits import SECONDS, Visit

__all__ = ["AUDIO"]

LONG: Final = 4.0
RATE: Final = 16_000


async def _generate(client: anymodal.Client, visit: Visit, name: str) -> None:
    made = await client.audio.generate(visit.prompt, model=name, seconds=LONG, timeout=SECONDS)
    _note(visit, made)
    visit.said = f"{visit.prompt} ({made.audio.media_type}, {made.audio.size} bytes)"


async def _enhance(client: anymodal.Client, visit: Visit, name: str) -> None:
    raw = wav(visit.prompt, RATE)
    made = await client.audio.enhance(
        anymodal.Audio(raw), denoise=True, loudness=-16, trim=(0.5, 2.5), format="wav",
        model=name, timeout=SECONDS,
    )  # fmt: skip
    _note(visit, made)
    with wave.open(io.BytesIO(visit.artefact)) as file:
        seconds, rate = file.getnframes() / file.getframerate(), file.getframerate()
    if abs(seconds - 2) > 0.05 or rate != RATE:
        msg = f"it lasts {seconds:g} s at {rate} Hz, and not 2 at {RATE}"
        raise ValueError(msg)
    visit.said = f"{visit.prompt} ({made.audio.media_type}, {seconds:g} s at {rate} Hz)"


def _note(visit: Visit, made: AudioResult) -> None:
    visit.artefact = made.audio.read_bytes()
    visit.suffix = extension(made.audio.media_type)
    visit.seconds = made.record.seconds


AUDIO: Final[Mapping[str, Operation]] = {
    "generate": Operation("text_to_audio", _generate, "Waves on a stony beach"),
    "enhance": Operation("enhancement", _enhance, "A keeper who speaks too softly, in the wind"),
}
"""By name, in the order of the table."""
