"""The command's frame: its sub-commands, and how each of them ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

from .._version import __version__
from .ending import terminable

__all__ = ["BUILT_IN", "run"]

BUILT_IN: Final[Mapping[str, str]] = {
    "audio": "anymodal.cli.audio",
    "chat": "anymodal.cli.chat",
    "doctor": "anymodal.cli.doctor",
    "embed": "anymodal.cli.embed",
    "explain": "anymodal.cli.explain",
    "health": "anymodal.cli.health",
    "image": "anymodal.cli.image",
    "index": "anymodal.cli.index",
    "jobs": "anymodal.cli.jobs",
    "keys": "anymodal.cli.keys",
    "models": "anymodal.cli.listings",
    "new-plugin": "anymodal.cli.new_plugin",
    "plugins": "anymodal.cli.plugins",
    "providers": "anymodal.cli.listings",
    "query": "anymodal.cli.query",
    "speak": "anymodal.cli.speak",
    "text": "anymodal.cli.text",
    "transcribe": "anymodal.cli.transcribe",
    "video": "anymodal.cli.video",
}
"""Module of each sub-command, which has the same name there, hyphens aside; imported when it is used."""

SIGPIPE_STATUS: Final = 141
"""What a shell shows of a program that nobody listens to any more."""


class Commands(click.Group):
    """The built-in sub-commands, and those of plugins, which are looked for only when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of the built-in ones."""
        return sorted(BUILT_IN)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the sub-command called *cmd_name*; a built-in name is never a plugin's."""
        if cmd_name in BUILT_IN:
            found: click.Command = getattr(
                import_module(BUILT_IN[cmd_name]), cmd_name.replace("-", "_")
            )
            return found
        if ctx.resilient_parsing or cmd_name.startswith("-"):
            return None
        from . import extra  # noqa: PLC0415  # built-in commands need nothing of plugins' own

        return extra.command(cmd_name, ctx, built_in=BUILT_IN)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the built-in sub-commands, and then those of plugins."""
        super().format_commands(ctx, formatter)
        from . import extra  # noqa: PLC0415  # as above

        if found := extra.offered(but=BUILT_IN):
            with formatter.section("Commands of plugins"):
                formatter.write_dl(found)

    def invoke(self, ctx: click.Context) -> object:
        """Run the sub-command; what it raises becomes a sentence."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            _let_go_of_stdout()
            ctx.exit(SIGPIPE_STATUS)
        except Exception as error:
            if ctx.params["traceback"]:
                raise
            from .telling import sentence  # noqa: PLC0415  # only where something went wrong

            raise click.ClickException(sentence(error)) from error


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="anymodal %(version)s")
@click.option("--traceback", is_flag=True, help="Show where an error comes from.")
def anymodal(*, traceback: bool) -> None:
    """Call the AI providers that are installed, and see what is there."""


def run() -> int:
    """Run the command line, and return its exit status."""
    with terminable() as ending:
        try:
            status = anymodal.main(prog_name="anymodal", standalone_mode=False, obj=ending)
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            return ending.status
        return status if isinstance(status, int) else 0


def _let_go_of_stdout() -> None:
    """Send what is still buffered nowhere; it would be written, and fail, at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
