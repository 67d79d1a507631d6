"""Pictures by FLUX: tasks that are submitted, asked for until they end, and fetched at once."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import attrs
from anymodal.connection import Connection
from anymodal.errors import MalformedReplyError
from anymodal.http import Link
from anymodal.jobs import (
    TRANSIENT,
    JobState,
    JobStatus,
    Polling,
    failure_of,
    state_of,
    submitting,
)
from anymodal.media import Image
from anymodal.modalities.image import ImageRequest, ImageResult
from anymodal.usage import Usage, Used

from .body import encode
from .options import BflImage

__all__ = ["BflPictures"]

OWN: Final = ("bfl.ai", "*.bfl.ai")
"""Where the vendor's links to tasks may lead beside `base_url`: it has a host for each region."""

STATES: Final[Mapping[str, JobState]] = {
    "Pending": "running",
    "Ready": "succeeded",
    "Request Moderated": "filtered",
    "Content Moderated": "filtered",
    "Error": "failed",
    "Task not found": "expired",
}
"""`StatusResponse` of https://api.bfl.ai/openapi.json, read 2026-11-20."""

POLLING: Final = Polling(first=0.5, factor=1.4, longest=5.0)
"""The vendor's examples ask every half second; a picture takes from one to thirty."""

USD_PER_CREDIT: Final = Decimal("0.01")
"""https://docs.bfl.ai/quick_start/pricing, read 2026-11-20."""

MAX_PICTURE_BYTES: Final = 64 * 1024 * 1024


@attrs.frozen
class Task:
    """A picture that is being made."""

    id: str
    url: str
    usd: Decimal | None


@attrs.frozen(eq=False)
class BflPictures:
    """
    Pictures from Black Forest Labs.

    Args:
        connection: The way to the vendor.
        polling: How often a task is asked for.
    """

    connection: Connection
    polling: Polling = POLLING

    async def generate(self, request: ImageRequest, /) -> ImageResult:
        """
        Make pictures, one task each; several with a seed have it and those after it.

        Raises:
            InvalidRequestError: Something the model never takes.
            UnsupportedFeatureError: There is a mask.
            ContentFilteredError: The filter refused the prompt, or what was made.
            JobFailedError: The vendor could not make it.
            OutcomeUnknownError: No answer came to what makes a task.
            VendorError: The vendor refused or failed.
        """
        body = await encode(request)
        tasks = []
        for number in range(request.count):
            more = {} if request.seed is None else {"seed": request.seed + number}
            tasks.append(await self._submitted(request, {**body, **more}))
        made = [await self._made(request, task) for task in tasks]
        first = made[0][0]["result"].get("seed")
        return ImageResult(
            images=tuple(image for _, image in made),
            usage=_usage(request, tasks),
            model=request.model.id,
            request_id=tasks[0].id,
            seed=first if isinstance(first, int) else request.seed,
            raw=[found for found, _ in made] if request.raw else None,
        )

    async def edit(self, request: ImageRequest, /) -> ImageResult:
        """Make pictures from pictures; see `generate`."""
        return await self.generate(request)

    # -- one task ----------------------------------------------------------------------

    async def _submitted(self, request: ImageRequest, body: Mapping[str, object]) -> Task:
        option = request.option(BflImage)
        more = {name.lower(): text for name, text in option.extra_headers.items()} if option else {}
        http, path = self.connection.http, f"/v1/{quote(request.model.id, safe='')}"
        with submitting(self._provider):
            headers = {**await self._key(), **more}
            found = _object(
                await http.json("POST", path, body=body, headers=headers), self._provider
            )
        name, url, cost = found.get("id"), found.get("polling_url"), found.get("cost")
        if not (isinstance(name, str) and isinstance(url, str)):
            msg = f"{self._provider}: the answer names no task"
            raise MalformedReplyError(msg, provider=self._provider)
        has_cost = isinstance(cost, int | float) and not isinstance(cost, bool)
        return Task(name, url, Decimal(str(cost)) * USD_PER_CREDIT if has_cost else None)

    async def _made(self, request: ImageRequest, task: Task) -> tuple[dict[str, Any], Image]:
        """Return a picture, fetched at once: its link dies after ten minutes."""
        found = await self._ended(request, task)
        return found, await self._fetched(found)

    async def _ended(self, request: ImageRequest, task: Task) -> dict[str, Any]:
        """
        Return the answer that says the task is ready.

        Raises:
            VendorError: It ended without a picture, or cannot be asked for any more.
        """
        link = self._link(task.url)
        http = attrs.evolve(self.connection.http, base_url=link.origin)
        asked, failed, wait = 0, 0, None
        while True:
            asked += 1
            chance = random.random()  # noqa: S311  # spreads requests, keeps no secret
            await self.connection.clock.sleep(self.polling.wait(asked, chance, wait))
            try:
                answer = await http.json("GET", link.target, headers=await self._key())
            except TRANSIENT as error:
                failed += 1
                if failed >= self.polling.patience:
                    raise
                wait = getattr(error, "retry_after", None)
                continue
            failed, wait = 0, None
            found = _object(answer, self._provider)
            word = str(found.get("status", ""))
            state = state_of(word, STATES)
            if state == "succeeded":
                return found
            if state != "running":
                told = found.get("details")
                status = JobStatus(
                    state=state,
                    word=word,
                    message=self._told(word, told),
                    request_id=task.id,
                )
                where = f"{self.connection.instance or self._provider}/{request.model.id}"
                raise failure_of(status, where, self._provider)

    def _told(self, word: str, details: object) -> str:
        text = f"{word}. {json.dumps(details)}" if details else f"{word}."
        return self.connection.scrub(text)[:500]

    async def _fetched(self, found: Mapping[str, Any]) -> Image:
        result = found.get("result")
        url = result.get("sample") if isinstance(result, dict) else None
        if not isinstance(url, str):
            msg = f"{self._provider}: the task is ready and has no picture"
            raise MalformedReplyError(msg, provider=self._provider)
        return await self.connection.http.download(url, Image, limit=MAX_PICTURE_BYTES, hosts=OWN)

    # -- the road ----------------------------------------------------------------------

    @property
    def _provider(self) -> str:
        return self.connection.provider

    async def _key(self) -> dict[str, str]:
        return {"x-key": await self.connection.required()}

    def _link(self, url: str) -> Link:
        """
        Return where a task is asked for.

        Raises:
            MalformedReplyError: It is nowhere of the vendor's, where no key may go.
        """
        try:
            link = Link.read(url)
        except ValueError:
            link = None
        if link is None or not link.is_among((*OWN, self.connection.base_url)):
            msg = f"{self._provider}: a link to the task leads elsewhere, and is not followed"
            raise MalformedReplyError(msg, provider=self._provider)
        return link


def _object(found: object, provider: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        msg = f"{provider}: the answer is no object"
        raise MalformedReplyError(msg, provider=provider)
    return found


def _usage(request: ImageRequest, tasks: list[Task]) -> Usage | None:
    """Return what the vendor says it cost; where it does not, the pictures of fixed prices."""
    usd = [task.usd for task in tasks if task.usd is not None]
    if len(usd) == len(tasks):
        return Usage(usd=sum(usd, Decimal(0)), units=(Used("image", len(tasks)),))
    if request.model.id.startswith("flux-2"):
        return None
    return Usage(units=(Used("image", len(tasks)),))
