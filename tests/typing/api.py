"""
How it is used, for type checkers alone: nothing here is run.

What a caller sees has to have the right type without a cast or an `Any`.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import assert_type

import anymodal
from anymodal import (
    CallWarning,
    Chat,
    ChatStream,
    Client,
    Cost,
    Deadlines,
    Estimate,
    Finish,
    Image,
    Job,
    JobStatus,
    KeptJob,
    Message,
    Record,
    Registry,
    Secret,
    Settings,
    SyncChat,
    SyncChatStream,
    SyncClient,
    SyncJob,
    SyncTextStream,
    TextBatch,
    TextDelta,
    TextResult,
    TextStream,
    Tool,
    ToolCall,
    ToolRan,
    hookimpl,
)
from anymodal.facades.text import TextFacade
from anymodal.modalities.embedding import EmbeddingResult, SparseVector
from anymodal.stores import MemoryStore, Store
from anymodal.stores.sqlite import SqliteStore
from anymodal.sync.text import SyncTextFacade


@dataclass
class Receipt:
    """A shape."""

    total: float


def rate(currency: str) -> str:
    """Say what a currency is worth."""
    return currency


async def weather(place: str, *, days: int = 1) -> dict[str, int]:
    """Say how the weather will be."""
    return {place: days}


async def from_a_vault() -> str:
    """Return a key."""
    return "key"


async def calls(ai: Client) -> None:
    """One answer at a time."""
    reply = await ai.text.generate("Name three rivers.", model="acme/acme-1")
    assert_type(reply, TextResult)
    assert_type(reply.text, str)
    assert_type(reply.record, Record)
    assert_type(reply.record.cost, Cost)
    assert_type(reply.record.provider, str)
    assert_type(reply.record.warnings, list[CallWarning])
    assert_type(reply.tool_calls, tuple[ToolCall, ...])

    await ai.text.generate(
        ["Read this.", Image.read("r.jpg"), Message.assistant("Well."), "And?"],
        model=["acme/acme-1", "other/o-2"],
        tools=[rate, weather, Tool(rate)],
        output=Receipt,
        reasoning="low",
        cache="system",
        timeout=Deadlines(total=30, first=5),
        stop=["END"],
        tags={"run": "7"},
    )
    assert_type(await ai.text.count_tokens("How long?"), int)
    assert_type(ai.text.estimate("How dear?"), Estimate)
    assert_type(ai[anymodal.TEXT], TextFacade)


async def structured(ai: Client) -> None:
    """What comes back is of the class that was asked for."""
    reply = await ai.text.generate("Read this.", output=Receipt)
    assert_type(reply, TextResult[Receipt])
    assert_type(reply.output.total, float)
    assert_type((await ai.text.generate("All.", output=list[Receipt])).output, list[Receipt])
    chat = ai.text.chat()
    assert_type((await chat.generate("And?", output=Receipt)).output, Receipt)
    async with chat.stream("And?", output=Receipt) as turn:
        assert_type((await turn.result()).output, Receipt)
    async with ai.text.stream("And?", output=Receipt) as stream:
        assert_type((await stream.result()).output, Receipt)
    batch = await (await ai.text.batch(["One.", "Two."], output=Receipt)).result()
    assert_type(batch.answers[0].output, Receipt)
    with SyncClient() as sync:
        assert_type(sync.text.generate("Read this.", output=Receipt).output, Receipt)
        with sync.text.stream("Read this.", output=Receipt) as going:
            assert_type(going.result().output, Receipt)


async def streams(ai: Client) -> None:
    """Piece by piece."""
    async with ai.text.stream("Count.", output={"type": "object"}) as stream:
        assert_type(stream, TextStream)
        async for event in stream:
            match event:
                case TextDelta(text):
                    assert_type(text, str)
                case Finish():
                    assert_type(event, Finish)
                case _:
                    pass
        async for words in stream.text:
            assert_type(words, str)
        assert_type(await stream.result(), TextResult)
    assert_type(stream.record.first_event_seconds, float | None)


async def chats(ai: Client) -> None:
    """Kept, with tools."""
    chat = ai.text.chat(tools=[rate, weather], max_rounds=3)
    assert_type(chat, Chat)
    assert_type(await chat.generate("And?"), TextResult)
    async with chat.stream(["And?", Image(url="https://example.org/a.png")]) as stream:
        assert_type(stream, ChatStream)
        async for event in stream:
            if isinstance(event, ToolRan):
                assert_type(event.call, ToolCall)
    chat.add("More.")
    assert_type(await chat.step(), TextResult)
    assert_type(await chat.run_tools(), tuple[ToolRan, ...])
    assert_type(chat.dump(), dict[str, object])
    ai.text.chat(restore=chat.dump())


async def jobs(ai: Client) -> None:
    """Many at once."""
    job = await ai.text.batch(["One?", ("two", "Two?"), ["Three", Image.read("3.png")]])
    assert_type(job, Job[TextBatch])
    async for status in job.progress(timeout=60):
        assert_type(status, JobStatus)
    assert_type(await job.result(), TextBatch)
    assert_type(ai.text.resume(job.token), Job[TextBatch])
    await ai.text.batch(["One?"], key="run7")
    assert_type(await ai.jobs.list(), tuple[KeptJob, ...])
    assert_type((await ai.jobs.get("run7")).status, JobStatus)
    assert_type(await ai.jobs.cancel(job.token), JobStatus)
    assert_type(await ai.jobs.forget("run7"), bool)
    stores: list[Store] = [MemoryStore(), SqliteStore("jobs.sqlite")]
    Client(store=stores[0])


async def tenants(ai: Client) -> None:
    """Scoped clients."""
    tenant = ai.scoped(
        "tenant",
        keys={"acme": "key", "other": {"api_key": Secret("key"), "project": from_a_vault}},
        settings={"defaults": {"text": "acme/acme-1"}},
        tags={"plan": "free"},
        allow=["acme/*", "other"],
    )
    assert_type(tenant, Client)
    async with ai.scoped("brief", keys={"acme": from_a_vault}) as brief:
        assert_type(brief, Client)


async def client() -> None:
    """The ways to make one."""
    async with anymodal.Client() as ai:
        assert_type(ai, Client)
        assert_type(ai.registry, Registry)
        await ai.warm("acme", "other/o-2")
    async with Client(Settings.empty(), plugins=[Plugin()]) as ai:
        ai.reload()


class Plugin:
    """A host's own."""

    @hookimpl
    def anymodal_commands(self) -> list[anymodal.CommandSpec]:
        """Offer none."""
        return []


