"""Options of one vendor, on their way into a request's body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

import attrs
from anymodal.modalities.text import TextOption, TextRequest

__all__ = ["Api", "CompatibleOption", "WireOption"]

Api: TypeAlias = Literal["chat", "responses"]


@attrs.frozen(kw_only=True)
class WireOption(TextOption):
    """
    Base of the options of vendors that speak a shared protocol.

    A vendor's class adds fields and turns them into fields of the body in
    `fields`. Vendors' classes do not derive from one another, because a
    request's options for one vendor must not count for the next.

    Args:
        extra_body: Fields of the body, sent unchecked. Objects are merged with
            what is there, lists are joined, all else is replaced.
        extra_headers: Headers, sent unchecked.
    """

    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def fields(self, api: Api, request: TextRequest) -> Mapping[str, object]:
        """
        Return the fields of the body that these options mean.

        Args:
            api: The protocol of the request.
            request: Takes the warnings of what *api* cannot do.
        """
        del api, request
        return {}


@attrs.frozen(kw_only=True)
class CompatibleOption(WireOption):
    """
    Options for endpoints of one's own.

    Args:
        top_k: How many tokens to sample from, where the server knows that.
        min_p: Share of the likeliest token below which none is sampled.
        repetition_penalty: Above 1 to discourage repetition.
        frequency_penalty: From -2 to 2.
        presence_penalty: From -2 to 2.
        parallel_tool_calls: Whether one answer may hold several tool calls.
    """

    provider: ClassVar[str] = "openai-compatible"

    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    parallel_tool_calls: bool | None = None

    def fields(self, api: Api, request: TextRequest) -> Mapping[str, object]:
        """Return the fields that were given; servers differ in which they know."""
        del api, request
        found: dict[str, object] = {
            "top_k": self.top_k,
            "min_p": self.min_p,
            "repetition_penalty": self.repetition_penalty,
            "frequency_penalty": self.frequency_penalty,
            "presence_penalty": self.presence_penalty,
            "parallel_tool_calls": self.parallel_tool_calls,
        }
        return {name: value for name, value in found.items() if value is not None}
