"""Deadlines that share a timer."""

import asyncio
import threading
import time

import anyio
import pytest
from anymodal.alarms import Alarms


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.mark.anyio
async def test_each_scope_ends_at_its_own_time():
    """Whatever order they are set in: the shorter one of a later call is not kept waiting."""
    alarms, ended = Alarms(), []

    async def wait(name, seconds):
        scope = alarms.set(None, seconds)
        with scope:
            await anyio.sleep(5)
        alarms.left(scope)
        if scope.cancelled_caught:
            ended.append(name)

    with anyio.fail_after(3):
        async with anyio.create_task_group() as tasks:
            for name, seconds in (("last", 0.3), ("first", 0.01), ("second", 0.1)):
                tasks.start_soon(wait, name, seconds)

    assert ended == ["first", "second", "last"]


@pytest.mark.anyio
async def test_a_scope_of_the_callers_own_is_ended_too():
    """Who wants to break something off himself brings the scope."""
    alarms, own = Alarms(), anyio.CancelScope()

    assert alarms.set(own, 0.01) is own
    with anyio.fail_after(3), own:
        await anyio.sleep(5)

    assert own.cancelled_caught


async def count_timers():
    """Count the timers that a hundred calls in turn and one without an end set."""
    loop, alarms, timers = asyncio.get_running_loop(), Alarms(), []
    set_timer = loop.call_at
    loop.call_at = lambda *given, **more: timers.append(given) or set_timer(*given, **more)
    for _ in range(100):
        scope = alarms.set(None, 600)
        with scope:
            pass
        alarms.left(scope)
    alarms.set(None, float("inf"))
    return len(timers)


def test_a_hundred_calls_set_one_timer():
    """It is what the sharing is for; on trio, deadlines are cheap by themselves."""
    assert asyncio.run(count_timers()) == 1


async def left_in_time():
    """Leave one scope before it is due, and one after."""
    alarms = Alarms()
    early, late = alarms.set(None, 0.01), alarms.set(None, 0.02)
    with early:
        alarms.left(early)
        with late:
            await asyncio.sleep(1)
    alarms.left(late)
    return early.cancel_called, late.cancelled_caught


def test_what_was_left_is_not_cancelled():
    """The timer finds it gone, and rings for the next."""
    assert asyncio.run(left_in_time()) == (False, True)


def test_a_second_loop_is_not_served_by_the_timer_of_the_first():
    """A timer belongs to one thread; what another thread asks for ends all the same."""
    alarms, ended = Alarms(), []

    async def wait(seconds, meanwhile):
        scope = alarms.set(None, seconds)
        with scope:
            await meanwhile()
            await asyncio.sleep(5)
        alarms.left(scope)
        ended.append(scope.cancelled_caught)

    async def other():
        thread = threading.Thread(target=lambda: asyncio.run(wait(0.01, other_does_nothing)))
        thread.start()
        await asyncio.to_thread(thread.join)

    async def other_does_nothing():
        pass

    asyncio.run(wait(0.5, other))
    asyncio.run(wait(0.01, other_does_nothing))

    assert ended == [True, True, True]


def test_a_loop_that_has_no_scopes_any_more_ends_none_of_another():
    """Its timer is still set; scopes may be ended in their own thread alone."""
    alarms, ended = Alarms(), []

    async def one_after_the_other():
        scope = alarms.set(None, 0.02)
        with scope:
            alarms.left(scope)
        await asyncio.to_thread(lambda: asyncio.run(busy()))

    async def busy():
        scope = alarms.set(None, 0.05)
        with scope:
            time.sleep(0.2)  # noqa: ASYNC251  # so that its own timer cannot ring
            ended.append(scope.cancel_called)
        alarms.left(scope)

    asyncio.run(one_after_the_other())

    assert ended == [False]


@pytest.mark.anyio
async def test_a_clock_of_its_own_kind_keeps_the_time():
    """A test's clock stands still; a timer of the loop would not."""
    asked = []
    alarms = Alarms(lambda scope, seconds: asked.append((scope, seconds)))

    scope = alarms.set(None, 0.0)
    with scope:
        await anyio.sleep(0.02)

    assert asked == [(scope, 0.0)]
    assert not scope.cancel_called
