"""One conversation with tools, carried from vendor to vendor as JSON, over what is installed."""

from __future__ import annotations

import contextlib
import json

import anymodal
import pytest
from anymodal import Message
from anymodal.modalities.messages import ProviderState, ToolCall, ToolResult
from anymodal_emulator import emulated
from anymodal_emulator.running import emulator_specs

pytestmark = pytest.mark.anyio

KNOWN = ("openai", "openai-compatible", "anthropic", "groq", "deepseek", "mistral", "ollama")
MODELS = {"openai-compatible": "emulated-small", "ollama": "qwen3:8b"}
INSTALLED = [name for name in KNOWN if name in {spec.provider for spec in emulator_specs()}]
SEALED = "a-seal-that-is-nobody-elses"


def rate(currency: str) -> str:
    """Return the rate of a currency."""
    return f"1.25 for {len(currency)} letters"


def read_clock(zone: str = "UTC") -> dict[str, str]:
    """Return the time."""
    return {"zone": zone[:3], "time": "12:00"}


@contextlib.asynccontextmanager
async def everybody():
    """All vendors on loopback, and one client of them."""
    with contextlib.ExitStack() as stack:
        vendors = {name: stack.enter_context(emulated(name)) for name in INSTALLED}
        providers: dict[str, object] = {}
        for vendor in vendors.values():
            providers |= vendor.settings()["providers"]
        settings = anymodal.Settings.from_mapping({"providers": providers})
        async with anymodal.Client(settings) as ai:
            yield ai, vendors


def model_of(ai, provider):
    """Return a model of *provider* that may have tools and, where there is one, reasons."""
    specs = {offer.spec.id: offer.spec for offer in ai.registry.providers("text")}
    return f"{provider}/{MODELS.get(provider) or specs[provider].default_model}"


def sent(vendor):
    """Return all that went to *vendor*."""
    return "".join(request.body.decode() for request in vendor.requests if request.body)


async def turn(ai, provider, kept, prompt, *, streams):
    """Take one turn with *provider* from what was *kept*; return the answer and the JSON."""
    chat = ai.text.chat(
        model=model_of(ai, provider),
        tools=[rate, read_clock],
        restore=json.loads(kept) if kept else None,
    )
    if streams:
        async with chat.stream(prompt) as stream:
            reply = await stream.result()
    else:
        reply = await chat.generate(prompt)
    return reply, chat, json.dumps(chat.dump())


def test_enough_is_installed():
    """A conversation that moves needs somewhere to move to."""
    assert {"openai", "openai-compatible"} <= set(INSTALLED)


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("first", INSTALLED)
async def test_a_conversation_moves_from_vendor_to_vendor(first, streams):
    """Each runs both tools, hears all turns before its own, and the first is come back to."""
    start = INSTALLED.index(first)
    order = [*INSTALLED[start:], *INSTALLED[:start], first]
    kept = ""
    async with everybody() as (ai, _):
        for number, provider in enumerate(order, 1):
            prompt = f"Turn {number}: use rate and read_clock."
            reply, chat, kept = await turn(ai, provider, kept, prompt, streams=streams)

            assert provider == reply.record.provider
            assert "rate returned: 1.25 for" in reply.text
            assert "read_clock returned:" in reply.text
            assert number == 1 or f"turn {number}" in reply.text
            assert 4 * number == len(chat.messages)
            assert () == chat.pending

    results = [part for m in chat.messages for part in m.parts if isinstance(part, ToolResult)]
    assert 2 * len(order) == len(results)
    assert not any(result.is_error for result in results)


@pytest.mark.parametrize("provider", INSTALLED)
async def test_state_goes_to_its_own_vendor_alone(provider):
    """Elsewhere it is left out, with a warning for each; the conversation keeps it."""
    others = [name for name in INSTALLED if name != provider]
    talk = [
        message.to_dict()
        for name in others
        for message in (
            Message.user("Hello."),
            Message("assistant", ["Hi."], [ProviderState(name, f"{SEALED} but {name}")]),
        )
    ]
    async with everybody() as (ai, vendors):
        kept = json.dumps({"format": 1, "messages": talk})
        reply, _, again = await turn(ai, provider, kept, "Go on.", streams=False)

    assert SEALED not in sent(vendors[provider])
    warned = [w.message for w in reply.record.warnings if w.setting == "state"]
    assert len(others) == len(warned)
    assert all(any(name in message for message in warned) for name in others)
    assert talk == json.loads(again)["messages"][: len(talk)]


