"""FFmpeg for anymodal: clips of pictures and of clips, and better sound, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection
    from anymodal.modalities.audio_spec import AudioProviderSpec
    from anymodal.modalities.video_spec import VideoProviderSpec

    from .audio import FFmpegSound
    from .options import FFmpegAudio, FFmpegVideo
    from .video import FFmpegClips

__all__ = ["FFmpegAudio", "FFmpegVideo", "connect_audio", "connect_video"]

DOCS = "https://ffmpeg.org/documentation.html"


@hookimpl
def anymodal_video_providers() -> Iterator[VideoProviderSpec]:
    """Offer clips made of pictures and of clips."""
    from anymodal import Capabilities  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.video_spec import VideoProviderSpec  # noqa: PLC0415  # as above

    from .facts import BOUNDS, MODEL  # noqa: PLC0415  # as above

    yield VideoProviderSpec(
        id="ffmpeg",
        display_name="FFmpeg",
        kind="local",
        docs=DOCS,
        connect=connect_video,
        deadlines=BOUNDS,
        capabilities=Capabilities(
            yes={"composition", "image_to_video", "progress"}, no={"text_to_video", "cancel"}
        ),
        models=[MODEL],
        default_model=MODEL.id,
        settings={"binary"},
        options="anymodal_ffmpeg.options:FFmpegVideo",
    )


@hookimpl
def anymodal_audio_providers() -> Iterator[AudioProviderSpec]:
    """Offer sound made better."""
    from anymodal import Capabilities  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.audio_spec import AudioProviderSpec  # noqa: PLC0415  # as above

    from .facts import BOUNDS, MODEL  # noqa: PLC0415  # as above

    yield AudioProviderSpec(
        id="ffmpeg",
        display_name="FFmpeg",
        kind="local",
        docs=DOCS,
        connect=connect_audio,
        deadlines=BOUNDS,
        capabilities=Capabilities(yes={"enhancement", "progress"}, no={"text_to_audio", "cancel"}),
        models=[MODEL],
        default_model=MODEL.id,
        settings={"binary"},
        options="anymodal_ffmpeg.options:FFmpegAudio",
    )


def connect_video(connection: Connection) -> FFmpegClips:
    """Return the provider of clips for an instance."""
    from .binary import binary_of  # noqa: PLC0415  # listing needs none of it
    from .video import FFmpegClips  # noqa: PLC0415  # as above

    return FFmpegClips(binary_of(connection))


def connect_audio(connection: Connection) -> FFmpegSound:
    """Return the provider of sound for an instance."""
    from .audio import FFmpegSound  # noqa: PLC0415  # listing needs none of it
    from .binary import binary_of  # noqa: PLC0415  # as above

    return FFmpegSound(binary_of(connection))


def __getattr__(name: str) -> object:
    if name not in {"FFmpegAudio", "FFmpegVideo"}:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(".options", __name__), name)
    globals()[name] = found
    return found
