"""Schemas as the vendor holds a model to them."""

from __future__ import annotations

from typing import Final

from anymodal.modalities.text import TextRequest
from anymodal.shapes import Rules, Schema, strict

__all__ = ["held"]

RULES: Final = Rules(
    known=frozenset(
        {"$defs", "$ref", "additionalProperties", "anyOf", "const", "definitions", "description"}
        | {"enum", "format", "items", "minItems", "properties", "required", "title", "type"}
    ),
    values={"minItems": frozenset({0, 1})},
    formats=frozenset(
        {
            "date",
            "date-time",
            "duration",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "time",
            "uri",
            "uuid",
        }
    ),
    optional=True,
    any_root=True,
    recursive=False,
    typed_values=False,
    in_words=True,
)
"""
What the vendor wants. `default` and `pattern`, which it takes in part, are put into
words as its SDK does. Types beside an `enum` it takes only where it is one type.

Sources, read 2026-11-20:
https://platform.claude.com/docs/en/build-with-claude/structured-outputs, anthropic
2.11, `lib/_parse/_transform.py`, and https://github.com/BerriAI/litellm/issues/37881.
"""


def held(schema: Schema, request: TextRequest, setting: str) -> Schema | None:
    """
    Return *schema* as the vendor holds a model to it; None where it holds it to no such schema.

    Args:
        schema: JSON Schema.
        request: Takes the warnings of what the model is not held to.
        setting: The one that warnings name.

    Raises:
        UnsupportedFeatureError: The caller is strict, and there is such a thing.
    """
    found = strict(schema, RULES)
    if found.lost:
        request.warn(setting, f"the vendor does not hold the model to the schema: {found.lost[0]}")
        return None
    if found.loose:
        what = "; ".join(found.loose)
        request.warn(setting, f"the vendor does not hold the model to all of the schema: {what}")
    return found.schema
