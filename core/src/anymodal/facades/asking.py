"""What a caller asks for, and the requests and results that this makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..media import Audio, File, Image, Media, Video
from ..modalities.messages import (
    Message,
    Prompt,
    Reasoning,
    ToolCall,
    ToolResult,
    messages_of,
)
from ..modalities.ranges import within_ranges
from ..modalities.text import (
    Cache,
    Effort,
    Finish,
    TextOption,
    TextRequest,
    TextResult,
    ToolSpec,
    WebSearch,
)
from ..modalities.tools import ToolLike, specs_of
from ..shapes import Output, Shape, shape_of
from ..usage import Usage
from ..vendor_options import laid_over

if TYPE_CHECKING:
    from ..resolution import Offer, Row

__all__ = ["Asked", "account", "finished", "needs_of", "stream_needs_of", "tokens_of", "weight_of"]

CHARACTERS_PER_TOKEN: Final = 4
MEDIA_TOKENS: Final = 1000
USUAL_ANSWER_TOKENS: Final = 1000
"""What an answer is taken for where the caller does not bound it."""

_MEDIA_NEEDS: Final[Mapping[type[Media], str]] = {
    Image: "image_input",
    Audio: "audio_input",
    Video: "video_input",
    File: "file_input",
}


@attrs.frozen(kw_only=True)
class Asked:
    """
    The settings of a call as the caller gave them. A chat keeps one for all its turns.

    The attributes are the arguments of `TextFacade.generate`.
    """

    prompt: Prompt = ""
    model: ModelChoice = None
    system: str | None = None
    tools: Sequence[ToolLike] = ()
    tool_choice: str | None = None
    output: Output | None = None
    reasoning: Effort | None = None
    web_search: WebSearch | bool = False
    cache: Cache | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    options: Sequence[TextOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    @property
    def shape(self) -> Shape | None:
        """The shape that the answer has to have."""
        return None if self.output is None else self._shape

    @cached_property
    def _shape(self) -> Shape:
        return shape_of(cast("Output", self.output))

    @cached_property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told of the tools."""
        return specs_of(self.tools)

    def request(self, call: Call, row: Row, prompt: Prompt | None = None) -> TextRequest:
        """
        Return the request for the candidate *row*, of *prompt* where it is another.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
            UnsupportedFeatureError: The model cannot, and the caller is strict.
        """
        search = self.web_search
        request = TextRequest(
            model=row.model,
            messages=messages_of(self.prompt if prompt is None else prompt),
            system=self.system,
            tools=self.specs if self.tools else (),
            tool_choice=self.tool_choice,
            schema=self.shape.schema if self.shape else None,
            web_search=(WebSearch() if search else None) if isinstance(search, bool) else search,
            cache=self.cache,
            reasoning=self.reasoning,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            stop=(self.stop,) if isinstance(self.stop, str) else tuple(self.stop),
            seed=self.seed,
            options=tuple(self.options),
            end_user=self.end_user,
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
        )
        offer = row.offer
        if offer.options or offer.vendor_option is not None:
            request = _under(request, offer)
        return within_ranges(request)


def _under(request: TextRequest, offer: Offer) -> TextRequest:
    """Return *request* with what settings ask for where the caller said nothing."""
    unsaid: dict[str, Any] = {
        name: value
        for name, value in offer.options.items()
        if getattr(request, name) is None or getattr(request, name) == ()
    }
    default, options = offer.vendor_option, request.options
    if isinstance(default, TextOption):
        given = [laid_over(default, one) for one in options if type(one) is type(default)]
        others = [one for one in options if type(one) is not type(default)]
        options = (*(given or [default]), *others)
    return attrs.evolve(request, **unsaid, options=options)


def needs_of(request: TextRequest) -> list[str]:
    """Return the capabilities without which *request* makes no sense."""
    needs: list[str] = []
    if request.tools:
        needs.append("function_calling")
    if request.schema is not None:
        needs.append("structured_output")
    if request.web_search is not None:
        needs.append("web_search")
    for message in request.messages:
        needs += [_MEDIA_NEEDS[type(part)] for part in message.parts if isinstance(part, Media)]
    return needs


def weight_of(request: TextRequest) -> Usage:
    """Return what *request* is expected to use, guessed without asking anybody."""
    tokens = tokens_of(request.system or "", request.messages)
    longest = request.max_tokens
    if longest is None:
        longest = min(USUAL_ANSWER_TOKENS, request.model.max_output_tokens or USUAL_ANSWER_TOKENS)
    return Usage(tokens, longest)


def tokens_of(system: str, messages: Iterable[Message]) -> int:
    """Return a guess of how many tokens a conversation has."""
    parts = (part for message in messages for part in message.parts)
    return -(-len(system) // CHARACTERS_PER_TOKEN) + sum(map(_tokens, parts))


def _tokens(part: object) -> int:
    match part:
        case Media():
            return MEDIA_TOKENS
        case str():
            text = part
        case Reasoning(text):
            pass
        case ToolCall(_, name, arguments):
            text = name + arguments
        case ToolResult(_, content):
            text = content
        case _:
            return 0
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def stream_needs_of(request: TextRequest) -> list[str]:
    """Return what `needs_of` does, and streaming."""
    return [*needs_of(request), "streaming"]


def account(call: Call, finish: Finish) -> None:
    """Note in the record what *finish* says."""
    call.account(finish.usage, finish.request_id)
    call.record.raw = finish.raw


def finished(call: Call, message: Message, finish: Finish, shape: Shape | None) -> TextResult:
    """
    Return the whole answer, read into its shape.

    Raises:
        InvalidOutputError: It does not have the shape; `partial` is its text.
    """
    result = TextResult(message, finish, record=call.record)
    if shape is None or result.tool_calls:
        return result
    try:
        if finish.reason == "length":
            msg = "it was cut off at max_tokens"
            raise ValueError(msg)  # noqa: TRY301  # one way out for all that does not fit
        return attrs.evolve(result, output=shape.read(result.text))
    except Exception as fault:  # the caller's own classes refuse in ways of their own
        record = call.record
        why = " ".join(str(fault).split())[:300]
        msg = f"{record.instance}/{record.model}: the answer does not have the wanted shape: {why}"
        error = e.InvalidOutputError(msg, provider=record.provider, request_id=finish.request_id)
        error.partial = result.text
        error.record = record
        raise error from fault
