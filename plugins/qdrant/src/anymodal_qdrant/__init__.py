"""Collections in Qdrant for anymodal: embedded in a folder, in memory, or on a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec
    from anymodal.modalities.retrieval_spec import RetrievalProviderSpec

    from .store import QdrantStore

__all__ = ["connect"]

DOCS = "https://qdrant.tech/documentation/"


@hookimpl
def anymodal_retrieval_providers() -> Iterator[RetrievalProviderSpec]:
    """Offer Qdrant."""
    from anymodal import Capabilities, Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.retrieval_spec import RetrievalProviderSpec  # noqa: PLC0415  # as above

    yield RetrievalProviderSpec(
        id="qdrant",
        display_name="Qdrant",
        kind="local",  # a server is the user's choice; it needs no key either
        docs=DOCS,
        connect=connect,
        credentials=[Credential(env=("QDRANT_API_KEY",), required=False)],
        url_env=("QDRANT_URL",),
        capabilities=Capabilities(yes={"dense", "sparse", "hybrid"}),
        settings={"path"},
        in_memory={"path": ":memory:"},
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for a server."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # as above

    yield EmulatorSpec(
        provider="qdrant", app="anymodal_qdrant.emulator:app", key="emulated-qdrant-key"
    )


def connect(connection: Connection) -> QdrantStore:
    """
    Return the store. It is opened by the first request.

    Raises:
        ConfigurationError: Nothing says where it is, or two settings do.
    """
    from .store import QdrantStore  # noqa: PLC0415  # brings qdrant-client and numpy

    return QdrantStore(connection)
