"""
A loopback server that costs as little as Python allows: canned answers, no parsing.

    python server.py [CORE]     prints its port, serves until standard input ends
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

EVENTS = 500
WORDS = [
    "The",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "the",
    "lazy",
    "dog",
    "and",
    "then",
    "some",
    "more",
    "of",
    "it.",
    "",
]


def response(text: str, status: str) -> dict[str, object]:
    """Return a response object as OpenAI's Responses API has it."""
    message = {
        "id": "msg_1", "type": "message", "status": status, "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }  # fmt: skip
    usage = {
        "input_tokens": 12, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 32,
    }  # fmt: skip
    return {
        "id": "resp_1", "object": "response", "created_at": 1790000000, "status": status,
        "error": None, "incomplete_details": None, "instructions": None, "max_output_tokens": None,
        "model": "gpt-6.1-sol", "output": [message], "parallel_tool_calls": True,
        "previous_response_id": None, "reasoning": {"effort": None, "summary": None},
        "store": False, "temperature": 1.0, "text": {"format": {"type": "text"}},
        "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled",
        "usage": usage, "user": None, "metadata": {},
    }  # fmt: skip


def responses_stream() -> bytes:
    """Return a stream of `EVENTS` deltas."""
    frames = [{"type": "response.created", "response": response("", "in_progress")}]
    frames += [
        {
            "type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0,
            "content_index": 0, "delta": f"{WORDS[n % len(WORDS)]} ", "logprobs": [],
        }
        for n in range(EVENTS)
    ]  # fmt: skip
    frames.append({"type": "response.completed", "response": response("done", "completed")})
    for number, frame in enumerate(frames):
        frame["sequence_number"] = number
    return b"".join(
        f"event: {frame['type']}\ndata: {json.dumps(frame, separators=(',', ':'))}\n\n".encode()
        for frame in frames
    )


def chat(**choice: object) -> dict[str, object]:
    """Return the frame of a chat completion."""
    return {"id": "c1", "created": 1790000000, "model": "gpt-6.1-sol", "choices": [choice]}


def chat_answer() -> bytes:
    """Return a whole chat completion."""
    message = {"role": "assistant", "content": " ".join(WORDS), "refusal": None, "annotations": []}
    usage = {"prompt_tokens": 12, "completion_tokens": 20, "total_tokens": 32}
    whole = chat(index=0, message=message, finish_reason="stop", logprobs=None)
    return json.dumps({**whole, "object": "chat.completion", "usage": usage}).encode()


def chat_stream() -> bytes:
    """Return a stream of `EVENTS` chunks."""
    frames = [
        chat(index=0, delta={"content": f"{WORDS[n % len(WORDS)]} "}, finish_reason=None)
        for n in range(EVENTS)
    ]
    frames.append(chat(index=0, delta={}, finish_reason="stop"))
    frames.append(
        {
            **chat(),
            "choices": [],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        }
    )
    lines = [
        json.dumps({**f, "object": "chat.completion.chunk"}, separators=(",", ":")) for f in frames
    ]
    return b"".join(f"data: {line}\n\n".encode() for line in [*lines, "[DONE]"])


def http(body: bytes, media_type: str) -> bytes:
    """Return *body* as a whole HTTP answer."""
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\nx-request-id: req_1\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


ANSWERS = {
    (b"/v1/responses", False): http(
        json.dumps(response(" ".join(WORDS), "completed")).encode(), "application/json"
    ),
    (b"/v1/responses", True): http(responses_stream(), "text/event-stream"),
    (b"/v1/chat/completions", False): http(chat_answer(), "application/json"),
    (b"/v1/chat/completions", True): http(chat_stream(), "text/event-stream"),
}


class Canned(asyncio.Protocol):
    """Answers each request as soon as its body is whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) < size:
            return
        streams = b'"stream":true' in rest.replace(b" ", b"")
        path = head.split(b" ", 2)[1]
        self.buffer = rest[size:]
        self.transport.write(ANSWERS[path, streams])


async def main() -> None:
    """Serve until standard input ends."""
    if len(sys.argv) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[1])})
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
