"""Records what goes over the wire into a file, and answers from it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Final

import anyio.lowlevel
import attrs

from ..errors import ConfigurationError
from ..http import HttpReply, HttpRequest, LinkTransport
from ..taps import tapping
from . import recorded_clients, recorded_sockets
from .network import forbid_network
from .scrubbing import Scrubber
from .tapes import DROPPED, ReplayError, Tape, asked, body_sent, chunks_of, reply_body

__all__ = ["record", "replay"]

MAX_ANSWER_BYTES: Final = 1024 * 1024
SOMEWHERE: Final = "8.8.8.8"
"""What names lead to in a replay: an address that is public, and never called."""


@contextmanager
def record(
    path: str | PathLike[str], *, secrets: Iterable[str] = (), limit: int = MAX_ANSWER_BYTES
) -> Iterator[Tape]:
    """
    Record HTTP and WebSockets of all clients that are opened within, into a file.

    That is what goes through `connection.http` and `connection.websocket`, and what SDKs
    send over the client that they are given. It is written when the block ends well.
    Keys are taken out: those that providers use, *secrets*, what looks like a key, and
    what stands under a name such as `api_key`, in headers, addresses and bodies.

    Args:
        path: Of the file; its folder has to be there.
        secrets: Further values that are not to be in it.
        limit: Longest answer or message that is kept; of a longer one, only its size is.

    Raises:
        ConfigurationError: There is no such folder; or something is recorded or
            replayed already.
    """
    if not Path(path).parent.is_dir():
        msg = f"record: there is no folder {Path(path).parent}."
        raise ConfigurationError(msg)
    recorder = _Recorder(Tape(path), Scrubber(secrets), limit)
    with tapping(recorder):
        yield recorder.tape
    recorder.finish()


@contextmanager
def replay(
    path: str | PathLike[str],
    *,
    secrets: Iterable[str] = (),
    allow_unused: bool = False,
    allow_loopback: bool = False,
) -> Iterator[Tape]:
    """
    Answer from a recording; nothing goes over the network.

    A request is answered by the first that was recorded with the same method, path, query
    and body and was not used yet; hosts, headers and the order of requests may differ.
    Providers still need keys, for which anything will do.

    Args:
        path: What `record` has written.
        secrets: Those that `record` was given, where they are in requests.
        allow_unused: Whether answers may be left over in the end.
        allow_loopback: Whether this machine may be reached, by whatever is no client of
            ours.

    Raises:
        ReplayError: There is no recording; something else is asked for than was
            recorded, and it says how that differs; or answers are left over.
    """
    player = _Player(Tape.read(path), Scrubber(secrets))
    with tapping(player), forbid_network(allow_loopback=allow_loopback):
        yield player.tape
    if not allow_unused and (unused := player.tape.unused()):
        listed = "\n".join(unused)
        msg = f"replay: {Path(path).name} has answers that nobody asked for:\n{listed}"
        raise ReplayError(msg)


# -- recording ----------------------------------------------------------------------------------


@attrs.define(eq=False)
class Answer:
    """An answer while it is read; what is kept of it is made when all keys are known."""

    status: int
    headers: Mapping[str, str]
    chunks: list[bytes] = attrs.field(factory=list)
    is_whole: bool = False


@attrs.define(eq=False)
class _Sent:
    method: str
    url: str
    content: bytes
    content_type: str
    headers: Mapping[str, str]
    answer: Answer | None = None
    failure: str = ""


@attrs.define(eq=False)
class _Recorder:
    """Keeps what goes by."""

    tape: Tape
    scrubber: Scrubber
    limit: int
    _kept: list[_Sent | recorded_sockets.Talk] = attrs.field(factory=list)

    def transport(self, connect: Callable[[], LinkTransport], /) -> LinkTransport:
        return _RecordedTransport(self, connect())

    def client(self, connect: Callable[[], Any], /) -> object:
        return recorded_clients.recorded(connect(), self.began)

    def socket(self, url: str, connect: Callable[[], Any], /) -> object:
        talk = recorded_sockets.Talk(url)
        self._kept.append(talk)
        return recorded_sockets.Recorded(talk, connect())

    def resolved(self, _host: str, /) -> Sequence[str] | None:
        return None

    def revealed(self, secret: str, /) -> None:
        self.scrubber.learn(secret)

    def began(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str]
    ) -> Callable[[Answer | BaseException], None]:
        """Keep a request; return what is to be called with what came of it."""
        sent = _Sent(method, url, content, headers.get("content-type", ""), headers)
        self._kept.append(sent)

        def ended(found: Answer | BaseException) -> None:
            if isinstance(found, Answer):
                sent.answer = found
            else:
                sent.failure = type(found).__name__

        return ended

    def finish(self) -> None:
        """Write the file."""
        for one in self._kept:
            if isinstance(one, recorded_sockets.Talk):
                self.tape.exchanges.append(one.kept(self.scrubber, self.limit))
            else:
                self.tape.exchanges.append(self._exchange(one))
        self.tape.write()

    def _exchange(self, sent: _Sent) -> dict[str, Any]:
        scrub = self.scrubber
        body = body_sent(sent.content, sent.content_type, scrub)
        found: dict[str, Any] = {
            "request": asked(sent.method, sent.url, body, scrub),
            "headers": scrub.headers({**sent.headers, **_settled(sent.content_type)}),
        }
        answer = sent.answer
        if answer is None:
            return {**found, "failure": sent.failure}
        headers = {name: one for name, one in answer.headers.items() if name not in DROPPED}
        kind = headers.get("content-type", "").lower()
        if "content-encoding" in headers:
            kind = ""
        found["reply"] = {
            "status": answer.status,
            "headers": scrub.headers(headers),
            "body": reply_body(answer.chunks, kind, scrub, self.limit),
            "is_whole": answer.is_whole,
        }
        return found


def _settled(content_type: str) -> dict[str, str]:
    """Return the header without what is new every time."""
    kind, boundary, _ = content_type.partition("; boundary=")
    return {"content-type": kind} if boundary else {}


@attrs.frozen(eq=False)
class _RecordedTransport:
    recorder: _Recorder
    inner: LinkTransport

    async def send(self, request: HttpRequest) -> HttpReply:
        ended = self.recorder.began(request.method, request.url, request.content, request.headers)
        try:
            reply = await self.inner.send(request)
        except BaseException as error:
            ended(error)
            raise
        unpacked = {name: one for name, one in reply.headers.items() if name != "content-encoding"}
        answer = Answer(reply.status, unpacked)
        ended(answer)
        return _RecordedReply(reply, answer)

    def proxy_for(self, origin: str) -> str:
        return self.inner.proxy_for(origin)

    async def aclose(self) -> None:
        await self.inner.aclose()


@attrs.frozen(eq=False)
class _RecordedReply:
    inner: HttpReply
    answer: Answer

    @property
    def status(self) -> int:
        return self.inner.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.inner.headers

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.inner.chunks()) as chunks:
            async for chunk in chunks:
                self.answer.chunks.append(chunk)
                yield chunk
        self.answer.is_whole = True

    async def aclose(self) -> None:
        await self.inner.aclose()


# -- replaying ----------------------------------------------------------------------------------


@attrs.define(eq=False)
class _Player:
    """Answers from a tape."""

    tape: Tape
    scrubber: Scrubber

    def transport(self, connect: Callable[[], LinkTransport], /) -> LinkTransport:
        del connect
        return _ReplayedTransport(self)

    def client(self, connect: Callable[[], Any], /) -> object:
        return recorded_clients.replayed(connect(), self.answer)

    def socket(self, url: str, connect: Callable[[], Any], /) -> object:
        del connect
        return recorded_sockets.Replayed(url, self.tape, self.scrubber)

    def resolved(self, _host: str, /) -> Sequence[str]:
        return (SOMEWHERE,)

    def revealed(self, secret: str, /) -> None:
        self.scrubber.learn(secret)

    def answer(self, method: str, url: str, content: bytes, content_type: str) -> Answer:
        """
        Return what was recorded.

        Raises:
            ReplayError: Nothing was.
            ConnectionError: It failed then.
        """
        body = body_sent(content, content_type, self.scrubber)
        found = self.tape.play(asked(method, url, body, self.scrubber))
        if "reply" not in found:
            msg = f"as it was recorded: {found['failure']}"
            raise ConnectionError(msg)
        reply = found["reply"]
        chunks = chunks_of(reply["body"])
        return Answer(reply["status"], reply["headers"], chunks, is_whole=reply["is_whole"])


@attrs.frozen(eq=False)
class _ReplayedTransport:
    player: _Player

    async def send(self, request: HttpRequest) -> HttpReply:
        await anyio.lowlevel.checkpoint()
        kind = request.headers.get("content-type", "")
        answer = self.player.answer(request.method, request.url, request.content, kind)
        return _ReplayedReply(answer)

    def proxy_for(self, origin: str) -> str:
        del origin
        return ""

    async def aclose(self) -> None:
        pass


@attrs.frozen(eq=False)
class _ReplayedReply:
    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.answer.headers

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        played = recorded_clients.played(self.answer.chunks, self.answer.is_whole)
        async with aclosing(played):
            async for chunk in played:
                yield chunk

    async def aclose(self) -> None:
        pass
