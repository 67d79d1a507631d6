"""
What authors of emulators write with: routes, refusals, streams, ids and a clock.

An emulator is a module with an `Emulator` called `app`. Its handlers are plain
functions from a `Request` to a `Reply` or a `Stream`, and async ones where they
hold a `Talk` over a WebSocket. What is wrong with a request they say by raising
`RefusedError`, which one function turns into the vendor's words. What an
application remembers belongs to the server it runs in.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Final, Literal, TypeAlias, cast

import attrs

from .exchange import Receive, Received, Reply, Send
from .sockets import Talk

__all__ = ["Emulator", "Memory", "RefusedError", "Reply", "Request", "Stream", "Talk", "sse"]

EPOCH: Final = 1_790_000_000
"""Where every server's clock starts: 2026-09-21, 14:13:20 UTC."""

Kind = Literal[
    "no_key",
    "bad_key",
    "no_path",
    "no_method",
    "media_type",
    "not_json",
    "unknown",
    "missing",
    "type",
    "value",
    "no_model",
    "other",
]


class RefusedError(Exception):
    """
    A request that the vendor would turn away.

    Args:
        kind: What is wrong with it.
        param: The field concerned, such as `input[0].role`.
        got: What was found there, for people.
        need: What is needed there, for people.
        status: Overrules the status that goes with the kind.
        code: The vendor's own name for it, where the kind is `other`.
    """

    def __init__(
        self,
        *,
        kind: Kind,
        param: str = "",
        got: str = "",
        need: str = "",
        status: int = 0,
        code: str = "",
    ) -> None:
        super().__init__(kind, param, got)
        self.kind = kind
        self.param = param
        self.got = got
        self.need = need
        self.status = status or STATUSES[kind]
        self.code = code


STATUSES: Final[Mapping[Kind, int]] = {
    "no_key": 401,
    "bad_key": 401,
    "no_path": 404,
    "no_method": 405,
    "media_type": 415,
    "not_json": 400,
    "unknown": 400,
    "missing": 400,
    "type": 400,
    "value": 400,
    "no_model": 404,
    "other": 400,
}


class Memory:
    """What one server remembers: the same requests in the same order get the same answers."""

    def __init__(self) -> None:
        self._count = itertools.count()
        self._seconds = itertools.count(EPOCH)
        self.kept: dict[str, object] = {}
        """For emulators: jobs, files, prompts seen."""

    def id(self, prefix: str, length: int = 24) -> str:
        """Return a new id, such as `resp_6b86b2…`."""
        digest = hashlib.sha256(f"{prefix}{next(self._count)}".encode()).hexdigest()
        return prefix + (digest * 2)[:length]

    def now(self) -> int:
        """Return Unix time, a second later at each call."""
        return next(self._seconds)


@attrs.frozen
class Request:
    """
    A request for a handler.

    Attributes:
        received: As it came in.
        args: What the placeholders of the route stood for.
        memory: The server's memory.
        key: The key to accept; empty where any will do.
        root: Scheme, host and what stands before the paths of routes, for links in
            answers.
    """

    received: Received
    args: Mapping[str, str]
    memory: Memory
    key: str = attrs.field(default="", repr=False)
    root: str = ""

    @property
    def bearer(self) -> str:
        """The key in the header `authorization`; empty where there is none."""
        scheme, _, value = self.received.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""

    def json(self) -> dict[str, object]:
        """
        Return the body, an object.

        Raises:
            RefusedError: It is not declared as JSON, not JSON, or no object.
        """
        declared = self.received.headers.get("content-type", "")
        if declared.partition(";")[0].strip().lower() != "application/json":
            raise RefusedError(kind="media_type", got=declared)
        try:
            found = json.loads(self.received.body)
        except ValueError as error:
            raise RefusedError(kind="not_json", got=str(error)) from error
        if not isinstance(found, dict):
            raise RefusedError(kind="not_json", got=type(found).__name__)
        return found


@attrs.frozen
class Stream:
    """An answer in pieces; each goes out on its own."""

    frames: Iterable[bytes]
    media_type: str = "text/event-stream; charset=utf-8"
    headers: Mapping[str, str] = attrs.field(factory=dict)


