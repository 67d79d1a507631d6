"""Which failures send a call on to its next candidate, and what is left of it."""

import anymodal
import pytest
from anymodal import Client, Finish, Message, TextDelta, TextResult, streaming
from anymodal import errors as e
from anymodal.config import Settings
from anymodal.policy.failover import goes_on

from .once import ONCE
from .plugins_on_path import Brings

GOES_ON = {
    e.ConnectionFailedError,
    e.TimedOutError,
    e.OverloadedError,
    e.ServerError,
    e.RateLimitedError,
    e.QuotaExceededError,
    e.CircuitOpenError,
    e.DisabledProviderError,
    e.MissingCredentialsError,
    e.AuthenticationError,
    e.NotFoundError,
    e.NothingFitsError,
    e.ContextLengthError,
}
EVERY = [getattr(e, name) for name in e.__all__]
pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def made(cls):
    """An error of *cls*, however it wants to be made."""
    if cls is e.SettingsError:
        return cls(["a fault"])
    if cls is e.FallbackExhaustedError:
        return cls([e.ServerError("one"), e.ServerError("two")])
    return cls("acme: no")


class Fails:
    """A provider that raises what it was made with, and counts how often."""

    def __init__(self, error=None):
        self.error = error
        self.calls = 0

    async def generate(self, request):
        self.calls += 1
        if self.error is not None:
            raise self.error
        return TextResult(Message.assistant("yes"), Finish())


class FailsInStream(Fails):
    """The same, but piece by piece; *after* so many events."""

    def __init__(self, error=None, after=0):
        super().__init__(error)
        self.after = after

    generate = None

    @streaming
    async def stream(self, request):
        self.calls += 1
        for _ in range(self.after):
            yield TextDelta("piece ")
        if self.error is not None:
            raise self.error
        yield TextDelta("yes")
        yield Finish()


def client(*providers, **settings):
    """A client of providers called one, two, three."""
    names = ("one", "two", "three")
    plugins = [
        Brings(made, id=name) for made, name in zip(map(as_is, providers), names, strict=False)
    ]
    return Client(
        registry=anymodal.Registry(
            Settings.from_mapping(settings), plugins=plugins, distributions=()
        ),
        policy=ONCE,
    )


def as_is(provider):
    return lambda _: provider


BOTH = ["one/m-1", "two/m-1"]


@pytest.mark.parametrize("cls", EVERY)
def test_table(cls):
    """Every class is decided on, the ones that are added later as well."""
    below = any(issubclass(cls, one) for one in GOES_ON)

    assert below is goes_on(made(cls))


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize("kind", [Fails, FailsInStream])
async def test_next_is_asked_or_not(cls, kind):
    """As the table says, for whole answers and for streams that have not begun."""
    first, second = kind(made(cls)), kind()
    async with client(first, second) as ai:
        if cls not in GOES_ON:
            with pytest.raises(cls) as caught:
                await ai.text.generate("Hi", model=BOTH)
            assert caught.value is first.error
            record = caught.value.record
            assert 0 == second.calls
        else:
            reply = await ai.text.generate("Hi", model=BOTH)
            record = reply.record
            assert ("yes", "two", 1) == (reply.text, record.provider, second.calls)
        assert first.error is record.attempts[0].error
        assert 1 == first.calls
        assert (1 if cls not in GOES_ON else 2) == len(record.attempts)


async def test_every_candidate_failed():
    """One error of each, in order; `except*` sorts them and keeps the record."""
    errors = [e.RateLimitedError("one"), e.ServerError("two"), e.OverloadedError("three")]
    async with client(*map(Fails, errors)) as ai:
        with pytest.raises(e.FallbackExhaustedError) as caught:
            await ai.text.generate("Hi", model=[*BOTH, "three/m-1"])

        exhausted = caught.value
        assert tuple(errors) == exhausted.exceptions
        assert errors == [one.error for one in exhausted.record.attempts]
        assert {exhausted.record} == {one.record for one in errors}
        assert "none of 3 candidates answered" in str(exhausted)
        sorted_out = []
        try:
            raise exhausted
        except* e.RateLimitedError as group:
            sorted_out.append(group)
        except* (e.ServerError, e.OverloadedError) as group:
            sorted_out.append(group)
        assert [(errors[0],), (errors[1], errors[2])] == [one.exceptions for one in sorted_out]
        assert {e.FallbackExhaustedError} == {type(one) for one in sorted_out}
        assert {exhausted.record} == {one.record for one in sorted_out}


