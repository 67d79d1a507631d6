"""What all of ElevenLabs' services have in common: the key, paths, and names of voices."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import quote, urlencode

import attrs
from anymodal import Connection
from anymodal.errors import MalformedReplyError, NotFoundError
from anymodal.modalities.speech import VoiceSpec

__all__ = ["Api", "Object", "path_of"]

Object: TypeAlias = Mapping[str, Any]

_AN_ID: Final = re.compile(r"[A-Za-z0-9]{20,}")
PAGE: Final = 100


class _HasHeaders(Protocol):
    @property
    def extra_headers(self) -> Mapping[str, str]: ...


def path_of(path: str, *parts: str, query: Mapping[str, object] | None = None) -> str:
    """Return *path* with *parts* in place of its braces, and a query of what is not None."""
    found = path.format(*(quote(part, safe="") for part in parts))
    said = {name: _word(value) for name, value in (query or {}).items() if value is not None}
    return f"{found}?{urlencode(said)}" if said else found


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@attrs.define(eq=False)
class Api:
    """
    The way to ElevenLabs, shared by its kinds of work.

    Attributes:
        connection: What the core gave.
    """

    connection: Connection
    _ids: dict[str, str] = attrs.field(factory=dict, init=False, repr=False)

    async def headers(self, option: _HasHeaders | None = None) -> dict[str, str]:
        """Return the headers of a request."""
        found = {"xi-api-key": await self.connection.required("api_key")}
        if option is not None:
            found |= option.extra_headers
        return found

    async def get(self, path: str) -> Any:
        """Return what a path answers, read as JSON."""
        return await self.connection.http.json("GET", path, headers=await self.headers())

    async def voices(self) -> AsyncGenerator[VoiceSpec, None]:
        """Iterate over the account's voices, page by page."""
        token: str | None = None
        while True:
            query = {"page_size": PAGE, "next_page_token": token}
            page = await self.get(path_of("/v2/voices", query=query))
            try:
                found = [_voice(row) for row in page["voices"]]
                token = page.get("next_page_token") if page["has_more"] else None
            except (AttributeError, KeyError, TypeError) as error:
                msg = f"{self.connection.provider}: the list of voices is none"
                raise MalformedReplyError(msg, provider=self.connection.provider) from error
            for voice in found:
                # the vendor's own are called "Roger - Laid-Back, Casual, Resonant"
                self._ids.setdefault(voice.name.partition(" - ")[0], voice.id)
                self._ids[voice.name] = voice.id
                yield voice
            if token is None:
                return

    async def id_of(self, voice: VoiceSpec) -> str:
        """
        Return the id of a voice; one that is known to nobody here is looked for by its name.

        Raises:
            NotFoundError: The account has no such voice.
        """
        if voice.listed or _AN_ID.fullmatch(voice.id):
            return voice.id
        if voice.id not in self._ids:
            async for _ in self.voices():
                pass
        if voice.id not in self._ids:
            provider = self.connection.provider
            msg = f"{provider}: the account has no voice {voice.id!r}; speech.voices() lists them."
            raise NotFoundError(msg, provider=provider)
        return self._ids[voice.id]


def _voice(row: Object) -> VoiceSpec:
    labels = row.get("labels") or {}
    languages = [
        one.get("locale") or one["language"] for one in row.get("verified_languages") or ()
    ]
    if not languages and labels.get("language"):
        languages = [labels["language"]]
    return VoiceSpec(
        id=row["voice_id"],
        name=row["name"],
        languages=tuple(dict.fromkeys(languages)),
        gender=labels.get("gender", ""),
        description=row.get("description") or "",
        listed=False,
    )
