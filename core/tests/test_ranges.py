"""Settings beyond a model's range: sent at its end with a warning, or refused where strict."""

import anymodal
import pytest
from anymodal import Capabilities, Finish, Message, ModelSpec, Settings, TextDelta, TextRequest
from anymodal import errors as e
from anymodal.modalities.ranges import within_ranges

from .plugins_on_path import Brings

MODEL = ModelSpec(id="m-1", temperature_max=1, max_output_tokens=100)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def request_of(model=MODEL, **settings):
    return TextRequest(model=model, messages=(Message("user", ("Hi",)),), **settings)


@pytest.mark.parametrize(
    ("wanted", "sent", "warned"),
    [
        ({"temperature": 1.5}, {"temperature": 1}, ["temperature"]),
        ({"max_tokens": 101}, {"max_tokens": 100}, ["max_tokens"]),
        ({"temperature": 2, "max_tokens": 9000}, {"temperature": 1, "max_tokens": 100}, ["temperature", "max_tokens"]),
        ({"temperature": 1.0, "max_tokens": 100}, {"temperature": 1.0, "max_tokens": 100}, []),
        ({}, {"temperature": None, "max_tokens": None}, []),
    ],
)  # fmt: skip
def test_what_is_beyond_is_sent_at_the_end(wanted, sent, warned):
    """The vendor would refuse it; nothing is dropped in silence."""
    asked = request_of(**wanted)
    found = within_ranges(asked)

    assert sent == {name: getattr(found, name) for name in sent}
    assert warned == [one.setting for one in found.warnings]
    assert found.warnings is asked.warnings
    assert (found is asked) is (not warned)


def test_the_warning_says_how_much():
    """And of which model."""
    found = within_ranges(request_of(temperature=1.5, max_tokens=200))

    assert [
        "1 is sent, the most that m-1 takes",
        "100 is sent, the most that m-1 writes",
    ] == [one.message for one in found.warnings]


@pytest.mark.parametrize("wanted", [{"temperature": 1.5}, {"max_tokens": 101}])
def test_strict_callers_are_refused(wanted):
    """Before anything is sent."""
    with pytest.raises(e.UnsupportedFeatureError, match=r"is sent, the most that m-1"):
        within_ranges(request_of(strict=True, **wanted))


def test_unknown_ranges_refuse_nothing():
    """Of models outside the table little is known."""
    found = within_ranges(request_of(ModelSpec(id="m-9"), temperature=50, max_tokens=10**9))

    assert (50, 10**9, []) == (found.temperature, found.max_tokens, found.warnings)


def test_models_that_take_no_temperature_are_the_plugins_to_tell_of():
    """One warning is enough."""
    model = ModelSpec(id="m-1", temperature_max=1, capabilities=Capabilities(no=["sampling"]))

    assert [] == within_ranges(request_of(model, temperature=1.5)).warnings


class Echo:
    """Answers with the temperature that it was asked for."""

    @anymodal.streaming
    async def stream(self, request):
        yield TextDelta(str(request.temperature))
        yield Finish()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("said", "heard", "warnings"), [({}, "1", 1), ({"temperature_max": 1.4}, "1.3", 0)]
)
async def test_calls_keep_to_the_range_and_settings_may_widen_it(said, heard, warnings):
    """The user knows the model better than the table."""
    settings = Settings.from_mapping({"models": {"acme/m-1": said}})
    async with anymodal.Client(settings, plugins=[Brings(Echo(), models=[MODEL])]) as ai:
        reply = await ai.text.generate("Hi", model="acme/m-1", temperature=1.3)

    assert (heard, warnings) == (reply.text, len(reply.record.warnings))
