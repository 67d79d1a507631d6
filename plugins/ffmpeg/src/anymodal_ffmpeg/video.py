"""Clips of pictures and of clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
import attrs
from anymodal.errors import InvalidRequestError
from anymodal.media import Video
from anymodal.modalities.video import Clip, CompositionRequest, VideoRequest, VideoResult
from anymodal.usage import Usage

from .graphs import Composed, Laid, Piece, compose, frame_of, number, still
from .options import FFmpegVideo
from .running import Input, Probe, Workshop, workshop

__all__ = ["FFmpegClips"]

FPS: Final = 25.0
STILL_SECONDS: Final = 5.0
PICTURE_SECONDS: Final = 3.0
LARGEST: Final = 8192

_UNREAD: Final = {
    "prompt": "FFmpeg shows the picture, whatever is said of it",
    "negative_prompt": "FFmpeg shows the picture as it is",
    "seed": "there is nothing to chance",
    "end_user": "nobody is told",
}


@attrs.frozen(eq=False)
class FFmpegClips:
    """
    FFmpeg, making clips.

    Args:
        binary: The program.
    """

    binary: str

    async def generate(self, request: VideoRequest, /) -> VideoResult:
        """
        Show a picture, zooming into it or turning it into another where that is asked.

        Raises:
            InvalidRequestError: There is no picture, or it is a URL.
            BadRequestError: FFmpeg cannot read it.
        """
        image = request.image
        if image is None:
            msg = "image: FFmpeg makes clips of pictures; there is none."
            raise InvalidRequestError(msg, field="image")
        for name, why in _UNREAD.items():
            if getattr(request, name):
                request.warn(name, f"{why}; left out")
        if request.sound:
            request.warn("sound", "FFmpeg has none to add; compose() takes tracks")
        option = request.option(FFmpegVideo) or FFmpegVideo()
        seconds = request.seconds or STILL_SECONDS
        async with workshop(self.binary) as shop:
            inputs = [await shop.take(image, "image")]
            if request.last_image is not None:
                inputs.append(await shop.take(request.last_image, "last_image"))
            frame = _frame(request, inputs[0].probe)
            graph = still(seconds, frame, FPS, option.zoom, has_end=len(inputs) > 1)
            made = await _made(
                shop, inputs, Composed(graph, seconds), option, request.progress, is_heard=False
            )
            return await _result(made, seconds, request.into)

    async def compose(self, request: CompositionRequest, /) -> VideoResult:
        """
        Compose.

        Raises:
            InvalidRequestError: A part is a URL.
            BadRequestError: FFmpeg cannot read a part, or nothing is left of one.
        """
        option = request.option(FFmpegVideo) or FFmpegVideo()
        async with workshop(self.binary) as shop:
            clips = [await self._clip(shop, one) for one in request.clips]
            over = [await shop.take(one.media, "overlays") for one in request.overlays]
            under = [await shop.take(one.audio, "tracks") for one in request.tracks]
            pieces = [
                _piece(place, taken, said)
                for place, (taken, said) in enumerate(zip(clips, request.clips, strict=True))
            ]
            start = len(clips)
            laid = [
                Laid(start + n, taken.is_picture, said)
                for n, (taken, said) in enumerate(zip(over, request.overlays, strict=True))
            ]
            start += len(over)
            composed = compose(
                pieces,
                laid,
                [(start + n, said) for n, said in enumerate(request.tracks)],
                frame=_frame(request, clips[0].probe),
                fps=request.fps or FPS,
                is_grid=request.layout == "grid",
            )
            made = await _made(shop, [*clips, *over, *under], composed, option, request.progress)
            return await _result(made, composed.seconds, request.into)

    async def _clip(self, shop: Workshop, clip: Clip) -> Input:
        """Take a clip from where it starts; what comes before is not decoded."""
        before = ("-ss", number(clip.start)) if clip.start else ()
        if isinstance(clip.media, Video) and clip.seconds is not None:
            before = (*before, "-t", number(clip.seconds))
        return await shop.take(clip.media, "clips", *(before if _moves(clip) else ()))


def _moves(clip: Clip) -> bool:
    return isinstance(clip.media, Video)


def _piece(place: int, taken: Input, said: Clip) -> Piece:
    if taken.is_picture:
        return Piece(place, said.seconds or PICTURE_SECONDS, is_picture=True, is_heard=False)
    if not taken.probe.width:
        msg = f"clips[{place}]: nothing is to be seen in it; sound goes into tracks."
        raise InvalidRequestError(msg, field="clips")
    left = taken.probe.seconds - said.start
    seconds = left if said.seconds is None else min(said.seconds, left)
    if seconds <= 0:
        msg = f"clips[{place}]: it lasts {taken.probe.seconds:g} s, and nothing is left of it."
        raise InvalidRequestError(msg, field="clips")
    return Piece(place, seconds, is_picture=False, is_heard=bool(taken.probe.rate))


def _frame(request: VideoRequest | CompositionRequest, first: Probe) -> tuple[int, int]:
    size = request.size
    frame = frame_of(size, first)
    if max(frame) > LARGEST:
        msg = f"size: {frame[0]}x{frame[1]} is over {LARGEST} pixels."
        raise InvalidRequestError(msg, field="size")
    if size is not None and size.form == "pixels" and frame != (size.width, size.height):
        request.warn("size", f"sides are even numbers: {frame[0]}x{frame[1]} here")
    return frame


async def _made(
    shop: Workshop,
    inputs: Sequence[Input],
    composed: Composed,
    option: FFmpegVideo,
    progress: Callable[[float], None],
    *,
    is_heard: bool = True,
) -> Path:
    """Run the graph, and return the file that it makes."""
    graph, seen, heard = composed.graph, "v", "a"
    if option.video_filter:
        graph, seen = f"{graph};[v]{option.video_filter},format=yuv420p[vf]", "vf"
    if option.audio_filter and is_heard:
        graph, heard = f"{graph};[a]{option.audio_filter}[af]", "af"
    sound = ["-map", f"[{heard}]", "-c:a", "aac", "-b:a", "160k"] if is_heard else ["-an"]
    made = shop.folder / "made.mp4"
    await shop.run(
        [
            *(argument for one in inputs for argument in one.arguments),
            "-filter_complex", graph, "-map", f"[{seen}]", *sound,
            "-c:v", "libx264", "-preset", option.preset, "-crf", str(option.quality),
            "-t", number(composed.seconds), "-map_metadata", "-1", "-movflags", "+faststart",
            "-f", "mp4", f"file:{made}",
        ],
        composed.seconds,
        progress,
    )  # fmt: skip
    return made


async def _result(made: Path, seconds: float, into: Path | None) -> VideoResult:
    found = Video(path=made, media_type="video/mp4")
    if into is None:
        video = Video(await anyio.Path(made).read_bytes(), media_type="video/mp4")
    else:
        await anyio.to_thread.run_sync(found.save, into)
        video = Video(path=into, media_type="video/mp4")
    return VideoResult(video=video, seconds=seconds, usage=Usage(), model="local")
