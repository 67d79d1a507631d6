"""What an instance's settings say of an endpoint of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from anymodal.connection import Connection
from anymodal.errors import SettingsError

from .options import Api
from .quirks import Quirks

__all__ = ["SETTINGS", "endpoint"]

_CHOICES: Final[Mapping[str, tuple[object, ...]]] = {
    "api": ("chat", "responses"),
    "max_tokens_field": ("max_tokens", "max_completion_tokens"),
    "schemas": ("json_schema", "json_object", "none"),
    "system_role": ("system", "developer"),
    "stream_options": (True, False),
    "strict_schemas": (True, False),
}
SETTINGS: Final = frozenset({*_CHOICES, "headers"})
"""
Keys that an instance's settings may have:

- `api`: `chat` (Chat Completions, the default) or `responses`.
- `max_tokens_field`: `max_tokens` (the default) or `max_completion_tokens`.
- `schemas`: `json_schema` (the default), `json_object` or `none`.
- `system_role`: `system` (the default) or `developer`.
- `stream_options`, `strict_schemas`: false where the server refuses them.
- `headers`: further headers, by name.
"""


@attrs.frozen
class Endpoint:
    """What is to be known of an endpoint: its protocol and its quirks."""

    api: Api
    quirks: Quirks


def endpoint(connection: Connection) -> Endpoint:
    """
    Return what the settings of *connection* say.

    Raises:
        SettingsError: The base URL is missing, or a setting is of the wrong kind.
    """
    place = f"instances.{connection.instance or connection.provider}"
    faults: list[str] = []
    if not connection.base_url:
        faults.append(f"{place}.base_url: it is missing; give the URL up to and with /v1")
    given: dict[str, Any] = {}  # fields of Quirks, each of the kind that its choices have
    for key, choices in _CHOICES.items():
        value = connection.settings.get(key)
        if value is None:
            continue
        # 1 == True, but nobody means it.
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            known = " or ".join(str(choice).lower() for choice in choices)
            faults.append(f"{place}.{key}: {value!r} is not {known}")
        given[key] = value
    headers = connection.settings.get("headers", {})
    lowered: dict[str, str] = {}
    if isinstance(headers, Mapping):
        lowered = {str(name).lower(): text for name, text in headers.items()}
    if not isinstance(headers, Mapping) or not all(isinstance(t, str) for t in lowered.values()):
        faults.append(f"{place}.headers: a table of names and texts is needed")
    if faults:
        raise SettingsError(faults)
    api: Api = given.pop("api", "chat")
    return Endpoint(api, attrs.evolve(Quirks(headers=lowered), **given))
