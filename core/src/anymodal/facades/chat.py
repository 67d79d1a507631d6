"""A conversation that is kept, and whose tools are run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import anyio
import attrs

from .. import errors as e
from ..call import Call
from ..modalities.messages import Message, Part, Prompt, ToolCall, ToolResult, messages_of
from ..modalities.text import OutputT, TextResult, ToolSpec
from ..modalities.tools import Tool, tool_of
from ..shapes import Schema
from ..specs import Deadlines
from .asking import Asked
from .chat_stream import ChatEvent, ChatStream, ToolRan
from .text_stream import TextStream

if TYPE_CHECKING:
    from ..usage import Record

__all__ = ["Chat", "ChatEvent", "ChatStream", "ToolRan"]

FORMAT: Final = 1


Begin: TypeAlias = Callable[[str, float | Deadlines | None], Call]
Ask: TypeAlias = Callable[[Call], Awaitable[TextResult]]


class Chat:
    """
    A conversation that is kept, and whose tools are run; made by `ai.text.chat`.

    `generate` and `stream` say something and go on until the model asks for no
    more tools. To go step by step: `add`, then `step` and `run_tools` in turns.
    Where the model asks for a tool that is a mere `ToolSpec`, its answer is returned
    with the call in `pending`; say its `ToolResult` to go on.

    Attributes:
        messages: The conversation so far; may be edited between turns.
        records: What is known about each of its calls.
    """

    def __init__(
        self,
        begin: Begin,
        ask: Ask,
        asked: Asked,
        *,
        max_rounds: int = 8,
        restore: Mapping[str, object] | None = None,
    ) -> None:
        if not isinstance(max_rounds, int) or max_rounds < 1:
            msg = f"max_rounds: a whole number above 0 is needed, not {max_rounds!r}."
            raise e.InvalidRequestError(msg, field="max_rounds")
        tools = [one if isinstance(one, ToolSpec) else tool_of(one) for one in asked.tools]
        self._begin = begin
        self._ask = ask
        self._asked = attrs.evolve(asked, tools=tools)
        self._tools = {tool.spec.name: tool for tool in tools if isinstance(tool, Tool)}
        self._not_ours = {spec.name for spec in self._asked.specs} - self._tools.keys()
        self.max_rounds = max_rounds
        self.messages: list[Message] = _restored(restore) if restore is not None else []
        self.records: list[Record] = []

    # -- all at once ------------------------------------------------------------------

    async def generate(
        self,
        prompt: Prompt,
        *,
        output: type[OutputT] | Schema | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
    ) -> TextResult[OutputT]:
        """
        Say *prompt*, run the tools that the model asks for, and return its last answer.

        Args:
            prompt: As `TextFacade.generate` takes it.
            output: The shape of the last answer, over that of the chat.
            timeout: For each of the calls.

        Raises:
            RoundsExceededError: The model went on asking for tools; `messages`
                has the conversation.
            AnymodalError: As `TextFacade.generate` does. The conversation stays as
                far as it came, and `step` goes on from there.
        """
        self.add(prompt)
        for _ in range(self.max_rounds):
            reply = await self.step(output=output, timeout=timeout)
            await self.run_tools()
            if self.pending or not reply.tool_calls:
                return reply
        raise self._exceeded()

    def stream(
        self,
        prompt: Prompt,
        *,
        output: type[OutputT] | Schema | None = None,
        timeout: float | Deadlines | None = None,
    ) -> ChatStream[OutputT]:
        """
        Say *prompt* and stream what follows, tools included; see `generate`.

        Returns:
            A stream, to be entered. Its events are those of all rounds, with a
            `ToolRan` for each tool; the last of them is the only `Finish`.
        """
        return ChatStream(self, prompt, output, timeout)

    # -- step by step --------------------------------------------------------------------

    def add(self, prompt: Prompt) -> None:
        """
        Add to the conversation without asking the model.

        Tools that were asked for and never run to their end are answered for, as
        failed, when something other than results is said.

        Raises:
            InvalidRequestError: It is empty, or no prompt.
        """
        said = messages_of(prompt)
        parts = [part for message in said for part in message.parts]
        results = [part for part in parts if isinstance(part, ToolResult)]
        if len(results) == len(parts):
            self._answer(results)
            return
        given = {result.id for result in results}
        self._answer([_not_run(call) for call in self.pending if call.id not in given])
        self.messages.extend(said)

    async def step(
        self,
        *,
        output: type[OutputT] | Schema | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
    ) -> TextResult[OutputT]:
        """
        Ask the model once, and add its answer to the conversation.

        Raises:
            InvalidRequestError: Tools that the model asked for have not been run.
            AnymodalError: As `TextFacade.generate` does.
        """
        asked = self._asked_now(output)
        call = self._begin("generate", timeout)
        call.asked = asked
        self.records.append(call.record)
        reply = await call.through(self._ask)
        self.messages.append(reply.message)
        return reply

    @property
    def pending(self) -> tuple[ToolCall, ...]:
        """The tools that the model asked for and that have no result yet."""
        calls, results = self._round()
        answered = Counter(result.id for result in results)
        found: list[ToolCall] = []
        for call in calls:
            if answered[call.id]:
                answered[call.id] -= 1
            else:
                found.append(call)
        return tuple(found)

    def _round(self) -> tuple[list[ToolCall], list[ToolResult]]:
        """Return what the model's last turn asked for, and the results since."""
        results: list[ToolResult] = []
        for message in reversed(self.messages):
            results += [part for part in message.parts if isinstance(part, ToolResult)]
            if message.role == "assistant":
                return [part for part in message.parts if isinstance(part, ToolCall)], results
        return [], results

    async def run_tools(self) -> tuple[ToolRan, ...]:
        """
        Run all pending tools at once, and add their results to the conversation.

        When this is cancelled, the results that were there are kept, and the other
        tools stay pending. Tools that only the caller can run do so too.
        """
        calls = [call for call in self.pending if call.name not in self._not_ours]
        results: dict[int, ToolResult] = {}

        async def run(place: int, call: ToolCall) -> None:
            tool = self._tools.get(call.name)
            results[place] = _unknown(call, self._tools) if tool is None else await tool(call)

        try:
            async with anyio.create_task_group() as group:
                for place, call in enumerate(calls):
                    group.start_soon(run, place, call)
        finally:
            self._answer(list(results.values()))
        return tuple(ToolRan(call, results[place]) for place, call in enumerate(calls))

    def _answer(self, results: list[ToolResult]) -> None:
        """Add *results*; all of one round stand in one message, in the order of its calls."""
        if not results:
            return
        places = {call.id: place for place, call in enumerate(self._round()[0])}
        parts: list[Part] = [*results]
        if self.messages and _only_results(self.messages[-1]):
            parts = [*self.messages.pop().parts, *parts]
        parts.sort(key=lambda part: places.get(getattr(part, "id", ""), len(places)))
        self.messages.append(Message("user", tuple(parts)))

    def _asked_now(self, output: type[OutputT] | Schema | None) -> Asked:
        """Return the settings of the next call."""
        if pending := self.pending:
            names = ", ".join(call.name for call in pending)
            msg = f"messages: {names} was asked for; run_tools(), or add its result, first."
            raise e.InvalidRequestError(msg, field="messages")
        asked = attrs.evolve(self._asked, prompt=tuple(self.messages))
        if output is not None:
            asked = attrs.evolve(asked, output=output)
        forced = asked.tool_choice not in {None, "auto", "none"}
        if forced and self.messages and _only_results(self.messages[-1]):
            # else the model could never say anything about what it found
            return attrs.evolve(asked, tool_choice="auto")
        return asked

    def _opened(
        self, output: type[OutputT] | Schema | None, timeout: float | Deadlines | None
    ) -> TextStream[OutputT]:
        asked = self._asked_now(output)
        call = self._begin("stream", timeout)
        call.asked = asked
        self.records.append(call.record)
        return TextStream(call)

    def _exceeded(self) -> e.RoundsExceededError:
        msg = f"The model still asks for tools after {self.max_rounds} rounds (max_rounds)."
        error = e.RoundsExceededError(msg)
        error.messages = tuple(self.messages)
        error.record = self.records[-1]
        return error

    # -- keeping it ------------------------------------------------------------------------

    def dump(self) -> dict[str, object]:
        """Return the conversation as JSON, for `ai.text.chat(restore=…)`."""
        return {"format": FORMAT, "messages": [message.to_dict() for message in self.messages]}


def _restored(found: Mapping[str, object]) -> list[Message]:
    given = found if isinstance(found, Mapping) else {}
    messages = given.get("messages")
    if given.get("format") != FORMAT or not isinstance(messages, list | tuple):
        msg = "restore: that is not what Chat.dump() returned."
        raise e.InvalidRequestError(msg, field="restore")
    return [Message.from_dict(message) for message in messages]


def _only_results(message: Message) -> bool:
    return message.role == "user" and all(isinstance(part, ToolResult) for part in message.parts)


def _not_run(call: ToolCall) -> ToolResult:
    return ToolResult(call.id, "Error: it was not run to its end.", call.name, is_error=True)


def _unknown(call: ToolCall, tools: Mapping[str, Tool]) -> ToolResult:
    known = ", ".join(tools) or "none"
    return ToolResult(
        call.id,
        f"Error: there is no tool {call.name!r}; there are: {known}.",
        call.name,
        is_error=True,
    )
