"""
Speech and live transcription, ours beside the vendors' own SDKs.

    python voices.py SPEAKING LISTENING     prints {"speech": {…}, "listening": {…}} as JSON

Of each, the best of some turns: `first`, the milliseconds until the first sound or transcript is
there, and `piece`, the microseconds of CPU that each piece costs. All of a kind run in turns
within one process.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from voice_server import PIECE, PIECES

TEXT = "The quick brown fox jumps over the lazy dog."
VOICE = "21m00Tcm4TlvDq8ikWAM"
TURNS = 10

Act = Callable[[], Awaitable[float]]
"""Does it once, and returns when the first of what is waited for was there."""


@asynccontextmanager
async def spoken_by_us(port: int, backend: str = "httpx2") -> AsyncIterator[Act]:
    """`ai.speech.stream`."""
    import anymodal  # measured by whom it concerns

    where = {"base_url": f"http://127.0.0.1:{port}", "api_key": "k"}
    async with anymodal.Client(
        anymodal.Settings.from_mapping(
            {"providers": {"elevenlabs": where}, "http": {"backend": backend}}
        )
    ) as ai:

        async def speak() -> float:
            first, size = 0.0, 0
            async with ai.speech.stream(
                TEXT, voice=f"elevenlabs/{VOICE}", model="eleven_flash_v2_5"
            ) as sound:
                async for piece in sound:
                    first = first or time.perf_counter()
                    size += len(piece.data)
            assert size == PIECES * len(PIECE)
            return first

        yield speak


@asynccontextmanager
async def spoken_by_sdk(port: int) -> AsyncIterator[Act]:
    """`elevenlabs.AsyncElevenLabs().text_to_speech.stream`, in pieces of the server's size."""
    import elevenlabs  # measured by whom it concerns
    import httpx  # the SDK closes none that it made itself

    async with httpx.AsyncClient(timeout=240) as carrier:
        client = elevenlabs.AsyncElevenLabs(
            base_url=f"http://127.0.0.1:{port}", api_key="k", httpx_client=carrier
        )

        async def speak() -> float:
            first, size = 0.0, 0
            async for piece in client.text_to_speech.stream(
                VOICE,
                text=TEXT,
                model_id="eleven_flash_v2_5",
                request_options={"max_retries": 0, "chunk_size": len(PIECE)},
            ):
                first = first or time.perf_counter()
                size += len(piece)
            assert size == PIECES * len(PIECE)
            return first

        yield speak


@asynccontextmanager
async def heard_by_us(port: int) -> AsyncIterator[Act]:
    """`ai.transcription.live`."""
    import anymodal  # measured by whom it concerns
    from anymodal.modalities.live import AudioFormat, Transcript

    where = {"base_url": f"http://127.0.0.1:{port}", "api_key": "k"}
    packing = AudioFormat(rate=16_000)
    async with anymodal.Client(
        anymodal.Settings.from_mapping({"providers": {"deepgram": where}})
    ) as ai:

        async def listen() -> float:
            first, count = 0.0, 0
            async with ai.transcription.live(model="deepgram/nova-3", format=packing) as session:
                await session.send(PIECE)
                async for event in session:
                    if isinstance(event, Transcript):
                        first = first or time.perf_counter()
                        count += 1
                        if count < PIECES:
                            await session.send(PIECE)
                        else:
                            await session.finish()
            assert count == PIECES
            return first

        yield listen


@asynccontextmanager
async def heard_by_sdk(port: int) -> AsyncIterator[Act]:
    """`deepgram.AsyncDeepgramClient().listen.v1.connect`."""
    import httpx  # as above
    from deepgram import AsyncDeepgramClient  # measured by whom it concerns
    from deepgram.environment import DeepgramClientEnvironment

    http, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    where = DeepgramClientEnvironment(base=http, production=ws, agent=ws, agent_rest=http)
    async with httpx.AsyncClient() as carrier:
        client = AsyncDeepgramClient(api_key="k", environment=where, httpx_client=carrier)

        async def listen() -> float:
            first, count = 0.0, 0
            async with client.listen.v1.connect(
                model="nova-3", encoding="linear16", sample_rate="16000", interim_results="true"
            ) as socket:
                await socket.send_media(PIECE)
                async for event in socket:
                    if event.type == "Results":
                        first = first or time.perf_counter()
                        count += 1
                        if count < PIECES:
                            await socket.send_media(PIECE)
                        else:
                            await socket.send_close_stream()
            assert count == PIECES
            return first

        yield listen


@asynccontextmanager
async def spoken_by_nobody(port: int) -> AsyncIterator[Act]:
    """The transport, and nothing else."""
    import httpx2  # measured by whom it concerns

    url = f"http://127.0.0.1:{port}/v1/text-to-speech/{VOICE}/stream"
    async with httpx2.AsyncClient() as client:

        async def speak() -> float:
            first = 0.0
            async with client.stream("POST", url, json={"text": TEXT}) as reply:
                async for _ in reply.aiter_raw():
                    first = first or time.perf_counter()
            return first

        yield speak


@asynccontextmanager
async def heard_by_nobody(port: int) -> AsyncIterator[Act]:
    """The transport with JSON, and nothing else."""
    from websockets.asyncio.client import connect  # measured by whom it concerns

    async def listen() -> float:
        first, count = 0.0, 0
        async with connect(f"ws://127.0.0.1:{port}/v1/listen", compression=None) as socket:
            await socket.send(PIECE)
            async for message in socket:
                if json.loads(message)["type"] == "Results":
                    first = first or time.perf_counter()
                    count += 1
                    await socket.send(PIECE if count < PIECES else '{"type":"CloseStream"}')
        return first

    yield listen


KINDS = {
    "speech": {
        "httpx2": spoken_by_nobody,
        "elevenlabs SDK": spoken_by_sdk,
        "anymodal over httpx2": spoken_by_us,
        "anymodal over aiohttp": partial(spoken_by_us, backend="aiohttp"),
    },
    "listening": {
        "websockets + json": heard_by_nobody,
        "deepgram SDK": heard_by_sdk,
        "anymodal": heard_by_us,
    },
}


async def main(*ports: int) -> dict[str, dict[str, dict[str, float]]]:
    """Measure them in turns."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (kind, subjects), port in zip(KINDS.items(), ports, strict=True):
        of_kind = found[kind] = {name: {} for name in subjects}
        async with AsyncExitStack() as stack:
            acts = {
                name: await stack.enter_async_context(subject(port))
                for name, subject in subjects.items()
            }
            for act in acts.values():
                await act()
            for _ in range(TURNS):
                for name, act in acts.items():
                    started, used = time.perf_counter(), time.process_time()
                    first = await act()
                    for key, value in (
                        ("first", (first - started) * 1e3),
                        ("piece", (time.process_time() - used) / PIECES * 1e6),
                    ):
                        of_kind[name][key] = min(value, of_kind[name].get(key, value))
    return found


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    print(json.dumps(asyncio.run(main(*map(int, sys.argv[1:])))))
