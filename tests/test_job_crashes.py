"""Jobs whose process is killed: what another one finds, over a real SDK against an emulator."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import attrs
import pytest
from anymodal import Client, Registry, Settings, errors
from anymodal.jobs import ENDED
from anymodal_emulator import Stall, emulated
from anymodal_emulator.running import emulator_specs

pytestmark = pytest.mark.anyio
PATIENCE = 30.0
MODEL = "openai/gpt-6.1-sol"
CLIPS = "bytedance/seedance-2.0/mini/text-to-video"


@attrs.frozen
class Made:
    """A kind of job: who makes it, of which model, and where it is asked for."""

    model: str
    path: str

    @property
    def provider(self) -> str:
        return self.model.partition("/")[0]

    async def submit(self, ai, key):
        """Submit it, as the processes below do."""
        if self.provider == "fal":
            return await ai.video.submit("Waves.", model=self.model, seconds=4, key=key or None)
        return await ai.text.batch(["Name a river."], model=self.model, key=key or None)

    def count(self, vendor) -> int:
        """Return how often one was asked for."""
        return sum((one.method, one.path) == ("POST", self.path) for one in vendor.requests)

    def check(self, result) -> None:
        """See that the work is there."""
        if self.provider == "fal":
            assert result.video.read_bytes()
        else:
            assert 1 == len(result.answers)


BATCH = Made(MODEL, "/v1/batches")
JOBS = [
    BATCH,
    Made("anthropic/claude-sonnet-5-5", "/v1/messages/batches"),
    Made("groq/openai/gpt-oss-120b", "/openai/v1/batches"),
    Made("mistral/mistral-medium-3-5", "/v1/batch/jobs"),
    Made(f"fal/{CLIPS}", f"/{CLIPS}"),
]

SUBMITS = """
import asyncio, json, sys
from anymodal import Client, Settings

async def main(settings, model, key):
    async with Client(Settings.from_mapping(json.loads(settings))) as ai:
        if model.startswith("fal/"):
            job = await ai.video.submit("Waves.", model=model, seconds=4, key=key or None)
        else:
            job = await ai.text.batch(["Name a river."], model=model, key=key or None)
        print(job.token, flush=True)
        if key == "run7/waits":
            async for status in job.progress():
                print(status.state, flush=True)
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
def anyio_backend():
    """On one event loop: what is tried here is processes, files and vendors."""
    return "asyncio"


@pytest.fixture
def made():
    """The kind of job; tests that are about all of them say so."""
    return BATCH


@pytest.fixture
def vendor(made):
    with emulated(made.provider) as running:
        yield running


@pytest.fixture
def settings(vendor, tmp_path):
    return {**vendor.settings(), "store": {"path": str(tmp_path / "state" / "jobs.sqlite")}}


every_kind = pytest.mark.parametrize("made", JOBS, ids=lambda one: one.provider)


def submits(settings: dict[str, object], made: Made, key: str) -> subprocess.Popen[bytes]:
    """Start a process that submits a job, and then waits for ever."""
    words = [json.dumps(settings), made.model, key]
    return subprocess.Popen([sys.executable, "-c", SUBMITS, *words], stdout=subprocess.PIPE)


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)


def wait_for(made: Made, vendor) -> None:
    """Wait until the vendor was asked for a job."""
    pause = threading.Event()
    assert any(made.count(vendor) or pause.wait(0.02) for _ in range(1500))


def client(settings: dict[str, object]) -> Client:
    return Client(Settings.from_mapping(settings), clock=Quick())


@every_kind
@pytest.mark.parametrize("key", ["run7/one", ""])
async def test_killed_before_it_waits(vendor, settings, made, key):
    """The next process has the job, by its key or from the list; it was paid for once."""
    process = submits(settings, made, key)
    token = process.stdout.readline().decode().strip()
    kill(process)

    async with client(settings) as ai:
        (kept,) = await ai.jobs.list()
        assert (token, "queued") == (kept.token, kept.state)
        job = await made.submit(ai, key) if key else await ai.jobs.get(kept.key)
        assert token == job.token
        made.check(await job.result())
        assert ["succeeded"] == [one.state for one in await ai.jobs.list()]
    assert 1 == made.count(vendor)


