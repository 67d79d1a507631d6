"""Clips from fal: jobs in its queue, known by the links that it returns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
from anymodal.connection import Connection
from anymodal.errors import BadRequestError, InvalidRequestError, MalformedReplyError, NotFoundError
from anymodal.http import parse_json, read
from anymodal.jobs import Handle, JobState, JobStatus, state_of, submitting
from anymodal.media import Video
from anymodal.modalities.making import Fetching
from anymodal.modalities.video import VideoRequest, VideoResult
from anymodal.usage import Usage, Used

from .body import encode, told
from .options import FalVideo
from .refinement import FILTERED, error_type

__all__ = ["FalVideos"]

STATES: Final[Mapping[str, JobState]] = {
    "IN_QUEUE": "queued",
    "IN_PROGRESS": "running",
    "COMPLETED": "succeeded",
}
"""https://fal.ai/docs/model-apis/model-endpoints/queue, read 2026-11-20."""

LINKS: Final = ("status_url", "response_url", "cancel_url")

MOST_IN_MEMORY: Final = 256 * 1024 * 1024
MOST_ON_DISK: Final = 8 * 1024 * 1024 * 1024

_PERCENT: Final = re.compile(r"(\d{1,3})(?:\.\d+)?\s?%")
_ID: Final = re.compile(r"[\w.-]+(?:/[\w.-]+)+")


@attrs.frozen(eq=False)
class FalVideos:
    """
    The models of clips that fal serves.

    Args:
        connection: The way to its queue.
    """

    connection: Connection

    async def submit(self, request: VideoRequest, /) -> Handle:
        """
        Put a request into the queue.

        Raises:
            InvalidRequestError: The model's name cannot be one of fal's.
            VendorError: fal refused or failed.
        """
        model = request.model.id
        if not _ID.fullmatch(model) or ".." in model:
            msg = f"model: {model!r} is no name of fal's, such as fal-ai/veo3.1."
            raise InvalidRequestError(msg, field="model")
        body = await encode(request)
        option = request.option(FalVideo)
        with submitting(self._provider):
            found = await self._object(
                "POST", f"/{model}", body, {} if option is None else option.headers(),
            )  # fmt: skip
        links = {name: found.get(name) for name in LINKS}
        for link in links.values():
            self._path(link)
        return {"id": found.get("request_id"), **links, **told(request, body)}

    async def poll(self, handle: Handle, /) -> JobStatus:
        """Ask how a job stands; one that fal no longer knows has expired."""
        try:
            found = await self._object("GET", f"{self._path(handle.get('status_url'))}?logs=1")
        except NotFoundError as error:
            return JobStatus(
                state="expired",
                word="NOT_FOUND",
                message="fal no longer knows it",
                request_id=error.request_id,
            )
        word = str(found.get("status", ""))
        state, failure = state_of(word, STATES), found.get("error")
        request_id = str(found.get("request_id") or handle.get("id") or "") or None
        if state == "succeeded" and failure:
            code = error_type(found)
            return JobStatus(
                state="filtered" if code == FILTERED else "failed",
                word=word,
                message=self.connection.scrub(str(failure))[:500],
                code=code or None,
                request_id=request_id,
            )
        progress = _progress(found.get("logs")) if state == "running" else None
        return JobStatus(state=state, word=word, progress=progress, request_id=request_id)

    async def fetch(self, handle: Handle, wanted: Fetching, /) -> VideoResult:
        """
        Return the clip that a job has made.

        Raises:
            ContentFilteredError: The model's filter stopped it.
            VendorError: The model failed, or fal no longer has what it made.
        """
        found = await self._object("GET", self._path(handle.get("response_url")))
        video = found.get("video")
        link = video.get("url") if isinstance(video, dict) else None
        if not isinstance(link, str):
            msg = f"{self._provider}: the answer has no clip"
            raise MalformedReplyError(msg, provider=self._provider)
        clip = await self.connection.http.download(
            link,
            Video,
            into=wanted.into,
            limit=MOST_IN_MEMORY if wanted.into is None else MOST_ON_DISK,
        )
        seconds, seed = handle.get("seconds"), found.get("seed")
        return VideoResult(
            video=clip,
            seconds=seconds if isinstance(seconds, int) else None,
            usage=_usage(handle),
            model=wanted.model.id,
            request_id=str(handle.get("id") or "") or None,
            seed=seed if isinstance(seed, int) else None,
            raw=found if wanted.raw else None,
        )

    async def cancel(self, handle: Handle, /) -> None:
        """Take a job out of the queue, or tell its model to stop; nothing where it has ended."""
        try:
            await self._object("PUT", self._path(handle.get("cancel_url")))
        except (BadRequestError, NotFoundError) as error:
            # 400 is ALREADY_COMPLETED, 404 one that fal does not know any more
            if error.status not in {400, 404}:
                raise

    # -- the road -----------------------------------------------------------------------

    @property
    def _provider(self) -> str:
        return self.connection.provider

    def _path(self, link: object) -> str:
        """
        Return what follows `base_url` in a link of fal's.

        Raises:
            MalformedReplyError: It leads elsewhere, where no key may go.
        """
        base = f"{self.connection.base_url}/"
        if not isinstance(link, str) or not link.startswith(base) or "?" in link:
            msg = (
                f"{self._provider}: a link to the job does not lead to {base}, and is not followed"
            )
            raise MalformedReplyError(msg, provider=self._provider)
        return link[len(base) - 1 :]

    async def _object(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the object that an answer is."""
        sent = {"authorization": f"Key {await self.connection.required()}", **(headers or {})}
        reply = await self.connection.http.send(method, path, body=body, headers=sent)
        found = parse_json(await read(reply, self._provider), self._provider)
        if not isinstance(found, dict):
            msg = f"{self._provider}: the answer is no object"
            raise MalformedReplyError(msg, provider=self._provider)
        return found


def _progress(logs: object) -> float | None:
    """Return the last share that a model's log speaks of."""
    if not isinstance(logs, list):
        return None
    lines = [str(one.get("message", "")) for one in logs if isinstance(one, dict)]
    found = [int(share) for line in lines for share in _PERCENT.findall(line)]
    return found[-1] / 100 if found else None


def _usage(handle: Handle) -> Usage | None:
    seconds, size = handle.get("seconds"), handle.get("size")
    if not isinstance(seconds, int) or not isinstance(size, str):
        return None
    return Usage(units=(Used("second", seconds, size=size),))
