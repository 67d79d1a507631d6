"""The contract suites find what is planted, and nothing in what is good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .planted.faults import FAULTS
from .planted.planting import MODALITIES, planted, suite_of

CONTRACT = Path(__file__).parent.parent / "docs" / "contract.md"
COMMON = ("plugin", "spec", "call", "cancel", "deadline", "error", "key", "refused")
SHARED = {
    "image": ("made",),
    "video": ("made", "job", "file"),
    "audio": ("made", "job", "file"),
}
"""How ids begin of clauses that not all modalities have."""

ROW = re.compile(r"^\| `([\w.-]+)` \| (\w+) \|", re.MULTILINE)


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_planted_fault_is_found(modality, tmp_path, capsys):
    """A suite that finds no fault proves nothing; one that finds some in the good is wrong."""
    report, faults = planted(modality, tmp_path)
    outcomes: dict[tuple[str, str], set[str]] = {}
    for one in report.findings:
        outcomes.setdefault((one.provider, one.clause), set()).add(one.outcome)
    good = {clause: found for (who, clause), found in outcomes.items() if who == "acme"}
    missed = [one for one in faults if outcomes.get((f"acme-{one.id}", one.clause)) != {"broken"}]
    with capsys.disabled():
        print(f"\n{modality}: planted {len(faults)}, found {len(faults) - len(missed)}")

    assert {} == {clause: found for clause, found in good.items() if found != {"kept"}}
    assert [] == missed


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_clause_has_a_fault(modality):
    """A test that nothing was ever seen to break may be one that cannot fail."""
    broken = {one.clause for one in FAULTS if one.modality in MODALITIES}

    assert set() == {clause.id for clause in suite_of(modality).clauses().values()} - broken


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_page_has_each_clause(modality):
    """By its id and level: the page is what authors read."""
    told = dict(ROW.findall(CONTRACT.read_text("utf-8")))
    clauses = {clause.id: clause.level for clause in suite_of(modality).clauses().values()}
    others = {
        name
        for name in told
        if name.partition(".")[0] in {*COMMON, *SHARED.get(modality, ()), modality}
    }

    assert clauses == {name: told[name] for name in others}


def test_a_fault_breaks_a_clause_of_the_page():
    """The table and the page are of one mind, also where a suite is still to be written."""
    told = dict(ROW.findall(CONTRACT.read_text("utf-8")))

    assert set() == {one.clause for one in FAULTS} ^ set(told)
