"""
A request to the body of a message.

Source: https://platform.claude.com/docs/en/api/messages/create and anthropic 2.11,
`types/message_create_params.py`; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from anymodal.modalities.text import TextRequest, WebSearch
from anymodal.shapes import Schema, asking_for

from .models import NEWEST, THINKING
from .options import AnthropicText
from .schemas import held
from .thinking import thinking_fields, thinks
from .turns import Turns

__all__ = ["API_VERSION", "COUNTED", "encode"]

API_VERSION: Final = "2026-10-21"
"""The version of the API that is spoken unless settings say otherwise."""

UNSAMPLED_SINCE: Final = "2026-10-21"
"""From this version on every model refuses sampling settings, even at their defaults.
Source: https://platform.claude.com/docs/en/api/versioning, read 2026-11-20."""

MAX_TOKENS: Final = 32_000
"""For models whose limit is unknown: the vendor wants a number, and none since
Claude 4 has a lower limit."""

COUNTED: Final = frozenset(
    {"cache_control", "messages", "model", "output_config", "speed", "system"}
    | {"thinking", "tool_choice", "tools"}
)
"""Fields that may stand in a request to count tokens.
Source: anthropic 2.11, `types/message_count_tokens_params.py`; read 2026-11-20."""


def encode(
    request: TextRequest, provider: str, *, stream: bool, version: str = API_VERSION
) -> dict[str, object]:
    """
    Return the body of *request*.

    Args:
        request: Takes the warnings of what the vendor cannot do.
        provider: Id of the provider, whose state goes back to the vendor.
        stream: Whether events are wanted.
        version: Of the API.

    Raises:
        InvalidRequestError: A tool call's arguments are no JSON object.
        UnsupportedFeatureError: The vendor has no form for a part.
    """
    option = request.option(AnthropicText)
    turns = Turns(provider, request, citations=bool(option and option.citations))
    max_tokens = request.max_tokens or request.model.max_output_tokens or MAX_TOKENS
    body: dict[str, object] = {
        "model": request.model.id,
        "max_tokens": max_tokens,
        "messages": turns.all(),
    }
    if request.system is not None and request.system.strip():
        body["system"] = request.system
    _add_tools(body, request, option)
    _merge(body, thinking_fields(request, option, max_tokens))
    if request.schema is not None:
        _add_schema(body, request, request.schema)
    _add_settings(body, request, option, version)
    if request.cache is not None:
        _add_cache(body, request, option)
    if stream:
        body["stream"] = True
    if option is not None:
        _add_option(body, option)
    return body


def _merge(body: dict[str, object], more: Mapping[str, object]) -> None:
    """Put *more* into *body*: objects are merged, lists joined, all else replaced."""
    for name, value in more.items():
        there = body.get(name)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            inner = dict(there)
            _merge(inner, value)
            body[name] = inner
        elif isinstance(there, list) and isinstance(value, list):
            body[name] = [*there, *value]
        else:
            body[name] = value


# -- tools and schemas ----------------------------------------------------------------


def _add_tools(body: dict[str, object], request: TextRequest, option: AnthropicText | None) -> None:
    tools: list[dict[str, object]] = []
    for tool in request.tools:
        made: dict[str, object] = {"name": tool.name, "input_schema": tool.parameters}
        if tool.description:
            made["description"] = tool.description
        schema = held(tool.parameters, request, "tools") if tool.strict else None
        if schema is not None:
            made |= {"strict": True, "input_schema": schema}
        tools.append(made)
    if request.web_search is not None:
        tools.append(_search_tool(request, request.web_search, option or AnthropicText()))
    if not tools:
        return
    body["tools"] = tools
    choice = _tool_choice(request)
    if option is not None and option.parallel_tool_calls is not None and choice != {"type": "none"}:
        choice = {
            **(choice or {"type": "auto"}),
            "disable_parallel_tool_use": not option.parallel_tool_calls,
        }
    if choice is not None:
        body["tool_choice"] = choice


def _tool_choice(request: TextRequest) -> dict[str, object] | None:
    choice = request.tool_choice
    if choice is None:
        return None
    if choice in {"auto", "none"}:
        return {"type": choice}
    if not THINKING.get(request.model.id, NEWEST).forced:
        request.warn("tool_choice", f"'auto' instead: {request.model.id} cannot be told to call")
        return {"type": "auto"}
    return {"type": "any"} if choice == "required" else {"type": "tool", "name": choice}


def _search_tool(
    request: TextRequest, search: WebSearch, option: AnthropicText
) -> dict[str, object]:
    found: dict[str, object] = {"type": option.web_search_tool, "name": "web_search"}
    if search.max_uses is not None:
        found["max_uses"] = search.max_uses
    if search.domains:
        found["allowed_domains"] = list(search.domains)
    if search.blocked_domains and not search.domains:
        found["blocked_domains"] = list(search.blocked_domains)
    elif search.blocked_domains:
        request.warn("web_search", "blocked_domains left out; the vendor takes only one list")
    if search.country is not None:
        found["user_location"] = {"type": "approximate", "country": search.country}
    return found


def _add_schema(body: dict[str, object], request: TextRequest, schema: Schema) -> None:
    found = held(schema, request, "schema")
    if found is not None:
        _merge(body, {"output_config": {"format": {"type": "json_schema", "schema": found}}})
    else:
        asked = asking_for(schema)
        body["system"] = f"{body['system']}\n\n{asked}" if "system" in body else asked


# -- settings -------------------------------------------------------------------------


def _add_settings(
    body: dict[str, object], request: TextRequest, option: AnthropicText | None, version: str
) -> None:
    wanted = {"temperature": request.temperature, "top_p": request.top_p}
    if option is not None:
        wanted["top_k"] = option.top_k
    why = _unsampled(request, version)
    for setting, value in wanted.items():
        if value is not None and why:
            request.warn(setting, f"left out, because {why}")
        elif value is not None:
            body[setting] = value
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    if request.seed is not None:
        request.warn("seed", "left out, because the vendor has no field for it")
    if request.end_user is not None:
        body["metadata"] = {"user_id": request.end_user}


def _unsampled(request: TextRequest, version: str) -> str:
    """Return why sampling settings are refused; nothing where they are not."""
    if version >= UNSAMPLED_SINCE:
        return f"version {version} of the API refuses it; set api_version = '2023-06-01'"
    if request.model.capabilities.get("sampling") is False:
        return f"{request.model.id} refuses it"
    return "the model thinks" if thinks(request) else ""


def _add_cache(body: dict[str, object], request: TextRequest, option: AnthropicText | None) -> None:
    """
    Mark what is to be cached.

    A mark covers all before it: tools, then system, then messages. One beside the
    messages counts for the last block that can have it. Source:
    https://platform.claude.com/docs/en/build-with-claude/prompt-caching, read 2026-11-20.
    """
    mark: dict[str, object] = {"type": "ephemeral"}
    if option is not None and option.cache_ttl is not None:
        mark["ttl"] = option.cache_ttl
    if request.cache == "conversation":
        body["cache_control"] = mark
    elif "system" in body:
        body["system"] = [{"type": "text", "text": body["system"], "cache_control": mark}]
    elif "tools" in body:
        cast("list[dict[str, object]]", body["tools"])[-1]["cache_control"] = mark


def _add_option(body: dict[str, object], option: AnthropicText) -> None:
    for name in ("service_tier", "speed", "inference_geo"):
        value = getattr(option, name)
        if value is not None:
            body[name] = value
    _merge(body, option.extra_body)
