"""
What `anymodal new-plugin` makes is green as it is: installed, and run by its own suites.

Each modality is made alone, so that none leans on another; all nine together are read by
the checkers, under names of every length.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import attrs
import pytest
from anymodal.cli.template import LONGEST, Template

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "new-plugin.md"
MODALITIES = Template.packaged().modalities
TOGETHER = [("text", "speech"), ("image", "video", "audio"), tuple(MODALITIES)]
BRIEFLY = "it_connects or has_an_answer or hooks_repeat or is_light"
PATIENCE = 300
AT_ONCE = 3
"""Tests of contracts wait as much as they work."""


@attrs.frozen
class Made:
    """A plugin that was made, and installed beside everything else."""

    name: str
    folder: object
    environ: dict

    def run(self, *words):
        """Run a module of the interpreter's, in the plugin's folder."""
        return subprocess.run(
            [sys.executable, "-m", *words], cwd=self.folder, env=self.environ,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip

    def json(self, *words):
        """Return what the command says."""
        return json.loads(self.run("anymodal", *words, "--json").stdout)


def make(parent, name, modalities):
    """Make a plugin and install it, as its author would, into a place of its own."""
    environ = {**os.environ, "ANYMODAL_CACHE_DIR": str(parent / f"{name}-cache")}
    words = ["new-plugin", name, "--modality", ",".join(modalities), "--out", str(parent), "--json"]
    said = subprocess.run(
        [sys.executable, "-m", "anymodal", *words], env=environ,
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (0, "") == (said.returncode, said.stderr)
    folder, packages = parent / f"anymodal-{name}", parent / f"{name}-packages"
    install = ["uv", "pip", "install", "--quiet", "--no-sources", "--no-deps"]
    subprocess.run(
        [*install, "--python", sys.executable, "--target", str(packages), str(folder)],
        env=environ, timeout=PATIENCE, check=True,
    )  # fmt: skip
    seen = {"PYTHONPATH": str(packages), "ANYMODAL_PLUGINS": f"anymodal-{name}"}
    return Made(name, folder, {**environ, **seen})


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The plugins of one modality each, and what their tests said: several run at a time."""
    parent = tmp_path_factory.mktemp("alone")

    def tested(modality):
        made = make(parent, f"acme-{modality}", [modality])
        report = parent / f"{modality}.json"
        environ = {**made.environ, "ANYMODAL_CONTRACT_REPORT": str(report)}
        ran = attrs.evolve(made, environ=environ).run("pytest", "-q", "-p", "no:cacheprovider")
        return made, ran, report

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(MODALITIES, pool.map(tested, MODALITIES), strict=True))


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_modality_alone_is_green(alone, modality):
    """Its whole contract is kept: nothing is broken, excused or left out."""
    _, ran, report = alone[modality]
    assert 0 == ran.returncode, ran.stdout[-3000:]
    (suite,) = json.loads(report.read_text("utf-8"))["suites"]

    assert (modality, "complete") == (suite["modality"], suite["level"])
    outcomes = {one["outcome"] for one in suite["clauses"]}
    assert {"kept", "not applicable"} >= outcomes


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_modality_alone_pleases_the_linter(alone, modality):
    """What was taken out has left no import behind, and no gap."""
    made, *_ = alone[modality]
    for words in (("check",), ("format", "--check")):
        said = made.run("ruff", *words, ".")
        assert 0 == said.returncode, said.stdout


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Plugins of several modalities, the last of them of all."""
    parent = tmp_path_factory.mktemp("together")
    return {some: make(parent, f"acme-{len(some)}", some) for some in TOGETHER}


@pytest.mark.parametrize("some", TOGETHER, ids="+".join)
def test_several_are_one_plugin(together, some):
    """Each of its providers is seen, connects and answers; nothing is wrong with it."""
    made = together[some]
    (row,) = (one for one in made.json("plugins") if one["name"] == f"anymodal-{made.name}")
    offered = [one for one in made.json("providers") if one["provider"] == made.name]
    complaints = [one for one in made.json("doctor") if made.name in json.dumps(one)]
    ran = made.run("pytest", "-q", "-p", "no:cacheprovider", "-k", BRIEFLY)

    assert ("loaded", None) == (row["state"], row["error"])
    assert set(some) == {one["modality"] for one in offered}
    assert [("information", "credentials")] == [(one["level"], one["about"]) for one in complaints]
    assert 0 == ran.returncode, ran.stdout[-3000:]


def test_types_are_strict(together):
    """As its own settings have it, its tests too."""
    made = together[tuple(MODALITIES)]
    for words in (("-p", "anymodal_acme_9"), ("tests",)):
        said = made.run("mypy", *words)
        assert 0 == said.returncode, said.stdout


@pytest.mark.parametrize("name", ["q", "a-b-c-d", "z" * LONGEST])
def test_no_name_is_too_short_or_too_long(name, tmp_path):
    """Lines stay as the formatter would break them, and imports in their order."""
    folder = Template.packaged().write(name, MODALITIES, tmp_path)
    for words in (("check",), ("format", "--check")):
        said = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "."], cwd=folder,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert 0 == said.returncode, said.stdout


def test_a_report_needs_no_test_file(alone):
    """`python -m anymodal.testing` says how far a plugin is."""
    made, *_ = alone["text"]
    said = made.run("anymodal.testing", made.name)

    assert 0 == said.returncode, said.stdout
    assert said.stdout.startswith("acme-text · text: complete (")


def own_lines(code):
    """Return how many lines of a module are its author's: none is empty, imported, or words."""
    tree = ast.parse(code)
    others = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) or is_words(node):
            others |= set(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(code.splitlines(), 1)
    return sum(bool(line.partition("#")[0].strip()) and at not in others for at, line in lines)


def is_words(node):
    """Whether a statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_a_text_provider_is_fifteen_lines():
    """The module of text, whole, but for imports and docstrings: what its author has to write."""
    made = Template.packaged().made("acme", ["text"])

    assert own_lines(made["src/anymodal_acme/text.py"]) <= 15


def test_the_page_counts_as_many_lines():
    """What an author is told to expect is what there is."""
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    made = Template.packaged().made("acme", MODALITIES)

    assert {one: (int(own), int(emulator)) for one, own, emulator in rows} == {
        one: tuple(
            own_lines(made[f"src/anymodal_acme/{folder}{one}.py"]) for folder in ("", "emulator/")
        )
        for one in MODALITIES
    }


def test_lines_are_counted_as_they_are_said_to_be():
    """Neither words nor imports nor empty lines; all else, brackets too."""
    code = '"""Words."""\n\nimport os\n\nFOUND = [\n    os.sep,  # why\n]\n# nothing\n'

    assert 3 == own_lines(code)


def test_the_example_is_what_is_packed():
    """Each of its files, and no other."""
    contents = Template.packaged().contents
    kinds = [f"src/anymodal_night_heron/{one}.py" for one in MODALITIES]
    emulators = [f"src/anymodal_night_heron/emulator/{one}.py" for one in MODALITIES]

    assert set(chain(kinds, emulators, ["LICENSE", ".gitignore", "pyproject.toml"])) <= set(
        contents
    )
    assert not [path for path in contents if "cache" in path]
