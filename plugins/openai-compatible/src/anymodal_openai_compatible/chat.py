"""
Chat Completions: a request to a body, a whole answer or frames to events.

Source: https://developers.openai.com/api/docs/api-reference/chat and
openai 3.52, `types/chat`; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import attrs
from anymodal.errors import UnsupportedFeatureError, VendorError
from anymodal.media import Audio, File, Image, Media
from anymodal.modalities.messages import (
    Citation,
    Message,
    Part,
    ProviderState,
    Reasoning,
    ToolCall,
    ToolResult,
)
from anymodal.modalities.text import Finish, TextRequest, TextResult, ToolSpec, WebSearch
from anymodal.shapes import asking_for

from .body import (
    add_cache_key,
    add_extras,
    add_settings,
    file_name,
    merge,
    own_state,
    read_usage,
    unsupported,
)
from .chat_stream import ChatDecoder, finish_reason, shown_reasoning, tool_arguments
from .frames import MALFORMED, Object, citation_of, filtered, malformed
from .options import Api
from .pieces import call_id, signature_of, thinking_piece, thoughts_of, words_of
from .quirks import PLAIN, Quirks, failed, fault
from .schemas import held, schema_name

__all__ = ["ChatCodec"]

_AUDIO: Final = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}


@attrs.frozen
class ChatCodec:
    """
    Speaks Chat Completions for one vendor; does no I/O.

    Args:
        provider: Id of the provider.
        quirks: How the vendor deviates.
        scrub: Takes secrets out of the vendor's words.
    """

    api: ClassVar[Api] = "chat"
    path: ClassVar[str] = "/chat/completions"

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
        quirks = self.quirks
        body: dict[str, object] = {"model": request.model.id, "messages": self._messages(request)}
        if request.max_tokens is not None:
            body[quirks.max_tokens_field] = request.max_tokens
        if request.tools:
            body["tools"] = [self._tool(tool, request) for tool in request.tools]
        if request.tool_choice in {"auto", "none", "required", None}:
            if request.tool_choice is not None:
                body["tool_choice"] = request.tool_choice
        else:
            body["tool_choice"] = {"type": "function", "function": {"name": request.tool_choice}}
        if request.schema is not None:
            self._add_schema(body, request, request.schema)
        if request.web_search is not None:
            self._add_search(body, request, request.web_search)
        add_settings(body, request, quirks, "chat")
        add_cache_key(body, request, quirks)
        if stream:
            body["stream"] = True
            if quirks.stream_options:
                body["stream_options"] = {"include_usage": True}
        add_extras(body, request, quirks, "chat")
        return body

    def _tool(self, tool: ToolSpec, request: TextRequest) -> dict[str, object]:
        function: dict[str, object] = {"name": tool.name, "parameters": tool.parameters}
        if tool.description:
            function["description"] = tool.description
        if tool.strict and not self.quirks.strict_schemas:
            request.warn(
                "tools", f"strict was left out of {tool.name}; the vendor does not know it"
            )
        elif tool.strict:
            function["parameters"], strictly = held(tool.parameters, request, self.quirks, "tools")
            if strictly:
                function["strict"] = True
        return {"type": "function", "function": function}

    def _add_search(self, body: dict[str, object], request: TextRequest, search: WebSearch) -> None:
        if self.quirks.web_search is None:
            msg = f"web_search: {self.provider} has none in this protocol; nothing was sent."
            raise UnsupportedFeatureError(msg)
        if search != WebSearch():
            request.warn("web_search", "limits on the search were left out")
        merge(body, self.quirks.web_search)

    def _add_schema(
        self, body: dict[str, object], request: TextRequest, schema: Mapping[str, object]
    ) -> None:
        schemas = self._schemas(request)
        if schemas == "json_schema":
            sent, strictly = held(schema, request, self.quirks, "output")
            form: dict[str, object] = {"name": schema_name(schema), "schema": sent}
            if strictly:
                form["strict"] = True
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        elif schemas == "json_object":
            request.warn("schema", "the vendor promises JSON, but not that it fits the schema")
            body["response_format"] = {"type": "json_object"}
        else:
            what = "this answer" if self.quirks.schemas != "none" else "answers"
            request.warn("schema", f"the vendor holds {what} to no schema; it was only described")

    def _schemas(self, request: TextRequest) -> str:
        """Return what the answer to *request* can be held to."""
        offered = request.tools or request.web_search is not None
        if offered and not self.quirks.schemas_with_tools:
            return "none"
        return self.quirks.schemas

    def _messages(self, request: TextRequest) -> list[dict[str, object]]:
        system = request.system
        if request.schema is not None and self._schemas(request) != "json_schema":
            hint = asking_for(request.schema)
            system = f"{system}\n\n{hint}" if system else hint
        found: list[dict[str, object]] = []
        if system is not None:
            found.append({"role": self.quirks.system_role, "content": system})
        for message in request.messages:
            if message.role == "assistant":
                self._add_assistant(found, message, request)
            else:
                self._add_user(found, message, request)
        return found

    def _add_user(
        self, found: list[dict[str, object]], message: Message, request: TextRequest
    ) -> None:
        content: list[dict[str, object]] = []
        for part in message.parts:
            match part:
                case ToolResult():
                    found.append(self._tool_result(part))
                case ToolCall() | Reasoning() | Citation():
                    name = type(part).__name__
                    request.warn("messages", f"a {name} in a user's turn was left out")
                case _:
                    content.append(self._content(part))
        if len(content) == 1 and content[0]["type"] == "text":
            found.append({"role": "user", "content": content[0]["text"]})
        elif content:
            found.append({"role": "user", "content": content})

    def _add_assistant(
        self, found: list[dict[str, object]], message: Message, request: TextRequest
    ) -> None:
        quirks = self.quirks
        said: dict[str, object] = {"role": "assistant", "content": message.text or None}
        calls = [
            {
                "id": call_id(part.id, quirks.call_id_length),
                "type": "function",
                "function": {"name": part.name, "arguments": part.arguments},
            }
            for part in message.parts
            if isinstance(part, ToolCall)
        ]
        if calls:
            said["tool_calls"] = calls
        self._give_back(said, message, request)
        for part in message.parts:
            if isinstance(part, Media):
                raise unsupported(part, "the protocol takes none in a model's turn")
        if said["content"] is not None or len(said) > 2:
            found.append(said)
        found.extend(
            self._tool_result(part) for part in message.parts if isinstance(part, ToolResult)
        )

    def _give_back(self, said: dict[str, object], message: Message, request: TextRequest) -> None:
        """Add to what the model *said* what it thought, and what else the vendor wants back."""
        quirks = self.quirks
        thought = ""
        if request.model.capabilities.get("reasoning") is not False:
            thought = "".join(p.text for p in message.parts if isinstance(p, Reasoning))
        if quirks.reasoning_back and (thought or quirks.reasoning_unknown):
            said[quirks.reasoning_back] = thought or quirks.reasoning_unknown
        seal: Mapping[str, object] = {}
        for state in own_state(message, self.provider, request):
            data = state.data if isinstance(state.data, Mapping) else {}
            if quirks.state_field in data:
                said[quirks.state_field] = data[quirks.state_field]
            elif quirks.thinks_in_content and "signature" in data:
                seal = data
            else:
                request.warn("state", "what the Responses protocol wants back was left out")
        if quirks.thinks_in_content and thought:
            words = [{"type": "text", "text": message.text}] if message.text else []
            said["content"] = [thinking_piece(thought, seal), *words]

    def _tool_result(self, part: ToolResult) -> dict[str, object]:
        name = call_id(part.id, self.quirks.call_id_length)
        return {"role": "tool", "tool_call_id": name, "content": part.content}

    def _content(self, part: Part) -> dict[str, object]:
        form = self.quirks.media_forms.get(type(part)) if isinstance(part, Media) else None
        return dict(form(part)) if form is not None else _content(part)

    # -- the answer -----------------------------------------------------------------

    def decoder(self, request: TextRequest, request_id: str | None) -> ChatDecoder:
        """Return what turns the bytes of one streamed answer into events."""
        return ChatDecoder(self.provider, self.quirks, self.scrub, request_id, keep=request.raw)

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
        quirks = self.quirks
        if not isinstance(reply, dict):
            raise TypeError
        if reply.get("error"):
            raise fault(
                reply["error"],
                provider=self.provider,
                quirks=quirks,
                request_id=request_id,
                scrub=self.scrub,
            )
        if quirks.extension and reply.get(quirks.extension):
            request_id = reply[quirks.extension].get("id") or request_id
        choice = reply["choices"][0]
        message, word = choice["message"], choice.get("finish_reason")
        text = words_of(message.get("content"))
        if word == "content_filter" or message.get("refusal"):
            words = message.get("refusal")
            raise filtered(self.provider, words, request_id, partial=text)
        if word in quirks.failures:
            raise failed(self.provider, word, quirks, request_id, partial=text)
        calls = [
            ToolCall(
                call.get("id") or f"call_{n}",
                call["function"]["name"],
                tool_arguments(call["function"].get("arguments")) or "{}",
            )
            for n, call in enumerate(message.get("tool_calls") or ())
        ]
        state = self._state(message)
        finish = Finish(
            finish_reason(word, quirks, called=bool(calls)),
            read_usage(reply.get("usage"), quirks),
            reply.get("model"),
            request_id,
            word,
            state,
            reply if request.raw else None,
        )
        parts = [*self._thoughts(message), *((text,) if text else ())]
        parts += [*self._citations(message), *calls]
        return TextResult(Message("assistant", parts or ("",), state), finish)

    def _thoughts(self, message: Object) -> list[Part]:
        thought = shown_reasoning(message, self.quirks.reasoning_fields)
        if self.quirks.thinks_in_content:
            thought = thought or thoughts_of(message.get("content"))
        return [Reasoning(thought)] if thought else []

    def _citations(self, message: Object) -> list[Citation]:
        found = [*filter(None, map(citation_of, message.get("annotations") or ()))]
        return found if self.quirks.sources is None else [*found, *self.quirks.sources(message)]

    def _state(self, message: Object) -> tuple[ProviderState, ...]:
        field = self.quirks.state_field
        if field and message.get(field):
            return (ProviderState(self.provider, {field: message[field]}),)
        seal = signature_of(message.get("content")) if self.quirks.thinks_in_content else None
        return (ProviderState(self.provider, {"signature": seal}),) if seal else ()


# -- parts --------------------------------------------------------------------------


def _content(part: Part) -> dict[str, object]:
    """Return the form of a part of a user's turn."""
    match part:
        case str():
            return {"type": "text", "text": part}
        case Image():
            return {"type": "image_url", "image_url": {"url": part.to_data_uri()}}
        case Audio():
            form = _AUDIO.get(part.media_type)
            if form is None or part.url is not None:
                raise unsupported(part, "the protocol takes bytes of WAV or MP3")
            return {
                "type": "input_audio",
                "input_audio": {"data": part.to_base64(), "format": form},
            }
        case File():
            if part.url is not None:
                raise unsupported(part, "the protocol takes bytes, not a URL")
            file = {"filename": file_name(part), "file_data": part.to_data_uri()}
            return {"type": "file", "file": file}
    raise unsupported(part, "the protocol has no form for it")
