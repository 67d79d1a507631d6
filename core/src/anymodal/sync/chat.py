"""
A conversation that is kept, and whose tools are run, without `await`.

Written by tools/make_sync.py, from facades/chat.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..facades.chat import Chat
from ..facades.chat_stream import ToolRan
from ..modalities.messages import Message, Prompt, ToolCall
from ..modalities.text import OutputT, TextResult
from ..shapes import Schema
from ..specs import Deadlines
from .chat_stream import SyncChatStream
from .face import Face

if TYPE_CHECKING:
    from ..usage import Record

__all__ = ["SyncChat"]


class SyncChat(Face[Chat]):
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

    __slots__ = ()

    @property
    def max_rounds(self) -> int:
        """The argument *max_rounds*."""
        return self._inner.max_rounds

    @max_rounds.setter
    def max_rounds(self, value: int) -> None:
        self._inner.max_rounds = value

    @property
    def messages(self) -> list[Message]:
        """The conversation so far; may be edited between turns."""
        return self._inner.messages

    @messages.setter
    def messages(self, value: list[Message]) -> None:
        self._inner.messages = value

    @property
    def records(self) -> list[Record]:
        """What is known about each of its calls."""
        return self._inner.records

    @records.setter
    def records(self, value: list[Record]) -> None:
        self._inner.records = value

    def generate(
        self,
        prompt: Prompt,
        *,
        output: type[OutputT] | Schema | None = None,
        timeout: float | Deadlines | None = None,
    ) -> TextResult[OutputT]:
        """
        Say *prompt*, run the tools that the model asks for, and return its last answer.

        Args:
            prompt: As `SyncTextFacade.generate` takes it.
            output: The shape of the last answer, over that of the chat.
            timeout: For each of the calls.

        Raises:
            RoundsExceededError: The model went on asking for tools; `messages`
                has the conversation.
            AnymodalError: As `SyncTextFacade.generate` does. The conversation stays as
                far as it came, and `step` goes on from there.
        """
        return self._loop.run(self._inner.generate(prompt, output=output, timeout=timeout))

    def stream(
        self,
        prompt: Prompt,
        *,
        output: type[OutputT] | Schema | None = None,
        timeout: float | Deadlines | None = None,
    ) -> SyncChatStream[OutputT]:
        """
        Say *prompt* and stream what follows, tools included; see `generate`.

        Returns:
            A stream, to be entered. Its events are those of all rounds, with a
            `ToolRan` for each tool; the last of them is the only `Finish`.
        """
        inner = self._inner.stream(
            prompt, output=output, timeout=timeout,
        )  # fmt: skip
        return SyncChatStream(inner, self._loop)

    def add(self, prompt: Prompt) -> None:
        """
        Add to the conversation without asking the model.

        Tools that were asked for and never run to their end are answered for, as
        failed, when something other than results is said.

        Raises:
            InvalidRequestError: It is empty, or no prompt.
        """
        self._inner.add(prompt)

    def step(
        self,
        *,
        output: type[OutputT] | Schema | None = None,
        timeout: float | Deadlines | None = None,
    ) -> TextResult[OutputT]:
        """
        Ask the model once, and add its answer to the conversation.

        Raises:
            InvalidRequestError: Tools that the model asked for have not been run.
            AnymodalError: As `SyncTextFacade.generate` does.
        """
        return self._loop.run(self._inner.step(output=output, timeout=timeout))

    @property
    def pending(self) -> tuple[ToolCall, ...]:
        """The tools that the model asked for and that have no result yet."""
        return self._inner.pending

    def run_tools(self) -> tuple[ToolRan, ...]:
        """
        Run all pending tools at once, and add their results to the conversation.

        When this is cancelled, the results that were there are kept, and the other
        tools stay pending. Tools that only the caller can run do so too.
        """
        return self._loop.run(self._inner.run_tools())

    def dump(self) -> dict[str, object]:
        """Return the conversation as JSON, for `ai.text.chat(restore=…)`."""
        return self._inner.dump()
