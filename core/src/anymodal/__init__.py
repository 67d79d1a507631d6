"""
One way to reach AI vendors: a hook per modality, a distribution per vendor.

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__
from .markers import hookimpl, hookspec

if TYPE_CHECKING:
    from .client import Client
    from .config import Settings
    from .connection import Connection
    from .discovery import DiscoveredModel, Discovery
    from .facades.chat import Chat, ChatStream, ToolRan
    from .facades.jobs import Job
    from .facades.text import Estimate, TextStream
    from .facades.text_stream import PartialOutput
    from .isolation import plugin_manager
    from .jobs import JobStatus
    from .ledger import KeptJob
    from .media import Audio, File, Image, Media, Video
    from .modalities import TEXT, Modality
    from .modalities.audio import AudioOption, AudioRequest, AudioResult
    from .modalities.audio_spec import AudioProviderSpec
    from .modalities.batches import TextBatch
    from .modalities.image import ImageOption, ImageRequest, ImageResult
    from .modalities.image_spec import ImageProviderSpec
    from .modalities.kinds import LiveModel
    from .modalities.making import Fetching
    from .modalities.messages import (
        Citation,
        Message,
        ProviderState,
        Reasoning,
        ToolCall,
        ToolResult,
    )
    from .modalities.sizes import Size
    from .modalities.text import (
        Finish,
        ReasoningDelta,
        TextDelta,
        TextOption,
        TextRequest,
        TextResult,
        ToolCallDelta,
        ToolSpec,
    )
    from .modalities.text_spec import TextProviderSpec
    from .modalities.tools import Tool
    from .modalities.video import (
        Clip,
        Overlay,
        Track,
        VideoOption,
        VideoRequest,
        VideoResult,
    )
    from .modalities.video_spec import VideoProviderSpec
    from .policies import Breaker, Budget, Limits, Policy, Retry
    from .policy.standing import Health
    from .registry import Registry
    from .resolution import Query
    from .resolution.best import Best, best
    from .specs import (
        Capabilities,
        CommandSpec,
        Credential,
        Deadlines,
        EmulatorSpec,
        Lifecycle,
        ModelSpec,
        ProviderSpec,
        Secret,
    )
    from .streams import streaming
    from .sync.chat import SyncChat
    from .sync.chat_stream import SyncChatStream
    from .sync.client import SyncClient
    from .sync.jobs import SyncJob
    from .sync.text_stream import SyncTextStream
    from .usage import Attempt, CallWarning, Cost, Price, Prices, Record, Usage, Used

_HOMES = {
    "facades.chat": ("Chat", "ChatStream", "ToolRan"),
    "facades.jobs": ("Job",),
    "facades.text": ("Estimate", "TextStream"),
    "facades.text_stream": ("PartialOutput",),
    "client": ("Client",),
    "config": ("Settings",),
    "connection": ("Connection",),
    "discovery": ("DiscoveredModel", "Discovery"),
    "isolation": ("plugin_manager",),
    "jobs": ("JobStatus",),
    "ledger": ("KeptJob",),
    "media": ("Audio", "File", "Image", "Media", "Video"),
    "modalities": ("TEXT", "Modality"),
    "modalities.batches": ("TextBatch",),
    "modalities.audio": ("AudioOption", "AudioRequest", "AudioResult"),
    "modalities.image": ("ImageOption", "ImageRequest", "ImageResult"),
    "modalities.kinds": ("LiveModel",),
    "modalities.making": ("Fetching",),
    "modalities.messages": (
        "Citation",
        "Message",
        "ProviderState",
        "Reasoning",
        "ToolCall",
        "ToolResult",
    ),
    "modalities.sizes": ("Size",),
    "modalities.text": (
        "Finish",
        "ReasoningDelta",
        "TextDelta",
        "TextOption",
        "TextRequest",
        "TextResult",
        "ToolCallDelta",
        "ToolSpec",
        "WebSearch",
    ),
    "modalities.tools": ("Tool",),
    "modalities.video": (
        "Clip",
        "Overlay",
        "Track",
        "VideoOption",
        "VideoRequest",
        "VideoResult",
    ),
    "policies": ("Breaker", "Budget", "Limits", "Policy", "Retry"),
    "policy.standing": ("Health",),
    "registry": ("Registry",),
    "resolution": ("Query",),
    "resolution.best": ("Best", "best"),
    "specs": (
        "Capabilities",
        "CommandSpec",
        "Credential",
        "Deadlines",
        "EmulatorSpec",
        "Lifecycle",
        "ModelSpec",
        "ProviderSpec",
        "Secret",
    ),
    "streams": ("streaming",),
    "sync.chat": ("SyncChat",),
    "sync.chat_stream": ("SyncChatStream",),
    "sync.client": ("SyncClient",),
    "sync.jobs": ("SyncJob",),
    "sync.text_stream": ("SyncTextStream",),
    "usage": ("Attempt", "CallWarning", "Cost", "Price", "Prices", "Record", "Usage", "Used"),
    "modalities.audio_spec": ("AudioProviderSpec",),
    "modalities.image_spec": ("ImageProviderSpec",),
    "modalities.text_spec": ("TextProviderSpec",),
    "modalities.video_spec": ("VideoProviderSpec",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "TEXT",
    "Attempt",
    "Audio",
    "AudioOption",
    "AudioProviderSpec",
    "AudioRequest",
    "AudioResult",
    "Best",
    "Breaker",
    "Budget",
    "CallWarning",
    "Capabilities",
    "Chat",
    "ChatStream",
    "Citation",
    "Client",
    "Clip",
    "CommandSpec",
    "Connection",
    "Cost",
    "Credential",
    "Deadlines",
    "DiscoveredModel",
    "Discovery",
    "EmulatorSpec",
    "Estimate",
    "Fetching",
    "File",
    "Finish",
    "Health",
    "Image",
    "ImageOption",
    "ImageProviderSpec",
    "ImageRequest",
    "ImageResult",
    "Job",
    "JobStatus",
    "KeptJob",
    "Lifecycle",
    "Limits",
    "LiveModel",
    "Media",
    "Message",
    "Modality",
    "ModelSpec",
    "Overlay",
    "PartialOutput",
    "Policy",
    "Price",
    "Prices",
    "ProviderSpec",
    "ProviderState",
    "Query",
    "Reasoning",
    "ReasoningDelta",
    "Record",
    "Registry",
    "Retry",
    "Secret",
    "Settings",
    "Size",
    "SyncChat",
    "SyncChatStream",
    "SyncClient",
    "SyncJob",
    "SyncTextStream",
    "TextBatch",
    "TextDelta",
    "TextOption",
    "TextProviderSpec",
    "TextRequest",
    "TextResult",
    "TextStream",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolRan",
    "ToolResult",
    "ToolSpec",
    "Track",
    "Usage",
    "Used",
    "Video",
    "VideoOption",
    "VideoProviderSpec",
    "VideoRequest",
    "VideoResult",
    "WebSearch",
    "__version__",
    "best",
    "hookimpl",
    "hookspec",
    "plugin_manager",
    "streaming",
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


def __dir__() -> list[str]:
    return list(__all__)
