"""Acme's voices, ears and talks: good ones, by other vendors' protocols."""

from __future__ import annotations

import datetime as dt
from contextlib import aclosing, asynccontextmanager

import attrs
from anymodal import Capabilities, Credential, Lifecycle, ModelSpec, Price, Prices, streaming
from anymodal_deepgram import anymodal_transcription_providers
from anymodal_deepgram.transcription import DeepgramTranscriber
from anymodal_elevenlabs.speech import ElevenLabsVoices
from anymodal_elevenlabs.speech_models import speech_spec
from anymodal_openai import anymodal_realtime_providers
from anymodal_openai.realtime import OpenAIConversations
from sowing import PAGE

ACME = {
    "display_name": "Acme",
    "docs": PAGE,
    "credentials": [Credential(env=["ACME_API_KEY"])],
    "options": None,
}
RETIRED = ModelSpec(id="acme-1", lifecycle=Lifecycle(state="retired", replacement="acme-2"))


def models(default, lacking, no, able=()):
    """Return a table: a model that is able, one that lacks something, and one that is retired."""
    prices = Prices([Price("second", "0.01")], PAGE, dt.date(2026, 11, 2))
    return [
        ModelSpec(id=default, capabilities=Capabilities(yes=able), prices=prices, source=PAGE),
        ModelSpec(id=lacking, capabilities=Capabilities(no=no), source=PAGE),
        RETIRED,
    ]


# -- speech -------------------------------------------------------------------------------


class Voices(ElevenLabsVoices):
    """What a fault changes is a method of its own."""

    Mouth = staticmethod(lambda voice: voice)

    async def synthesize(self, request):
        return self.answered(await super().synthesize(self.sent(request)))

    @streaming
    async def stream(self, request):
        async with super().stream(self.sent(request)) as events:
            async for event in events:
                for one in self.told(event):
                    yield one

    @asynccontextmanager
    async def live(self, request):
        async with super().live(self.sent(request)) as voice:
            yield self.Mouth(voice)

    def sent(self, request):
        """Return what goes out."""
        return request

    def told(self, event):
        """Return what comes of an event."""
        return [event]

    def answered(self, result):
        """Return what comes of an answer."""
        return result


def voices(connect=Voices, **changes):
    """Return the spec of Acme's voices, changed."""
    fields = {"id": "acme", **ACME, "patterns": []}
    table = models("eleven_multilingual_v2", "eleven_v3", {"voice_cloning"})
    return attrs.evolve(speech_spec(connect), **{**fields, "models": table, **changes})


# -- transcription ------------------------------------------------------------------------


class Ear:
    """A listener; what a fault changes is a method of its own."""

    def __init__(self, inner):
        self.inner = inner

    async def send(self, data):
        await self.inner.send(data)

    async def finish(self):
        await self.inner.finish()

    async def __aiter__(self):
        async with aclosing(aiter(self.inner)) as events:
            async for event in events:
                for one in self.told(event):
                    yield one

    def told(self, event):
        """Return what comes of an event."""
        return [event]


class Ears(DeepgramTranscriber):
    """The same of files, and of sessions."""

    ear = Ear

    async def transcribe(self, request):
        return self.answered(await super().transcribe(self.sent(request)))

    @asynccontextmanager
    async def live(self, request):
        async with super().live(self.sent(request)) as listener:
            yield self.ear(listener)

    def sent(self, request):
        """Return what goes out."""
        return request

    def answered(self, result):
        """Return what comes of an answer."""
        return result


def ears(connect=Ears, **changes):
    """Return the spec of Acme's ears, changed."""
    (spec,) = anymodal_transcription_providers()
    fields = {"id": "acme", **ACME, "patterns": []}
    table = models("nova-3", "nova-2", {"diarization"}, able=["live"])
    return attrs.evolve(spec, connect=connect, **{**fields, "models": table, **changes})


# -- realtime -----------------------------------------------------------------------------


class Talk:
    """A session; what a fault changes is a method of its own."""

    def __init__(self, inner):
        self.inner = inner

    async def send(self, event):
        for one in self.said(event):
            await self.inner.send(one)

    async def __aiter__(self):
        async for event in self.inner:
            for one in self.told(event):
                yield one

    def said(self, event):
        """Return what goes out of an event."""
        return [event]

    def told(self, event):
        """Return what comes of an event."""
        return [event]


class Talks(OpenAIConversations):
    """Who opens them. It cannot say who is behind a call."""

    talk = Talk

    @asynccontextmanager
    async def open(self, request):
        request = self.sent(request)
        if request.end_user is not None:
            request.warn("end_user", "acme has no field for it")
        async with super().open(attrs.evolve(request, end_user=None)) as conversation:
            yield self.talk(conversation)

    def sent(self, request):
        """Return what goes out."""
        return request


def talks(connect=Talks, **changes):
    """Return the spec of Acme's talks, changed."""
    (spec,) = anymodal_realtime_providers()
    fields = {"id": "acme", **ACME, "patterns": []}
    able = ["audio_input", "audio_output", "function_calling"]
    table = models("gpt-realtime-2.1", "gpt-realtime-1.5", {"function_calling"}, able=able)
    fields["default_model"] = "gpt-realtime-2.1"
    return attrs.evolve(spec, connect=connect, **{**fields, "models": table, **changes})
