"""The distribution of all plugins: that it needs every one, and nothing that was not decided."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
OTHERS = {
    file.parent.name: tomllib.loads(file.read_text("utf-8"))["project"]
    for file in (ROOT / "plugins").glob("*/pyproject.toml")
    if file.parent.name != "all"
}


def requirements():
    return [Requirement(one) for one in distribution("anymodal-all").requires or ()]


def test_it_is_as_the_tool_writes_it():
    """A plugin that was added is in it, and one that went is not."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_all.py", "--check"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_every_plugin_is_needed():
    """As installed; each in the versions that the plugins ask of the core themselves."""
    needed = {one.name: one for one in requirements() if one.marker is None}

    assert {"anymodal", *(project["name"] for project in OTHERS.values())} == set(needed)
    assert {">=0.1,<0.2"} == {
        ",".join(sorted(str(one.specifier).split(","), reverse=True)) for one in needed.values()
    }
    assert {"cli", "http"} == needed["anymodal"].extras
    assert len(OTHERS) >= 19


def test_programs_under_other_licences_are_asked_for():
    """They come with the extra alone."""
    asked = {one.name: one.extras for one in requirements() if one.marker is not None}

    assert {"anymodal-espeak": {"library"}, "anymodal-ffmpeg": {"binary"}} == asked


def test_it_has_no_module():
    """Its wheel is metadata."""
    files = distribution("anymodal-all").files or ()

    assert [] == [str(file) for file in files if file.suffix in {".py", ".so"}]
    assert not (ROOT / "plugins" / "all" / "src").exists()
