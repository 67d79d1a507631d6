"""
Sound as it is spoken: its formats, and one vocabulary of events for all vendors.

Live transcription and realtime conversations share it. A session says what it hears
(`SpeechStarted`, `Partial`, `Transcript`, `TurnEnded`), what it answers (`AudioOut`,
`Partial` and `Transcript` of the assistant, `ToolRequested`, `ResponseDone`), and how
the connection fares (`Reconnected`, `ClosingSoon`). Whatever else vendors say, plugins
leave out, or raise as an error.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from ..errors import VendorError
from ..usage import Usage
from .messages import ToolCall
from .packing import AudioFormat, AudioFormatLike

__all__ = [
    "AudioFormat",
    "AudioFormatLike",
    "AudioOut",
    "ClosingSoon",
    "LiveEvent",
    "Partial",
    "Reconnected",
    "ResponseDone",
    "SpeechStarted",
    "ToolRequested",
    "Transcript",
    "TurnEnded",
    "Who",
    "Word",
]

Who: TypeAlias = Literal["user", "assistant"]


@attrs.frozen
class Word:
    """
    A word as it was heard.

    Attributes:
        text: The word, as it stands in the text.
        start: Seconds from the beginning of the sound.
        end: Likewise.
        speaker: Who said it, in the vendor's numbering, such as `0`; None where
            speakers were not told apart.
        confidence: How sure the vendor is, from 0 to 1; None where it does not say.
    """

    text: str
    start: float
    end: float
    speaker: str | None = None
    confidence: float | None = None


# -- what is heard ------------------------------------------------------------------


@attrs.define
class SpeechStarted:
    """
    Somebody began to speak. In a conversation, this is when playing has to stop.

    Attributes:
        at: Seconds from the beginning of the sound; None where the vendor does not say.
    """

    at: float | None = None


@attrs.define
class Partial:
    """
    What was said, as far as it is understood; the next one replaces it, or a `Transcript`.

    Attributes:
        text: All of it since the last `Transcript` of the same speaker's.
        who: `user`, or `assistant` where it is the model that speaks.
        item_id: The vendor's id of what is being said; None where it gives none.
    """

    text: str
    who: Who = "user"
    item_id: str | None = None


@attrs.define
class Transcript:
    """
    What was said; it does not change any more.

    Attributes:
        text: The words since the last one.
        who: `user`, or `assistant` where it is the model that speaks.
        words: Each with its times, where the vendor gives them.
        start: Seconds from the beginning of the sound; None where the vendor does not say.
        end: Likewise.
        confidence: How sure the vendor is, from 0 to 1.
        language: BCP 47 tag of what was spoken.
        item_id: The vendor's id of what was said.
        usage: What the vendor counted for hearing it, where a conversation bills that by itself.
    """

    text: str
    who: Who = "user"
    words: tuple[Word, ...] = attrs.field(default=(), kw_only=True)
    start: float | None = attrs.field(default=None, kw_only=True)
    end: float | None = attrs.field(default=None, kw_only=True)
    confidence: float | None = attrs.field(default=None, kw_only=True)
    language: str | None = attrs.field(default=None, kw_only=True)
    item_id: str | None = attrs.field(default=None, kw_only=True)
    usage: Usage | None = attrs.field(default=None, kw_only=True)


@attrs.define
class TurnEnded:
    """
    The speaker has finished, for now.

    Attributes:
        at: Seconds from the beginning of the sound; None where the vendor does not say.
    """

    at: float | None = None


# -- what is answered ---------------------------------------------------------------


@attrs.define
class AudioOut:
    """
    Sound to be played, in the format that the session declares.

    Attributes:
        data: The sound, after what came before.
        item_id: The vendor's id of the answer that it belongs to.
    """

    data: bytes = attrs.field(repr=lambda data: f"{len(data)} bytes")
    item_id: str | None = None


@attrs.define
class ToolRequested:
    """The model wants a tool to be run; the session takes the result."""

    call: ToolCall


@attrs.define(kw_only=True)
class ResponseDone:
    """
    An answer has ended.

    Attributes:
        reason: `stop`; `tool_calls`; `interrupted`, because somebody spoke; `length`;
            `filtered`; `failed`.
        usage: What the vendor counted for it.
        response_id: The vendor's id of the answer.
        error: What went wrong with it, where it failed; the session goes on.
        raw: The vendor's words, where the session was asked for them.
    """

    reason: Literal["stop", "tool_calls", "interrupted", "length", "filtered", "failed"] = "stop"
    usage: Usage | None = None
    response_id: str | None = None
    error: VendorError | None = None
    raw: object = attrs.field(default=None, repr=False)


# -- how the connection fares -------------------------------------------------------


@attrs.define
class Reconnected:
    """
    The connection was lost, and another goes on where it was.

    Attributes:
        lost_seconds: How much sound neither of them heard; None where nobody knows.
    """

    lost_seconds: float | None = None


@attrs.define
class ClosingSoon:
    """
    The vendor will end the session.

    Attributes:
        seconds: How long there is; None where it does not say.
    """

    seconds: float | None = None


LiveEvent: TypeAlias = (
    SpeechStarted
    | Partial
    | Transcript
    | TurnEnded
    | AudioOut
    | ToolRequested
    | ResponseDone
    | Reconnected
    | ClosingSoon
)
"""What a live session may say. A transcription says none of the answers."""
