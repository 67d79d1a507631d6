"""The commands `anymodal emulate` and `anymodal tour`."""

from __future__ import annotations

import ipaddress
import json
import logging
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from .prefixes import Prefixes
from .running import ServerThread, emulator_specs, load_app
from .server import Server

if TYPE_CHECKING:
    from anymodal.specs import EmulatorSpec

    from .tour import Visit

__all__ = ["emulate", "report", "serve", "table", "tour"]


def emulate(words: Sequence[str]) -> int:
    """Serve every installed emulator until Ctrl-C or SIGTERM, which are raised."""
    return _run(_emulate, "emulate", words)


def tour(words: Sequence[str]) -> int:
    """Call everything installed; return 0 only if every row is ok."""
    return _run(_tour, "tour", words)


def _run(command: click.Command, name: str, words: Sequence[str]) -> int:
    try:
        found = command.main(list(words), f"anymodal {name}", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None  # the command knows by which signal
    return found if isinstance(found, int) else 0


LOOK_UP_SECONDS: Final = 1.0
"""How long is waited at a stretch: a signal that comes right before a wait does not end it."""


# -- emulate --------------------------------------------------------------------------------


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 for any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON, not TOML.")
def _emulate(*, port: int, host: str, as_json: bool) -> NoReturn:
    """Serve every installed emulator, each under /<provider> of one port."""
    serve(emulator_specs(), host=host, port=port, as_json=as_json)


def serve(specs: Iterable[EmulatorSpec], *, host: str, port: int, as_json: bool) -> NoReturn:
    """
    Serve *specs* and print the settings that point there.

    Raises:
        KeyboardInterrupt: The end came, by Ctrl-C or SIGTERM; nothing is served any more.
        ClickException: There is nothing to serve, or the port is taken.
    """
    if not _is_loopback(host):
        click.echo(
            f"Beware: {host} lets other machines in, with keys that anybody knows.", err=True
        )
    served = Prefixes()
    for spec in specs:
        try:
            served.add(spec, load_app(spec))
        except Exception as error:  # noqa: BLE001  # one plugin's fault is not the others'
            click.echo(f"{spec.provider} is not served: {error}", err=True)
    if not served.specs:
        msg = "No installed plugin has an emulator. Try: pip install 'anymodal-openai[emulator]'"
        raise click.ClickException(msg)
    thread = ServerThread(lambda: Server(served, host=host, port=port), name="emulators")
    with _log_to_stderr():
        _serve(thread, served, f"{host}:{port}", as_json=as_json)


def _serve(thread: ServerThread, served: Prefixes, place: str, *, as_json: bool) -> NoReturn:
    try:
        server = thread.start()
    except OSError as error:
        msg = f"Cannot listen on {place}: {error.strerror}. Try another --port."
        raise click.ClickException(msg) from error
    try:
        settings = served.settings(f"http://{_shown(server.host)}:{server.port}")
        click.echo(json.dumps(settings) if as_json else _toml(settings))
        sys.stdout.flush()
        while True:
            threading.Event().wait(LOOK_UP_SECONDS)
    finally:
        thread.stop()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    """Show who calls, while it lasts."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("anymodal_emulator")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)


def _toml(settings: Mapping[str, Mapping[str, Mapping[str, object]]]) -> str:
    lines = []
    for provider, found in settings["providers"].items():
        lines.append(f"[providers.{provider}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in found.items()]
        lines.append("")
    return "\n".join(lines)


# -- tour -----------------------------------------------------------------------------------


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("tour"),
    show_default=True,
    help="Where artefacts and index.html go.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def _tour(*, out: Path, as_json: bool) -> int:
    """Make one call per installed provider and operation, without keys or network."""
    from .tour import tour as visit  # noqa: PLC0415  # brings the client along

    said, status = report(visit(out), out, as_json=as_json)
    click.echo(said)
    return status


def report(visits: Sequence[Visit], out: Path, *, as_json: bool) -> tuple[str, int]:
    """Return what is printed, and the exit status: 0 only if every row is ok."""
    status = 0 if all(visit.outcome == "ok" for visit in visits) else 1
    if as_json:
        return json.dumps({"rows": [visit.to_dict() for visit in visits]}), status
    return f"{table(visits)}\n\n{spent(visits)}\n{out / 'index.html'}", status


def spent(visits: Sequence[Visit]) -> str:
    """Return where the time went, and where the money would have gone."""
    seconds = sum(visit.seconds or 0 for visit in visits)
    said = f"{len(visits)} rows, {seconds:.1f} s of calls"
    if slowest := max(visits, key=lambda visit: visit.seconds or 0, default=None):
        said += f", {slowest.seconds or 0:.1f} s of them {slowest.row.provider}'s {slowest.row.operation}"
    usd: dict[str, Decimal] = {}
    for visit in visits:
        if visit.usd:
            provider = visit.row.provider
            usd[provider] = usd.get(provider, Decimal(0)) + visit.usd
    if not usd:
        return said
    parts = ", ".join(
        f"{name} ${cost:.4f}" for name, cost in sorted(usd.items(), key=lambda one: -one[1])
    )
    return f"{said}; at the vendors' prices ${sum(usd.values()):.4f} ({parts})"


def table(visits: Sequence[Visit]) -> str:
    """Return the rows in columns."""
    head = ["modality", "provider", "operation", "model", "seconds", "first event", "bytes", "usd"]
    lines = [[*head, "client", "outcome"]]
    lines += [[_cell(*column) for column in one.to_dict().items()] for one in visits]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cell(name: str, value: object) -> str:
    if value is None:
        return "-"
    digits = 5 if name == "usd" else 3
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)
