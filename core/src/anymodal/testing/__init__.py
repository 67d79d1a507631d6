"""
What tests of plugins, and of programs that call them, are written with.

`class TestText(TextSuite): provider = "acme"` is the whole contract test of a plugin.
Needs the extra `testing`. Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audio import AudioSuite
    from .clock import FakeClock
    from .embedding import EmbeddingSuite
    from .emulators import emulated
    from .fakes import FakeClient, FakeSyncClient
    from .image import ImageSuite
    from .network import Barrier, NetworkForbiddenError, forbid_network
    from .provider import ProviderSuite
    from .realtime import RealtimeSuite
    from .recording import record, replay
    from .replies import NoReplyLeftError, Requests
    from .retrieval import RetrievalSuite
    from .speech import SpeechSuite
    from .tapes import ReplayError, Tape
    from .text import TextSuite
    from .transcription import TranscriptionSuite
    from .video import VideoSuite

_HOMES = {
    "audio": ("AudioSuite",),
    "image": ("ImageSuite",),
    "video": ("VideoSuite",),
    "embedding": ("EmbeddingSuite",),
    "tapes": ("ReplayError", "Tape"),
    "recording": ("record", "replay"),
    "replies": ("NoReplyLeftError", "Requests"),
    "fakes": ("FakeClient", "FakeSyncClient"),
    "retrieval": ("RetrievalSuite",),
    "provider": ("ProviderSuite",),
    "text": ("TextSuite",),
    "speech": ("SpeechSuite",),
    "transcription": ("TranscriptionSuite",),
    "realtime": ("RealtimeSuite",),
    "network": ("Barrier", "NetworkForbiddenError", "forbid_network"),
    "clock": ("FakeClock",),
    "emulators": ("emulated",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AudioSuite",
    "Barrier",
    "EmbeddingSuite",
    "FakeClient",
    "FakeClock",
    "FakeSyncClient",
    "ImageSuite",
    "NetworkForbiddenError",
    "NoReplyLeftError",
    "ProviderSuite",
    "RealtimeSuite",
    "ReplayError",
    "Requests",
    "RetrievalSuite",
    "SpeechSuite",
    "Tape",
    "TextSuite",
    "TranscriptionSuite",
    "VideoSuite",
    "emulated",
    "forbid_network",
    "record",
    "replay",
]


def __getattr__(name: str) -> object:
    try:
        module = import_module(f".{_MODULE_OF[name]}", __name__)
    except KeyError:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg) from None
    found = getattr(module, name)
    globals()[name] = found
    return found
