"""Conversations by voice; sound spells its words, see `anymodal_emulator.sounds`."""

from __future__ import annotations

import array
import asyncio
import json
from typing import Any

from anymodal_emulator.app import RefusedError, Request, Talk
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.sounds import CHARACTER_SECONDS, heard, pcm
from anymodal_emulator.text import Ask, answer

from .app import MODELS, app, coded, magic

MODELS["parley-1"] = "realtime"
TURNS = {
    "by": one_of("silence", "caller", required=True),
    "silence": Field("number", least=0, most=60),
    "responds": Field("boolean"),
    "interrupts": Field("boolean"),
}
FIELDS = {
    "model": one_of("parley-1", required=True),
    "answers": one_of("audio", "text"),
    "tools": Field("object"),
    "tool_choice": Field("string"),
    "turns": Field("object", required=True, fields=TURNS),
    "writes": Field("boolean"),
    "instructions": Field("string"),
    "voice": one_of("ada", "bert"),
    "max_tokens": Field("integer", least=1),
}
RATE = 24_000
FRAME = int(RATE * CHARACTER_SECONDS) * 2
PIECE = FRAME * 8
LOUD = 64


@app.talk("/v1/talk")
async def converse(request: Request, talk: Talk) -> None:
    """Hold a conversation."""
    begin = await talk.receive()
    if begin is None:
        return
    settings = json.loads(begin)
    check(settings, FIELDS)
    await talk.send_json({"kind": "opened", "opened": request.memory.id("x-")})
    session = Session(request, talk, settings)
    try:
        await session.hold()
    finally:
        session.stop()


class Session:
    """What is said, and one answer at a time."""

    def __init__(self, request: Request, talk: Talk, settings: dict[str, Any]) -> None:
        self.memory, self.talk, self.settings = request.memory, talk, settings
        self.turns = settings["turns"]
        self.words = ""
        self.history: list[str] = []
        self.results: list[tuple[str, str]] = []
        self.calls: dict[str, str] = {}
        self.ahead, self.sound = bytearray(), bytearray()
        self.passed = self.silent = 0.0
        self.is_speaking = False
        self.task: asyncio.Task[None] | None = None

    async def hold(self) -> None:
        """Go on until the client leaves."""
        while (message := await self.talk.receive()) is not None:
            if isinstance(message, bytes):
                await self.listen(message)
            else:
                await self.obey(json.loads(message))

    async def obey(self, said: dict[str, Any]) -> None:
        """Do what a message says."""
        if "text" in said:
            self.hear(said["text"])
        elif "commit" in said:
            await self.written()
        elif "answer" in said:
            await self.respond(said["answer"])
        elif "stop" in said:
            self.stop()
        elif "results" in said:
            self.results += [(self.calls[one["id"]], one["text"]) for one in said["results"]]
            if said["responds"]:
                await self.respond("")
        else:
            raise RefusedError(kind="unknown", got=", ".join(said))

    def hear(self, words: str) -> None:
        """Take what the user says."""
        self.words, self.results = words, []
        self.history.append(words)

    # -- sound ------------------------------------------------------------------------

    async def listen(self, sound: bytes) -> None:
        """Hear sound, and tell by silence when a turn is over."""
        if self.turns["by"] == "caller":
            self.sound += sound
            return
        self.ahead += sound
        while len(self.ahead) >= FRAME:
            frame = bytes(self.ahead[:FRAME])
            del self.ahead[:FRAME]
            await self.frame(frame)

    async def frame(self, frame: bytes) -> None:
        """Hear 60 ms."""
        is_loud = max(map(abs, array.array("h", frame))) > LOUD
        if is_loud and not self.is_speaking:
            self.is_speaking = True
            await self.say("begins", at=self.passed)
            if self.turns["interrupts"]:
                self.stop()
        self.passed += CHARACTER_SECONDS
        if not self.is_speaking:
            return
        self.sound += frame
        self.silent = 0.0 if is_loud else self.silent + CHARACTER_SECONDS
        if self.silent >= self.turns["silence"]:
            self.is_speaking, self.silent = False, 0.0
            await self.say("ends", at=self.passed)
            await self.written()
            if self.turns["responds"]:
                await self.respond("")

    async def written(self) -> None:
        """Take what was heard, and write it down where that is wanted."""
        words = heard(bytes(self.sound), RATE).rstrip("\x00 ")
        self.sound.clear()
        self.hear(words or "something")
        if self.settings.get("writes"):
            await self.say("heard", text=self.words, item=self.memory.id("i-"))

    # -- answers ----------------------------------------------------------------------

    async def respond(self, instructions: str) -> None:
        """Answer, after the answer under way."""
        if self.task is not None:
            await asyncio.wait([self.task])
        self.task = asyncio.create_task(self.tell(instructions))
        await asyncio.sleep(0)

    def stop(self) -> None:
        """Break off the answer under way."""
        if self.task is not None:
            self.task.cancel()

    async def tell(self, instructions: str) -> None:
        """Answer what was said last."""
        magic(self.words)
        ask = Ask(
            provider="night-heron",
            model=self.settings["model"],
            prompt=self.words,
            system=instructions or self.settings.get("instructions", ""),
            history="\n".join(self.history),
            tools=self.settings.get("tools", {}),
            tool_choice=self.settings.get("tool_choice", "auto"),
            results=tuple(self.results),
            max_tokens=self.settings.get("max_tokens"),
        )
        found = answer(ask, self.memory)
        done: dict[str, object] = {
            "id": self.memory.id("d-"),
            "usage": {"input_tokens": found.input_tokens, "output_tokens": found.output_tokens},
        }
        try:
            for call in found.calls:
                self.calls[call.id] = call.name
                about = {"id": call.id, "name": call.name, "arguments": call.arguments}
                await self.say("call", **about)
            if found.text:
                await self.speak(found.text)
            if found.word == "long":
                await asyncio.sleep(60)
        except asyncio.CancelledError:
            await self.say("done", reason="interrupted", **done)
            return
        ends = {"content_filter": "filtered"}
        await self.say("done", reason=ends.get(found.end, found.end), **done)

    async def speak(self, text: str) -> None:
        """Say words, aloud where that is wanted."""
        item = self.memory.id("i-")
        if self.settings.get("answers") != "text":
            pitch = 5 if self.settings.get("voice") == "bert" else 0
            sound = pcm(text, RATE, pitch=pitch)
            for at in range(0, len(sound), PIECE):
                await self.say("sound", sound=coded(sound[at : at + PIECE]), item=item)
        await self.say("spoken", text=text, item=item)

    async def say(self, kind: str, **fields: object) -> None:
        """Send a message."""
        await self.talk.send_json({"kind": kind, **fields})
