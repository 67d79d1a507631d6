"""Text from OpenAI: Responses first, Chat Completions where a request needs it."""

from __future__ import annotations

import attrs
from anymodal.connection import Connection
from anymodal.media import Audio
from anymodal.modalities.text import TextRequest
from anymodal_openai_compatible.batch import BatchingText
from anymodal_openai_compatible.chat import ChatCodec
from anymodal_openai_compatible.provider import Codec
from anymodal_openai_compatible.responses import ResponsesCodec

from .counting import count_tokens
from .options import OpenAIText
from .quirks import QUIRKS
from .sdk import sdk_carrier

__all__ = ["OpenAIProvider", "openai_text"]


@attrs.frozen(eq=False, kw_only=True)
class OpenAIProvider(BatchingText):
    """Text from OpenAI, which also counts tokens."""

    async def count_tokens(self, request: TextRequest, /) -> int:
        """
        Return the vendor's own count of the prompt, tools and media included.

        Raises:
            UnsupportedFeatureError: The model is served by Chat Completions alone.
            VendorError: The vendor refused or failed.
        """
        return await count_tokens(self, request)


def openai_text(connection: Connection) -> OpenAIProvider:
    """Return the provider for an instance."""
    chat = ChatCodec(connection.provider, QUIRKS, connection.scrub)
    responses = ResponsesCodec(connection.provider, QUIRKS, connection.scrub)

    def choose(request: TextRequest) -> Codec:
        return chat if needs_chat(request) else responses

    return OpenAIProvider(
        provider=connection.provider,
        carrier=sdk_carrier(connection),
        choose=choose,
        codecs=(responses, chat),
    )


def needs_chat(request: TextRequest) -> bool:
    """
    Tell whether *request* asks for what only Chat Completions has.

    That is audio, and `stop` and `seed`, which are given up, with a warning, for
    models that reason: they take no `stop`, and in Chat Completions no tools.
    Source: https://developers.openai.com/api/docs/guides/deployment-checklist
    and openai 3.52, `types/chat/completion_create_params.py`; read 2026-11-20.
    """
    model = request.model
    if model.api:
        return model.api == "chat"
    option = request.option(OpenAIText)
    if option is not None and option.previous_response_id is not None:
        return False
    if any(isinstance(part, Audio) for message in request.messages for part in message.parts):
        return True
    wanted = request.stop or request.seed is not None
    return bool(wanted) and model.capabilities.get("reasoning") is not True
