"""What somebody says, turn by turn, while they are answered."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, get_args

import anyio

from .. import errors as e
from ..modalities.live import Partial, SpeechStarted, Transcript, TurnEnded
from ..shielding import shielded
from .spawning import spawned

if TYPE_CHECKING:
    from types import TracebackType

    from ..modalities.transcription import Heard
    from .hearing import LiveTranscription

__all__ = ["Turn", "Turns", "WhileAnswering"]

WhileAnswering: TypeAlias = Literal["listen", "wait", "ignore"]


class Turn:
    """
    What somebody said before they stopped to be answered.

    Attributes:
        text: The words.
        transcripts: The parts they came in, with what else is known of them.
        is_interrupted: Whether somebody spoke while it was answered.
    """

    def __init__(self, transcripts: Sequence[Transcript], turns: Turns) -> None:
        self.transcripts = tuple(transcripts)
        self.text = " ".join(one.text.strip() for one in transcripts)
        self.is_interrupted = False
        self._turns = turns
        self._scope: anyio.CancelScope | None = None

    def __repr__(self) -> str:
        return f"Turn({self.text!r})"

    @contextmanager
    def answering(self) -> Iterator[None]:
        """
        Answer it in this block, which is left when somebody speaks, if they may.

        It is cancelled then, and the program goes on after it; `is_interrupted` tells.
        """
        try:
            with anyio.CancelScope() as self._scope:
                self._turns._answer(self)  # noqa: SLF001  # two classes, one thing
                yield
        finally:
            self._scope = None
            self._turns._answered()  # noqa: SLF001  # as above

    def interrupt(self) -> None:
        """Leave the block that answers it."""
        if self._scope is not None:
            self.is_interrupted = True
            self._scope.cancel()


class Turns:
    """
    What somebody says, turn by turn; made by `LiveTranscription.turns`.

    One task of its own sends the sound, and another hears what is made of it, so that
    it goes on while a turn is answered.
    """

    def __init__(
        self,
        session: LiveTranscription,
        sound: AsyncIterable[bytes],
        while_answering: WhileAnswering | None,
    ) -> None:
        if while_answering is None:
            while_answering = getattr(sound, "while_answering", "listen")
        if while_answering not in get_args(WhileAnswering):
            msg = f"while_answering: {', '.join(get_args(WhileAnswering))} are there, not {while_answering!r}."
            raise e.InvalidRequestError(msg, field="while_answering")
        self._session = session
        self._sound = sound
        self._meanwhile = while_answering
        self._parts: list[Transcript] = []
        self._waiting: deque[Turn] = deque()
        self._answering: Turn | None = None
        self._is_speaking = False
        self._is_over = False
        self._fault: Exception | None = None
        self._scope = anyio.CancelScope()  # of sending
        self._hearing = anyio.CancelScope()
        self._changed: anyio.Event
        self._tasks: list[object] = []
        self._left: list[anyio.Event] = []

    # -- who answers ----------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Turn:
        """
        Wait for the next turn.

        Raises:
            AnymodalError: As iterating over the session does.
            Exception: What the sound raised.
        """
        if not self._tasks:
            msg = "The turns are not there yet: use them inside `async with`."
            raise e.ConfigurationError(msg)
        self._change()  # sound that waits may come: whoever asks is done with the last turn
        while not self._waiting or self._is_spoken_on:
            if self._is_over:
                if self._fault is not None:
                    raise self._fault
                raise StopAsyncIteration
            await self._changed.wait()
        return self._waiting.popleft()

    @property
    def _is_spoken_on(self) -> bool:
        """Whether what waits is about to become part of a longer turn."""
        return self._meanwhile == "listen" and self._is_speaking

    def _answer(self, turn: Turn) -> None:
        self._answering = turn
        if self._is_spoken_on:
            turn.interrupt()

    def _answered(self) -> None:
        self._answering = None
        self._change()

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    # -- who speaks -----------------------------------------------------------------------

    async def _send(self) -> None:
        async with AsyncExitStack() as stack:
            sound = aiter(self._sound)
            if inspect.isasyncgen(sound):
                await stack.enter_async_context(aclosing(sound))
            while (data := await self._next_of(sound)) is not None:
                if self._meanwhile == "wait":
                    while self._is_busy and not self._is_over:
                        await self._changed.wait()
                elif self._meanwhile == "ignore" and self._is_busy:
                    continue
                await self._session.send(data)
        await self._session.finish()

    async def _next_of(self, sound: AsyncIterator[bytes]) -> bytes | None:
        """Return more sound; None at its end, also where it broke: what was sent is still heard."""
        try:
            return await anext(sound)
        except StopAsyncIteration:
            return None
        except Exception as error:  # noqa: BLE001  # raised where turns are awaited
            self._fault = error
            return None

    @property
    def _is_busy(self) -> bool:
        return self._answering is not None or bool(self._waiting)

    async def _hear(self) -> None:
        async for event in self._session:
            self._heed(event)
        self._end_turn()

    def _heed(self, event: Heard) -> None:
        match event:
            case TurnEnded():
                self._end_turn()
                return
            case SpeechStarted():
                pass  # it may be a noise: nothing waits for words that may not come
            case Transcript(text) | Partial(text) if text.strip():
                self._is_speaking = True
                if isinstance(event, Transcript):
                    self._parts.append(event)
            case _:
                return
        if self._meanwhile == "listen" and self._answering is not None:
            self._answering.interrupt()

    def _end_turn(self) -> None:
        self._is_speaking = False
        if self._parts:
            before: tuple[Transcript, ...] = ()
            if self._meanwhile == "listen" and self._waiting:
                before = self._waiting.pop().transcripts
            self._waiting.append(Turn([*before, *self._parts], self))
            self._parts = []
        self._change()

    # -- from its beginning to its end ----------------------------------------------------

    async def __aenter__(self) -> Self:
        """Begin to send the sound. The session has to be open."""
        self._changed = anyio.Event()
        for run in (self._sending, self._listening):
            self._left.append(anyio.Event())
            self._tasks.append(spawned(run))
        return self

    async def _sending(self) -> None:
        try:
            with self._scope:
                await self._send()
        except Exception as error:  # noqa: BLE001  # raised where turns are awaited
            self._fault = self._fault or error
            self._hearing.cancel()
        finally:
            self._left[0].set()

    async def _listening(self) -> None:
        try:
            with self._hearing:
                await self._hear()
        except Exception as error:  # noqa: BLE001  # as above
            self._fault = self._fault or error
        finally:
            self._scope.cancel()
            self._is_over, self._is_speaking = True, False
            self._change()
            self._left[1].set()

    async def aclose(self) -> None:
        """Read no more sound, and wait until that is so. The session stays open."""
        self._scope.cancel()
        self._hearing.cancel()
        await shielded(self._have_left())

    async def _have_left(self) -> None:
        for one in self._left:
            await one.wait()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
