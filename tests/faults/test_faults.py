"""What goes wrong on the way to a vendor and back, byte by byte, and what the caller sees of it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import traceback
import tracemalloc
from contextlib import asynccontextmanager, contextmanager

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs
import pytest
from anymodal import Breaker, Client, Policy, Retry, ToolCall
from anymodal import errors as e
from anymodal.connection import Tls

from .answers import good
from .dialects import DIALECTS
from .faults import ROADS, Operation, Road
from .places import KEY, NAMED, UNTRUSTED, Resolver
from .refusals import PASSING, STATUSES
from .rows import GROUPS
from .table import PAGE, page
from .wire import LAST, Wire, chunk, head, streamed, whole

pytestmark = pytest.mark.anyio
TLS = Tls()
GUARD = 20.0
"""Seconds after which a call counts as one that hangs. None that passes comes near it."""

CASES = [
    pytest.param(fault, road, operation, id=f"{fault.name}-{operation}-{road}".replace(" ", "_"))
    for faults in GROUPS.values()
    for fault in faults
    for operation in fault.operations
    for road in ROADS
    if road.loop == "asyncio" or not fault.once
]


@pytest.fixture
def anyio_backend(road):
    """The event loop of the road."""
    return road.loop


class Decided:
    """A clock on which waits are written down and are over at once."""

    def __init__(self):
        self.waits = []
        self._ahead = 0.0

    def now(self):
        return time.monotonic() + self._ahead

    async def sleep(self, seconds):
        self.waits.append(seconds)
        self._ahead += seconds
        await anyio.lowlevel.checkpoint()


@attrs.frozen
class Outcome:
    """How a call ended: its result or its error, and its record."""

    result: object
    error: e.AnymodalError | None
    record: object


async def ask(ai: Client, model: str, operation: Operation, deadlines=None) -> Outcome:
    """Call, and return how that ended."""
    try:
        with anyio.fail_after(GUARD):
            if operation == "generate":
                result = await ai.text.generate("Hi", model=model, timeout=deadlines)
            else:
                async with ai.text.stream("Hi", model=model, timeout=deadlines) as stream:
                    result = await stream.result()
    except e.AnymodalError as error:
        return Outcome(None, error, error.record)
    return Outcome(result, None, result.record)


def told(error: BaseException | None) -> str:
    """Return all that a traceback would show."""
    return "".join(traceback.format_exception(error)) if error is not None else ""


def script(fault, road: Road, operation: Operation, places, wire: Wire):
    """Return what *wire* sends, with the places that it names filled in."""
    dialect = DIALECTS[road.provider]

    def answer(number):
        if fault.well_from is not None and number >= fault.well_from:
            return good(dialect, operation)
        steps = fault.steps(dialect, operation)
        if fault.door != "redirecting":
            return steps
        port = places.origins["elsewhere"].rpartition(":")[2].encode()
        path = wire.received[-1].target.encode()
        return [step.replace(b"{port}", port).replace(b"{path}", path) for step in steps]

    return answer


def tasks() -> int:
    """Return how many tasks the running loop has, this one included."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        import trio

        return trio.lowlevel.current_statistics().tasks_living


def threads() -> set[str]:
    """Return threads that are neither the server's nor kept by the loop's library."""
    kept = ("wire", "Trio thread", "AnyIO worker", "asyncio_")
    return {one.name for one in threading.enumerate() if not one.name.startswith(kept)}


async def settled(before: tuple[int, set[str]]) -> tuple[int, set[str]]:
    """Return tasks and threads, when they are as *before* or had the time to be."""
    for _ in range(200):
        if before == (tasks(), threads()):
            break
        await anyio.sleep(0.01)  # a thread that a call left behind ends by itself
    return tasks(), threads()


async def holds(fact) -> bool:
    """Wait for *fact* of a server without holding up the event loop."""
    return await anyio.to_thread.run_sync(fact)


@asynccontextmanager
async def client(places, road: Road, door: str, clock: Decided, policy: Policy | None = None):
    """Open a client that calls through *door*, connected, with chance at its longest."""
    registry = places.registry(road, door)
    async with Client(registry=registry, clock=clock, policy=policy) as ai:
        ai._way.chance, ai._way.doors.tls = (lambda: 1.0), TLS
        await ai.warm(road.provider)
        yield ai


@contextmanager
def measured(most: int | None):
    """Fail where the block takes more memory than *most* bytes."""
    if most is None:
        yield
        return
    tracemalloc.start(1)
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most


