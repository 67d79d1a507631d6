"""The sound that the emulator makes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from anymodal.modalities.sounds import SoundFormat
from anymodal_emulator.sounds import CHARACTER_SECONDS, mp3, mp3_frames, opus, pcm, wav

__all__ = ["pieces", "said", "sound"]

PIECE: Final = 4096


def said(voice: Mapping[str, Any], text: str) -> str:
    """Return what is heard: who speaks, and the text."""
    return f"elevenlabs/{voice['name'].partition(' - ')[0]}: {text}"


def sound(words: str, packing: SoundFormat, voice: str, *, goes_on: bool = False) -> bytes:
    """
    Return *words* as sound.

    Args:
        words: What is said.
        packing: How it is packed.
        voice: Id of the voice, for its pitch.
        goes_on: Whether it follows other sound, and has no head of its own.
    """
    pitch, rate = zlib.crc32(voice.encode()), packing.rate or 44100
    match packing.codec:
        case "pcm":
            return pcm(words, rate, pitch=pitch)
        case "wav":
            return wav(words, rate, pitch=pitch)
        case "opus":
            return opus(words)
        case "mp3":
            return (mp3_frames if goes_on else mp3)(words, rate, packing.kbps or 128)
    silence = b"\xff" if packing.codec == "ulaw" else b"\xd5"
    return silence * int(len(words) * CHARACTER_SECONDS * rate)


def pieces(data: bytes) -> Iterator[bytes]:
    """Cut sound into what goes out at once."""
    return (data[start : start + PIECE] for start in range(0, len(data), PIECE))
