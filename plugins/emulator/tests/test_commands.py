"""`anymodal emulate`, and what the plugin offers."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import anymodal
import anymodal_emulator
import click
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import commands
from anymodal_emulator.prefixes import Prefixes
from anymodal_emulator.running import ServerThread, emulated
from anymodal_emulator.server import Server

from .conftest import a_vendor

SCRIPT = """
import sys
import click
from anymodal.specs import EmulatorSpec
from anymodal_emulator import commands
specs = [
    EmulatorSpec(provider="acme", app="acme_app:app", key="acme-key", base_path="/v1"),
    EmulatorSpec(provider="gone", app="nowhere:app"),
]
as_json, port = sys.argv[1] == "json", int(sys.argv[2])
try:
    sys.exit(commands.serve(specs, host="127.0.0.1", port=port, as_json=as_json))
except click.ClickException as error:
    error.show()
    sys.exit(error.exit_code)
except KeyboardInterrupt:
    sys.exit(130)
"""
APP = """
from anymodal_emulator.app import Emulator, Reply
app = Emulator("acme", refuse=lambda e: Reply.json(e.kind, status=e.status), fail=Reply)
app.route("GET", "/v1/hello")(lambda request: Reply(200, request.key.encode()))
"""


@pytest.fixture
def emulate(tmp_path):
    """Runs the command in a process of its own."""
    (tmp_path / "acme_app.py").write_text(APP)
    begun = []

    def begin(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SCRIPT, *words],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def test_emulate_serves_until_interrupted(emulate):
    """The settings that it prints lead there; the log says who called; no traceback."""
    process = emulate("json", "0")
    settings = json.loads(process.stdout.readline())
    acme = settings["providers"]["acme"]
    asked = urllib.request.Request(f"{acme['base_url']}/hello", headers={"user-agent": "me/1"})
    with urllib.request.urlopen(asked) as answer:
        assert answer.read().decode() == acme["api_key"]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)

    assert process.returncode == 130
    assert "gone is not served: No module named 'nowhere'" in err
    assert "GET /acme/v1/hello 200 by me/1" in err
    assert "Traceback" not in err
    assert list(settings["providers"]) == ["acme"]


def test_emulate_prints_toml_that_the_client_reads(emulate):
    """To be pasted into anymodal.toml."""
    import tomllib

    process = emulate("toml", "0")
    lines = iter(process.stdout.readline, "\n")
    settings = tomllib.loads("".join(lines))

    found = anymodal.Settings.from_mapping(settings)
    assert found.providers["acme"].base_url.endswith("/acme/v1")


def test_taken_port_is_said_in_a_sentence(emulate):
    """And the status is that of a failure."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = emulate("toml", str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=10)

    assert process.returncode == 1
    assert "Error: Cannot listen on 127.0.0.1:" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_other_hosts_than_loopback_are_known(host, loopback):
    """For them there is a warning."""
    assert commands._is_loopback(host) is loopback


def test_without_any_emulator_the_command_says_what_to_install():
    """An empty server would be of no use."""
    with pytest.raises(click.ClickException, match="pip install"):
        commands.serve([], host="127.0.0.1", port=0, as_json=False)


def test_serving_others_than_this_machine_is_warned_of(capsys):
    """Before anything listens."""
    with pytest.raises(click.ClickException):
        commands.serve([], host="0.0.0.0", port=0, as_json=False)

    assert "0.0.0.0 lets other machines in" in capsys.readouterr().err


def test_prefixes_keep_vendors_apart():
    """Each has its own key and its own memory."""
    served = Prefixes()
    served.add(EmulatorSpec(provider="acme", app="a:b", key="one", base_path="/v1"), a_vendor())
    served.add(EmulatorSpec(provider="zeta", app="a:b", base_path="/v1"), a_vendor())
    thread = ServerThread(lambda: Server(served))
    root = f"http://127.0.0.1:{thread.start().port}"
    try:
        found = [
            json.load(urllib.request.urlopen(f"{root}/{name}/v1/jobs/a/b"))
            for name in ("acme", "zeta")
        ]
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{root}/nobody/v1/hello")
        with caught.value as error:
            said = json.load(error)
    finally:
        thread.stop()

    assert found[0] == found[1]
    assert "/acme, /zeta" in said["error"]["message"]
    assert served.settings("http://a") == {
        "providers": {
            "acme": {"base_url": "http://a/acme/v1", "api_key": "one"},
            "zeta": {"base_url": "http://a/zeta/v1"},
        }
    }


def test_plugin_offers_its_commands_through_the_hook():
    """A hook that `dir()` hides would not be found."""
    manager = anymodal.plugin_manager(autoload=False)
    manager.register(anymodal_emulator)
    offered = [spec.name for specs in manager.hook.anymodal_commands() for spec in specs]

    assert offered == ["emulate", "tour"]


def test_vendor_that_is_not_installed_is_said_by_name():
    """With what to install."""
    with pytest.raises(LookupError, match=r"anymodal-nobody\[emulator\]"):
        emulated("nobody")


def test_every_public_name_is_there():
    """They are imported when first used, so a wrong home would show late."""
    for name in anymodal_emulator.__all__:
        assert getattr(anymodal_emulator, name)
    with pytest.raises(AttributeError):
        anymodal_emulator.nothing  # noqa: B018


def test_top_module_is_cheap():
    """Listing plugins pays for it in every process."""
    check = (
        "import sys, anymodal_emulator; "
        "sys.exit(bool({'h11', 'asyncio', 'click', 'json', 'pydantic'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
