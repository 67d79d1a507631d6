"""Sound as PocketSphinx takes it: bare samples of 16 bits, one channel, 16 kHz."""

from __future__ import annotations

import array
import io
import sys
import wave
from typing import Final

from anymodal.errors import UnsupportedFeatureError
from anymodal.media import Audio

__all__ = ["RATE", "Resampler", "samples_of"]

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
