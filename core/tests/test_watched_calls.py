"""What observers hear, and what stands around a call."""

import anyio
import anyio.lowlevel
import attrs
import pytest
from anymodal import Finish, Limits, Policy, Retry, TextDelta, Usage
from anymodal import errors as e

from .talking import MODEL, Scripted, says
from .test_policy_calls import BUSY, DOWN, ONCE, Heard, client, outcomes, standing_of

pytestmark = pytest.mark.anyio
ONE = Policy(limits=Limits(concurrency=1))
WHOLE = (TextDelta("a"), TextDelta("b"), Finish())


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


# -- observers ----------------------------------------------------------------------------


async def test_success_is_a_beginning_and_an_end():
    """With the record, the request and the answer, none of them copied."""
    heard = Heard()
    async with client(Scripted(says("yes", usage=Usage(1, 2))), observers=[heard]) as ai:
        reply = await ai.text.generate("hi", model=MODEL, tags={"user": "ann"})
    begun, ended = heard.events

    assert ["CallStarted", "CallEnded"] == heard.names
    assert begun.record is ended.record is reply.record
    assert (reply, None) == (ended.answer, ended.error)
    assert "m-1" == ended.request.model.id
    assert {"user": "ann"} == ended.record.tags


async def test_every_failed_attempt_is_heard_with_its_wait():
    """None where it is not made again; another candidate may come all the same."""
    heard = Heard()
    others = [("two", Scripted(says("yes")))]
    policy = Policy(retry=Retry(attempts=2))
    async with client(Scripted(BUSY, DOWN), others=others, policy=policy, observers=[heard]) as ai:
        reply = await ai.text.generate("hi", model=[MODEL, "two/m-1"])
    failed = heard.events[1:-1]

    assert ["CallStarted", "AttemptFailed", "AttemptFailed", "CallEnded"] == heard.names
    assert [0.5, None] == [event.wait for event in failed]
    assert reply.record.attempts[:2] == [event.attempt for event in failed]


async def test_failure_is_heard_with_its_error():
    """The one that the caller gets."""
    heard = Heard()
    async with client(Scripted(DOWN), policy=Policy(retry=ONCE), observers=[heard]) as ai:
        with pytest.raises(e.ServerError) as caught:
            await ai.text.generate("hi", model=MODEL)

    assert ["CallStarted", "AttemptFailed", "CallEnded"] == heard.names
    assert caught.value is heard.events[-1].error
    assert heard.events[-1].answer is None


async def test_call_that_was_refused_is_heard():
    """Nothing was sent, and there is no request."""
    heard = Heard()
    async with client(Scripted(says("no")), observers=[heard]) as ai:
        with pytest.raises(e.UnknownModelError):
            await ai.text.generate("hi", model="nobody-has-it")

    assert ["CallStarted", "AttemptFailed", "CallEnded"] == heard.names
    assert heard.events[-1].request is None


@pytest.mark.parametrize(
    ("end", "text", "error"),
    [("whole", "ab", None), ("left", "a", None), ("broken", "ab", "server")],
)
async def test_streams_are_heard_to_their_end(end, text, error):
    """Once, whichever end it is; of an answer that is not whole, what had come."""
    events, heard = list(WHOLE), Heard()
    if end == "broken":
        events[-1] = DOWN
    async with client(Scripted(events), policy=Policy(retry=ONCE), observers=[heard]) as ai:
        async with ai.text.stream("hi", model=MODEL) as stream:
            assert ["CallStarted", "FirstEvent"] == heard.names
            await anext(stream)
            if end == "whole":
                await stream.result()
            if end == "broken":
                with pytest.raises(e.ServerError):
                    await stream.result()
    ended = heard.events[-1]
    found = ended.answer.text

    failed = ["AttemptFailed"] if error else []
    assert ["CallStarted", "FirstEvent", *failed, "CallEnded"] == heard.names
    assert (text, error) == (found, ended.error and ended.error.code)
    assert None not in {ended.record.seconds, ended.record.first_event_seconds}


async def test_cancelled_call_is_heard_to_its_end():
    """It has an end as well: the caller left."""
    heard, hanging = Heard(), anyio.Event()

    class Hangs(Scripted):
        async def generate(self, request):
            hanging.set()
            await anyio.sleep_forever()

    async with client(Hangs(), observers=[heard]) as ai:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: ai.text.generate("hi", model=MODEL))
            await hanging.wait()
            group.cancel_scope.cancel()
    ended = heard.events[-1]

    assert ["CallStarted", "CallEnded"] == heard.names
    assert isinstance(ended.error, anyio.get_cancelled_exc_class())
    assert "the answer was not read to its end" == ended.record.cost.source
    assert ended.record.seconds is not None


class Raises:
    def on_event(self, event):
        msg = "an observer's own fault"
        raise ValueError(msg)


async def test_observer_that_raises_harms_nothing(caplog):
    """It is logged, and the others hear all the same."""
    heard = Heard()
    async with client(Scripted(says("yes")), observers=[Raises(), heard]) as ai:
        reply = await ai.text.generate("hi", model=MODEL)

    assert "yes" == reply.text
    assert ["CallStarted", "CallEnded"] == heard.names
    assert ["anymodal", "anymodal"] == [one.name for one in caplog.records]
    assert "an observer's own fault" in caplog.text


