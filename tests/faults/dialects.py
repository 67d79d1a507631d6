"""One answer in each vendor's form, and the ways in which it can be wrong."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

__all__ = ["CALLS", "DIALECTS", "Dialect", "sse"]

MODEL: Final = "m-1-2026"
CALLS: Final = (("call_a", "rate", '{"x":1}'), ("call_b", "rate", '{"x":2}'))
"""Id, name and arguments of the tools that a model asks for."""


def sse(data: object, name: str = "") -> bytes:
    """Return a server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


class Dialect(ABC):
    """
    What a vendor's protocol makes of "Hello", and of two calls of tools.

    A stream is `opening`, pieces, `finish`, `marker`; only pieces become events.
    """

    ping: bytes = b": still here\n\n"
    marker: bytes = b""

    @abstractmethod
    def whole(self, text: object = "Hello") -> dict[str, object]:
        """Return a whole answer."""

    @property
    @abstractmethod
    def opening(self) -> bytes: ...

    @abstractmethod
    def piece(self, text: object) -> bytes:
        """Return a piece of text."""

    @abstractmethod
    def finish(self, *, called: bool = False) -> bytes:
        """Return what says why the answer ends."""

    @abstractmethod
    def call(self, number: int, *, indexed: bool = True) -> bytes:
        """Return what begins a call."""

    @abstractmethod
    def arguments(self, number: int, text: str, *, indexed: bool = True) -> bytes:
        """Return a piece of a call's arguments."""

    @abstractmethod
    def called(self, number: int) -> bytes:
        """Return what ends a call."""

    def error(self, word: str = "server_error", words: str = "It broke.") -> dict[str, object]:
        """Return the body of an error."""
        return {"error": {"code": word, "type": word, "message": words}}

    def error_event(self, word: str = "server_error", words: str = "It broke.") -> bytes:
        """Return an error within a stream."""
        return sse(self.error(word, words))

    @abstractmethod
    def broken_bodies(self) -> Sequence[object]:
        """Return answers whose fields have the wrong types."""

    @abstractmethod
    def broken_frames(self) -> Sequence[bytes]:
        """Return frames whose fields have the wrong types."""

    def frames(self) -> list[bytes]:
        """Return a whole stream, frame by frame."""
        return [self.opening, self.piece("Hel"), self.piece("lo"), self.finish(), self.marker]


class Chat(Dialect):
    """Chat Completions."""

    marker = sse("[DONE]")
    usage: Final = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}

    def whole(self, text: object = "Hello") -> dict[str, object]:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return {"id": "c1", "model": MODEL, "choices": [choice], "usage": self.usage}

    def _chunk(self, delta: object, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return sse({"id": "c1", "model": MODEL, "choices": [choice]})

    @property
    def opening(self) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: object) -> bytes:
        return self._chunk({"content": text})

    def finish(self, *, called: bool = False) -> bytes:
        return self._chunk({}, "tool_calls" if called else "stop")

    def _call(self, number: int, call: dict[str, object], *, indexed: bool) -> bytes:
        return self._chunk({"tool_calls": [({"index": number} if indexed else {}) | call]})

    def call(self, number: int, *, indexed: bool = True) -> bytes:
        call_id, name, _ = CALLS[number]
        begun = {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        return self._call(number, begun, indexed=indexed)

    def arguments(self, number: int, text: str, *, indexed: bool = True) -> bytes:
        return self._call(number, {"function": {"arguments": text}}, indexed=indexed)

    def called(self, number: int) -> bytes:
        del number  # it has no mark of its own
        return b""

    def broken_bodies(self) -> Sequence[object]:
        return [
            [],
            "Hello",
            5,
            {},
            {"choices": []},
            {"choices": "no"},
            {"choices": [None]},
            {"choices": [{"message": "no"}]},
            {"choices": [{"message": None, "finish_reason": "stop"}]},
            self.whole({"text": "Hello"}),
            {**self.whole(), "usage": {**self.usage, "prompt_tokens": "nine"}},
            {**self.whole(), "choices": [{"message": {"tool_calls": 5}, "finish_reason": "stop"}]},
        ]

    def broken_frames(self) -> Sequence[bytes]:
        return [
            sse("null"),
            sse([]),
            sse(5),
            sse({"choices": "no"}),
            sse({"choices": [None]}),
            self._chunk("no"),
            self._chunk({"content": 5}),
            self._chunk({"tool_calls": [5]}),
            self._chunk({"tool_calls": [{"index": 0, "id": 5, "function": {"name": "rate"}}]}),
            self._chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": 5}}]}),
            self._chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        ]


class Responses(Dialect):
    """Responses."""

    usage: Final = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}

    def whole(self, text: object = "Hello") -> dict[str, object]:
        content = [{"type": "output_text", "text": text, "annotations": []}]
        message = {"type": "message", "id": "m", "role": "assistant", "content": content}
        return self._response([message], status="completed")

    def _response(self, output: list[object], **more: object) -> dict[str, object]:
        return {
            "id": "r1", "object": "response", "model": MODEL, "output": output,
            "usage": self.usage, "error": None, "incomplete_details": None, **more,
        }  # fmt: skip

    @staticmethod
    def _event(kind: str, **more: object) -> bytes:
        return sse({"type": f"response.{kind}", **more}, f"response.{kind}")

    @property
    def opening(self) -> bytes:
        return self._event("created", response=self._response([], status="in_progress"))

    def piece(self, text: object) -> bytes:
        return self._event("output_text.delta", output_index=0, content_index=0, delta=text)

    def finish(self, *, called: bool = False) -> bytes:
        whole = self.whole()
        if called:
            whole["output"] = [self._item(number) for number in range(len(CALLS))]
        return self._event("completed", response=whole)

    @staticmethod
    def _item(number: int, arguments: str | None = None) -> dict[str, object]:
        call_id, name, text = CALLS[number]
        given = text if arguments is None else arguments
        return {
            "type": "function_call", "id": f"fc_{number}", "call_id": call_id, "name": name,
            "arguments": given,
        }  # fmt: skip

    def _where(self, number: int, *, indexed: bool) -> dict[str, object]:
        return {"output_index": number} if indexed else {}

    def call(self, number: int, *, indexed: bool = True) -> bytes:
        item = self._item(number, "")
        return self._event("output_item.added", item=item, **self._where(number, indexed=indexed))

    def arguments(self, number: int, text: str, *, indexed: bool = True) -> bytes:
        where = self._where(number, indexed=indexed)
        return self._event("function_call_arguments.delta", delta=text, **where)

    def called(self, number: int) -> bytes:
        return self._event("output_item.done", item=self._item(number), output_index=number)

    def error_event(self, word: str = "server_error", words: str = "It broke.") -> bytes:
        return sse({"type": "error", "code": word, "message": words, "param": None}, "error")

    def broken_bodies(self) -> Sequence[object]:
        return [
            [],
            "Hello",
            5,
            {},
            {**self.whole(), "output": "no"},
            {**self.whole(), "output": None},
            {**self.whole(), "output": [None]},
            {**self.whole(), "output": [{"type": "message", "content": "no"}]},
            self.whole(5),
            {**self.whole(), "usage": {**self.usage, "input_tokens": "nine"}},
            {**self.whole(), "output": [{"type": "function_call", "call_id": 5, "name": "rate"}]},
        ]

    def broken_frames(self) -> Sequence[bytes]:
        return [
            sse("null"),
            sse([]),
            sse(5),
            self.piece(5),
            self._event("output_text.delta"),
            self._event("completed", response="no"),
            self._event("completed"),
            self._event("output_item.added", output_index=0, item=5),
            self._event("output_item.added", output_index=0, item={**self._item(0), "name": 5}),
            self.arguments(0, "{}"),
        ]


