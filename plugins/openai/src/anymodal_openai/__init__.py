"""OpenAI for anymodal, over the vendor's own SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec
    from anymodal.errors import VendorError
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec
    from anymodal.modalities.image_spec import ImageProviderSpec
    from anymodal.modalities.realtime_spec import RealtimeProviderSpec
    from anymodal.modalities.video_spec import VideoProviderSpec
    from anymodal_openai_compatible import CompatibleText, CompatibleVectors

    from .clips import NoClips
    from .embedding import OpenAIEmbedding
    from .image import OpenAIImage
    from .options import OpenAIText
    from .pictures import OpenAIPictures
    from .realtime import OpenAIConversations
    from .realtime_options import OpenAIRealtime

_HOMES = {
    "OpenAIEmbedding": "embedding",
    "OpenAIImage": "image",
    "OpenAIRealtime": "realtime_options",
    "OpenAIText": "options",
}

__all__ = [
    "OpenAIEmbedding",
    "OpenAIImage",
    "OpenAIRealtime",
    "OpenAIText",
    "connect",
    "connect_embedding",
    "connect_image",
    "connect_realtime",
    "connect_video",
]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer OpenAI's text models."""
    from anymodal import Capabilities, Credential, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above

    yield TextProviderSpec(
        id="openai",
        display_name="OpenAI",
        docs="https://developers.openai.com/api/docs",
        connect=connect,
        base_url="https://api.openai.com/v1",
        credentials=[
            Credential(env=["OPENAI_API_KEY"]),
            Credential(name="organization", env=["OPENAI_ORG_ID"], required=False),
            Credential(name="project", env=["OPENAI_PROJECT_ID"], required=False),
        ],
        priority=100,
        capabilities=Capabilities(
            yes={"streaming", "batch", "citations"}, no={"video_input", "audio_output"}
        ),
        models=MODELS,
        patterns=("gpt-*", "o[0-9]*", "ft:gpt-*", "ft:o[0-9]*", "chatgpt-*"),
        default_model=DEFAULT_MODEL,
        errors=refine,
        options="anymodal_openai.options:OpenAIText",
    )


@hookimpl
def anymodal_embedding_providers() -> Iterator[EmbeddingProviderSpec]:
    """Offer OpenAI's models that make vectors."""
    from anymodal import Capabilities, Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec  # noqa: PLC0415  # as above

    from .embedding_models import DEFAULT_MODEL, MODELS, MOST_INPUTS, MOST_TOKENS  # noqa: PLC0415  # as above

    yield EmbeddingProviderSpec(
        id="openai",
        display_name="OpenAI",
        docs="https://developers.openai.com/api/docs/guides/embeddings",
        connect=connect_embedding,
        base_url="https://api.openai.com/v1",
        credentials=[
            Credential(env=["OPENAI_API_KEY"]),
            Credential(name="organization", env=["OPENAI_ORG_ID"], required=False),
            Credential(name="project", env=["OPENAI_PROJECT_ID"], required=False),
        ],
        priority=100,
        capabilities=Capabilities(yes={"dense"}, no={"sparse", "image_input"}),
        models=MODELS,
        patterns=("text-embedding-*",),
        default_model=DEFAULT_MODEL,
        errors=refine,
        options="anymodal_openai.embedding:OpenAIEmbedding",
        max_inputs=MOST_INPUTS,
        max_request_tokens=MOST_TOKENS,
        normalised=True,
    )


@hookimpl
def anymodal_image_providers() -> Iterator[ImageProviderSpec]:
    """Offer OpenAI's models that make pictures."""
    from anymodal import Capabilities, Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.image_spec import ImageProviderSpec  # noqa: PLC0415  # as above

    from .image_models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above

    yield ImageProviderSpec(
        id="openai",
        display_name="OpenAI",
        docs="https://developers.openai.com/api/docs/guides/image-generation",
        connect=connect_image,
        base_url="https://api.openai.com/v1",
        credentials=[
            Credential(env=["OPENAI_API_KEY"]),
            Credential(name="organization", env=["OPENAI_ORG_ID"], required=False),
            Credential(name="project", env=["OPENAI_PROJECT_ID"], required=False),
        ],
        priority=100,
        capabilities=Capabilities(yes={"image_edit"}),
        models=MODELS,
        patterns=("gpt-image-*", "chatgpt-image-*", "dall-e-*"),
        default_model=DEFAULT_MODEL,
        errors=refine,
        options="anymodal_openai.image:OpenAIImage",
        sizes={"pixels"},
    )