async def test_tenants_are_heard_by_their_own_observers_and_the_clients():
    """But not by one another's."""
    ours, anns, bobs = Heard(), Heard(), Heard()
    async with client(Scripted(says("yes")), observers=[ours]) as ai:
        ann, bob = ai.scoped("ann", observers=[anns]), ai.scoped("bob", observers=[bobs])
        await ann.text.generate("hi", model=MODEL)
        await ai.text.generate("hi", model=MODEL)

    assert ["ann", "ann", "", ""] == [event.record.scope for event in ours.events]
    assert ["CallStarted", "CallEnded"] == anns.names
    assert [] == bobs.names
    assert bob is not None


# -- middleware ---------------------------------------------------------------------------


class Notes:
    """Middleware that notes who came when."""

    def __init__(self, name, log):
        self.name = name
        self.log = log

    async def around(self, call, proceed):
        self.log.append(f"{self.name} in")
        try:
            return await proceed(call)
        finally:
            self.log.append(f"{self.name} out")


@pytest.mark.parametrize("how", ["generate", "stream"])
async def test_first_middleware_is_the_outermost(how):
    """It stands around the call, and not around each attempt."""
    log = []
    around = [Notes("one", log), Notes("two", log)]
    async with client(Scripted(BUSY, says("yes")), middleware=around) as ai:
        if how == "generate":
            await ai.text.generate("hi", model=MODEL)
        else:
            async with ai.text.stream("hi", model=MODEL):
                pass

    assert ["one in", "two in", "two out", "one out"] == log


class Asks:
    """Middleware that asks for something else."""

    async def around(self, call, proceed):
        call.asked = attrs.evolve(call.asked, prompt="something else", temperature=0.5)
        return await proceed(call)


@pytest.mark.parametrize("how", ["generate", "stream"])
async def test_what_is_asked_may_be_replaced(how):
    """Before anybody is asked."""
    provider = Scripted(says("yes"))
    async with client(provider, middleware=[Asks()]) as ai:
        if how == "generate":
            await ai.text.generate("hi", model=MODEL)
        else:
            async with ai.text.stream("hi", model=MODEL) as stream:
                await stream.result()
    (request,) = provider.requests

    assert ("something else", 0.5) == (request.messages[0].text, request.temperature)


class Answers:
    """Middleware that knows already."""

    def __init__(self, answer):
        self.answer = answer

    async def around(self, call, proceed):
        return self.answer


@pytest.mark.parametrize("how", ["generate", "stream"])
async def test_middleware_may_answer_alone(how):
    """Nobody is asked, and observers hear an end all the same, once."""
    answer, heard, provider = says("cached"), Heard(), Scripted(says("yes"))
    async with client(provider, middleware=[Answers(answer)], observers=[heard]) as ai:
        if how == "generate":
            found = await ai.text.generate("hi", model=MODEL)
        else:
            async with ai.text.stream("hi", model=MODEL) as found:
                pass
    ended = heard.events[-1]

    assert answer is found is ended.answer
    assert [] == provider.requests
    assert ["CallStarted", "CallEnded"] == heard.names
    assert ("no provider was asked", 0) == (ended.record.cost.source, ended.record.seconds)


class Refuses:
    """Middleware that does not like what comes."""

    def __init__(self, error, *, after=False):
        self.error = error
        self.after = after

    async def around(self, call, proceed):
        if self.after:
            await proceed(call)
        raise self.error


@pytest.mark.parametrize("cls", [e.InvalidRequestError, ValueError])
async def test_what_middleware_raises_is_the_calls_error(cls):
    """As it is; ours have the record."""
    heard, error = Heard(), cls("not here")
    async with client(Scripted(says("yes")), middleware=[Refuses(error)], observers=[heard]) as ai:
        with pytest.raises(cls) as caught:
            await ai.text.generate("hi", model=MODEL)

    assert caught.value is error is heard.events[-1].error
    assert isinstance(error, ValueError) or error.record is heard.events[-1].record


async def test_stream_that_middleware_refuses_after_it_was_opened_is_closed():
    """Its place is free, its connection is closed, and its end is heard once."""
    heard, provider = Heard(), Scripted([TextDelta("a"), Finish()])
    refuses = Refuses(ValueError("mine"), after=True)
    async with client(provider, middleware=[refuses], observers=[heard], policy=ONE) as ai:
        with pytest.raises(ValueError, match="mine"):
            await ai.text.stream("hi", model=MODEL).start()

        assert 0 == standing_of(ai).limiter.running
    assert 1 == provider.closed
    assert ["CallStarted", "FirstEvent", "CallEnded"] == heard.names


class Recovers:
    """Middleware that asks once more, by itself."""

    async def around(self, call, proceed):
        try:
            return await proceed(call)
        except e.ServerError:
            return await proceed(call)


async def test_middleware_may_proceed_again():
    """The record has all attempts."""
    provider = Scripted(DOWN, says("yes"))
    async with client(provider, middleware=[Recovers()], policy=Policy(retry=ONCE)) as ai:
        reply = await ai.text.generate("hi", model=MODEL)

    assert ["server", None] == outcomes(reply.record)


async def test_middleware_of_a_client_stands_around_its_tenants():
    """Whoever watches what goes out watches all of it."""
    log = []
    async with client(Scripted(says("yes")), middleware=[Notes("one", log)]) as ai:
        await ai.scoped("ann").text.generate("hi", model=MODEL)

    assert ["one in", "one out"] == log
