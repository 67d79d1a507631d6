"""Tools: functions that a model may have called."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
import threading
import types

import anyio
import pytest
from anymodal import Tool
from anymodal import errors as e
from anymodal.modalities.messages import ToolCall
from anymodal.modalities.text import ToolSpec
from anymodal.modalities.tools import specs_of, tool_of

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@dataclasses.dataclass
class Rate:
    day: dt.date
    value: float


def rate(currency: str, days: int = 1) -> str:
    """
    Return the rate of a
    currency.

    Args:
        currency: Its code.
    """
    return f"{currency} {days}"


async def later(currency: str) -> str:
    """Return it later."""
    await anyio.lowlevel.checkpoint()
    return f"later {currency}"


def soon(currency: str) -> object:
    """Return what is to be awaited."""
    return later(currency)


class Bank:
    """A bank that can be called."""

    async def __call__(self, currency: str) -> str:
        return f"bank {currency}"

    def method(self, currency: str) -> str:
        """Ask the bank."""
        return f"method {currency}"


def call(arguments='{"currency":"EUR"}', name="rate"):
    return ToolCall("c-1", name, arguments)


# -- what the model is told ---------------------------------------------------------------------


def test_the_model_is_told_what_the_function_says():
    """Name, first paragraph, arguments."""
    spec = Tool(rate).spec

    assert ("rate", "Return the rate of a currency.") == (spec.name, spec.description)
    assert ["currency", "days"] == [*spec.parameters["properties"]]
    assert spec.strict is False


def test_what_is_said_beside_the_function_wins():
    """Also for functions that say nothing."""
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    spec = Tool(lambda x: x, name="twice", description="Doubles.", schema=schema, strict=True).spec

    assert ToolSpec(name="twice", description="Doubles.", parameters=schema, strict=True) == spec


@pytest.mark.parametrize(
    ("function", "name", "description"),
    [
        (later, "later", "Return it later."),
        (Bank(), "Bank", "A bank that can be called."),
        (Bank().method, "method", "Ask the bank."),
        (functools.partial(rate, days=2), "rate", "Return the rate of a currency."),
    ],
    ids=["async", "callable", "method", "partial"],
)
def test_names_of_whatever_can_be_called(function, name, description):
    """None of them needs one of its own."""
    spec = tool_of(function).spec

    assert (name, description) == (spec.name, spec.description)
    assert ["currency"] == [*spec.parameters["properties"]]


def test_a_tool_is_a_tool():
    """And is not made again."""
    tool = Tool(rate)

    assert tool_of(tool) is tool
    assert [tool.spec, tool.spec] == [*specs_of([tool]), *specs_of([tool.spec])]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Tool("rate"), "run: a function"),
        (lambda: Tool(rate, approve="yes"), "approve: a function"),
        (lambda: Tool(rate, timeout=0), "timeout: a number"),
        (lambda: Tool(rate, timeout="1"), "timeout: a number"),
        (lambda: Tool(lambda: 1), "<lambda>"),
        (lambda: Tool(rate, name="no spaces"), "no spaces"),
        (lambda: Tool(rate, name="x" * 65), "xxx"),
        (lambda: Tool(rate, schema={"type": "nonsense"}), "no JSON Schema"),
        (lambda: Tool(rate, schema={"$ref": "http://x.example/s"}), "x.example"),
        (lambda: specs_of([rate, Tool(later, name="rate")]), "two are called 'rate'"),
    ],
)
def test_what_is_no_tool_is_refused(make, word):
    """When it is made, by its field."""
    with pytest.raises(e.InvalidRequestError, match=r"^tools: ") as caught:
        make()

    assert word in str(caught.value)
    assert "tools" == caught.value.field


# -- what it gives back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "content"),
    [
        (rate, "EUR 1"),
        (later, "later EUR"),
        (Bank(), "bank EUR"),
        (functools.partial(rate, days=2), "EUR 2"),
        (functools.partial(later), "later EUR"),
        (soon, "later EUR"),
    ],
    ids=["sync", "async", "callable", "partial", "async partial", "sync that returns awaitable"],
)
async def test_whatever_can_be_called_is_run(function, content):
    """And its result carries the call's id and name."""
    result = await Tool(function, name="rate")(call())

    assert ("c-1", "rate", content, False) == (
        result.id,
        result.name,
        result.content,
        result.is_error,
    )


class Pair:
    def model_dump(self, mode):
        return {"mode": mode}


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("words", "words"),
        ("", ""),
        (None, "null"),
        (3, "3"),
        ({"ä": [1, None]}, '{"ä":[1,null]}'),
        ([Rate(dt.date(2026, 11, 20), 1.5)], '[{"day":"2026-11-20","value":1.5}]'),
        ({"at": dt.time(1), "b": {1}}, '{"at":"01:00:00","b":[1]}'),
        (types.MappingProxyType({"a": 1}), '{"a":1}'),
        (Pair(), '{"mode":"json"}'),
        (Ellipsis, '"Ellipsis"'),
        ("name\udcff", "name?"),
    ],
    ids=lambda one: type(one).__name__ if type(one) is Pair else str(one),
)
async def test_values_as_the_model_reads_them(value, content):
    """Words as they are, everything else as JSON, and nothing that could not be sent."""

    def give():
        return value

    assert content == (await Tool(give)(call("{}"))).content


async def test_arguments_that_do_not_fit_are_for_the_model_to_read():
    """The function does not run."""
    ran = []

    def strict_one(n: int) -> None:
        ran.append(n)

    for arguments, word in [
        ('{"n":"x"}', "Expected `int`"),
        ("{}", "missing required field `n`"),
        ('{"n":1,"m":2}', "unknown field `m`"),
        ('{"n":1', "truncated"),
    ]:
        result = await Tool(strict_one)(call(arguments))
        assert result.is_error
        assert word in result.content
    assert [] == ran


