"""Text: conversations in, words out."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, Protocol, TypeAlias, cast

import attrs

from ..errors import InvalidRequestError
from ..specs import words
from ..usage import Record, Usage
from .messages import Citation, Message, ProviderState, Reasoning, ToolCall
from .requests import Request, VendorOption
from .text_spec import TextProviderSpec

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # has defaults before Python 3.13

    OutputT = TypeVar("OutputT", default=Any)
else:
    from typing import TypeVar

    OutputT = TypeVar("OutputT")

__all__ = [
    "Cache",
    "Effort",
    "Finish",
    "FinishReason",
    "GeneratesText",
    "OutputT",
    "ReasoningDelta",
    "StreamsText",
    "TextDelta",
    "TextEvent",
    "TextOption",
    "TextProvider",
    "TextProviderSpec",
    "TextRequest",
    "TextResult",
    "ToolCallDelta",
    "ToolSpec",
]

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Cache = Literal["system", "conversation"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "other"]

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@attrs.frozen(kw_only=True)
class ToolSpec:
    """
    A function that the model may ask for.

    Args:
        name: Letters, digits, hyphens and underscores; at most 64.
        description: When and how to use it.
        parameters: JSON Schema of its arguments, an object.
        strict: Whether the vendor should hold the model to the schema.
    """

    name: str = attrs.field(validator=attrs.validators.matches_re(r"[A-Za-z0-9_-]{1,64}"))
    description: str = ""
    parameters: Mapping[str, object] = attrs.field(
        factory=lambda: {"type": "object", "properties": {}}
    )
    strict: bool = False


@attrs.frozen(kw_only=True)
class WebSearch:
    """
    Lets the model search the web while it answers.

    Args:
        max_uses: Searches at most.
        domains: Only pages from these.
        blocked_domains: No pages from these.
        country: Two-letter code of where results should be relevant.
    """

    max_uses: int | None = None
    domains: tuple[str, ...] = attrs.field(default=(), converter=words)
    blocked_domains: tuple[str, ...] = attrs.field(default=(), converter=words)
    country: str | None = None


# -- the request ------------------------------------------------------------------


class TextOption(VendorOption):
    """Base of a plugin's own frozen options for text; other providers ignore them."""


@attrs.frozen(kw_only=True)
class TextRequest(Request):
    """
    What a provider of text is asked for; see `Request` for the rest.

    Attributes:
        messages: The conversation, oldest first, never empty.
        system: The system prompt.
        tools: Functions that the model may ask for.
        tool_choice: `auto`, `none`, `required`, or the name of one tool.
        schema: JSON Schema that the answer has to fit.
        web_search: Whether, and how, the model may search the web.
        cache: How much of the prompt will come again, for vendors that have to be
            told: the `system` prompt and tools, or the whole `conversation` so far.
        reasoning: How hard to think.
        temperature: Randomness, 0 and up.
        top_p: Share of probability to sample from, above 0 and up to 1.
        max_tokens: Longest answer, reasoning included.
        stop: Strings that end the answer.
        seed: For answers that repeat, as far as the vendor can.
    """

    option_class: ClassVar[type[VendorOption]] = TextOption

    messages: tuple[Message, ...]
    system: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | None = None
    schema: Mapping[str, object] | None = None
    web_search: WebSearch | None = None
    cache: Cache | None = None
    reasoning: Effort | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for field, value, is_wrong, need in (
            ("temperature", self.temperature, _below_zero, "a number from 0 up"),
            ("top_p", self.top_p, _no_share, "a number above 0 and up to 1"),
            ("max_tokens", self.max_tokens, _not_count, "a whole number above 0"),
            ("seed", self.seed, _not_whole, "a whole number"),
        ):
            if value is not None and is_wrong(value):
                msg = f"{field}: {need} is needed, not {value!r}."
                raise InvalidRequestError(msg, field=field)
        if self.reasoning is not None and self.reasoning not in EFFORTS:
            msg = f"reasoning: {self.reasoning!r} is none of {', '.join(EFFORTS)}."
            raise InvalidRequestError(msg, field="reasoning")
        if self.cache not in {None, "system", "conversation"}:
            msg = f"cache: {self.cache!r} is neither 'system' nor 'conversation'."
            raise InvalidRequestError(msg, field="cache")
        if self.tool_choice is not None and not (
            self.tool_choice in {"auto", "none", "required"}
            or any(tool.name == self.tool_choice for tool in self.tools)
        ):
            msg = f"tool_choice: no tool is called {self.tool_choice!r}."
            raise InvalidRequestError(msg, field="tool_choice")


