"""The faults of clips, of jobs and of files: each is Acme with one thing changed."""

from __future__ import annotations

from contextlib import aclosing

import attrs
from acme_makes import KEY, STATES, Clips, Planted
from anymodal import errors as e
from anymodal.jobs import JobStatus
from anymodal.media import Video

PLANTED = Planted("video")
plant, planted = PLANTED.plant, PLANTED


# -- the way back -------------------------------------------------------------------------


@planted("forgets-jobs")
class ForgetsJobs(Clips):
    known = ""

    def handle(self, known):
        self.known = known["id"]
        return {"at": 1}

    def id(self, handle):
        return self.known


@planted("odd-handle")
class OddHandle(Clips):
    def handle(self, known):
        return {7: known["id"]}

    def id(self, handle):
        return handle[7]


@planted("key-in-handle")
class KeyInHandle(Clips):
    def handle(self, known):
        return {**known, "authorization": f"Bearer {KEY}"}


@planted("whole-in-handle")
class WholeInHandle(Clips):
    def handle(self, known):
        return {**known, "answer": "…" * 1500}


@planted("pays-twice")
class PaysTwice(Clips):
    async def submit(self, request):
        try:
            return await super().submit(request)
        except e.OutcomeUnknownError:
            return await super().submit(request)


@planted("lost-is-failed")
class LostIsFailed(Clips):
    async def submit(self, request):
        try:
            return await super().submit(request)
        except e.OutcomeUnknownError as error:
            raise error.__cause__ from None


# -- how it stands ------------------------------------------------------------------------


class Says(Clips):
    """Says something else of how a job stands."""

    def told(self, found, named=None):
        return attrs.evolve(super().told(found, named), **self.instead(found))

    def instead(self, found):
        raise NotImplementedError


@planted("ends-early")
class EndsEarly(Says):
    def instead(self, found):
        return {"state": "succeeded", "has_result": True}


@planted("never-ends")
class NeverEnds(Says):
    def instead(self, found):
        return {"state": "running", "has_result": False}


@planted("back-steps")
class BackSteps(Says):
    def instead(self, found):
        return {"progress": 1 - found.get("share", 0.0)}


@planted("no-progress")
class NoProgress(Says):
    def instead(self, found):
        return {"progress": None}


@planted("fails-well")
class FailsWell(Says):
    def instead(self, found):
        return {"state": "running"} if found["state"] == "broken" else {}


@planted("no-reason")
class NoReason(Says):
    def instead(self, found):
        return {"message": ""}


@planted("goes-on")
class GoesOn(Clips):
    async def cancel(self, handle):
        await self.call("GET", f"/jobs/{self.id(handle)}")


@planted("odd-state")
class OddState(Clips):
    def told(self, found, named=None):
        return JobStatus(state=STATES[found["state"]], word=found["state"])


@planted("strange-is-failed")
class StrangeIsFailed(Clips):
    def told(self, found, named=None):
        return JobStatus(state=STATES.get(found["state"], "failed"), word=found["state"])


@planted("hiccup-is-end")
class HiccupIsEnd(Clips):
    async def poll(self, handle):
        try:
            return await super().poll(handle)
        except e.VendorError as error:
            return JobStatus(state="failed", message=str(error))


@planted("waits-for-ever")
class WaitsForEver(Clips):
    async def poll(self, handle):
        status = await super().poll(handle)
        return attrs.evolve(status, state="running") if status.state == "expired" else status


# -- files --------------------------------------------------------------------------------


@planted("files-nothing")
class FilesNothing(Clips):
    async def fetched(self, link, kind, into=None):
        found = await super().fetched(link, kind)
        if into is None:
            return found
        into.write_bytes(found.data[:32])
        return Video(path=into, media_type="video/mp4")


@planted("half-a-file")
class HalfAFile(Clips):
    async def fetched(self, link, kind, into=None):
        if into is None:
            return await super().fetched(link, kind)
        path = link.removeprefix(self.connection.base_url)
        reply = await self.connection.http.send("GET", path)
        with into.open("wb") as file:
            async with aclosing(reply.chunks()) as pieces:
                async for piece in pieces:
                    file.write(piece)
        return Video(path=into, media_type="video/mp4")


# -- clips --------------------------------------------------------------------------------


@planted("not-a-clip")
class NotAClip(Clips):
    def answered(self, result):
        return attrs.evolve(result, video=Video(b"a lamp, lit", media_type="video/mp4"))


def without(*names):
    class Without(Clips):
        def sent(self, body):
            return {k: v for k, v in body.items() if k not in names}

    return Without


plant("any-size", without("ratio", "resolution"))
plant("drops-seconds", without("seconds"))
plant("no-picture", without("picture"))


@planted("says-other-seconds")
class SaysOtherSeconds(Clips):
    def answered(self, result):
        return attrs.evolve(result, seconds=1.0)


@planted("one-clip")
class OneClip(Clips):
    def parts(self, request):
        return request.clips[:1]
