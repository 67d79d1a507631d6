"""Ctrl-C and SIGTERM, sent to real processes: how they end, and what they leave."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from anymodal import Client, Settings
from anymodal_emulator import Stall, emulated

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")

PATIENCE = 45.0
MODEL = "openai/gpt-6.1-sol"
ENDS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


class Home:
    """
    A user's folder, and processes that run there.

    Args:
        folder: The folder.
        settings: What stands in `anymodal.toml`.
    """

    def __init__(self, folder: Path, settings: dict[str, dict[str, dict[str, object]]]) -> None:
        self.folder = folder
        lines = ['[plugins]\nuse = ["sqlite-log"]']
        for name, said in settings["providers"].items():
            lines += [f"[providers.{name}]", *(f"{k} = {json.dumps(v)}" for k, v in said.items())]
        (folder / "anymodal.toml").write_text("\n".join(lines))
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_KEY")},
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
        }
        self.begun: list[subprocess.Popen[bytes]] = []

    def starts(self, *words: str) -> subprocess.Popen[bytes]:
        """Start Python with *words*, in a process group of its own."""
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.begun.append(process)
        return process

    def command(self, *words: str) -> subprocess.Popen[bytes]:
        return self.starts("-m", "anymodal", *words)

    def check_files(self) -> None:
        """Fail where a file is not whole."""
        for file in [one for one in self.folder.rglob("*") if one.is_file()]:
            assert ".part" not in file.name, file
            if file.suffix == ".json":
                json.loads(file.read_bytes())
            if file.suffix == ".html":
                assert file.read_text("utf-8").rstrip().endswith("</html>")
            if file.suffix == ".sqlite":
                with closing(sqlite3.connect(file)) as db:
                    assert ("ok",) == db.execute("PRAGMA integrity_check").fetchone()


@pytest.fixture
def vendor():
    with emulated("openai") as running:
        yield running


@pytest.fixture
def home(vendor, tmp_path):
    found = Home(tmp_path, vendor.settings())
    yield found
    for process in found.begun:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def until(fact) -> None:
    pause = threading.Event()
    assert any(fact() or pause.wait(0.02) for _ in range(int(PATIENCE / 0.02)))


def ended(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Wait for the end of a process, whose children are to have ended with it."""
    out, err = process.communicate(timeout=PATIENCE)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert b"Traceback" not in err, err.decode()
    return out, err


def token_of(settings) -> str:
    """Submit a batch, and return its token."""

    async def submit() -> str:
        async with Client(Settings.from_mapping(settings)) as ai:
            return (await ai.text.batch(["Name a river."], model=MODEL)).token

    return anyio.run(submit)


# -- the command --------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "status"), ENDS)
def test_commands_that_wait_for_a_vendor(home, vendor, tmp_path, number, status):
    """Each ends by the signal's own status, closes its connections, and leaves whole files."""
    token = token_of({**vendor.settings(), "store": {"path": str(tmp_path / "jobs.sqlite")}})
    vendor.clear()
    vendor.script(Stall(), times=1000)
    processes = [
        home.command("text", "hi", "-m", MODEL),
        home.command("text", "hi", "-m", MODEL, "--json"),
        home.command("chat", "-m", MODEL, "--save", "chat.json"),
        home.command("jobs", "resume", token),
        home.command("models", "--refresh", "--provider", "openai"),
        home.command("health", "--provider", "openai"),
    ]
    processes[2].stdin.write(b"hi\n")
    processes[2].stdin.flush()
    for process in (*processes[:2], *processes[3:]):
        process.stdin.close()
        process.stdin = None
    until(lambda: len(vendor.requests) >= len(processes))
    for process in processes:
        process.send_signal(number)
    for process in processes:
        out, err = ended(process)
        assert (status, b"", b"") == (process.returncode, out.strip(), err.strip())

    until(lambda: vendor.connections == 0)
    home.check_files()


