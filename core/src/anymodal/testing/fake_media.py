"""Providers of pictures, clips and sound that give what they were given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

import attrs

from ..jobs import Handle, JobStatus
from ..media import Audio, Image, Video
from ..modalities.audio import AudioResult, EnhancementRequest
from ..modalities.image import ImageRequest, ImageResult
from ..modalities.making import Fetching, MadeResult, MakingRequest
from ..modalities.video import CompositionRequest, VideoResult
from . import payloads
from .replies import Replies

__all__ = ["FakeAudio", "FakeImage", "FakeVideo"]

ResultT = TypeVar("ResultT", bound=MadeResult)
RUNNING = JobStatus(state="running", progress=0.5)
DONE = JobStatus(state="succeeded", progress=1.0)


class FakeImage:
    """Pictures; words become a small one that is described by them."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def generate(self, request: ImageRequest, /) -> ImageResult:
        """Give the next reply, as often as pictures are asked for."""
        self._replies.note(request)
        reply = await self._replies.next(request)
        if isinstance(reply, ImageResult):
            return reply
        many = reply if isinstance(reply, list | tuple) else (reply,) * request.count
        return ImageResult(images=tuple(self._image(one) for one in many))

    edit = generate

    def _image(self, one: object) -> Image:
        if isinstance(one, Image):
            return one
        if isinstance(one, str | bytes):
            return Image(payloads.picture(one) if isinstance(one, str) else one)
        raise self._replies.unknown(one, "a str, bytes, an Image, several, or an ImageResult")


@attrs.define
class _Kept:
    """A job: what is still to be said of it, and what it makes."""

    states: list[JobStatus]
    reply: object


class _FakeMaker(Generic[ResultT]):
    """
    Makes things as jobs: half done when first asked for, and then done.

    A reply that is a list has what is said of its job instead, and its result last.
    """

    def __init__(self, replies: Replies, made: Callable[[object], ResultT | None]) -> None:
        self._replies = replies
        self._made = made
        self._jobs: dict[str, _Kept] = {}

    async def submit(self, request: MakingRequest, /) -> Handle:
        """Take the next reply."""
        self._replies.note(request)
        reply = await self._replies.next(request)
        states = [RUNNING, DONE]
        if isinstance(reply, list | tuple):
            said = list(cast("Sequence[object]", reply))
            states = [one for one in said if isinstance(one, JobStatus)]
            rest = [one for one in said if not isinstance(one, JobStatus)]
            reply = rest[0] if rest else None
            if rest and not (states and states[-1].is_ended):
                states.append(DONE)
            if len(rest) > 1 or not states:
                raise self._unknown(said)
        if any(one.has_result for one in states):
            self._result(reply)
        name = f"job-{len(self._jobs) + 1}"
        self._jobs[name] = _Kept(states, reply)
        return {"id": name}

    async def poll(self, handle: Handle, /) -> JobStatus:
        """Say how a job stands."""
        kept = self._jobs[str(handle["id"])]
        return kept.states.pop(0) if len(kept.states) > 1 else kept.states[0]

    async def fetch(self, handle: Handle, wanted: Fetching, /) -> ResultT:
        """Give what a job has made."""
        del wanted
        return self._result(self._jobs[str(handle["id"])].reply)

    async def cancel(self, handle: Handle, /) -> None:
        """Stop a job."""
        self._jobs[str(handle["id"])].states = [JobStatus(state="cancelled")]

    async def at_once(self, request: MakingRequest) -> ResultT:
        """Give the next reply, without a job."""
        self._replies.note(request)
        return self._result(await self._replies.next(request))

    def _result(self, reply: object) -> ResultT:
        found = self._made(reply)
        if found is None:
            raise self._unknown(reply)
        return found

    def _unknown(self, reply: object) -> Exception:
        known = "a str, bytes, media, a result, or JobStatuses and one of these"
        return self._replies.unknown(reply, known)


def _video(reply: object) -> VideoResult | None:
    if isinstance(reply, str | bytes):
        reply = Video(payloads.clip(reply) if isinstance(reply, str) else reply)
    if isinstance(reply, Video):
        reply = VideoResult(video=reply)
    return reply if isinstance(reply, VideoResult) else None


def _audio(reply: object) -> AudioResult | None:
    if isinstance(reply, str | bytes):
        reply = Audio(payloads.sound(reply) if isinstance(reply, str) else reply)
    if isinstance(reply, Audio):
        reply = AudioResult(audio=reply)
    return reply if isinstance(reply, AudioResult) else None


class FakeVideo(_FakeMaker[VideoResult]):
    """Clips; words become the shell of one that has them in it."""

    def __init__(self, replies: Replies) -> None:
        super().__init__(replies, _video)

    async def compose(self, request: CompositionRequest, /) -> VideoResult:
        """Give the next reply."""
        return await self.at_once(request)


class FakeAudio(_FakeMaker[AudioResult]):
    """Sound; words become silence that is commented by them."""

    def __init__(self, replies: Replies) -> None:
        super().__init__(replies, _audio)

    async def enhance(self, request: EnhancementRequest, /) -> AudioResult:
        """Give the next reply."""
        return await self.at_once(request)
