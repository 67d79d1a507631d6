"""
What is measured, each in a process of its own.

    python subjects.py NAME PORT     prints {"call": us, "event": us, "rss": MiB} of CPU

A subject is two async functions, one call and one stream, made inside the loop.
Pairs of them run in turns within one process, because their difference is what
is asked for, and two processes differ by more than that.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from server import EVENTS

CALLS = 150
STREAMS = 3
TURNS = 4
PROMPT = "Say something about foxes and dogs."

Act = Callable[[], Awaitable[object]]


@asynccontextmanager
async def bare_httpx2(base: str, path: str = "/chat/completions") -> AsyncIterator[tuple[Act, Act]]:
    """The transport with JSON, and nothing else."""
    import httpx2  # measured by whom it concerns

    body = request_body(path)
    headers = {"authorization": "Bearer k", "content-type": "application/json"}
    async with httpx2.AsyncClient(timeout=httpx2.Timeout(None, connect=5)) as client:

        async def call() -> object:
            content = json.dumps(body).encode()
            reply = await client.post(base + path, content=content, headers=headers)
            return json.loads(reply.content)

        async def stream() -> object:
            content = json.dumps({**body, "stream": True}).encode()
            async with client.stream(
                "POST", base + path, content=content, headers=headers
            ) as reply:
                return await decoded(reply.aiter_raw())

        yield call, stream


@asynccontextmanager
async def bare_aiohttp(
    base: str, path: str = "/chat/completions"
) -> AsyncIterator[tuple[Act, Act]]:
    """As above, over aiohttp."""
    import aiohttp  # measured by whom it concerns

    body = request_body(path)
    headers = {"authorization": "Bearer k", "content-type": "application/json"}
    async with aiohttp.ClientSession() as client:

        async def call() -> object:
            data = json.dumps(body).encode()
            async with client.post(base + path, data=data, headers=headers) as reply:
                return json.loads(await reply.read())

        async def stream() -> object:
            data = json.dumps({**body, "stream": True}).encode()
            async with client.post(base + path, data=data, headers=headers) as reply:
                return await decoded(reply.content.iter_any())

        yield call, stream


async def decoded(chunks: AsyncIterator[bytes]) -> int:
    """Split and parse every event, and do nothing with it."""
    rest, count = b"", 0
    async for chunk in chunks:
        *events, rest = (rest + chunk).split(b"\n\n")
        for event in events:
            data = event[event.index(b"data: ") + 6 :]
            if data != b"[DONE]":
                json.loads(data)
                count += 1
    return count


def request_body(path: str) -> dict[str, object]:
    """Return the request that all subjects send."""
    if path == "/responses":
        return {"model": "gpt-6.1-sol", "input": PROMPT, "store": False}
    return {"model": "gpt-6.1-sol", "messages": [{"role": "user", "content": PROMPT}]}


def ours(provider: str, backend: str) -> Callable[[str], object]:
    """Return the subject that calls *provider* through anymodal."""

    @asynccontextmanager
    async def subject(base: str) -> AsyncIterator[tuple[Act, Act]]:
        import anymodal  # measured by whom it concerns

        settings = anymodal.Settings.from_mapping(
            {
                "providers": {provider: {"base_url": base, "api_key": "k"}},
                "http": {"backend": backend},
            }
        )
        async with anymodal.Client(settings) as ai:

            async def call() -> object:
                return (await ai.text.generate(PROMPT, model=f"{provider}/gpt-6.1-sol")).text

            async def stream() -> object:
                async with ai.text.stream(PROMPT, model=f"{provider}/gpt-6.1-sol") as events:
                    count = 0
                    async for _ in events:
                        count += 1
                    return count

            yield call, stream

    return subject


@asynccontextmanager
async def openai_sdk(base: str) -> AsyncIterator[tuple[Act, Act]]:
    """The SDK's own high road."""
    import openai  # measured by whom it concerns

    async with openai.AsyncOpenAI(api_key="k", base_url=base, max_retries=0) as client:

        async def call() -> object:
            reply = await client.responses.create(model="gpt-6.1-sol", input=PROMPT, store=False)
            return reply.output_text

        async def stream() -> object:
            count = 0
            async for _ in await client.responses.create(
                model="gpt-6.1-sol", input=PROMPT, store=False, stream=True
            ):
                count += 1
            return count

        yield call, stream


