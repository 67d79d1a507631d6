"""Video: clips from words and pictures, and from other clips."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Protocol, TypeAlias

import attrs

from ..errors import InvalidRequestError
from ..media import Audio, Image, Video
from .making import (
    MadeResult,
    MakesAtOnce,
    MakesJobs,
    MakingRequest,
    check_seconds,
    check_words,
    is_number,
)
from .requests import VendorOption
from .sizes import Size
from .video_spec import VideoProviderSpec

__all__ = [
    "Clip",
    "ComposesVideos",
    "CompositionRequest",
    "Layout",
    "Overlay",
    "Track",
    "VideoOption",
    "VideoProvider",
    "VideoProviderSpec",
    "VideoRequest",
    "VideoResult",
]

Layout = Literal["sequence", "grid"]
"""One clip after the other, or all at once beside each other."""

MOST_PARTS: Final = 100
"""Clips, tracks or overlays in one composition."""

FASTEST: Final = 240.0
"""Pictures in a second."""


class VideoOption(VendorOption):
    """Base of a plugin's own frozen options for clips; other providers ignore them."""


# -- what is asked for --------------------------------------------------------------


@attrs.frozen(kw_only=True)
class VideoRequest(MakingRequest):
    """
    What a provider of clips is asked for; see `MakingRequest` for the rest.

    Attributes:
        prompt: What is to be seen; may be empty where there is a picture.
        image: The picture that it begins with.
        last_image: The picture that it ends with.
        seconds: How long it is to be.
        size: How large.
        sound: Whether it is to have sound.
        negative_prompt: What is not to be seen.
        seed: For clips that repeat, as far as the vendor can.
    """

    option_class: ClassVar[type[VendorOption]] = VideoOption

    prompt: str = ""
    image: Image | None = None
    last_image: Image | None = None
    seconds: float | None = None
    size: Size | None = None
    sound: bool | None = None
    negative_prompt: str | None = None
    seed: int | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for name in ("image", "last_image"):
            if not isinstance(getattr(self, name), Image | None):
                msg = f"{name}: an Image is needed."
                raise InvalidRequestError(msg, field=name)
        if self.last_image is not None and self.image is None:
            msg = "last_image: an image that it begins with is needed too."
            raise InvalidRequestError(msg, field="last_image")
        if self.image is None or self.prompt != "":
            check_words("prompt", self.prompt)
        check_seconds("seconds", self.seconds)
        if not isinstance(self.seed, int | None) or isinstance(self.seed, bool):
            msg = f"seed: a whole number is needed, not {self.seed!r}."
            raise InvalidRequestError(msg, field="seed")


@attrs.frozen
class Clip:
    """
    A piece of a composition.

    Args:
        media: A clip, or a picture that stands still.
        start: Seconds that are cut off its beginning.
        seconds: How long it is shown: to its end where not said, a picture for 3 seconds.
    """

    media: Video | Image
    start: float = attrs.field(default=0.0, kw_only=True)
    seconds: float | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.media, Video | Image):
            msg = "clips: each is a Video, an Image, or a Clip of one."
            raise InvalidRequestError(msg, field="clips")
        check_seconds("start", self.start, strictly=False)
        check_seconds("seconds", self.seconds)


@attrs.frozen
class Track:
    """
    Sound under a composition, beside that of its clips.

    Args:
        audio: The sound.
        at: The second at which it begins.
        volume: How loud, 1 being as it is.
    """

    audio: Audio
    at: float = attrs.field(default=0.0, kw_only=True)
    volume: float = attrs.field(default=1.0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.audio, Audio):
            msg = "tracks: each is an Audio, or a Track of one."
            raise InvalidRequestError(msg, field="tracks")
        check_seconds("at", self.at, strictly=False)
        _check_share("volume", self.volume, most=10.0)


@attrs.frozen
class Overlay:
    """
    A picture or a clip over a composition.

    Args:
        media: What is laid over.
        at: The second at which it appears.
        seconds: How long it stays: to the end where not said.
        x: Where its left edge is, as a share of the frame's width.
        y: Where its upper edge is, as a share of the frame's height.
        width: How wide it is, as a share of the frame's width.
        opacity: From 0, unseen, to 1.
    """

    media: Image | Video
    at: float = attrs.field(default=0.0, kw_only=True)
    seconds: float | None = attrs.field(default=None, kw_only=True)
    x: float = attrs.field(default=0.0, kw_only=True)
    y: float = attrs.field(default=0.0, kw_only=True)
    width: float = attrs.field(default=1.0, kw_only=True)
    opacity: float = attrs.field(default=1.0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.media, Video | Image):
            msg = "overlays: each is an Image, a Video, or an Overlay of one."
            raise InvalidRequestError(msg, field="overlays")
        check_seconds("at", self.at, strictly=False)
        check_seconds("seconds", self.seconds)
        for name in ("x", "y", "width", "opacity"):
            _check_share(name, getattr(self, name))
        if not self.width:
            msg = "width: a share above 0 is needed."
            raise InvalidRequestError(msg, field="width")


def _check_share(name: str, value: object, most: float = 1.0) -> None:
    if not (is_number(value) and 0 <= value <= most):
        msg = f"{name}: a number from 0 to {most:g} is needed, not {value!r}."
        raise InvalidRequestError(msg, field=name)


@attrs.frozen(kw_only=True)
class CompositionRequest(MakingRequest):
    """
    What a provider is asked to compose; see `MakingRequest` for the rest.

    Attributes:
        clips: In the order in which they are shown; at least one.
        tracks: Sound under them.
        overlays: What is laid over them, the last on top.
        layout: One after the other, or beside each other.
        size: How large; that of the first clip where not said.
        fps: Pictures in a second.
    """

    option_class: ClassVar[type[VendorOption]] = VideoOption

    clips: tuple[Clip, ...]
    tracks: tuple[Track, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    layout: Layout = "sequence"
    size: Size | None = None
    fps: float | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.clips:
            msg = "clips: at least one is needed."
            raise InvalidRequestError(msg, field="clips")
        for name in ("clips", "tracks", "overlays"):
            if len(getattr(self, name)) > MOST_PARTS:
                msg = f"{name}: there are more than {MOST_PARTS}."
                raise InvalidRequestError(msg, field=name)
        if self.layout not in {"sequence", "grid"}:
            msg = f"layout: {self.layout!r} is neither sequence nor grid."
            raise InvalidRequestError(msg, field="layout")
        if self.fps is not None:
            _check_share("fps", self.fps, most=FASTEST)
            if not self.fps:
                msg = "fps: a number above 0 is needed."
                raise InvalidRequestError(msg, field="fps")


# -- what comes back ----------------------------------------------------------------


@attrs.frozen(kw_only=True)
class VideoResult(MadeResult):
    """
    A clip; see `MadeResult` for the rest.

    Attributes:
        video: The clip: its bytes, or the file in which it lies.
    """

    medium: ClassVar[str] = "video"

    video: Video


# -- what an author writes ----------------------------------------------------------


class ComposesVideos(Protocol):
    """What a provider has that makes clips of clips, beside or without the rest."""

    async def compose(self, request: CompositionRequest, /) -> VideoResult:
        """
        Compose. Whoever cancels this has nothing made, and nothing left behind.

        Raises:
            InvalidRequestError: Something in *request* it never takes.
            VendorError: It failed.
        """


VideoProvider: TypeAlias = (
    MakesJobs[VideoRequest, VideoResult] | MakesAtOnce[VideoRequest, VideoResult] | ComposesVideos
)
