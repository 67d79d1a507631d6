"""Sound as sessions of OpenAI pack it: bare samples, or G.711 of them."""

from __future__ import annotations

import array
import bisect
import itertools
import sys
from collections.abc import Mapping
from functools import cache
from typing import Final

from anymodal_emulator.sounds import heard, pcm

__all__ = ["FRAME_SECONDS", "Packing"]

FRAME_SECONDS: Final = 0.06
"""One character, as `anymodal_emulator.sounds` says it."""
LOUD: Final = 64


class Packing:
    """A format of a session: `audio/pcm` of 24 kHz, or `audio/pcmu` or `audio/pcma` of 8."""

    def __init__(self, said: Mapping[str, object]) -> None:
        self.kind = said["type"]
        self.rate = 24_000 if self.kind == "audio/pcm" else 8_000
        self.width = 2 if self.kind == "audio/pcm" else 1
        self.frame = int(self.rate * FRAME_SECONDS) * self.width

    def ms(self, size: int) -> int:
        """Return how long *size* bytes last."""
        return size * 1000 // (self.rate * self.width)

    def said(self, words: str, pitch: int) -> bytes:
        """Return *words* as sound."""
        samples = pcm(words, self.rate, pitch=pitch)
        if self.width == 2:
            return samples
        levels, codes = _levels(str(self.kind))
        return bytes(codes[bisect.bisect_left(levels, one)] for one in _numbers(samples))

    def is_loud(self, frame: bytes) -> bool:
        """Whether somebody speaks in *frame*."""
        if self.width == 2:
            return max(map(abs, _numbers(frame))) > LOUD
        table = _decoded(str(self.kind))
        return max(abs(table[byte]) for byte in frame) > LOUD

    def heard(self, sound: bytes) -> str:
        """Return the words of *sound*; how long it is, where there are none to be read."""
        words = heard(sound, self.rate) if self.width == 2 else ""
        return words if words.isprintable() and words else f"{self.ms(len(sound))} ms of sound"


def _numbers(samples: bytes) -> array.array[int]:
    found = array.array("h", samples)
    if sys.byteorder == "big":
        found.byteswap()
    return found


@cache
def _decoded(kind: str) -> list[int]:
    """Return what each byte means; ITU-T G.711, tables 1 and 2."""
    return [_mu(byte) if kind == "audio/pcmu" else _a(byte) for byte in range(256)]


def _mu(byte: int) -> int:
    byte = ~byte & 0xFF
    size = (((byte & 0x0F) << 3) + 0x84 << (byte >> 4 & 7)) - 0x84
    return -size if byte & 0x80 else size


def _a(byte: int) -> int:
    byte ^= 0x55
    step, part = byte >> 4 & 7, byte & 0x0F
    size = (part << 4) + 8 if not step else (part << 4) + 0x108 << step - 1
    return size if byte & 0x80 else -size


@cache
def _levels(kind: str) -> tuple[list[int], list[int]]:
    """Return levels up to which a sample is each code, and the codes."""
    pairs = sorted((level, byte) for byte, level in enumerate(_decoded(kind)))
    levels = [(one[0] + other[0]) // 2 for one, other in itertools.pairwise(pairs)]
    return levels, [byte for _, byte in pairs]
