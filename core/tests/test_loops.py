"""The kept loop: where it runs, what stops it, and what it leaves."""

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import threading
from functools import partial

import anyio
import anyio.to_thread
import pytest
import trio
from anymodal import errors as e
from anymodal.interrupts import longest_wait
from anymodal.loops import KeptLoop, _Driver

MAIN = threading.main_thread().ident
WHO = contextvars.ContextVar("who", default="nobody")
PATIENCE = 20.0


async def nothing():
    pass


async def where():
    """Return the loop and the thread that this runs in."""
    return asyncio.get_running_loop(), threading.get_ident()


def elsewhere(function):
    """Return what *function* returns, or raise what it raises, in another thread."""
    found = []

    def run():
        try:
            found.append(function())
        except BaseException as error:  # noqa: BLE001  # it is raised again below
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(PATIENCE)
    assert found, "the call did not end"
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def our_threads():
    return [one for one in threading.enumerate() if one.name == "anymodal sync"]


@pytest.fixture
def kept():
    made = KeptLoop()
    yield made
    made.close(nothing)
    assert [] == our_threads()


@pytest.fixture(params=["at home", "moved"])
def either(request, kept):
    """A loop in this thread, and one that has a thread of its own."""
    kept.run(nothing())
    if request.param == "moved":
        elsewhere(lambda: kept.run(nothing()))
    return kept


# -- where it runs -------------------------------------------------------------------------


def test_the_callers_thread_runs_it(kept):
    """Nothing is faster than staying where one is."""
    first, second = kept.run(where()), kept.run(where())

    assert first == second
    assert threading.get_ident() == first[1]
    assert [] == our_threads()


def test_a_call_from_another_thread_moves_it_for_good(kept):
    """Its connections belong to one loop, which two threads cannot run."""
    loop, home = kept.run(where())
    moved, there = elsewhere(lambda: kept.run(where()))

    assert loop is moved
    assert there not in {home, threading.get_ident()}
    assert (loop, there) == kept.run(where())
    assert 1 == len(our_threads())


def test_a_first_call_in_a_thread_stays_there(kept):
    """A worker that has a client to itself needs no second thread."""

    def work():
        return kept.run(where())[1] == threading.get_ident()

    assert elsewhere(work)
    assert [] == our_threads()


def test_under_a_running_asyncio_loop(kept):
    """As in a notebook: the caller's loop waits, this one runs elsewhere."""

    async def cell():
        return kept.run(where()), asyncio.get_running_loop()

    (loop, thread), outer = asyncio.run(cell())

    assert loop is not outer
    assert thread != threading.get_ident()


def test_under_trio(kept):
    """Coroutines of asyncio do not run on trio."""

    async def main():
        return kept.run(where())

    loop, thread = trio.run(main)

    assert isinstance(loop, asyncio.AbstractEventLoop)
    assert thread != threading.get_ident()


def test_after_a_loop_has_ended_the_thread_is_free_again(kept):
    """That somebody once used trio or asyncio is no reason to move."""
    asyncio.run(nothing())
    trio.run(nothing)

    assert threading.get_ident() == kept.run(where())[1]


