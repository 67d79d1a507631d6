"""Schemas as the vendors of these protocols hold a model to them."""

from __future__ import annotations

from collections.abc import Mapping

from anymodal.modalities.text import TextRequest
from anymodal.shapes import Rules, strict

from .quirks import Quirks

__all__ = ["held", "schema_name"]


def held(
    schema: Mapping[str, object], request: TextRequest, quirks: Quirks, setting: str
) -> tuple[Mapping[str, object], bool]:
    """
    Return *schema* in the form in which the vendor holds a model to it, and whether it does.

    What cannot be said in that form goes as it is, without `strict`, which would
    refuse it.

    Raises:
        UnsupportedFeatureError: It cannot, and the caller is strict.
    """
    if not quirks.strict_schemas:
        return schema, False
    rules = Rules(unsupported=quirks.refused_keywords, formats=quirks.known_formats)
    found = strict(schema, rules)
    if not found.lost:
        return found.schema, True
    request.warn(setting, f"the vendor does not hold the model to the schema: {found.lost[0]}")
    return schema, False


def schema_name(schema: Mapping[str, object]) -> str:
    """Return a name for *schema* of letters, digits, hyphens and underscores."""
    title = schema.get("title")
    if not isinstance(title, str) or not title:
        return "answer"
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in title)[:64]
