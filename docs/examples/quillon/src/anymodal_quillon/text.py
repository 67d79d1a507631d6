"""A request in Quillon's words, and the lines of its answer."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from anymodal import Connection, Finish, ModelSpec, TextDelta, TextRequest, Usage, errors, streaming
from anymodal.modalities.text import FinishReason, TextEvent

ENDS: Mapping[str, FinishReason] = {"finished": "stop", "full": "length"}


class QuillonText:
    """Quillon's text models. It keeps nothing of a call, so many tasks share it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._http = connection.http  # imports the HTTP library now, in the connecting thread

    async def _headers(self) -> dict[str, str]:
        return {"x-quillon-key": await self._connection.required("api_key")}

    @streaming
    async def stream(self, request: TextRequest) -> AsyncGenerator[TextEvent]:
        """Answer piece by piece."""
        async with self._http.lines(
            "POST", "/write", body=body(request), headers=await self._headers()
        ) as lines:
            async for line in lines:
                yield event(line)

    async def list_models(self) -> list[ModelSpec]:
        """Ask which models there are today."""
        found: Any = await self._http.json("GET", "/models", headers=await self._headers())
        return [ModelSpec(id=one["id"]) for one in found["models"]]


def body(request: TextRequest) -> dict[str, object]:
    """Return *request* as Quillon reads it."""
    for setting in ("top_p", "seed", "end_user"):
        if getattr(request, setting) is not None:
            request.warn(setting, f"Quillon has no {setting}")
    said = {
        "guide": request.system,
        "heat": request.temperature,
        "limit": request.max_tokens,
        "until": list(request.stop) or None,
    }
    return {
        "model": request.model.id,
        "turns": [{"who": one.role, "says": one.text} for one in request.messages],
        **{name: value for name, value in said.items() if value is not None},
    }


def event(line: bytes) -> TextEvent:
    """Return what a line of an answer says."""
    try:
        said = json.loads(line)
        if "ink" in said:
            return TextDelta(said["ink"])
        word = said["done"]
        usage = Usage(input_tokens=said["read"], output_tokens=said["written"])
    except (ValueError, LookupError, TypeError) as error:
        raise errors.MalformedReplyError(
            "Quillon: a line is not what the API describes."
        ) from error
    if word == "withheld":
        raise errors.ContentFilteredError("Quillon withheld the answer.")
    reason = ENDS.get(word, "other")
    return Finish(reason, usage=usage, raw_reason=word, request_id=said.get("id"))
