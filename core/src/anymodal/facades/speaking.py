"""One way to speak from the other, sound in the packing that was asked for, text by sentences."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias, cast

import attrs

from .. import errors as e
from ..media import Audio
from ..modalities.sounds import SoundFormat, Unwrapped, wav_header
from ..modalities.speech import (
    AudioChunk,
    ClonedVoice,
    CloneRequest,
    LiveSpeech,
    SpeechEnd,
    SpeechEvent,
    SpeechProvider,
    SpeechRequest,
    SpeechResult,
    VoiceSpec,
)
from ..streams import Whole
from ..usage import Usage
from .answers import streamed
from .awaiting import awaited

__all__ = ["BoundSpeech", "Packing", "Sentences", "bind", "broken", "joined", "unfinished"]

Events: TypeAlias = AbstractAsyncContextManager[AsyncIterator[SpeechEvent]]


@attrs.frozen
class BoundSpeech:
    """
    A provider with both ways to speak, whichever its author wrote.

    Attributes:
        synthesize: Speaks in one piece.
        stream: Speaks piece by piece.
        live: Takes text in pieces; None where it does not.
        voices: Lists the account's voices; None where it does not.
        clone: Learns a voice; None where it does not.
    """

    synthesize: Callable[[SpeechRequest], Awaitable[SpeechResult]]
    stream: Callable[[SpeechRequest], Events]
    live: Callable[[SpeechRequest], AbstractAsyncContextManager[LiveSpeech]] | None = None
    voices: Callable[[], Awaitable[Sequence[VoiceSpec]]] | None = None
    clone: Callable[[CloneRequest], Awaitable[ClonedVoice]] | None = None


def bind(provider: SpeechProvider) -> BoundSpeech:
    """
    Return *provider* with the way to speak that it lacks derived from the other.

    Methods written without `async` run in threads.

    Raises:
        BrokenPluginError: It has neither.
    """

    def method(name: str) -> Callable[..., Awaitable[Any]] | None:
        found = getattr(provider, name, None)
        return None if found is None else awaited(found)

    synthesize, stream = method("synthesize"), getattr(provider, "stream", None)
    if synthesize is None and stream is None:
        msg = f"{type(provider).__name__} has neither stream() nor synthesize()."
        raise e.BrokenPluginError(msg)
    streams = cast(
        "Callable[[SpeechRequest], Events]",
        _at_once(cast("Any", synthesize)) if stream is None else streamed(stream),
    )
    return BoundSpeech(
        synthesize or _collecting(streams),
        streams,
        getattr(provider, "live", None),
        method("voices"),
        method("clone"),
    )


def _collecting(
    stream: Callable[[SpeechRequest], Events],
) -> Callable[[SpeechRequest], Awaitable[SpeechResult]]:
    async def synthesize(request: SpeechRequest) -> SpeechResult:
        pieces: list[bytes] = []
        try:
            async with stream(request) as events:
                async for event in events:
                    if isinstance(event, SpeechEnd):
                        return _whole(request, pieces, event)
                    pieces.append(event.data)
        except e.VendorError as error:
            raise broken(error, is_begun=bool(pieces)) from error.__cause__
        raise unfinished(request.model.id, is_begun=bool(pieces))

    return synthesize


def _whole(request: SpeechRequest, pieces: Sequence[bytes], end: SpeechEnd) -> SpeechResult:
    return SpeechResult(
        audio=audio_of(b"".join(pieces), end.format or request.format),
        format=end.format or request.format,
        usage=end.usage,
        request_id=end.request_id,
        raw=end.raw,
    )


def _at_once(
    synthesize: Callable[[SpeechRequest], Awaitable[SpeechResult]],
) -> Callable[[SpeechRequest], Events]:
    @asynccontextmanager
    async def stream(request: SpeechRequest) -> AsyncGenerator[AsyncIterator[SpeechEvent], None]:
        found = await synthesize(request)
        end = SpeechEnd(
            usage=found.usage, request_id=found.request_id, format=found.format, raw=found.raw
        )
        yield Whole([AudioChunk(found.audio.data or b""), end])

    return stream


def audio_of(data: bytes, packing: SoundFormat | None) -> Audio:
    """
    Return *data* as sound.

    Raises:
        MalformedReplyError: There is none, or nobody can tell how it is packed.
    """
    try:
        return Audio(data, media_type="" if packing is None else packing.media_type)
    except e.InvalidRequestError as error:
        what = "no sound came" if not data else "the sound is of a type that is not known"
        raise e.MalformedReplyError(what) from error


def unfinished(who: str, *, is_begun: bool) -> e.VendorError:
    """Return the error for a stream that ended before its `SpeechEnd`."""
    if not is_begun:
        msg = f"{who}: the stream ended before its first sound."
        return e.ConnectionFailedError(msg)
    msg = f"{who}: the stream ended without its end marker."
    return e.IncompleteError(msg)


def broken(error: e.VendorError, *, is_begun: bool) -> e.VendorError:
    """Return *error*; a connection that broke late left half of what was to be said."""
    if not (is_begun and isinstance(error, e.ConnectionFailedError)):
        return error
    late = e.IncompleteError(str(error), provider=error.provider, request_id=error.request_id)
    late.__cause__ = error.__cause__
    return late


def joined(before: Usage | None, more: Usage | None) -> Usage | None:
    """Return what two requests used together."""
    if before is None or more is None:
        return before or more
    return Usage(
        _sum(before.input_tokens, more.input_tokens),
        _sum(before.output_tokens, more.output_tokens),
        units=before.units + more.units,
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


# -- how it is packed -----------------------------------------------------------------------


class Packing:
    """
    Makes the sound that was asked for of the sound that comes.

    Args:
        given: How it comes.
        wanted: How it is to be.
        is_joined: Whether it comes as several sounds that are to be one.
    """

    def __init__(
        self, given: SoundFormat | None, wanted: SoundFormat | None, *, is_joined: bool = False
    ) -> None:
        self.given = given
        self._wraps = given is not None and wanted is not None and wanted.codec == "wav"
        self._opens = False
        if given is not None and wanted is not None and given.codec == "wav":
            self._opens = wanted.codec == "pcm" or is_joined
        self._wraps &= self._opens or (given is not None and given.codec == "pcm")
        self._is_bare = given is not None and (given.codec == "pcm" or self._opens)
        self._unwrapped = Unwrapped()
        self._has_begun = False
        self._odd = b""

    @property
    def format(self) -> SoundFormat | None:
        """How it is now."""
        if self.given is None or not (self._wraps or self._opens):
            return self.given
        rate = self.given.rate or self._unwrapped.rate
        return SoundFormat("wav" if self._wraps else "pcm", rate)

    def begin(self) -> None:
        """Expect another sound, to follow what came."""
        self._unwrapped = Unwrapped()
        self._odd = b""

    def feed(self, data: bytes) -> bytes:
        """
        Return what is to be passed on of *data*; bare samples are not cut in two.

        Raises:
            MalformedReplyError: It is not what it is said to be.
        """
        if not self._is_bare:
            return data
        if self._opens:
            data = self._unwrapped.feed(data)
        if self._odd or len(data) % 2:
            data = self._odd + data
            self._odd = data[len(data) & ~1 :]
            data = data[: len(data) & ~1]
        if self._wraps and data and not self._has_begun:
            self._has_begun = True
            return wav_header(self._rate()) + data
        return data

    def whole(self, data: bytes) -> bytes:
        """Return the joined pieces of what `feed` gave, with the right size in their header."""
        if not self._wraps or not data:
            return data
        samples = data[len(wav_header(self._rate())) :]
        return wav_header(self._rate(), len(samples)) + samples

    def seconds(self, data: bytes) -> float | None:
        """Return how long *data*, the whole, lasts, where that can be told."""
        now = self.format
        if now is None or now.rate is None:
            return None
        head = len(wav_header(now.rate)) if self._wraps else 0
        return SoundFormat("pcm", now.rate).seconds(len(data) - head) if self._is_bare else None

    def _rate(self) -> int:
        rate = (self.given.rate if self.given else None) or self._unwrapped.rate
        if rate is None:
            msg = "bare samples came, and nobody says how many a second"
            raise e.MalformedReplyError(msg)
        return rate


# -- sentences ------------------------------------------------------------------------------

_END: Final = re.compile(r"[.!?…][\"'”’»)\]]*\s|[。！？]|\n")  # noqa: RUF001  # full-width ends of sentences
_SHORT: Final = re.compile(
    r"(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|vs|e\.g|i\.e|etc|z\.B|bzw|ca)\.$"
)
"""What ends in a dot and goes on."""
LONGEST: Final = 400
"""Characters that are waited for; a text without ends is cut at a space."""


class Sentences:
    """
    Cuts text into sentences, wherever its pieces were cut. Together they are the text.

    Which sentences there are depends on the whole text alone.
    """

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """Return the sentences that *text* completes."""
        self._rest += text
        found: list[str] = []
        while (end := self._end()) is not None:
            found.append(self._rest[:end])
            self._rest = self._rest[end:]
        return found

    def end(self) -> list[str]:
        """Return what is left when no more comes."""
        rest, self._rest = self._rest, ""
        return [rest] if rest else []

    def _end(self) -> int | None:
        head = self._rest[:LONGEST]
        for found in _END.finditer(head):
            before = head[: found.start() + 1]
            if before.strip() and not (found[0][0] == "." and _SHORT.search(before)):
                return found.end()
        if len(head) < LONGEST:
            return None
        return head.rfind(" ") + 1 or LONGEST
