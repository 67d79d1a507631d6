"""What all of Night Heron's work has in common: its address, its key, and its settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anymodal import Credential

from .answers import Lines, Said, read

if TYPE_CHECKING:
    from anymodal import Connection, LiveModel
    from anymodal.modalities.requests import Request

DOCS = "https://docs.night-heron.example"
BASE_URL = "https://api.night-heron.example/v1"
CREDENTIALS = [Credential(env=["NIGHT_HERON_API_KEY"])]


class NightHeronVendor:
    """The way to Night Heron. It keeps nothing of a call, so many tasks share it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.provider = connection.provider
        self.http = connection.http  # imports the HTTP library now, in the connecting thread

    async def headers(self) -> dict[str, str]:
        """Return the header with the key."""
        return {"authorization": f"Bearer {await self.connection.required()}"}

    async def ask(self, path: str, body: object = None, method: str = "POST") -> Said:
        """Return an answer in one piece."""
        headers = await self.headers()
        return read(await self.http.bytes(method, path, body=body, headers=headers))

    @asynccontextmanager
    async def lines(self, path: str, body: object) -> AsyncGenerator[Lines]:
        """Give an answer as it comes, line by line."""
        headers = await self.headers()
        async with self.http.lines("POST", path, body=body, headers=headers) as found:
            yield Lines(found)

    async def list_models(self) -> list[LiveModel]:
        """Ask which models there are today."""
        from anymodal import LiveModel

        said = await self.ask("/models", method="GET")
        return [LiveModel(id=one["id"], modality=one["kind"]) for one in said["models"]]


def given(request: Request, *names: str, lacks: tuple[str, ...] = ()) -> dict[str, object]:
    """
    Return the settings that the caller gave, by the names that they have in anymodal.

    Args:
        request: What is asked for.
        names: Settings that Night Heron has, by the same names.
        lacks: Settings that it does not have. Callers are warned, or refused where strict.
    """
    for name in lacks:
        if is_given(getattr(request, name)):
            request.warn(name, f"Night Heron has no {name}")
    values = {name: getattr(request, name) for name in names}
    return {name: value for name, value in values.items() if is_given(value)}


def is_given(value: object) -> bool:
    """Whether a setting was given: 0 is, and what is off or empty is not."""
    return not (value is None or value is False or value == ())
