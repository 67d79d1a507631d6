"""
Responses: a request to a body, and a whole answer to a result.

Source: https://developers.openai.com/api/docs/api-reference/responses and
openai 3.52, `types/responses`; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import attrs
from anymodal.errors import InvalidRequestError, UnsupportedFeatureError, VendorError
from anymodal.media import File, Image, Media
from anymodal.modalities.messages import (
    Citation,
    Message,
    Part,
    ProviderState,
    Reasoning,
    ToolCall,
    ToolResult,
)
from anymodal.modalities.text import TextRequest, TextResult, ToolSpec, WebSearch

from .body import (
    add_extras,
    add_settings,
    file_name,
    merge,
    own_state,
    unsupported,
)
from .frames import MALFORMED, Object, citation_of, filtered, malformed
from .options import Api
from .pieces import call_id
from .quirks import PLAIN, Quirks
from .responses_stream import ResponsesDecoder, finish_of, thought_of
from .schemas import held, schema_name

__all__ = ["ResponsesCodec"]


@attrs.frozen
class ResponsesCodec:
    """
    Speaks Responses for one vendor; does no I/O.

    Args:
        provider: Id of the provider.
        quirks: How the vendor deviates.
        scrub: Takes secrets out of the vendor's words.
    """

    api: ClassVar[Api] = "responses"
    path: ClassVar[str] = "/responses"

    provider: str
    quirks: Quirks = PLAIN
    scrub: Callable[[str], str] = attrs.field(default=str, repr=False)

    # -- the request --------------------------------------------------------------

    def encode(self, request: TextRequest, *, stream: bool) -> dict[str, object]:
        """
        Return the body of *request*.

        Raises:
            UnsupportedFeatureError: The protocol has no form for a part.
        """
        body: dict[str, object] = {"model": request.model.id, "input": self._input(request)}
        if request.system is not None:
            body["instructions"] = request.system
        if request.max_tokens is not None:
            body["max_output_tokens"] = request.max_tokens
        if request.tools:
            body["tools"] = [self._tool(tool, request) for tool in request.tools]
        if request.web_search is not None:
            merge(body, self._search(request, request.web_search))
        if request.tool_choice in {"auto", "none", "required"}:
            body["tool_choice"] = request.tool_choice
        elif request.tool_choice is not None:
            body["tool_choice"] = {"type": "function", "name": request.tool_choice}
        if request.schema is not None:
            body["text"] = {"format": self._format(request.schema, request)}
        add_settings(body, request, self.quirks, "responses")
        if self.quirks.stateless:
            body["store"] = False
        if stream:
            body["stream"] = True
        add_extras(body, request, self.quirks, "responses")
        _bring_reasoning_back(body, request)
        return body

    def _search(self, request: TextRequest, search: WebSearch) -> dict[str, object]:
        """Return the fields that let the model search the web."""
        if not self.quirks.web_search_tool:
            msg = f"web_search: {self.provider} has none in this protocol; nothing was sent."
            raise UnsupportedFeatureError(msg)
        tool: dict[str, object] = {"type": self.quirks.web_search_tool}
        if search.domains:
            tool["filters"] = {"allowed_domains": list(search.domains)}
        if search.blocked_domains:
            request.warn("web_search", "blocked_domains was left out; the vendor has no such field")
        if search.country is not None:
            tool["user_location"] = {"type": "approximate", "country": search.country}
        if search.max_uses is None:
            return {"tools": [tool]}
        return {"tools": [tool], "max_tool_calls": search.max_uses}

    def _format(self, schema: Mapping[str, object], request: TextRequest) -> dict[str, object]:
        sent, strictly = held(schema, request, self.quirks, "output")
        return {
            "type": "json_schema",
            "name": schema_name(schema),
            "schema": sent,
            "strict": strictly,
        }

    def _tool(self, tool: ToolSpec, request: TextRequest) -> dict[str, object]:
        parameters, strictly = tool.parameters, False
        if tool.strict and not self.quirks.strict_schemas:
            request.warn(
                "tools", f"strict was left out of {tool.name}; the vendor does not know it"
            )
        elif tool.strict:
            parameters, strictly = held(parameters, request, self.quirks, "tools")
        return {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": parameters,
            "strict": strictly,  # left out, it would mean true
        }

    def _input(self, request: TextRequest) -> list[object]:
        found: list[object] = []
        for message in request.messages:
            items: list[object] = []
            content: list[dict[str, object]] = []
            for part in message.parts:
                match part:
                    case ToolCall():
                        _flush(items, message.role, content)
                        items.append(_call(part))
                    case ToolResult():
                        _flush(items, message.role, content)
                        items.append(_result(part))
                    case Reasoning() | Citation():
                        pass  # the model's own words about its answer; what it needs is state
                    case str() if message.role == "assistant":
                        content.append({"type": "output_text", "text": part})
                    case Media() if message.role == "assistant":
                        raise unsupported(part, "the protocol takes none in a model's turn")
                    case _:
                        content.append(_content(part))
            _flush(items, message.role, content)
            if message.state:
                self._restore(items, message, request)
            found += items
        return found

    def _restore(self, items: list[object], message: Message, request: TextRequest) -> None:
        """Put what the vendor wants back where it stood among the items of that turn."""
        for state in own_state(message, self.provider, request):
            if not isinstance(state.data, list):
                request.warn("state", "what Chat Completions wants back was left out")
                continue
            try:
                for kept in state.data:
                    items.insert(kept["index"], kept["item"])
            except (LookupError, TypeError) as error:
                msg = f"state: it is not what {self.provider} gave."
                raise InvalidRequestError(msg, field="state") from error

    # -- the answer -----------------------------------------------------------------

    def decoder(self, request: TextRequest, request_id: str | None) -> ResponsesDecoder:
        """Return what turns the bytes of one streamed answer into events."""
        return ResponsesDecoder(
            self.provider, self.quirks, self.scrub, request_id, keep=request.raw
        )

    def decode(self, reply: object, request: TextRequest, request_id: str | None) -> TextResult:
        """
        Return what a whole answer says.

        Raises:
            VendorError: It says that the vendor failed or filtered, or follows
                no protocol.
        """
        try:
            return self._decode(reply, request, request_id)
        except VendorError as error:
            error.provider = error.provider or self.provider
            raise
        except MALFORMED as error:
            raise malformed(self.provider, error, request_id) from error

    def _decode(self, reply: object, request: TextRequest, request_id: str | None) -> TextResult:
        if not isinstance(reply, dict):
            raise TypeError
        output: list[Object] = [] if reply.get("error") else reply["output"]
        said = _Said()
        kept: list[dict[str, object]] = []
        for index, item in enumerate(output):
            said.add(item)
            if item.get("type") in self.quirks.kept_items:
                kept.append({"index": index, "item": item})
        text = "".join(part for part in said.parts if isinstance(part, str))
        if said.refused:
            raise filtered(self.provider, "".join(said.refused), request_id, partial=text)
        state = (ProviderState(self.provider, kept),) if kept else ()
        finish = finish_of(
            reply,
            provider=self.provider,
            quirks=self.quirks,
            scrub=self.scrub,
            request_id=request_id,
            called=bool(said.calls),
            state=state,
            partial=text,
            keep=request.raw,
        )
        return TextResult(Message("assistant", said.whole(), state), finish)


# -- items --------------------------------------------------------------------------


def _bring_reasoning_back(body: dict[str, object], request: TextRequest) -> None:
    """Ask for the reasoning, encrypted, where the vendor forgets it and wants it again."""
    reasons = request.model.capabilities.get("reasoning")
    if body.get("store") is False and (reasons or (reasons is None and "reasoning" in body)):
        merge(body, {"include": ["reasoning.encrypted_content"]})


def _flush(items: list[object], role: str, content: list[dict[str, object]]) -> None:
    """Move the *content* gathered so far into a message among *items*."""
    if not content:
        return
    if role == "assistant":  # in lists it would need the vendor's ids
        items.append({"role": role, "content": "".join(str(p["text"]) for p in content)})
    elif len(content) == 1 and content[0]["type"] == "input_text":
        items.append({"role": role, "content": content[0]["text"]})
    else:
        items.append({"role": role, "content": list(content)})
    content.clear()


def _content(part: object) -> dict[str, object]:
    """Return the form of a part of a user's turn."""
    match part:
        case str():
            return {"type": "input_text", "text": part}
        case Image():
            return {"type": "input_image", "image_url": part.to_data_uri(), "detail": "auto"}
        case File() if part.url is not None:
            return {"type": "input_file", "file_url": part.url}
        case File():
            name = file_name(part)
            return {"type": "input_file", "filename": name, "file_data": part.to_data_uri()}
    raise unsupported(part, "the protocol has no form for it")


