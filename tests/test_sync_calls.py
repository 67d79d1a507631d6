"""Calls without `await`, and calls of tenants, over the real SDKs against emulators."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import anymodal
import pytest
import trio
from anymodal import Settings, SyncClient, errors
from anymodal.events import CallEnded
from anymodal_emulator import Stall, emulated
from anymodal_emulator.running import emulator_specs
from anymodal_emulator.tour import operations_of, rows_of
from anymodal_emulator.visits import Visit

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "tools" / "make_sync.py"
SDKS = ["openai", "openai-compatible", "anthropic"]
EMULATED = sorted({spec.provider for spec in emulator_specs()})
PATIENCE = 20.0


@pytest.fixture(params=SDKS)
def vendor(request):
    """An emulator."""
    with emulated(request.param) as running:
        yield running


@pytest.fixture
def ai(vendor):
    """A client of the emulator, which leaves neither thread nor socket."""
    before = set(threading.enumerate())
    with SyncClient(Settings.from_mapping(vendor.settings())) as client:
        yield client
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)  # what an SDK leaves behind ends by itself, or not at all
        assert not thread.is_alive(), thread.name
    assert is_left_alone(vendor)


def is_left_alone(vendor) -> bool:
    """Wait until the emulator has no connection, and return whether that came about."""
    pause = threading.Event()
    return any(vendor.connections == 0 or pause.wait(0.02) for _ in range(500))


def model_of(ai: SyncClient, provider: str) -> str:
    """Return the name of a text model that the emulator serves, which it may have to be asked for."""
    (offer,) = (one for one in ai.registry.providers("text") if one.instance == provider)
    name = offer.spec.default_model or (offer.models[0].id if offer.models else "")
    return f"{provider}/{name or ai.run(lambda client: first_listed(client, provider))}"


async def first_listed(client: anymodal.Client, provider: str) -> str:
    """Return the first of the models that the provider lists."""

    async def ask(door, _):
        return (await door.provider.list_models())[0].id

    call = client.text.call("models")
    return await call.run(
        f"{provider}/any", lambda row: row, ask, bind=client.text.bind, needs_of=lambda _: ()
    )


@pytest.fixture
def model(ai, vendor):
    """The name of a model that the emulator serves; nothing of asking for it is left to see."""
    found = model_of(ai, vendor.provider)
    vendor.clear()
    return found


# -- without await ------------------------------------------------------------------------------------


def test_a_call(vendor, ai, model):
    """In one piece, and as a stream; connections are used again."""
    assert "Hello there." in ai.text.generate("Hello there.", model=model).text
    for _ in range(3):
        with ai.text.stream("Hello again.", model=model) as stream:
            assert "Hello again." in "".join(stream.text)
    assert 1 == vendor.connections


def test_a_chat_with_tools(ai, model):
    """As the vendor's protocol has it."""

    def rate(currency: str) -> str:
        """Say what a currency is worth."""
        return f"1.25 of {currency}"

    chat = ai.text.chat(model=model, tools=[rate])
    chat.generate("Use rate.")

    assert any(
        "1.25" in part.content
        for one in chat.messages
        for part in one.parts
        if isinstance(part, anymodal.ToolResult)
    )


def test_sixty_four_threads_at_once(ai, model):
    """Each gets its own answer."""
    start, answers = threading.Barrier(64), {}

    def ask(number: int) -> None:
        start.wait(PATIENCE)
        answers[number] = ai.text.generate(f"Call number {number}.", model=model).text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert 64 == len(answers)
    assert all(f"number {number}." in text for number, text in answers.items())


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_inside_of_a_running_loop(ai, model, library):
    """As in a notebook, after calls outside of it."""

    async def cell() -> str:
        with ai.text.stream("Hello there.", model=model) as stream:
            return "".join(stream.text)

    ai.text.generate("Hello.", model=model)
    found = asyncio.run(cell()) if library == "asyncio" else trio.run(cell)

    assert "Hello there." in found
    assert "Hello." in ai.text.generate("Hello.", model=model).text


@pytest.mark.parametrize("moved", [False, True])
def test_ctrl_c(vendor, ai, model, moved):
    """The connection goes with the call; the client stays."""
    ai.warm(vendor.provider)
    if moved:
        thread = threading.Thread(target=lambda: ai.text.generate("Hello.", model=model))
        thread.start()
        thread.join(PATIENCE)
    vendor.clear()
    vendor.script(Stall())

    def interrupt() -> None:
        pause = threading.Event()
        assert any(vendor.requests or pause.wait(0.02) for _ in range(500))
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        ai.text.generate("Wait.", model=model)
    sender.join(PATIENCE)

    assert is_left_alone(vendor)
    assert "Still there?" in ai.text.generate("Still there?", model=model).text


def test_a_script(vendor, model, tmp_path):
    """The whole of a program, with warnings as errors."""
    lines = [
        f"{key} = {value!r}"
        for key, value in vendor.settings()["providers"][vendor.provider].items()
    ]
    (tmp_path / "anymodal.toml").write_text(
        f"[providers.{vendor.provider}]\n" + "\n".join(lines).replace("'", '"')
    )
    code = f"""
import anymodal, threading
ai = anymodal.SyncClient()
print(ai.text.generate("Hello there.", model={model!r}).text)
thread = threading.Thread(target=lambda: print(ai.text.generate("From a thread.", model={model!r}).text))
thread.start()
thread.join()
ai.close()
assert threading.active_count() == 1, threading.enumerate()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert "" == done.stderr
    assert "Hello there." in done.stdout
    assert "From a thread." in done.stdout


# -- what is generated ----------------------------------------------------------------------------------


def check(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), "--check"], check=False, capture_output=True, text=True
    )


def test_the_sync_faces_are_current():
    """Whoever changes a facade runs the script."""
    done = check(SCRIPT)

    assert "" == done.stderr
    assert 0 == done.returncode


@pytest.fixture
def copied(tmp_path):
    """The sources that the script reads and writes, in a folder of the test's own."""
    for part in ("facades", "sync", "client.py"):
        path = Path("core", "src", "anymodal", part)
        copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copy
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / path, tmp_path / path)
    (tmp_path / "tools").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tools")
    return tmp_path


