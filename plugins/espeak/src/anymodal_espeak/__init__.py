"""eSpeak NG for anymodal: speech on a machine of one's own, without a key or a network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection
    from anymodal.modalities.speech_spec import SpeechProviderSpec

    from .options import EspeakSpeech
    from .speech import EspeakVoices

_HOMES = {"EspeakSpeech": "options", "EspeakVoices": "speech"}
_LANGUAGES = ("en-us", "en-gb", "de", "es", "fr", "it", "nl", "pl", "pt-br", "ru", "sv", "tr")
"""A few; the program lists the others."""

__all__ = ["EspeakSpeech", "EspeakVoices", "connect"]


@hookimpl
def anymodal_speech_providers() -> Iterator[SpeechProviderSpec]:
    """Offer the voices of eSpeak NG, a program under the GPL that is installed apart."""
    from anymodal import Capabilities, ModelSpec  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.speech_spec import SpeechProviderSpec, VoiceSpec  # noqa: PLC0415  # as above
    from anymodal.pricing import Price, Prices  # noqa: PLC0415  # as above

    free = Prices(
        [Price("character", 0)], source="it runs on this machine", as_of=dt.date(2026, 11, 20)
    )
    yield SpeechProviderSpec(
        id="espeak",
        display_name="eSpeak NG",
        kind="local",
        docs="https://github.com/espeak-ng/espeak-ng/blob/master/src/espeak-ng.1.ronn",
        connect=connect,
        capabilities=Capabilities(
            yes={"streaming"}, no={"live", "voice_cloning", "word_timestamps"}
        ),
        models=[ModelSpec(id="espeak-ng", prices=free, source="it runs on this machine")],
        default_model="espeak-ng",
        voices=[VoiceSpec(id=one, languages=[one]) for one in _LANGUAGES],
        default_voice="en-us",
        formats=["pcm_22050"],
        settings={"program"},
        options="anymodal_espeak.options:EspeakSpeech",
    )


def connect(connection: Connection) -> EspeakVoices:
    """Return the provider for an instance."""
    from .speech import EspeakVoices  # noqa: PLC0415  # few programs speak

    return EspeakVoices(connection)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