async def test_a_schema_of_its_own_is_held_to():
    """The function takes plain values."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    tool = Tool(lambda **given: given, name="keep", schema=schema)

    assert '{"n":1,"m":2}' == (await tool(call('{"n":1,"m":2}'))).content
    for arguments in ('{"n":"x"}', "{}", "[]", "{"):
        assert (await tool(call(arguments))).is_error
    assert (await Tool(lambda: 1, name="one", schema={})(call("[]"))).is_error


async def test_an_exception_is_for_the_model_to_read():
    """By its type and words, within bounds."""

    def fails():
        msg = "no such\n  currency" + "!" * 5000
        raise LookupError(msg)

    def fails_silently():
        raise KeyError

    result = await Tool(fails)(call("{}"))

    assert result.is_error
    assert result.content.startswith("Error: LookupError: no such currency!!!")
    assert len(result.content) < 2100
    assert "Error: KeyError" == (await Tool(fails_silently)(call("{}"))).content


async def test_cancellation_is_no_result():
    """It is the caller's, not the tool's."""
    async with anyio.create_task_group() as group:

        async def forever():
            group.cancel_scope.cancel()
            await anyio.sleep_forever()

        await Tool(forever)(call("{}"))
        pytest.fail("the tool swallowed a cancellation")


# -- approval and time ------------------------------------------------------------------------------


async def allow_later(found):
    await anyio.lowlevel.checkpoint()
    return "EUR" in found.arguments


@pytest.mark.parametrize(
    "approve",
    [lambda found: "EUR" in found.arguments, allow_later],
    ids=["sync", "async"],
)
async def test_calls_are_approved_one_by_one(approve):
    """A refusal is told to the model, and nothing runs."""
    ran = []

    def pay(currency: str) -> str:
        ran.append(currency)
        return "paid"

    tool = Tool(pay, approve=approve)
    allowed = await tool(call())
    refused = await tool(call('{"currency":"XXX"}'))

    assert ("paid", False) == (allowed.content, allowed.is_error)
    assert refused.is_error
    assert "did not allow" in refused.content
    assert ["EUR"] == ran


async def test_arguments_are_looked_at_before_anybody_is_asked():
    """People are asked about what would run."""
    asked = []
    result = await Tool(rate, approve=asked.append)(call("{}"))

    assert result.is_error
    assert [] == asked


async def test_an_approval_that_fails_is_none():
    """Whatever its reason."""
    ran = []

    def broken(found):
        raise ConnectionError

    result = await Tool(lambda: ran.append(1), name="x", schema={}, approve=broken)(call("{}"))

    assert ("Error: ConnectionError", True) == (result.content, result.is_error)
    assert [] == ran


async def test_a_sync_approval_may_wait_for_somebody():
    """It runs in a thread, so the event loop goes on."""
    answered = threading.Event()

    def ask(found):
        return answered.wait(20)

    async with anyio.create_task_group() as group:
        results = []

        async def run():
            results.append(await Tool(rate, approve=ask)(call()))

        group.start_soon(run)
        await anyio.lowlevel.checkpoint()
        answered.set()

    assert ["EUR 1"] == [result.content for result in results]


async def test_time_runs_out_for_async_and_sync_alike():
    """A thread is left to itself; the model hears how long it may take."""
    go_on = threading.Event()
    ended = threading.Event()

    async def forever():
        await anyio.sleep_forever()

    def forever_in_a_thread():
        go_on.wait(20)
        ended.set()

    for function in (forever, forever_in_a_thread):
        result = await Tool(function, timeout=0.05)(call("{}"))
        assert result.is_error
        assert "Error: TimeoutError: it took longer than 0.05 s" == result.content
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(20)


async def test_a_time_out_of_the_tool_itself_keeps_its_words():
    """It is not ours."""

    async def fails():
        msg = "the database is asleep"
        raise TimeoutError(msg)

    result = await Tool(fails, timeout=20)(call("{}"))

    assert "Error: TimeoutError: the database is asleep" == result.content


async def test_time_does_not_run_while_somebody_is_asked():
    """People are slow."""

    async def approve(found):
        await anyio.sleep(0.2)
        return True

    assert "EUR 1" == (await Tool(rate, approve=approve, timeout=0.1)(call())).content


async def test_sync_tools_run_in_threads_at_once():
    """Each waits for all the others, and none in the event loop's thread."""
    together = threading.Barrier(8, timeout=20)
    threads = set()

    def meet(n: int) -> int:
        together.wait()
        threads.add(threading.get_ident())
        return n

    results = {}

    async def run(n):
        results[n] = await Tool(meet)(call(json.dumps({"n": n})))

    async with anyio.create_task_group() as group:
        for n in range(8):
            group.start_soon(run, n)

    assert {n: str(n) for n in range(8)} == {n: one.content for n, one in results.items()}
    assert 8 == len(threads - {threading.get_ident()})


async def test_a_tool_that_wants_to_end_the_program():
    """The model hears of it; threads and the program go on."""

    def leaves(when: str) -> str:
        """Leave."""
        raise SystemExit(3)

    async def leaves_too(when: str) -> str:
        """Leave."""
        raise SystemExit(3)

    for function in (leaves, leaves_too, leaves):
        found = await tool_of(function)(ToolCall("c-1", function.__name__, '{"when": "now"}'))

        assert found.is_error
        assert "it tried to end the program" in found.content