async def test_single_candidate_fails_as_itself():
    """A group of one would only be in the way."""
    async with client(Fails(e.ServerError("no"))) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.generate("Hi", model=["one/m-1"])


async def test_error_that_ends_it_is_raised_after_others_went_on():
    """The record has both attempts."""
    async with client(Fails(e.ServerError("no")), Fails(e.BadRequestError("bad"))) as ai:
        with pytest.raises(e.BadRequestError) as caught:
            await ai.text.generate("Hi", model=BOTH)

        kinds = [type(one.error) for one in caught.value.record.attempts]
        assert [e.ServerError, e.BadRequestError] == kinds


async def test_never_after_the_first_event():
    """The caller has seen a piece, and would see it twice."""
    first, second = FailsInStream(e.ServerError("late"), after=1), FailsInStream()
    async with client(first, second) as ai:
        stream = ai.text.stream("Hi", model=BOTH)
        with pytest.raises(e.ServerError) as caught:
            async with stream:
                async for _ in stream:
                    pass

        assert 0 == second.calls
        assert ["one"] == [one.provider for one in caught.value.record.attempts]
        assert first.error is caught.value.record.attempts[0].error


async def test_fallbacks_of_the_settings():
    """They follow the name they stand under, given or the default, and no other."""
    first = Fails(e.ServerError("no"))
    settings = {"fallbacks": {"one/m-1": ["two/m-1"]}, "defaults": {"text": "one/m-1"}}
    async with client(first, Fails(), **settings) as ai:
        for model in ("one/m-1", None):
            reply = await ai.text.generate("Hi", model=model)
            assert "two" == reply.record.provider
        for model in (["one/m-1"], "one/m-2"):
            with pytest.raises(e.ServerError):
                await ai.text.generate("Hi", model=model)


async def test_fallback_is_resolved_only_when_it_is_come_to(site):
    """Until then its plugin is not even imported."""
    site.install("anymodal-two", "1 / 0")
    provider = Fails()
    registry = site.registry(
        {"fallbacks": {"one/m-1": ["two/m-1"]}}, plugins=[Brings(as_is(provider), id="one")]
    )
    async with Client(registry=registry, policy=ONCE) as ai:
        await ai.text.generate("Hi", model="one/m-1")
        assert ["found"] == [one.state for one in registry._plugins.all]

        provider.error = e.ServerError("no")
        with pytest.raises(e.BrokenPluginError, match="anymodal-two") as caught:
            await ai.text.generate("Hi", model="one/m-1")
        assert [type(one.error) for one in caught.value.record.attempts] == [
            e.ServerError,
            e.BrokenPluginError,
        ]


async def test_name_without_a_key_goes_on(site):
    """Its error is an attempt like others, though nothing was sent."""
    keyed = Brings(as_is(Fails()), id="one", credentials=[anymodal.Credential(env=["KEY"])])
    registry = site.registry(plugins=[keyed, Brings(as_is(Fails()), id="two")])
    async with Client(registry=registry, policy=ONCE) as ai:
        reply = await ai.text.generate("Hi", model=BOTH)

        assert [e.MissingCredentialsError, type(None)] == [
            type(one.error) for one in reply.record.attempts
        ]


async def test_alias_of_several_is_a_list():
    """The first that answers wins."""
    async with client(Fails(e.ServerError("no")), Fails(), aliases={"fast": BOTH}) as ai:
        reply = await ai.text.generate("Hi", model="fast")

        assert ["one", "two"] == [one.provider for one in reply.record.attempts]


@pytest.mark.parametrize("model", [[], 7, ["one/m-1", 7], [None], {"one/m-1"}, b"one/m-1"])
async def test_model_that_is_no_name(model):
    """Said before anything is looked up."""
    async with client(Fails()) as ai:
        with pytest.raises(
            e.InvalidRequestError, match="model: a name or a sequence of names"
        ) as caught:
            await ai.text.generate("Hi", model=model)

        assert "model" == caught.value.field
        assert caught.value.record is not None
