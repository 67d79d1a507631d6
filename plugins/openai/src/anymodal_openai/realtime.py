"""
Conversations with OpenAI, over its WebSocket `/realtime`.

The SDK's own client for it runs on asyncio alone and wants an older `websockets`; see
docs/decisions/0025. Events are those of openai 3.52, `types/realtime`, read 2026-11-20.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Final
from urllib.parse import quote

from anymodal import errors as e
from anymodal.connection import Connection
from anymodal.modalities.live import (
    AudioOut,
    LiveEvent,
    Partial,
    SpeechStarted,
    ToolRequested,
    Transcript,
    TurnEnded,
    Who,
)
from anymodal.modalities.messages import ToolCall
from anymodal.modalities.realtime import (
    AudioIn,
    Commit,
    Interrupt,
    RealtimeRequest,
    Respond,
    SessionInput,
    TextIn,
    ToolResults,
)
from anymodal.sockets import Socket
from anymodal.usage import CallWarning
from anymodal_openai_compatible.quirks import fault

from .quirks import QUIRKS
from .realtime_models import TRANSCRIBER
from .realtime_options import OpenAIRealtime
from .realtime_session import (
    Object,
    heard_usage,
    outcome,
    result_item,
    session_of,
    text_item,
)

__all__ = ["OpenAIConversations"]

PIECE_BYTES: Final = 1024 * 1024
"""Of 15 MiB that one message may have."""

HARMLESS: Final = frozenset({"response_cancel_not_active", "input_audio_buffer_commit_empty"})
"""Of what came too late: the answer had ended, or the vendor had taken the sound itself."""

BUSY: Final = "conversation_already_has_active_response"

CODES: Final[Mapping[str, type[e.VendorError]]] = {
    "invalid_api_key": e.AuthenticationError,
    "invalid_model": e.NotFoundError,
    "model_not_found": e.NotFoundError,
    "session_expired": e.IncompleteError,
    "insufficient_quota": e.QuotaExceededError,
    "rate_limit_exceeded": e.RateLimitedError,
}
"""
Of errors within the session, and of the words of a close, which are type and code: `3000`
with `invalid_request_error.invalid_api_key`. Source: twilio-samples/
speech-assistant-openai-realtime-api-python issues 4 and 10, read 2026-11-20.
"""


class OpenAIConversations:
    """Opens sessions for one instance."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def open(self, request: RealtimeRequest) -> AsyncIterator[OpenAIConversation]:
        """
        Open a session.

        Raises:
            VendorError: The vendor refused it, or its settings.
        """
        connection = self._connection
        opening = connection.websocket(
            f"/realtime?model={quote(request.model.id, safe='')}",
            headers=await self._headers(request),
            close_means=_close_means,
        )
        async with opening as socket:
            conversation = OpenAIConversation(socket, connection, request)
            await conversation.begin()
            yield conversation

    async def _headers(self, request: RealtimeRequest) -> dict[str, str]:
        connection = self._connection
        option = request.option(OpenAIRealtime) or OpenAIRealtime()
        given = {
            "authorization": f"Bearer {await connection.required()}",
            "openai-organization": await connection.secret("organization"),
            "openai-project": await connection.secret("project"),
            "openai-safety-identifier": option.safety_identifier or request.end_user,
        }
        found = {name: value for name, value in given.items() if value is not None}
        return {**found, **option.extra_headers}


def _close_means(code: int, words: str) -> type[e.VendorError] | None:
    del code  # 3000 and 4000 are used for all of them
    return CODES.get(words.strip().rpartition(".")[2])


