"""What a caller asks to be transcribed, and the requests that this makes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from .. import errors as e
from ..call import Call, ModelChoice, Sought
from ..media import Audio
from ..modalities.live import AudioFormat, AudioFormatLike
from ..modalities.repacking import target_of
from ..modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionOption,
    TranscriptionRequest,
    TranscriptionSettings,
)
from ..resolution.best import Best
from ..usage import Usage, Used
from ..vendor_options import laid_over

if TYPE_CHECKING:
    from ..resolution import Offer, Row

__all__ = ["AskedTranscription", "SoundLike", "live_needs_of", "needs_of", "weight_of"]

SoundLike: TypeAlias = "Audio | str | os.PathLike[str]"
"""Sound, or the path of a file of it."""

USUAL_SECONDS: Final = 60
"""What sound is taken for whose length nobody knows yet."""


@attrs.frozen(kw_only=True)
class AskedTranscription:
    """
    What a caller asks for, as it was given.

    The attributes are the arguments of `TranscriptionFacade.transcribe` and `live`;
    of *audio* and *format* there is one.
    """

    audio: SoundLike | None = None
    format: AudioFormatLike | None = None
    model: ModelChoice = None
    language: str | None = None
    diarize: bool = False
    words: bool = False
    prompt: str | None = None
    keywords: Sequence[str] = ()
    partials: bool = True
    options: Sequence[TranscriptionOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    @property
    def packing(self) -> AudioFormat:
        """
        How the sound is packed that is sent live.

        Raises:
            InvalidRequestError: It is no format.
        """
        return AudioFormat.parse(self.format or AudioFormat())

    @property
    def sought(self) -> Sought | Sequence[Sought]:
        """Who may listen live: of those who could, one that is known to."""
        model = self.model
        if model is None or isinstance(model, str | Best):
            return Sought(model, action="live")
        return [Sought(one, action="live") for one in model]

    def request(self, call: Call, row: Row) -> TranscriptionRequest:
        """
        Return the request for the candidate *row* that is to transcribe a file.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
        """
        audio = self.audio
        if isinstance(audio, str | os.PathLike):
            audio = Audio(path=audio)
        if not isinstance(audio, Audio):
            msg = f"audio: an Audio or the path of a file is needed, not {type(audio).__name__}."
            raise e.InvalidRequestError(msg, field="audio")
        return TranscriptionRequest(audio=audio, **self._settings(call, row))

    def live_request(self, call: Call, row: Row) -> LiveTranscriptionRequest:
        """
        Return the request for the candidate *row* that is to listen live.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
            UnsupportedFeatureError: The provider does not take sound that is packed so, nor
                what has the same sound in it.
        """
        spec: Any = row.offer.spec
        given = found = self.packing
        if spec.encodings:
            taken = [attrs.evolve(given, encoding=one) for one in spec.encodings]
            fitting = target_of(given, taken)
            if fitting is None:
                which = ", ".join(spec.encodings)
                msg = f"{spec.id} does not take format {given}; it takes {which}."
                raise e.UnsupportedFeatureError(msg)
            found = fitting
        return LiveTranscriptionRequest(
            format=found, partials=self.partials, **self._settings(call, row)
        )

    def _settings(self, call: Call, row: Row) -> dict[str, Any]:
        keywords = self.keywords
        return {
            "model": row.model,
            "language": self.language,
            "diarize": self.diarize,
            "words": self.words,
            "prompt": self.prompt,
            "keywords": (keywords,) if isinstance(keywords, str) else tuple(keywords),
            "options": _options(self.options, row.offer),
            "end_user": self.end_user,
            "deadlines": call.deadlines,
            "strict": self.strict,
            "raw": self.raw,
            "warnings": call.record.warnings,
        }


def _options(given: Sequence[Any], offer: Offer) -> tuple[Any, ...]:
    """Return the caller's options of vendors, over those that settings give."""
    default = offer.vendor_option
    if not isinstance(default, TranscriptionOption):
        return tuple(given)
    mine = [laid_over(default, one) for one in given if type(one) is type(default)]
    others = [one for one in given if type(one) is not type(default)]
    return (*(mine or [default]), *others)


def needs_of(request: TranscriptionSettings) -> list[str]:
    """Return the capabilities without which *request* makes no sense."""
    needs = ["diarization"] if request.diarize else []
    return [*needs, "word_timestamps"] if request.words else needs


def live_needs_of(request: TranscriptionSettings) -> list[str]:
    """Return what `needs_of` does, and live."""
    return ["live", *needs_of(request)]


def weight_of(request: TranscriptionSettings) -> Usage:
    """Return what a request is expected to use."""
    is_live = isinstance(request, LiveTranscriptionRequest)
    return Usage(units=(Used("second", USUAL_SECONDS, quality="live" if is_live else ""),))