@pytest.mark.parametrize("other", [name for name in INSTALLED if name != "openai"])
async def test_reasoning_comes_home(other):
    """What OpenAI sealed goes back to it unchanged, after a turn elsewhere."""
    async with everybody() as (ai, vendors):
        chat = ai.text.chat(model=model_of(ai, "openai"), reasoning="low", tools=[rate])
        await chat.generate("Use rate.")
        seals = [
            kept["item"]["encrypted_content"]
            for message in chat.messages
            for state in message.state
            for kept in state.data
        ]
        assert 2 == len(seals)

        elsewhere = ai.text.chat(model=model_of(ai, other), tools=[rate], restore=chat.dump())
        await elsewhere.generate("And now you: use rate.")
        assert not any(seal in sent(vendors[other]) for seal in seals)

        vendors["openai"].clear()
        home = ai.text.chat(model=model_of(ai, "openai"), tools=[rate], restore=elsewhere.dump())
        reply = await home.generate("And back.")
        assert all(seal in sent(vendors["openai"]) for seal in seals)
        assert "state" not in [
            warning.setting
            for warning in reply.record.warnings
            if "openai wants" in warning.message
        ]


ODD = ("functions.rate:0", "x" * 400, "with spaces / and ümlauts", "call|1", "1")


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("provider", INSTALLED)
async def test_ids_of_calls_are_remade(provider, streams):
    """Whatever another vendor called them, a call and its result keep together."""
    kept = {
        "format": 1,
        "messages": [
            message.to_dict()
            for message in (
                Message.user("Use rate five times."),
                Message.assistant(*(ToolCall(name, "rate", '{"currency":"EUR"}') for name in ODD)),
                Message.user(
                    *(ToolResult(name, f"result {n}", "rate") for n, name in enumerate(ODD))
                ),
            )
        ],
    }
    async with everybody() as (ai, _):
        chat = ai.text.chat(model=model_of(ai, provider), tools=[rate], restore=kept)
        if streams:
            async with chat.stream("What were they?") as stream:
                reply = await stream.result()
        else:
            reply = await chat.step()
            assert all(f"rate returned: result {n}" in reply.text for n in range(len(ODD)))

    assert reply.text


@pytest.mark.parametrize("provider", INSTALLED)
async def test_a_failed_call_moves_to_the_next_vendor(provider):
    """A chat with a list of models fails over in the middle of its rounds."""
    from anymodal_emulator import Status

    other = next(name for name in INSTALLED if name != provider)
    async with everybody() as (ai, vendors):
        chat = ai.text.chat(
            model=[model_of(ai, provider), model_of(ai, other)], tools=[rate], max_rounds=3
        )
        chat.add("Use rate.")
        first = await chat.step()
        await chat.run_tools()
        vendors[provider].script(Status(503), times=9)
        reply = await chat.step()

    assert (provider, other) == (first.record.provider, reply.record.provider)
    assert "rate returned: 1.25" in reply.text


async def test_pydantic_models_are_read_by_themselves():
    """As answers, as arguments of tools, and strictly over the wire."""
    import pydantic

    class Leg(pydantic.BaseModel):
        city: str
        days: int = 1

    class Trip(pydantic.BaseModel):
        name: str
        legs: list[Leg]

    def book(leg):
        return leg

    book.__annotations__ = {"leg": Leg}
    async with everybody() as (ai, vendors):
        for provider in ("openai", "openai-compatible"):
            chat = ai.text.chat(model=model_of(ai, provider), tools=[book], output=Trip)
            reply = await chat.generate("Please book it.")

            assert isinstance(reply.output, Trip)
            assert reply.output.legs[0].city
            (ran,) = [p for m in chat.messages for p in m.parts if isinstance(p, ToolResult)]
            assert {"city", "days"} == json.loads(ran.content).keys()
            assert {"model"} >= {warning.setting for warning in reply.record.warnings}
        form = json.loads(vendors["openai"].requests[-1].body)["text"]["format"]

    assert form["strict"] is True
    assert ["city", "days"] == form["schema"]["$defs"]["Leg"]["required"]