class OpenAIConversation:
    """A session under way."""

    def __init__(self, socket: Socket, connection: Connection, request: RealtimeRequest) -> None:
        self._socket = socket
        self._connection = connection
        self._request = request
        self._ready: deque[LiveEvent] = deque()
        self._texts: dict[str, str] = {}
        self._is_answering = False
        self._wanted: list[dict[str, object]] = []
        self._asked: dict[str, object] = {}
        self._read = self._readers()

    async def begin(self) -> None:
        """
        Have the session set to what was asked for.

        Raises:
            VendorError: The vendor refused.
        """
        await self._awaited("session.created")
        update = {"type": "session.update", "session": session_of(self._request)}
        await self._socket.send_json(update)
        await self._awaited("session.updated")

    async def _awaited(self, kind: str) -> None:
        while True:
            found = await self._next()
            if found is None:
                msg = (
                    f"{self._connection.provider}: the vendor closed the session at its beginning."
                )
                raise e.ConnectionFailedError(msg, provider=self._connection.provider)
            if found["type"] == "error":
                raise self._fault(found.get("error"))
            if found["type"] == kind:
                return

    # -- what it is told --------------------------------------------------------------

    async def send(self, event: SessionInput) -> None:
        """Tell the vendor."""
        send = self._socket.send_json
        match event:
            case AudioIn(data):
                for at in range(0, len(data), PIECE_BYTES):
                    piece = base64.b64encode(data[at : at + PIECE_BYTES]).decode("ascii")
                    await send({"type": "input_audio_buffer.append", "audio": piece})
            case TextIn(text):
                await send({"type": "conversation.item.create", "item": text_item(text)})
            case Commit():
                await send({"type": "input_audio_buffer.commit"})
            case Respond(instructions):
                await self._respond({"instructions": instructions} if instructions else {})
            case Interrupt(item_id, played):
                await self._interrupt(item_id, played)
            case ToolResults(results, responds):
                for result in results:
                    item = result_item(result)
                    await send({"type": "conversation.item.create", "item": item})
                if responds:
                    await self._respond({})

    async def _respond(self, response: dict[str, object]) -> None:
        """Ask for an answer, now or when the one under way has ended: there is one at a time."""
        if self._is_answering:
            self._wanted.append(response)
            return
        self._is_answering, self._asked = True, response
        body: dict[str, object] = {"response": response} if response else {}
        await self._socket.send_json({"type": "response.create", **body})

    async def _interrupt(self, item_id: str | None, played: float) -> None:
        self._wanted.clear()
        if self._is_answering:
            await self._socket.send_json({"type": "response.cancel"})
        if item_id is not None:
            await self._socket.send_json(
                {
                    "type": "conversation.item.truncate",
                    "item_id": item_id,
                    "content_index": 0,
                    "audio_end_ms": int(played * 1000),
                }
            )

    # -- what it says -----------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[LiveEvent]:
        return self

    async def __anext__(self) -> LiveEvent:
        while not self._ready:
            found = await self._next()
            if found is None:
                raise StopAsyncIteration
            await self._heed(found)
        return self._ready.popleft()

    async def _next(self) -> Object | None:
        message = await self._socket.receive()
        if message is None:
            return None
        try:
            found = json.loads(message)
        except ValueError as error:
            raise self._malformed(type(error).__name__) from error
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise self._malformed(type(found).__name__)
        return found

    async def _heed(self, found: Object) -> None:
        kind = found["type"]
        if kind == "response.created":
            self._is_answering = True
        elif kind == "error":
            await self._excuse(found.get("error"))
        elif kind == "response.done":
            await self._done(found)
        elif (read := self._read.get(kind)) is not None:
            try:
                event = read(found)
            except (KeyError, TypeError, ValueError, binascii.Error) as error:
                raise self._malformed(kind) from error
            if event is not None:
                self._ready.append(event)

    async def _done(self, found: Object) -> None:
        response = found.get("response")
        if not isinstance(response, Mapping):
            raise self._malformed(found["type"])
        event = outcome(response)
        if event.reason == "failed":
            event.error = self._fault((response.get("status_details") or {}).get("error"))
        event.raw = response if self._request.raw else None
        self._ready.append(event)
        self._is_answering = False
        for item in response.get("output") or ():
            self._texts.pop(item.get("id"), None)  # of one that was broken off
        if self._wanted:
            await self._respond(self._wanted.pop(0))

    async def _excuse(self, error: object) -> None:
        """Pass over what came too late; raise all else."""
        code = error.get("code") if isinstance(error, Mapping) else None
        if code == BUSY:
            # the vendor had begun one by itself, of which we hear or have heard
            self._wanted.insert(0, self._asked)
        elif code not in HARMLESS:
            raise self._fault(error)

    def _fault(self, error: object) -> e.VendorError:
        code = error.get("code") if isinstance(error, Mapping) else None
        found = fault(
            error,
            provider=self._connection.provider,
            quirks=QUIRKS,
            request_id=None,
            scrub=self._connection.scrub,
        )
        cls = CODES.get(str(code))
        if cls is None and _is_refusal(error) and type(found) is e.ServerError:
            cls = e.BadRequestError
        if cls is None or isinstance(found, cls):
            return found
        return cls(str(found), provider=found.provider, vendor_code=found.vendor_code)

    def _malformed(self, what: str) -> e.MalformedReplyError:
        msg = f"{self._connection.provider}: a message cannot be read ({what})."
        return e.MalformedReplyError(msg, provider=self._connection.provider)

    # -- event by event ---------------------------------------------------------------

    def _readers(self) -> dict[str, Callable[[Object], LiveEvent | None]]:
        """Return what reads each kind of event; those of other kinds say nothing new."""
        heard = "conversation.item.input_audio_transcription"
        return {
            "input_audio_buffer.speech_started": _started,
            "input_audio_buffer.speech_stopped": _stopped,
            f"{heard}.delta": partial(self._grown, "user"),
            f"{heard}.completed": self._written,
            f"{heard}.failed": self._unwritten,
            "response.output_audio.delta": _sound,
            "response.output_audio_transcript.delta": partial(self._grown, "assistant"),
            "response.output_audio_transcript.done": partial(self._whole, "transcript"),
            "response.output_text.delta": partial(self._grown, "assistant"),
            "response.output_text.done": partial(self._whole, "text"),
            "response.output_item.done": _tool,
        }

    def _grown(self, who: Who, found: Object) -> Partial:
        item = found["item_id"]
        text = self._texts[item] = self._texts.get(item, "") + (found.get("delta") or "")
        return Partial(text, who, item)

    def _whole(self, name: str, found: Object) -> Transcript:
        self._texts.pop(found["item_id"], None)
        return Transcript(str(found[name]), "assistant", item_id=found["item_id"])

    def _written(self, found: Object) -> Transcript:
        said = self._request.transcription
        model = (said and said.model) or TRANSCRIBER
        self._texts.pop(found["item_id"], None)
        return Transcript(
            str(found["transcript"]),
            item_id=found["item_id"],
            language=said.language if said else None,
            usage=heard_usage(found.get("usage"), model),
        )

    def _unwritten(self, found: Object) -> None:
        words = (found.get("error") or {}).get("message") or "no reason given"
        text = f"what was said could not be written down: {self._connection.scrub(str(words))}"
        self._request.warnings.append(CallWarning("transcription", text))


def _is_refusal(error: object) -> bool:
    return isinstance(error, Mapping) and error.get("type") == "invalid_request_error"


def _sound(found: Object) -> AudioOut:
    return AudioOut(base64.b64decode(found["delta"], validate=True), found["item_id"])


def _started(found: Object) -> SpeechStarted:
    return SpeechStarted(found["audio_start_ms"] / 1000)


def _stopped(found: Object) -> TurnEnded:
    return TurnEnded(found["audio_end_ms"] / 1000)


def _tool(found: Object) -> ToolRequested | None:
    item = found["item"]
    if item["type"] != "function_call" or item.get("status") == "incomplete":
        return None
    return ToolRequested(ToolCall(item["call_id"], item["name"], item["arguments"]))
