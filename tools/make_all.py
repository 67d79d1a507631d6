"""
Writes `plugins/all/pyproject.toml`: the distribution that needs every plugin there is.

    python tools/make_all.py           writes it
    python tools/make_all.py --check   fails where it is not what would be written
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PLUGINS: Final = Path(__file__).parents[1] / "plugins"
TARGET: Final = PLUGINS / "all" / "pyproject.toml"
VERSIONS: Final = ">=0.1,<0.2"
"""Of one minor version, as long as there is no 1.0."""

BROUGHT: Final = frozenset({"cli", "emulator", "test"})
"""Extras that add nothing: what they need is needed anyway, or by tests alone."""

HEAD: Final = """\
# Written by tools/make_all.py from the plugins that are there; not by hand.
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "anymodal-all"
version = "0.1.0"
description = "Every plugin of anymodal, by one name."
readme = "README.md"
license = "Apache-2.0"
license-files = ["LICENSE"]
requires-python = ">=3.11"
authors = [{ name = "The anymodal authors" }]
keywords = ["ai", "plugins"]
classifiers = [
    "Development Status :: 3 - Alpha",
    "Programming Language :: Python :: 3.11",
    "Programming Language :: Python :: 3.12",
    "Programming Language :: Python :: 3.13",
]
"""
TAIL: Final = """
[tool.hatch.build.targets.wheel]
bypass-selection = true # it has no module: what it needs is all there is to it

[tool.hatch.build.targets.sdist]
include = ["tests", "README.md", "LICENSE"]
"""


def main() -> int:
    """Write, or with `--check` compare; return the exit status."""
    wanted = written()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text("utf-8") == wanted:
            return 0
        sys.stderr.write(f"{TARGET} is out of date. Run: python tools/make_all.py\n")
        return 1
    TARGET.write_text(wanted, "utf-8")
    return 0


def written() -> str:
    """Return what the file should be."""
    projects = {file.parent.name: _project(file) for file in PLUGINS.glob("*/pyproject.toml")}
    names = sorted(str(project["name"]) for folder, project in projects.items() if folder != "all")
    extras = sorted(
        f"{project['name']}[{','.join(found)}]"
        for folder, project in projects.items()
        if folder != "all" and (found := sorted(_extras(project) - BROUGHT))
    )
    needed = [f"anymodal[cli,http]{VERSIONS}", *(name + VERSIONS for name in names)]
    parts = [HEAD, _listed("dependencies", needed), "\n[project.optional-dependencies]\n"]
    parts += [_listed("local", extras), TAIL, "\n[tool.uv.sources]\n"]
    parts += [f"{name} = {{ workspace = true }}\n" for name in ("anymodal", *names)]
    return "".join(parts)


def _project(file: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tomllib.loads(file.read_text("utf-8"))["project"]
    return found


def _extras(project: Mapping[str, Any]) -> set[str]:
    return set(project.get("optional-dependencies", {}))


def _listed(name: str, values: list[str]) -> str:
    lines = "".join(f'    "{value}",\n' for value in values)
    return f"{name} = [\n{lines}]\n"


if __name__ == "__main__":
    sys.exit(main())
