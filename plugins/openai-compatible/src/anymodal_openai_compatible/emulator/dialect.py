"""How one vendor speaks the shared protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
from anymodal_emulator.app import RefusedError

__all__ = ["Dialect"]


def _nothing(model: str, body: Mapping[str, object]) -> None:
    """Have nothing against *body*."""
    del model, body


@attrs.frozen(kw_only=True)
class Dialect:
    """
    How one vendor speaks the shared protocols.

    Args:
        provider: Id of the provider; it stands in every answer.
        models: Models that are listed.
        any_model: Whether models that are not listed answer too.
        lenient: Whether unknown fields of a body are passed over.
        needs_key: Whether a request without a key is refused.
        reasoning_field: Where reasoning stands in chat messages; nowhere if empty.
        own_fields: Whether answers have the fields that only OpenAI's have.
        object_to: Raises `RefusedError` for what a model does not take.
    """

    provider: str
    models: Sequence[str]
    any_model: bool = False
    lenient: bool = False
    needs_key: bool = True
    reasoning_field: str = ""
    own_fields: bool = False
    object_to: Callable[[str, Mapping[str, object]], None] = _nothing

    def require_model(self, name: str) -> None:
        """
        Let a known model pass.

        Raises:
            RefusedError: There is no such model.
        """
        if not self.any_model and name not in self.models:
            raise RefusedError(kind="no_model", param="model", got=name)
