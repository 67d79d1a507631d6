"""Somebody who listens, kept by a task of its own, and files that are read out to one."""

from __future__ import annotations

import inspect
import io
import wave
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import Any, Final, TypeVar

import anyio
import anyio.to_thread
import attrs

from .. import errors as e
from ..modalities.live import AudioFormat, Transcript
from ..modalities.transcription import (
    Heard,
    Listener,
    LiveTranscriptionRequest,
    TranscriptionEnd,
    TranscriptionEvent,
    TranscriptionProvider,
    TranscriptionRequest,
    TranscriptionResult,
    TranscriptionSettings,
    TranscriptSegment,
)
from ..shielding import shielded
from ..usage import Usage, Used
from .awaiting import awaited
from .spawning import spawned

__all__ = ["BoundTranscription", "Ear", "bind", "heard", "unfinished"]

WAITING_EVENTS: Final = 64
"""Events that are held for a slow reader; past it the vendor is not read."""

PIECE_SECONDS: Final = 0.25
"""How much of a file is sent at a time."""

SAMPLE_BYTES: Final = 2

FaultT = TypeVar("FaultT", bound=Exception)
Live = Callable[[LiveTranscriptionRequest], AbstractAsyncContextManager[Listener]]


@attrs.frozen
class BoundTranscription:
    """
    A provider with its ways to transcribe.

    Attributes:
        transcribe: Transcribes a file.
        live: Listens while one speaks; None where it does not.
    """

    transcribe: Callable[[TranscriptionRequest], Awaitable[TranscriptionResult]]
    live: Live | None = None


def bind(provider: TranscriptionProvider) -> BoundTranscription:
    """
    Return *provider*; one that only listens live gets files read out to it.

    Methods written without `async` run in threads.

    Raises:
        BrokenPluginError: It has neither way.
    """
    transcribe, live = getattr(provider, "transcribe", None), getattr(provider, "live", None)
    if transcribe is not None:
        return BoundTranscription(awaited(transcribe), live)
    if live is None:
        msg = f"{type(provider).__name__} has neither transcribe() nor live()."
        raise e.BrokenPluginError(msg)
    return BoundTranscription(_reading_out(live), live)


class Ear:
    """
    A listener, and the task that has it from its opening to its end, as sockets need it.

    Args:
        opening: Opens the listener.

    Attributes:
        listener: The listener; there once `opened` has returned.
    """

    listener: Listener

    def __init__(self, opening: AbstractAsyncContextManager[Listener]) -> None:
        self._opening = opening
        self._scope = anyio.CancelScope()
        self._is_open = anyio.Event()
        self._has_left = anyio.Event()
        self._fault: Exception | None = None
        self._events: list[TranscriptionEvent] = []
        self._came = self._taken = anyio.Event()
        self._task = spawned(self._run)

    async def opened(self) -> None:
        """
        Wait until it listens.

        Raises:
            AnymodalError: It does not.
        """
        await self._is_open.wait()
        if not hasattr(self, "listener"):
            raise self._fault or unfinished("the listener", is_begun=False)

    async def batch(self) -> list[TranscriptionEvent]:
        """Return the next events; none at the end."""
        while not self._events and not self._has_left.is_set():
            self._came = anyio.Event()  # a stream of anyio's would go round the loop once more
            await self._came.wait()
        found, self._events = self._events, []
        self._taken.set()
        if not found and self._fault is not None:
            raise self._fault
        return found

    def first_fault(self, later: FaultT) -> FaultT | e.AnymodalError:
        """Return why the listener left, where that came before *later*, and *later* else."""
        fault = self._fault
        return fault if isinstance(fault, e.AnymodalError) else later

    def break_off(self, error: Exception) -> None:
        """Hang up because of *error*, which is raised where events are awaited."""
        self._fault = error
        self._scope.cancel()

    async def aclose(self) -> None:
        """Hang up, and wait until that is done."""
        self._scope.cancel()
        await shielded(self._has_left.wait())

    async def _run(self) -> None:
        try:
            with self._scope:
                async with self._opening as listener:
                    self.listener = listener
                    self._is_open.set()
                    await self._listen(listener)
        except Exception as error:  # noqa: BLE001  # raised where events are awaited
            self._fault = self._fault or error
        finally:
            self._is_open.set()
            self._has_left.set()
            self._came.set()

    async def _listen(self, listener: Listener) -> None:
        try:
            async with AsyncExitStack() as stack:
                events = aiter(listener)
                if inspect.isasyncgen(events):
                    await stack.enter_async_context(aclosing(events))
                async for event in events:
                    self._events.append(event)
                    self._came.set()
                    if isinstance(event, TranscriptionEnd):
                        return
                    if len(self._events) >= WAITING_EVENTS:
                        self._taken = anyio.Event()
                        await self._taken.wait()
        except Exception as error:  # noqa: BLE001  # as above; leaving may raise another
            self._fault = self._fault or error


