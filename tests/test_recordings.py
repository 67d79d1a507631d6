"""Vendors' own SDKs and sockets, recorded once and played without a vendor."""

from contextlib import ExitStack

import anyio
import pytest
from anymodal import Audio, Client, Settings
from anymodal import errors as e
from anymodal.testing import FakeClock, ReplayError, record, replay
from anymodal_emulator import emulated
from anymodal_emulator.faults import Status
from anymodal_emulator.sounds import wav

VENDORS = ("openai", "anthropic", "mistral", "deepgram", "bfl")
SOUND = Audio(wav("the sea, from afar", 16_000))


def settings_of(addresses, keys):
    return Settings.from_mapping(
        {
            "providers": {
                name: {"base_url": addresses[name], "api_key": keys[name]} for name in addresses
            }
        },
        environ={},
    )


async def use(settings, prompt="Name three rivers."):
    """Call each of them: over SDKs, over HTTP, over a socket, and as a job with a download."""
    found = []
    async with Client(settings, clock=FakeClock()) as ai:
        for model in (
            "openai/gpt-6.1-sol",
            "anthropic/claude-sonnet-5-5",
            "mistral",
        ):
            found.append((await ai.text.generate(prompt, model=model)).text)
            async with ai.text.stream("Stream them.", model=model) as stream:
                found += [event async for event in stream]
        found.append((await ai.transcription.transcribe(SOUND, model="deepgram/nova-3")).text)
        async with ai.transcription.live(format="pcm_s16le_16000", model="deepgram/nova-3") as ear:
            await ear.send(b"\1\0" * 1600)
            await ear.finish()
            found += [event async for event in ear]
        found.append((await ai.image.generate("a lighthouse", model="bfl/flux-2-pro")).image.data)
    return found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The file, what was said, where, and under which keys."""
    tape = tmp_path_factory.mktemp("tapes") / "vendors.json"
    with ExitStack() as stack:
        vendors = [stack.enter_context(emulated(name)) for name in VENDORS]
        addresses = {one.provider: one.base_url for one in vendors}
        keys = {one.provider: one.key for one in vendors}
        with record(tape):
            said = anyio.run(use, settings_of(addresses, keys))
    return tape, said, addresses, keys


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_vendors_are_played(recorded, backend):
    """Word by word, on either event loop, with other keys and nobody there."""
    tape, said, addresses, keys = recorded
    others = {name: f"another key of {name}" for name in keys}
    with replay(tape) as found:
        assert said == anyio.run(use, settings_of(addresses, others), backend=backend)
    assert [] == found.unused()


def test_no_key_is_recorded(recorded):
    """Of none of them."""
    tape, _, _, keys = recorded
    text = tape.read_text("utf-8")

    assert dict.fromkeys(keys, False) == {name: key in text for name, key in keys.items()}
    assert "(scrubbed)" in text


def test_another_prompt_is_told(recorded):
    """By the error of ours, though an SDK stands between."""
    tape, _, addresses, keys = recorded
    with pytest.raises(ReplayError, match=r"\+ .*Name one"), replay(tape):
        anyio.run(use, settings_of(addresses, keys), "Name one river.")


def test_errors_of_vendors_are_played(tmp_path):
    """Retries too: each answer is used once."""
    tape = tmp_path / "tape.json"

    async def ask(settings):
        async with Client(settings, clock=FakeClock()) as ai:
            reply = await ai.text.generate("Hello", model="openai/gpt-6.1-sol")
            return reply.text, [type(one.error) for one in reply.record.attempts]

    with emulated("openai") as vendor:
        settings = settings_of({"openai": vendor.base_url}, {"openai": vendor.key})
        vendor.script(Status(429, retry_after=1))
        with record(tape):
            first = anyio.run(ask, settings)
    with replay(tape):
        assert first == anyio.run(ask, settings)
    assert [e.RateLimitedError, type(None)] == first[1]
