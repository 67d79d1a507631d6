"""The faults of sound: each is Acme with one thing changed."""

from __future__ import annotations

import attrs
from acme_makes import Planted, Sounds
from anymodal.media import Audio

PLANTED = Planted("audio")
plant, planted = PLANTED.plant, PLANTED


@planted("not-a-sound")
class NotASound(Sounds):
    def answered(self, result):
        return attrs.evolve(result, audio=Audio(b"a horn, blown", media_type="audio/wav"))


@planted("wrong-type")
class WrongType(Sounds):
    def answered(self, result):
        return attrs.evolve(result, audio=Audio(result.audio.data, media_type="audio/mpeg"))


@planted("forgets-jobs")
class ForgetsJobs(Sounds):
    known = ""

    def handle(self, known):
        self.known = known["id"]
        return {"at": 1}

    def id(self, handle):
        return self.known


def rewritten(change):
    """Return a provider whose requests are changed."""

    class Rewritten(Sounds):
        def sent(self, body):
            return change(body)

    return Rewritten


def without(*names):
    return rewritten(lambda body: {k: v for k, v in body.items() if k not in names})


plant("short-prompt", rewritten(lambda body: {**body, "prompt": body["prompt"][:16]}))
plant("drops-loop", without("loop"))
plant("drops-seconds", without("seconds"))
plant("any-format", without("format"))


@planted("enhances-nothing")
class EnhancesNothing(Sounds):
    async def took(self, path, body):
        from anymodal.testing.samples import sound

        return await super().took(path, {"sound": sound(0.99, 8000).to_base64()})


@planted("enhances-half")
class EnhancesHalf(Sounds):
    def better(self, data):
        from anymodal.testing.samples import sound

        return sound(0.5).data
