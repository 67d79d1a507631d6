"""
Realtime: a conversation by voice, both ways at once.

A provider is told what to do by `SessionInput`s and says what happens in the words
of `anymodal.modalities.live`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Final, Literal, Protocol, TypeAlias, get_args

import attrs

from ..errors import InvalidRequestError
from .live import AudioFormat, LiveEvent
from .messages import ToolResult
from .realtime_spec import RealtimeProviderSpec
from .requests import Request, VendorOption
from .text import ToolSpec

__all__ = [
    "AudioIn",
    "Commit",
    "Conversation",
    "InputTranscription",
    "Interrupt",
    "OpensRealtime",
    "RealtimeOption",
    "RealtimeProviderSpec",
    "RealtimeRequest",
    "Respond",
    "SessionInput",
    "TextIn",
    "ToolResults",
    "TurnBy",
    "TurnDetection",
]

TurnBy: TypeAlias = Literal["silence", "meaning", "caller"]
LONGEST_SILENCE: Final = 60.0


class RealtimeOption(VendorOption):
    """Base of a plugin's own frozen options for conversations; other providers ignore them."""


# -- what is asked for ------------------------------------------------------------


@attrs.frozen
class TurnDetection:
    """
    How it is told that the speaker has finished. `None` means the vendor's default.

    Args:
        by: `silence` after speech; `meaning` of what was said; or `caller`: who speaks
            says so, by `commit` and `respond`.
        silence: Seconds of silence that end a turn.
        padding: Seconds of sound before speech that are heard too.
        threshold: How loud speech has to be, from 0 to 1.
        responds: Whether the model answers when a turn has ended, without being told.
        interrupts: Whether an answer is broken off when somebody speaks.

    Raises:
        InvalidRequestError: One of them is out of its range.
    """

    by: TurnBy = "silence"
    silence: float | None = attrs.field(default=None, kw_only=True)
    padding: float | None = attrs.field(default=None, kw_only=True)
    threshold: float | None = attrs.field(default=None, kw_only=True)
    responds: bool = attrs.field(default=True, kw_only=True)
    interrupts: bool = attrs.field(default=True, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.by not in get_args(TurnBy):
            msg = f"turns: {self.by!r} is none of {', '.join(get_args(TurnBy))}."
            raise InvalidRequestError(msg, field="turns")
        for name, most in (
            ("silence", LONGEST_SILENCE),
            ("padding", LONGEST_SILENCE),
            ("threshold", 1.0),
        ):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and 0 <= value <= most):
                msg = f"turns: {name} is a number from 0 to {most:g}, not {value!r}."
                raise InvalidRequestError(msg, field="turns")


@attrs.frozen
class InputTranscription:
    """
    That what is said to the model is wanted in writing, as `Transcript`.

    Args:
        model: The vendor's model for it; None is the plugin's choice.
        language: BCP 47 tag of what is spoken; None leaves it to the vendor.
        prompt: Words that help it to hear right.
    """

    model: str | None = attrs.field(default=None, kw_only=True)
    language: str | None = attrs.field(default=None, kw_only=True)
    prompt: str | None = attrs.field(default=None, kw_only=True)


@attrs.frozen(kw_only=True)
class RealtimeRequest(Request):
    """
    What a provider is asked for that is to hold a conversation; see `Request` for the rest.

    Attributes:
        input_format: How the sound is packed that is sent; one of the spec's.
        output_format: How the answers are to be packed; one of the spec's.
        instructions: What the model should know and how it should behave.
        voice: The vendor's id of a voice.
        answers: Whether it answers in `audio` with a transcript, or in `text` alone.
        tools: What the model may ask for.
        tool_choice: `auto`, `none`, `required` or the name of a tool.
        turns: How it is told that the speaker has finished.
        transcription: How what is said is to be written down; None where it is not.
        max_tokens: Longest answer.
    """

    option_class: ClassVar[type[VendorOption]] = RealtimeOption

    input_format: AudioFormat
    output_format: AudioFormat
    instructions: str | None = None
    voice: str | None = None
    answers: Literal["audio", "text"] = "audio"
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | None = None
    turns: TurnDetection | None = None
    transcription: InputTranscription | None = None
    max_tokens: int | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for name in ("instructions", "voice"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and value.strip()):
                _refuse(name, f"words are needed, not {value!r}")
        if self.answers not in {"audio", "text"}:
            _refuse("answers", f"audio or text is needed, not {self.answers!r}")
        for name, cls in (("turns", TurnDetection), ("transcription", InputTranscription)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, cls):
                _refuse(name, f"a {cls.__name__} is needed, not {value!r}")
        if self.max_tokens is not None and not (
            type(self.max_tokens) is int and self.max_tokens > 0
        ):
            _refuse("max_tokens", f"a whole number above 0 is needed, not {self.max_tokens!r}")
        names = [tool.name for tool in self.tools]
        if self.tool_choice not in {None, "auto", "none", "required", *names}:
            _refuse("tool_choice", f"{self.tool_choice!r} is none of the tools")


def _refuse(name: str, why: str) -> None:
    msg = f"{name}: {why}."
    raise InvalidRequestError(msg, field=name)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- what a session is told -------------------------------------------------------


@attrs.frozen
class AudioIn:
    """Sound that follows what was sent before, whole samples of it."""

    data: bytes = attrs.field(repr=lambda data: f"{len(data)} bytes")


@attrs.frozen
class TextIn:
    """What the user says in writing; the model answers when it is told to `Respond`."""

    text: str


@attrs.frozen
class Commit:
    """The user has said all that was sent. Only where the turn ends by the caller."""


@attrs.frozen
class Respond:
    """
    The model is to answer; after the answer under way, if there is one.

    Attributes:
        instructions: For this answer, in place of the session's.
    """

    instructions: str | None = None


@attrs.frozen
class Interrupt:
    """
    The answer under way is to end, and no more counts as heard than was.

    Attributes:
        item_id: Whose sound was played, as `AudioOut.item_id` has it; None where none was.
        played: Seconds of it that were heard.
    """

    item_id: str | None = None
    played: float = 0.0


@attrs.frozen
class ToolResults:
    """
    What tools gave that the model asked for.

    Attributes:
        results: All of one round.
        responds: Whether the model is to go on with them; not where it was interrupted.
    """

    results: tuple[ToolResult, ...]
    responds: bool = True


SessionInput: TypeAlias = AudioIn | TextIn | Commit | Respond | Interrupt | ToolResults


# -- what an author writes --------------------------------------------------------


class Conversation(Protocol):
    """A session with a vendor."""

    async def send(self, event: SessionInput, /) -> None:
        """
        Tell the vendor; several tasks may at once.

        Waits while the vendor is not reading: that is how a sender is held back.

        Raises:
            VendorError: The session is broken.
        """

    def __aiter__(self) -> AsyncIterator[LiveEvent]:
        """
        Iterate over what happens, until the vendor ends the session as agreed.

        What goes wrong and ends the session is raised here, by the table of errors;
        an answer that failed is a `ResponseDone` with its error.
        """


class OpensRealtime(Protocol):
    """A provider of conversations."""

    def open(self, request: RealtimeRequest, /) -> AbstractAsyncContextManager[Conversation]:
        """
        Open a session. It is entered and left in one task; others send and read.

        It is entered when the vendor has agreed to the settings.
        """