@every_kind
async def test_killed_while_it_waits(vendor, settings, made):
    """The state that it saw is kept with the job, and the next process waits on."""
    process = submits(settings, made, "run7/waits")
    token, seen = (process.stdout.readline().decode().strip() for _ in range(2))
    kill(process)

    async with client(settings) as ai:
        (kept,) = await ai.jobs.list()
        assert token == kept.token
        assert kept.state in {"queued", "running", "succeeded"} >= {seen}
        states = [status.state async for status in ai.jobs.resume(token).progress()]
        made.check(await ai.jobs.resume(token).result())
    assert "succeeded" == states[-1]
    assert 1 == made.count(vendor)


@every_kind
async def test_killed_between_request_and_answer(vendor, settings, made):
    """Nobody knows whether the vendor made it, so nobody makes it again unasked."""
    vendor.script(Stall(), path=made.path)
    process = submits(settings, made, "run7/one")
    wait_for(made, vendor)
    kill(process)

    async with client(settings) as ai:
        with pytest.raises(errors.OutcomeUnknownError, match="forget"):
            await made.submit(ai, "run7/one")
        with pytest.raises(errors.OutcomeUnknownError):
            await ai.jobs.get("run7/one")
        assert 1 == made.count(vendor)
        assert ["submitting"] == [one.state for one in await ai.jobs.list()]
        await ai.jobs.forget("run7/one")
        await made.submit(ai, "run7/one")
    assert 2 == made.count(vendor)


@every_kind
async def test_cancelled_by_another_process(vendor, settings, made):
    """For real: the vendor is told to stop, and its key makes no other in its place."""
    process = submits(settings, made, "run7/one")
    token = process.stdout.readline().decode().strip()
    kill(process)

    vendor.clear()
    async with client(settings) as ai:
        states = [(await ai.jobs.cancel(token)).state]
        if states[0] not in ENDED:  # some are told, and stop later
            states += [status.state async for status in ai.jobs.resume(token).progress()]
        assert "cancelled" == states[-1]
        assert ["cancelled"] == [one.state for one in await ai.jobs.list()]
        job = await made.submit(ai, "run7/one")
        assert token == job.token
    assert any("cancel" in one.path for one in vendor.requests)
    assert 0 == made.count(vendor)


MAKERS = [
    one.spec
    for modality in ("video", "audio")
    for one in Registry(Settings.empty()).providers(modality)
    if one.instance == one.spec.id
    and any(model.lifecycle.state != "retired" for model in one.spec.models)
]


@pytest.mark.parametrize("spec", MAKERS, ids=lambda spec: f"{spec.id}-{spec.modality}")
async def test_who_can_stop_a_job_says_so(spec):
    """The spec's word and the provider's method agree; who makes no jobs says that, too."""
    with contextlib.ExitStack() as stack:
        served = {one.provider for one in emulator_specs()}
        vendor = stack.enter_context(emulated(spec.id)) if spec.id in served else None
        told = {} if vendor is None else vendor.settings()
        async with Client(Settings.from_mapping(told, environ={})) as ai:
            await ai.warm(spec.id)
            provider = ai._way.doors._open[spec.modality, spec.id].provider
            has_jobs = hasattr(provider, "submit")
            assert spec.capabilities.get("cancel") is (has_jobs and hasattr(provider, "cancel"))
            if not has_jobs:
                model = spec.default_model or spec.models[0].id
                ask = getattr(ai, spec.modality).submit
                with pytest.raises(errors.UnsupportedFeatureError):
                    await ask("Waves.", model=f"{spec.id}/{model}", key="run7/one")
                assert vendor is None or () == vendor.requests


async def test_nothing_in_the_file_is_a_key_or_a_prompt(vendor, settings):
    """The file is copied, mailed and backed up like any other."""
    async with client(settings) as ai:
        await ai.text.batch(["Name a river."], model=MODEL, key="run7", system="Hush.")
        folder = Path(settings["store"]["path"]).parent
        written = b"".join(path.read_bytes() for path in folder.iterdir())

    for word in (vendor.key, "river", "Hush"):
        assert word.encode() not in written
    assert b"run7" in written


async def test_processes_that_submit_at_once_make_one_job(vendor, settings, made):
    """One of them makes it; the others get it, or are told that it is being made."""
    processes = [submits(settings, made, "run7") for _ in range(3)]
    wait_for(made, vendor)
    ended = [one.stdout.readline().decode().strip() for one in processes]
    for one in processes:
        kill(one)

    assert 1 == made.count(vendor)
    assert 1 == len({token for token in ended if token})
