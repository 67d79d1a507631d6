"""Structured answers: into classes, out of schemas, half and whole."""

from __future__ import annotations

import dataclasses

import attrs
import pytest
from anymodal import TextDelta
from anymodal import errors as e
from anymodal.facades.text_stream import PartialOutput
from anymodal.modalities.text import Finish, ToolSpec

from .talking import MODEL, Scripted, asks, client_of, says

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(params=["generate", "stream"])
def ask(request):
    """Ask for *output*, at once or streamed."""

    async def at_once(ai, output, **arguments):
        return await ai.text.generate("Go.", model=MODEL, output=output, **arguments)

    async def streamed(ai, output, **arguments):
        async with ai.text.stream("Go.", model=MODEL, output=output, **arguments) as stream:
            return await stream.result()

    return at_once if request.param == "generate" else streamed


@dataclasses.dataclass
class Receipt:
    shop: str
    total: float
    items: list[str] = dataclasses.field(default_factory=list)


@attrs.define
class Picky:
    n: int = attrs.field()

    @n.validator
    def _even(self, _, value):
        if value == 5:
            raise KeyError(value)


SCHEMA = {"type": "object", "properties": {"shop": {"type": "string"}}, "required": ["shop"]}


@pytest.mark.parametrize(
    ("output", "value"),
    [
        (Receipt, Receipt("Öl & Co", 2.5, ["a"])),
        (SCHEMA, {"shop": "Öl & Co", "total": 2.5, "items": ["a"]}),
    ],
    ids=["class", "schema"],
)
async def test_an_answer_has_the_shape_that_was_asked_for(ask, output, value):
    """The provider is told the schema, and what came is read."""
    provider = Scripted(says('{"shop":"Öl & Co",', '"total":2.5,"items":["a"]}'))
    async with client_of(provider) as ai:
        reply = await ask(ai, output)

    assert value == reply.output
    assert "shop" in provider.requests[0].schema["properties"]
    assert reply.record.usage is None


async def test_nothing_asked_nothing_read(ask):
    """JSON is words as well."""
    async with client_of(Scripted(says("{}"))) as ai:
        reply = await ask(ai, None)

    assert ("{}", None) == (reply.text, reply.output)


@pytest.mark.parametrize(
    ("text", "finish", "output", "word"),
    [
        ('{"shop":"a"}', {}, Receipt, "missing required field `total`"),
        ("I cannot.", {}, Receipt, "malformed"),
        ("", {}, Receipt, "truncated"),
        ('{"shop":1}', {}, SCHEMA, "data.shop must be string"),
        ('{"shop":"a","total":1}', {"reason": "length"}, Receipt, "cut off at max_tokens"),
        ('{"shop":"a","tot', {"reason": "length"}, Receipt, "cut off at max_tokens"),
        ('{"n":5}', {}, Picky, "5"),
        ("[" * 100_000, {}, SCHEMA, ""),
    ],
    ids=["misfit", "words", "nothing", "schema", "cut and whole", "cut", "own check", "deep"],
)
async def test_what_does_not_fit_is_an_error_with_the_text(ask, text, finish, output, word):
    """By its own class, with the record and the vendor's id."""
    async with client_of(Scripted(says(text, request_id="r-1", **finish))) as ai:
        with pytest.raises(e.InvalidOutputError, match="acme/m-1: ") as caught:
            await ask(ai, output)

    error = caught.value
    assert word in str(error)
    assert len(str(error)) < 500
    assert (text, "acme", "r-1") == (error.partial, error.provider, error.request_id)
    assert error.record.attempts
    assert error.__cause__ is not None


async def test_a_call_of_a_tool_is_no_answer_yet(ask):
    """Whatever word the vendor has for the end."""
    for reason in ("tool_calls", "stop"):
        async with client_of(Scripted(says("Wait.", asks("x"), reason=reason))) as ai:
            reply = await ask(ai, Receipt, tools=[ToolSpec(name="x")])

        assert reply.output is None
        assert ["x"] == [call.name for call in reply.tool_calls]


async def test_no_shape_is_refused_before_anything_is_sent(ask):
    """The error carries the record, like every error of a call."""
    provider = Scripted(says("{}"))
    async with client_of(provider) as ai:
        with pytest.raises(e.InvalidRequestError, match="int is no dataclass") as caught:
            await ask(ai, int)

    assert "output" == caught.value.field
    assert "acme" == caught.value.record.provider
    assert [] == provider.requests


async def test_streams_yield_half_answers():
    """After the words that brought them, each value once, the whole last."""
    pieces = ['{"shop"', ': "A', 'B", "tot', 'al": 2', ', "items"', ': ["x"', "]", "}"]
    provider = Scripted([*map(TextDelta, pieces), Finish()])
    async with client_of(provider) as ai:
        async with ai.text.stream("Go.", model=MODEL, output=Receipt) as stream:
            events = [event async for event in stream]
            reply = await stream.result()

    assert [
        {},
        {"shop": "A"},
        {"shop": "AB"},
        {"shop": "AB", "total": 2},
        {"shop": "AB", "total": 2, "items": ["x"]},
    ] == [event.value for event in events if isinstance(event, PartialOutput)]
    assert pieces == [event.text for event in events if isinstance(event, TextDelta)]
    assert isinstance(events[-1], Finish)
    assert Receipt("AB", 2.0, ["x"]) == reply.output


async def test_half_answers_cost_what_they_bring():
    """A long list is not read again for each of its items."""
    count = 2000
    pieces = ['{"items":[', *(f'"{n}",' for n in range(count)), '"end"]', ',"shop":"a","total":1}']
    provider = Scripted([*map(TextDelta, pieces), Finish()])
    async with client_of(provider) as ai:
        async with ai.text.stream("Go.", model=MODEL, output=Receipt) as stream:
            partial = [event.value async for event in stream if isinstance(event, PartialOutput)]
            reply = await stream.result()

    assert count + 3 == len(partial)
    assert partial[1]["items"][0] is partial[-1]["items"][0]
    assert count + 1 == len(reply.output.items)


async def test_a_broken_stream_has_the_half_text():
    """And the half answers that had come."""
    broken = [TextDelta('{"shop":"A'), e.ConnectionFailedError("acme: gone")]
    seen = []
    async with client_of(Scripted(broken)) as ai:
        with pytest.raises(e.IncompleteError) as caught:
            async with ai.text.stream("Go.", model=MODEL, output=Receipt) as stream:
                async for event in stream:
                    seen.append(event)  # noqa: PERF401  # a comprehension would keep nothing of a broken stream

    assert PartialOutput({"shop": "A"}) in seen
    assert '{"shop":"A' == caught.value.partial
