"""What settings may ask of every call for text."""

from __future__ import annotations

import attrs

from ..specs import ModelSpec
from .text import Cache, Effort, TextRequest

__all__ = ["TextOptions"]


def _strings(value: object) -> tuple[str, ...] | None:
    found = (value,) if isinstance(value, str) else value
    if found is None:
        return None
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        msg = "stop: a list of strings is needed."
        raise TypeError(msg)
    return tuple(found) or None


@attrs.frozen(kw_only=True)
class TextOptions:
    """
    Options of calls for text as settings give them; the request's own class checks them.

    The attributes are those of `TextRequest`.
    """

    reasoning: Effort | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = attrs.field(default=None, converter=_strings)
    seed: int | None = None
    cache: Cache | None = None

    def __attrs_post_init__(self) -> None:
        said = attrs.asdict(self, filter=lambda _, value: value is not None)
        TextRequest(model=_ANY, messages=(), **said)


_ANY = ModelSpec(id="any")
