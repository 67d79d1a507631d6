"""Functions that a model may have called."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import anyio
import anyio.to_thread
import attrs

from ..errors import InvalidRequestError
from ..shapes import Schema, arguments_of, checked_by, name_of
from .messages import ToolCall, ToolResult
from .text import ToolSpec

__all__ = ["Approval", "Tool", "ToolLike", "spec_of", "specs_of", "tool_of"]

Approval: TypeAlias = Callable[[ToolCall], bool | Awaitable[bool]]


@attrs.frozen
class Tool:
    """
    A function that a model may have called, and how.

    A synchronous function runs in a thread, and so does a synchronous *approve*. A
    thread cannot be stopped: past *timeout*, or when the call is cancelled, it is
    left to itself.

    Args:
        run: A function with typed arguments.
        name: What the model calls it; the function's name where empty.
        description: When and how to use it; the docstring's first paragraph
            where empty.
        schema: JSON Schema of the arguments; made from the annotations where
            None. With a schema of its own, *run* takes plain JSON values.
        approve: Asked before each call; a False is told to the model.
        timeout: Seconds that one call may take, the asking left out.
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
        for field, value, is_right, need in (
            ("run", self.run, callable, "a function"),
            ("approve", bool if self.approve is None else self.approve, callable, "a function"),
            (
                "timeout",
                1 if self.timeout is None else self.timeout,
                _positive,
                "a number of seconds above 0",
            ),
        ):
            if not is_right(value):
                msg = f"{field}: {need} is needed, not {value!r}"
                raise _refused(msg)
        if self.schema is None:
            arguments = arguments_of(self.run)
            schema, read = arguments.schema, arguments.read
        else:
            schema, read = self.schema, partial(_object, checked_by(self.schema, "tools"))
        try:
            spec = ToolSpec(
                name=self.name or name_of(self.run),
                description=self.description or _summary(self.run),
                parameters=schema,
                strict=self.strict,
            )
        except ValueError as error:
            name = self.name or name_of(self.run)
            msg = f"{name!r} is no name: up to 64 letters, digits, - and _ are"
            raise _refused(msg) from error
        object.__setattr__(self, "spec", spec)
        object.__setattr__(self, "_read", read)

    async def __call__(self, call: ToolCall) -> ToolResult:
        """
        Run the function for *call*.

        Returns:
            What it gave, as text or JSON; an exception, a refusal or a time-out
            is an error result, for the model to read.
        """
        failed = False
        try:
            content = _said(await self._ran(call))
        except SystemExit:
            content, failed = _complaint(_exited()), True
        except Exception as error:  # noqa: BLE001  # the model hears of it, and may do better
            content, failed = _complaint(error), True
        # Names of files may hold what no vendor could be sent.
        content = content.encode("utf-8", "replace").decode()
        return ToolResult(call.id, content, call.name, is_error=failed)

    async def _ran(self, call: ToolCall) -> object:
        arguments = self._read(call.arguments)
        if self.approve is not None and not await _called(partial(self.approve, call)):
            msg = "the user did not allow this call"
            raise PermissionError(msg)
        with anyio.move_on_after(self.timeout):
            return await _called(partial(self.run, **arguments))
        msg = f"it took longer than {self.timeout:g} s"
        raise TimeoutError(msg)


async def _called(function: Callable[[], Any]) -> Any:
    """Call *function*, in a thread where it is synchronous."""
    if inspect.iscoroutinefunction(function):
        return await function()
    (found,) = await anyio.to_thread.run_sync(_in_thread, function, abandon_on_cancel=True)
    return await found if inspect.isawaitable(found) else found


def _in_thread(function: Callable[[], object]) -> tuple[object]:
    """Call *function*; in a tuple, since trio takes no coroutine out of a thread."""
    try:
        return (function(),)
    except SystemExit as error:  # it would end the thread, and nobody would be told
        raise _exited() from error


def _exited() -> RuntimeError:
    return RuntimeError("it tried to end the program")


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _refused(why: str) -> InvalidRequestError:
    return InvalidRequestError(f"tools: {why}.", field="tools")


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
            msg = f"two are called {name!r}"
            raise _refused(msg)
    return found


def _object(read: Callable[[str], Any], text: str) -> dict[str, Any]:
    found = read(text or "{}")
    if not isinstance(found, dict):
        msg = "the arguments are no JSON object"
        raise TypeError(msg)
    return found


def _summary(function: Callable[..., Any]) -> str:
    while isinstance(function, partial):
        function = function.func
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _said(value: object) -> str:
    """Return *value* as a model reads it."""
    if isinstance(value, str):
        return value
    import msgspec  # noqa: PLC0415  # a tool brought it already

    return msgspec.json.encode(value, enc_hook=_plain).decode()


def _plain(value: object) -> object:
    """Return what msgspec has no form for in one that it has."""
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json")
    return dict(value) if isinstance(value, Mapping) else str(value)


def _complaint(error: Exception) -> str:
    words = " ".join(str(error).split())[:2000]
    return f"Error: {type(error).__name__}: {words}" if words else f"Error: {type(error).__name__}"
