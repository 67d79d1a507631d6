"""
Speech: `client.speech`, without `await`.

Written by tools/make_sync.py, from facades/speech.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence

from ..call import ModelChoice
from ..facades.asking_speech import VoiceChoice
from ..facades.speech import SpeechFacade
from ..media import Audio
from ..modalities.sounds import SoundFormatLike
from ..modalities.speech import ClonedVoice, SpeechOption, SpeechResult, VoiceSpec
from ..policies import Policy
from ..specs import Deadlines
from .face import Face
from .speech_stream import SyncSpeechStream

__all__ = ["SyncSpeechFacade"]


class SyncSpeechFacade(Face[SpeechFacade]):
    """Text in, a voice out."""

    __slots__ = ()

    def synthesize(
        self,
        text: str,
        *,
        voice: VoiceChoice = None,
        model: ModelChoice = None,
        format: SoundFormatLike | None = None,
        language: str | None = None,
        speed: float | None = None,
        instructions: str | None = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[SpeechOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> SpeechResult:
        """
        Say a text, and return the sound whole.

        Args:
            text: What is to be said.
            voice: A voice: `provider/voice`, or its name alone where one provider has it;
                several in order of preference; or None for the provider's usual one.
            model: A name, several in order of preference, or None for that which
                usually speaks with the voice. Several voices and as many models are
                taken in pairs.
            format: How the sound is packed: `mp3`, `wav`, `opus`, `pcm` and others, alone
                or with a rate, such as `pcm_16000`; None for the provider's usual one.
            language: BCP 47 tag of the text's language, such as `pt-BR`.
            speed: How fast, 1 being as usual.
            instructions: How to say it, in words.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            The sound, with `audio`, `format`, `seconds`, `voice` and `record`.

        Raises:
            RequestError: Nothing was sent.
            UnsupportedFeatureError: The provider does not pack sound so.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        inner = self._inner.synthesize(
            text, voice=voice, model=model, format=format, language=language, speed=speed,
            instructions=instructions, timeout=timeout, policy=policy, options=options,
            tags=tags, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)

    def stream(
        self,
        text: str | AsyncIterable[str],
        *,
        voice: VoiceChoice = None,
        model: ModelChoice = None,
        format: SoundFormatLike | None = None,
        language: str | None = None,
        speed: float | None = None,
        instructions: str | None = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[SpeechOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> SyncSpeechStream:
        """
        Say a text, piece by piece: `with ai.speech.stream(…) as stream`.

        The arguments are those of `synthesize`. *text* may be an async iterable of
        strings too, such as `stream.text` of `client.text`: what it gives is said
        while it goes on, as it comes where the vendor takes it so, else sentence by
        sentence. The sound is bytes of one file or of bare samples, wherever they
        are cut.

        Returns:
            A stream; entering it sends the request and waits for the first sound.
        """
        inner = self._inner.stream(
            text, voice=voice, model=model, format=format, language=language, speed=speed,
            instructions=instructions, timeout=timeout, policy=policy, options=options,
            tags=tags, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return SyncSpeechStream(inner, self._loop)

    def voices(
        self,
        provider: str | None = None,
        *,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> tuple[VoiceSpec, ...]:
        """
        Return the voices of a provider: those that its vendor lists now, and its plugin's.

        Args:
            provider: A provider or instance; None for the default one.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, over the client's.
            tags: The caller's own words, for the record.

        Raises:
            UnknownProviderError: *provider* is none that speaks.
            VendorError: The vendor refused or failed.
        """
        inner = self._inner.voices(
            provider, timeout=timeout, policy=policy, tags=tags,
        )  # fmt: skip
        return self._loop.run(inner)

    def clone(
        self,
        name: str,
        samples: Audio | Sequence[Audio],
        *,
        consent: str | bool,
        model: ModelChoice = None,
        description: str | None = None,
        language: str | None = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[SpeechOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> ClonedVoice:
        """
        Have a provider learn somebody's voice.

        A voice is a person's. With *consent* the caller states that the person who
        speaks in *samples* knows of this and has agreed to it, or that the caller is
        that person. Nobody here checks it: it is kept in the record, as its tag
        `consent`, and told to observers; answering for it is the caller's.

        Args:
            name: What the voice will be called.
            samples: Somebody speaking, as bytes.
            consent: True, or a sentence that says who agreed, to what, and when.
            model: Whose: a provider or an instance; None for the default one.
            description: What the voice sounds like.
            language: BCP 47 tag of what is spoken in *samples*.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Raises:
            InvalidRequestError: There is no consent, or something is wrong with the
                samples; nothing was sent.
            UnsupportedFeatureError: The provider learns no voices; nothing was sent.
            OutcomeUnknownError: The voice may have been made.
            VendorError: The vendor refused or failed.
        """
        inner = self._inner.clone(
            name, samples, consent=consent, model=model, description=description,
            language=language, timeout=timeout, policy=policy, options=options, tags=tags,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)