def _call(part: ToolCall) -> dict[str, object]:
    return {
        "type": "function_call",
        "call_id": call_id(part.id),
        "name": part.name,
        "arguments": part.arguments,
    }


def _result(part: ToolResult) -> dict[str, object]:
    return {"type": "function_call_output", "call_id": call_id(part.id), "output": part.content}


class _Said:
    """What the items of an answer say, by kind."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.cited: list[Part] = []
        self.calls: list[Part] = []
        self.refused: list[str] = []

    def add(self, item: Object) -> None:
        """Add what *item* says."""
        match item.get("type"):
            case "message":
                for piece in item["content"]:
                    self._add_piece(piece)
            case "function_call":
                call = ToolCall(item["call_id"], item["name"], item["arguments"] or "{}")
                self.calls.append(call)
            case "reasoning":
                thought = thought_of(item)
                if thought:
                    self.parts.append(Reasoning(thought))

    def _add_piece(self, piece: Object) -> None:
        if piece["type"] == "output_text":
            self.parts.append(piece["text"])
            self.cited += filter(None, map(citation_of, piece.get("annotations") or ()))
        elif piece["type"] == "refusal":
            self.refused.append(piece["refusal"])

    def whole(self) -> list[Part]:
        """Return all of it, as a message has it."""
        return [*self.parts, *self.cited, *self.calls] or [""]