def test_a_stale_face_is_found_and_mended(copied):
    """A new argument, a new method, and a face that is nobody's any more."""
    script, source = copied / "tools" / SCRIPT.name, copied / "core" / "src" / "anymodal"
    chat = source / "facades" / "chat.py"
    more = "    async def sleep(self, *, seconds: int = 3) -> Chat:\n        return self\n"
    chat.write_text(chat.read_text().replace("    def dump(self)", f"{more}\n    def dump(self)"))
    (source / "sync" / "gone.py").write_text("")
    found = check(script)

    assert 1 == found.returncode
    assert "stale: chat.py, gone.py. Run: python tools/make_sync.py\n" == found.stderr
    subprocess.run([sys.executable, str(script)], check=True)
    written = (source / "sync" / "chat.py").read_text()
    assert "    def sleep(self, *, seconds: int = 3) -> SyncChat:\n" in written
    assert (
        "        return SyncChat(self._loop.run(self._inner.sleep(seconds=seconds)), self._loop)\n"
        in written
    )
    assert not (source / "sync" / "gone.py").exists()
    assert 0 == check(script).returncode


# -- tenants ----------------------------------------------------------------------------------------------


@pytest.fixture
def host(monkeypatch):
    """What makes a host that has keys of its own, in its settings and in its environment."""

    def made(vendor):
        said = {"base_url": vendor.base_url}
        for number, credential in enumerate(credentials_of(vendor.provider)):
            said[credential.name] = f"sk-host-{number}"
            usual = f"{vendor.provider}_{credential.name}".upper().replace("-", "_")
            for name in (*credential.env, usual):
                monkeypatch.setenv(name, f"sk-ambient-{number}")
        return Settings.load(overrides={"providers": {vendor.provider: said}})

    return made


def specs_of(provider):
    """Return what a provider does, a spec for each kind of work."""
    registry = anymodal.Registry(Settings.empty())
    return [one.spec for one in registry.providers() if one.instance == provider]


def credentials_of(provider):
    found = {one.name: one for spec in specs_of(provider) for one in spec.credentials}
    return list(found.values())


def assert_no_key_of_the_host(vendor):
    for request in vendor.requests:
        wire = f"{request.path}?{request.query} {dict(request.headers)} {request.body!r}"
        assert "sk-host" not in wire
        assert "sk-ambient" not in wire


@pytest.mark.parametrize("provider", EMULATED)
def test_a_tenants_calls_carry_no_key_of_the_hosts(provider, host):
    """Whatever is asked, by our hands or by an SDK that looks into the environment by itself."""
    seen = Seen()
    with emulated(provider) as vendor, SyncClient(host(vendor), observers=[seen]) as client:
        tenant = client.scoped("tenant", keys={provider: vendor.key} if vendor.key else {})
        known = operations_of(client.registry.modalities())
        rows = rows_of(specs_of(provider), known)
        for row in rows:
            operation = known[row.modality].get(row.operation)
            if operation is None:
                assert tenant.discover(provider, refresh=True).models
                continue
            name = f"{provider}/{row.model}" if row.model else model_of(tenant, provider)
            visit = Visit(row=row, prompt=operation.prompt)
            tenant.run(lambda ai, o=operation, v=visit, n=name: o.do(ai, v, n))
            assert visit.content

        assert rows
        # a store in memory is a scope of its own within the tenant's
        assert {"tenant"} == {record.scope.partition("/")[0] for record in seen.records}
        # and where words are looked for, somebody made vectors of them
        done = {record.modality for record in seen.records} - {"embedding"}
        assert {row.modality for row in rows} - {"embedding"} == done
        assert len(rows) <= len(vendor.requests)
        assert_no_key_of_the_host(vendor)


class Seen:
    """The records of calls that have ended."""

    def __init__(self):
        self.records = []

    def on_event(self, event):
        if isinstance(event, CallEnded):
            self.records.append(event.record)


@pytest.mark.parametrize("provider", SDKS)
def test_a_tenants_calls_without_await(provider, host):
    """The faces of the client say for whom they call, too."""
    with emulated(provider) as vendor, SyncClient(host(vendor)) as client:
        tenant = client.scoped("tenant", keys={provider: vendor.key} if vendor.key else {})
        name = model_of(tenant, provider)
        made = tenant.text.generate("Hello there.", model=name)
        with tenant.text.stream("Hello there.", model=name) as stream:
            record = stream.result().record

        assert ["tenant", "tenant"] == [made.record.scope, record.scope]
        assert 2 <= len(vendor.requests)
        assert_no_key_of_the_host(vendor)


def test_all_emulated_providers_were_asked():
    """The test above would pass with none installed."""
    assert set(SDKS) <= set(EMULATED)
    assert not any(name.endswith("_API_KEY") for name in os.environ)


def test_a_tenant_that_may_not(vendor):
    """Nothing is sent."""
    with SyncClient(Settings.from_mapping(vendor.settings())) as client:
        tenant = client.scoped("tenant", allow=["nobody"])
        with pytest.raises(errors.ConfigurationError, match="not allowed in the scope 'tenant'"):
            tenant.text.generate("Hello.", model=f"{vendor.provider}/any")

    assert () == vendor.requests
