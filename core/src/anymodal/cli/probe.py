"""
What becomes of plugins when they are imported, found out in child processes.

A plugin that hangs, crashes or prints there does so alone. `python -m
anymodal.cli.probe` is such a child: it reads what to load from standard input
and writes a line of JSON for each plugin as soon as it is known.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

import attrs

from ..index import Distribution
from ..isolation import Plugin, Plugins
from ..trust import Candidate, State

if TYPE_CHECKING:
    from anyio.abc import Process

    from ..lock import Check

__all__ = ["LIMIT_SECONDS", "Report", "probe", "probe_together"]

LIMIT_SECONDS: Final = 10.0
"""How long a child may take. Importing the slowest vendor SDK takes about one second."""


@attrs.frozen
class Report:
    """
    What became of a plugin.

    Attributes:
        state: `loaded` or `broken`, or what it was refused for before.
        error: Why it does not serve, in one sentence and a remedy.
        milliseconds: How long it took to import and prove.
        providers: Ids that it serves.
        commands: Name and help of the sub-commands that it offers.
        lacks_modality: Whether it serves one that it does not bring.
    """

    state: State
    error: str | None = None
    milliseconds: float | None = None
    providers: tuple[str, ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    lacks_modality: bool = False


def probe(found: Sequence[Candidate], *, limit: float = LIMIT_SECONDS) -> list[Report]:
    """
    Import each plugin in a child process of its own; as many at once as there are CPUs.

    Args:
        found: The candidates. Refused ones are reported as what they are.
        limit: Seconds that one may take.
    """
    import anyio  # noqa: PLC0415  # the children need none

    from .ending import run_async  # noqa: PLC0415  # as above

    reports = [Report(one.state, _words(one)) for one in found]

    async def one_alone(index: int, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            told, ending = await _child([found[index]], [0], limit)
        reports[index] = _judged(found[index], told, ending, limit)

    async def among_others(index: int, healthy: Sequence[Candidate]) -> None:
        # those that hang or end the process are not let near it
        told, ending = await _child([found[index], *healthy], [0], limit)
        reports[index] = _judged(found[index], told, ending, limit)

    async def every_one() -> None:
        limiter = anyio.CapacityLimiter(os.cpu_count() or 1)
        async with anyio.create_task_group() as tasks:
            for index, candidate in enumerate(found):
                if candidate.state == "found":
                    tasks.start_soon(one_alone, index, limiter)
        lacking = [index for index, one in enumerate(reports) if one.lacks_modality]
        alive = {index for index, one in enumerate(reports) if one.state == "loaded"}
        for index in lacking:
            await among_others(index, [found[other] for other in sorted(alive - {index})])

    run_async(every_one)
    return reports


def probe_together(found: Sequence[Candidate], *, limit: float = LIMIT_SECONDS) -> list[Report]:
    """
    Import the plugins one after another in one child, and return those that ended well.

    Faster than `probe`; but whatever comes after one that hangs stays unknown.
    """
    from .ending import run_async  # noqa: PLC0415  # the children need none

    told, _ = run_async(lambda: _child(found, range(len(found)), limit))
    return [report for report in told if report.state == "loaded"]


def _judged(candidate: Candidate, told: Sequence[Report], ending: str, limit: float) -> Report:
    if told:
        return attrs.evolve(told[0], error=told[0].error or _words(candidate))
    distribution = candidate.distribution
    label = f"{distribution.name} {distribution.version}".strip()
    msg = (
        f"{label} cannot be loaded: {ending}. Try: pip install -U {distribution.name}; "
        f"or set ANYMODAL_DISABLE_PLUGINS={distribution.normalised}"
    )
    return Report("broken", msg, limit * 1000 if ending == _late(limit) else None)


def _words(candidate: Candidate) -> str | None:
    return None if candidate.error is None else str(candidate.error)


def _late(limit: float) -> str:
    return f"importing it takes longer than {limit:g} s"


# -- the parent's side ------------------------------------------------------------------


async def _child(
    found: Sequence[Candidate], which: Sequence[int], limit: float
) -> tuple[list[Report], str]:
    """
    Load *which* of *found* in a child; return its reports, and how it ended early.

    It is spoken to through files: no pipe can fill up or be kept open by a
    process that a plugin leaves behind.
    """
    import anyio  # noqa: PLC0415  # the children need none

    with (
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as told,
        tempfile.TemporaryFile() as printed,
    ):
        asked.write(_question(found, which))
        asked.seek(0)
        process = await anyio.open_process(
            [sys.executable, "-P", "-m", "anymodal.cli.probe"],
            stdin=asked,
            stdout=told,
            stderr=printed,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},  # noqa: PTH109  # what sys.path's empty entry means
            start_new_session=True,
        )
        try:
            with anyio.move_on_after(limit) as patience:
                await process.wait()
        finally:
            _kill(process)
            with anyio.CancelScope(shield=True):
                status = await process.wait()
        ending = _late(limit) if patience.cancelled_caught else _ending(status)
        told.seek(0)
        return [_report(line) for line in told], ending


def _question(found: Sequence[Candidate], which: Sequence[int]) -> bytes:
    rows = [
        {
            "name": one.distribution.name,
            "version": one.distribution.version,
            "module": one.module,
            "names": one.names,
            "ids": sorted(one.ids),
            "checks": [attrs.asdict(check) for check in one.checks],
        }
        for one in found
    ]
    return json.dumps({"candidates": rows, "load": list(which)}).encode()


def _report(line: bytes) -> Report:
    found = json.loads(line)
    found["providers"] = tuple(found["providers"])
    found["commands"] = tuple((name, words) for name, words in found["commands"])
    return Report(**found)


def _kill(process: Process) -> None:
    """End a child that still runs, and what it started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)


def _ending(status: int) -> str:
    if status < 0:
        return f"it ends the program by {signal.Signals(-status).name}"
    return f"it ends the program with status {status}"


# -- the child's side --------------------------------------------------------------------


def main() -> None:
    """Load what is asked for on standard input, and tell of each plugin in a line of JSON."""
    told = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # for what plugins print
    asked: dict[str, Any] = json.load(sys.stdin)
    plugins = Plugins([_candidate(row) for row in asked["candidates"]])
    for index in asked["load"]:
        plugin = plugins.load(plugins.all[index])
        _tell(plugin, told, lacks_modality=plugins.lacks_modality(plugin))
    os._exit(0)  # threads that plugins left behind are not waited for


def _candidate(row: Mapping[str, Any]) -> Candidate:
    return Candidate(
        Distribution(row["name"], row["version"]),
        row["module"],
        tuple(row["names"]),
        frozenset(row["ids"]),
        checks=tuple(_checks(row["checks"])) if row["checks"] else (),
    )


def _checks(rows: Sequence[Mapping[str, Any]]) -> Iterator[Check]:
    from ..lock import Check  # noqa: PLC0415  # most installations have no lock

    for row in rows:
        yield Check(**row)


def _tell(plugin: Plugin, told: IO[str], *, lacks_modality: bool) -> None:
    providers = {spec.id for specs in plugin.offers.providers.values() for spec in specs}
    report = Report(
        plugin.state,
        None if plugin.error is None else str(plugin.error),
        round(plugin.seconds * 1000, 1),
        tuple(sorted(providers)),
        tuple((one.name, one.help) for one in plugin.offers.commands),
        lacks_modality,
    )
    told.write(json.dumps(attrs.asdict(report)) + "\n")
    told.flush()


if __name__ == "__main__":
    main()
