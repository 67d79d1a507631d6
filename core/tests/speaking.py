"""Providers of speech to test with, and a client that has one."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
from anymodal import Audio, Client, ModelSpec, Registry, Settings, hookimpl, streaming
from anymodal.modalities.speech import (
    AudioChunk,
    ClonedVoice,
    SpeechEnd,
    SpeechProviderSpec,
    SpeechResult,
    VoiceSpec,
)
from anymodal.usage import Price, Prices, Usage, Used

VERA = VoiceSpec(id="v-1", name="Vera", languages=["en-GB"])
LUC = VoiceSpec(id="v-2", name="Luc", languages=["fr"], gender="male")
PRICES = Prices([Price("character", 10)], "acme.example", None)


def used(text):
    return Usage(units=(Used("character", len(text)),))


class Streams:
    """Says two bytes a character, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.left = 0

    @streaming
    async def stream(self, request):
        self.asked.append(request)
        try:
            for one in request.text:
                yield AudioChunk(bytes((ord(one) % 256, 0)))
            yield SpeechEnd(usage=used(request.text), request_id="r-1", raw={"it": "says"})
        finally:
            self.left += 1


class Synthesizes:
    """Says it all at once, in a thread."""

    def __init__(self, data=b"ID3 sound", **said):
        self.asked = []
        self.data = data
        self.said = said

    def synthesize(self, request):
        self.asked.append(request)
        return SpeechResult(
            audio=Audio(self.data, media_type="audio/mpeg"), usage=used(request.text), **self.said
        )


class Lives(Streams):
    """Is told its text in pieces."""

    def __init__(self, **settings):
        super().__init__()
        self.told = []
        self.is_open = False
        self.settings = settings

    @asynccontextmanager
    async def live(self, request):
        self.asked.append(request)
        self.is_open = True
        try:
            yield Voice(self.told, **self.settings)
        finally:
            self.is_open = False
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()


class Voice:
    """Says each piece when it has come."""

    def __init__(self, told, *, refuses=None, breaks=None, falls_silent=False):
        self.told = told
        self.put, self.got = anyio.create_memory_object_stream(100)
        self.refuses = refuses
        self.breaks = breaks
        self.falls_silent = falls_silent

    async def send(self, text):
        if self.refuses:
            raise self.refuses
        self.told.append(text)
        await self.put.send(text)

    async def end(self):
        self.told.append(None)
        self.put.close()

    async def __aiter__(self):
        with self.put, self.got:
            async for text in self.got:
                if self.breaks:
                    raise self.breaks
                yield AudioChunk(text.encode("utf-16-le"))
            if not self.falls_silent:
                yield SpeechEnd(usage=used("".join(filter(None, self.told))))


class Clones(Streams):
    """Knows voices of its own, and learns more."""

    async def voices(self):
        return [VoiceSpec(id="v-1", name="Vera the live"), VoiceSpec(id="v-9", name="Nine")]

    async def clone(self, request):
        self.asked.append(request)
        return ClonedVoice(voice=VoiceSpec(id="v-10", name=request.name), request_id="r-2")


def brings(provider, name="acme", **spec):
    """Return a host's plugin with one provider."""

    class Brings:
        @hookimpl
        def anymodal_speech_providers(self):
            yield SpeechProviderSpec(
                **{
                    "id": name,
                    "display_name": "Acme",
                    "kind": "local",
                    "models": [ModelSpec(id=f"{name}-1", prices=PRICES)],
                    "default_model": f"{name}-1",
                    "voices": [VERA, LUC],
                    "default_voice": "v-1",
                    "formats": ["pcm_16000", "mp3_44100_128"],
                    "connect": lambda _: provider,
                    **spec,
                }
            )

    return Brings()


def client(provider, *more, settings=None, **spec):
    """Return a client that has *provider*, and the plugins *more*."""
    hosts = [brings(provider, **spec), *more]
    found = Settings.empty() if settings is None else Settings.from_mapping(settings)
    return Client(registry=Registry(found, plugins=hosts, distributions=()))


async def pieces(*texts):
    """Give *texts*, one by one."""
    for text in texts:
        await anyio.lowlevel.checkpoint()
        yield text
