"""What is known of sound and clips."""

from __future__ import annotations

import attrs

__all__ = ["Clip", "Sound"]


@attrs.frozen
class Sound:
    """
    What a file says of its sound; None is unknown.

    Attributes:
        seconds: How long it lasts.
        sample_rate_hz: Samples of each channel per second.
        channels: How many.
        codec: Such as `pcm`, `mp3`, `aac`, `flac`, `opus`, `vorbis`.
    """

    seconds: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    codec: str | None = None


@attrs.frozen
class Clip:
    """
    What a file says of its pictures in motion; None is unknown.

    Attributes:
        seconds: How long it lasts.
        dimensions: Width and height in pixels, as it is shown.
        sound: Of its first track with sound.
    """

    seconds: float | None = None
    dimensions: tuple[int, int] | None = None
    sound: Sound = Sound()
