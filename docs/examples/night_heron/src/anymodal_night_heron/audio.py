"""Sound: music and effects, made at once."""

from __future__ import annotations

from anymodal import Audio, AudioRequest, AudioResult, Usage, Used
from anymodal.jobs import submitting

from .answers import decoded
from .vendor import NightHeronVendor, given

LACKS = ("format", "loop", "instrumental", "end_user")


class NightHeronSounds(NightHeronVendor):
    """Models that make music and effects."""

    async def generate(self, request: AudioRequest) -> AudioResult:
        """Make sound of words."""
        settings = given(request, "seconds", "seed", lacks=LACKS)
        body = {"model": request.model.id, "prompt": request.prompt, **settings}
        with submitting(self.provider):
            said = await self.ask("/sounds", body)
        usage = Usage(units=(Used("second", said["seconds"]),))
        return AudioResult(
            audio=Audio(decoded(said["sound"])),
            seconds=said["seconds"],
            usage=usage,
            request_id=said["id"],
        )
