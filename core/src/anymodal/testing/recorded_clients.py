"""What stands between a vendor's SDK and the network, to record it or in its stead."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import anyio.lowlevel

from .tapes import ReplayError

if TYPE_CHECKING:
    import httpx2

    from .recording import Answer

    Ended: TypeAlias = Callable[[Answer | BaseException], None]
    Answers: TypeAlias = Callable[[str, str, bytes, str], Answer]

__all__ = ["played", "recorded", "replayed"]


class Began(Protocol):
    """Keeps a request; returns what is to be called with what came of it."""

    def __call__(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], /
    ) -> Ended: ...


async def played(chunks: Sequence[bytes], is_whole: bool) -> AsyncGenerator[bytes, None]:  # noqa: FBT001  # two words that belong together
    """
    Give the chunks of an answer as they came.

    Raises:
        ReplayError: More is read than was, when it was recorded.
    """
    for chunk in chunks:
        await anyio.lowlevel.checkpoint()
        yield chunk
    if not is_whole:
        msg = "replay: the recording of this answer ends here; it was not read further."
        raise ReplayError(msg)


def recorded(client: Any, began: Began) -> Any:
    """Return *client*, an `httpx2.AsyncClient`, which from now on is recorded."""
    import httpx2  # noqa: PLC0415  # it is there, as the client is one

    from .recording import Answer  # noqa: PLC0415  # which imports this module

    class Stream(httpx2.AsyncByteStream):
        def __init__(self, inner: Any, answer: Answer) -> None:
            self._inner, self._answer = inner, answer

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in self._inner:
                self._answer.chunks.append(chunk)
                yield chunk
            self._answer.is_whole = True

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Transport(httpx2.AsyncBaseTransport):
        def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
            self._inner = inner

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            request.headers["accept-encoding"] = "identity"  # to be read by people
            content = await request.aread()
            ended = began(request.method, str(request.url), content, _lowered(request.headers))
            try:
                response = await self._inner.handle_async_request(request)
            except BaseException as error:
                ended(error)
                raise
            answer = Answer(response.status_code, _lowered(response.headers))
            ended(answer)
            response.stream = Stream(response.stream, answer)
            return response

        async def aclose(self) -> None:
            await self._inner.aclose()

    _replace(client, Transport)
    return client


def replayed(client: Any, answers: Answers) -> Any:
    """Return *client*, an `httpx2.AsyncClient`, which from now on gives *answers*."""
    import httpx2  # noqa: PLC0415  # as above

    class Stream(httpx2.AsyncByteStream):
        def __init__(self, answer: Answer) -> None:
            self._answer = answer

        def __aiter__(self) -> AsyncIterator[bytes]:
            return played(self._answer.chunks, self._answer.is_whole)

    class Transport(httpx2.AsyncBaseTransport):
        def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
            self._inner = inner

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            content = await request.aread()
            kind = request.headers.get("content-type", "")
            answer = answers(request.method, str(request.url), content, kind)
            return httpx2.Response(
                answer.status, headers=dict(answer.headers), stream=Stream(answer)
            )

        async def aclose(self) -> None:
            await self._inner.aclose()

    _replace(client, Transport)
    return client


def _replace(client: Any, transport: Callable[[Any], Any]) -> None:
    """Put *transport* around every way out of *client*."""
    # Given as an argument it would be without the proxies that the environment names, and
    # there is no public word for what is there (httpx2 2.16.2, read 2026-11-20).
    client._transport = transport(client._transport)  # noqa: SLF001  # as said above
    for pattern, inner in client._mounts.items():  # noqa: SLF001  # as said above
        client._mounts[pattern] = None if inner is None else transport(inner)  # noqa: SLF001  # as said above


def _lowered(headers: httpx2.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