@pytest.mark.parametrize(("number", "status"), ENDS)
def test_serving_and_touring(home, number, status):
    """What serves stops to serve; of the tour there is a whole page or none."""
    serving, touring = home.command("emulate", "--json"), home.command("tour", "--out", "tour")
    assert json.loads(serving.stdout.readline())["providers"]
    for process in (serving, touring):
        process.send_signal(number)
        ended(process)
        assert status == process.returncode
    home.check_files()


def test_stopped_at_any_moment(home):
    """Also while a command begins or ends there is no traceback, and no file is half-written."""
    pause = threading.Event()
    commands = [("tour", "--out", "tour"), ("logs", "list"), ("text", "hi", "-m", MODEL)]
    processes = [home.command(*words) for words in (*commands, *commands)]
    for process in processes:
        pause.wait(0.25)
        process.send_signal(signal.SIGINT)
    for process in processes:
        _, err = process.communicate(timeout=PATIENCE)
        assert b"in _main" not in err  # before that it is Python itself that says so
        assert process.returncode in {130, 0, 1, -signal.SIGINT}
    home.check_files()


# -- a program of the user's -----------------------------------------------------------------------

PROGRAM = """
import sys, threading
from anymodal import SyncClient

what, model = sys.argv[1:]
ai = SyncClient().__enter__()

def sees() -> str:
    return "a sail"

def call():
    match what.removesuffix("-threads"):
        case "generate":
            ai.text.generate("Hi.", model=model)
        case "stream":
            with ai.text.stream("Hi.", model=model) as stream:
                stream.result()
        case "chat":
            ai.text.chat(model=model, tools=[sees]).generate("Hi.")
        case "batch":
            ai.text.batch(["Hi."], model=model).result()

found = []
is_over = threading.Event()

def go_on():
    while not is_over.is_set():
        found.append(ai.text.generate("Other.", model=model).text)

others = threading.Thread(target=go_on)
if what.endswith("-threads"):
    others.start()
try:
    call()
except KeyboardInterrupt:
    print("stopped", flush=True)
if what.endswith("-threads"):
    is_over.set()
    others.join()
    assert found
print(ai.text.generate("Again.", model=model).record.model, flush=True)
ai.close()
names = {one.name for one in threading.enumerate()}
print(sorted(names - {"MainThread", "anymodal-sqlite-log_0"}))  # that writes to the end
"""


@pytest.mark.parametrize("what", ["generate", "stream", "chat", "batch", "batch-threads"])
def test_ctrl_c_in_a_program(home, vendor, what):
    """The call ends, the calls of other threads do not; the client is as it was."""
    vendor.script(Stall(), path="*/batches/*" if what.startswith("batch") else "*")
    process = home.starts("-W", "error::ResourceWarning", "-c", PROGRAM, what, MODEL)
    until(lambda: vendor.pending == 0)
    process.send_signal(signal.SIGINT)
    out, _ = ended(process)

    assert 0 == process.returncode
    assert ["stopped", "gpt-6.1-sol", "[]"] == out.decode().split("\n")[:3]
    until(lambda: vendor.connections == 0)


def test_sigterm_in_a_program(home, vendor):
    """It ends as any program does that does not care."""
    vendor.script(Stall())
    process = home.starts("-c", PROGRAM, "generate", MODEL)
    until(lambda: vendor.pending == 0)
    process.send_signal(signal.SIGTERM)
    ended(process)

    assert -signal.SIGTERM == process.returncode
    until(lambda: vendor.connections == 0)


FORGETS = """
import sys, threading
from anymodal import SyncClient

ai = SyncClient()
if sys.argv[2] == "thread":
    thread = threading.Thread(target=ai.text.generate, args=("Hi.",), kwargs={"model": sys.argv[1]})
    thread.start()
    thread.join()
ai.text.generate("Hi.", model=sys.argv[1])
"""


@pytest.mark.parametrize("where", ["here", "thread"])
def test_a_program_that_forgets_to_close(home, vendor, where):
    """It ends at once, and is told of it where warnings are wanted."""
    process = home.starts("-W", "default::ResourceWarning", "-c", FORGETS, MODEL, where)
    _, err = ended(process)

    assert 0 == process.returncode
    assert b"SyncClient was not closed" in err
    until(lambda: vendor.connections == 0)
