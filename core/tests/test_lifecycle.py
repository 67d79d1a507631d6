"""Retired models refuse and name what replaces them; deprecated ones warn with the day."""

import datetime as dt

import anymodal
import pytest
from anymodal import Finish, Lifecycle, ModelSpec, Registry, Settings, TextDelta
from anymodal import errors as e

from .plugins_on_path import Brings

pytestmark = pytest.mark.anyio
DAY = dt.date(2026, 11, 30)
SAID = {"state": "retired", "retires_on": DAY, "replacement": "m-2"}
GONE = ModelSpec(id="m-1", aliases=["one"], lifecycle=Lifecycle(**SAID))
LEAVING = ModelSpec(
    id="m-3", aliases=["three"], lifecycle=Lifecycle(**{**SAID, "state": "deprecated"})
)
WORDS = "m-1 is retired on 2026-11-30; use m-2."
WARNING = "m-3 is deprecated: it retires on 2026-11-30; use m-2"

NAMES = {
    "exact": ("acme/m-1", {}),
    "by the model's alias": ("acme/one", {}),
    "bare": ("m-1", {}),
    "bare, by the model's alias": ("one", {}),
    "by the user's alias": ("fast", {"aliases": {"fast": ["acme/m-1"]}}),
    "by an alias of an alias": ("fast", {"aliases": {"fast": ["faster"], "faster": ["m-1"]}}),
    "through an instance": ("work/m-1", {"instances": {"work": {"provider": "acme"}}}),
    "the default": (None, {"defaults": {"text": "acme/m-1"}}),
    "the instance's default": (
        "acme",
        {"providers": {"acme": {"default_models": {"text": "m-1"}}}},
    ),
    "the plugin's default": ("acme", {}),
    "nothing at all": (None, {}),
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Acme:
    """Answers."""

    @anymodal.streaming
    async def stream(self, request):
        yield TextDelta("Hello")
        yield Finish()


def never(_):
    """No retired model is worth a connection."""
    raise AssertionError


def client(said, models, provider=never, default="m-1"):
    brings = Brings(provider, models=models, default_model=default)
    return anymodal.Client(
        registry=Registry(Settings.from_mapping(said), plugins=[brings], distributions=())
    )


@pytest.mark.parametrize(("name", "said"), NAMES.values(), ids=NAMES)
async def test_retired_models_refuse_by_whatever_name(name, said):
    """And name the replacement. Nothing is sent, and nobody is connected."""
    async with client(said, [GONE]) as ai:
        with pytest.raises(e.RetiredModelError) as caught:
            await ai.text.generate("Hi", model=name)

    assert WORDS in str(caught.value)


@pytest.mark.parametrize(("name", "said"), NAMES.values(), ids=NAMES)
async def test_retired_by_the_users_word(name, said):
    """What the plugin takes for served may be gone."""
    said = {**said, "models": {"acme/m-1": {"lifecycle": SAID}}}
    async with client(said, [ModelSpec(id="m-1", aliases=["one"])]) as ai:
        with pytest.raises(e.RetiredModelError) as caught:
            await ai.text.generate("Hi", model=name)

    assert WORDS in str(caught.value)


async def test_retired_outside_the_table():
    """What settings say of a name holds though no table has it."""
    said = {"models": {"acme/m-1": {"lifecycle": SAID}}}
    async with client(said, [ModelSpec(id="m-2")], default="m-2") as ai:
        with pytest.raises(e.RetiredModelError, match="use m-2"):
            await ai.text.generate("Hi", model="acme/m-1")


async def test_served_again_by_the_users_word():
    """A vendor may have changed its mind."""
    said = {"models": {"acme/m-1": {"lifecycle": {"state": "active"}}}}
    async with client(said, [GONE], Acme()) as ai:
        reply = await ai.text.generate("Hi", model="acme/one")

    assert ("Hello", []) == (reply.text, reply.record.warnings)


@pytest.mark.parametrize("name", ["acme/m-1", "m-1", "acme"])
async def test_retired_in_a_scope(name):
    """A tenant is told the same."""
    async with client({}, [GONE]) as ai:
        with pytest.raises(e.RetiredModelError, match="use m-2"):
            await ai.scoped("tenant", allow=["acme/m-*"]).text.generate("Hi", model=name)


OPERATIONS = {
    "stream": lambda ai: ai.text.stream("Hi", model="acme/m-1").start(),
    "chat": lambda ai: ai.text.chat(model="acme/m-1").generate("Hi"),
    "batch": lambda ai: ai.text.batch(["Hi"], model="acme/m-1"),
    "count_tokens": lambda ai: ai.text.count_tokens("Hi", model="acme/m-1"),
    "warm": lambda ai: ai.warm("acme/m-1"),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_retired_for_every_operation(operation):
    """There is no way around."""
    async with client({}, [GONE]) as ai:
        with pytest.raises(e.RetiredModelError, match="use m-2"):
            await operation(ai)


async def test_estimates_of_retired_models():
    """They would be estimates of nothing."""
    async with client({}, [GONE]) as ai:
        with pytest.raises(e.RetiredModelError, match="use m-2"):
            ai.text.estimate("Hi", model="acme/m-1")


async def test_an_alias_of_several_goes_to_the_one_that_is_served():
    """That is what several are for."""
    said = {"aliases": {"fast": ["acme/m-1", "acme/m-2"]}}
    async with client(said, [GONE, ModelSpec(id="m-2")], Acme()) as ai:
        reply = await ai.text.generate("Hi", model="fast")

    assert "m-2" == reply.record.model


@pytest.mark.parametrize("name", ["acme/m-3", "m-3", "three", "fast", "acme", None])
async def test_deprecated_models_answer_and_warn_with_the_day(name):
    """By whatever name, and once."""
    said = {"aliases": {"fast": ["m-3"]}}
    async with client(said, [LEAVING], Acme(), default="m-3") as ai:
        reply = await ai.text.generate("Hi", model=name)
        scoped = await ai.scoped("tenant").text.generate("Hi", model=name)
        async with ai.text.stream("Hi", model=name) as stream:
            await stream.result()

    for record in (reply.record, scoped.record, stream.record):
        assert [WARNING] == [one.message for one in record.warnings]


async def test_deprecated_outside_the_table():
    """Both are worth a warning: that no table has it, and that it will go."""
    said = {"models": {"acme/m-3": {"lifecycle": {**SAID, "state": "deprecated"}}}}
    async with client(said, [ModelSpec(id="m-1")], Acme()) as ai:
        reply = await ai.text.generate("Hi", model="acme/m-3")

    assert WARNING == reply.record.warnings[-1].message
    assert 2 == len(reply.record.warnings)


def test_listings_have_the_lifecycle():
    """Retired ones are listed, so that somebody can look up what replaces them."""
    registry = Registry(
        Settings.from_mapping({"models": {"acme/m-2": {"lifecycle": SAID}}}),
        plugins=[Brings(None, models=[GONE, LEAVING, ModelSpec(id="m-2")])],
        distributions=(),
    )

    assert ["retired", "deprecated", "retired"] == [
        one.model.lifecycle.state for one in registry.models()
    ]
