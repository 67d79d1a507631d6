"""The tour over everything that is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import anyio
import anymodal
from anymodal_emulator.commands import report
from anymodal_emulator.running import emulator_specs
from anymodal_emulator.tour import operations_of, rows_of, travel
from anymodal_emulator.visits import Visit


def specs():
    registry = anymodal.Registry(anymodal.Settings.empty())
    return [one.spec for one in registry.providers() if one.instance == one.spec.id]


def kinds():
    """The nine, and those that distributions of examples bring."""
    return anymodal.Registry(anymodal.Settings.empty()).modalities()


def test_the_tour_is_well(tmp_path):
    """Every installed provider times its operations, each through its own client."""
    done = subprocess.run(
        [Path(sys.executable).with_name("anymodal"), "tour", "--out", str(tmp_path), "--json"],
        check=False,
        capture_output=True,
        text=True,
    )
    rows = json.loads(done.stdout)["rows"]

    assert [] == [row for row in rows if row["outcome"] != "ok"]
    assert 0 == done.returncode
    assert len(rows) == len(rows_of(specs(), operations_of(kinds())))
    assert {one.name for one in kinds()} == {row["modality"] for row in rows}
    assert {"openai", "openai-compatible"} <= {row["provider"] for row in rows}
    done_by = {
        operation: {row["provider"] for row in rows if row["operation"] == operation}
        for operation in ("batch", "citations")
    }
    assert done_by == {
        "batch": {"anthropic", "groq", "mistral", "openai"},
        "citations": {"anthropic", "groq", "openai"},
    }
    served = {one.provider for one in emulator_specs()}
    assert served == {row["provider"] for row in rows if row["client"]}
    callers = {row["provider"]: row["client"] for row in rows if row["modality"] == "text"}
    assert callers["openai"].startswith("AsyncOpenAI/Python")
    assert callers["openai-compatible"].startswith("anymodal/")
    page = (tmp_path / "index.html").read_text("utf-8")
    assert all(row["provider"] in page for row in rows)
    written = {str(file.relative_to(tmp_path).with_suffix("")) for file in tmp_path.glob("*/*")}
    assert written == {f"{row['modality']}/{row['provider']}-{row['operation']}" for row in rows}


def test_a_closed_port_fails_exactly_its_rows(tmp_path):
    """A tour that cannot fail shows nothing."""
    registry = anymodal.Registry(anymodal.Settings.empty())
    emulators = registry.offers_of("emulators")

    async def go() -> list[Visit]:
        return await travel(
            specs(),
            emulators,
            tmp_path,
            anymodal.Settings.empty(),
            meanwhile=lambda vendors: vendors["openai"].stop(),
        )

    visits = anyio.run(go)

    failed = {visit.row.provider for visit in visits if visit.outcome != "ok"}
    assert {"openai"} == failed
    assert all("ConnectionFailedError" in v.outcome for v in visits if v.row.provider == "openai")
    assert any(visit.outcome == "ok" for visit in visits)
    assert 1 == report(visits, tmp_path, as_json=True)[1]
