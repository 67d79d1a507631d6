"""WebSockets, recorded and replayed message by message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import anyio
import anyio.lowlevel
import attrs

from .scrubbing import Scrubber
from .tapes import ReplayError, Tape, asked, body_sent, chunks_of, differences, message, message_of
from .tapes import reply_body as kept_body

__all__ = ["Recorded", "Replayed", "Talk"]

SOCKET = "SOCKET"
"""Stands where requests of HTTP have their method."""


@attrs.define(eq=False)
class Talk:
    """
    What was said over a WebSocket.

    Attributes:
        url: Where to.
        said: Messages in order, and whether each was sent by us.
        closed: Code and words with which the other side closed it, or the connection broke.
        refused: Status, headers and body of a handshake that failed.
        failure: Why there was none.
    """

    url: str
    said: list[tuple[bool, str | bytes]] = attrs.field(factory=list)
    closed: tuple[int | None, str] | None = None
    refused: tuple[int, Mapping[str, str], bytes] | None = None
    failure: str = ""

    def kept(self, scrubber: Scrubber, limit: int) -> dict[str, Any]:
        """Return it as the file has it."""
        found: dict[str, Any] = {
            "request": asked(SOCKET, self.url, None, scrubber),
            "messages": [
                {"sent": _sent(one, scrubber)}
                if is_ours
                else {"received": message(one, scrubber, limit)}
                for is_ours, one in self.said
            ],
        }
        if self.closed is not None:
            found["closed"] = [self.closed[0], scrubber.text(self.closed[1])]
        if self.refused is not None:
            status, headers, body = self.refused
            found["refused"] = {
                "status": status,
                "headers": scrubber.headers(headers),
                "body": kept_body([body], headers.get("content-type", ""), scrubber, limit),
            }
        return {**found, "failure": self.failure} if self.failure else found


def _sent(said: str | bytes, scrubber: Scrubber) -> object:
    content = said.encode("utf-8", "surrogatepass") if isinstance(said, str) else said
    return body_sent(content, "", scrubber)


# -- recording ----------------------------------------------------------------------------------


class Recorded:
    """A WebSocket that is being recorded: what opens it, and then itself."""

    def __init__(self, talk: Talk, opening: Any) -> None:
        self._talk = talk
        self._opening = opening
        self._open: Any = None

    async def __aenter__(self) -> Self:
        try:
            self._open = await self._opening.__aenter__()
        except BaseException as error:
            response = getattr(error, "response", None)
            self._talk.failure = type(error).__name__
            if response is not None:
                headers = {name.lower(): value for name, value in response.headers.raw_items()}
                self._talk.refused = response.status_code, headers, response.body or b""
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._opening.__aexit__(*error)

    @property
    def transport(self) -> Any:
        """What the core breaks off where closing is cancelled."""
        return getattr(self._open, "transport", None)

    async def send(self, said: str | bytes) -> None:
        """Send a message."""
        self._talk.said.append((True, said))
        await self._open.send(said)

    async def recv(self) -> str | bytes:
        """Return the next message."""
        try:
            found: str | bytes = await self._open.recv()
        except Exception as error:
            if type(error).__name__.startswith("ConnectionClosed"):
                frame = getattr(error, "rcvd", None)
                self._talk.closed = (frame.code, frame.reason) if frame else (None, "")
            raise
        self._talk.said.append((False, found))
        return found

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say that nothing more will come."""
        close = getattr(self._open, "aclose", None) or self._open.close
        await close(code, reason)


# -- replaying ----------------------------------------------------------------------------------


class Replayed:
    """A WebSocket that says what was recorded, after what was sent then was sent again."""

    transport = None

    def __init__(self, url: str, tape: Tape, scrubber: Scrubber) -> None:
        self._url = url
        self._tape = tape
        self._scrubber = scrubber
        self._found: dict[str, Any] = {}
        self._messages: list[dict[str, Any]] = []
        self._heard = self._spoken = 0
        self._is_closed = False
        self._changed = anyio.Event()

    async def __aenter__(self) -> Self:
        await anyio.lowlevel.checkpoint()
        self._found = self._tape.play(asked(SOCKET, self._url, None, self._scrubber))
        self._messages = self._found["messages"]
        if "failure" in self._found:
            raise self._refusal()
        return self

    def _refusal(self) -> Exception:
        if "refused" not in self._found:
            return ConnectionError(f"as it was recorded: {self._found['failure']}")
        from websockets.datastructures import Headers  # noqa: PLC0415  # few recordings have sockets
        from websockets.exceptions import InvalidStatus  # noqa: PLC0415  # as above
        from websockets.http11 import Response  # noqa: PLC0415  # as above

        said = self._found["refused"]
        body = b"".join(chunks_of(said["body"]))
        return InvalidStatus(Response(said["status"], "", Headers(said["headers"]), body))

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def send(self, said: str | bytes) -> None:
        """
        Take a message.

        Raises:
            ReplayError: It is not the one that was recorded.
        """
        await anyio.lowlevel.checkpoint()
        at = self._next("sent", self._spoken)
        now = json.loads(json.dumps(_sent(said, self._scrubber)))
        if at is None:
            what = self._url.partition("?")[0].rpartition("/")[2]
            msg = f"replay: more was sent to {what} than was recorded: {json.dumps(now)[:300]}"
            raise ReplayError(msg)
        if self._messages[at]["sent"] != now:
            lines = "\n".join(differences(self._messages[at]["sent"], now))
            msg = f"replay: message {at + 1} differs from what was recorded:\n{lines}"
            raise ReplayError(msg)
        self._spoken = at + 1
        self._changed.set()

    async def recv(self) -> str | bytes:
        """Return the next message, when it is due."""
        await anyio.lowlevel.checkpoint()
        at = self._next("received", self._heard)
        until = len(self._messages) if at is None else at
        while (waits := self._next("sent", self._spoken)) is not None and waits < until:
            await self._wait()
        if at is None:
            while "closed" not in self._found and not self._is_closed:
                await self._wait()
            raise self._end()
        self._heard = at + 1
        return message_of(self._messages[at]["received"])

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say that nothing more will come."""
        del code, reason
        await anyio.lowlevel.checkpoint()
        self._is_closed = True
        self._changed.set()

    def _next(self, what: str, begin: int) -> int | None:
        return next(
            (n for n in range(begin, len(self._messages)) if what in self._messages[n]), None
        )

    async def _wait(self) -> None:
        if self._is_closed:
            raise self._end()
        self._changed = anyio.Event()
        await self._changed.wait()

    def _end(self) -> Exception:
        from websockets.exceptions import (  # noqa: PLC0415  # few recordings have sockets
            ConnectionClosedError,
            ConnectionClosedOK,
        )
        from websockets.frames import Close  # noqa: PLC0415  # as above

        code, words = self._found.get("closed", (1000, ""))
        if code is None:
            return ConnectionClosedError(None, None)
        kind = ConnectionClosedOK if code in {1000, 1001} else ConnectionClosedError
        frame = Close(code, words)
        return kind(frame, frame, True)  # noqa: FBT003  # the library's own order
