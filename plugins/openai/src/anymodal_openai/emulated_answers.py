"""The other side of a conversation with OpenAI on loopback: how it answers."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Any, Final

from anymodal_emulator.app import Memory, Talk
from anymodal_emulator.text import Answer, Ask, Call, answer, count, tokens

from .emulated_voices import Packing
from .realtime_models import VOICES

__all__ = ["Answering", "usual_session"]

TOKENS_A_PIECE: Final = 8
FIRST_PIECES: Final = 2
"""Of an answer that goes on until it is interrupted."""


def usual_session(memory: Memory, model: str) -> dict[str, Any]:
    """Return what a session is set to at its beginning."""
    pcm = {"type": "audio/pcm", "rate": 24_000}
    turns = {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": memory.id("sess_", 21),
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": memory.now() + 3600,
        "audio": {
            "input": {
                "format": pcm,
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": turns,
            },
            "output": {"format": pcm, "voice": "alloy", "speed": 1.0},
        },
        "include": None,
    }


class Answering:
    """
    The conversation, and one answer at a time.

    Attributes:
        items: All that was said.
        heard: By item, the words of what was said aloud, and how many milliseconds it is.
        spoken_ms: By item of the model's, how long its sound is.
        response_id: Of the answer under way.
    """

    def __init__(self, memory: Memory, talk: Talk, session: dict[str, Any]) -> None:
        self.memory = memory
        self.talk = talk
        self.session = session
        self.items: list[dict[str, Any]] = []
        self.heard: dict[str, tuple[str, int]] = {}
        self.spoken_ms: dict[str, int] = {}
        self.response_id: str | None = None
        self._conversation = memory.id("conv_", 21)
        self._task: asyncio.Task[None] | None = None
        self._stopped = ""
        self._stop = asyncio.Event()

    async def say(self, kind: str, **fields: object) -> None:
        """Send an event."""
        event = {"type": kind, "event_id": self.memory.id("event_", 21)}
        await self.talk.send_json({**event, **fields})

    async def add(self, item: dict[str, Any]) -> None:
        """Add to the conversation."""
        before = self.items[-1]["id"] if self.items else None
        whole = {"object": "realtime.item", "status": "completed", **item}
        self.items.append(whole)
        for kind in ("added", "done"):
            await self.say(f"conversation.item.{kind}", previous_item_id=before, item=whole)

    def stop(self, why: str) -> None:
        """End the answer under way."""
        if self.response_id is not None:
            self._stopped = why
            self._stop.set()

    async def idle(self) -> None:
        """Wait until no answer is under way."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def next(self) -> str | bytes | None:
        """Return the client's next message; an answer that breaks meanwhile is raised."""
        hearing = asyncio.create_task(self.talk.receive())
        try:
            while not hearing.done():
                task = self._task
                answering = [task] if task is not None and not task.done() else []
                await asyncio.wait([hearing, *answering], return_when=asyncio.FIRST_COMPLETED)
                if task is not None and task.done():
                    task.result()
            return hearing.result()
        finally:
            hearing.cancel()

    async def end(self) -> None:
        """Say no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def respond(self, settings: Mapping[str, Any]) -> None:
        """Begin an answer."""
        self.response_id, self._stopped = self.memory.id("resp_", 21), ""
        self._stop.clear()
        self._task = asyncio.create_task(self._respond({**self.session, **settings}))

    # -- what it says -------------------------------------------------------------------

    async def _respond(self, settings: dict[str, Any]) -> None:
        response: dict[str, Any] = {
            "object": "realtime.response",
            "id": self.response_id,
            "conversation_id": self._conversation,
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "output_modalities": settings["output_modalities"],
            "max_output_tokens": settings["max_output_tokens"],
            "audio": {"output": {k: settings["audio"]["output"][k] for k in ("format", "voice")}},
            "usage": None,
            "metadata": settings.get("metadata"),
        }
        await self.say("response.created", response=response)
        made = answer(self._ask(settings), self.memory)
        told = made.text or made.refusal
        if made.word in {"fail", "quota"}:
            self._stopped = made.word
        elif made.calls:
            for at, call in enumerate(made.calls):
                response["output"].append(await self._call(call, at))
        else:
            response["output"].append(await self._tell(told, settings, made))
        response.update(_outcome(self._stopped, made))
        said = "" if made.calls or self._stopped in {"fail", "quota"} else told
        response["usage"] = self._usage(made, said, settings)
        self.response_id = None
        await self.say("response.done", response=response)
        limits = [
            {"name": name, "limit": 10_000, "remaining": 9_999, "reset_seconds": 0.006}
            for name in ("requests", "tokens")
        ]
        await self.say("rate_limits.updated", rate_limits=limits)

    def _ask(self, settings: dict[str, Any]) -> Ask:
        users = [one for one in self.items if one.get("role") == "user"]
        last = self.items.index(users[-1]) if users else -1
        names = {one.get("call_id"): one.get("name") for one in self.items if "name" in one}
        choice = settings["tool_choice"]
        return Ask(
            provider="openai",
            model=self.session["model"],
            prompt=self._words(users[-1]) if users else "",
            system=settings["instructions"],
            history=" ".join(map(self._words, self.items)),
            turns=len(users),
            results=tuple(
                (str(names.get(one["call_id"])), one["output"])
                for one in self.items[last + 1 :]
                if one["type"] == "function_call_output"
            ),
            tools={one["name"]: one.get("parameters") or {} for one in settings["tools"]},
            tool_choice=choice["name"] if isinstance(choice, dict) else choice,
            max_tokens=_number(settings["max_output_tokens"]),
        )

    def _words(self, item: Mapping[str, Any]) -> str:
        if item["id"] in self.heard:
            return self.heard[item["id"]][0]
        parts = item.get("content") or ()
        found = [part.get("text") or part.get("transcript") or "" for part in parts]
        return " ".join([*found, item.get("output", "")]).strip()

    async def _begin(self, item: dict[str, Any], at: int) -> dict[str, Any]:
        before = self.items[-1]["id"] if self.items else None
        place = {"response_id": self.response_id, "output_index": at}
        await self.say("response.output_item.added", **place, item=dict(item))
        self.items.append(item)
        await self.say("conversation.item.added", previous_item_id=before, item=dict(item))
        return {**place, "item_id": item["id"]}

    async def _finish(self, item: dict[str, Any], at: int) -> dict[str, Any]:
        item["status"] = "incomplete" if self._stopped else "completed"
        await self.say("conversation.item.done", item=item)
        await self.say(
            "response.output_item.done", response_id=self.response_id, output_index=at, item=item
        )
        return item

    async def _call(self, call: Call, at: int) -> dict[str, Any]:
        item = {
            "id": self.memory.id("item_", 21),
            "object": "realtime.item",
            "type": "function_call",
            "status": "in_progress",
            "call_id": call.id,
            "name": call.name,
            "arguments": "",
        }
        place = await self._begin(item, at)
        kind, who = "response.function_call_arguments", {"call_id": call.id}
        await self.say(f"{kind}.delta", **place, **who, delta=call.arguments)
        item["arguments"] = call.arguments
        await self.say(f"{kind}.done", **place, **who, name=call.name, arguments=call.arguments)
        return await self._finish(item, at)

    async def _tell(self, text: str, settings: dict[str, Any], made: Answer) -> dict[str, Any]:
        spoken = settings["output_modalities"] == ["audio"]
        item: dict[str, Any] = {
            "id": self.memory.id("item_", 21),
            "object": "realtime.item",
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        place = {**await self._begin(item, 0), "content_index": 0}
        part = {"type": "audio", "transcript": ""} if spoken else {"type": "text", "text": ""}
        await self.say("response.content_part.added", **place, part=part)
        said = await self._pieces(
            text, place, settings["audio"]["output"] if spoken else None, made
        )
        name = "transcript" if spoken else "text"
        if spoken:
            await self.say("response.output_audio.done", **place)
            await self.say("response.output_audio_transcript.done", **place, transcript=said)
        else:
            await self.say("response.output_text.done", **place, text=said)
        await self.say("response.content_part.done", **place, part={**part, name: said})
        item["content"] = [{"type": "output_audio" if spoken else "output_text", name: said}]
        return await self._finish(item, 0)

    async def _pieces(
        self, text: str, place: dict[str, Any], voice: dict[str, Any] | None, made: Answer
    ) -> str:
        """Say *text* piece by piece until somebody interrupts; return what was said."""
        words = tokens(text)
        said, lasts = "", 0
        for number, at in enumerate(range(0, len(words), TOKENS_A_PIECE)):
            if made.word == "long" and number == FIRST_PIECES:
                await self._stop.wait()
            if self._stopped:
                break
            piece = "".join(words[at : at + TOKENS_A_PIECE])
            said += piece
            if voice is None:
                await self.say("response.output_text.delta", **place, delta=piece)
                continue
            await self.say("response.output_audio_transcript.delta", **place, delta=piece)
            packing = Packing(voice["format"])
            sound = packing.said(piece, VOICES.index(voice["voice"]))
            lasts += packing.ms(len(sound))
            self.spoken_ms[place["item_id"]] = lasts
            data = base64.b64encode(sound).decode()
            await self.say("response.output_audio.delta", **place, delta=data)
            await asyncio.sleep(0)
        return said

    def _usage(self, made: Answer, said: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Count: sound that was heard by tenths of a second, and what was said by twentieths."""
        heard = sum(lasts // 100 for _, lasts in self.heard.values())
        text = max(made.input_tokens - sum(count(words) for words, _ in self.heard.values()), 0)
        aloud = settings["output_modalities"] == ["audio"] and said
        last = self.items[-1]["id"] if self.items else ""
        sound = self.spoken_ms.get(last, 0) // 50 if aloud else 0
        words = count(said) if said else made.output_tokens
        return {
            "total_tokens": text + heard + words + sound,
            "input_tokens": text + heard,
            "output_tokens": words + sound,
            "input_token_details": {
                "text_tokens": text,
                "audio_tokens": heard,
                "image_tokens": 0,
                "cached_tokens": 0,
                "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": words, "audio_tokens": sound},
        }


def _number(found: object) -> int | None:
    return found if isinstance(found, int) else None


def _outcome(stopped: str, made: Answer) -> dict[str, Any]:
    if stopped in {"fail", "quota"}:
        error = {
            "type": "server_error",
            "code": "server_error",
            "message": "The server had an error.",
        }
        if stopped == "quota":
            words = "You exceeded your current quota, please check your plan and billing details."
            error = {"type": "insufficient_quota", "code": "insufficient_quota", "message": words}
        return {"status": "failed", "status_details": {"type": "failed", "error": error}}
    if stopped:
        return {"status": "cancelled", "status_details": {"type": "cancelled", "reason": stopped}}
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(made.end)
    if reason:
        return {"status": "incomplete", "status_details": {"type": "incomplete", "reason": reason}}
    return {"status": "completed"}