def test_sixty_four_threads_at_once(kept):
    """The first calls of all, so that they make the loop and move it under each other's hands."""
    start, found = threading.Barrier(64), {}

    async def double(number):
        await asyncio.sleep(0)
        return number * 2, asyncio.get_running_loop()

    def call(number):
        start.wait(PATIENCE)
        found[number] = [kept.run(double(number)) for _ in range(5)]

    threads = [threading.Thread(target=call, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert {number: [number * 2] * 5 for number in range(64)} == {
        number: [value for value, _ in answers] for number, answers in found.items()
    }
    assert 1 == len({loop for answers in found.values() for _, loop in answers})


def test_a_call_from_elsewhere_while_one_runs_at_home(kept):
    """Both go on at once, on the loop that the first thread drives."""
    both_are_in = asyncio.Event()
    threads = []

    async def outer():
        threads.append(threading.Thread(target=lambda: kept.run(inner())))
        threads[0].start()
        await asyncio.wait_for(both_are_in.wait(), PATIENCE)
        return threading.get_ident()

    async def inner():
        both_are_in.set()

    assert threading.get_ident() == kept.run(outer())
    threads[0].join(PATIENCE)


def test_moved_between_question_and_answer(kept):
    """Another thread may take the loop after this one saw it free."""
    kept.run(nothing())
    kept._driving.acquire()
    threading.Timer(0.05, kept._driving.release).start()

    assert threading.get_ident() != kept.run(where())[1]


# -- what a call sees and gives ---------------------------------------------------------------


def test_context_variables_reach_the_call(either):
    """A span that the caller opened is the parent of what happens here."""

    async def who():
        return WHO.get()

    token = WHO.set("caller")
    try:
        assert "caller" == either.run(who())
    finally:
        WHO.reset(token)


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_what_a_call_raises_is_raised(either, error):
    """Not even those that asyncio lets through the loop end it for others."""

    async def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        either.run(fail())

    assert error is caught.value
    assert either.run(where())


@pytest.mark.parametrize("at_home", [True, False])
def test_one_call_ends_the_loop_of_no_other(kept, at_home):
    """asyncio stops a loop in which a task raised SystemExit."""
    if not at_home:
        kept.run(nothing())
    entered, found = threading.Event(), []

    async def long():
        entered.set()
        await asyncio.sleep(0.1)
        return "whole"

    async def fail():
        raise SystemExit(3)

    thread = threading.Thread(target=lambda: found.append(kept.run(long())))
    thread.start()
    entered.wait(PATIENCE)
    with pytest.raises(SystemExit):
        kept.run(fail())
    thread.join(PATIENCE)

    assert ["whole"] == found


def test_somebody_stops_the_loop(either):
    """A plugin may, and then the call is not over."""

    async def stop():
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "whole"

    assert "whole" == either.run(stop())


def test_a_call_that_cancels_itself(either):
    """That is the call's own affair."""

    async def give_up():
        asyncio.current_task().cancel()
        await asyncio.sleep(PATIENCE)

    with pytest.raises(asyncio.CancelledError):
        either.run(give_up())


def test_calling_from_inside(either):
    """A coroutine that waits for its own loop would wait for ever."""

    async def inside():
        either.run(nothing())

    with pytest.raises(e.ConfigurationError, match="from a coroutine that it runs itself"):
        either.run(inside())

    async def closing():
        either.close(nothing)

    with pytest.raises(e.ConfigurationError, match="from a coroutine that it runs itself"):
        either.run(closing())
    assert either.run(where())


def test_calling_from_inside_starts_no_thread(kept):
    """It is refused before anything is done about it."""

    async def inside():
        kept.run(nothing())

    with pytest.raises(e.ConfigurationError):
        kept.run(inside())
    assert [] == our_threads()


# -- iterating -------------------------------------------------------------------------------------


class Counting:
    """Counts to *end*; every second number has come with the one before it."""

    def __init__(self, end):
        self.now, self.end, self.awaited = 0, end, 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        self.awaited += 1
        if self.now == self.end:
            raise StopAsyncIteration
        self.now += 1
        return self.now

    def take(self):
        if self.now % 2 == 0 or self.now == self.end:
            return None
        self.now += 1
        return self.now


def test_iterating(kept):
    """What has come already costs no turn of the loop."""
    numbers = Counting(5)

    assert [1, 2, 3, 4, 5] == list(kept.each(numbers))
    assert 4 == numbers.awaited


def test_iterating_over_a_plain_iterator(kept):
    """It has nothing to take."""

    async def letters():
        for letter in "abc":
            yield letter

    assert ["a", "b", "c"] == list(kept.each(letters()))


def test_next(kept):
    """At the end it stops as iterators do."""
    numbers = Counting(1)

    assert 1 == kept.next(numbers)
    with pytest.raises(StopIteration):
        kept.next(numbers)


# -- Ctrl-C -------------------------------------------------------------------------------------


def interrupt_once(entered, times=1, pause=None):
    """Have the main thread get *times* SIGINTs once *entered* is set."""

    def send():
        for _ in range(times):
            entered.wait(PATIENCE)
            if pause is not None:
                pause.wait(PATIENCE)
            signal.pthread_kill(MAIN, signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_ctrl_c_cancels_the_call_and_leaves_the_loop(either):
    """The call gets to clean up; then KeyboardInterrupt is raised, and the next call works."""
    entered, cleaned = threading.Event(), []

    async def long():
        entered.set()
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            cleaned.append(True)
            raise

    sender = interrupt_once(entered)
    with pytest.raises(KeyboardInterrupt):
        either.run(long())
    sender.join(PATIENCE)

    assert [True] == cleaned
    assert signal.default_int_handler is signal.getsignal(signal.SIGINT)
    assert either.run(where())


@pytest.mark.parametrize("ends", ["value", "error"])
def test_ctrl_c_counts_though_the_call_ends_its_own_way(kept, ends):
    """A call may swallow its cancellation; the user's wish stands."""
    entered = threading.Event()

    async def stubborn():
        entered.set()
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            if ends == "error":
                raise ValueError from None

    sender = interrupt_once(entered)
    with pytest.raises(KeyboardInterrupt):
        kept.run(stubborn())
    sender.join(PATIENCE)


def test_a_second_ctrl_c_does_not_wait(either):
    """Cleaning up may hang as well."""
    entered, cleaning, let_go = threading.Event(), threading.Event(), threading.Event()

    async def hangs():
        entered.set()
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            cleaning.set()
            while not let_go.is_set():
                await asyncio.sleep(0.01)

    def send():
        entered.wait(PATIENCE)
        signal.pthread_kill(MAIN, signal.SIGINT)
        cleaning.wait(PATIENCE)
        signal.pthread_kill(MAIN, signal.SIGINT)

    sender = threading.Thread(target=send)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        either.run(hangs())
    sender.join(PATIENCE)
    let_go.set()

    assert either.run(where())


def test_ctrl_c_before_the_call_has_begun(either):
    """The signal may come while it is being handed to the loop."""
    loop, seen = either._loop, []
    name = "call_soon_threadsafe" if our_threads() else "create_task"
    usual = getattr(loop, name)

    def interrupted(work):
        setattr(loop, name, usual)
        signal.raise_signal(signal.SIGINT)
        return usual(work)

    async def begins():
        seen.append("begun")
        await asyncio.sleep(PATIENCE)
        seen.append("ended")

    setattr(loop, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        either.run(begins())

    assert seen in (["begun"], [])
    assert either.run(where())


@pytest.mark.parametrize(
    ("moved", "place", "at_once", "happens"),
    [
        (False, "create_task", True, [[]]),
        (False, "create_task", False, [[]]),
        (False, "run_forever", True, [["begun", "cancelled"]]),
        (False, "run_forever", False, [["begun", "ended"]]),
        (True, "call_soon_threadsafe", True, [[]]),
        (True, "call_soon_threadsafe", False, [[], ["begun", "cancelled"]]),
    ],
)
def test_a_handler_of_the_hosts_raises_at_any_line(kept, moved, place, at_once, happens):
    """The call is over before its caller goes on, and the client stays."""
    kept.run(nothing())
    if moved:
        elsewhere(lambda: kept.run(nothing()))
    loop, seen = kept._loop, []
    usual = getattr(loop, place)

    def handler(number, frame):
        raise LookupError

    def interrupted(*args):
        setattr(loop, place, usual)
        found = None if at_once else usual(*args)
        signal.raise_signal(signal.SIGINT)
        return found

    async def begins():
        seen.append("begun")
        try:
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        seen.append("ended")

    before = signal.signal(signal.SIGINT, handler)
    setattr(loop, place, interrupted)
    try:
        with pytest.raises(LookupError):
            kept.run(begins())
    finally:
        signal.signal(signal.SIGINT, before)

    assert seen in happens
    assert kept.run(where())
    assert seen in happens
    assert set() == kept._calls


def test_a_thread_that_a_signal_kept_from_starting(kept):
    """The next call starts it."""
    loop, _ = kept.run(where())
    kept._thread = _Driver(loop, kept._driving)

    assert threading.get_ident() != kept.run(where())[1]


def test_the_main_thread_never_waits_for_ever(kept):
    """A signal that comes right before a wait is noticed when the thread looks up."""
    loop, _ = kept.run(where())
    waits, select = [], loop._selector.select

    def recorded(timeout=None):
        waits.append(timeout)
        return select(timeout)

    async def woken():
        done = loop.create_future()
        threading.Timer(0.6, loop.call_soon_threadsafe, [done.set_result, None]).start()
        await done

    loop._selector.select = recorded
    kept.run(woken())
    at_home, waits[:] = list(waits), []
    elsewhere(lambda: kept.run(woken()))
    kept.run(woken())

    assert None not in at_home
    assert None in waits
    assert longest_wait() is not None
    assert elsewhere(longest_wait) is None


def test_a_handler_of_the_hosts_is_left_alone(either):
    """What it raises cancels the call and is raised."""
    entered, cleaned, seen = threading.Event(), [], []

    def handler(number, frame):
        seen.append(number)
        raise LookupError

    async def long():
        entered.set()
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            cleaned.append(True)
            raise

    usual = signal.signal(signal.SIGINT, handler)
    try:
        sender = interrupt_once(entered)
        with pytest.raises(LookupError):
            either.run(long())
        sender.join(PATIENCE)
        assert handler is signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, usual)

    assert [signal.SIGINT] == seen
    assert [True] == cleaned


def test_without_the_module_beneath_signal():
    """The quick way to set a handler is an implementation's own; the slow way works as well."""
    code = """
import signal, sys
sys.modules["_signal"] = None
from anymodal.interrupts import set_handler
from anymodal.loops import KeptLoop
assert set_handler is signal.signal
async def one(): return 1
async def nothing(): pass
kept = KeptLoop()
assert kept.run(one()) == 1
kept.close(nothing)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], check=False)

    assert 0 == done.returncode


# -- the end ----------------------------------------------------------------------------------------


def open_files():
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208  # their names are compared


@pytest.mark.parametrize("moved", [False, True])
def test_closing_leaves_nothing(moved):
    """No thread, no socket, no task; the loop's own wake-up sockets are closed too."""
    gc.collect()
    threads, files, seen = threading.active_count(), open_files(), []

    async def background():
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            seen.append("cancelled")

    async def letters():
        try:
            yield "a"
        finally:
            seen.append("generator closed")

    async def starts():
        tasks.append(asyncio.create_task(background()))
        generators.append(letters())
        await anext(generators[0])
        await asyncio.to_thread(threading.get_ident)

    async def last():
        seen.append("last")

    tasks, generators = [], []
    kept = KeptLoop()
    if moved:
        kept.run(nothing())
        elsewhere(lambda: kept.run(starts()))
    else:
        kept.run(starts())
    kept.close(last)

    assert ["last", "cancelled", "generator closed"] == seen
    assert threads == threading.active_count()
    assert files == open_files()
    assert kept._loop.is_closed()


def test_closing_where_nothing_ever_ran():
    """Then there is nothing to close, and nothing is run for it."""
    kept, seen = KeptLoop(), []

    async def last():
        seen.append("last")

    kept.close(last)

    assert [] == seen
    assert kept.is_closed


def test_closing_twice(kept):
    """As files allow it."""
    kept.run(nothing())
    kept.close(nothing)
    kept.close(nothing)


@pytest.mark.parametrize("used", [False, True])
def test_calls_after_the_end_are_refused(kept, used):
    """And their coroutines are not left behind un-awaited."""
    if used:
        kept.run(nothing())
    kept.close(nothing)

    with pytest.raises(e.ConfigurationError, match="is closed"):
        kept.run(nothing())
    with pytest.raises(e.ConfigurationError, match="is closed"):
        elsewhere(lambda: kept.run(nothing()))


def test_a_call_that_comes_while_it_closes(kept):
    """It has seen the loop open, and then waits for its turn."""
    kept.run(nothing())
    loop = kept._loop
    kept.close(nothing)
    work = where()

    with pytest.raises(e.ConfigurationError, match="is closed"):
        kept._run_there(loop, work)


@pytest.mark.parametrize("at_home", [True, False])
def test_closing_ends_calls_of_other_threads(kept, at_home):
    """They learn why, rather than wait for ever."""
    entered, found = threading.Event(), []

    async def long():
        entered.set()
        await asyncio.sleep(PATIENCE)

    def call():
        try:
            kept.run(long())
        except e.ConfigurationError as error:
            found.append(str(error))

    if not at_home:
        kept.run(nothing())
    thread = threading.Thread(target=call)
    thread.start()
    entered.wait(PATIENCE)
    kept.close(nothing)
    thread.join(PATIENCE)

    assert 1 == len(found)
    assert "is closed" in found[0]


def test_what_the_last_work_raises_is_raised():
    """Everything else is closed all the same."""
    kept = KeptLoop()
    kept.run(nothing())

    async def last():
        raise ValueError

    with pytest.raises(ValueError):
        kept.close(last)
    assert kept._loop.is_closed()


@pytest.mark.parametrize("moved", [False, True])
def test_forgetting_to_close_is_said(moved):
    """And the thread ends."""
    kept = KeptLoop()
    kept.run(nothing())
    if moved:
        elsewhere(partial(kept.run, nothing()))
    threads = our_threads()

    with pytest.warns(ResourceWarning, match="was not closed"):
        del kept
        gc.collect()
    for thread in threads:
        thread.join(PATIENCE)
    assert [] == our_threads()


def test_threads_that_the_last_call_used_end(kept):
    """They wait for the end of its task, of which a loop tells a turn later."""
    before = set(threading.enumerate())

    async def last():
        await anyio.to_thread.run_sync(threading.get_ident)

    kept.run(where())
    kept.close(last)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)

    assert before >= set(threading.enumerate())
