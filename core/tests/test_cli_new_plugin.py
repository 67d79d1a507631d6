"""`anymodal new-plugin`: what it writes, and what it refuses."""

import json
import re

import pytest
from anymodal.cli.template import LONGEST, Template, fault_of

from .distributions import ACME, Site

SMELLING = """
from anymodal import ProviderSpec, hookspec
from anymodal.facade import Facade


class Spec(ProviderSpec):
    modality = "smell"


class Face(Facade):
    pass


@hookspec
def anymodal_smell_providers():
    "Offer noses."
"""

TENTH = """
    from anymodal import Modality, hookimpl


    @hookimpl
    def anymodal_modalities():
        yield Modality(
            name="smell", spec="smelling:Spec", facade="smelling:Face", hookspecs="smelling"
        )
"""


@pytest.fixture
def site(tmp_path):
    """A place where nothing is installed yet."""
    return Site(tmp_path)


def files_of(folder):
    """Return the files of a folder, by path."""
    found = (one for one in folder.rglob("*") if one.is_file())
    return {one.relative_to(folder).as_posix(): one.read_text("utf-8") for one in found}


def test_it_says_what_is_to_be_written_and_run(site):
    """Three commands lead to tests that pass; the modules of the author's own are named."""
    ended = site.run("new-plugin", "acme", "--modality", "text,speech")

    assert (0, "") == (ended.returncode, ended.stderr)
    assert (
        "anymodal-acme has 17 files. Yours to write, after the emulator:\n\n"
        "    src/anymodal_acme/speech.py\n    src/anymodal_acme/text.py\n\n"
        "Next:\n\n    cd anymodal-acme\n    python -m pip install --editable '.[test]'\n"
        "    python -m pytest -ra\n"
    ) == ended.stdout
    assert 17 == len(files_of(site.home / "anymodal-acme"))


def test_it_tells_programs_too(site, tmp_path):
    """One document: what was written, and where."""
    ended = site.run(
        "new-plugin", "blue-fin", "--modality", "image", "--modality", "text",
        "--out", str(tmp_path), "--json",
    )  # fmt: skip
    found = json.loads(ended.stdout)

    assert {"distribution", "folder", "modalities", "files", "next"} == set(found)
    assert ["text", "image"] == found["modalities"]
    written = files_of(tmp_path / "anymodal-blue-fin")
    assert {path: len(text.splitlines()) for path, text in written.items()} == {
        one["path"]: one["lines"] for one in found["files"]
    }


@pytest.mark.parametrize("modality", Template.packaged().modalities)
def test_it_has_what_was_asked_for_and_nothing_else(modality):
    """Neither a module, a hook nor a test of another modality, and no mark of the template."""
    template = Template.packaged()
    made = template.made("acme", [modality])
    whole = "".join(made.values())
    others = set(template.modalities) - {modality}

    assert f"src/anymodal_acme/{modality}.py" in made
    assert f"src/anymodal_acme/emulator/{modality}.py" in made
    assert not [path for path in made for one in others if path.endswith(f"/{one}.py")]
    assert {modality} == set(re.findall(r"def anymodal_(\w+)_providers", whole))
    assert 1 == whole.count(f"testing.{modality.title()}Suite")
    assert not re.search(r"(#|<!--) \[/?[a-z ]+\]", whole)
    assert "heron" not in f"{made.keys()}{whole}".lower()
    assert all(text.endswith("\n") for path, text in made.items() if path[-5:] != "typed")


def test_every_mark_of_the_template_is_closed():
    """By one of the same names; a block that is not would swallow what follows."""
    for path, content in Template.packaged().contents.items():
        open_marks = []
        for closes, names in re.findall(r"^\s*(?:#|<!--) \[(/?)([a-z ]+)\]", content, re.MULTILINE):
            if closes:
                assert names == open_marks.pop(), path
            else:
                open_marks.append(names)
        assert [] == open_marks, path


def test_a_folder_that_is_there_is_left_alone(site):
    """Whatever is in it may be somebody's work."""
    folder = site.home / "anymodal-acme"
    folder.mkdir()
    ended = site.run("new-plugin", "acme", "--modality", "text")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "Error: anymodal-acme is there already, and nothing was changed." in ended.stderr
    assert [] == list(folder.iterdir())


def test_what_cannot_be_written_whole_is_not_there(tmp_path):
    """The folder appears when all is in it."""
    template = Template("night-heron", ["text"], {"a": "a file\n", "a/b": "in a file\n"})

    with pytest.raises(OSError, match="a"):
        template.write("acme", ["text"], tmp_path)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Acme Corp", "Try 'acme-corp'."),
        ("anymodal-acme", "begins with anymodal- by itself. Try 'acme'."),
        ("3d", "the first of them a letter"),
        ("acme--x", "Try 'acme-x'."),
        ("a" * (LONGEST + 1), f"at most {LONGEST} characters."),
        ("all", "is reserved"),
        ("../acme", "Try 'acme'."),
    ],
)
def test_names_that_cannot_be_are_refused(name, why):
    """They become a distribution, a module, a class and a variable."""
    assert why in fault_of(name)


@pytest.mark.parametrize("name", ["acme", "x", "blue-fin-2", "none", "a" * LONGEST])
def test_names_that_can_be_are_taken(name):
    """Also those that are words of Python: they never stand alone."""
    assert "" == fault_of(name)


def test_a_faulty_name_is_a_usage_error(site):
    """Nothing is written."""
    ended = site.run("new-plugin", "Acme", "--modality", "text")

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "Invalid value for NAME: 'Acme' is none:" in ended.stderr
    assert not list(site.home.glob("anymodal-*"))


def test_modalities_that_are_none_are_usage_errors(site):
    """With those that there are."""
    ended = site.run("new-plugin", "acme", "--modality", "text,smell")

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "--modality: 'smell' is none. There are text, image, video, audio," in ended.stderr


def test_no_modality_at_all_is_a_usage_error(site):
    """An empty word is none."""
    ended = site.run("new-plugin", "acme", "--modality", ",")

    assert 2 == ended.returncode
    assert "--modality: say at least one of text, " in ended.stderr


def test_modalities_of_plugins_have_no_template(site):
    """It is said so: the word is right, and there is nothing to copy."""
    site.install("nose", TENTH)
    (site.packages / "smelling.py").write_text(SMELLING, "utf-8")
    ended = site.run("new-plugin", "acme", "--modality", "smell")

    assert 2 == ended.returncode
    assert "--modality: smell comes from a plugin, and there is a template only" in ended.stderr


def test_names_that_others_have_are_warned_of(site):
    """It is made all the same: somebody may mean to replace it."""
    site.install("groq", ACME.replace('id="acme"', 'id="groq"'), distribution="anymodal-other")
    ended = site.run("new-plugin", "groq", "--modality", "text")

    assert 0 == ended.returncode
    assert "anymodal-groq is published already, and has the id 'groq'." in ended.stderr
    assert "anymodal-other is installed here, and has the id 'groq'" in ended.stderr
