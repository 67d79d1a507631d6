"""Video: `client.video`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..facade import Facade
from ..media import Audio, Image, Video
from ..modalities import VIDEO, Modality
from ..modalities.making import MakingRequest
from ..modalities.sizes import Size, SizeLike
from ..modalities.video import (
    Clip,
    CompositionRequest,
    Layout,
    Overlay,
    Track,
    VideoOption,
    VideoProvider,
    VideoRequest,
    VideoResult,
)
from ..policies import Policy
from ..specs import Deadlines
from . import making
from .jobs import Job
from .making import BoundMaker, Maker, OnProgress, finished, progress_of

if TYPE_CHECKING:
    from ..doors import Door
    from ..loops import KeptLoop
    from ..resolution import Row
    from ..sync.video import SyncVideoFacade

__all__ = ["AskedComposition", "AskedVideo", "VideoFacade"]


@attrs.frozen(kw_only=True)
class AskedVideo:
    """
    What a caller asks for, as it was given.

    The attributes are the arguments of `VideoFacade.generate`.
    """

    prompt: str
    image: Image | None = None
    last_image: Image | None = None
    model: ModelChoice = None
    seconds: float | None = None
    size: SizeLike | None = None
    sound: bool | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    key: str | None = None
    into: Path | None = None
    progress: OnProgress | None = None
    options: Sequence[VideoOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> VideoRequest:
        """
        Return the request for the candidate *row*.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
        """
        return VideoRequest(
            model=row.model,
            prompt=self.prompt,
            image=self.image,
            last_image=self.last_image,
            seconds=self.seconds,
            size=None if self.size is None else Size.parse(self.size),
            sound=self.sound,
            negative_prompt=self.negative_prompt,
            seed=self.seed,
            options=tuple(self.options),
            end_user=self.end_user,
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
            **progress_of(self),
        )


@attrs.frozen(kw_only=True)
class AskedComposition:
    """
    What a caller asks to have composed, as it was given.

    The attributes are the arguments of `VideoFacade.compose`.
    """

    clips: Sequence[Clip]
    tracks: Sequence[Track] = ()
    overlays: Sequence[Overlay] = ()
    layout: Layout = "sequence"
    size: SizeLike | None = None
    fps: float | None = None
    model: ModelChoice = None
    key: str | None = None
    into: Path | None = None
    progress: OnProgress | None = None
    options: Sequence[VideoOption] = ()
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> CompositionRequest:
        """
        Return the request for the candidate *row*.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
        """
        return CompositionRequest(
            model=row.model,
            clips=tuple(self.clips),
            tracks=tuple(self.tracks),
            overlays=tuple(self.overlays),
            layout=self.layout,
            size=None if self.size is None else Size.parse(self.size),
            fps=self.fps,
            options=tuple(self.options),
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
            **progress_of(self),
        )


class VideoFacade(Facade[BoundMaker]):
    """Clips from words and pictures, and from other clips."""

    modality: ClassVar[Modality[Any]] = VIDEO

    async def generate(
        self,
        prompt: str,
        *,
        image: Image | None = None,
        last_image: Image | None = None,
        model: ModelChoice = None,
        seconds: float | None = None,
        size: SizeLike | None = None,
        sound: bool | None = None,
        negative_prompt: str | None = None,
        seed: int | None = None,
        key: str | None = None,
        into: str | PathLike[str] | None = None,
        progress: OnProgress | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[VideoOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> VideoResult:
        """
        Make a clip, and wait for it.

        Where the vendor makes it as a job, the job goes on though this is cancelled or
        late: `client.jobs` leads back to it.

        Args:
            prompt: What is to be seen. May be empty where there is an *image*.
            image: The picture that it begins with.
            last_image: The picture that it ends with.
            model: A name, several in order of preference, or None for the
                default of the settings.
            seconds: How long it is to be.
            size: `1280x720`, `16:9` or `720p`. Providers that take another form make
                one of it, with a warning where that is not exact.
            sound: Whether it is to have sound.
            negative_prompt: What is not to be seen.
            seed: For clips that repeat, as far as the vendor can.
            key: The caller's own name for it. With the same key and arguments it is
                made, and paid for, once.
            into: File for it, which is complete or as it was; None to have it in memory.
            progress: Told how it stands, as often as that is known anew.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            The clip, with `video` and `record`.

        Raises:
            RequestError: Nothing was sent.
            KeyReusedError: *key* was used for something else.
            ContentFilteredError: The vendor's filter refused the prompt or the clip.
            JobFailedError: The vendor could not make it.
            OutcomeUnknownError: It may be in the making, and paid for.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        call = self.call("generate", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedVideo(
            prompt=prompt, image=image, last_image=last_image, model=model, seconds=seconds,
            size=size, sound=sound, negative_prompt=negative_prompt, seed=seed, key=key,
            into=making.wanted(into), progress=progress, options=options, end_user=end_user,
            strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(self._maker.generated)

    async def submit(
        self,
        prompt: str,
        *,
        image: Image | None = None,
        last_image: Image | None = None,
        model: ModelChoice = None,
        seconds: float | None = None,
        size: SizeLike | None = None,
        sound: bool | None = None,
        negative_prompt: str | None = None,
        seed: int | None = None,
        key: str | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[VideoOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> Job[VideoResult]:
        """
        Have a clip made, and do not wait; the arguments are those of `generate`.

        *timeout* bounds each request of the job; `Job.result` bounds the wait.

        Returns:
            The job: `progress()`, `await result(into="clip.mp4")`, `cancel()`, `token`.

        Raises:
            UnsupportedFeatureError: The provider makes clips at once: `generate` does.
        """
        call = self.call("generate", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedVideo(
            prompt=prompt, image=image, last_image=last_image, model=model, seconds=seconds,
            size=size, sound=sound, negative_prompt=negative_prompt, seed=seed, key=key,
            options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(self._maker.submitted)

    async def compose(
        self,
        clips: Sequence[Clip | Video | Image],
        *,
        tracks: Sequence[Track | Audio] = (),
        overlays: Sequence[Overlay | Image | Video] = (),
        layout: Layout = "sequence",
        size: SizeLike | None = None,
        fps: float | None = None,
        model: ModelChoice = None,
        into: str | PathLike[str] | None = None,
        progress: OnProgress | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[VideoOption] = (),
        tags: Mapping[str, str] | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> VideoResult:
        """
        Make one clip of several.

        Args:
            clips: Clips and pictures in the order in which they are shown; a `Clip` is
                a part of one.
            tracks: Sound under them; a `Track` says when and how loud.
            overlays: What is laid over them; an `Overlay` says where and when.
            layout: `sequence`, one after the other, or `grid`, beside each other.
            size: As for `generate`; that of the first clip where not said.
            fps: Pictures in a second.
            model: As for `generate`.
            into: File for it, which is complete or as it was; None to have it in memory.
            progress: Told how it stands, as often as that is known anew.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Raises:
            UnsupportedFeatureError: The provider does not compose; nothing was sent.
        """
        call = self.call("compose", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedComposition(
            clips=[one if isinstance(one, Clip) else Clip(one) for one in clips],
            tracks=[one if isinstance(one, Track) else Track(one) for one in tracks],
            overlays=[one if isinstance(one, Overlay) else Overlay(one) for one in overlays],
            layout=layout, size=size, fps=fps, model=model, into=making.wanted(into),
            progress=progress, options=options, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(_compose)

    def resume(self, token: str) -> Job[VideoResult]:
        """
        Return the job that *token* leads to. Nothing is sent.

        Raises:
            InvalidRequestError: It is no token of a job of video.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        return self._maker.resumed(token)

    def sync_face(self, loop: KeptLoop) -> SyncVideoFacade:
        """Return the same without `await`."""
        from ..sync.video import SyncVideoFacade  # noqa: PLC0415  # few programs need both

        return SyncVideoFacade(self, loop)

    def bind(self, provider: VideoProvider) -> BoundMaker:
        """Return *provider* with its methods to be awaited."""
        return bind(provider)

    @property
    def _maker(self) -> Maker[VideoResult]:
        return Maker(self._way, "video", _needs_of, bind)


def bind(provider: VideoProvider) -> BoundMaker:
    """
    Return *provider* with its methods to be awaited.

    Raises:
        BrokenPluginError: It makes nothing, or jobs that cannot be asked for.
    """
    return making.bind(provider, "compose")


async def _compose(call: Call) -> VideoResult:
    asked: AskedComposition = call.asked
    found = await call.run(
        asked.model,
        partial(asked.request, call),
        _composed,
        bind=bind,
        needs_of=lambda _: ("composition",),
        is_repeatable=False,
    )
    return await finished(call, found, asked.into)


async def _composed(door: Door, request: CompositionRequest) -> VideoResult:
    compose = door.bound.compose
    if compose is None:
        msg = f"{door.offer.instance} composes no clips; nothing was sent."
        raise e.UnsupportedFeatureError(msg)
    found: VideoResult = await compose(request)
    return found


def _needs_of(request: MakingRequest) -> list[str]:
    is_from_picture = isinstance(request, VideoRequest) and request.image is not None
    return ["image_to_video" if is_from_picture else "text_to_video"]