def sse(data: object, *, event: str = "") -> bytes:
    """Return a server-sent event; a string is sent as it is, all else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return (f"event: {event}\n" if event else "").encode() + f"data: {text}\n\n".encode()


Handler: TypeAlias = Callable[[Request], Reply | Stream]
TalkHandler: TypeAlias = Callable[[Request, Talk], Awaitable[None]]


class Emulator:
    """
    An ASGI application that speaks a vendor's protocol.

    Args:
        provider: Id of the provider.
        refuse: Puts a refusal into the vendor's words and body.
        fail: Returns what the vendor says with a bare status, for `Status(503)`.
        admit: Called before every handler; raises `RefusedError` without a key.
        headers: Headers of every answer, such as the id of the request.
    """

    def __init__(
        self,
        provider: str,
        *,
        refuse: Callable[[RefusedError], Reply],
        fail: Callable[[int], Reply],
        admit: Callable[[Request], None] = lambda _: None,
        headers: Callable[[Request], Mapping[str, str]] = lambda _: {},
    ) -> None:
        self.provider = provider
        self.refusal = fail
        self._refuse = refuse
        self._admit = admit
        self._headers = headers
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self._talks: list[tuple[re.Pattern[str], TalkHandler]] = []
        self._state: dict[str, object] = {}

    def route(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Let a function answer *method* at *path*; `{name}` there is one segment or more."""

        def add(handler: Handler) -> Handler:
            self._routes.append((method, _pattern(path), handler))
            return handler

        return add

    def talk(self, path: str) -> Callable[[TalkHandler], TalkHandler]:
        """Let an async function of a request and a `Talk` speak over WebSockets at *path*."""

        def add(handler: TalkHandler) -> TalkHandler:
            self._talks.append((_pattern(path), handler))
            return handler

        return add

    async def __call__(
        self, scope: MutableMapping[str, object], receive: Receive, send: Send
    ) -> None:
        """Answer, as ASGI has it."""
        if scope["type"] == "websocket":
            await self._converse(self._request(scope, b""), receive, send)
            return
        request = await self._read(scope, receive)
        answer, headers = self.answer(request), dict(self._headers(request))
        if isinstance(answer, Reply):
            headers |= {**answer.headers, "content-length": str(len(answer.body))}
            await _start(send, answer.status, headers)
            await send({"type": "http.response.body", "body": answer.body})
            return
        await _start(send, 200, {"content-type": answer.media_type, **headers, **answer.headers})
        for frame in answer.frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _read(self, scope: MutableMapping[str, object], receive: Receive) -> Request:
        body, more = b"", True
        while more:
            message = await receive()
            body += cast("bytes", message.get("body", b""))
            more = bool(message.get("more_body"))
        return self._request(scope, body)

    def _request(self, scope: MutableMapping[str, object], body: bytes) -> Request:
        pairs = cast("Iterable[tuple[bytes, bytes]]", scope["headers"])
        state = cast("dict[str, object]", scope.get("state", self._state))
        memory = cast("Memory", state.setdefault(f"memory of {self.provider}", Memory()))
        received = Received(
            cast("str", scope.get("method", "GET")),
            cast("str", scope["path"]),
            cast("bytes", scope["query_string"]).decode("ascii"),
            {k.decode("ascii"): v.decode("latin-1") for k, v in pairs},
            body,
        )
        root = f"http://{received.headers.get('host', '')}{scope.get('root_path', '')}"
        return Request(received, {}, memory, cast("str", state.get("key", "")), root)

    async def _converse(self, request: Request, receive: Receive, send: Send) -> None:
        talk, path = Talk(receive, send), request.received.path
        try:
            for pattern, handler in self._talks:
                if match := pattern.fullmatch(path):
                    asked = attrs.evolve(request, args=match.groupdict())
                    self._admit(asked)
                    await handler(asked, talk)
                    if talk.code is None:
                        await talk.close()
                    return
            raise RefusedError(kind="no_path", got=f"GET {path}")  # noqa: TRY301  # refused like any other
        except RefusedError as refused:
            reply = self._refuse(refused)
            if talk.is_accepted:
                await talk.close(1008, reply.body.decode()[:120])
                return
            headers = {**self._headers(request), **reply.headers}
            headers["content-length"] = str(len(reply.body))
            await _start(send, reply.status, headers, kind="websocket.http.response.start")
            await send({"type": "websocket.http.response.body", "body": reply.body})

    def answer(self, request: Request) -> Reply | Stream:
        """Return the answer to *request*, as for the lines of a batch."""
        try:
            handler, args = self._route(request.received.method, request.received.path)
            asked = attrs.evolve(request, args=args)
            self._admit(asked)
            return handler(asked)
        except RefusedError as refused:
            return self._refuse(refused)

    def _route(self, method: str, path: str) -> tuple[Handler, Mapping[str, str]]:
        known = False
        for wanted, pattern, handler in self._routes:
            if match := pattern.fullmatch(path):
                if wanted == method:
                    return handler, match.groupdict()
                known = True
        raise RefusedError(kind="no_method" if known else "no_path", got=f"{method} {path}")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>.+?)", path))


async def _start(
    send: Send, status: int, headers: Mapping[str, str], *, kind: str = "http.response.start"
) -> None:
    pairs = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
    await send({"type": kind, "status": status, "headers": pairs})
