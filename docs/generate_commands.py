"""The page of the command line, in the words of its own `--help`; see generate.py."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import click
from anymodal import Registry, Settings
from anymodal.cli.app import BUILT_IN, anymodal

PAGE = Path(__file__).parent / "reference" / "commands.md"
WIDTH = 100
HEAD = """\
# Commands

`pip install 'anymodal[cli]'` brings the command `anymodal`. Its sub-commands are those of the core and those that
plugins offer, of which the plugins of this repository are shown here.

- Every listing takes `--json`: one JSON document on standard output, and nothing else there.
- Errors go to standard error, in a sentence or two, with exit status 1; 2 is for a wrong use. `--traceback`, before the
  sub-command, shows where an error comes from.
- Progress is shown on a terminal alone.
- A file that is named with `-o` is complete in the end, or as it was.
"""


def page() -> str:
    """Return the page."""
    lines = [HEAD]
    for name in sorted(BUILT_IN):
        command = anymodal.get_command(click.Context(anymodal), name)
        assert command is not None  # it is built in
        lines += _shown(f"anymodal {name}", lambda words, it=command: _help_of(it, words))
    ours = {
        f"anymodal-{file.parent.name}" for file in PAGE.parents[2].glob("plugins/*/pyproject.toml")
    }
    offered = [
        one
        for plugin in Registry(Settings.empty()).plugins()
        if plugin.candidate.distribution.normalised in ours  # examples may be installed too
        for one in plugin.offers.commands
    ]
    for spec in sorted(offered, key=lambda one: one.name):
        lines += _shown(f"anymodal {spec.name}", lambda words, it=spec: _said_by(it.run, words))
    return "\n".join(lines).rstrip() + "\n"


def _shown(name: str, help_of: Callable[[list[str]], str]) -> Iterator[str]:
    """Give the section of a command, with what its own sub-commands say."""
    whole = help_of([])
    yield f"## `{name}`\n\n```text\n{whole}\n```\n"
    inner = whole.partition("\nCommands:\n")[2]
    for word in re.findall(r"^  (\S+)", inner, re.MULTILINE):
        yield f"### `{name} {word}`\n\n```text\n{help_of([word])}\n```\n"


def _help_of(command: click.Command, words: list[str]) -> str:
    context = click.Context(anymodal, info_name="anymodal", max_content_width=WIDTH)
    name = str(command.name)
    for word in ["", *words]:
        if word and isinstance(command, click.Group):
            command, name = command.commands[word], word
        context = click.Context(
            command, parent=context, info_name=name, terminal_width=WIDTH,
            help_option_names=["-h", "--help"],
        )  # fmt: skip
    return command.get_help(context).rstrip()


def _said_by(run: Callable[[list[str]], int], words: list[str]) -> str:
    """Return what a plugin's command says when it is asked for help."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), mock.patch.dict(os.environ, COLUMNS=str(WIDTH)):
        run([*words, "--help"])
    return out.getvalue().rstrip()
