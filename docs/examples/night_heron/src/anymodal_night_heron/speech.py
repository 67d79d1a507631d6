"""Speech: a text for a voice, and its sound as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from anymodal import Usage, Used, streaming
from anymodal.modalities.speech import AudioChunk, SpeechEnd, SpeechEvent, SpeechRequest, VoiceSpec

from .answers import decoded
from .vendor import NightHeronVendor, given


class NightHeronVoices(NightHeronVendor):
    """Models that speak."""

    @streaming
    async def stream(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent]:
        """Speak, piece by piece."""
        settings = given(request, "language", "speed", lacks=("instructions", "end_user"))
        voice = request.required_voice().id
        body = {"model": request.model.id, "text": request.text, "voice": voice, **settings}
        async with self.lines("/speech", body) as answer:
            async for said in answer:
                if "sound" in said:
                    yield AudioChunk(decoded(said["sound"]))
                else:
                    usage = Usage(units=(Used("character", said["characters"]),))
                    yield SpeechEnd(usage=usage, request_id=said["id"])

    async def voices(self) -> list[VoiceSpec]:
        """Ask which voices there are today."""
        said = await self.ask("/voices", method="GET")
        return [VoiceSpec(id=one["id"], name=one["name"]) for one in said["voices"]]
