"""Clips: jobs that are submitted, asked for and fetched. Nothing is kept but what the handle has."""

from __future__ import annotations

from collections.abc import Mapping

from anymodal import Fetching, JobStatus, Usage, Used, Video, VideoRequest, VideoResult
from anymodal.jobs import Handle, JobState, state_of, submitting

from .vendor import NightHeronVendor, given

RATIOS = ("16:9", "9:16", "1:1")
LACKS = ("last_image", "sound", "negative_prompt", "end_user")
STATES: Mapping[str, JobState] = {
    "waiting": "queued",
    "filming": "running",
    "done": "succeeded",
    "broken": "failed",
    "filtered": "filtered",
    "stopped": "cancelled",
}


class NightHeronClips(NightHeronVendor):
    """Models that film."""

    async def submit(self, request: VideoRequest) -> Handle:
        """Have a clip made, and return what the job is known by."""
        ratio, is_exact = request.size.nearest(RATIOS) if request.size else ("16:9", True)
        if request.size and not (is_exact and request.size.form == "ratio"):
            request.warn("size", f"{request.size} becomes {ratio}")
        body = {
            "model": request.model.id,
            "prompt": request.prompt,
            "picture": request.image.to_base64() if request.image else None,
            "ratio": ratio,
            **given(request, "seconds", "seed", lacks=LACKS),
        }
        with submitting(self.provider):
            said = await self.ask("/clips", body)
        return {"id": said["id"]}

    async def poll(self, handle: Handle) -> JobStatus:
        """Ask how a job stands."""
        said = await self.ask(f"/clips/{handle['id']}", method="GET")
        return JobStatus(
            state=state_of(said["state"], STATES),
            word=said["state"],
            progress=said["progress"],
            message=said["why"],
            request_id=said["id"],
        )

    async def fetch(self, handle: Handle, wanted: Fetching) -> VideoResult:
        """Return the clip of a job that is done."""
        said = await self.ask(f"/clips/{handle['id']}", method="GET")
        video = await self.http.download(said["url"], Video, into=wanted.into)
        usage = Usage(units=(Used("second", said["seconds"]),))
        return VideoResult(video=video, seconds=said["seconds"], usage=usage, request_id=said["id"])

    async def cancel(self, handle: Handle) -> None:
        """Stop a job."""
        await self.ask(f"/clips/{handle['id']}", method="DELETE")