def check(outcome: Outcome, seen, clock: Decided) -> None:
    """Fail where a call did not end as it has to, or took other steps."""
    error, record = outcome.error, outcome.record

    assert seen.error is (None if error is None else type(error)), told(error)
    assert seen.attempts == len(record.attempts)
    assert seen.waits == tuple(round(wait, 6) for wait in clock.waits)
    if error is None:
        calls = [one for one in outcome.result.message.parts if isinstance(one, ToolCall)]
        assert seen.text == outcome.result.text
        assert seen.calls == tuple((one.id, one.name, one.arguments) for one in calls)
        return
    assert seen.says in str(error)
    assert seen.partial in {None, error.partial}
    assert seen.after == getattr(error, "retry_after", None)
    assert record.provider in str(error)
    assert KEY not in told(error) + repr(record)


@pytest.mark.parametrize(("fault", "road", "operation"), CASES)
async def test_fault(fault, road, operation, places, monkeypatch):
    """One error of our tree, in time, after as many attempts as the policy has; nothing stays behind."""
    seen, wire = fault.expected(road, operation), places.wires.get(fault.door)
    resolver, clock = Resolver(fault.door), Decided()
    if fault.door in NAMED:
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
    before, model = (tasks(), threads()), places.model(road)
    async with client(places, road, fault.door, clock) as ai:
        if wire is not None:
            wire.play(script(fault, road, operation, places, wire))
        with measured(fault.peak):
            outcome = await ask(ai, model, operation, fault.timeout)
        resolver.over.set()
        check(outcome, seen, clock)
        places.words[fault.name, operation, str(road)] = str(outcome.error or "")
        if wire is not None:
            is_refused = fault.door in UNTRUSTED
            assert len(wire.received) == (0 if is_refused else seen.attempts)
            assert await holds(wire.has_no_busy), "a broken answer keeps its connection"
        if wire is places.wires["plain"]:
            wire.play(lambda _: good(DIALECTS[road.provider], "generate"))
            after = await ask(ai, model, "generate")
            assert after.error is None, f"the next call suffers: {told(after.error)}"
            assert "Hello" == after.result.text
    if wire is not None:
        assert await holds(wire.has_none_open), "a connection is left open"
    assert [] == places.wires["elsewhere"].received
    assert before == await settled(before)


@pytest.mark.parametrize("road", ROADS[:1], ids=str)
async def test_page_has_every_fault(road):
    """What the page says was seen here; only the words are not compared, which are the libraries' too."""

    def facts(text):
        return [line.rsplit(" | ", 1)[0] for line in text.splitlines() if line.startswith("| ")]

    assert facts(page({})) == facts(PAGE.read_text("utf-8"))


@pytest.mark.parametrize("road", [road for road in ROADS if road.loop == "asyncio"], ids=str)
async def test_fields_of_the_wrong_type(road, places):
    """Whatever stands where, the error is ours, and nothing is sent again."""
    dialect, wire = DIALECTS[road.provider], places.wires["plain"]
    answers = [("generate", whole(json.dumps(body).encode())) for body in dialect.broken_bodies()]
    answers += [
        ("stream", streamed() + chunk(dialect.opening + frame) + LAST)
        for frame in dialect.broken_frames()
    ]
    async with client(places, road, "plain", Decided()) as ai:
        for operation, answer in answers:
            async with ai.scoped("fresh") as fresh:  # whose circuit is closed
                wire.play(lambda _, answer=answer: [answer])
                outcome = await ask(fresh, places.model(road), operation)

            assert e.MalformedReplyError is type(outcome.error), answer
            assert 1 == len(wire.received)
    assert await holds(wire.has_none_open)


@pytest.mark.parametrize("road", [road for road in ROADS if road.loop == "asyncio"], ids=str)
async def test_every_status(road, places):
    """From 300 to 599 each has its meaning, and one that waiting does not change is asked once."""
    wire = places.wires["plain"]
    policy = Policy(retry=Retry(budget=1e9), breaker=Breaker(failures=None, rate=None))
    async with Client(
        registry=places.registry(road, "plain"), clock=Decided(), policy=policy
    ) as ai:
        ai._way.doors.tls = TLS
        for status in range(300, 600):
            usual = e.ServerError if status >= 500 else e.BadRequestError
            expected = STATUSES.get(status, usual if status >= 400 else e.MalformedReplyError)
            wire.play(
                lambda _, status=status: [whole(b"{}", status)] if status != 304 else [head(304)]
            )
            outcome = await ask(ai, places.model(road), "generate")

            assert expected is type(outcome.error), status
            assert (3 if status in PASSING or status >= 500 else 1) == len(wire.received)
    assert await holds(wire.has_none_open)