def unfinished(who: str, *, is_begun: bool) -> e.VendorError:
    """Return the error for a session that ended before its `TranscriptionEnd`."""
    if not is_begun:
        msg = f"{who}: the session ended before anything was heard."
        return e.ConnectionFailedError(msg)
    msg = f"{who}: the session ended before all of it was heard."
    return e.IncompleteError(msg)


def heard(
    events: Iterable[Heard],
    end: TranscriptionEnd,
    *,
    language: str | None = None,
    seconds: float | None = None,
) -> TranscriptionResult:
    """
    Return what *events* say in all.

    Args:
        events: In their order.
        end: What the vendor said last.
        language: What the caller said is spoken.
        seconds: How much sound was sent.
    """
    said = [event for event in events if isinstance(event, Transcript) and event.text.strip()]
    duration = seconds if end.duration is None else end.duration
    found = next((one.language for one in said if one.language), None)
    return TranscriptionResult(
        text=" ".join(one.text.strip() for one in said),
        words=tuple(word for one in said for word in one.words),
        segments=tuple(_segments(said)),
        language=end.language or found or language,
        duration=duration,
        usage=end.usage or _usage(duration),
        request_id=end.request_id,
        raw=end.raw,
    )


def _usage(seconds: float | None) -> Usage | None:
    """Return what is billed of so much sound, where the vendor does not say."""
    return None if seconds is None else Usage(units=(Used("second", seconds, quality="live"),))


def _segments(said: Sequence[Transcript]) -> Iterator[TranscriptSegment]:
    for one in said:
        if one.start is not None and one.end is not None:
            speakers = {word.speaker for word in one.words}
            yield TranscriptSegment(
                text=one.text.strip(),
                start=one.start,
                end=one.end,
                speaker=speakers.pop() if len(speakers) == 1 else None,
                confidence=one.confidence,
            )


# -- files that are read out ----------------------------------------------------------------


def _reading_out(
    live: Live,
) -> Callable[[TranscriptionRequest], Awaitable[TranscriptionResult]]:
    async def transcribe(request: TranscriptionRequest) -> TranscriptionResult:
        packing, sound = await anyio.to_thread.run_sync(_samples, request)
        settings = {name: getattr(request, name) for name in _SETTINGS}
        asked = LiveTranscriptionRequest(format=packing, partials=False, **settings)
        seen: list[Any] = []
        fault: Exception | None = None
        async with anyio.create_task_group() as tasks:
            ear = Ear(live(asked))
            try:
                await ear.opened()
                tasks.start_soon(_read_out, ear, packing, sound)
                while batch := await ear.batch():
                    seen += batch
            except Exception as error:  # noqa: BLE001  # a group would hide it
                fault = error
            finally:
                await ear.aclose()
                tasks.cancel_scope.cancel()
        if fault is not None:
            raise fault
        end = seen.pop() if seen else None
        if not isinstance(end, TranscriptionEnd):
            raise unfinished(request.model.id, is_begun=end is not None)
        return heard(seen, end, language=request.language, seconds=packing.seconds(len(sound)))

    return transcribe


_SETTINGS: Final = tuple(field.name for field in attrs.fields(TranscriptionSettings))


async def _read_out(ear: Ear, packing: AudioFormat, sound: bytes) -> None:
    step = max(int(packing.rate * PIECE_SECONDS), 1) * packing.frame_bytes
    try:
        for at in range(0, len(sound), step):
            await ear.listener.send(sound[at : at + step])
        await ear.listener.finish()
    except e.VendorError:
        return  # it can be told no more; what is heard, or not, says why
    except Exception as error:  # noqa: BLE001  # raised where events are awaited
        ear.break_off(error)


def _samples(request: TranscriptionRequest) -> tuple[AudioFormat, bytes]:
    """
    Return the bare samples of a file, and how they are packed.

    Raises:
        InvalidRequestError: There are no bytes.
        UnsupportedFeatureError: They are no WAV file of 16 bits.
    """
    data, media_type = request.audio.read_bytes(), request.audio.media_type
    try:
        with wave.open(io.BytesIO(data)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            if width == SAMPLE_BYTES:
                packing = AudioFormat("pcm_s16le", rate=rate, channels=channels)
                return packing, file.readframes(file.getnframes())
            what = f"has {8 * width} bits"
    except (wave.Error, EOFError):
        what = f"is {media_type}"
    msg = (
        f"audio: {request.model.id} only listens live, and of files only WAV with samples of "
        f"16 bits can be read out to it; this one {what}."
    )
    raise e.UnsupportedFeatureError(msg)
