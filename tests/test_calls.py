"""Many calls at once, calls that are cancelled, and calls that are wrong, over the real SDK."""

from __future__ import annotations

import asyncio
import gc
import threading

import anyio
import anymodal
import pytest
from anymodal import File, Image, Message, errors
from anymodal.http import Http
from anymodal_emulator import Slow, Stall, emulated

PROVIDERS = ["openai", "openai-compatible"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture(params=PROVIDERS)
def vendor(request):
    """An emulator, and the name of a model that it serves."""
    with emulated(request.param) as running:
        yield running


def model_of(vendor) -> str:
    return {"openai": "openai/gpt-6.1-sol"}.get(vendor.provider, "openai-compatible/emulated-small")


def client_of(vendor) -> anymodal.Client:
    return anymodal.Client(anymodal.Settings.from_mapping(vendor.settings()))


def tasks() -> int:
    """Return how many tasks the running loop has, this one included."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        import trio

        return trio.lowlevel.current_statistics().tasks_living


def our_threads() -> list[str]:
    """Return threads that are neither the tests' servers' nor kept by the loop's library."""
    kept = ("MainThread", "emulator", "wire", "Trio thread", "AnyIO worker", "asyncio_")
    return [one.name for one in threading.enumerate() if not one.name.startswith(kept)]


async def settled(vendor, connections: int) -> int:
    """Wait until the emulator has seen connections go, and return how many are left."""
    for _ in range(200):
        if vendor.connections <= connections:
            break
        await anyio.sleep(0.01)
    return vendor.connections


@pytest.mark.anyio
async def test_sixty_four_calls_at_once(vendor):
    """One client serves many tasks; each gets its own answer."""
    answers: dict[int, str] = {}

    async def ask(number: int) -> None:
        reply = await ai.text.generate(f"Call number {number}.", model=model_of(vendor))
        answers[number] = reply.text

    async with client_of(vendor) as ai:
        async with anyio.create_task_group() as group:
            for number in range(64):
                group.start_soon(ask, number)

    assert 64 == len(answers)
    assert all(f"number {number}." in text for number, text in answers.items())


@pytest.mark.anyio
async def test_sixty_four_streams_at_once(vendor):
    """Streams do not mix either."""
    answers: dict[int, str] = {}

    async def ask(number: int) -> None:
        async with ai.text.stream(f"Call number {number}.", model=model_of(vendor)) as stream:
            answers[number] = "".join([piece async for piece in stream.text])

    async with client_of(vendor) as ai:
        async with anyio.create_task_group() as group:
            for number in range(64):
                group.start_soon(ask, number)

    assert all(f"number {number}." in answers[number] for number in range(64))


@pytest.mark.anyio
@pytest.mark.parametrize("streams", [False, True])
async def test_cancelled_calls_leave_nothing(vendor, streams):
    """Whatever the call was doing, its task, socket and thread go with it."""
    async with client_of(vendor) as ai:
        await ai.warm(vendor.provider)
        before = tasks()
        vendor.script(Stall(), times=64)

        async def ask() -> None:
            if streams:
                async with ai.text.stream("Wait.", model=model_of(vendor)) as stream:
                    await stream.result()
            else:
                await ai.text.generate("Wait.", model=model_of(vendor))

        async with anyio.create_task_group() as group:
            for _ in range(64):
                group.start_soon(ask)
            while len(vendor.requests) < 64:
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()

        assert before == tasks()
        assert 0 == await settled(vendor, 0)
        vendor.clear()
        assert (await ai.text.generate("Still there?", model=model_of(vendor))).text
    gc.collect()
    assert [] == our_threads()
    assert 0 == await settled(vendor, 0)


@pytest.mark.anyio
async def test_a_stream_that_is_cancelled_half_way_leaves_nothing(vendor):
    """The first words have come, the rest never does."""
    async with client_of(vendor) as ai:
        await ai.warm(vendor.provider)
        before = tasks()
        vendor.script(Stall(after_bytes=12_000))
        with anyio.move_on_after(1.0) as scope:
            async with ai.text.stream("word " * 300, model=model_of(vendor)) as stream:
                async for _ in stream:
                    pass

        assert scope.cancelled_caught
        assert stream.record.first_event_seconds is not None
        assert before == tasks()
        assert 0 == await settled(vendor, 0)


@pytest.mark.anyio
async def test_streams_read_to_the_end_share_a_connection(vendor):
    """A whole answer gives its connection back."""
    async with client_of(vendor) as ai:
        for _ in range(5):
            async with ai.text.stream("Again.", model=model_of(vendor)) as stream:
                await stream.result()
            await ai.text.generate("And again.", model=model_of(vendor))

        assert 1 == vendor.connections


@pytest.mark.anyio
async def test_a_stream_may_be_left_early(vendor):
    """The connection is closed, and the record stands."""
    async with client_of(vendor) as ai:
        async with ai.text.stream("word " * 50, model=model_of(vendor)) as stream:
            await anext(stream)

        assert 0 == await settled(vendor, 0)
        assert vendor.provider == stream.record.provider


@pytest.mark.anyio
async def test_a_deadline_bounds_the_whole_call(vendor):
    """And leaves nothing behind."""
    vendor.script(Slow(seconds=30))
    async with client_of(vendor) as ai:
        with pytest.raises(errors.DeadlineExceededError) as caught:
            await ai.text.generate("Hurry.", model=model_of(vendor), timeout=0.2)

        assert vendor.provider == caught.value.record.provider
        assert 0 == await settled(vendor, 0)


BAD = {
    "an empty prompt": ({"prompt": "  "}, "prompt"),
    "an empty list": ({"prompt": []}, "prompt"),
    "no number of tokens": ({"max_tokens": -1}, "max_tokens"),
    "a temperature below zero": ({"temperature": -0.5}, "temperature"),
    "an unknown effort": ({"reasoning": "enormous"}, "reasoning"),
    "a tool that is not there": ({"tool_choice": "sing"}, "tool_choice"),
    "no time": ({"timeout": 0}, "timeout"),
    "options of nobody": ({"options": [{"tier": "flex"}]}, "options"),
    "no names of models": ({"model": []}, "model"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", BAD)
async def test_bad_input_is_refused_before_anything_is_sent(vendor, case):
    """The error names the field."""
    change, field = BAD[case]
    arguments = {"prompt": "Hello.", "model": model_of(vendor), **change}
    async with client_of(vendor) as ai:
        with pytest.raises(errors.InvalidRequestError, match=field) as caught:
            await ai.text.generate(arguments.pop("prompt"), **arguments)

    assert field == caught.value.field
    assert () == vendor.requests


def test_parts_that_are_none_are_refused():
    """Before there is a call at all."""
    with pytest.raises(errors.InvalidRequestError, match="role"):
        Message("robot", ("beep",))
    with pytest.raises(errors.InvalidRequestError, match="image"):
        Image(b"\x00\x01\x02 no picture")
    with pytest.raises(errors.InvalidRequestError, match="image"):
        Image(PNG, media_type="application/pdf")


def test_an_unknown_vendor_option_is_a_type_error():
    """Options are classes, so a typo shows where it is made."""
    from anymodal_openai import OpenAIText

    with pytest.raises(TypeError, match="service_teir"):
        OpenAIText(service_teir="flex")


@pytest.mark.anyio
async def test_a_key_with_a_newline_is_refused(vendor):
    """It would otherwise split the headers. The error names the setting, not the key."""
    found = vendor.settings()
    found["providers"][vendor.provider]["api_key"] = "sk-secret\nx-evil: yes"
    async with anymodal.Client(anymodal.Settings.from_mapping(found)) as ai:
        with pytest.raises(errors.ConfigurationError, match="api_key") as caught:
            await ai.text.generate("Hello.", model=model_of(vendor))

    assert "sk-secret" not in str(caught.value)
    assert () == vendor.requests


def test_a_broken_settings_file_names_its_lines(tmp_path):
    """All faults at once."""
    file = tmp_path / "anymodal.toml"
    file.write_text('[providers.openai]\ntimeout = -1\nenabled = "perhaps"\n\n[defualts]\n')
    with pytest.raises(errors.SettingsError) as caught:
        anymodal.Settings.load(path=file, environ={})

    assert 3 == len(caught.value.faults)
    assert ["anymodal.toml:2", "anymodal.toml:3", "anymodal.toml:5"] == sorted(
        fault[fault.index("anymodal.toml") :].partition(": ")[0] for fault in caught.value.faults
    )


@pytest.mark.anyio
async def test_a_key_shows_nowhere(vendor, caplog):
    """Not in a repr, a log, an error or a record."""
    caplog.set_level("DEBUG")
    seen: list[object] = []
    async with client_of(vendor) as ai:
        reply = await ai.text.generate("Hello.", model=model_of(vendor), raw=True)
        seen += [reply, reply.record, ai.registry.settings, ai.registry.providers()]
        vendor_refuses = anymodal.Settings.from_mapping(
            {
                "providers": {
                    vendor.provider: {"base_url": vendor.base_url, "api_key": "sk-wrong-0123456789"}
                }
            }
        )
        async with anymodal.Client(vendor_refuses) as other:
            with pytest.raises(errors.AuthenticationError) as caught:
                await other.text.generate("Hello.", model=model_of(vendor))
        seen += [caught.value, caught.value.record, caught.value.__cause__]

    text = " ".join(repr(one) + str(one) for one in seen) + caplog.text
    assert vendor.key not in text
    assert "sk-wrong-0123456789" not in text


@pytest.mark.anyio
async def test_media_go_over_the_wire(vendor):
    """The emulator says what it saw."""
    async with client_of(vendor) as ai:
        reply = await ai.text.generate(["Look.", Image(PNG)], model=model_of(vendor))
        assert "image/png" in reply.text
        reply = await ai.text.generate(
            ["Read.", File(b"%PDF-1.7 words", name="a.pdf")], model=model_of(vendor)
        )
        assert "a.pdf" in reply.text or "application/pdf" in reply.text


def test_http_prints_no_key():
    """Plugins may print what they were given."""
    assert "transport" not in repr(Http(provider="x", base_url="http://x", transport=None))
