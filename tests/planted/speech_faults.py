"""The faults of speech: each is Acme with one thing changed."""

from __future__ import annotations

import contextlib
from contextlib import asynccontextmanager

import attrs
from acme_voices import Voices, voices
from anymodal import Audio, streaming
from anymodal import errors as e
from anymodal.modalities.sounds import SoundFormat, wav_header
from anymodal.modalities.speech import AudioChunk, ClonedVoice, SpeechEnd, VoiceSpec
from sowing import Bed

BED = Bed("speech", voices, Voices, "anymodal_elevenlabs.emulator:app")
planted, plant = BED.planted, BED.plant


# -- the sound ----------------------------------------------------------------------------


@planted("not-a-sound")
class NotASound(Voices):
    def answered(self, result):
        return attrs.evolve(result, audio=Audio(b"I would rather write.", media_type="audio/mpeg"))


class Repacks(Voices):
    """Asks for another packing than it was asked for."""

    codec, other = "", ""

    async def synthesize(self, request):
        if request.format.codec != self.codec:
            return await super().synthesize(request)
        other = attrs.evolve(request, format=SoundFormat.parse(self.other))
        return self.packed(await super().synthesize(other), request)

    def packed(self, result, request):
        return attrs.evolve(result, format=request.format)


@planted("wrong-rate")
class WrongRate(Repacks):
    codec, other = "pcm", "pcm_16000"


@planted("any-format")
class AnyFormat(Repacks):
    codec, other = "mp3", "pcm_24000"

    def packed(self, result, request):
        data = wav_header(24_000, result.audio.size) + result.audio.data
        return attrs.evolve(result, audio=Audio(data), format=request.format)


def unsaid(**fields):
    """Return a provider that leaves out fields of requests."""

    class Unsaid(Voices):
        def sent(self, request):
            return attrs.evolve(request, **fields)

    return Unsaid


plant("one-voice", unsaid(voice=VoiceSpec(id="JBFqnCBsd6RMkjVDRZzb")))
plant("drops-speed", unsaid(speed=None))
plant("lenient", unsaid(strict=False))


@planted("ascii-only")
class AsciiOnly(Voices):
    def sent(self, request):
        return attrs.evolve(request, text=request.text.encode("ascii", "ignore").decode())


# -- streams ------------------------------------------------------------------------------


@planted("no-end")
class NoEnd(Voices):
    def told(self, event):
        return [] if isinstance(event, SpeechEnd) else [event]


@planted("after-end")
class AfterEnd(Voices):
    def told(self, event):
        return [event, AudioChunk(b"P.S.")] if isinstance(event, SpeechEnd) else [event]


@planted("empty-piece")
class EmptyPiece(Voices):
    def told(self, event):
        return [AudioChunk(b""), event]


@planted("streams-other")
class StreamsOther(Voices):
    def told(self, event):
        return [AudioChunk(event.data[:-1])] if isinstance(event, AudioChunk) else [event]


class Gathers(Voices):
    """Reads the whole stream before it gives any of it."""

    whole = False

    @streaming
    async def stream(self, request):
        async with super().stream(request) as events:
            found = [event async for event in events]
        if self.whole:
            found = [AudioChunk(b"".join(event.data for event in found[:-1])), found[-1]]
        for event in found:
            yield event


plant("holds-back", Gathers)


@planted("one-chunk")
class OneChunk(Gathers):
    whole = True


HELD = []


@planted("leaves-open")
class LeavesOpen(Voices):
    @streaming
    async def stream(self, request):
        opened = super().stream(request)
        HELD.append(opened)
        async for event in await opened.__aenter__():
            yield event


@planted("whole-if-cut")
class WholeIfCut(Voices):
    @streaming
    async def stream(self, request):
        with contextlib.suppress(e.VendorError):
            async with super().stream(request) as events:
                async for event in events:
                    yield event
                return
        yield SpeechEnd()


# -- text in pieces -----------------------------------------------------------------------


class Told:
    """What is told text in pieces."""

    def __init__(self, inner):
        self.inner = inner

    async def send(self, text):
        await self.inner.send(text)

    async def end(self):
        await self.inner.end()

    async def __aiter__(self):
        async for event in self.inner:
            yield event


@planted("loses-half-words")
class LosesHalfWords(Voices):
    class Mouth(Told):
        async def send(self, text):
            if text.endswith(" "):
                await self.inner.send(text)


@planted("waits-for-all")
class WaitsForAll(Voices):
    class Mouth(Told):
        text = ""

        async def send(self, text):
            self.text += text

        async def end(self):
            await self.inner.send(self.text)
            await self.inner.end()


@planted("leaves-live-open")
class LeavesLiveOpen(Voices):
    @asynccontextmanager
    async def live(self, request):
        opened = super().live(request)
        HELD.append(opened)
        yield await opened.__aenter__()


@planted("broken-is-end")
class BrokenIsEnd(Voices):
    class Mouth(Told):
        async def send(self, text):
            with contextlib.suppress(e.VendorError):
                await self.inner.send(text)

        async def end(self):
            with contextlib.suppress(e.VendorError):
                await self.inner.end()

        async def __aiter__(self):
            with contextlib.suppress(e.VendorError):
                async for event in self.inner:
                    yield event
                return
            yield SpeechEnd()


# -- voices -------------------------------------------------------------------------------


@planted("no-voices")
class NoVoices(Voices):
    async def voices(self):
        return [VoiceSpec(id="Nobody")]


@planted("learns-nothing")
class LearnsNothing(Voices):
    async def clone(self, request):
        return ClonedVoice(voice=VoiceSpec(id="x" * 20, name=request.name, listed=False))
