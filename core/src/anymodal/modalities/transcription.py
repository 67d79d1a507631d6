"""Transcription: speech in, text out; of a file, or while it is spoken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Final, Protocol, TypeAlias

import attrs

from ..errors import InvalidRequestError
from ..media import Audio
from ..usage import Record, Usage
from .live import (
    AudioFormat,
    ClosingSoon,
    Partial,
    Reconnected,
    SpeechStarted,
    Transcript,
    TurnEnded,
    Word,
)
from .requests import Request, VendorOption
from .transcription_spec import TranscriptionProviderSpec

__all__ = [
    "Heard",
    "HearsLive",
    "Listener",
    "LiveTranscriptionRequest",
    "TranscribesFiles",
    "TranscriptSegment",
    "TranscriptionEnd",
    "TranscriptionEvent",
    "TranscriptionOption",
    "TranscriptionProvider",
    "TranscriptionProviderSpec",
    "TranscriptionRequest",
    "TranscriptionResult",
    "TranscriptionSettings",
]

MOST_KEYWORDS: Final = 1000
"""More than any vendor takes."""


class TranscriptionOption(VendorOption):
    """Base of a plugin's own frozen options for transcription; other providers ignore them."""


# -- what is asked for ------------------------------------------------------------


@attrs.frozen(kw_only=True)
class TranscriptionSettings(Request):
    """
    How something is to be transcribed, a file or what is being said; see `Request` for the rest.

    Attributes:
        language: BCP 47 tag of what is spoken; None is the vendor's default, which may
            be to find out.
        diarize: Whether speakers are to be told apart.
        words: Whether each word is to have its times.
        prompt: What the sound is about, in words, for vendors that listen better so.
        keywords: Words that are likely to come up, such as names.
    """

    option_class: ClassVar[type[VendorOption]] = TranscriptionOption

    language: str | None = None
    diarize: bool = False
    words: bool = False
    prompt: str | None = None
    keywords: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for name in ("language", "prompt"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and value.strip()):
                msg = f"{name}: words are needed, not {value!r}."
                raise InvalidRequestError(msg, field=name)
        for name in ("diarize", "words"):
            if not isinstance(getattr(self, name), bool):
                msg = f"{name}: True or False is needed, not {getattr(self, name)!r}."
                raise InvalidRequestError(msg, field=name)
        if not all(isinstance(one, str) and one.strip() for one in self.keywords):
            msg = "keywords: a sequence of words is needed, none of them empty."
            raise InvalidRequestError(msg, field="keywords")
        if len(self.keywords) > MOST_KEYWORDS:
            msg = f"keywords: at most {MOST_KEYWORDS} are taken, not {len(self.keywords)}."
            raise InvalidRequestError(msg, field="keywords")


@attrs.frozen(kw_only=True)
class TranscriptionRequest(TranscriptionSettings):
    """
    What a provider is asked for that is to transcribe a file.

    Attributes:
        audio: The sound: its bytes, its file, or a URL that the vendor may fetch.
    """

    audio: Audio

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not isinstance(self.audio, Audio):
            msg = f"audio: an Audio is needed, not {type(self.audio).__name__}."
            raise InvalidRequestError(msg, field="audio")


@attrs.frozen(kw_only=True)
class LiveTranscriptionRequest(TranscriptionSettings):
    """
    What a provider is asked for that is to transcribe what is being said.

    Attributes:
        format: How the sound is packed that will come, in whole samples of all channels.
        partials: Whether what is not final yet is wanted too.
    """

    format: AudioFormat
    partials: bool = True

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not isinstance(self.format, AudioFormat):
            msg = f"format: an AudioFormat is needed, not {type(self.format).__name__}."
            raise InvalidRequestError(msg, field="format")


# -- what comes back --------------------------------------------------------------


