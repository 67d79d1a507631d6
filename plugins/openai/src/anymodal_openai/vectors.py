"""Vectors from OpenAI, over the vendor's own SDK."""

from __future__ import annotations

from anymodal.connection import Connection
from anymodal_openai_compatible.embedding import CompatibleVectors

from .embedding import QUIRKS
from .sdk import sdk_carrier

__all__ = ["openai_vectors"]


def openai_vectors(connection: Connection) -> CompatibleVectors:
    """Return the provider for an instance."""
    return CompatibleVectors(connection.provider, sdk_carrier(connection), QUIRKS)
