"""Live sound from one packing into another, where nothing of it is lost."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Final

from .packing import ENCODINGS, AudioFormat

__all__ = ["Repacking", "is_lossless", "source_for", "target_of"]

_EXACT: Final = {
    ("mulaw", "pcm_s16le"),
    ("alaw", "pcm_s16le"),
    ("mulaw", "pcm_f32le"),
    ("alaw", "pcm_f32le"),
    ("pcm_s16le", "pcm_f32le"),
}
"""Each sample of the one has a sample of the other. Rates and channels stay."""


def is_lossless(given: AudioFormat, wanted: AudioFormat) -> bool:
    """Whether *wanted* can be made of *given*, with nothing lost or guessed."""
    if given == wanted:
        return True
    is_alike = (given.rate, given.channels) == (wanted.rate, wanted.channels)
    return is_alike and (given.encoding, wanted.encoding) in _EXACT


def target_of(given: AudioFormat, taken: Iterable[AudioFormat]) -> AudioFormat | None:
    """Return which of *taken* can be made of *given*; itself where it is among them."""
    every = tuple(taken)
    if given in every:
        return given
    return next((one for one in every if is_lossless(given, one)), None)


def source_for(wanted: AudioFormat, given: Iterable[AudioFormat]) -> AudioFormat | None:
    """Return of which of *given* the *wanted* one can be made; itself where it is among them."""
    every = tuple(given)
    if wanted in every:
        return wanted
    return next((one for one in every if is_lossless(one, wanted)), None)


class Repacking:
    """
    Makes sound that is packed as *wanted* of sound that is packed as *given*.

    Args:
        given: How it comes.
        wanted: How it is to be; `is_lossless` says whether it can be.
    """

    def __init__(self, given: AudioFormat, wanted: AudioFormat) -> None:
        self._size = ENCODINGS[given.encoding]
        self._turned = None if given == wanted else _turning(given.encoding, wanted.encoding)
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Return *data* as it is wanted; a sample that is not whole waits for its rest."""
        if self._turned is None:
            return data
        data = self._rest + data
        whole = len(data) - len(data) % self._size
        self._rest = data[whole:]
        return self._turned(data[:whole])


def _turning(given: str, wanted: str) -> Callable[[bytes], bytes]:
    if given == "pcm_s16le":
        return _floats
    samples = partial(_samples, _table(given))
    return samples if wanted == "pcm_s16le" else lambda data: _floats(samples(data))


def _samples(table: tuple[bytes, ...], data: bytes) -> bytes:
    return b"".join(map(table.__getitem__, data))


def _floats(data: bytes) -> bytes:
    count = len(data) // 2
    return struct.pack(f"<{count}f", *(one / 32768 for one in struct.unpack(f"<{count}h", data)))


@cache
def _table(encoding: str) -> tuple[bytes, ...]:
    """Return the sample of each byte: ITU-T G.711, tables 1 and 2 (read 2026-11-20)."""
    of = _mulaw if encoding == "mulaw" else _alaw
    return tuple(struct.pack("<h", of(byte)) for byte in range(256))


def _mulaw(byte: int) -> int:
    byte = ~byte & 0xFF
    size = (((byte & 0x0F) << 3) + 0x84 << (byte >> 4 & 7)) - 0x84
    return -size if byte & 0x80 else size


def _alaw(byte: int) -> int:
    byte ^= 0x55
    step, size = byte >> 4 & 7, ((byte & 0x0F) << 4) + 8
    if step:
        size = size + 0x100 << step - 1
    return size if byte & 0x80 else -size
