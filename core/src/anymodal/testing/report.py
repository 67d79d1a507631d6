"""What a run of contract suites found, as data and as words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

import attrs
import pytest

from ..files import write_whole
from .clauses import LEVELS, Level

__all__ = ["REPORT", "Finding", "Outcome", "Report", "gathers"]

REPORT: Final = "ANYMODAL_CONTRACT_REPORT"
"""Variable that names the file in which a run of pytest leaves its report."""

Outcome: TypeAlias = Literal["broken", "excused", "skipped", "kept", "not applicable"]

_UNSETTLED: Final = frozenset({"broken", "skipped"})
_REASON: Final = "Skipped: not applicable: "


@attrs.frozen
class Finding:
    """
    What became of a clause on one event loop.

    Attributes:
        provider: Id of the provider.
        modality: The kind of work.
        clause: The clause's id.
        level: The level that it counts for.
        backend: The event loop.
        outcome: `kept`; `broken`; `skipped` by its author; `excused` by an xfail with a reason;
            or `not applicable`. The second and third stand before the level.
        why: The first words of the failure, or the reason.
    """

    provider: str
    modality: str
    clause: str
    level: Level
    backend: str
    outcome: Outcome
    why: str = ""


@attrs.define
class Report:
    """All findings of a run."""

    findings: list[Finding] = attrs.field(factory=list)

    def providers(self) -> Iterator[tuple[str, str, list[Finding]]]:
        """Give provider, modality and findings of each suite that ran."""
        for provider, modality in dict.fromkeys((f.provider, f.modality) for f in self.findings):
            own = [f for f in self.findings if (f.provider, f.modality) == (provider, modality)]
            yield provider, modality, own

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON has it."""
        suites = [
            {
                "provider": provider,
                "modality": modality,
                "level": reached(found),
                "clauses": [_said(one) for one in found],
            }
            for provider, modality, found in self.providers()
        ]
        return {"suites": suites}

    @classmethod
    def from_dict(cls, found: Mapping[str, object]) -> Report:
        """Return what `to_dict` returned."""
        suites = cast("Sequence[Mapping[str, object]]", found["suites"])
        return cls(
            [
                Finding(suite["provider"], suite["modality"], **clause)  # type: ignore[arg-type]  # our own file
                for suite in suites
                for clause in cast("Sequence[Mapping[str, object]]", suite["clauses"])
            ]
        )

    def lines(self) -> Iterator[str]:
        """Give it in words: a line for each suite, and one for each clause that was not kept."""
        for provider, modality, found in self.providers():
            counts = {one: sum(f.outcome == one for f in found) for one in _ORDER}
            told = ", ".join(f"{count} {one}" for one, count in counts.items() if count)
            yield f"{provider} · {modality}: {reached(found) or 'does not work'} ({told})"
            rest: dict[tuple[Outcome, str], list[Finding]] = {}
            for one in found:
                if one.outcome != "kept":
                    rest.setdefault((one.outcome, one.clause), []).append(one)
            for (outcome, clause), some in sorted(rest.items(), key=lambda row: _place(*row[0])):
                loops = ", ".join(one.backend for one in some)
                yield f"  {outcome:<14}  {clause} [{loops}]  {some[0].why}".rstrip()


_ORDER: Final[tuple[Outcome, ...]] = ("kept", "broken", "excused", "skipped", "not applicable")


def _place(outcome: Outcome, clause: str) -> tuple[int, str]:
    return _ORDER.index(outcome), clause


def reached(found: Sequence[Finding]) -> Level | None:
    """Return the highest level up to which every clause is settled, or None."""
    unsettled = {one.level for one in found if one.outcome in _UNSETTLED}
    highest = None
    for level in LEVELS:
        if level in unsettled:
            break
        highest = level
    return highest


def _said(one: Finding) -> dict[str, object]:
    return attrs.asdict(one, filter=lambda field, _: field.name not in {"provider", "modality"})


# -- in pytest ----------------------------------------------------------------------------


def gathers(config: pytest.Config) -> None:
    """Let this run leave its report in the file that the environment names, if it names one."""
    if (path := os.environ.get(REPORT)) and not config.pluginmanager.hasplugin(REPORT):
        config.pluginmanager.register(_Gatherer(Path(path)), REPORT)


class _Gatherer:
    """Makes a report of what pytest says of the clauses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[tuple[str, ...], Finding] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        said = {name: str(value) for name, value in report.user_properties}
        if "clause" not in said or (report.when != "call" and report.passed):
            return
        key = (said["provider"], said["modality"], said["clause"], said["backend"], report.nodeid)
        if key in self._found and self._found[key].outcome == "broken":
            return
        outcome, why = _verdict(report)
        level = cast("Level", said["level"])
        self._found[key] = Finding(*key[:3], level, key[3], outcome, why)

    def pytest_sessionfinish(self) -> None:
        report = Report(list(self._found.values()))
        write_whole(self._path, json.dumps(report.to_dict(), indent=2).encode())


def _verdict(report: pytest.TestReport) -> tuple[Outcome, str]:
    if hasattr(report, "wasxfail"):
        return "excused", report.wasxfail.removeprefix("reason: ")
    if report.passed:
        return "kept", ""
    if report.skipped:
        words = str(cast("tuple[str, int, str]", report.longrepr)[2])
        if words.startswith(_REASON):
            return "not applicable", words.removeprefix(_REASON)
        return "skipped", words.removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    words = (crash.message if crash else report.longreprtext).strip()
    return "broken", words.partition("\n")[0].removeprefix("AssertionError: ")[:300]