@hookimpl
def anymodal_video_providers() -> Iterator[VideoProviderSpec]:
    """Offer nothing, and say of OpenAI's models of clips that they are gone."""
    from anymodal import Capabilities, Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.video_spec import VideoProviderSpec  # noqa: PLC0415  # as above

    from .clips import MODELS  # noqa: PLC0415  # as above

    yield VideoProviderSpec(
        id="openai",
        display_name="OpenAI",
        docs="https://developers.openai.com/api/docs/deprecations",
        connect=connect_video,
        base_url="https://api.openai.com/v1",
        credentials=[Credential(env=["OPENAI_API_KEY"])],
        capabilities=Capabilities(no={"text_to_video", "image_to_video", "composition"}),
        models=MODELS,
    )


@hookimpl
def anymodal_realtime_providers() -> Iterator[RealtimeProviderSpec]:
    """Offer OpenAI's models that talk."""
    from anymodal import Capabilities, Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.realtime_spec import RealtimeProviderSpec  # noqa: PLC0415  # as above

    from .realtime_models import DEFAULT_MODEL, FORMATS, MODELS, VOICES  # noqa: PLC0415  # as above

    yield RealtimeProviderSpec(
        id="openai",
        display_name="OpenAI",
        docs="https://developers.openai.com/api/docs/guides/realtime",
        connect=connect_realtime,
        base_url="https://api.openai.com/v1",
        credentials=[
            Credential(env=["OPENAI_API_KEY"]),
            Credential(name="organization", env=["OPENAI_ORG_ID"], required=False),
            Credential(name="project", env=["OPENAI_PROJECT_ID"], required=False),
        ],
        priority=100,
        capabilities=Capabilities(yes={"live"}),
        models=MODELS,
        patterns=("gpt-realtime*",),
        default_model=DEFAULT_MODEL,
        errors=refine,
        options="anymodal_openai.realtime_options:OpenAIRealtime",
        input_formats=FORMATS,
        output_formats=FORMATS,
        voices=VOICES,
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for OpenAI."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(
        provider="openai",
        app="anymodal_openai.emulator:app",
        key="sk-proj-emulator",
        base_path="/v1",
    )


def connect(connection: Connection) -> CompatibleText:
    """Return the provider for an instance. Imports the SDK, which takes half a second."""
    from .text import openai_text  # noqa: PLC0415  # brings the SDK

    return openai_text(connection)


def connect_embedding(connection: Connection) -> CompatibleVectors:
    """Return the provider of vectors for an instance. Imports the SDK, as `connect` does."""
    from .vectors import openai_vectors  # noqa: PLC0415  # brings the SDK

    return openai_vectors(connection)


def connect_image(connection: Connection) -> OpenAIPictures:
    """Return the provider of pictures for an instance. Imports the SDK, as `connect` does."""
    from .pictures import openai_pictures  # noqa: PLC0415  # brings the SDK

    return openai_pictures(connection)


def connect_video(connection: Connection) -> NoClips:
    """Return what says that there are no clips any more."""
    del connection
    from .clips import NoClips  # noqa: PLC0415  # listing needs none of it

    return NoClips()


def connect_realtime(connection: Connection) -> OpenAIConversations:
    """Return the provider of conversations for an instance, over WebSockets of our own."""
    from .realtime import OpenAIConversations  # noqa: PLC0415  # brings the protocols

    return OpenAIConversations(connection)


def refine(status: int, headers: Mapping[str, str], body: object) -> type[VendorError] | None:
    """Return what an answer of this status and body means, where it is not the usual."""
    from .quirks import QUIRKS  # noqa: PLC0415  # brings the protocol

    return QUIRKS.refine(status, headers, body)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
