"""Every kind of broken plugin beside healthy ones: in a registry, and under the command."""

import json
import os
import signal
import sys
import time

import anyio
import pytest
from anymodal import Client
from anymodal import errors as e
from anymodal.config import Settings
from anymodal.index import installed
from anymodal.registry import Registry

from . import matrix
from .distributions import Site
from .matrix import CASES, HEALTHY, PAGE, WRITE, Case, install
from .plugins_on_path import NO_CACHE

WELL = tuple(Case(id=name, is_when="is well", code=HEALTHY) for name in ("aaa", "zzz"))
HARD = tuple(case for case in CASES.values() if case.in_child)
SOFT = tuple(case for case in CASES.values() if not case.in_child)


@pytest.fixture
def folder(site):
    """An empty folder on `sys.path`."""
    site.modules += [case.module for case in CASES.values()]
    return site.folder


def said_of(case, found):
    """Compare what is said of *case*, word by word."""
    for wanted, got in matrix.expected(case, found):
        assert wanted == got


# -- in one process ---------------------------------------------------------------------------


@pytest.mark.parametrize("case", SOFT, ids=lambda case: case.id)
def test_it_becomes_a_state_and_a_sentence_and_others_go_on(folder, case, capfd):
    """The healthy ones are listed and answer, in the process that imported the broken one."""
    for one in (*WELL, case):
        install(folder, one)
    registry = Registry(Settings.empty(), distributions=installed([str(folder)], environ=NO_CACHE))
    found = {one.candidate.distribution.name: one for one in registry.plugins()}
    plugin = found[case.distribution]

    assert case.state == plugin.state
    said_of(case, None if plugin.error is None else str(plugin.error))
    assert {"loaded"} == {found[one.distribution].state for one in WELL}
    served = {one.instance for one in registry.providers()}
    assert {"aaa", "zzz"} | ({case.id} if case.state == "loaded" else set()) == served
    assert ["Hello from aaa.", "Hello from zzz."] == anyio.run(answers, registry)


async def answers(registry):
    """Call the healthy ones."""
    async with Client(registry=registry) as ai:
        return [(await ai.text.generate("Hello.", model=f"{one.id}/m-1")).text for one in WELL]


@pytest.mark.parametrize(
    "case", [one for one in SOFT if one.state != "loaded"], ids=lambda case: case.id
)
def test_asking_for_what_it_would_have_given_names_it(folder, case):
    """By its id before anything else was asked, and by a bare name that nobody has."""
    for one in (*WELL, case):
        install(folder, one)
    found = installed([str(folder)], environ=NO_CACHE)

    name = next(
        n
        for one in Registry(Settings.empty(), distributions=found)._plugins.all
        for n in one.candidate.names
        if one.candidate.distribution.name == case.distribution
    )
    with pytest.raises((e.PluginError, e.UnknownProviderError)) as info:
        Registry(Settings.empty(), distributions=found).resolve(f"{name}/m-1", "text")
    if "/" in name:  # of which the first part is asked for
        assert f"do not serve: {case.distribution}" in str(info.value)
    else:
        said_of(case, str(info.value))
    with pytest.raises(e.UnknownModelError, match=f"do not serve: .*{case.distribution}"):
        Registry(Settings.empty(), distributions=found).resolve("m-77", "text")


@pytest.mark.parametrize("case", HARD, ids=lambda case: case.id)
def test_what_hangs_or_crashes_is_not_imported_for_another(folder, case):
    """An exact name imports one plugin."""
    for one in (*WELL, case):
        install(folder, one)
    registry = Registry(Settings.empty(), distributions=installed([str(folder)], environ=NO_CACHE))

    assert ["Hello from aaa.", "Hello from zzz."] == anyio.run(answers, registry)
    assert case.module not in sys.modules


def test_two_that_declare_one_id_are_both_named(folder):
    """The one that is called after it serves; the other is told how it could."""
    install(folder, CASES["rival"])
    registry = Registry(Settings.empty(), distributions=installed([str(folder)], environ=NO_CACHE))
    found = {one.candidate.distribution.name: one for one in registry.plugins()}

    assert "shadowed" == found["our-fork"].state
    assert str(found["our-fork"].error) == (
        "our-fork 1.0 does not serve 'rival', which anymodal-rival 1.0 claims as well. "
        'To choose: [plugins] prefer = { rival = "our-fork" }'
    )


