"""
Audio: `client.audio`, without `await`.

Written by tools/make_sync.py, from facades/audio.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike

from ..call import ModelChoice
from ..facades.audio import AudioFacade
from ..facades.making import OnProgress
from ..media import Audio
from ..modalities.audio import AudioOption, AudioResult
from ..modalities.sounds import SoundFormatLike
from ..policies import Policy
from ..specs import Deadlines
from .face import Face
from .jobs import SyncJob

__all__ = ["SyncAudioFacade"]


class SyncAudioFacade(Face[AudioFacade]):
    """Music and effects from words, and sound made better."""

    __slots__ = ()

    def generate(
        self,
        prompt: str,
        *,
        model: ModelChoice = None,
        seconds: float | None = None,
        format: SoundFormatLike | None = None,
        loop: bool | None = None,
        instrumental: bool | None = None,
        seed: int | None = None,
        key: str | None = None,
        into: str | PathLike[str] | None = None,
        progress: OnProgress | None = None,
        timeout: float | Deadlines | None = None,
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
        inner = self._inner.generate(
            prompt, model=model, seconds=seconds, format=format, loop=loop,
            instrumental=instrumental, seed=seed, key=key, into=into, progress=progress,
            timeout=timeout, policy=policy, options=options, tags=tags, end_user=end_user,
            strict=strict, raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)

    def submit(
        self,
        prompt: str,
        *,
        model: ModelChoice = None,
        seconds: float | None = None,
        format: SoundFormatLike | None = None,
        loop: bool | None = None,
        instrumental: bool | None = None,
        seed: int | None = None,
        key: str | None = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[AudioOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> SyncJob[AudioResult]:
        """
        Have sound made, and do not wait; the arguments are those of `generate`.

        *timeout* bounds each request of the job; `SyncJob.result` bounds the wait.

        Returns:
            The job: `progress()`, `result(into="waves.mp3")`, `cancel()`, `token`.

        Raises:
            UnsupportedFeatureError: The provider makes sound at once: `generate` does.
        """
        inner = self._inner.submit(
            prompt, model=model, seconds=seconds, format=format, loop=loop,
            instrumental=instrumental, seed=seed, key=key, timeout=timeout, policy=policy,
            options=options, tags=tags, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return SyncJob(self._loop.run(inner), self._loop)

    def enhance(
        self,
        audio: Audio,
        *,
        loudness: float | None = None,
        denoise: bool = False,
        trim: tuple[float, float | None] | None = None,
        trim_silence: bool = False,
        format: SoundFormatLike | None = None,
        model: ModelChoice = None,
        into: str | PathLike[str] | None = None,
        progress: OnProgress | None = None,
        timeout: float | Deadlines | None = None,
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
        inner = self._inner.enhance(
            audio, loudness=loudness, denoise=denoise, trim=trim, trim_silence=trim_silence,
            format=format, model=model, into=into, progress=progress, timeout=timeout,
            policy=policy, options=options, tags=tags, strict=strict, raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)

    def resume(self, token: str) -> SyncJob[AudioResult]:
        """
        Return the job that *token* leads to. Nothing is sent.

        Raises:
            InvalidRequestError: It is no token of a job of audio.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        return SyncJob(self._inner.resume(token), self._loop)
