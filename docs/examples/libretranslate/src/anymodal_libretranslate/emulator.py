"""
A LibreTranslate server on loopback.

Paths, fields, answers and refusals are those of libretranslate/app.py in
https://github.com/LibreTranslate/LibreTranslate, read 2026-11-20, of a server that
wants keys, as libretranslate.com does. It takes JSON alone.

It knows the phrases of `PHRASES`; whatever else it hears, it says back with both
languages, so that one can see that it arrived. Magic words in a text: `emulator:fail`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from anymodal_emulator.app import Emulator, RefusedError, Reply, Request
from anymodal_emulator.exchange import phrase

__all__ = ["app"]

LANGUAGES: Final[Mapping[str, str]] = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
}
PHRASES: Final = (
    {"en": "Good morning.", "de": "Guten Morgen.", "fr": "Bonjour.", "es": "Buenos días."},
    {"en": "Thank you.", "de": "Danke.", "fr": "Merci.", "es": "Gracias."},
    {"en": "See you tomorrow.", "de": "Bis morgen.", "fr": "À demain.", "es": "Hasta mañana."},
)
SMALL_WORDS: Final = {
    "de": {"der", "die", "das", "und", "ist", "nicht", "ein", "eine"},
    "fr": {"le", "la", "les", "et", "est", "un", "une", "pas"},
    "es": {"el", "los", "las", "y", "es", "una", "no", "por"},
}
_WORDS: Final = {
    "bad_key": "Invalid API key",
    "no_key": "Visit https://portal.libretranslate.com to get an API key",
    "missing": "Invalid request: missing {param} parameter",
    "value": "{got} is not supported",
    "not_json": "The browser (or proxy) sent a request that this server could not understand.",
    "media_type": "Invalid request: missing q parameter",
}
_STATUSES: Final = {"bad_key": 403, "no_key": 400, "media_type": 400}


def refuse(refused: RefusedError) -> Reply:
    """Return a refusal in the server's words."""
    status = _STATUSES.get(refused.kind, refused.status)
    if refused.kind in {"no_path", "no_method"}:
        page = f"<!doctype html><title>{status} {phrase(status)}</title>".encode()
        return Reply(status, page, {"content-type": "text/html; charset=utf-8"})
    words = _WORDS.get(refused.kind, "{got}")
    return Reply.json({"error": words.format(param=refused.param, got=refused.got)}, status=status)


def fail(status: int) -> Reply:
    """Return what the server says with a bare status."""
    words = "Slowdown: 80 per 1 minute" if status == 429 else phrase(status)
    return Reply.json({"error": words}, status=status)


app = Emulator("libretranslate", refuse=refuse, fail=fail)


@app.route("GET", "/languages")
def languages(_: Request) -> Reply:
    """Return the languages, each with those that it is translated into."""
    return Reply.json(
        [
            {"code": code, "name": name, "targets": sorted(LANGUAGES)}
            for code, name in LANGUAGES.items()
        ]
    )


@app.route("POST", "/translate")
def translate(request: Request) -> Reply:
    """Translate one text or several."""
    body = request.json()
    _admit(request, body)
    for name in ("q", "source", "target"):
        if not body.get(name):
            raise RefusedError(kind="missing", param=name)
    asked, source, target = body["q"], str(body["source"]), str(body["target"])
    texts = [str(one) for one in asked] if isinstance(asked, list) else [str(asked)]
    if any("emulator:fail" in text for text in texts):
        return Reply.json({"error": "Cannot translate text: emulator:fail"}, status=500)
    found = [_detected(text) for text in texts]
    sources = [str(one["language"]) for one in found] if source == "auto" else [source] * len(texts)
    for code in (*sources, target):
        if code not in LANGUAGES:
            raise RefusedError(kind="value", got=code)
    if (markup := body.get("format") or "text") not in {"text", "html"}:
        raise RefusedError(kind="value", got=f"{markup} format")
    said = [_said(text, one, target) for text, one in zip(texts, sources, strict=True)]
    is_batch = isinstance(asked, list)
    answer: dict[str, object] = {"translatedText": said if is_batch else said[0]}
    if source == "auto":
        answer["detectedLanguage"] = found if is_batch else found[0]
    return Reply.json(answer)


def _admit(request: Request, body: Mapping[str, object]) -> None:
    key = body.get("api_key")
    if not key:
        raise RefusedError(kind="no_key")
    if request.key and key != request.key:
        raise RefusedError(kind="bad_key")


def _detected(text: str) -> dict[str, object]:
    for one in PHRASES:
        for code, words in one.items():
            if words == text:
                return {"confidence": 99.0, "language": code}
    heard = set(re.findall(r"\w+", text.lower()))
    code = max(SMALL_WORDS, key=lambda code: len(heard & SMALL_WORDS[code]))
    is_heard = bool(heard & SMALL_WORDS[code])
    return (
        {"confidence": 90.0, "language": code}
        if is_heard
        else {"confidence": 83.0, "language": "en"}
    )


def _said(text: str, source: str, target: str) -> str:
    for one in PHRASES:
        if one[source] == text:
            return one[target]
    return f"libretranslate ({source} > {target}) heard: {text}"
