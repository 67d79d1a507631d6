"""How sound is packed that goes over a live connection."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

import attrs

from ..errors import InvalidRequestError

__all__ = ["ENCODINGS", "AudioFormat", "AudioFormatLike"]

ENCODINGS: Final = {
    "pcm_s16le": 2,
    "pcm_f32le": 4,
    "mulaw": 1,
    "alaw": 1,
    "opus": 0,
    "flac": 0,
}
"""Bytes of one sample of one channel; 0 of what is compressed."""

_SOUNDS: Final = {"pcm_s16le": "pcm", "mulaw": "ulaw", "alaw": "alaw"}

SLOWEST: Final = 4_000
FASTEST: Final = 192_000
MOST_CHANNELS: Final = 64


@attrs.frozen
class AudioFormat:
    """
    How sound is packed that goes over a connection in pieces, without any header.

    Args:
        encoding: `pcm_s16le`, `pcm_f32le`, `mulaw`, `alaw`, `opus` or `flac`.
        rate: Samples per second, of one channel.
        channels: How many there are, a sample of each in turn.

    Raises:
        InvalidRequestError: There is no such encoding, or one of the numbers is none.
    """

    encoding: str = "pcm_s16le"
    rate: int = attrs.field(default=16_000, kw_only=True)
    channels: int = attrs.field(default=1, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            msg = f"format: {self.encoding!r} is none of {', '.join(ENCODINGS)}."
            raise InvalidRequestError(msg, field="format")
        for name, least, most in (("rate", SLOWEST, FASTEST), ("channels", 1, MOST_CHANNELS)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                msg = f"format: {name} is a whole number from {least} to {most}, not {value!r}."
                raise InvalidRequestError(msg, field="format")

    @classmethod
    def parse(cls, said: AudioFormatLike) -> AudioFormat:
        """
        Return what *said* means: `pcm_s16le`, or `pcm_s16le_24000` with its rate.

        Raises:
            InvalidRequestError: It is no such name.
        """
        if isinstance(said, AudioFormat):
            return said
        found = re.fullmatch(r"([a-z0-9_]+?)(?:_(\d{4,6}))?", said) if said else None
        if found is None:
            msg = f"format: {said!r} is no name such as pcm_s16le_16000."
            raise InvalidRequestError(msg, field="format")
        return cls(found[1], rate=int(found[2] or cls().rate))

    def __str__(self) -> str:
        many = "" if self.channels == 1 else f", {self.channels} channels"
        return f"{self.encoding} at {self.rate} Hz{many}"

    @property
    def sound_name(self) -> str:
        """What speech calls it, such as `pcm_24000`; where that has no word for it, what it is."""
        codec = _SOUNDS.get(self.encoding)
        return str(self) if codec is None or self.channels > 1 else f"{codec}_{self.rate}"

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel; 0 of what is compressed."""
        return ENCODINGS[self.encoding] * self.channels

    def seconds(self, size: int) -> float | None:
        """Return how long *size* bytes last; None of what is compressed."""
        frame = self.frame_bytes
        return size / frame / self.rate if frame else None


AudioFormatLike: TypeAlias = "str | AudioFormat"
"""`pcm_s16le_16000`, or an `AudioFormat`."""
