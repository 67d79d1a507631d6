"""What is known of a call beside its words, as a row and as JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Final

import attrs
from anymodal import errors as e
from anymodal.events import CallEnded
from anymodal.media import Media
from anymodal.modalities.batches import BatchLine
from anymodal.modalities.messages import Message
from anymodal.modalities.text import TextResult, ToolSpec
from anymodal.usage import Attempt, Cost, Record, Usage

from .content import fields_of
from .secrecy import Json, cleaned, tidy

__all__ = ["COLUMNS", "instant", "row_of"]

COLUMNS: Final = (
    "id", "started_at", "modality", "operation", "provider", "instance", "model", "plugin",
    "request_id", "scope", "outcome", "error_code", "error", "seconds", "first_event_seconds",
    "input_tokens", "output_tokens", "usd", "facts",
)  # fmt: skip
"""Of the table of calls, in order."""

_NO_SETTINGS: Final = {
    "model", "messages", "system", "prompt", "input", "text", "texts", "query", "options",
    "deadlines", "warnings", "raw", "strict",
}  # fmt: skip


def instant(when: dt.datetime) -> str:
    """Return *when* in the form in which the file has it, which sorts as text."""
    return when.astimezone(dt.UTC).isoformat(timespec="milliseconds")


def row_of(
    event: CallEnded, clean: Callable[[str], str], *, content: bool
) -> tuple[str | int | float | None, ...]:
    """
    Return the values of `COLUMNS` for a call that has ended.

    Args:
        event: What was told of it.
        clean: Takes keys out of words.
        content: Whether words of others may be kept, such as a vendor's about an error.
    """
    record, usage = event.record, event.record.usage
    error = None if event.error is None else _error(event.error, content=content)
    facts = json.dumps(cleaned(_facts(event, content=content), clean), separators=(",", ":"))
    words = (
        record.modality, record.operation, record.provider, record.instance, record.model,
        record.plugin, record.request_id or "", record.scope,
    )  # fmt: skip
    return (
        record.id,
        instant(record.started_at or dt.datetime.now(dt.UTC)),
        *(_plain(tidy(one, clean)) for one in words),
        _outcome(event),
        None if error is None else str(error["code"]),
        None if error is None or "message" not in error else _plain(tidy(error["message"], clean)),
        record.seconds,
        record.first_event_seconds,
        None if usage is None else usage.input_tokens,
        None if usage is None else usage.output_tokens,
        None if record.cost.usd is None else float(record.cost.usd),
        facts,
    )


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _outcome(event: CallEnded) -> str:
    """Return `ok`, `error`, or `left` where the caller did not wait for the end."""
    if event.error is None:
        return "left" if isinstance(event.answer, Message) else "ok"
    return "error" if isinstance(event.error, Exception) else "left"


def _error(error: BaseException, *, content: bool) -> dict[str, str]:
    """Return what to keep of *error*. The words of one that is not ours may hold a key."""
    if not isinstance(error, e.AnymodalError):
        return {"code": type(error).__name__}
    return {"code": error.code, "message": str(error)} if content else {"code": error.code}


def _facts(event: CallEnded, *, content: bool) -> dict[str, Json]:
    record = event.record
    found: dict[str, Json] = {
        "attempts": [_attempt(one, content=content) for one in record.attempts],
        "usage": _usage(record.usage),
        "cost": _cost(record.cost),
        "warnings": _warnings(record),
        "tags": {str(name): str(value) for name, value in record.tags.items()},
    }
    if isinstance(event.answer, TextResult):
        found["finish_reason"] = event.answer.finish.reason
    if isinstance(token := getattr(event.answer, "token", None), str):
        found["job"] = token  # the way back to it, which holds no key
    if content:
        found["settings"] = _settings(event.request)
    return found


def _attempt(one: Attempt, *, content: bool) -> Json:
    return {
        "provider": one.provider,
        "instance": one.instance,
        "model": one.model,
        "seconds": one.seconds,
        "error": None if one.error is None else {**_error(one.error, content=content)},
    }


def _usage(usage: Usage | None) -> Json:
    if usage is None:
        return None
    found: dict[str, Json] = {
        field.name: value
        for field in attrs.fields(Usage)
        if isinstance(value := getattr(usage, field.name), int)
    }
    if usage.units:
        found["units"] = [
            {"unit": one.unit, "amount": str(one.amount), "size": one.size or ""}
            for one in usage.units
        ]
    return found


def _cost(cost: Cost) -> Json:
    return {"source": cost.source, "as_of": None if cost.as_of is None else cost.as_of.isoformat()}


def _warnings(record: Record) -> Json:
    return [{"setting": one.setting, "message": one.message} for one in record.warnings]


def _settings(request: object) -> Json:
    """Return what was asked for beside the words. Of options, which may hold headers, the names."""
    if isinstance(request, tuple) and request and isinstance(request[0], BatchLine):
        request = request[0].request
    said: dict[str, Json] = {}
    for field in fields_of(request):
        if field.name not in _NO_SETTINGS and field.repr:
            known = _simple(getattr(request, field.name))
            if known is not None:
                said[field.name] = known
    options = [type(one).__name__ for one in getattr(request, "options", ())]
    return {**said, "options": list[Json](options)} if options else said


def _simple(value: object) -> Json:
    """Return *value* as JSON; None where it is no simple one."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | ToolSpec):
        return (value if isinstance(value, str) else value.name) or None
    if isinstance(value, list | tuple):
        found = [_simple(one) for one in value]
        return found if any(one is not None for one in found) else None
    if isinstance(value, Mapping):
        return {str(name): _simple(one) for name, one in value.items()}
    if fields_of(value) and not isinstance(value, Media):
        said = {f.name: _simple(getattr(value, f.name)) for f in fields_of(value) if f.repr}
        return {name: one for name, one in said.items() if one is not None} or None
    return None
