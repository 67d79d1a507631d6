"""Vectors from Mistral, over the vendor's own SDK, and its list of models."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from anymodal.connection import Connection
from anymodal.specs import ModelSpec
from anymodal_openai_compatible.embedding import CompatibleVectors

from .embedding import QUIRKS
from .sdk import sdk_carrier
from .text import models_by

__all__ = ["MistralVectors", "mistral_vectors"]


@attrs.frozen(eq=False)
class MistralVectors(CompatibleVectors):
    """Vectors from Mistral, whose list of models says more than names."""

    async def list_models(self) -> Sequence[ModelSpec]:
        """
        Ask the vendor which models it serves, of all kinds, and what they can do.

        Raises:
            VendorError: The vendor refused or failed.
        """
        return await models_by(self.carrier, self.provider)


def mistral_vectors(connection: Connection) -> MistralVectors:
    """Return the provider for an instance."""
    return MistralVectors(connection.provider, sdk_carrier(connection), QUIRKS)
