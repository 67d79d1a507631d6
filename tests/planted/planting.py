"""Runs the suite of a modality against its planted faults, each by the clause that it breaks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from anymodal import testing
from anymodal.testing.report import REPORT, Report

from .faults import FAULTS, Fault

__all__ = ["MODALITIES", "planted", "suite_of"]

HERE = Path(__file__).parent
MODALITIES = tuple(path.stem.removeprefix("run_") for path in sorted(HERE.glob("run_*.py")))
"""Those whose faults are planted."""
GOOD = re.compile(r"^class (TestGood\w*)", re.MULTILINE)
"""One for each form of the good provider; another may have what the first has not."""


def suite_of(modality: str) -> type:
    """Return the suite of *modality*."""
    return getattr(testing, f"{modality.title()}Suite")


def planted(modality: str, folder: Path) -> tuple[Report, list[Fault]]:
    """Return the report of a run over the good provider and all faulty ones, and these."""
    faults = [one for one in FAULTS if one.modality == modality]
    methods = {clause.id: name for name, clause in suite_of(modality).clauses().items()}
    file = HERE / f"run_{modality}.py"
    chosen = [f"{file}::Test_{one.id}::{methods[one.clause]}" for one in faults]
    good = [f"{file}::{name}" for name in GOOD.findall(file.read_text("utf-8"))]
    leaves = folder / "report.json"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull,
         "--rootdir", str(HERE), "-W", "error", *(good or [f"{file}::TestGood"]), *chosen],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(HERE), REPORT: str(leaves)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )  # fmt: skip
    assert ran.returncode in {0, 1}, ran.stdout[-3000:] + ran.stderr[-2000:]
    return Report.from_dict(json.loads(leaves.read_text("utf-8"))), faults
