"""
Video: `client.video`, without `await`.

Written by tools/make_sync.py, from facades/video.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike

from ..call import ModelChoice
from ..facades.making import OnProgress
from ..facades.video import VideoFacade
from ..media import Audio, Image, Video
from ..modalities.sizes import SizeLike
from ..modalities.video import Clip, Layout, Overlay, Track, VideoOption, VideoResult
from ..policies import Policy
from ..specs import Deadlines
from .face import Face
from .jobs import SyncJob

__all__ = ["SyncVideoFacade"]


class SyncVideoFacade(Face[VideoFacade]):
    """Clips from words and pictures, and from other clips."""

    __slots__ = ()

    def generate(
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
        timeout: float | Deadlines | None = None,
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
        inner = self._inner.generate(
            prompt, image=image, last_image=last_image, model=model, seconds=seconds, size=size,
            sound=sound, negative_prompt=negative_prompt, seed=seed, key=key, into=into,
            progress=progress, timeout=timeout, policy=policy, options=options, tags=tags,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)

    def submit(
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
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[VideoOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> SyncJob[VideoResult]:
        """
        Have a clip made, and do not wait; the arguments are those of `generate`.

        *timeout* bounds each request of the job; `SyncJob.result` bounds the wait.

        Returns:
            The job: `progress()`, `result(into="clip.mp4")`, `cancel()`, `token`.

        Raises:
            UnsupportedFeatureError: The provider makes clips at once: `generate` does.
        """
        inner = self._inner.submit(
            prompt, image=image, last_image=last_image, model=model, seconds=seconds, size=size,
            sound=sound, negative_prompt=negative_prompt, seed=seed, key=key, timeout=timeout,
            policy=policy, options=options, tags=tags, end_user=end_user, strict=strict,
            raw=raw,
        )  # fmt: skip
        return SyncJob(self._loop.run(inner), self._loop)

    def compose(
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
        timeout: float | Deadlines | None = None,
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
        inner = self._inner.compose(
            clips, tracks=tracks, overlays=overlays, layout=layout, size=size, fps=fps,
            model=model, into=into, progress=progress, timeout=timeout, policy=policy,
            options=options, tags=tags, strict=strict, raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)

    def resume(self, token: str) -> SyncJob[VideoResult]:
        """
        Return the job that *token* leads to. Nothing is sent.

        Raises:
            InvalidRequestError: It is no token of a job of video.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        return SyncJob(self._inner.resume(token), self._loop)
