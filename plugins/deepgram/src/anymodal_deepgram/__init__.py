"""Deepgram for anymodal: speech to text, of files and while somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec
    from anymodal.modalities.transcription_spec import TranscriptionProviderSpec

    from .options import DeepgramTranscription
    from .transcription import DeepgramTranscriber

_HOMES = {"DeepgramTranscriber": "transcription", "DeepgramTranscription": "options"}

__all__ = ["DeepgramTranscriber", "DeepgramTranscription", "connect"]


@hookimpl
def anymodal_transcription_providers() -> Iterator[TranscriptionProviderSpec]:
    """Offer Deepgram's models of speech to text."""
    from anymodal import Capabilities, Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.transcription_spec import TranscriptionProviderSpec  # noqa: PLC0415  # as above

    from .faults import refine  # noqa: PLC0415  # as above
    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above

    yield TranscriptionProviderSpec(
        id="deepgram",
        display_name="Deepgram",
        docs="https://developers.deepgram.com/docs",
        connect=connect,
        base_url="https://api.deepgram.com",
        credentials=[Credential(env=["DEEPGRAM_API_KEY"])],
        capabilities=Capabilities({"diarization", "live", "word_timestamps"}),
        models=MODELS,
        patterns=["nova-*", "enhanced*", "base*", "whisper*"],
        default_model=DEFAULT_MODEL,
        errors=refine,
        options="anymodal_deepgram.options:DeepgramTranscription",
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for Deepgram."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(
        provider="deepgram", app="anymodal_deepgram.emulator:app", key="emulated-deepgram-key"
    )


def connect(connection: Connection) -> DeepgramTranscriber:
    """Return the provider for an instance."""
    from .transcription import deepgram_transcriber  # noqa: PLC0415  # brings the HTTP kit

    return deepgram_transcriber(connection)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
