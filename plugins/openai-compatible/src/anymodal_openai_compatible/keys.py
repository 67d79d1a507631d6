"""Keys that an instance's settings may have, for an endpoint of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["CHOICES", "SETTINGS"]

CHOICES: Final[Mapping[str, tuple[object, ...]]] = {
    "api": ("chat", "responses"),
    "max_tokens_field": ("max_tokens", "max_completion_tokens"),
    "schemas": ("json_schema", "json_object", "none"),
    "system_role": ("system", "developer"),
    "stream_options": (True, False),
    "strict_schemas": (True, False),
}
SETTINGS: Final = frozenset({*CHOICES, "headers"})
"""
Keys that an instance's settings may have:

- `api`: `chat` (Chat Completions, the default) or `responses`.
- `max_tokens_field`: `max_tokens` (the default) or `max_completion_tokens`.
- `schemas`: `json_schema` (the default), `json_object` or `none`.
- `system_role`: `system` (the default) or `developer`.
- `stream_options`, `strict_schemas`: false where the server refuses them.
- `headers`: further headers, by name.
"""