async def two(ai: Client) -> tuple[str, int]:
    """Do something async with the client."""
    return (await ai.text.generate("Hi")).text, 2


def without_await() -> None:
    """The same face, plain."""
    with SyncClient() as ai:
        assert_type(ai, SyncClient)
        assert_type(ai.text, SyncTextFacade)
        reply = ai.text.generate("Name three rivers.", model=["acme/acme-1"], tools=[rate])
        assert_type(reply, TextResult)
        assert_type(ai.text.count_tokens("How long?"), int)
        assert_type(ai.run(two), tuple[str, int])

        with ai.text.stream("Count.") as stream:
            assert_type(stream, SyncTextStream)
            for event in stream:
                if isinstance(event, TextDelta):
                    assert_type(event.text, str)
            for words in stream.text:
                assert_type(words, str)
            assert_type(stream.result(), TextResult)

        chat = ai.text.chat(tools=[rate, weather])
        assert_type(chat, SyncChat)
        assert_type(chat.messages, list[Message])
        assert_type(chat.generate("And?"), TextResult)
        with chat.stream("And?") as turn:
            assert_type(turn, SyncChatStream)
            assert_type("".join(turn.text), str)

        job = ai.text.batch(["One?"])
        assert_type(job, SyncJob[TextBatch])
        assert_type([status.state == "running" for status in job.progress()], list[bool])
        assert_type(job.result(timeout=60), TextBatch)
        assert_type(ai.jobs.list(), tuple[KeptJob, ...])
        assert_type(ai.scoped("tenant", keys={}), SyncClient)


async def vectors(ai: Client, sync: SyncClient) -> None:
    """Dense ones are arrays, sparse ones pairs."""
    found = await ai.embedding.embed(["a", "b"], purpose="query", dimensions=64)
    assert_type(found.dense, tuple[array[float], ...])
    assert_type(found.sparse, tuple[SparseVector, ...])
    assert_type(found.normalised, bool | None)
    assert_type(found.record, Record)
    assert_type(sync.embedding.embed("a"), EmbeddingResult)
