"""The plugin of the tutorial is what its reader would have: installed, and green."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "docs" / "examples" / "quillon"


@pytest.fixture
def installed(tmp_path):
    """A folder on the path, in which the plugin lies as an installer leaves it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    shutil.copytree(EXAMPLE / "src" / "anymodal_quillon", tmp_path / "anymodal_quillon")
    metadata = tmp_path / f"anymodal_quillon-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
        + "".join(f"Requires-Dist: {one}\n" for one in project["dependencies"])
    )
    points = project["entry-points"]["anymodal"]
    lines = ["[anymodal]", *(f"{name} = {module}" for name, module in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANYMODAL_CACHE_DIR": "off",
        "ANYMODAL_CONFIG": os.devnull,
    }


def ran(installed, *words):
    """Return what a program wrote that ended well."""
    done = subprocess.run(
        words, cwd=EXAMPLE, env=installed, check=False, capture_output=True, text=True, timeout=300
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_its_own_tests_are_green(installed):
    """As the last step of the tutorial says."""
    said = ran(installed, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")

    assert " passed" in said


def test_the_command_lists_it(installed):
    """As the step says that installs it."""
    command = Path(sys.executable).with_name("anymodal")
    said = ran(installed, command, "providers", "--modality", "text", "--json")

    assert '"quillon"' in said
