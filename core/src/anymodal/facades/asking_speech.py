"""What a caller asks to be said, and the requests that this makes."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from .. import errors as e
from ..call import Call, ModelChoice, Sought
from ..modalities.sounds import SoundFormat, SoundFormatLike
from ..modalities.speech import (
    SpeechEnd,
    SpeechOption,
    SpeechProviderSpec,
    SpeechRequest,
    SpeechResult,
    VoiceSpec,
)
from ..resolution.best import Best
from ..resolution.voice import voice_of
from ..usage import Usage, Used
from ..vendor_options import laid_over

if TYPE_CHECKING:
    from ..resolution import Offer, Row

__all__ = [
    "AskedSpeech",
    "VoiceChoice",
    "account",
    "needs_of",
    "nothing_to_say",
    "options_of",
    "weight_of",
]

VoiceChoice: TypeAlias = str | Sequence[str] | None
"""A voice, as `provider/voice` or by its name alone, several in order of preference, or None."""

USUAL_CHARACTERS: Final = 1000
"""What a text is taken for that comes in pieces."""


@attrs.frozen(kw_only=True)
class AskedSpeech:
    """
    What a caller asks for, as it was given.

    The attributes are the arguments of `SpeechFacade.synthesize` and `stream`.
    """

    text: str | AsyncIterable[str]
    voice: VoiceChoice = None
    model: ModelChoice = None
    format: SoundFormatLike | None = None
    language: str | None = None
    speed: float | None = None
    instructions: str | None = None
    options: Sequence[SpeechOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def __attrs_post_init__(self) -> None:
        if isinstance(self.text, str):
            if not self.text.strip():
                raise nothing_to_say()
        elif not isinstance(self.text, AsyncIterable):
            kind = type(self.text).__name__
            msg = f"text: a string or an async iterable of strings is needed, not {kind}."
            raise e.InvalidRequestError(msg, field="text")

    @cached_property
    def _wanted(self) -> SoundFormat | None:
        return None if self.format is None else SoundFormat.parse(self.format)

    def packing(self, given: SoundFormat | None) -> SoundFormat | None:
        """Return how sound that comes as *given* is to be packed; None is as it comes."""
        if self._wanted is None and given is not None and given.codec == "pcm":
            return SoundFormat("wav")  # bare samples are nothing that a program opens
        return self._wanted

    @property
    def sought(self) -> ModelChoice | Sought | Sequence[Sought]:
        """
        Who may speak.

        Raises:
            InvalidRequestError: Several voices and several models are named, not in pairs.
        """
        voice, model = self.voice, self.model
        if voice is None:
            return model
        voices = (voice,) if isinstance(voice, str) else tuple(voice)
        if not voices or not all(isinstance(one, str) and one for one in voices):
            msg = f"voice: a name or a sequence of names is needed, not {voice!r}."
            raise e.InvalidRequestError(msg, field="voice")
        models: tuple[str | Best | None, ...]
        models = (model,) if model is None or isinstance(model, str | Best) else tuple(model)
        if len(models) == 1:
            models *= len(voices)
        elif len(voices) == 1:
            voices *= len(models)
        if len(models) != len(voices):
            msg = "voice: several voices go with one model, or each with one of as many."
            raise e.InvalidRequestError(msg, field="voice")
        return [Sought(one, voice=said) for one, said in zip(models, voices, strict=True)]

    def request(self, call: Call, row: Row) -> SpeechRequest:
        """
        Return the request for the candidate *row*.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
            UnsupportedFeatureError: The provider does not pack sound so.
        """
        offer = row.offer
        return SpeechRequest(
            model=row.model,
            text=self.text if isinstance(self.text, str) else "",
            voice=row.voice or _usual_voice(offer, self.language),
            format=self._format(offer),
            language=self.language,
            speed=self.speed,
            instructions=self.instructions,
            options=options_of(self.options, offer),
            end_user=self.end_user,
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
        )

    def _format(self, offer: Offer) -> SoundFormat | None:
        wanted, spec = self._wanted, offer.spec
        offered = spec.formats if isinstance(spec, SpeechProviderSpec) else ()
        if not offered or wanted is None:
            return offered[0] if offered else wanted
        found = wanted.within(offered)
        if found is None:
            have = ", ".join(str(one) for one in offered)
            msg = f"format: {offer.instance} gives no {wanted}; it gives {have}."
            raise e.UnsupportedFeatureError(msg)
        return found


def nothing_to_say() -> e.InvalidRequestError:
    """Return the error for a text without words."""
    msg = "text: words are needed."
    return e.InvalidRequestError(msg, field="text")


def _usual_voice(offer: Offer, language: str | None) -> VoiceSpec | None:
    """Return the default voice, or where that is not meant for *language*, the first that is."""
    spec = offer.spec
    if not isinstance(spec, SpeechProviderSpec) or spec.default_voice is None:
        return None
    usual = voice_of(offer, spec.default_voice)
    if not isinstance(language, str) or not usual.languages:
        return usual
    fits = (one for one in (usual, *spec.voices) if _speaks(one, language))
    return next(fits, usual)


def _speaks(voice: VoiceSpec, language: str) -> bool:
    main, _, region = language.lower().partition("-")
    spoken = [one.lower().partition("-") for one in voice.languages]
    return any(main == one and region in ("", there) for one, _, there in spoken)


def options_of(given: Sequence[Any], offer: Offer) -> tuple[Any, ...]:
    """Return the caller's options of vendors, over those that settings give."""
    default = offer.vendor_option
    if not isinstance(default, SpeechOption):
        return tuple(given)
    mine = [laid_over(default, one) for one in given if type(one) is type(default)]
    others = [one for one in given if type(one) is not type(default)]
    return (*(mine or [default]), *others)


def needs_of(request: SpeechRequest) -> list[str]:  # noqa: ARG001  # the signature of all of them
    """Return what a request needs of a model: nothing, as the core derives what is missing."""
    return []


def weight_of(request: SpeechRequest) -> Usage:
    """Return what a request is expected to use."""
    return Usage(units=(Used("character", len(request.text) or USUAL_CHARACTERS),))


def account(call: Call, found: SpeechResult | SpeechEnd) -> None:
    """Note what was used."""
    call.account(found.usage, found.request_id)
    call.record.raw = found.raw
