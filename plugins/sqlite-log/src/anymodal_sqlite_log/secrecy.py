"""
Keys stay out of the file.

The core takes the keys that it sends out of a vendor's words, and headers and bodies
that a caller adds are never kept. This is the net under that: what an environment
variable holds that is named like a secret, and what is shaped like a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

__all__ = ["REMOVED", "Json", "address", "cleaned", "cleaner", "tidy"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

REMOVED: Final = "[removed]"
SHORTEST: Final = 8
"""Shorter values of variables are words, such as `true`, and no shape of a key is shorter."""

_SECRET_NAME: Final = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)S?\Z", re.IGNORECASE
)
_SHAPES: Final = re.compile(
    r"""
      (?<![A-Za-z0-9])
      (?: (?:sk|pk|rk|gsk|csk|xai|pplx|hf|r8|fw|fal|nvapi|gh[a-z]|github_pat|glpat|xox[a-z])
          [-_][A-Za-z0-9_-]{16,}
        | AIza[A-Za-z0-9_-]{30,}
        | AKIA[A-Z0-9]{16}
        | eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}
      )
    """,
    re.VERBOSE,
)
_BEARER: Final = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"""\b((?:[a-z]+[-_])*(?:key|token|secret|password|signature|sig)["']?\s*[=:]\s*["']?)"""
    r"""[^\s"'&,;)]{8,}""",
    re.IGNORECASE,
)
_USER: Final = re.compile(r"(?<=://)[^/@\s]+@")


def cleaner(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Return what takes keys out of anybody's words, those in *environ* among them."""
    values = {
        value
        for name, value in environ.items()
        if len(value) >= SHORTEST and _SECRET_NAME.search(name)
    }
    known = re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))))

    def clean(text: str) -> str:
        if len(text) < SHORTEST:
            return text
        if values:
            text = known.sub(REMOVED, text)
        return _BEARER.sub(rf"\1 {REMOVED}", _SHAPES.sub(REMOVED, text))

    return clean


def tidy(text: str, clean: Callable[[str], str]) -> str:
    """Return a message about a call without keys, by more doubtful signs too."""
    text = clean(text)
    if "=" in text or ":" in text:  # what follows looks for one of these, slowly
        text = _USER.sub("", _NAMED.sub(rf"\1{REMOVED}", text))
    return text


def address(url: str, clean: Callable[[str], str]) -> str:
    """Return *url* without what may give access: user, query, fragment."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    return tidy(bare, clean) + ("?…" if bare != url else "")


def cleaned(found: Json, clean: Callable[[str], str]) -> Json:
    """Return JSON whose strings are without keys."""
    if isinstance(found, str):
        return tidy(found, clean)
    if isinstance(found, list):
        return [cleaned(one, clean) for one in found]
    if isinstance(found, dict):
        return {
            tidy(name, clean): REMOVED
            if isinstance(one, str) and _SECRET_NAME.search(name)
            else cleaned(one, clean)
            for name, one in found.items()
        }
    return found
