"""
The kinds of work, as data.

A modality names its hook, and where its spec class and its facade are; both are
imported when first used. The nine that come with anymodal are offered through
`anymodal_modalities` like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import attrs

from ..markers import hookimpl
from ..pricing import PRICE_UNITS
from ..specs import is_id, names

if TYPE_CHECKING:
    from ..facades.audio import AudioFacade
    from ..facades.embedding import EmbeddingFacade
    from ..facades.image import ImageFacade
    from ..facades.realtime import RealtimeFacade
    from ..facades.retrieval import RetrievalFacade
    from ..facades.speech import SpeechFacade
    from ..facades.text import TextFacade
    from ..facades.transcription import TranscriptionFacade
    from ..facades.video import VideoFacade
    from ..resolution import Strategy
    from ..specs import ProviderSpec

__all__ = [
    "AUDIO",
    "BUILT_IN",
    "EMBEDDING",
    "IMAGE",
    "REALTIME",
    "RETRIEVAL",
    "SPEECH",
    "TEXT",
    "TRANSCRIPTION",
    "VIDEO",
    "Modality",
]

FacadeT_co = TypeVar("FacadeT_co", covariant=True)


def _name(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not is_id(value):
        msg = f"{attribute.name}: {value!r} is not lower-case words joined by hyphens"
        raise ValueError(msg)


def _mixes(found: Iterable[Mapping[str, int]]) -> tuple[Mapping[str, int], ...]:
    """Return *found*, each of which names units that prices may have."""
    given = tuple(found)
    if strange := {unit for mix in given for unit in mix} - PRICE_UNITS:
        msg = f"typical: nothing is sold by the {min(strange)}"
        raise ValueError(msg)
    return given


@attrs.frozen(kw_only=True)
class Modality(Generic[FacadeT_co]):
    """
    A kind of work with a contract of its own.

    Args:
        name: Such as `text`.
        spec: `module:Class` of its provider spec.
        facade: `module:Class` of what `client[modality]` gives; empty while
            it has none.
        capabilities: The abilities that its specs may speak of.
        hookspecs: Module that holds the hook's specification.
        options: `module:Class` of the options that settings may give for every call: a
            frozen attrs class that checks its fields, each None where unset; empty where
            settings give none.
        strategy: `module:function` that routes bare names, as
            `anymodal.resolution.Strategy` says; by the tables of models if not said.
        typical: One piece of such work in the units it may be sold by, for comparing
            models: the first mix whose units are all priced counts. It is no forecast.
        visits: `module:NAME` of what `anymodal tour` asks of its providers, a mapping of
            names to `anymodal_emulator.operations.Operation`; empty where the tour has
            its own, or none.
    """

    name: str = attrs.field(validator=_name)
    spec: str
    facade: str = ""
    capabilities: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    hookspecs: str = "anymodal.hookspecs"
    options: str = ""
    strategy: str = "anymodal.resolution.table:by_table"
    typical: tuple[Mapping[str, int], ...] = attrs.field(default=(), converter=_mixes, eq=False)
    visits: str = ""

    @property
    def hook(self) -> str:
        """Name of the hook that gives its providers."""
        return f"anymodal_{self.name.replace('-', '_')}_providers"

    def spec_class(self) -> type[ProviderSpec[Any]]:
        """Import and return its spec class."""
        return cast("type[ProviderSpec[Any]]", _imported(self.spec))

    def routing(self) -> Strategy:
        """Import and return its strategy."""
        return cast("Strategy", _imported(self.strategy))

    def options_class(self) -> type[Any] | None:
        """Import and return the class of its options, if it has one."""
        return cast("type[Any]", _imported(self.options)) if self.options else None

    def facade_class(self) -> type[FacadeT_co]:
        """Import and return its facade."""
        return cast("type[FacadeT_co]", _imported(self.facade))


def _imported(where: str) -> object:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


TEXT: Final[Modality[TextFacade]] = Modality(
    name="text",
    spec="anymodal.modalities.text_spec:TextProviderSpec",
    facade="anymodal.facades.text:TextFacade",
    capabilities={
        "audio_input",
        "audio_output",
        "batch",
        "citations",
        "file_input",
        "function_calling",
        "image_input",
        "prompt_cache",
        "reasoning",
        "sampling",
        "streaming",
        "structured_output",
        "video_input",
        "web_search",
    },
    options="anymodal.modalities.text_options:TextOptions",
    typical=({"input_token": 3000, "output_token": 1000}, {"character": 16_000}),
)
IMAGE: Final[Modality[ImageFacade]] = Modality(
    name="image",
    spec="anymodal.modalities.image_spec:ImageProviderSpec",
    facade="anymodal.facades.image:ImageFacade",
    capabilities={"image_edit", "image_input", "progress", "streaming"},
    strategy="anymodal.resolution.pattern:by_table_then_pattern",
    typical=({"image": 1}, {"megapixel": 1}, {"input_token": 100, "image_output_token": 1000}),
)
VIDEO: Final[Modality[VideoFacade]] = Modality(
    name="video",
    spec="anymodal.modalities.video_spec:VideoProviderSpec",
    facade="anymodal.facades.video:VideoFacade",
    capabilities={
        "audio_output",
        "cancel",
        "composition",
        "image_to_video",
        "progress",
        "text_to_video",
    },
    strategy="anymodal.resolution.pattern:by_table_then_pattern",
    typical=({"second": 5},),
)
AUDIO: Final[Modality[AudioFacade]] = Modality(
    name="audio",
    spec="anymodal.modalities.audio_spec:AudioProviderSpec",
    facade="anymodal.facades.audio:AudioFacade",
    capabilities={
        "audio_input",
        "cancel",
        "enhancement",
        "progress",
        "streaming",
        "text_to_audio",
    },
    typical=({"second": 30}, {"character": 100}),
)
SPEECH: Final[Modality[SpeechFacade]] = Modality(
    name="speech",
    spec="anymodal.modalities.speech_spec:SpeechProviderSpec",
    facade="anymodal.facades.speech:SpeechFacade",
    capabilities={"live", "streaming", "voice_cloning", "word_timestamps"},
    strategy="anymodal.resolution.voice:by_voice",
    typical=(
        {"character": 1000},
        {"second": 60},
        {"input_token": 250, "audio_output_token": 1200},
    ),
)
TRANSCRIPTION: Final[Modality[TranscriptionFacade]] = Modality(
    name="transcription",
    spec="anymodal.modalities.transcription_spec:TranscriptionProviderSpec",
    facade="anymodal.facades.transcription:TranscriptionFacade",
    capabilities={"diarization", "live", "streaming", "word_timestamps"},
    strategy="anymodal.resolution.action:by_action",
    typical=(
        {"second": 60},
        {"audio_input_token": 600, "output_token": 200},
        {"input_token": 600, "output_token": 200},
    ),
)
REALTIME: Final[Modality[RealtimeFacade]] = Modality(
    name="realtime",
    spec="anymodal.modalities.realtime_spec:RealtimeProviderSpec",
    facade="anymodal.facades.realtime:RealtimeFacade",
    capabilities={"audio_input", "audio_output", "function_calling", "image_input", "live"},
    strategy="anymodal.resolution.override:by_override",
    typical=({"second": 60}, {"audio_input_token": 600, "audio_output_token": 1200}),
)
EMBEDDING: Final[Modality[EmbeddingFacade]] = Modality(
    name="embedding",
    spec="anymodal.modalities.embedding_spec:EmbeddingProviderSpec",
    facade="anymodal.facades.embedding:EmbeddingFacade",
    capabilities={"dense", "dimensions", "image_input", "sparse"},
    typical=({"input_token": 1000}, {"character": 4000}),
)
RETRIEVAL: Final[Modality[RetrievalFacade]] = Modality(
    name="retrieval",
    spec="anymodal.modalities.retrieval_spec:RetrievalProviderSpec",
    facade="anymodal.facades.retrieval:RetrievalFacade",
    capabilities={"dense", "hybrid", "sparse"},
    strategy="anymodal.resolution.store:by_store",
)

BUILT_IN: Final[tuple[Modality[object], ...]] = (
    TEXT,
    IMAGE,
    VIDEO,
    AUDIO,
    SPEECH,
    TRANSCRIPTION,
    REALTIME,
    EMBEDDING,
    RETRIEVAL,
)


@hookimpl
def anymodal_modalities() -> Iterable[Modality[object]]:
    """Offer the nine."""
    return BUILT_IN
