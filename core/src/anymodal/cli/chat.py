"""`anymodal chat`: a conversation, at a terminal or through a pipe."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from .. import errors as e
from ..client import Client
from ..config import Settings
from ..loops import KeptLoop
from .asking import attach_option, attached, model_option, system_option
from .conversation import Conversation
from .ending import Ending, Insisted
from .output import Stdout, note
from .telling import sentence
from .turns import Keyboard, ReadLine, Turn, piped, read_turn

__all__ = ["chat"]

_COMMANDS: Final[Mapping[str, tuple[Callable[[Conversation, str], None], str, str]]] = {
    "attach": (Conversation.attach, "FILE", "Send a file along with what you say next."),
    "model": (Conversation.use, "NAME…", "Go on with another; several are tried in order."),
    "retry": (Conversation.retry, "", "Ask again what was asked last."),
    "save": (Conversation.save, "FILE", "Save the conversation, now and after every answer."),
}
"""What each command does, what follows it, and its help."""

_HELP: Final = (
    *((f"/{name} {words}", does) for name, (_, words, does) in _COMMANDS.items()),
    ("/help", "Show this."),
    ("/quit", "End, as Ctrl-D does. Ctrl-C stops an answer."),
    ("… \\", "The line goes on in the next."),
    ('"""…"""', "The lines between are said as one."),
    ("//…", "Say what begins with a slash."),
)


@click.command
@model_option
@system_option
@attach_option
@click.option(
    "--resume", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Go on from a saved conversation.",
)  # fmt: skip
@click.option(
    "--save", "save_to", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Save the conversation after every answer.",
)  # fmt: skip
@click.option("--no-stream", is_flag=True, help="Write each answer when it is whole.")
@click.option("-v", "--verbose", is_flag=True, help="Tell warnings and cost, on standard error.")
@click.pass_obj
def chat(
    ending: Ending,
    *,
    models: tuple[str, ...],
    system: str | None,
    attachments: tuple[Path, ...],
    resume: Path | None,
    save_to: Path | None,
    no_stream: bool,
    verbose: bool,
) -> None:
    """
    Talk with a model, line by line; /help tells what you can do.

    A line that ends in a backslash goes on in the next; lines between three
    double quotes are said as one. Ctrl-C stops an answer, Ctrl-D ends. Lines
    that are piped in are answered one by one, and the answers are all that is
    written.

    Saved is what was said. Give the models and the system prompt again.
    """
    if sys.stdin is None:
        msg = "Standard input is closed."
        raise click.ClickException(msg)
    if save_to is not None and not save_to.absolute().parent.is_dir():
        msg = f"{save_to}: there is no such directory."
        raise click.BadParameter(msg, param_hint="'--save'")
    first = [attached(path) for path in attachments]
    out = Stdout.taken()
    with _entered() as (client, loop):
        conversation = Conversation(
            client, loop, out,
            models=models, system=system, streams=not no_stream, is_verbose=verbose,
        )  # fmt: skip
        conversation.attached = first
        conversation.save_to = save_to
        if resume is not None:
            _resume(conversation, resume)
        session = _Session(conversation, out, ending)
        session.go_on()
    if session.has_failed:
        click.get_current_context().exit(1)


@contextmanager
def _entered() -> Iterator[tuple[Client, KeptLoop]]:
    """Give a client and the loop that it was entered in, for calls one after another."""
    client = Client(Settings.load())
    loop = KeptLoop()
    try:
        loop.run(client.__aenter__())
        yield client, loop
    finally:
        loop.close(client.aclose)


def _resume(conversation: Conversation, path: Path) -> None:
    try:
        conversation.resume(path)
    except e.InvalidRequestError as error:
        msg = f"{path}: {error}"
        raise click.BadParameter(msg, param_hint="'--resume'") from error


class _Session:
    """
    Reads turns, does what they say, and goes on whatever became of it.

    Attributes:
        has_failed: Whether something did of which a script has to know.
    """

    def __init__(self, conversation: Conversation, out: Stdout, ending: Ending) -> None:
        self._conversation = conversation
        self._out = out
        self._ending = ending
        self._is_interactive = sys.stdin.isatty()
        self._traces = click.get_current_context().find_root().params["traceback"]
        self.has_failed = False

    def go_on(self) -> None:
        """Read and answer until there is nothing more to read."""
        lines: ReadLine = Keyboard(self._out) if self._is_interactive else piped
        if self._is_interactive:
            note("/help tells what you can do; Ctrl-D ends.")
        goes_on = True
        while goes_on:
            try:
                goes_on = self._turn(lines)
            except Insisted:
                raise
            except KeyboardInterrupt:
                if not self._is_interactive:
                    raise
            if self._ending.is_ordered:
                raise KeyboardInterrupt

    def _turn(self, lines: ReadLine) -> bool:
        """Read a turn and do what it says; return whether there may be another."""
        turn = None
        try:
            turn = read_turn(lines)
            if turn is None or turn.command == "quit":
                return False
            self._do(turn)
        except KeyboardInterrupt:
            if turn is not None and self._is_interactive and not self._ending.is_ordered:
                note("Stopped. What was said stays; /retry asks again.")
            raise
        except Exception as error:
            if self._out.is_broken:
                raise
            self.has_failed |= not self._is_interactive
            if self._traces:
                traceback.print_exception(error)
            click.echo(f"Error: {sentence(error)}", err=True)
        return True

    def _do(self, turn: Turn) -> None:
        if turn.command in _COMMANDS:
            _COMMANDS[turn.command][0](self._conversation, turn.words)
        elif turn.command == "help":
            width = max(len(what) for what, _ in _HELP)
            for what, does in _HELP:
                click.echo(f"{what:{width}}  {does}", err=True)
        elif turn.command:
            msg = f"There is no /{turn.command}; see /help. Say // for a slash."
            raise e.InvalidRequestError(msg, field="command")
        elif turn.words.strip():
            self._conversation.say(turn.words)
