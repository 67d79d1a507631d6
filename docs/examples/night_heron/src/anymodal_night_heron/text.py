"""Text: a conversation in Night Heron's words, and the lines of its answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from anymodal import Finish, TextDelta, TextRequest, Usage, streaming
from anymodal.modalities.text import TextEvent

from .vendor import NightHeronVendor, given

HAS = ("system", "temperature", "max_tokens", "stop")
LACKS = ("top_p", "seed", "end_user")


class NightHeronText(NightHeronVendor):
    """Models that write."""

    @streaming
    async def stream(self, request: TextRequest) -> AsyncGenerator[TextEvent]:
        """Answer piece by piece."""
        settings = given(request, *HAS, lacks=LACKS)
        turns = [{"role": one.role, "text": one.text} for one in request.messages]
        body = {"model": request.model.id, "turns": turns, **settings}
        async with self.lines("/text", body) as answer:
            async for said in answer:
                if "text" in said:
                    yield TextDelta(said["text"])
                else:
                    yield Finish(said["end"], usage=Usage(**said["usage"]), request_id=said["id"])
