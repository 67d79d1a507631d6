"""Audio: `client.audio`."""

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
from ..media import Audio
from ..modalities import AUDIO, Modality
from ..modalities.audio import (
    AudioOption,
    AudioProvider,
    AudioRequest,
    AudioResult,
    EnhancementRequest,
)
from ..modalities.sounds import SoundFormat, SoundFormatLike
from ..policies import Policy
from ..specs import Deadlines
from . import making
from .jobs import Job
from .making import BoundMaker, Maker, OnProgress, finished, progress_of

if TYPE_CHECKING:
    from ..doors import Door
    from ..loops import KeptLoop
    from ..resolution import Row
    from ..sync.audio import SyncAudioFacade

__all__ = ["AskedAudio", "AskedEnhancement", "AudioFacade"]


@attrs.frozen(kw_only=True)
class AskedAudio:
    """
    What a caller asks for, as it was given.

    The attributes are the arguments of `AudioFacade.generate`.
    """

    prompt: str
    model: ModelChoice = None
    seconds: float | None = None
    format: SoundFormatLike | None = None
    loop: bool | None = None
    instrumental: bool | None = None
    seed: int | None = None
    key: str | None = None
    into: Path | None = None
    progress: OnProgress | None = None
    options: Sequence[AudioOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> AudioRequest:
        """
        Return the request for the candidate *row*.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
        """
        return AudioRequest(
            model=row.model,
            prompt=self.prompt,
            seconds=self.seconds,
            format=None if self.format is None else SoundFormat.parse(self.format),
            loop=self.loop,
            instrumental=self.instrumental,
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
class AskedEnhancement:
    """
    What a caller asks to have done to sound, as it was given.

    The attributes are the arguments of `AudioFacade.enhance`.
    """

    audio: Audio
    loudness: float | None = None
    denoise: bool = False
    trim: tuple[float, float | None] | None = None
    trim_silence: bool = False
    format: SoundFormatLike | None = None
    model: ModelChoice = None
    key: str | None = None
    into: Path | None = None
    progress: OnProgress | None = None
    options: Sequence[AudioOption] = ()
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> EnhancementRequest:
        """
        Return the request for the candidate *row*.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
        """
        if self.trim is not None and not (isinstance(self.trim, tuple) and len(self.trim) == 2):
            msg = "trim: a pair of seconds is needed, the second of which may be None."
            raise e.InvalidRequestError(msg, field="trim")
        start, end = self.trim or (0.0, None)
        return EnhancementRequest(
            model=row.model,
            audio=self.audio,
            loudness=self.loudness,
            denoise=self.denoise,
            start=start,
            end=end,
            trim_silence=self.trim_silence,
            format=None if self.format is None else SoundFormat.parse(self.format),
            options=tuple(self.options),
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
            **progress_of(self),
        )


class AudioFacade(Facade[BoundMaker]):
    """Music and effects from words, and sound made better."""

    modality: ClassVar[Modality[Any]] = AUDIO

    async def generate(
        self,
        prompt: str,
        *,
        model: ModelChoice = None,
        seconds: float | None = None,
        format: SoundFormatLike | None = None,  # noqa: A002  # the word for it
        loop: bool | None = None,
        instrumental: bool | None = None,
        seed: int | None = None,
        key: str | None = None,
        into: str | PathLike[str] | None = None,
        progress: OnProgress | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[AudioOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> AudioResult:
        """
        Make sound, and wait for it.

        Where the vendor makes it as a job, the job goes on though this is cancelled or
        late: `client.jobs` leads back to it.

        Args:
            prompt: What is to be heard.
            model: A name, several in order of preference, or None for the
                default of the settings.
            seconds: How long it is to be.
            format: `mp3`, `wav`, `mp3_44100_128` and so on. What the provider cannot pack
                is a warning.
            loop: Whether its end has to lead into its beginning.
            instrumental: Whether nobody is to sing.
            seed: For sound that repeats, as far as the vendor can.
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
            The sound, with `audio` and `record`.

        Raises:
            RequestError: Nothing was sent.
            KeyReusedError: *key* was used for something else.
            ContentFilteredError: The vendor's filter refused the prompt or the sound.
            JobFailedError: The vendor could not make it.
            OutcomeUnknownError: It may be in the making, and paid for.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        call = self.call("generate", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedAudio(
            prompt=prompt, model=model, seconds=seconds, format=format, loop=loop,
            instrumental=instrumental, seed=seed, key=key, into=making.wanted(into),
            progress=progress, options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(self._maker.generated)

    async def submit(
        self,
        prompt: str,
        *,
        model: ModelChoice = None,
        seconds: float | None = None,
        format: SoundFormatLike | None = None,  # noqa: A002  # the word for it
        loop: bool | None = None,
        instrumental: bool | None = None,
        seed: int | None = None,
        key: str | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[AudioOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> Job[AudioResult]:
        """
        Have sound made, and do not wait; the arguments are those of `generate`.

        *timeout* bounds each request of the job; `Job.result` bounds the wait.

        Returns:
            The job: `progress()`, `await result(into="waves.mp3")`, `cancel()`, `token`.

        Raises:
            UnsupportedFeatureError: The provider makes sound at once: `generate` does.
        """
        call = self.call("generate", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedAudio(
            prompt=prompt, model=model, seconds=seconds, format=format, loop=loop,
            instrumental=instrumental, seed=seed, key=key, options=options, end_user=end_user,
            strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(self._maker.submitted)

    async def enhance(
        self,
        audio: Audio,
        *,
        loudness: float | None = None,
        denoise: bool = False,
        trim: tuple[float, float | None] | None = None,
        trim_silence: bool = False,
        format: SoundFormatLike | None = None,  # noqa: A002  # the word for it
        model: ModelChoice = None,
        into: str | PathLike[str] | None = None,
        progress: OnProgress | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[AudioOption] = (),
        tags: Mapping[str, str] | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> AudioResult:
        """
        Make sound better.

        Args:
            audio: The sound.
            loudness: How loud it is to be as a whole, in LUFS: -16 is usual for speech
                that is listened to on the way, -23 in broadcasting.
            denoise: Whether noise is to be taken out.
            trim: The seconds from which to which it is kept; (2, None) is all but the
                first two.
            trim_silence: Whether silence is cut off both ends.
            format: How it is to be packed; as it was where not said, as far as that goes.
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
            UnsupportedFeatureError: The provider makes no sound better; nothing was sent.
        """
        call = self.call("enhance", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedEnhancement(
            audio=audio, loudness=loudness, denoise=denoise, trim=trim,
            trim_silence=trim_silence, format=format, model=model, into=making.wanted(into),
            progress=progress, options=options, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(_enhance)

    def resume(self, token: str) -> Job[AudioResult]:
        """
        Return the job that *token* leads to. Nothing is sent.

        Raises:
            InvalidRequestError: It is no token of a job of audio.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        return self._maker.resumed(token)

    def sync_face(self, loop: KeptLoop) -> SyncAudioFacade:
        """Return the same without `await`."""
        from ..sync.audio import SyncAudioFacade  # noqa: PLC0415  # few programs need both

        return SyncAudioFacade(self, loop)

    def bind(self, provider: AudioProvider) -> BoundMaker:
        """Return *provider* with its methods to be awaited."""
        return bind(provider)

    @property
    def _maker(self) -> Maker[AudioResult]:
        return Maker(self._way, "audio", lambda _: ("text_to_audio",), bind)


def bind(provider: AudioProvider) -> BoundMaker:
    """
    Return *provider* with its methods to be awaited.

    Raises:
        BrokenPluginError: It makes nothing, or jobs that cannot be asked for.
    """
    return making.bind(provider, "enhance")


async def _enhance(call: Call) -> AudioResult:
    asked: AskedEnhancement = call.asked
    found = await call.run(
        asked.model,
        partial(asked.request, call),
        _enhanced,
        bind=bind,
        needs_of=lambda _: ("enhancement",),
        is_repeatable=False,
    )
    return await finished(call, found, asked.into)


async def _enhanced(door: Door, request: EnhancementRequest) -> AudioResult:
    enhance = door.bound.enhance
    if enhance is None:
        msg = f"{door.offer.instance} makes no sound better; nothing was sent."
        raise e.UnsupportedFeatureError(msg)
    found: AudioResult = await enhance(request)
    return found
