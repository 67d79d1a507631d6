"""What only FFmpeg can be asked for."""

from __future__ import annotations

from typing import ClassVar

import attrs
from anymodal.modalities.audio import AudioOption
from anymodal.modalities.video import VideoOption

__all__ = ["FFmpegAudio", "FFmpegVideo"]


@attrs.frozen(kw_only=True)
class FFmpegVideo(VideoOption):
    """
    Options for clips from FFmpeg.

    Filters are FFmpeg's own language, in which files can be read and written: they
    come from whoever is trusted with the machine.

    Source: https://ffmpeg.org/ffmpeg-filters.html, read 2026-11-20.

    Args:
        zoom: How far a picture is slowly zoomed into; 1 leaves it still.
        video_filter: Filters that everything seen goes through in the end, such as
            `hue=s=0,vignette`.
        audio_filter: Filters that everything heard goes through in the end.
        quality: From 0, the best and largest, to 51; FFmpeg calls it CRF.
        preset: How hard it tries to make the file small, from `ultrafast` to `veryslow`.
    """

    provider: ClassVar[str] = "ffmpeg"

    zoom: float = attrs.field(
        default=1.0, validator=(attrs.validators.ge(1), attrs.validators.le(10))
    )
    video_filter: str = ""
    audio_filter: str = ""
    quality: int = attrs.field(
        default=20, validator=(attrs.validators.ge(0), attrs.validators.le(51))
    )
    preset: str = attrs.field(default="veryfast", validator=attrs.validators.matches_re(r"[a-z]+"))


@attrs.frozen(kw_only=True)
class FFmpegAudio(AudioOption):
    """
    Options for sound from FFmpeg; of filters, see `FFmpegVideo`.

    Args:
        noise_reduction: Decibels of noise that are taken out.
        noise_floor: Decibels below which sound is taken for noise.
        silence: Decibels below which trimming takes sound for silence.
        peak: Decibels that the loudest peak stays below, where loudness is asked for.
        audio_filter: Filters that the sound goes through before its loudness is set.
    """

    provider: ClassVar[str] = "ffmpeg"

    noise_reduction: float = attrs.field(
        default=20.0, validator=(attrs.validators.ge(0.01), attrs.validators.le(97))
    )
    noise_floor: float = attrs.field(
        default=-35.0, validator=(attrs.validators.ge(-80), attrs.validators.le(-20))
    )
    silence: float = attrs.field(
        default=-50.0, validator=(attrs.validators.ge(-100), attrs.validators.le(0))
    )
    peak: float = attrs.field(
        default=-1.5, validator=(attrs.validators.ge(-9), attrs.validators.le(0))
    )
    audio_filter: str = ""
