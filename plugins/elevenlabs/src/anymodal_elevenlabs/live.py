"""
A voice that is told its text in pieces, over the WebSocket `stream-input`.

Source: ElevenLabs' AsyncAPI description, and elevenlabs/elevenlabs-python#167 for what an
error looks like there; read 2026-11-20.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from anymodal.errors import BadRequestError, MalformedReplyError, VendorError
from anymodal.modalities.speech import AudioChunk, SpeechEnd, SpeechEvent
from anymodal.usage import Usage, Used

from .faults import meaning

if TYPE_CHECKING:
    from anymodal.sockets import Socket

__all__ = ["LiveVoice"]


class LiveVoice:
    """
    A voice at the other end of a WebSocket.

    It is told whole words, each message ending in a space, as the vendor wants it.
    """

    def __init__(self, socket: Socket, provider: str) -> None:
        self._socket = socket
        self._provider = provider
        self._rest = ""
        self._characters = 0
        self._is_over = False

    async def send(self, text: str) -> None:
        """Have *text* said; a word that is not whole waits for its end."""
        self._characters += len(text)
        self._rest += text
        last = len(self._rest.rstrip()) if self._rest[-1:].isspace() else -1
        cut = len(self._rest) if last >= 0 else _last_space(self._rest)
        if cut and self._rest[:cut].strip():
            said, self._rest = self._rest[:cut].rstrip(), self._rest[cut:]
            await self._socket.send_json({"text": f"{said} "})

    async def end(self) -> None:
        """Have what is left said, and no more."""
        if self._rest.strip():
            await self._socket.send_json({"text": f"{self._rest.rstrip()} "})
        await self._socket.send_json({"text": ""})

    def __aiter__(self) -> AsyncIterator[SpeechEvent]:
        return self

    async def __anext__(self) -> SpeechEvent:
        while not self._is_over:
            message = await self._socket.receive()
            if message is None:
                break
            found = self._read(message)
            if audio := found.get("audio"):
                return AudioChunk(self._decoded(audio))
            if found.get("isFinal"):
                self._is_over = True
                return SpeechEnd(usage=Usage(units=(Used("character", self._characters),)))
        raise StopAsyncIteration

    def _read(self, message: str | bytes) -> Mapping[str, object]:
        try:
            found = json.loads(message)
        except ValueError as error:
            raise self._malformed(0) from error
        if not isinstance(found, Mapping):
            raise self._malformed(1)
        if "message" in found and "audio" not in found:
            raise self._refused(found)
        return found

    def _refused(self, found: Mapping[str, object]) -> VendorError:
        code = found.get("error")
        cls = meaning(code) or BadRequestError
        words = " ".join(str(found["message"]).split())[:300]
        return cls(
            f"{self._provider}: {words}", provider=self._provider, vendor_code=str(code or "")
        )

    def _decoded(self, audio: object) -> bytes:
        try:
            return base64.b64decode(str(audio), validate=True)
        except binascii.Error as error:
            raise self._malformed(2) from error

    def _malformed(self, part: int) -> MalformedReplyError:
        what = ("it is not JSON", "it is no object", "its sound is not base64")[part]
        msg = f"{self._provider}: a message cannot be read: {what}"
        return MalformedReplyError(msg, provider=self._provider)


def _last_space(text: str) -> int:
    """Return where the last word begins; 0 where there is but one."""
    return max((at + 1 for at, one in enumerate(text) if one.isspace()), default=0)
