"""Functions that a model may have called."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import anyio
import anyio.to_thread
import attrs

from ..errors import InvalidRequestError
from ..shapes import Schema, arguments_of
from .messages import ToolCall, ToolResult
from .text import ToolSpec

__all__ = ["Approval", "Tool", "ToolLike", "spec_of", "tool_of"]

Approval: TypeAlias = Callable[[ToolCall], bool | Awaitable[bool]]


@attrs.frozen
class Tool:
    """
    A function that a model may have called, and how.

    Args:
        run: A function with typed arguments. A synchronous one runs in a thread.
        name: What the model calls it; the function's name where empty.
        description: When and how to use it; the docstring's first paragraph
            where empty.
        schema: JSON Schema of the arguments; made from the annotations where
            None. With a schema of its own, *run* takes what it is given.
        approve: Asked before each call; a False is told to the model.
        timeout: Seconds that one call may take.
        strict: Whether the vendor should hold the model to the schema.

    Raises:
        InvalidRequestError: The arguments have no types that JSON can carry.
    """

    run: Callable[..., Any]
    name: str = attrs.field(default="", kw_only=True)
    description: str = attrs.field(default="", kw_only=True)
    schema: Schema | None = attrs.field(default=None, kw_only=True)
    approve: Approval | None = attrs.field(default=None, kw_only=True)
    timeout: float | None = attrs.field(default=None, kw_only=True)
    strict: bool = attrs.field(default=False, kw_only=True)
    spec: ToolSpec = attrs.field(init=False, repr=False, eq=False)
    _read: Callable[[str], dict[str, Any]] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if not callable(self.run):
            msg = f"tools: {self.run!r} is no function."
            raise InvalidRequestError(msg, field="tools")
        if self.timeout is not None and not self.timeout > 0:
            msg = f"tools: timeout is a number of seconds above 0, not {self.timeout!r}."
            raise InvalidRequestError(msg, field="tools")
        if self.schema is None:
            arguments = arguments_of(self.run)
            schema, read = arguments.schema, arguments.read
        else:
            schema, read = self.schema, _object
        try:
            spec = ToolSpec(
                name=self.name or getattr(self.run, "__name__", ""),
                description=self.description or _summary(self.run),
                parameters=schema,
                strict=self.strict,
            )
        except ValueError as error:
            msg = f"tools: {self.name or self.run!r} needs a name of letters, digits, - and _."
            raise InvalidRequestError(msg, field="tools") from error
        object.__setattr__(self, "spec", spec)
        object.__setattr__(self, "_read", read)

    async def __call__(self, call: ToolCall) -> ToolResult:
        """
        Run the function for *call*.

        Returns:
            What it gave, as text or JSON; an exception, a refusal or a time-out
            is an error result, for the model to read.
        """
        try:
            content = _said(await self._ran(call))
        except Exception as error:  # noqa: BLE001  # the model hears of it, and may do better
            return ToolResult(call.id, _complaint(error), call.name, is_error=True)
        return ToolResult(call.id, content, call.name)

    async def _ran(self, call: ToolCall) -> object:
        arguments = self._read(call.arguments)
        if self.approve is not None:
            allowed = self.approve(call)
            if not (await allowed if inspect.isawaitable(allowed) else allowed):
                msg = "the user did not allow this call"
                raise PermissionError(msg)
        with anyio.fail_after(self.timeout):
            if inspect.iscoroutinefunction(self.run):
                return await self.run(**arguments)
            found = await anyio.to_thread.run_sync(
                partial(self.run, **arguments), abandon_on_cancel=True
            )
            return await found if inspect.isawaitable(found) else found


ToolLike: TypeAlias = Tool | ToolSpec | Callable[..., Any]
"""A tool, the mere description of one, or a function with typed arguments."""


def tool_of(tool: Tool | Callable[..., Any]) -> Tool:
    """Return *tool* as a `Tool`."""
    return tool if isinstance(tool, Tool) else Tool(tool)


def spec_of(tool: ToolLike) -> ToolSpec:
    """
    Return what the model is told of *tool*.

    Raises:
        InvalidRequestError: Its arguments have no types that JSON can carry.
    """
    return tool if isinstance(tool, ToolSpec) else tool_of(tool).spec


def specs_of(tools: Sequence[ToolLike]) -> tuple[ToolSpec, ...]:
    """
    Return what the model is told of *tools*.

    Raises:
        InvalidRequestError: Two share a name.
    """
    found = tuple(spec_of(tool) for tool in tools)
    names = [spec.name for spec in found]
    for name in names:
        if names.count(name) > 1:
            msg = f"tools: two are called {name!r}."
            raise InvalidRequestError(msg, field="tools")
    return found


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text or "{}")
    if not isinstance(found, dict):
        msg = "the arguments are no JSON object"
        raise TypeError(msg)
    return found


def _summary(function: Callable[..., Any]) -> str:
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _said(value: object) -> str:
    """Return *value* as a model reads it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | tuple | int | float | bool | None):
        return json.dumps(value, ensure_ascii=False, default=str)
    import msgspec  # noqa: PLC0415  # dataclasses, dates and their like

    return msgspec.json.encode(value).decode()


def _complaint(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "Error: it took too long."
    words = " ".join(str(error).split())[:2000]
    return f"Error: {type(error).__name__}: {words}" if words else f"Error: {type(error).__name__}"
