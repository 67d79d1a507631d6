"""The command's frame: what it imports, its plugins' commands, and how errors read."""

import json
import subprocess
import sys

import pytest
from anymodal.cli.app import BUILT_IN

from .distributions import ACME, COMMAND, PATIENCE, Site

LOGS = """
    import sys
    from anymodal import CommandSpec, hookimpl

    print("logs is imported")


    def run(words):
        print(*words, sep="|")
        if "fail" in words:
            raise RuntimeError("sk-key")
        return 7


    @hookimpl
    def anymodal_commands():
        yield CommandSpec(name="logs", help="Search what was called.", run=run)
"""


@pytest.fixture
def site(tmp_path):
    """A place where nothing is installed yet."""
    return Site(tmp_path)


def test_version_loads_no_plugin(site):
    """Nor does it need any."""
    site.install("acme", ACME)
    ended = site.run("--version")

    assert (0, "") == (ended.returncode, ended.stderr)
    assert ended.stdout.startswith("anymodal ")


@pytest.mark.parametrize("name", BUILT_IN)
def test_help_of_built_in_commands_loads_no_plugin(site, name):
    """What a built-in command does no plugin decides."""
    site.install("acme", ACME)
    ended = site.run(name, "--help")

    assert (0, "") == (ended.returncode, ended.stderr)
    assert f"anymodal {name}" in ended.stdout


@pytest.mark.parametrize("library", ["click", "rich"])
def test_without_its_libraries_the_command_says_what_to_install(site, library):
    """They are an extra; a traceback would be no answer."""
    (site.packages / f"{library}.py").write_text(
        f"raise ModuleNotFoundError('gone', name={library!r})", "utf-8"
    )
    ended = site.run("--version")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "Try: pip install 'anymodal[cli]'\n" in ended.stderr
    assert 1 == ended.stderr.count("\n")


def test_module_is_the_command(site):
    """Where scripts are not on the path."""
    ended = subprocess.run(
        [sys.executable, "-m", "anymodal", "nothing"],
        env=site.environ(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )

    assert 2 == ended.returncode
    assert b"Usage: anymodal " in ended.stderr


def test_core_does_not_import_what_the_command_needs():
    """Who uses the library pays for neither click nor rich."""
    check = (
        "import sys, anymodal, anymodal.client, anymodal.registry, anymodal.cli\n"
        "sys.exit(bool({'click', 'rich'} & sys.modules.keys()))"
    )

    assert 0 == subprocess.run([sys.executable, "-c", check], check=False).returncode


def test_unknown_commands_are_usage_errors(site):
    """With what may have been meant."""
    ended = site.run("modles")

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "No such command 'modles'. Did you mean 'models'?" in ended.stderr


def test_faulty_settings_are_named_with_their_line(site):
    """One sentence a fault."""
    file = site.settings("[http]\nbackend = 'carrier-pigeon'\n")
    ended = site.run("providers", "--json")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert f"Error: {file.name}:2: http.backend: one of" in ended.stderr


# -- commands of plugins -------------------------------------------------------------------


def test_plugins_bring_commands(site):
    """They get their words as they were typed, and their status is the command's."""
    site.install("logs", LOGS)
    ended = site.run("logs", "--help", "-x", "--", "y")

    assert (7, "--help|-x|--|y\n") == (ended.returncode, ended.stdout)
    assert "logs is imported\n" == ended.stderr


def test_commands_of_plugins_are_listed(site):
    """Beside the built-in ones."""
    site.install("logs", LOGS)
    ended = site.run("--help")

    assert (0, "") == (ended.returncode, ended.stderr)
    assert "Commands of plugins:\n  logs  Search what was called.\n" in ended.stdout


def test_help_is_there_whatever_plugins_do(site):
    """A plugin that ends the program while it is imported ends its own process only."""
    site.install("crash", "import os; os._exit(3)")
    ended = site.run("--help")

    assert 0 == ended.returncode
    assert "doctor" in ended.stdout


def test_command_of_a_plugin_that_fails_is_one_sentence(site):
    """Its words may hold anything, so its kind alone is told."""
    site.install("logs", LOGS)
    ended = site.run("logs", "fail")

    assert 1 == ended.returncode
    assert "Error: unexpected RuntimeError." in ended.stderr
    assert "sk-key" not in ended.stderr


def test_built_in_names_are_never_a_plugins(site):
    """Installing something changes no command that there is."""
    site.install("logs", LOGS.replace('name="logs"', 'name="plugins"'))
    ended = site.run("plugins", "--json")

    assert "logs" in [row["entry_point"].partition(" ")[0] for row in json.loads(ended.stdout)]


def test_command_of_two_plugins_is_nobodys(site):
    """Which of them was meant nobody knows."""
    site.install("logs", LOGS)
    site.install("other", LOGS)
    ended = site.run("logs")

    assert 1 == ended.returncode
    assert "offered by anymodal-logs 1.0 and anymodal-other 1.0" in ended.stderr


def test_command_of_a_known_plugin_says_what_to_install(site):
    """It is in the documentation, after all."""
    ended = site.run("tour")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "'tour' is not installed. Try: pip install anymodal-emulator\n" in ended.stderr


def test_command_of_a_broken_plugin_says_what_is_wrong(site):
    """To install it again would not help."""
    site.install("emulator", "import nothing_of_that_name")
    ended = site.run("tour")

    assert 1 == ended.returncode
    assert "anymodal-emulator 1.0 cannot be loaded: it needs the module" in ended.stderr


def test_closed_standard_output_is_told_of(site):
    """`anymodal plugins >&-` has nowhere to write."""
    ended = subprocess.run(
        ["sh", "-c", f"exec '{COMMAND}' plugins >&-"],
        env=site.environ(),
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )

    assert (1, b"Error: Standard output is closed.\n") == (ended.returncode, ended.stderr)


def test_closed_standard_error_harms_nobody(site):
    """What plugins print goes nowhere then, and still not into the document."""
    site.install("acme", ACME)
    ended = subprocess.run(
        ["sh", "-c", f"exec '{COMMAND}' providers --json 2>&-"],
        env=site.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )

    assert 0 == ended.returncode
    assert ["acme"] == [row["provider"] for row in json.loads(ended.stdout)]


def test_every_built_in_command_is_where_the_table_says():
    """It is imported only when it is used, so nothing else would tell."""
    from importlib import import_module

    import click

    for name, module in BUILT_IN.items():
        found = getattr(import_module(module), name.replace("-", "_"))
        assert isinstance(found, click.Command)
        assert name == found.name
        assert found.help
