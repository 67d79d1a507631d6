"""Groq's own habits with the protocol, and what only Groq can be asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal

import attrs
from anymodal.errors import OverloadedError
from anymodal.modalities.messages import Citation
from anymodal.modalities.text import TextRequest
from anymodal_openai_compatible.options import Api, WireOption
from anymodal_openai_compatible.quirks import Quirks

from .models import MODEL_BODIES, OWN_EFFORTS

__all__ = ["QUIRKS", "GroqText", "sources"]


@attrs.frozen(kw_only=True)
class GroqText(WireOption):
    """
    Options for text from Groq. `None` means the vendor's default.

    Args:
        service_tier: `flex` fails fast where there is no capacity.
        parallel_tool_calls: Whether one answer may hold several tool calls.
        disable_tool_validation: Whether tools may be called that were not offered.
        extra_body: Fields of the body, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "groq"

    service_tier: Literal["auto", "on_demand", "flex", "performance"] | None = None
    parallel_tool_calls: bool | None = None
    disable_tool_validation: bool | None = None

    def fields(self, api: Api, request: TextRequest) -> Mapping[str, object]:
        """Return the fields that were given."""
        del api, request
        names = ("service_tier", "parallel_tool_calls", "disable_tool_validation")
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value is not None}


def sources(found: Mapping[str, Any]) -> Iterator[Citation]:
    """Iterate over the pages that a search of Groq's own brought into a message or delta."""
    for tool in found.get("executed_tools") or ():
        searched = tool.get("search_results") or {}
        for page in (*(searched.get("results") or ()), *(tool.get("browser_results") or ())):
            if page.get("url"):
                yield Citation(page["url"], page.get("title") or "")


QUIRKS: Final = Quirks(
    option=GroqText,
    max_tokens_field="max_completion_tokens",
    stream_options=False,
    reasoning_fields=("reasoning",),
    reasoning_back="reasoning",
    own_efforts=OWN_EFFORTS,
    model_bodies=MODEL_BODIES,
    web_search={"tools": [{"type": "browser_search"}]},
    schemas_streamed=False,
    schemas_with_tools=False,
    extension="x_groq",
    sources=sources,
    statuses={498: OverloadedError},
)
"""
The API refuses fields that it does not know, `stream_options` among them; a
stream's usage comes in `x_groq`. Sources: Groq's OpenAPI description as of groq
1.7.0; https://console.groq.com/docs/structured-outputs (neither streams nor tools
with a schema), /docs/browser-search and /docs/flex-processing (status 498); read
2026-11-20.
"""
