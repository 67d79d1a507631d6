"""Plugins as they were built against earlier contracts, on the core as it is now."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WHEELS = sorted((Path(__file__).parent / "frozen").glob("*.whl"))


@pytest.fixture(params=WHEELS, ids=lambda wheel: wheel.name)
def frozen(request, tmp_path, monkeypatch):
    """A wheel's package, unpacked where it is found before anything of its name."""
    with zipfile.ZipFile(request.param) as wheel:
        wheel.extractall(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return request.param.name.split("-")[0], tmp_path


def provider_of(package: str) -> str:
    return package.removeprefix("anymodal_").replace("_", "-")


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], check=False, capture_output=True, text=True, timeout=300
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_loads(frozen):
    """It is found where it was unpacked, and nothing is said against it."""
    package, folder = frozen
    rows = json.loads(run("anymodal", "plugins", "--json"))
    found = [row for row in rows if row["providers"] == [provider_of(package)]]
    module = f"import {package} as it; print(it.__file__)"
    where = subprocess.run(
        [sys.executable, "-c", module], check=True, capture_output=True, text=True
    )

    assert ["loaded"] == [row["state"] for row in found]
    assert [None] == [row["error"] for row in found]
    assert where.stdout.startswith(str(folder) + os.sep)


def test_keeps_the_contract(frozen, tmp_path):
    """Each suite of its modalities finds it as whole as on the day it was built."""
    package, _ = frozen
    run("anymodal.testing", provider_of(package), "--json", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))

    assert report["suites"]
    assert {"complete"} == {one["level"] for one in report["suites"]}
