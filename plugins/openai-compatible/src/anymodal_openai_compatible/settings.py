"""What an instance's settings say of an endpoint of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from anymodal.connection import Connection
from anymodal.errors import SettingsError

from .keys import CHOICES
from .options import Api
from .quirks import Quirks

__all__ = ["endpoint"]


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
    for key, choices in CHOICES.items():
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
