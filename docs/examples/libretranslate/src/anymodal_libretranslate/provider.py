"""Translations over LibreTranslate's HTTP API."""

from __future__ import annotations

from typing import Any, Literal

import attrs
from anymodal import Connection, Usage, Used
from anymodal.errors import MalformedReplyError
from anymodal_translation import (
    Translation,
    TranslationOption,
    TranslationRequest,
    TranslationResult,
)

__all__ = ["LibreTranslate", "LibreTranslateOption"]

PROVIDER = "libretranslate"


@attrs.frozen(kw_only=True)
class LibreTranslateOption(TranslationOption):
    """
    Options of LibreTranslate's own.

    Attributes:
        markup: `html` where markup in the texts is to be kept as it is.
    """

    provider = PROVIDER

    markup: Literal["text", "html"] | None = None


class LibreTranslate:
    """
    A server of translations.

    Source:
        https://github.com/LibreTranslate/LibreTranslate, libretranslate/app.py, read
        2026-11-20: the fields of `/translate`, its answers and its refusals.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def translate(self, request: TranslationRequest) -> TranslationResult:
        """Translate all texts in one request."""
        body: dict[str, object] = {
            "q": list(request.texts),
            "source": request.source or "auto",
            "target": request.to,
        }
        option = request.option(LibreTranslateOption)
        if option is not None and option.markup is not None:
            body["format"] = option.markup
        if key := await self._connection.secret():
            body["api_key"] = key
        found = await self._connection.http.json("POST", "/translate", body=body)
        try:
            translations = _translations(found, request)
        except (LookupError, TypeError, ValueError) as error:
            msg = f"{PROVIDER}: its answer has no translations ({type(error).__name__})."
            raise MalformedReplyError(msg, provider=PROVIDER) from error
        characters = sum(map(len, request.texts))
        return TranslationResult(
            translations=translations,
            usage=Usage(units=(Used("character", characters),)),
            raw=found if request.raw else None,
        )

    async def check_health(self) -> None:
        """Ask which languages there are, which is free and wants no key."""
        await self._connection.http.json("GET", "/languages")


def _translations(found: Any, request: TranslationRequest) -> tuple[Translation, ...]:
    texts = found["translatedText"]
    sources = [request.source] * len(texts)
    if request.source is None:
        sources = [one["language"] for one in found["detectedLanguage"]]
    return tuple(
        Translation(text=text, source=source) for text, source in zip(texts, sources, strict=True)
    )
