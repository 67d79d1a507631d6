"""PocketSphinx for anymodal: draft transcription on a machine of one's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection
    from anymodal.modalities.transcription_spec import TranscriptionProviderSpec

    from .options import PocketsphinxTranscription
    from .transcription import PocketsphinxTranscriber

_HOMES = {"PocketsphinxTranscriber": "transcription", "PocketsphinxTranscription": "options"}
_HERE = "it runs on this machine"

__all__ = ["PocketsphinxTranscriber", "PocketsphinxTranscription", "connect"]


@hookimpl
def anymodal_transcription_providers() -> Iterator[TranscriptionProviderSpec]:
    """Offer the model of American English that comes with PocketSphinx. Its quality is that of a draft."""
    from anymodal import Capabilities, ModelSpec  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.transcription_spec import TranscriptionProviderSpec  # noqa: PLC0415  # as above
    from anymodal.pricing import Price, Prices  # noqa: PLC0415  # as above

    free = Prices([Price("second", 0)], source=_HERE, as_of=dt.date(2026, 11, 20))
    yield TranscriptionProviderSpec(
        id="pocketsphinx",
        display_name="PocketSphinx (draft quality)",
        kind="local",
        docs="https://pocketsphinx.readthedocs.io",
        connect=connect,
        capabilities=Capabilities(yes={"live", "word_timestamps"}, no={"diarization"}),
        models=[ModelSpec(id="en-us", prices=free, source=_HERE)],
        default_model="en-us",
        options="anymodal_pocketsphinx.options:PocketsphinxTranscription",
        encodings=["pcm_s16le"],
    )


def connect(connection: Connection) -> PocketsphinxTranscriber:
    """Return the provider for an instance."""
    from .transcription import pocketsphinx_transcriber  # noqa: PLC0415  # brings PocketSphinx

    return pocketsphinx_transcriber(connection)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
