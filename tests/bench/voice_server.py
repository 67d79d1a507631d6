"""
A loopback server of sound: it speaks over HTTP and listens over a WebSocket, as cheaply as it can.

    python voice_server.py [CORE]     prints two ports, serves until standard input ends

Pieces of speech come one by one, as they do from who makes them while they are heard. Each piece
of sound that is heard is answered by one message. Neither knows who calls.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from websockets.asyncio.server import ServerConnection, serve

PIECES = 100
PIECE = bytes(range(256)) * 16
"""A quarter of a second of speech as MP3 at 128 kbit/s."""

GAP_SECONDS = 0.001

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\nrequest-id: req_1\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def results(number: int) -> str:
    """Return what Deepgram says of a piece of sound that it has heard."""
    word = {"word": "fox", "start": 0.1, "end": 0.3, "confidence": 0.99, "punctuated_word": "Fox"}
    best = {"transcript": f"The fox {number}.", "confidence": 0.99, "words": [word] * 3}
    info = {"name": "nova-3", "version": "1", "arch": "nova-3"}
    return json.dumps(
        {
            "type": "Results", "channel_index": [0, 1], "duration": 0.1, "start": number / 10,
            "is_final": True, "speech_final": False, "from_finalize": False,
            "channel": {"alternatives": [best]},
            "metadata": {"request_id": "req_1", "model_info": info, "model_uuid": "1"},
        }
    )  # fmt: skip


METADATA = json.dumps(
    {
        "type": "Metadata", "transaction_key": "deprecated", "request_id": "req_1", "sha256": "0",
        "created": "2026-11-20T00:00:00.000Z", "duration": 10.0, "channels": 1,
    }
)  # fmt: skip


class Speaking(asyncio.Protocol):
    """Answers each request with pieces of sound, the first of them at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Speak as soon as the request is whole."""
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) >= size:
            self.buffer = rest[size:]
            self.transport.write(HEAD)
            self.say(PIECES)

    def say(self, left: int) -> None:
        """Send a piece, and the others later."""
        self.transport.write(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
        if left > 1:
            asyncio.get_running_loop().call_later(GAP_SECONDS, self.say, left - 1)
        else:
            self.transport.write(b"0\r\n\r\n")


async def listen(socket: ServerConnection) -> None:
    """Answer each piece of sound."""
    number = 0
    async for message in socket:
        if isinstance(message, bytes):
            await socket.send(results(number))
            number += 1
        elif "CloseStream" in message:
            await socket.send(METADATA)
            return


async def main() -> None:
    """Serve until standard input ends."""
    if len(sys.argv) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[1])})
    loop = asyncio.get_running_loop()
    speaking = await loop.create_server(Speaking, "127.0.0.1", 0)
    async with serve(listen, "127.0.0.1", 0, compression=None) as listening:
        ports = [server.sockets[0].getsockname()[1] for server in (speaking, listening)]
        print(*ports, flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