class Messages(Dialect):
    """Anthropic's Messages."""

    ping = sse({"type": "ping"}, "ping")
    usage: Final = {"input_tokens": 9, "output_tokens": 2}

    def whole(self, text: object = "Hello") -> dict[str, object]:
        return self._message([{"type": "text", "text": text}], stop_reason="end_turn")

    def _message(self, content: list[object], **more: object) -> dict[str, object]:
        return {
            "id": "m1", "type": "message", "role": "assistant", "model": MODEL,
            "content": content, "usage": self.usage, **more,
        }  # fmt: skip

    @staticmethod
    def _event(kind: str, **more: object) -> bytes:
        return sse({"type": kind, **more}, kind)

    @property
    def opening(self) -> bytes:
        block = {"type": "text", "text": ""}
        return (
            self._event("message_start", message=self._message([], stop_reason=None))
            + self._event("content_block_start", index=9, content_block=block)
            + self.ping
        )

    def piece(self, text: object) -> bytes:
        return self._delta({"index": 9}, type="text_delta", text=text)

    def _delta(self, where: dict[str, int], **delta: object) -> bytes:
        return self._event("content_block_delta", **where, delta=delta)

    def finish(self, *, called: bool = False) -> bytes:
        delta = {"stop_reason": "tool_use" if called else "end_turn", "stop_sequence": None}
        return self._event("content_block_stop", index=9) + self._event(
            "message_delta", delta=delta, usage=self.usage
        )

    @property
    def marker(self) -> bytes:
        return self._event("message_stop")

    def call(self, number: int, *, indexed: bool = True) -> bytes:
        call_id, name, _ = CALLS[number]
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        where = {"index": number} if indexed else {}
        return self._event("content_block_start", content_block=block, **where)

    def arguments(self, number: int, text: str, *, indexed: bool = True) -> bytes:
        where = {"index": number} if indexed else {}
        return self._delta(where, type="input_json_delta", partial_json=text)

    def called(self, number: int) -> bytes:
        return self._event("content_block_stop", index=number)

    def error(self, word: str = "server_error", words: str = "It broke.") -> dict[str, object]:
        own = {"server_error": "api_error", "server_is_overloaded": "overloaded_error"}
        return {"type": "error", "error": {"type": own.get(word, word), "message": words}}

    def error_event(self, word: str = "server_error", words: str = "It broke.") -> bytes:
        return sse(self.error(word, words), "error")

    def broken_bodies(self) -> Sequence[object]:
        return [
            [],
            "Hello",
            5,
            {},
            {**self.whole(), "content": "no"},
            {**self.whole(), "content": None},
            {**self.whole(), "content": [None]},
            self.whole(5),
            {**self.whole(), "usage": {"input_tokens": "nine"}},
            {**self.whole(), "content": [{"type": "tool_use", "id": 5, "name": "rate"}]},
        ]

    def broken_frames(self) -> Sequence[bytes]:
        return [
            sse("null"),
            sse([]),
            sse(5),
            sse({}),
            self.piece(5),
            self._delta({"index": 7}, type="text_delta", text="no such block"),
            self._delta({"index": 9}),
            self._event("content_block_start", index=0, content_block=5),
            self._event("message_delta", delta=5),
            self._event("content_block_start", index=0, content_block={"type": "tool_use"}),
        ]


DIALECTS: Final = {"anthropic": Messages(), "openai": Responses(), "openai-compatible": Chat()}
"""By the provider that speaks it first."""
