"""The tools of a conversation that goes on while they run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

import attrs

from .. import errors as e
from ..modalities.live import ResponseDone, ToolRequested
from ..modalities.messages import ToolCall, ToolResult
from ..modalities.realtime import ToolResults
from ..modalities.text import ToolSpec
from ..modalities.tools import Tool, ToolLike, specs_of, tool_of
from .chat_stream import ToolRan

__all__ = ["ToolRounds"]

Told = Callable[[ToolResults], Awaitable[None]]
Ran = Callable[[ToolRan], Awaitable[None]]
Do = Callable[[Callable[[], Awaitable[None]]], None]


@attrs.define(eq=False)
class _Round:
    """What one answer asked for, and what came of it."""

    calls: list[ToolCall] = attrs.field(factory=list)
    results: dict[str, ToolResult] = attrs.field(factory=dict)
    is_over: bool = False
    responds: bool = True

    @property
    def is_answered(self) -> bool:
        return self.is_over and all(call.id in self.results for call in self.calls)


class ToolRounds:
    """
    Runs the tools that the model asks for, each at once, and sends what all of a round gave.

    Tools that are a mere `ToolSpec` are the caller's; `answer` takes their results.

    Args:
        tools: What the model may ask for.
        most: How often the model may ask for tools before it says something.

    Raises:
        InvalidRequestError: A tool is none, or two share a name.
    """

    def __init__(self, tools: Sequence[ToolLike], most: int) -> None:
        if type(most) is not int or most < 1:
            msg = f"max_rounds: a whole number above 0 is needed, not {most!r}."
            raise e.InvalidRequestError(msg, field="max_rounds")
        every = [one if isinstance(one, ToolSpec) else tool_of(one) for one in tools]
        self.specs = specs_of(every)
        self._ours = {one.spec.name: one for one in every if isinstance(one, Tool)}
        self._theirs = {one.name for one in every if isinstance(one, ToolSpec)}
        self._most = most
        self._rounds = [_Round()]
        self._in_a_row = 0

    def heed(self, event: object, do: Do, ran: Ran, told: Told) -> None:
        """
        Take note of an event, and do what it calls for.

        Args:
            event: What the model's side said.
            do: Does something beside the conversation.
            ran: Takes word of a tool that has run.
            told: Takes the results of a round.

        Raises:
            RoundsExceededError: The model asks for nothing but tools.
        """
        if isinstance(event, ToolRequested):
            call, now = event.call, self._rounds[-1]
            now.calls.append(call)
            if call.name not in self._theirs:
                do(partial(self._run, call, now, ran, told))
        elif isinstance(event, ResponseDone):
            self._end(event, do, told)

    def _end(self, event: ResponseDone, do: Do, told: Told) -> None:
        now = self._rounds[-1]
        if not now.calls:
            self._in_a_row = 0
            return
        now.is_over, now.responds = True, event.reason == "tool_calls"
        self._rounds.append(_Round())
        self._in_a_row += 1
        if self._in_a_row > self._most:
            msg = f"The model still asks for tools after {self._most} rounds (max_rounds)."
            raise e.RoundsExceededError(msg)
        do(partial(self._tell, now, told))

    async def _run(self, call: ToolCall, now: _Round, ran: Ran, told: Told) -> None:
        tool = self._ours.get(call.name)
        result = self._unknown(call) if tool is None else await tool(call)
        await ran(ToolRan(call, result))
        now.results[call.id] = result
        await self._tell(now, told)

    def _unknown(self, call: ToolCall) -> ToolResult:
        known = ", ".join((*self._ours, *self._theirs)) or "none"
        words = f"Error: there is no tool {call.name!r}; there are: {known}."
        return ToolResult(call.id, words, call.name, is_error=True)

    async def _tell(self, now: _Round, told: Told) -> None:
        if now in self._rounds and now.is_answered:
            self._rounds = [one for one in self._rounds if one is not now]
            results = tuple(now.results[call.id] for call in now.calls)
            await told(ToolResults(results, responds=now.responds))

    async def answer(self, results: Iterable[ToolResult], told: Told) -> None:
        """
        Take results of tools that are the caller's.

        Raises:
            InvalidRequestError: Nobody asked for one of them.
        """
        for result in results:
            now = self._asking(result)
            now.results[result.id] = result
            await self._tell(now, told)

    def _asking(self, result: ToolResult) -> _Round:
        if isinstance(result, ToolResult):
            for one in self._rounds:
                if result.id not in one.results and any(c.id == result.id for c in one.calls):
                    return one
        msg = f"results: no call is waiting for {getattr(result, 'id', result)!r}."
        raise e.InvalidRequestError(msg, field="results")
