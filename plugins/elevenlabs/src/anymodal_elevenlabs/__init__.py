"""ElevenLabs for anymodal: speech, voices and cloning; effects and music."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec
    from anymodal.modalities.audio_spec import AudioProviderSpec
    from anymodal.modalities.speech_spec import SpeechProviderSpec

    from .audio import ElevenLabsSounds
    from .options import ElevenLabsAudio, ElevenLabsSpeech
    from .speech import ElevenLabsVoices

_HOMES = {
    "ElevenLabsAudio": "options",
    "ElevenLabsSounds": "audio",
    "ElevenLabsSpeech": "options",
    "ElevenLabsVoices": "speech",
}

__all__ = [
    "ElevenLabsAudio",
    "ElevenLabsSounds",
    "ElevenLabsSpeech",
    "ElevenLabsVoices",
    "connect_audio",
    "connect_speech",
]


@hookimpl
def anymodal_speech_providers() -> Iterator[SpeechProviderSpec]:
    """Offer ElevenLabs' voices."""
    from .speech_models import speech_spec  # noqa: PLC0415  # costs 60 modules

    yield speech_spec(connect_speech)


@hookimpl
def anymodal_audio_providers() -> Iterator[AudioProviderSpec]:
    """Offer ElevenLabs' effects and music."""
    from .audio_models import audio_spec  # noqa: PLC0415  # costs 60 modules

    yield audio_spec(connect_audio)


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for ElevenLabs."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # as above

    yield EmulatorSpec(
        provider="elevenlabs",
        app="anymodal_elevenlabs.emulator:app",
        key="sk_emulated00000000000000000000000000000000000000",
    )


def connect_speech(connection: Connection) -> ElevenLabsVoices:
    """Return the provider of speech for an instance."""
    from .speech import ElevenLabsVoices  # noqa: PLC0415  # brings the HTTP kit

    return ElevenLabsVoices(connection)


def connect_audio(connection: Connection) -> ElevenLabsSounds:
    """Return the provider of effects and music for an instance."""
    from .audio import ElevenLabsSounds  # noqa: PLC0415  # brings the HTTP kit

    return ElevenLabsSounds(connection)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
