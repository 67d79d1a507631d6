"""The campaign as a page: what the caller sees of each fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from .dialects import CALLS
from .faults import ROADS, Fault, Road, Seen
from .rows import GROUPS

__all__ = ["PAGE", "Words", "page", "rows_of"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "faults.md"
MOST: Final = 200
WRITE: Final = "FAULTS_PAGE"
"""Variable of the environment that has the page written by the tests that see it all."""

Words: TypeAlias = Mapping[tuple[str, str, str], str]
"""What errors said, by fault, operation and road."""

HEAD: Final = f"""# What goes wrong, and what you see of it

Each row is played to a real call, byte by byte, by a server on loopback (`tests/faults`): over the SDKs of OpenAI and
Anthropic, and over httpx2 and aiohttp for a compatible endpoint; on asyncio and, where it makes a difference, on trio. The
policy is the default one: three attempts. Waits are the longest that chance may make them, in seconds. After each fault
no connection, task or thread is left, no key is in the error, its traceback or its record, and the next call is answered
as if nothing had been.

*Words* are those of one of the roads; the name in brackets behind them is the exception that it came from, and differs
among HTTP libraries. *Text so far* is in the error's `partial`. This page is written by

    {WRITE}=1 pytest tests/faults
"""


def variants(fault: Fault) -> Iterator[tuple[str, Seen, str, Road]]:
    """Iterate over what is seen: of which calls, what, where only, and an example."""
    found: dict[tuple[Seen, str], list[tuple[str, Road]]] = {}
    for operation in fault.operations:
        usual = fault.but.get(operation, fault.seen)
        for road in ROADS:
            seen = fault.expected(road, operation)
            where = "" if seen == usual else road.provider
            where = "aiohttp" if where and road.library in fault.but else where
            found.setdefault((seen, where), []).append((operation, road))
    for (seen, where), cases in found.items():
        calls = list(dict.fromkeys(operation for operation, _ in cases))
        yield ", ".join(calls), seen, where, cases[0][1]


def outcome(seen: Seen) -> str:
    """Return what the call comes to."""
    if seen.error is None:
        odd = [arguments for _, _, arguments in seen.calls if seen.calls != CALLS]
        return "the answer" + "".join(f", with the arguments `{one}`" for one in odd)
    more = [f"`retry_after` {seen.after:g}"] if seen.after is not None else []
    more += [f"text so far: {seen.partial}"] if seen.partial else []
    return f"`{seen.error.__name__}`" + "".join(f", {one}" for one in more)


def rows_of(fault: Fault, words: Words) -> Iterator[str]:
    """Iterate over the lines that the table has of *fault*."""
    for calls, seen, where, road in variants(fault):
        name = fault.name + (f" ({where})" if where else "")
        waits = ", ".join(f"{wait:g}" for wait in seen.waits) or "none"
        said = words.get((fault.name, calls.partition(",")[0], str(road)), "")
        said = said.replace("|", "\\|").removeprefix(f"{road.provider}: ")
        said = said if len(said) <= MOST else f"{said[:MOST]}…"
        yield f"| {name} | {calls} | {outcome(seen)} | {seen.attempts} | {waits} | {said} |"


def page(words: Words) -> str:
    """Return the page."""
    lines = [HEAD]
    for group, faults in GROUPS.items():
        lines += [f"## {group}", "", "| fault | call | outcome | attempts | waits | words |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [row for fault in faults for row in rows_of(fault, words)]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"
