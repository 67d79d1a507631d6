"""A turn of a conversation under way, tools included."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Generic, Self, TypeAlias, cast

import attrs

from .. import errors as e
from ..modalities.messages import Message, Prompt, ToolCall, ToolResult
from ..modalities.text import Finish, OutputT, TextResult
from ..shapes import Schema
from ..specs import Deadlines
from .text_stream import StreamEvent, TextStream, Words

if TYPE_CHECKING:
    from types import TracebackType

    from ..usage import Record
    from .chat import Chat

__all__ = ["ChatEvent", "ChatStream", "ToolRan"]


@attrs.define(eq=True)
class ToolRan:
    """A tool was run, and this is what the model will read."""

    call: ToolCall
    result: ToolResult


ChatEvent: TypeAlias = StreamEvent | ToolRan


class ChatStream(Generic[OutputT]):
    """
    A turn of a conversation under way; made by `Chat.stream`.

    Left early, it keeps in the conversation what was said until then. Broken off by
    an error, it keeps what was said before the call that failed.
    """

    def __init__(
        self,
        chat: Chat,
        prompt: Prompt,
        output: type[OutputT] | Schema | None,
        timeout: float | Deadlines | None,
    ) -> None:
        self._chat = chat
        self._prompt = prompt
        self._output = output
        self._timeout = timeout
        self._is_open = False
        self._current: TextStream[OutputT] | None = None
        self._ready: deque[ChatEvent] = deque()
        self._rounds = 0
        self._result: TextResult[OutputT] | None = None
        self._fault: e.AnymodalError | None = None

    @property
    def record(self) -> Record:
        """What is known about the latest of its calls."""
        if not self._rounds:
            raise _not_open()
        return self._chat.records[-1]

    async def start(self) -> Self:
        """
        Say the prompt and wait for the first event.

        Raises:
            AnymodalError: As `TextFacade.generate` does.
        """
        if not self._is_open:
            self._chat.add(self._prompt)
            await self._next_round()
            self._is_open = True
        return self

    async def _next_round(self) -> None:
        if self._rounds == self._chat.max_rounds:
            raise self._chat._exceeded()  # noqa: SLF001  # two modules, one thing
        stream = self._chat._opened(self._output, self._timeout)  # noqa: SLF001  # as above
        self._rounds += 1
        self._current = await stream.start()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatEvent:
        while not self._ready:
            if self._fault is not None:
                raise self._fault
            if self._result is not None:
                raise StopAsyncIteration
            if not self._is_open:
                raise _not_open()
            try:
                await self._advance()
            except e.AnymodalError as error:
                self._fault = error
                raise
        return self._ready.popleft()

    def take(self) -> ChatEvent | None:
        """Return an event that has come already; None where one, or the last, is to be awaited."""
        if self._ready:
            return None if type(self._ready[0]) is Finish else self._ready.popleft()
        return None if self._current is None else self._current.take()

    async def _advance(self) -> None:
        stream = self._current
        if stream is None:
            await self._next_round()
            return
        event = await anext(stream)
        if type(event) is Finish:
            await self._round_over(stream, event)
        else:
            self._ready.append(event)

    async def _round_over(self, stream: TextStream[OutputT], finish: Finish) -> None:
        chat = self._chat
        reply = await stream.result()
        chat.messages.append(reply.message)
        self._current = None
        await stream.aclose()
        self._ready.extend(await chat.run_tools())
        if chat.pending or not reply.tool_calls:
            self._result = reply
            self._ready.append(finish)

    @property
    def text(self) -> AsyncIterator[str]:
        """The words of all rounds, piece by piece."""
        return Words(self)

    async def result(self) -> TextResult[OutputT]:
        """Read to the end and return the last answer."""
        async for _ in self:
            pass
        return cast("TextResult[OutputT]", self._result)

    async def aclose(self) -> None:
        """Close the connection; what was said so far stays in the conversation."""
        stream, self._current, self._is_open = self._current, None, False
        if stream is None:
            return
        if self._fault is None and stream.said:
            self._chat.messages.append(Message.assistant(stream.said))
        await stream.aclose()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _not_open() -> e.ConfigurationError:
    msg = "The stream is not open: use it inside `async with`, or await start() first."
    return e.ConfigurationError(msg)
