"""Sound that suites send, how much two texts are alike, and what a call that was left leaves."""

from __future__ import annotations

import io
import string
import wave
from collections.abc import Awaitable, Callable, Sequence
from difflib import SequenceMatcher
from importlib.resources import files
from typing import Final

import attrs

from ..media import Audio
from .emulators import absent
from .leftovers import connections, eventually, tasks
from .stage import Stage

__all__ = [
    "PIECE",
    "RECORDED",
    "Samples",
    "alike",
    "left_behind",
    "plain",
    "said",
    "samples_of",
    "spoken",
]

PIECE: Final = 3200
"""Bytes of sound that are sent at once: a tenth of a second, of 16 kHz."""

RECORDED: Final = "Please turn on the light."
"""What a person says in the recording for those who work for real."""


@attrs.frozen
class Samples:
    """
    Bare samples of 16 bits, one channel.

    Attributes:
        data: The samples.
        rate: How many there are in a second.
    """

    data: bytes = attrs.field(repr=lambda data: f"{len(data)} bytes")
    rate: int

    @property
    def seconds(self) -> float:
        """How long they last."""
        return len(self.data) / 2 / self.rate

    def wav(self) -> Audio:
        """Return them as a file."""
        kept = io.BytesIO()
        with wave.open(kept, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(self.data)
        return Audio(kept.getvalue())

    def pieces(self, size: int = PIECE) -> Sequence[bytes]:
        """Return them cut into pieces."""
        return [self.data[at : at + size] for at in range(0, len(self.data), size)]


def said(words: str, rate: int = 16_000) -> Samples:
    """
    Return sound that vendors on loopback understand: it spells *words*.

    Raises:
        ConfigurationError: `anymodal-emulator` is not installed.
    """
    try:
        from anymodal_emulator.sounds import pcm  # noqa: PLC0415  # may not be installed
    except ImportError as error:
        raise absent() from error
    return Samples(pcm(words, rate), rate)


def spoken(share: float = 1.0) -> Samples:
    """
    Return a recording of somebody who says `RECORDED`, or the first *share* of it.

    Raises:
        ConfigurationError: `anymodal-emulator` is not installed.
    """
    try:
        found = files("anymodal_emulator").joinpath("light.wav").read_bytes()
    except ImportError as error:
        raise absent() from error
    whole = samples_of(Audio(found))
    return Samples(whole.data[: int(len(whole.data) * share) // 2 * 2], whole.rate)


def samples_of(audio: Audio) -> Samples:
    """Return the samples of a WAV file of 16 bits."""
    with wave.open(io.BytesIO(audio.read_bytes())) as file:
        assert file.getsampwidth() == 2, f"it has {8 * file.getsampwidth()} bits, not 16"
        return Samples(file.readframes(file.getnframes()), file.getframerate())


def plain(text: str) -> list[str]:
    """Return the words of *text*, small and without marks."""
    return [word for one in text.casefold().split() if (word := one.strip(string.punctuation))]


def alike(one: str, other: str) -> float:
    """Return how much of two texts' words is the same, from 0 to 1."""
    return SequenceMatcher(None, plain(one), plain(other), autojunk=False).ratio()


async def left_behind(stage: Stage, leave: Callable[[], Awaitable[None]]) -> list[str]:
    """Return what is still there of a call once *leave* has left it in its midst."""
    assert await eventually(lambda: not connections(stage.vendor)), "connections of before"
    living = tasks()
    await leave()
    found = []
    if not await eventually(lambda: not connections(stage.vendor), 2.0):
        found.append(f"{connections(stage.vendor)} connection(s)")
    if not await eventually(lambda: tasks() <= living, 2.0):
        found.append(f"{tasks() - living} task(s)")
    return found
