"""What a model does not take, though the API does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from anymodal.specs import ModelSpec
from anymodal_emulator.app import RefusedError

from ..models import NEWEST, THINKING, Thinking

__all__ = ["check_settings"]

Json = Mapping[str, object]

DEPRECATED_BUDGETS: Final = ("claude-opus-4-6", "claude-sonnet-4-6")
"""Of the models that decide themselves how much to think, those that still take a budget."""
UNSUPPORTED: Final = frozenset(
    {"exclusiveMaximum", "exclusiveMinimum", "maximum", "maxItems", "maxLength", "minimum"}
    | {"minLength", "multipleOf", "oneOf", "patternProperties", "uniqueItems"}
)


def check_settings(body: Json, model: ModelSpec) -> None:
    """
    Hold *body* against what *model* takes.

    Raises:
        RefusedError: It takes not all of it.
    """
    known = THINKING.get(model.id, NEWEST)
    most, room = model.max_output_tokens, cast("int | None", body.get("max_tokens"))
    if most is not None and room is not None and room > most:
        words = f"{room} > {most}, which is the maximum allowed number of output tokens for"
        _refuse("max_tokens", f"{words} {model.id}")
    _check_output(body, known)
    _check_choice(body, known)
    for index, tool in enumerate(cast("list[Json]", body.get("tools") or [])):
        if tool.get("strict") and "input_schema" in tool:
            _check_schema(f"tools[{index}].input_schema", tool["input_schema"])
    if any(not str(mark).strip() for mark in cast("list[str]", body.get("stop_sequences") or [])):
        _refuse("stop_sequences", "each stop sequence must contain non-whitespace")
    if "temperature" in body and "top_p" in body:
        _refuse("", "`temperature` and `top_p` cannot both be specified for this model.")
    for name in ("temperature", "top_p", "top_k"):
        if name in body and model.capabilities.get("sampling") is False:
            _refuse("", f"`{name}` is deprecated for this model.")
    _check_thinking(body, model.id, known)


def _refuse(at: str, words: str) -> None:
    raise RefusedError(kind="other", param=at, got=words)


def _check_output(body: Json, known: Thinking) -> None:
    output = cast("Json", body.get("output_config") or {})
    effort = output.get("effort")
    if effort is not None and effort not in known.efforts:
        have = ", ".join(known.efforts) or "none"
        _refuse("", f"This model does not support effort level '{effort}'. Supported: {have}.")
    if output.get("format"):
        _check_schema("output_config.format.schema", cast("Json", output["format"])["schema"])
        if "'citations': {'enabled': True}" in str(body["messages"]):
            _refuse("", "Citations cannot be used with output_config.format.")


def _check_thinking(body: Json, model: str, known: Thinking) -> None:
    if "thinking" not in body:
        return
    thinking = cast("Json", body["thinking"])
    kind = str(thinking["type"])
    effort = cast("Json", body.get("output_config") or {}).get("effort")
    taken = {"adaptive"} if known.adaptive else {"enabled", "disabled"}
    taken |= {"default": {"disabled"}, "asked": {"disabled"}, "between": {"between_tools"}}.get(
        known.mode, set()
    )
    if model.startswith(DEPRECATED_BUDGETS):
        taken.add("enabled")
    if kind not in taken:
        words = f'"thinking.type.{kind}" is not supported for this model.'
        _refuse("", f'{words} Use "thinking.type.adaptive" and "output_config.effort".')
    if kind in {"disabled", "between_tools"} and effort in {"xhigh", "max"}:
        _refuse("", f'"thinking.type.{kind}" is not supported at effort {effort!r}.')
    if kind == "enabled":
        _check_budget(body, thinking)


def _check_budget(body: Json, thinking: Json) -> None:
    if "budget_tokens" not in thinking:
        raise RefusedError(kind="missing", param="thinking.enabled.budget_tokens")
    if cast("int", body.get("max_tokens", 1 << 30)) <= cast("int", thinking["budget_tokens"]):
        _refuse("", "`max_tokens` must be greater than `thinking.budget_tokens`.")
    if cast("Json", body.get("tool_choice") or {}).get("type") in {"any", "tool"}:
        _refuse("", "Thinking may not be enabled when tool_choice forces tool use.")
    if "temperature" in body or "top_k" in body:
        _refuse("", "`temperature` may only be set to 1 when thinking is enabled.")


def _check_choice(body: Json, known: Thinking) -> None:
    kind = cast("Json", body.get("tool_choice") or {}).get("type")
    if kind in {"any", "tool"} and not known.forced:
        _refuse("tool_choice", 'type "tool" and "any" are not supported for this model')


def _check_schema(at: str, schema: object) -> None:
    for found in _schemas(schema):
        if found.get("type") == "object" and found.get("additionalProperties") is not False:
            words = "For 'object' type, 'additionalProperties' must be explicitly set to false"
            _refuse(at, words)
        if strange := sorted(UNSUPPORTED & found.keys()):
            words = f"properties {', '.join(strange)} are not supported"
            _refuse(at, f"For '{found.get('type')}' type, {words}")
        types, values = found.get("type"), cast("list[object]", found.get("enum") or [])
        if isinstance(types, list) and values:
            _refuse(at, f"Enum value {values[0]!r} does not match declared type '{types}'")


def _schemas(schema: object) -> Iterator[Json]:
    """Iterate over *schema* and the schemas within it."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for key in ("properties", "$defs", "definitions"):
        for inner in cast("Json", schema.get(key) or {}).values():
            yield from _schemas(inner)
    for key in ("anyOf", "allOf", "oneOf"):
        for inner in cast("list[object]", schema.get(key) or []):
            yield from _schemas(inner)
    yield from _schemas(schema.get("items"))
