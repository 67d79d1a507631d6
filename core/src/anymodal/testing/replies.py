"""What fakes say, in order, and what they were asked."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from ..errors import AnymodalError, ConfigurationError

if TYPE_CHECKING:
    from ..modalities.audio import AudioRequest, EnhancementRequest
    from ..modalities.embedding import EmbeddingRequest
    from ..modalities.image import ImageRequest
    from ..modalities.realtime import RealtimeRequest, SessionInput
    from ..modalities.requests import Request
    from ..modalities.speech import CloneRequest, SpeechRequest
    from ..modalities.text import TextRequest
    from ..modalities.transcription import TranscriptionSettings
    from ..modalities.video import CompositionRequest, VideoRequest

__all__ = ["NoReplyLeftError", "Replies", "RepliesLike", "Requests"]

RepliesLike: TypeAlias = "Iterable[object] | Callable[[Any], object] | None"
"""Replies in order; or one function that is asked for each; or None where there are none."""

LONGEST_SHOWN = 300


class NoReplyLeftError(AnymodalError):
    """A `FakeClient` was asked more often than it was given replies."""

    code = "no_reply_left"


@attrs.define(eq=False)
class Requests:
    """
    What a `FakeClient` was asked, in order: the requests as providers get them.

    Attributes:
        all: Of every kind of work.
        text: Conversations.
        image: Pictures, made and edited.
        video: Clips, made and composed.
        audio: Sound, made and enhanced.
        speech: What was to be said, and voices to be cloned.
        transcription: Files, and sessions that were opened.
        realtime: Sessions that were opened, and what each was told.
        embedding: Texts.
        retrieval: What stores were asked.
    """

    all: list[object] = attrs.field(factory=list)
    text: list[TextRequest] = attrs.field(factory=list)
    image: list[ImageRequest] = attrs.field(factory=list)
    video: list[VideoRequest | CompositionRequest] = attrs.field(factory=list)
    audio: list[AudioRequest | EnhancementRequest] = attrs.field(factory=list)
    speech: list[SpeechRequest | CloneRequest] = attrs.field(factory=list)
    transcription: list[TranscriptionSettings] = attrs.field(factory=list)
    realtime: list[RealtimeRequest | SessionInput] = attrs.field(factory=list)
    embedding: list[EmbeddingRequest] = attrs.field(factory=list)
    retrieval: list[Request] = attrs.field(factory=list)


@attrs.define(eq=False)
class Replies:
    """
    The replies of one kind of work.

    Args:
        modality: Which.
        given: What was given; a string alone is most likely a mistake.
        requests: Where what was asked is noted.

    Raises:
        ConfigurationError: *given* is neither replies nor a function.
    """

    modality: str
    given: RepliesLike
    requests: Requests
    used: int = attrs.field(default=0, init=False)
    _left: Iterator[object] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.given, str | bytes) or not (
            self.given is None or callable(self.given) or isinstance(self.given, Iterable)
        ):
            msg = f"{self.modality}: a list of replies, or a function of the request, is needed."
            raise ConfigurationError(msg)
        self._left = iter(() if self.given is None or callable(self.given) else self.given)

    def note(self, request: object) -> None:
        """Keep what was asked."""
        self.requests.all.append(request)
        getattr(self.requests, self.modality).append(request)

    async def next(self, request: object) -> object:
        """
        Return the next reply to *request*.

        Raises:
            NoReplyLeftError: There is none.
            Exception: The reply is one.
        """
        reply: object = self.given if callable(self.given) else next(self._left, self)
        if reply is self:
            raise self._none_left(request)
        self.used += 1
        if callable(reply) and not isinstance(reply, type):
            reply = cast("Callable[[object], object]", reply)(request)
            if inspect.isawaitable(reply):
                reply = await cast("Awaitable[object]", reply)
        if isinstance(reply, BaseException):
            raise fresh(reply)
        return reply

    def _none_left(self, request: object) -> NoReplyLeftError:
        asked = _shown(request)
        many = f"{self.used} {'reply' if self.used == 1 else 'replies'}"
        given = f"was given {many}, all used" if self.used else "was given no replies"
        msg = (
            f"FakeClient: {self.modality} {given}; it was then asked {asked}. "
            f"Give it more: FakeClient({self.modality}=[…])."
        )
        return NoReplyLeftError(msg)

    def unknown(self, reply: object, known: str) -> ConfigurationError:
        """Return the error of a reply of a kind that nobody here can make anything of."""
        msg = f"FakeClient: {self.modality} cannot reply a {type(reply).__name__}; {known}."
        return ConfigurationError(msg)


def _shown(request: object) -> str:
    """Return what *request* says, without what nobody said."""
    said = [
        f"{field.name}={getattr(request, field.name)!r}"
        for field in attrs.fields(cast("Any", type(request)))
        if field.repr
        and field.name not in {"model", "deadlines"}
        and getattr(request, field.name) != field.default
    ]
    text = f"{type(request).__name__}({', '.join(said)})"
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def fresh(error: BaseException) -> BaseException:
    """Return *error* to be raised; one of ours as a new one, as it may be raised twice."""
    return error.again() if isinstance(error, AnymodalError) else error
