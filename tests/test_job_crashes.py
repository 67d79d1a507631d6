"""Jobs whose process is killed: what another one finds, over a real SDK against an emulator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import pytest
from anymodal import Client, Settings, errors
from anymodal_emulator import Stall, emulated

pytestmark = pytest.mark.anyio
PATIENCE = 30.0
MODEL = "openai/gpt-6.1-sol"

SUBMITS = """
import asyncio, json, sys
from anymodal import Client, Settings

async def main(settings, model, key):
    async with Client(Settings.from_mapping(json.loads(settings))) as ai:
        job = await ai.text.batch(["Name a river."], model=model, key=key or None)
        print(job.token, flush=True)
        await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""


class Quick:
    """Time that passes only while somebody sleeps."""

    time = 0.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def vendor():
    with emulated("openai") as running:
        yield running


@pytest.fixture
def settings(vendor, tmp_path):
    return {**vendor.settings(), "store": {"path": str(tmp_path / "state" / "jobs.sqlite")}}


def submits(settings: dict[str, object], key: str) -> subprocess.Popen[bytes]:
    """Start a process that submits a job, and then waits for ever."""
    words = [json.dumps(settings), MODEL, key]
    return subprocess.Popen([sys.executable, "-c", SUBMITS, *words], stdout=subprocess.PIPE)


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)


def made(vendor) -> int:
    """Return how often a batch was asked for."""
    return sum((one.method, one.path) == ("POST", "/v1/batches") for one in vendor.requests)


def client(settings: dict[str, object]) -> Client:
    return Client(Settings.from_mapping(settings), clock=Quick())


@pytest.mark.parametrize("key", ["run7", ""])
async def test_killed_while_it_waits(vendor, settings, key):
    """The next process has the job, by its key or from the list; it was paid for once."""
    process = submits(settings, key)
    token = process.stdout.readline().decode().strip()
    kill(process)

    async with client(settings) as ai:
        (kept,) = await ai.jobs.list()
        assert (token, "queued") == (kept.token, kept.state)
        if key:
            job = await ai.text.batch(["Name a river."], model=MODEL, key=key)
        else:
            job = await ai.jobs.get(kept.key)
        batch = await job.result()
        assert 1 == len(batch.answers)
        assert ["succeeded"] == [one.state for one in await ai.jobs.list()]
    assert 1 == made(vendor)


async def test_killed_between_request_and_answer(vendor, settings):
    """Nobody knows whether the vendor made it, so nobody makes it again unasked."""
    vendor.script(Stall(), path="*/batches")
    process = submits(settings, "run7")
    pause = threading.Event()
    assert any(made(vendor) or pause.wait(0.02) for _ in range(1500))
    kill(process)

    async with client(settings) as ai:
        with pytest.raises(errors.OutcomeUnknownError, match="forget"):
            await ai.text.batch(["Name a river."], model=MODEL, key="run7")
        assert 1 == made(vendor)
        assert ["submitting"] == [one.state for one in await ai.jobs.list()]
        await ai.jobs.forget("run7")
        await ai.text.batch(["Name a river."], model=MODEL, key="run7")
    assert 2 == made(vendor)


async def test_nothing_in_the_file_is_a_key_or_a_prompt(vendor, settings):
    """The file is copied, mailed and backed up like any other."""
    async with client(settings) as ai:
        await ai.text.batch(["Name a river."], model=MODEL, key="run7", system="Hush.")
        folder = Path(settings["store"]["path"]).parent
        written = b"".join(path.read_bytes() for path in folder.iterdir())

    for word in (vendor.key, "river", "Hush"):
        assert word.encode() not in written
    assert b"run7" in written


async def test_processes_that_submit_at_once_make_one_job(vendor, settings):
    """One of them makes it; the others get it, or are told that it is being made."""
    processes = [submits(settings, "run7") for _ in range(3)]
    pause = threading.Event()
    assert any(made(vendor) or pause.wait(0.02) for _ in range(1500))
    ended = [one.stdout.readline().decode().strip() for one in processes]
    for one in processes:
        kill(one)

    assert 1 == made(vendor)
    assert 1 == len({token for token in ended if token})
