"""
A bare name goes to the provider that has the voice. Speech is routed so.

What speaks is chosen by its voice and seldom by its model; a name that is no
voice's goes by the tables of models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .. import errors as e
from ..modalities.speech import SpeechProviderSpec, VoiceSpec
from ..specs import ModelSpec
from . import Decision, Offer, Query, Row, decided, row_of
from .naming import normalised
from .table import by_table

__all__ = ["by_voice", "usual", "voice_of"]


def by_voice(query: Query, offers: Sequence[Offer]) -> Decision:
    """
    Return who has the voice *query.voice*, or else the voice called *query.name*.

    Where a voice and a bare model are named, who has both.
    """
    voice = query.voice or query.name
    model = query.name if query.voice else ""
    for strategy, same in (("voice", _is_called), ("voice, normalised", _is_called_like)):
        rows = list(_rows(query, offers, model, lambda one, same=same: same(one, voice)))  # type: ignore[misc]  # mypy has no types for lambdas' defaults
        if rows:
            return decided(voice, query.modality, strategy, rows)
    if not query.voice:
        return by_table(query, offers)
    what = (
        f"has both the voice {voice!r} and the model {model!r}"
        if model
        else f"has the voice {voice!r}"
    )
    error = e.UnknownModelError(
        f"No {query.modality} provider {what}. Say whose it is: provider/{voice}"
    )
    return Decision(name=voice, modality=query.modality, strategy="voice", error=error)


def voice_of(offer: Offer, name: str) -> VoiceSpec:
    """Return the voice called *name*; one that is not listed is made up."""
    for voice in _voices(offer):
        if _is_called(voice, name):
            return voice
    return VoiceSpec(id=name, listed=False)


def usual(offer: Offer) -> ModelSpec | None:
    """Return the model that speaks where only a voice is named."""
    return offer.default() or next(iter(offer.models), None)


def _rows(
    query: Query, offers: Sequence[Offer], name: str, wanted: Callable[[VoiceSpec], bool]
) -> Iterator[Row]:
    for offer in offers:
        model = offer.model(name) if name else usual(offer)
        for voice in _voices(offer) if model is not None else ():
            if model is not None and wanted(voice):
                yield row_of(offer, model, query, voice)


def _voices(offer: Offer) -> tuple[VoiceSpec, ...]:
    return offer.spec.voices if isinstance(offer.spec, SpeechProviderSpec) else ()


def _is_called(voice: VoiceSpec, name: str) -> bool:
    return name in (voice.id, voice.name)


def _is_called_like(voice: VoiceSpec, name: str) -> bool:
    return normalised(name) in (normalised(voice.id), normalised(voice.name))