def test_two_hundred_at_once(folder):
    """Each is what it is by itself."""
    every = [case for case in SOFT if not case.rival and case.state != "loaded"]
    many = [Case(id=f"well-{n}", is_when="is well", code=HEALTHY) for n in range(200 - len(every))]
    for one in (*every, *many):
        install(folder, one)
    registry = Registry(Settings.empty(), distributions=installed([str(folder)], environ=NO_CACHE))
    states = {one.candidate.distribution.name: one.state for one in registry.plugins()}

    assert {one.distribution: one.state for one in every} | {
        one.distribution: "loaded" for one in many
    } == states
    assert len(many) == len(registry.providers())


# -- the command ------------------------------------------------------------------------------


class Everything(Site):
    """All cases in one folder, or all that may be imported in one process."""

    def __init__(self, folder, cases):
        folder.mkdir()
        super().__init__(folder)
        for case in (*WELL, *cases):
            install(self.packages, case)
            self._names += filter(None, (f"anymodal-{case.id}", case.rival))

    def rows(self, *words, status=0):
        """What the command prints, which is one JSON document and nothing else."""
        ended = self.run(*words, "--json")

        assert status == ended.returncode, ended.stderr
        return json.loads(ended.stdout), ended.stderr


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """All cases."""
    return Everything(tmp_path_factory.mktemp("matrix") / "all", CASES.values())


@pytest.fixture(scope="module")
def bearable(tmp_path_factory):
    """All cases that can be imported in one process, one after another."""
    quiet = [one for one in HARD if one.state == "loaded"]
    return Everything(tmp_path_factory.mktemp("matrix") / "most", (*SOFT, *quiet))


@pytest.fixture(scope="module")
def listed(everything):
    """What `anymodal plugins --json` says of each distribution, asked once."""
    rows, _ = everything.rows("plugins")
    return {row["name"]: row for row in rows}


@pytest.fixture(scope="module")
def examined(everything):
    """What `anymodal doctor --json` finds, asked once."""
    return everything.rows("doctor", status=1)[0]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_plugins_shows_it(case, listed):
    """The state and the sentence are the registry's own."""
    row = listed[case.distribution]

    assert case.state == row["state"]
    said_of(case, row["error"])
    assert ([case.id] if case.state == "loaded" else []) == row["providers"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_doctor_shows_it_once_where_it_is_a_fault(case, listed, examined):
    """With the same sentence; what is well is not spoken of."""
    said = [row for row in examined if case.distribution in row["message"].split()[:1]]
    said += [row for row in examined if row["message"].startswith(f"{case.distribution}:")]
    wanted = (
        [] if case.state == "loaded" else [("fault", "plugin", listed[case.distribution]["error"])]
    )

    assert wanted == [(row["level"], row["about"], row["message"]) for row in said]


def test_healthy_ones_answer_beside_all_of_them(everything):
    """Also beside those that would hang or end the process."""
    ended = everything.run("text", "Hello.", "-m", "zzz/m-1", "--json")

    assert 0 == ended.returncode, ended.stderr
    assert "Hello from zzz." == json.loads(ended.stdout)["text"]


@pytest.mark.parametrize("words", [["providers"], ["models"]])
def test_listings_are_one_document_beside_all_of_them(bearable, words):
    """In one process with everything that prints, starts threads, and breaks."""
    rows, errors = bearable.rows(*words)

    assert {"aaa", "zzz"} <= {row["provider"] for row in rows}
    assert "printed" in errors


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100, b"\0" * 5000])
def test_damaged_index_is_no_matter(bearable, damage):
    """It is ignored, and written anew."""
    cache = bearable.home / "cache"
    cache.mkdir(exist_ok=True)
    for file in [*cache.glob("*"), cache / "index"]:
        if not file.is_dir():
            file.write_bytes(damage)

    assert bearable.run("text", "Hello.", "-m", "aaa/m-1").stdout.startswith("Hello from aaa.")


def test_interrupt_during_an_import_is_the_users(tmp_path):
    """The command ends at once, as Ctrl-C ends programs, and blames nobody."""
    waits = Case(
        id="waits",
        is_when="waits",
        code="print('importing', flush=True)\nimport time; time.sleep(60)",
    )
    site = Everything(tmp_path / "site", [waits])
    with site.started("providers", "--json") as process:
        while b"importing" not in process.stderr.readline():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)

    assert (130, b"") == (process.returncode, out)
    assert b"anymodal-waits" not in errors


# -- the page -----------------------------------------------------------------------------------


def test_the_page_is_the_table():
    """Whoever changes a sentence sees the page change."""
    if os.environ.get(WRITE):
        PAGE.write_text(matrix.page(), "utf-8")

    assert matrix.page() == PAGE.read_text("utf-8")
