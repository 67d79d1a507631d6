"""How well the providers are: what calls have shown, and what they say when they are asked."""

from contextlib import suppress

import anyio
import pytest
from anymodal import Client, Credential, Finish, Health, Message, Registry, Settings, TextResult
from anymodal import errors as e

from .batching import Acme, FakeClock
from .batching import client as batching
from .once import ONCE
from .plugins_on_path import Brings

pytestmark = pytest.mark.anyio
YES = TextResult(Message.assistant("yes"), Finish())
DOWN = e.ServerError("acme: HTTP 500")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Scripted:
    """Answers, or fails, as it is told; counts how often it is asked how it is."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.asked = 0

    async def generate(self, request):
        found = self.outcomes.pop(0) if self.outcomes else YES
        if isinstance(found, Exception):
            raise found
        return found


class Listing(Scripted):
    """One that lists its models."""

    async def list_models(self):
        self.asked += 1
        if self.outcomes:
            raise self.outcomes.pop(0)
        return []


class Checking(Listing):
    """One that says how it is, in a thread; its list of models is then not asked for."""

    def check_health(self):
        self.asked += 1
        if self.outcomes:
            raise self.outcomes.pop(0)

    async def list_models(self):
        raise NotImplementedError


def client(provider, clock=None, settings=None, **spec):
    found = Registry(
        Settings.from_mapping(settings or {}, environ={}),
        plugins=[Brings(provider, **spec)],
        distributions=(),
    )
    return Client(registry=found, policy=ONCE, clock=clock or FakeClock())


async def called(ai, times=1):
    for _ in range(times):
        with suppress(e.AnymodalError):
            await ai.text.generate("Hi", model="acme/m-1")


async def test_one_that_was_never_called_is_healthy_as_far_as_is_known():
    """And nobody is asked to find out."""
    provider = Listing()
    async with client(provider) as ai:
        (found,) = ai.status()

    assert (
        Health(
            instance="acme",
            provider="acme",
            modality="text",
            state="healthy",
            reason="not called of late",
        )
        == found
    )
    assert not provider.asked


async def test_one_that_answers():
    """The uptime runs from its first answer."""
    clock = FakeClock()
    async with client(Scripted(), clock) as ai:
        await called(ai)
        clock.time += 30
        (found,) = ai.status("acme")

    assert ("healthy", "it answers", 30) == (found.state, found.reason, found.uptime)


async def test_one_that_fails_now_and_then_is_degraded():
    """One in four is more than one in ten."""
    async with client(Scripted(YES, DOWN, YES, YES)) as ai:
        await called(ai, 4)
        (found,) = ai.status()

    assert ("degraded", "25% of its calls of late failed") == (found.state, found.reason)
    assert "acme: HTTP 500" == found.last_error


async def test_one_that_never_answered_is_unhealthy():
    """And has no uptime."""
    async with client(Scripted(DOWN)) as ai:
        await called(ai)
        (found,) = ai.status()

    assert ("unhealthy", "acme: HTTP 500", None) == (found.state, found.reason, found.uptime)


async def test_open_circuits_are_unhealthy_until_they_are_to_be_probed():
    """A probe that is answered makes it well again, and its uptime begins anew."""
    clock = FakeClock()
    async with client(Scripted(YES, *[DOWN] * 5), clock) as ai:
        await called(ai, 6)
        (left_alone,) = ai.status()
        clock.time += 30
        (probed,) = ai.status()
        await called(ai)
        clock.time += 5
        (well,) = ai.status()

    assert "unhealthy" == left_alone.state
    assert left_alone.reason.startswith("it failed too often; left alone since")
    assert ("degraded", "it failed too often; the next call will tell") == (
        probed.state,
        probed.reason,
    )
    assert ("healthy", 5) == (well.state, well.uptime)


async def test_a_refused_key_is_unhealthy_until_it_is_taken():
    """No waiting helps, so it is not a matter of shares."""
    async with client(Scripted(YES, e.AuthenticationError("acme: HTTP 401"))) as ai:
        await called(ai, 2)
        (refused,) = ai.status()
        await called(ai)
        (taken,) = ai.status()

    assert ("unhealthy", "acme: HTTP 401") == (refused.state, refused.reason)
    assert "healthy" == taken.state


async def test_missing_keys_are_told_of_where_somebody_speaks_of_the_provider():
    """Else every plugin that is installed and unused would be unhealthy."""
    needs = {"credentials": [Credential(env=["ACME_KEY"])]}
    async with client(Scripted(), **needs) as ai:
        assert () == ai.status()
        (named,) = ai.status("acme")
        (asked,) = await ai.health("acme")
    async with client(Scripted(), settings={"providers": {"acme": {"priority": 1}}}, **needs) as ai:
        (spoken_of,) = ai.status()

    assert named == asked == spoken_of
    assert "unhealthy" == named.state
    assert "ACME_KEY" in named.reason


@pytest.mark.parametrize("cls", [Listing, Checking])
async def test_asking_costs_one_request_that_is_free(cls):
    """The way that the provider offers for it goes before its list of models."""
    provider = cls()
    async with client(provider) as ai:
        (found,) = await ai.health()

    assert ("healthy", "it answers", 1) == (found.state, found.reason, provider.asked)


@pytest.mark.parametrize("cls", [Listing, Checking])
async def test_asking_finds_what_is_wrong(cls):
    """It counts like a call: five of them open the circuit."""
    async with client(cls(*[DOWN] * 5)) as ai:
        found = [(await ai.health())[0] for _ in range(5)]
        (after,) = await ai.health()

    assert ["unhealthy"] * 5 == [one.state for one in found]
    assert found[-1].reason.startswith("it failed too often")
    assert "healthy" == after.state


async def test_one_that_cannot_be_asked_is_connected():
    """Which shows at least that it can be."""
    async with client(Scripted()) as ai:
        (found,) = await ai.health()

    assert ("healthy", "it is connected; it has no free way to be asked") == (
        found.state,
        found.reason,
    )


async def test_a_strangers_exception_is_the_plugins_fault():
    """And harms no other."""
    async with client(Listing(KeyError("x"))) as ai:
        (found,) = await ai.health()

    assert ("unhealthy", "acme: unexpected KeyError.") == (found.state, found.reason)


async def test_one_that_says_nothing(monkeypatch):
    """It is not waited for longer than anybody would."""

    class Silent(Scripted):
        async def list_models(self):
            await anyio.sleep_forever()

    monkeypatch.setattr("anymodal.checkup.LIMIT_SECONDS", 0.01)
    async with client(Silent()) as ai:
        (found,) = await ai.health()

    assert ("unhealthy", "acme: no word in 0.01 s.") == (found.state, found.reason)


async def test_instances_are_told_apart():
    """By name; the provider's id means all of them."""
    settings = {"instances": {"work": {"provider": "acme"}}}
    async with client(Scripted(), settings=settings) as ai:
        assert ["work"] == [one.instance for one in ai.status("work")]
        assert {"acme", "work"} == {one.instance for one in ai.status()}


async def test_nobody_of_that_name():
    """A misspelt name is an error, not an empty list."""
    off = {"providers": {"acme": {"enabled": False}}}
    async with client(Scripted()) as ai, client(Scripted(), settings=off) as switched_off:
        with pytest.raises(e.UnknownProviderError):
            ai.status("amce")
        with pytest.raises(e.AnymodalError):
            switched_off.status("acme")


async def test_jobs_are_counted():
    """As they were last seen."""
    async with batching(Acme()) as ai:
        job = await ai.text.batch(["one"], model="acme/m-1")
        (queued,) = ai.status()
        await job.result()
        (done,) = ai.status()

    assert (0, 1) == (queued.active_jobs, queued.queued_jobs)
    assert (0, 0) == (done.active_jobs, done.queued_jobs)
