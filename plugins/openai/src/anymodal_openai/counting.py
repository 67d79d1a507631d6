"""Counts of prompts, by the vendor itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from anymodal.errors import UnsupportedFeatureError
from anymodal.failures import request_id
from anymodal.http import parse_json, read
from anymodal.modalities.text import TextRequest
from anymodal_openai_compatible.frames import MALFORMED, malformed
from anymodal_openai_compatible.provider import CompatibleText
from anymodal_openai_compatible.responses import ResponsesCodec

from .options import OpenAIText
from .quirks import QUIRKS

__all__ = ["count_tokens"]

COUNTED: Final = frozenset(
    {
        "conversation",
        "input",
        "instructions",
        "model",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "text",
        "tool_choice",
        "tools",
        "truncation",
    }
)
"""
Fields of a response that its count takes as well; others it refuses.
Source: openai 3.52, `types/responses/input_token_count_params.py`; read 2026-11-20.
"""


async def count_tokens(text: CompatibleText, request: TextRequest) -> int:
    """
    Return how many tokens the prompt of *request* has, tools and media included.

    Raises:
        UnsupportedFeatureError: It can only go by Chat Completions, which counts nothing.
        VendorError: The vendor refused or failed.
    """
    who = text.provider
    if request.model.api == "chat":
        msg = f"{who} counts no tokens of {request.model.id}; text.estimate() guesses them."
        raise UnsupportedFeatureError(msg)
    body = ResponsesCodec(who, QUIRKS).encode(request, stream=False)
    option = request.option(OpenAIText)
    more = option.extra_headers if option else {}
    reply = await text.carrier.send(
        "POST",
        "/responses/input_tokens",
        {name: value for name, value in body.items() if name in COUNTED},
        headers={name.lower(): value for name, value in more.items()},
        connect_seconds=request.deadlines.connect,
    )
    found = parse_json(await read(reply, who), who)
    try:
        return int(cast("Mapping[str, Any]", found)["input_tokens"])
    except MALFORMED as error:
        raise malformed(who, error, request_id(reply.headers)) from error
