"""Conversations by voice, over a WebSocket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from anymodal import ToolCall, Usage, errors
from anymodal.modalities.live import (
    AudioOut,
    LiveEvent,
    ResponseDone,
    SpeechStarted,
    ToolRequested,
    Transcript,
    TurnEnded,
)
from anymodal.modalities.realtime import (
    AudioIn,
    Commit,
    Interrupt,
    RealtimeRequest,
    Respond,
    SessionInput,
    TextIn,
    ToolResults,
    TurnDetection,
)
from anymodal.sockets import Socket

from .answers import Said, decoded, read
from .vendor import NightHeronVendor, given


class NightHeronTalks(NightHeronVendor):
    """Models that talk."""

    @asynccontextmanager
    async def open(self, request: RealtimeRequest) -> AsyncGenerator[Talk]:
        """Open a session; it is entered when Night Heron has agreed to the settings."""
        begin = settings(request)
        way = self.connection.websocket("/talk", headers=await self.headers())
        async with way as socket:
            await socket.send_json(begin)
            agreed = await socket.receive()
            if agreed is None or "opened" not in read(agreed):
                raise errors.MalformedReplyError("The settings were not agreed to.")
            yield Talk(socket)


def settings(request: RealtimeRequest) -> dict[str, object]:
    """Return what a session begins with."""
    turns = request.turns or TurnDetection()
    if turns.by == "meaning" or turns.padding is not None or turns.threshold is not None:
        request.warn("turns", "only silence is known, and how long it is")
    if (wanted := request.transcription) and (wanted.model or wanted.language or wanted.prompt):
        request.warn("transcription", "Night Heron has no settings for it")
    tools = {one.name: one.parameters for one in request.tools}
    return {
        "model": request.model.id,
        "answers": request.answers,
        "tools": tools,
        "turns": {
            "by": "caller" if turns.by == "caller" else "silence",
            "silence": 0.5 if turns.silence is None else turns.silence,
            "responds": turns.responds,
            "interrupts": turns.interrupts,
        },
        "writes": request.transcription is not None,
        **given(request, "instructions", "voice", "tool_choice", "max_tokens", lacks=("end_user",)),
    }


class Talk:
    """A session under way."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def send(self, event: SessionInput) -> None:
        """Tell Night Heron."""
        match event:
            case AudioIn(data):
                await self._socket.send(data)
            case TextIn(text):
                await self._socket.send_json({"text": text})
            case Commit():
                await self._socket.send_json({"commit": True})
            case Respond(instructions):
                await self._socket.send_json({"answer": instructions or ""})
            case Interrupt(item_id, played):
                await self._socket.send_json({"stop": item_id, "played": played})
            case ToolResults(results, responds):
                found = [{"id": one.id, "text": one.content} for one in results]
                await self._socket.send_json({"results": found, "responds": responds})

    async def __aiter__(self) -> AsyncIterator[LiveEvent]:
        async for message in self._socket:
            event = event_of(read(message))
            if event is not None:
                yield event


def event_of(said: Said) -> LiveEvent | None:
    """Return what a message says, or None for what nobody has to know."""
    match said["kind"]:
        case "sound":
            return AudioOut(decoded(said["sound"]), said["item"])
        case "spoken":
            return Transcript(said["text"], "assistant", item_id=said["item"])
        case "heard":
            return Transcript(said["text"], item_id=said["item"])
        case "begins":
            return SpeechStarted(said["at"])
        case "ends":
            return TurnEnded(said["at"])
        case "call":
            return ToolRequested(ToolCall(said["id"], said["name"], said["arguments"]))
        case "done":
            usage = Usage(**said["usage"])
            return ResponseDone(reason=said["reason"], usage=usage, response_id=said["id"])
    return None
