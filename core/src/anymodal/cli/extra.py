"""Sub-commands that plugins offer."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Sequence
from importlib.resources import files
from typing import NoReturn

import click

from .. import errors as e
from ..config import Settings
from ..index import installed, normalise
from ..isolation import Plugin
from ..registry import Registry
from ..specs import CommandSpec
from ..trust import candidates
from .output import Stdout

__all__ = ["command", "offered"]


class PluginCommand(click.Command):
    """A plugin's sub-command. It is given its words as they were typed, `--help` included."""

    def __init__(self, spec: CommandSpec) -> None:
        super().__init__(spec.name, help=spec.help, add_help_option=False)
        self._run = spec.run

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave the words alone."""
        ctx.args = list(args)
        return []

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Run it, and end with the status that it returns."""
        ctx.exit(self._run(ctx.args) or 0)


def offered(*, but: Collection[str]) -> list[tuple[str, str]]:
    """
    Return name and help of what plugins offer, for the help page.

    Plugins are imported in a child process, so that one which hangs or crashes
    keeps nobody from reading it.

    Args:
        but: Names that no plugin can have.
    """
    try:
        settings = Settings.load()
    except e.AnymodalError:
        return []
    found = installed() if settings.plugins.autoload else ()
    healthy = [one for one in candidates(found, settings.plugins) if one.state == "found"]
    if not healthy:
        return []
    from .probe import probe_together  # noqa: PLC0415  # starts an event loop

    reports = probe_together(healthy)
    return sorted({pair for report in reports for pair in report.commands if pair[0] not in but})


def command(name: str, ctx: click.Context, *, built_in: Collection[str]) -> click.Command:
    """
    Return the sub-command called *name* of the one plugin that offers it.

    Raises:
        ClickException: No plugin does, or several do.
    """
    out = Stdout()
    try:
        plugins = Registry(Settings.load()).plugins()
    finally:
        out.give_back()
    found = [(one, spec) for one in plugins for spec in one.offers.commands if spec.name == name]
    if len(found) == 1:
        return PluginCommand(found[0][1])
    if found:
        owners = " and ".join(sorted(one.label for one, _ in found))
        msg = f"The command {name!r} is offered by {owners}. Uninstall or disable all but one."
        raise click.ClickException(msg)
    raise _unknown(name, plugins, ctx, built_in)


def _unknown(
    name: str, plugins: Sequence[Plugin], ctx: click.Context, built_in: Collection[str]
) -> Exception:
    """Say where the command *name* would come from, if that is known."""
    homes = json.loads(files("anymodal.cli").joinpath("commands.json").read_text("utf-8"))
    home = homes.get(name, "")
    for one in plugins:
        if home and one.error and one.candidate.distribution.normalised == normalise(home):
            return one.error
    if home:
        return click.ClickException(
            f"The command {name!r} is not installed. Try: pip install {home}"
        )
    known = [*built_in, *(spec.name for one in plugins for spec in one.offers.commands)]
    close = difflib.get_close_matches(name, known, 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    broken = [one.label for one in plugins if one.state != "loaded"]
    if broken:
        hint += f" Plugins that do not serve: {', '.join(broken)}; see anymodal doctor."
    return click.UsageError(f"No such command {name!r}.{hint}", ctx)