@asynccontextmanager
async def litellm_peer(base: str) -> AsyncIterator[tuple[Act, Act]]:
    """`litellm.acompletion`."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm  # measured by whom it concerns

    asked = {
        "model": "openai/gpt-4o", "api_base": base, "api_key": "k", "num_retries": 0,
        "messages": [{"role": "user", "content": PROMPT}],
    }  # fmt: skip

    async def call() -> object:
        return (await litellm.acompletion(**asked)).choices[0].message.content

    async def stream() -> object:
        count = 0
        async for _ in await litellm.acompletion(**asked, stream=True):
            count += 1
        return count

    yield call, stream


@asynccontextmanager
async def any_llm_peer(base: str) -> AsyncIterator[tuple[Act, Act]]:
    """any-llm, its client object kept."""
    from any_llm import AnyLLM  # measured by whom it concerns

    client = AnyLLM.create("openai", api_key="k", api_base=base)
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": PROMPT}]}

    async def call() -> object:
        return (await client.acompletion(**asked)).choices[0].message.content

    async def stream() -> object:
        count = 0
        async for _ in await client.acompletion(**asked, stream=True):
            count += 1
        return count

    yield call, stream


SUBJECTS = {
    "httpx2 + json": bare_httpx2,
    "aiohttp + json": bare_aiohttp,
    "httpx2 + json (responses)": lambda base: bare_httpx2(base, "/responses"),
    "anymodal over httpx2": ours("openai-compatible", "httpx2"),
    "anymodal over aiohttp": ours("openai-compatible", "aiohttp"),
    "anymodal over openai": ours("openai", "httpx2"),
    "openai": openai_sdk,
    "litellm": litellm_peer,
    "any-llm": any_llm_peer,
}


async def measure(names: list[str], port: int) -> dict[str, dict[str, float]]:
    """Run the subjects in turns and return the best turn of each."""
    base = f"http://127.0.0.1:{port}/v1"
    found: dict[str, dict[str, float]] = {name: {} for name in names}
    async with AsyncExitStack() as stack:
        acts = {name: await stack.enter_async_context(SUBJECTS[name](base)) for name in names}
        for call, stream in acts.values():
            for _ in range(20):
                await call()
            assert await stream() >= EVENTS
        for _ in range(TURNS):
            for name, (call, stream) in acts.items():
                for key, act, times, units in (
                    ("call", call, CALLS, 1),
                    ("event", stream, STREAMS, EVENTS),
                ):
                    started = time.process_time()
                    for _ in range(times):
                        await act()
                    us = (time.process_time() - started) / times / units * 1e6
                    found[name][key] = min(us, found[name].get(key, us))
    return found


async def grow(name: str, port: int, calls: int) -> float:
    """Return by how many KiB a thousand calls grow the process, over the second half."""
    async with SUBJECTS[name](f"http://127.0.0.1:{port}/v1") as (call, _):
        sizes = []
        for _ in range(2):
            for _ in range(calls // 2):
                await call()
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return (sizes[1] - sizes[0]) / (calls / 2 / 1000)


class Echo:
    """A provider that costs nothing, so that what is left is the core's own."""

    async def generate(self, request: object) -> object:
        """Say hello."""
        from anymodal import Finish, Message, TextResult

        return TextResult(Message.assistant("hello"), Finish())


class Plugin:
    """Offers it."""

    def __init__(self) -> None:
        import anymodal

        @anymodal.hookimpl
        def anymodal_text_providers() -> list[object]:
            models = [anymodal.ModelSpec(id="echo-1")]
            return [
                anymodal.TextProviderSpec(
                    id="echo",
                    display_name="Echo",
                    connect=lambda _: Echo(),
                    models=models,
                    base_url="x",
                )
            ]

        self.anymodal_text_providers = anymodal_text_providers


class Around:
    """Hears of every call, and stands around it."""

    def on_event(self, event: object) -> None:
        """Take note."""

    async def around(self, call: object, proceed: Callable[[object], object]) -> object:
        """Proceed."""
        return await proceed(call)


def everything() -> dict[str, object]:
    """Return a client's arguments with every policy on, an observer and middleware."""
    from anymodal import Budget, Limits, Policy

    limits = Limits(requests=10**6, tokens=10**9, concurrency=100)
    budgets = [Budget(tokens=10**12), Budget(tokens=10**12, tag="team", per=86_400)]
    return {
        "policy": Policy(limits=limits, budgets=budgets),
        "observers": [Around()],
        "middleware": [Around()],
    }


def alone() -> dict[str, float]:
    """Return what a call costs without any transport: awaited, with everything on, and plain."""
    import anymodal

    given = {"settings": anymodal.Settings.empty(), "plugins": [Plugin()]}
    times = 3000

    async def awaited(**more: object) -> float:
        async with anymodal.Client(**given, **more) as ai:
            best = float("inf")
            for _ in range(TURNS):
                started = time.process_time()
                for _ in range(times):
                    await ai.text.generate(PROMPT, model="echo/echo-1", tags={"team": "a"})
                best = min(best, time.process_time() - started)
            return best / times * 1e6

    def plain() -> float:
        with anymodal.SyncClient(**given) as ai:
            best = float("inf")
            for _ in range(TURNS):
                started = time.process_time()
                for _ in range(times):
                    ai.text.generate(PROMPT, model="echo/echo-1", tags={"team": "a"})
                best = min(best, time.process_time() - started)
            return best / times * 1e6

    return {
        "awaited": asyncio.run(awaited()),
        "everything": asyncio.run(awaited(**everything())),
        "plain": plain(),
    }


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    *what, where = sys.argv[1:]
    if what[0] == "--alone":
        print(json.dumps(alone()))
    elif what[0] == "--grow":
        print(json.dumps(asyncio.run(grow(what[1], int(where), 10_000))))
    else:
        print(json.dumps(asyncio.run(measure(what, int(where)))))
