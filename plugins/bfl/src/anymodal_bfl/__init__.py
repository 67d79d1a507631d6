"""Black Forest Labs for anymodal: pictures by the FLUX models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec
    from anymodal.modalities.image_spec import ImageProviderSpec

    from .options import BflImage
    from .pictures import BflPictures

__all__ = ["BflImage", "connect"]


@hookimpl
def anymodal_image_providers() -> Iterator[ImageProviderSpec]:
    """Offer the FLUX models."""
    from anymodal import Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.image_spec import ImageProviderSpec  # noqa: PLC0415  # as above

    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above
    from .refinement import refine  # noqa: PLC0415  # as above

    yield ImageProviderSpec(
        id="bfl",
        display_name="Black Forest Labs",
        docs="https://docs.bfl.ai",
        connect=connect,
        base_url="https://api.bfl.ai",
        credentials=[Credential(env=["BFL_API_KEY", "BLACK_FOREST_LABS_API_KEY"])],
        concurrency=24,  # https://docs.bfl.ai/quick_start/generating_images, read 2026-11-20
        models=MODELS,
        patterns=["flux-*"],
        default_model=DEFAULT_MODEL,
        errors=refine,
        options="anymodal_bfl.options:BflImage",
        sizes={"pixels", "ratio"},
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for Black Forest Labs."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(provider="bfl", app="anymodal_bfl.emulator:app", key="bfl-emulator-key")


def connect(connection: Connection) -> BflPictures:
    """Return the provider for an instance."""
    from .pictures import BflPictures  # noqa: PLC0415  # brings the HTTP kit

    _ = connection.http  # imports the HTTP library now, in the thread that connects
    return BflPictures(connection)


def __getattr__(name: str) -> object:
    if name != "BflImage":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from .options import BflImage  # noqa: PLC0415  # brings attrs and the room of pictures

    globals()[name] = BflImage
    return BflImage
