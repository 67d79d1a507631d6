"""The contract suites find what is planted, and nothing in what is good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .planted.faults import FAULTS
from .planted.planting import MODALITIES, planted, suite_of
from .planted.score import written

CONTRACT = Path(__file__).parent.parent / "docs" / "contract.md"
COMMON = ("plugin", "spec", "call", "cancel", "deadline", "error", "key", "refused")
SHARED = {
    "image": ("made",),
    "video": ("made", "job", "file"),
    "audio": ("made", "job", "file"),
}
"""How ids begin of clauses that not all modalities have."""

NEVER = {"retrieval": {"call.tells-usage", "refused.where-retired"}}
"""What concerns no provider of a modality: stores have no models, and count nothing."""

ROW = re.compile(r"^\| `([\w.-]+)` \| (\w+) \|", re.MULTILINE)


@pytest.fixture(scope="module")
def score(request):
    """What was planted and found, told once all is over."""
    counts = []
    yield counts
    planted, found = sum(one for one, _ in counts), sum(one for _, one in counts)
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nin all: planted {planted}, found {found}")


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_planted_fault_is_found(modality, tmp_path, capsys, score):
    """A suite that finds no fault proves nothing; one that finds some in the good is wrong."""
    report, faults = planted(modality, tmp_path)
    outcomes: dict[tuple[str, str], set[str]] = {}
    for one in report.findings:
        outcomes.setdefault((one.provider, one.clause), set()).add(one.outcome)
    good = {clause: found for (who, clause), found in outcomes.items() if who == "acme"}
    missed = [one for one in faults if outcomes.get((f"acme-{one.id}", one.clause)) != {"broken"}]
    with capsys.disabled():
        print(f"\n{modality}: planted {len(faults)}, found {len(faults) - len(missed)}")
    score.append((len(faults), len(faults) - len(missed)))

    never = NEVER.get(modality, set())
    unshown = {clause: found for clause, found in good.items() if not shows(found)}
    assert {} == {clause: found for clause, found in unshown.items() if clause not in never}
    assert [] == missed


def shows(found):
    """Whether a clause was kept by a good provider, where it concerns it, and broken by none."""
    return "kept" in found and found <= {"kept", "not applicable"}


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


def test_the_page_tells_the_score():
    """How much the suites find is what they are worth: `python -m tests.planted.score` writes it."""
    page = CONTRACT.read_text("utf-8")

    assert page == written(page)
