"""fal.ai for anymodal: clips by the models that it serves, over its queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec
    from anymodal.modalities.video_spec import VideoProviderSpec

    from .options import FalVideo
    from .video import FalVideos

__all__ = ["FalVideo", "connect"]


@hookimpl
def anymodal_video_providers() -> Iterator[VideoProviderSpec]:
    """Offer the models of clips that fal serves."""
    from anymodal import Capabilities, Credential, Deadlines  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.video_spec import VideoProviderSpec  # noqa: PLC0415  # as above

    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above
    from .refinement import refine  # noqa: PLC0415  # as above

    yield VideoProviderSpec(
        id="fal",
        display_name="fal.ai",
        docs="https://fal.ai/docs/model-api-reference",
        connect=connect,
        base_url="https://queue.fal.run",
        credentials=[Credential(env=["FAL_KEY", "FAL_AI_API_KEY", "FALAI_API_KEY"])],
        # a clip takes minutes, and a queue may be long
        deadlines=Deadlines(total=3600.0, first=300.0, between=120.0),
        capabilities=Capabilities(yes={"cancel", "progress"}, no={"composition"}),
        models=MODELS,
        patterns=["fal-ai/*"],
        default_model=DEFAULT_MODEL,
        options="anymodal_fal.options:FalVideo",
        errors=refine,
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for fal's queue."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(
        provider="fal", app="anymodal_fal.emulator:app", key="emulator-id:emulator-secret"
    )


def connect(connection: Connection) -> FalVideos:
    """Return the provider for an instance."""
    from .video import FalVideos  # noqa: PLC0415  # brings the HTTP kit

    _ = connection.http  # imports the HTTP library now, in the thread that connects
    return FalVideos(connection)


def __getattr__(name: str) -> object:
    if name != "FalVideo":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from .options import FalVideo  # noqa: PLC0415  # brings attrs and the video room

    globals()[name] = FalVideo
    return FalVideo