@attrs.frozen(kw_only=True)
class TranscriptSegment:
    """
    A part of what was said: a sentence, or what one speaker said in a turn.

    Attributes:
        text: The words.
        start: Seconds from the beginning of the sound.
        end: Likewise.
        speaker: Who said it, in the vendor's numbering; None where speakers were not
            told apart.
        confidence: How sure the vendor is, from 0 to 1; None where it does not say.
    """

    text: str
    start: float
    end: float
    speaker: str | None = None
    confidence: float | None = None


@attrs.frozen(kw_only=True)
class TranscriptionResult:
    """
    What was said.

    Attributes:
        text: All of it; empty where nobody spoke.
        words: Each with its times, where they were asked for and the vendor gives them.
        segments: Sentences or turns with their times, likewise.
        language: BCP 47 tag of what was spoken: the caller's word, or what the vendor found.
        duration: Seconds of sound; None where the vendor does not say.
        confidence: How sure the vendor is, from 0 to 1; None where it does not say.
        usage: What the vendor counted.
        request_id: The vendor's id of the request.
        raw: The vendor's answer, where the request asked for it.
        record: What is known about the call. Set by the client.
    """

    text: str
    words: tuple[Word, ...] = attrs.field(default=(), repr=lambda found: f"{len(found)} words")
    segments: tuple[TranscriptSegment, ...] = attrs.field(
        default=(), repr=lambda found: f"{len(found)} segments"
    )
    language: str | None = None
    duration: float | None = None
    confidence: float | None = None
    usage: Usage | None = None
    request_id: str | None = None
    raw: object = attrs.field(default=None, repr=False)
    record: Record = attrs.field(default=None, eq=False, repr=False)


@attrs.define(kw_only=True)
class TranscriptionEnd:
    """
    The last event: all that was sent has been transcribed.

    Attributes:
        duration: Seconds of sound that the vendor heard.
        language: BCP 47 tag of what was spoken.
        usage: What the vendor counted; None is seconds of sound, of quality `live`, for
            vendors that ask another price for it than for files.
        request_id: The vendor's id of the session.
        raw: The vendor's words, where the request asked for them.
    """

    duration: float | None = None
    language: str | None = None
    usage: Usage | None = None
    request_id: str | None = None
    raw: object = attrs.field(default=None, repr=False)


Heard: TypeAlias = SpeechStarted | Partial | Transcript | TurnEnded | Reconnected | ClosingSoon
"""What a caller sees of a live transcription; the words are in `anymodal.modalities.live`."""

TranscriptionEvent: TypeAlias = Heard | TranscriptionEnd
"""What a provider says of one."""


# -- what an author writes --------------------------------------------------------


class TranscribesFiles(Protocol):
    """A provider that transcribes files. It may have what `HearsLive` has besides."""

    async def transcribe(self, request: TranscriptionRequest, /) -> TranscriptionResult:
        """
        Transcribe `request.audio`.

        Raises:
            InvalidRequestError: Something in *request* this vendor never takes.
            VendorError: It refused or failed.
        """


class Listener(Protocol):
    """Somebody who listens, and says what was heard."""

    async def send(self, data: bytes, /) -> None:
        """
        Hear *data*, whole samples of it, after what came before.

        Waits while there is enough to be heard first: that is how a sender is held back.
        """

    async def finish(self) -> None:
        """Say that no more sound will come; what was sent is still heard to its end."""

    def __aiter__(self) -> AsyncIterator[TranscriptionEvent]:
        """
        Iterate over what is heard, to the `TranscriptionEnd`. Another task sends meanwhile.

        Where the vendor can resume after a broken connection, this does and says
        `Reconnected`; where it cannot, it raises.
        """


class HearsLive(Protocol):
    """A provider that transcribes while one speaks. The core puts files through it."""

    def live(self, request: LiveTranscriptionRequest, /) -> AbstractAsyncContextManager[Listener]:
        """Open a session. It is entered and left in one task; others send and read."""


TranscriptionProvider: TypeAlias = TranscribesFiles | HearsLive
