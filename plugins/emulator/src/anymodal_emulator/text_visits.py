"""What the tour asks of a provider of text, and how it tells that all of it arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anymodal
import attrs

from .operations import Operation
from .samples import pdf, png
from .visits import SECONDS, Visit

__all__ = ["MORNING", "SIZE", "TEXT"]

SIZE: Final = (240, 150)
MORNING: Final = "And what does he see in the morning?"


async def _generate(client: anymodal.Client, visit: Visit, name: str) -> None:
    reply = await client.text.generate(visit.prompt, model=name, timeout=SECONDS)
    visit.said, visit.seconds = reply.text, reply.record.seconds


async def _stream(client: anymodal.Client, visit: Visit, name: str) -> None:
    async with client.text.stream(visit.prompt, model=name, timeout=SECONDS) as stream:
        async for words in stream.text:
            visit.said += words
    visit.seconds = stream.record.seconds
    visit.first_event = stream.record.first_event_seconds


async def _image(client: anymodal.Client, visit: Visit, name: str) -> None:
    visit.sent = png(*SIZE)
    picture = anymodal.Image(visit.sent)
    reply = await client.text.generate([visit.prompt, picture], model=name, timeout=SECONDS)
    visit.said, visit.seconds = reply.text, reply.record.seconds


async def _file(client: anymodal.Client, visit: Visit, name: str) -> None:
    letter = anymodal.File(pdf("The lamp is lit."), name="letter.pdf")
    reply = await client.text.generate([visit.prompt, letter], model=name, timeout=SECONDS)
    visit.said, visit.seconds = reply.text, reply.record.seconds


def tide(harbour: str) -> str:
    """Tell the state of the tide at a harbour."""
    return f"The tide at {harbour} is high."


async def _tools(client: anymodal.Client, visit: Visit, name: str) -> None:
    chat = client.text.chat(model=name, tools=[tide])
    reply = await chat.generate(visit.prompt, timeout=SECONDS)
    visit.said = reply.text
    visit.seconds = sum(record.seconds or 0.0 for record in chat.records)


@attrs.frozen
class Sighting:
    """What the keeper writes down."""

    ship: str
    lamps: int


async def _structured(client: anymodal.Client, visit: Visit, name: str) -> None:
    reply = await client.text.generate(visit.prompt, model=name, output=Sighting, timeout=SECONDS)
    if not isinstance(reply.output, Sighting):
        msg = "the answer did not become a Sighting"
        raise TypeError(msg)
    visit.said, visit.seconds = f"{reply.text}\n\n{reply.output}", reply.record.seconds


async def _reasoning(client: anymodal.Client, visit: Visit, name: str) -> None:
    reply = await client.text.generate(visit.prompt, model=name, reasoning="high", timeout=SECONDS)
    if not (reply.usage and reply.usage.reasoning_tokens) and not reply.reasoning:
        msg = "nothing shows that it thought"
        raise LookupError(msg)
    visit.said = f"{reply.reasoning}\n\n{reply.text}".strip()
    visit.seconds = reply.record.seconds


async def _web_search(client: anymodal.Client, visit: Visit, name: str) -> None:
    reply = await client.text.generate(visit.prompt, model=name, web_search=True, timeout=SECONDS)
    sources = "\n".join(f"{one.title}: {one.url}" for one in reply.citations)
    visit.said, visit.seconds = f"{reply.text}\n\n{sources}", reply.record.seconds


async def _citations(client: anymodal.Client, visit: Visit, name: str) -> None:
    async with client.text.stream(visit.prompt, model=name, timeout=SECONDS) as stream:
        came = [event async for event in stream if isinstance(event, anymodal.Citation)]
        reply = await stream.result()
    if not came or tuple(came) != reply.citations:
        msg = f"the stream named {len(came)} sources and the whole answer {len(reply.citations)}"
        raise LookupError(msg)
    sources = "\n".join(f"{one.title}: {one.url}" for one in came)
    visit.said, visit.seconds = f"{reply.text}\n\n{sources}", reply.record.seconds


async def _batch(client: anymodal.Client, visit: Visit, name: str) -> None:
    prompts = [("night", visit.prompt), ("morning", MORNING)]
    job = await client.text.batch(prompts, model=name, timeout=SECONDS)
    told = [await job.poll()]
    while not told[-1].is_ended:  # without the usual waits; the tour bounds it
        told.append(await job.poll())
    batch = await job.result()
    for error in batch.errors.values():
        raise error
    night, morning = (answer.text for answer in batch.answers)
    if MORNING in night or visit.prompt in morning:
        msg = "an answer stands in the other's place"
        raise LookupError(msg)
    stages = " > ".join(_stage(status) for status in told)
    visit.said = f"night: {night}\nmorning: {morning}\n{stages}"


def _stage(status: anymodal.JobStatus) -> str:
    share = "" if status.progress is None else f" {status.progress:.0%}"
    return f"{status.state}{share}"


TEXT: Final[Mapping[str, Operation]] = {
    "generate": Operation("", _generate),
    "stream": Operation("streaming", _stream),
    "tools": Operation(
        "function_calling",
        _tools,
        "Use tide to tell the tide at Alexandria.",
        ("The tide at",),
        usual=True,
    ),
    "structured": Operation(
        "structured_output",
        _structured,
        "A ship passes: write it down.",
        ("Sighting(",),
        echoes=False,
        usual=True,
    ),
    "reasoning": Operation("reasoning", _reasoning, "How far does the lamp reach?"),
    "web_search": Operation(
        "web_search", _web_search, "Which lighthouse is the oldest?", ("https://",)
    ),
    "citations": Operation("citations", _citations, "Who says so? emulator:cite", ("https://",)),
    "image": Operation(
        "image_input", _image, "What is on this picture?", ("image/png", f"{SIZE[0]}x{SIZE[1]}")
    ),
    "file": Operation(
        "file_input", _file, "What does this document say?", ("application/pdf", "letter.pdf")
    ),
    "batch": Operation("batch", _batch, wanted=(MORNING, "succeeded")),
}
"""By name, in the order of the table."""
