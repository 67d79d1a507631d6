"""Sound as PocketSphinx takes it: bare samples of 16 bits, one channel, 16 kHz."""

from __future__ import annotations

import array
import io
import itertools
import operator
import random
import sys
import wave
from functools import cache
from typing import Final

from anymodal.errors import UnsupportedFeatureError
from anymodal.media import Audio

__all__ = ["RATE", "Noise", "Resampler", "samples_of"]

RATE: Final = 16_000


def samples_of(audio: Audio) -> bytes:
    """
    Return the samples of a file.

    Raises:
        UnsupportedFeatureError: It is no WAV file of 16 bits.
    """
    try:
        with wave.open(io.BytesIO(audio.read_bytes())) as file:
            if file.getsampwidth() == 2:
                resampler = Resampler(file.getframerate(), file.getnchannels())
                return resampler.feed(file.readframes(file.getnframes()))
            what = f"samples of {8 * file.getsampwidth()} bits"
    except (wave.Error, EOFError):
        what = audio.media_type
    msg = f"audio: PocketSphinx reads WAV files with samples of 16 bits, and this has {what}."
    raise UnsupportedFeatureError(msg)


class Resampler:
    """
    Makes one channel of 16 kHz of others, piece by piece, by straight lines between samples.

    Args:
        rate: Samples per second that come.
        channels: How many come; their mean is taken.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._channels = channels
        self._at = 0  # of the next sample, in RATEths of one, from the first that is kept
        self._kept: list[int] = []

    def feed(self, data: bytes) -> bytes:
        """Return what *data* adds."""
        samples = array.array("h", data)
        if sys.byteorder == "big":
            samples.byteswap()
        mono = self._mixed(samples)
        if self._rate == RATE:
            return array.array("h", mono).tobytes()
        mono = self._kept + mono
        found, at, end = array.array("h"), self._at, (len(mono) - 1) * RATE
        while at < end:
            place, share = divmod(at, RATE)
            left = mono[place]
            found.append(left + (mono[place + 1] - left) * share // RATE)
            at += self._rate
        gone = min(at // RATE, max(len(mono) - 1, 0))
        self._kept, self._at = mono[gone:], at - gone * RATE
        return found.tobytes()

    def _mixed(self, samples: array.array[int]) -> list[int]:
        many = self._channels
        if many == 1:
            return samples.tolist()
        return [sum(samples[at : at + many]) // many for at in range(0, len(samples), many)]


class Noise:
    """
    Makes the lowest bit of samples noise, the same of the same sound, wherever that is cut.

    The pauses of synthetic speech, and of a microphone behind a gate, are zeros, whose
    logarithm is the bottom of the scale; the mean that is taken from each sentence's
    spectrum is then off by far. Of a hundred words of eSpeak NG's, heard with a grammar, ten
    were wrong without noise, and two are with it (2026-11-20). PocketSphinx makes some itself
    when it is told to, by one generator for the whole process: what is heard at the same
    time by others then changes what is heard.
    """

    def __init__(self) -> None:
        self._at = 0

    def feed(self, samples: bytes) -> bytes:
        """Return *samples*, which follow those before, with noise."""
        found, noise = array.array("h", samples), _noise()
        turned = noise[self._at :] + noise[: self._at]
        self._at = (self._at + len(found)) % len(noise)
        return array.array("h", map(operator.or_, found, itertools.cycle(turned))).tobytes()


@cache
def _noise() -> tuple[int, ...]:
    """Return bits, a quarter of them 1."""
    dice = random.Random(1)  # noqa: S311  # nothing secret
    return tuple(int(not dice.getrandbits(2)) for _ in range(RATE))
