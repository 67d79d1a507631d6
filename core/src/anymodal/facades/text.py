"""Text: `client.text`."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, Self, TypeAlias, cast

import anyio
import attrs

from .. import errors as e
from ..call import Call, Facade, ModelChoice
from ..media import Audio, File, Image, Media, Video
from ..modalities import TEXT, Modality
from ..modalities.messages import (
    Citation,
    Message,
    Part,
    Prompt,
    ProviderState,
    Reasoning,
    ToolCall,
    messages_of,
)
from ..modalities.text import (
    Effort,
    Finish,
    ReasoningDelta,
    TextDelta,
    TextEvent,
    TextOption,
    TextProvider,
    TextRequest,
    TextResult,
    ToolCallDelta,
    ToolSpec,
)
from ..specs import Deadlines

if TYPE_CHECKING:
    from types import TracebackType

    from ..doors import Door
    from ..resolution import Row
    from ..usage import Record

__all__ = ["BoundText", "TextFacade", "TextStream"]

DRAIN_SECONDS: Final = 1.0
"""How long the bytes after the last event are waited for, to keep the connection."""

Events: TypeAlias = AbstractAsyncContextManager[AsyncIterator[TextEvent]]

_MEDIA_NEEDS: Final[Mapping[type[Media], str]] = {
    Image: "image_input",
    Audio: "audio_input",
    Video: "video_input",
    File: "file_input",
}


class TextFacade(Facade["BoundText"]):
    """Conversations in, words out."""

    modality: ClassVar[Modality[Any]] = TEXT

    async def generate(
        self,
        prompt: Prompt,
        *,
        model: ModelChoice = None,
        system: str | None = None,
        tools: Sequence[ToolSpec] = (),
        tool_choice: str | None = None,
        reasoning: Effort | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        seed: int | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        options: Sequence[TextOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> TextResult:
        """
        Answer in one piece.

        Args:
            prompt: A string, Image, Audio, Video, File or Message, or several
                of them in order; bare parts form one user turn.
            model: A name, several in order of preference, or None for the
                default of the settings.
            system: The system prompt.
            tools: Functions that the model may ask for. None is run.
            tool_choice: `auto`, `none`, `required`, or the name of one tool.
            reasoning: How hard to think, from `none` to `max`.
            temperature: Randomness, from 0 up.
            top_p: Share of probability to sample from, above 0 and up to 1.
            max_tokens: Longest answer in tokens, reasoning included.
            stop: Strings that end the answer.
            seed: For answers that repeat, as far as the vendor can.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            The answer, with `text`, `message`, `finish_reason` and `record`.

        Raises:
            RequestError: Nothing was sent.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        call = self.call("generate", timeout=timeout, tags=tags)
        request_of = _asking(
            call, prompt, system, tools, tool_choice, reasoning, temperature, top_p,
            max_tokens, stop, seed, options, end_user, strict=strict, raw=raw,
        )  # fmt: skip
        found = await call.run(model, request_of, _generate, bind=bind, needs_of=_needs)
        _account(call, found.finish)
        return TextResult(found.message, found.finish, call.record)

    def stream(
        self,
        prompt: Prompt,
        *,
        model: ModelChoice = None,
        system: str | None = None,
        tools: Sequence[ToolSpec] = (),
        tool_choice: str | None = None,
        reasoning: Effort | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        seed: int | None = None,
        timeout: float | Deadlines | None = None,
        options: Sequence[TextOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> TextStream:
        """
        Answer piece by piece; the arguments are those of `generate`.

        Returns:
            A stream, to be entered: `async with ai.text.stream(...) as stream`.
            Entering sends the request and waits for the first event, so that
            what may fail over is raised there.
        """
        call = self.call("stream", timeout=timeout, tags=tags)
        request_of = _asking(
            call, prompt, system, tools, tool_choice, reasoning, temperature, top_p,
            max_tokens, stop, seed, options, end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return TextStream(call, model, request_of)

    def bind(self, provider: TextProvider) -> BoundText:
        """Return *provider* with the way to answer that it lacks derived from the other."""
        return bind(provider)


def _asking(  # noqa: PLR0917  # the two methods' arguments, in their order
    call: Call,
    prompt: Prompt,
    system: str | None,
    tools: Sequence[ToolSpec],
    tool_choice: str | None,
    reasoning: Effort | None,
    temperature: float | None,
    top_p: float | None,
    max_tokens: int | None,
    stop: Sequence[str],
    seed: int | None,
    options: Sequence[TextOption],
    end_user: str | None,
    *,
    strict: bool,
    raw: bool,
) -> Callable[[Row], TextRequest]:
    """Return what makes the request for a candidate."""

    def request_of(row: Row) -> TextRequest:
        return TextRequest(
            model=row.model,
            messages=messages_of(prompt),
            system=system,
            tools=tuple(tools),
            tool_choice=tool_choice,
            reasoning=reasoning,
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            seed=seed,
            options=tuple(options),
            end_user=end_user,
            deadlines=call.deadlines,
            strict=strict,
            raw=raw,
            warnings=call.record.warnings,
        )

    return request_of


def _needs(request: TextRequest) -> list[str]:
    """Return the capabilities without which *request* makes no sense."""
    needs = ["function_calling"] if request.tools else []
    if request.schema is not None:
        needs.append("structured_output")
    for message in request.messages:
        needs += [_MEDIA_NEEDS[type(part)] for part in message.parts if isinstance(part, Media)]
    return needs


def _stream_needs(request: TextRequest) -> list[str]:
    return [*_needs(request), "streaming"]


async def _generate(door: Door, request: TextRequest) -> TextResult:
    bound: BoundText = door.bound
    return await bound.generate(request)


def _account(call: Call, finish: Finish) -> None:
    call.account(finish.usage, finish.request_id)
    call.record.raw = finish.raw


# -- one way to answer from the other -----------------------------------------------------


@attrs.frozen
class BoundText:
    """A provider with both ways to answer, whichever its author wrote."""

    generate: Callable[[TextRequest], Awaitable[TextResult]]
    stream: Callable[[TextRequest], Events]


def bind(provider: TextProvider) -> BoundText:
    """
    Return *provider* with the way to answer that it lacks derived from the other.

    Raises:
        BrokenPluginError: It has neither.
    """
    generate: Callable[[TextRequest], Awaitable[TextResult]] | None
    stream: Callable[[TextRequest], Events] | None
    generate, stream = getattr(provider, "generate", None), getattr(provider, "stream", None)
    if stream is not None:
        return BoundText(generate or _collecting(stream), stream)
    if generate is not None:
        return BoundText(generate, _at_once(generate))
    msg = f"{type(provider).__name__} has neither stream() nor generate()."
    raise e.BrokenPluginError(msg)


def _collecting(
    stream: Callable[[TextRequest], Events],
) -> Callable[[TextRequest], Awaitable[TextResult]]:
    async def generate(request: TextRequest) -> TextResult:
        seen: list[TextEvent] = []
        try:
            async with stream(request) as events:
                source = _batched(events)
                while not (seen and type(seen[-1]) is Finish):
                    batch = await source.batch()
                    if not batch:
                        raise _unfinished(request.model.id, seen)
                    seen.extend(batch)
        except e.VendorError as error:
            raise _partial(error, seen) from error.__cause__
        return TextResult(assembled(seen), seen[-1])

    return generate


def _at_once(
    generate: Callable[[TextRequest], Awaitable[TextResult]],
) -> Callable[[TextRequest], Events]:
    @asynccontextmanager
    async def stream(request: TextRequest) -> AsyncIterator[AsyncIterator[TextEvent]]:
        yield _events_of(await generate(request))

    return stream


async def _events_of(result: TextResult) -> AsyncIterator[TextEvent]:
    calls = 0
    for part in result.message.parts:
        if isinstance(part, str):
            yield TextDelta(part)
        elif isinstance(part, Reasoning):
            yield ReasoningDelta(part.text)
        elif isinstance(part, ToolCall):
            yield ToolCallDelta(calls, part.id, part.name, part.arguments)
            calls += 1
        elif isinstance(part, Citation):
            yield part
    yield attrs.evolve(result.finish, state=result.message.state or result.finish.state)


class _Batched(Protocol):
    async def batch(self) -> list[TextEvent]: ...


class _OneByOne:
    """Events of a plain iterator, as batches of one."""

    def __init__(self, events: AsyncIterator[TextEvent]) -> None:
        self._events = events

    async def batch(self) -> list[TextEvent]:
        async for event in self._events:
            return [event]
        return []


def _batched(events: AsyncIterator[TextEvent]) -> _Batched:
    return cast("_Batched", events) if hasattr(events, "batch") else _OneByOne(events)


def assembled(events: Sequence[TextEvent]) -> Message:
    """Return the turn that *events* make: pieces joined, in the order they began."""
    parts: list[Part] = []
    pieces: list[str] = []
    joined: type[str | Reasoning] = str
    calls: dict[int, list[ToolCallDelta]] = {}
    places: dict[int, int] = {}
    state: tuple[ProviderState, ...] = ()

    def flush() -> None:
        if pieces:
            text = "".join(pieces)
            parts.append(text if joined is str else Reasoning(text))
            pieces.clear()

    for event in events:
        if isinstance(event, TextDelta | ReasoningDelta):
            kind = str if isinstance(event, TextDelta) else Reasoning
            if kind is not joined:
                flush()
                joined = kind
            pieces.append(event.text)
            continue
        flush()
        if isinstance(event, ToolCallDelta):
            if event.index not in calls:
                places[event.index] = len(parts)
                parts.append("")
            calls.setdefault(event.index, []).append(event)
        elif isinstance(event, Citation):
            parts.append(event)
        else:
            state = event.state
    flush()
    for index, deltas in calls.items():
        parts[places[index]] = ToolCall(
            "".join(delta.id for delta in deltas),
            "".join(delta.name for delta in deltas),
            "".join(delta.arguments for delta in deltas) or "{}",
        )
    return Message("assistant", tuple(parts) or ("",), state)


def _text(events: Sequence[TextEvent]) -> str:
    return "".join(event.text for event in events if type(event) is TextDelta)


def _unfinished(who: str, seen: Sequence[TextEvent]) -> e.VendorError:
    if not seen:
        msg = f"{who}: the stream ended before its first event."
        return e.ConnectionFailedError(msg)
    msg = f"{who}: the stream ended without its end marker."
    return e.IncompleteError(msg)


def _partial(error: e.VendorError, seen: Sequence[TextEvent]) -> e.VendorError:
    """Return *error* with the text so far; a connection that broke late left half an answer."""
    if seen and isinstance(error, e.ConnectionFailedError):
        late = e.IncompleteError(str(error), provider=error.provider, request_id=error.request_id)
        late.__cause__ = error.__cause__
        error = late
    if hasattr(error, "partial"):
        error.partial = _text(seen)
    return error


# -- streams -----------------------------------------------------------------------------


class TextStream:
    """
    An answer under way: iterate over its events, or over its `text`.

    It may be opened in one task and read and closed in another, but not be read
    by two at once. What was read is kept until the stream is gone, for `result`.
    """

    def __init__(
        self, call: Call, model: ModelChoice, request_of: Callable[[Row], TextRequest]
    ) -> None:
        self._call = call
        self._model = model
        self._request_of = request_of
        self._stack: AsyncExitStack | None = None
        self._source: _Batched | None = None
        self._seen: list[TextEvent] = []
        self._ready: deque[TextEvent] = deque()

    @property
    def record(self) -> Record:
        """What is known about the call so far."""
        return self._call.record

    async def start(self) -> Self:
        """
        Send the request and wait for the first event.

        Raises:
            AnymodalError: As `TextFacade.generate` does.
        """
        if self._stack is None:
            await self._call.run(
                self._model,
                self._request_of,
                self._open,
                bind=bind,
                needs_of=_stream_needs,
                opens_stream=True,
            )
            self._call.saw_first_event()
        return self

    async def _open(self, door: Door, request: TextRequest) -> None:
        bound: BoundText = door.bound
        async with AsyncExitStack() as stack:
            source = _batched(await stack.enter_async_context(bound.stream(request)))
            batch = await source.batch()
            if not batch:
                raise _unfinished(self.record.instance, ())
            self._source = source
            self._take(batch)
            self._stack = stack.pop_all()

    def _take(self, batch: list[TextEvent]) -> None:
        self._seen += batch
        self._ready.extend(batch)
        last = batch[-1]
        if type(last) is Finish:
            _account(self._call, last)

    @property
    def _finish(self) -> Finish | None:
        last = self._seen[-1] if self._seen else None
        return last if type(last) is Finish else None

    async def _read(self) -> bool:
        """Wait for more events; return whether there are any."""
        if self._source is None:
            msg = "The stream is not open: use it inside `async with`, or await start() first."
            raise e.ConfigurationError(msg)
        if self._finish is not None:
            return False
        try:
            batch = await self._call.within(self._source.batch(), self._call.deadlines.between)
            if not batch:
                raise _unfinished(self.record.instance, self._seen)
        except e.AnymodalError as error:
            raise self._broken(error) from error.__cause__
        self._take(batch)
        return True

    def _broken(self, error: e.AnymodalError) -> e.AnymodalError:
        if isinstance(error, e.VendorError):
            error = _partial(error, self._seen)
        elif isinstance(error, e.DeadlineExceededError):
            error.partial = _text(self._seen)
        self._call.failed_late(error)
        return error

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TextEvent:
        if not self._ready and not await self._read():
            raise StopAsyncIteration
        return self._ready.popleft()

    @property
    def text(self) -> AsyncIterator[str]:
        """The answer's words, piece by piece."""
        return _Words(self)

    async def result(self) -> TextResult:
        """
        Read to the end and return the whole, also after it was iterated over.

        Raises:
            VendorError: The stream broke; `partial` has the text so far.
        """
        while await self._read():
            pass
        finish = cast("Finish", self._finish)
        return TextResult(assembled(self._seen), finish, self.record)

    async def aclose(self) -> None:
        """Close the connection, or give it back where the answer is whole."""
        stack, self._stack = self._stack, None
        source, self._source = self._source, None
        if stack is None:
            return
        async with stack:
            if self._finish is not None and source is not None:
                with anyio.move_on_after(DRAIN_SECONDS):
                    while await source.batch():
                        pass

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class _Words:
    """The words of a stream. A class, since a generator would have to be closed."""

    def __init__(self, stream: TextStream) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            event = await anext(self._stream)
            if type(event) is TextDelta:
                return event.text