def _below_zero(value: object) -> bool:
    return not _number(value) or not 0 <= cast("float", value) < math.inf


def _no_share(value: object) -> bool:
    return not _number(value) or not 0 < cast("float", value) <= 1


def _not_count(value: object) -> bool:
    return _not_whole(value) or cast("int", value) < 1


def _not_whole(value: object) -> bool:
    return not isinstance(value, int) or isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- events and the result ----------------------------------------------------------


@attrs.define(eq=True)
class TextDelta:
    """A piece of the answer; joined, the pieces are the whole."""

    text: str


@attrs.define(eq=True)
class ReasoningDelta:
    """A piece of what can be seen of the model's reasoning."""

    text: str


@attrs.define(eq=True)
class ToolCallDelta:
    """
    A piece of a tool call.

    Attributes:
        index: Which of the answer's calls, from 0.
        id: The call's id; in its first piece.
        name: The tool's name; in its first piece.
        arguments: A piece of its JSON arguments.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@attrs.define(eq=True)
class Finish:
    """
    The end of an answer.

    Attributes:
        reason: Why it ended.
        usage: What the vendor counted, if it said.
        model: The model that answered, in the vendor's words.
        request_id: The vendor's id of the request.
        raw_reason: The vendor's own word for *reason*.
        state: What the vendor wants back with the next turn.
        raw: The vendor's answer, where the request asked for it.
    """

    reason: FinishReason = "stop"
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None
    raw_reason: str | None = None
    state: tuple[ProviderState, ...] = ()
    raw: object = attrs.field(default=None, repr=False)


TextEvent: TypeAlias = TextDelta | ReasoningDelta | ToolCallDelta | Citation | Finish


@attrs.frozen
class TextResult(Generic[OutputT]):
    """
    A whole answer.

    Attributes:
        message: The model's turn, to be put into the next prompt.
        finish: Why it ended and what it used.
        output: The answer as the class or schema that `output=` named.
        record: What is known about the call. Set by the client.
    """

    message: Message
    finish: Finish = attrs.field(factory=Finish)
    output: OutputT = attrs.field(default=None)
    record: Record = attrs.field(default=None, eq=False, repr=False)

    @property
    def text(self) -> str:
        """The answer's words."""
        return self.message.text

    @property
    def reasoning(self) -> str:
        """What can be seen of the model's reasoning."""
        return "".join(p.text for p in self.message.parts if isinstance(p, Reasoning))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model asks for."""
        return tuple(p for p in self.message.parts if isinstance(p, ToolCall))

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The sources that the model names."""
        return tuple(p for p in self.message.parts if isinstance(p, Citation))

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended."""
        return self.finish.reason

    @property
    def usage(self) -> Usage | None:
        """What the vendor counted."""
        return self.finish.usage


def events_of(result: TextResult) -> list[TextEvent]:
    """Return the events that a stream of *result* would have had."""
    events: list[TextEvent] = []
    calls = 0
    for part in result.message.parts:
        if isinstance(part, str) and part:
            events.append(TextDelta(part))
        elif isinstance(part, Reasoning):
            events.append(ReasoningDelta(part.text))
        elif isinstance(part, Citation):
            events.append(part)
        elif isinstance(part, ToolCall):
            events.append(ToolCallDelta(calls, part.id, part.name, part.arguments))
            calls += 1
    state = result.message.state or result.finish.state
    return [*events, attrs.evolve(result.finish, state=state)]


# -- what an author writes ------------------------------------------------------------


class StreamsText(Protocol):
    """A provider whose vendor streams. `generate` is derived from it."""

    def stream(
        self, request: TextRequest, /
    ) -> AbstractAsyncContextManager[AsyncIterator[TextEvent]]:
        """
        Answer piece by piece.

        Returns:
            A context manager around the events, in order, the last of them
            one `Finish`. Most simply an async generator under
            `@anymodal.streaming`. Leaving the block closes the connection.

        Raises:
            VendorError: The vendor refused or failed.
        """


class GeneratesText(Protocol):
    """A provider that answers in one piece. `stream` is derived from it."""

    async def generate(self, request: TextRequest, /) -> TextResult:
        """
        Answer in one piece.

        Raises:
            VendorError: The vendor refused or failed.
        """


TextProvider: TypeAlias = StreamsText | GeneratesText
"""
What `connect` returns: one or both of the two. It holds no state of a call and
serves many tasks at once. Optional beside them: `list_models()`, which returns
`ModelSpec`s, or `LiveModel`s where the vendor's list has other kinds of models
too; `count_tokens(request)`, which returns the vendor's own count of the
prompt; batches, as `modalities.batches.BatchesText` has them; `aclose()`.
"""
