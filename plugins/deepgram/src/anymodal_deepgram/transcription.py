"""Speech to text by Deepgram."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import anyio.to_thread
import attrs
from anymodal.connection import Connection
from anymodal.modalities.kinds import LiveModel
from anymodal.modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionRequest,
    TranscriptionResult,
    TranscriptionSettings,
)
from anymodal.specs import Capabilities

from .asked import live_query, query
from .faults import closed
from .live import DeepgramListener
from .options import DeepgramTranscription
from .replies import MALFORMED, decode, malformed

__all__ = ["DeepgramTranscriber", "deepgram_transcriber"]


@attrs.frozen(eq=False)
class DeepgramTranscriber:
    """
    Deepgram's speech to text.

    Args:
        connection: The way to it.
    """

    connection: Connection

    async def transcribe(self, request: TranscriptionRequest, /) -> TranscriptionResult:
        """
        Transcribe a file, or what a URL leads to, which Deepgram then fetches.

        Raises:
            VendorError: Deepgram refused or failed.
        """
        audio = request.audio
        headers = await self._headers(request)
        body: object = {"url": audio.url}
        if audio.url is None:
            body = await anyio.to_thread.run_sync(audio.read_bytes)
            headers.setdefault("content-type", audio.media_type)
        found = await self._json("POST", f"/v1/listen?{query(request)}", headers, body)
        try:
            return decode(found, request)
        except MALFORMED as error:
            raise malformed(self.connection.provider, error) from error

    @asynccontextmanager
    async def live(
        self, request: LiveTranscriptionRequest, /
    ) -> AsyncGenerator[DeepgramListener, None]:
        """
        Listen while somebody speaks.

        Raises:
            VendorError: Deepgram refused or failed.
        """
        path = f"/v1/listen?{live_query(request)}"
        headers = await self._headers(request)
        opening = self.connection.websocket(path, headers=headers, close_means=closed)
        async with opening as socket, anyio.create_task_group() as tasks:
            clock, provider = self.connection.clock, self.connection.provider
            listener = DeepgramListener(socket, request, clock, provider)
            tasks.start_soon(listener.keep_alive)
            try:
                yield listener
            finally:
                tasks.cancel_scope.cancel()

    async def list_models(self) -> Sequence[LiveModel]:
        """
        Ask which models of speech to text there are.

        Raises:
            VendorError: Deepgram refused or failed.
        """
        found = cast("Any", await self._json("GET", "/v1/models", await self._key()))
        try:
            named: dict[str, LiveModel] = {}
            for one in found["stt"]:
                name = one["canonical_name"]
                known = {"live": one["streaming"]}
                named.setdefault(name, _described(name, known))
        except MALFORMED as error:
            raise malformed(self.connection.provider, error) from error
        return list(named.values())

    async def check_health(self) -> None:
        """
        Ask for the account's projects, which costs nothing.

        Raises:
            VendorError: It does not answer, or the key is not accepted.
        """
        await self._json("GET", "/v1/projects", await self._key())

    # -- the road -----------------------------------------------------------------------

    async def _key(self) -> dict[str, str]:
        return {"authorization": f"Token {await self.connection.required()}"}

    async def _headers(self, request: TranscriptionSettings) -> dict[str, str]:
        option = request.option(DeepgramTranscription)
        extra = (option.extra_headers or {}) if option else {}
        return await self._key() | {name.lower(): value for name, value in extra.items()}

    async def _json(
        self, method: str, path: str, headers: Mapping[str, str], body: object = None
    ) -> object:
        return await self.connection.http.json(method, path, body=body, headers=headers)


def _described(name: str, known: Mapping[str, bool]) -> LiveModel:
    yes = {ability for ability, has in known.items() if has}
    capabilities = Capabilities(yes, known.keys() - yes)
    return LiveModel(id=name, modality="transcription", capabilities=capabilities)


def deepgram_transcriber(connection: Connection) -> DeepgramTranscriber:
    """
    Return the provider for an instance.

    Raises:
        ConfigurationError: The HTTP library of the settings is not installed.
    """
    _ = connection.http  # imports the HTTP library now, in the thread that connects
    return DeepgramTranscriber(connection)
