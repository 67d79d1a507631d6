"""A conversation that is kept, and whose tools are run."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import anyio
import attrs

from .. import errors as e
from ..call import Call
from ..modalities.messages import Message, Prompt, ToolCall, ToolResult, messages_of
from ..modalities.text import Finish, TextResult, ToolSpec
from ..modalities.tools import Tool, specs_of, tool_of
from ..shapes import Output
from ..specs import Deadlines
from .asking import Asked
from .text_stream import StreamEvent, TextStream, Words

if TYPE_CHECKING:
    from types import TracebackType

    from ..usage import Record

__all__ = ["Chat", "ChatEvent", "ChatStream", "ToolRan"]

FORMAT: Final = 1


@attrs.define(eq=True)
class ToolRan:
    """A tool was run, and this is what the model will read."""

    call: ToolCall
    result: ToolResult


ChatEvent: TypeAlias = StreamEvent | ToolRan

Begin: TypeAlias = Callable[[str, float | Deadlines | None], Call]
Ask: TypeAlias = Callable[[Call, Prompt, Asked], Any]


class Chat:
    """
    A conversation that is kept, and whose tools are run; made by `ai.text.chat`.

    `generate` and `stream` say something and go on until the model asks for no
    more tools. To go step by step: `add`, then `step` and `run_tools` in turns.

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
        specs_of(asked.tools)
        self._begin = begin
        self._ask = ask
        self._asked = asked
        self._tools = {
            tool.spec.name: tool
            for tool in (tool_of(one) for one in asked.tools if not isinstance(one, ToolSpec))
        }
        self.max_rounds = max_rounds
        self.messages: list[Message] = _restored(restore) if restore is not None else []
        self.records: list[Record] = []

    # -- all at once ------------------------------------------------------------------

    async def generate(
        self,
        prompt: Prompt,
        *,
        output: Output | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
    ) -> TextResult:
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
            if not self._runnable:
                return reply
            await self.run_tools()
        raise self._exceeded()

    def stream(
        self,
        prompt: Prompt,
        *,
        output: Output | None = None,
        timeout: float | Deadlines | None = None,
    ) -> ChatStream:
        """
        Say *prompt* and stream what follows, tools included; see `generate`.

        Returns:
            A stream, to be entered. Its events are those of all rounds, with a
            `ToolRan` for each tool; the last of them is the only `Finish`.
        """
        self.add(prompt)
        return ChatStream(self, output, timeout)

    # -- step by step --------------------------------------------------------------------

    def add(self, prompt: Prompt) -> None:
        """
        Add to the conversation without asking the model.

        Raises:
            InvalidRequestError: It is empty, or no prompt.
        """
        self.messages.extend(messages_of(prompt))

    async def step(
        self,
        *,
        output: Output | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
    ) -> TextResult:
        """Ask the model once, and add its answer to the conversation."""
        call = self._begin("generate", timeout)
        self.records.append(call.record)
        reply: TextResult = await self._ask(call, tuple(self.messages), self._shaped(output))
        self.messages.append(reply.message)
        return reply

    @property
    def pending(self) -> tuple[ToolCall, ...]:
        """The tools that the model asked for and nobody has run."""
        last = self.messages[-1] if self.messages else None
        if last is None or last.role != "assistant":
            return ()
        return tuple(part for part in last.parts if isinstance(part, ToolCall))

    @property
    def _runnable(self) -> bool:
        """Whether there are tools to run, and none that only the caller can."""
        names = {spec.name for spec in specs_of(self._asked.tools)}
        left = names - self._tools.keys()
        pending = self.pending
        return bool(pending) and not any(call.name in left for call in pending)

    async def run_tools(self) -> tuple[ToolRan, ...]:
        """Run all pending tools at once, and add their results to the conversation."""
        calls = self.pending
        results: dict[int, ToolResult] = {}

        async def run(place: int, call: ToolCall) -> None:
            tool = self._tools.get(call.name)
            results[place] = _unknown(call, self._tools) if tool is None else await tool(call)

        async with anyio.create_task_group() as group:
            for place, call in enumerate(calls):
                group.start_soon(run, place, call)
        ran = tuple(ToolRan(call, results[place]) for place, call in enumerate(calls))
        if ran:
            self.messages.append(Message("user", tuple(one.result for one in ran)))
        return ran

    def _shaped(self, output: Output | None) -> Asked:
        return self._asked if output is None else attrs.evolve(self._asked, output=output)

    def _opened(self, output: Output | None, timeout: float | Deadlines | None) -> TextStream:
        call = self._begin("stream", timeout)
        self.records.append(call.record)
        return TextStream(call, tuple(self.messages), self._shaped(output))

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
    messages = found.get("messages")
    if found.get("format") != FORMAT or not isinstance(messages, Sequence):
        msg = "restore: that is not what Chat.dump() returned."
        raise e.InvalidRequestError(msg, field="restore")
    return [Message.from_dict(message) for message in messages]


def _unknown(call: ToolCall, tools: Mapping[str, Tool]) -> ToolResult:
    known = ", ".join(tools) or "none"
    return ToolResult(
        call.id,
        f"Error: there is no tool {call.name!r}; there are: {known}.",
        call.name,
        is_error=True,
    )


class ChatStream:
    """
    A turn of a conversation under way; made by `Chat.stream`.

    Left early, it keeps in the conversation what was said until then.
    """

    def __init__(
        self, chat: Chat, output: Output | None, timeout: float | Deadlines | None
    ) -> None:
        self._chat = chat
        self._output = output
        self._timeout = timeout
        self._current: TextStream | None = None
        self._ready: deque[ChatEvent] = deque()
        self._rounds = 0
        self._result: TextResult | None = None

    @property
    def record(self) -> Record:
        """What is known about the latest of its calls."""
        return self._chat.records[-1]

    async def start(self) -> Self:
        """Send the first request and wait for its first event."""
        if self._current is None:
            await self._next_round()
        return self

    async def _next_round(self) -> None:
        if self._rounds == self._chat.max_rounds:
            raise self._chat._exceeded()  # noqa: SLF001  # one module, one thing
        self._rounds += 1
        self._current = self._chat._opened(self._output, self._timeout)  # noqa: SLF001  # as above
        await self._current.start()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatEvent:
        while not self._ready:
            if self._result is not None:
                raise StopAsyncIteration
            if self._current is None:
                msg = "The stream is not open: use it inside `async with`, or await start() first."
                raise e.ConfigurationError(msg)
            event = await anext(self._current)
            if type(event) is Finish:
                await self._round_over(self._current, event)
            else:
                self._ready.append(event)
        return self._ready.popleft()

    async def _round_over(self, stream: TextStream, finish: Finish) -> None:
        chat = self._chat
        reply = await stream.result()
        await stream.aclose()
        chat.messages.append(reply.message)
        if not chat._runnable:  # noqa: SLF001  # as above
            self._result = reply
            self._ready.append(finish)
            return
        self._ready.extend(await chat.run_tools())
        await self._next_round()

    @property
    def text(self) -> AsyncIterator[str]:
        """The words of all rounds, piece by piece."""
        return Words(self)

    async def result(self) -> TextResult:
        """Read to the end and return the last answer."""
        async for _ in self:
            pass
        if self._result is None:
            msg = "The stream was left before its end."
            raise e.ConfigurationError(msg)
        return self._result

    async def aclose(self) -> None:
        """Close the connection; what was said so far stays in the conversation."""
        if self._current is None:
            return
        if self._result is None and not self._chat.pending and self._current.said:
            self._chat.messages.append(Message.assistant(self._current.said))
        await self._current.aclose()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
