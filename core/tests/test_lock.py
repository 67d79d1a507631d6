"""A lock: what it notes of plugins, and that nothing else is imported while it is in force."""

import importlib.util
import json
import os
import py_compile
import sys
import tomllib
import zipfile
from pathlib import Path

import attrs
import pytest
from anymodal import errors as e
from anymodal.config import Settings
from anymodal.index import Distribution, installed
from anymodal.isolation import plugin_manager
from anymodal.lock import EDITABLE, ELSEWHERE, Check, Lock, Locked, changes, locked
from anymodal.registry import Registry
from hypothesis import given
from hypothesis import strategies as st

from .distributions import ACME
from .distributions import Site as Place
from .plugins_on_path import NO_CACHE, offers

ADVICE = "If that is as it should be: anymodal plugins lock"


@pytest.fixture
def lock(site, tmp_path):
    """A function that locks what is installed on *site*, and returns the settings of it."""

    def write():
        found = site.found()
        names = [one.normalised for one in found]
        path = str(tmp_path / "anymodal.lock")
        Lock(path, {one.normalised: locked(one, names) for one in found}).write()
        return {"plugins": {"lock": path}}

    return write


def errors(registry):
    """What became of each plugin, and what is said of those that do not serve."""
    return {
        one.candidate.distribution.name: (one.state, str(one.error or ""))
        for one in registry.plugins()
    }


def package(site, name="anymodal_acme", **files):
    """Make the module of a plugin a package, with *files* in it."""
    folder = site.folder / name
    folder.mkdir()
    (site.folder / f"{name}.py").rename(folder / "__init__.py")
    for file, text in files.items():
        (folder / f"{file}.py").write_text(text, "utf-8")
    return folder


# -- in force -----------------------------------------------------------------------------------


def test_what_is_as_it_was_locked_serves(site, lock):
    """A lock changes nothing for who changes nothing."""
    site.install("anymodal-acme", offers("acme"))
    settings = lock()

    assert {"anymodal-acme": ("loaded", "")} == errors(site.registry(settings))


def test_a_plugin_that_is_not_in_the_lock_is_not_imported(site, lock):
    """It was installed since, by somebody or something."""
    site.install("anymodal-acme", offers("acme"))
    settings = lock()
    site.install("anymodal-new", offers("new"))
    registry = site.registry(settings)

    path = settings["plugins"]["lock"]
    said = f"anymodal-new 1.0 is not imported: it is not in the lock {path}. {ADVICE}"
    assert errors(registry) == {
        "anymodal-acme": ("loaded", ""),
        "anymodal-new": ("blocked", said),
    }
    assert {"anymodal_acme"} == site.imported()
    with pytest.raises(e.BlockedPluginError, match="not in the lock"):
        registry.resolve("new/m-1", "text")


def test_a_stranger_takes_no_id_from_what_is_locked(site, lock):
    """Who is called anymodal-acme owns acme, but not against the lock."""
    site.install("other", offers("acme"), ids=["acme"])
    settings = lock()
    site.install("anymodal-acme", "1 / 0")
    registry = site.registry(settings)

    assert "other 1.0" == registry.resolve("acme/m-1", "text").winners[0].offer.plugin


def test_what_has_changed_keeps_its_ids(site, lock):
    """Breaking a plugin must not hand its prompts and keys to another that is locked as well."""
    site.install("anymodal-acme", offers("acme")).rename(site.folder / "old")
    (site.folder / "old").rename(site.folder / "anymodal_acme-1.0.dist-info")
    site.install("other", offers("acme"), ids=["acme"])
    settings = lock()
    metadata = site.folder / "anymodal_acme-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "1.1"))

    found = errors(site.registry(settings))
    assert ["blocked", "shadowed"] == [found[name][0] for name in ("anymodal-acme", "other")]


CHANGED = {
    "the code": (lambda f: (f / "__init__.py").write_text("1 / 0"), "anymodal_acme/__init__.py has changed"),
    "a module": (lambda f: (f / "more.py").write_text("2"), "anymodal_acme/more.py has changed"),
    "a new module": (lambda f: (f / "json.py").write_text(""), "anymodal_acme/json.py is new"),
    "a module deep down": (
        lambda f: ((f / "a" / "b").mkdir(parents=True), (f / "a" / "b" / "c.py").touch()),
        "anymodal_acme/a/b/c.py is new",
    ),
    "a library in C": (lambda f: (f / "more.abi3.so").touch(), "anymodal_acme/more.abi3.so is new"),
    "compiled, without source": (lambda f: (f / "x.pyc").touch(), "anymodal_acme/x.pyc is new"),
    "a module that is gone": (lambda f: (f / "more.py").unlink(), "anymodal_acme/more.py is gone"),
    "two": (
        lambda f: ((f / "more.py").unlink(), (f / "x.py").touch()),
        "anymodal_acme/more.py is gone, and 1 more",
    ),
    "a module of its name": (
        lambda f: (f.parent / "anymodal_acme.py").touch(),
        "anymodal_acme.py is new",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGED)
def test_a_plugin_whose_files_have_changed_is_not_imported(site, lock, what):
    """The version may be the same; the hashes are not."""
    site.install("anymodal-acme", offers("acme"))
    folder = package(site, more="1")
    settings = lock()
    change, words = CHANGED[what]
    change(folder)
    registry = site.registry(settings)

    said = f"anymodal-acme 1.0 is not imported: since it was locked, {words}. {ADVICE}"
    assert {"anymodal-acme": ("blocked", said)} == errors(registry)
    assert set() == site.imported()
    with pytest.raises(e.BlockedPluginError, match="since it was locked"):
        registry.resolve("acme/m-1", "text")


@pytest.mark.parametrize("mode", py_compile.PycInvalidationMode)
def test_compiled_files_count_where_python_never_looks_at_the_source(site, lock, mode):
    """Python writes the others itself, at any time, and only for the source that is hashed."""
    site.install("anymodal-acme", offers("acme"))
    folder = package(site)
    settings = lock()
    py_compile.compile(str(folder / "__init__.py"), invalidation_mode=mode)

    is_run_blindly = mode is py_compile.PycInvalidationMode.UNCHECKED_HASH
    expected = "blocked" if is_run_blindly else "loaded"
    assert expected == errors(site.registry(settings))["anymodal-acme"][0]


@pytest.mark.parametrize(
    ("version", "points", "words"),
    [
        ("1.1", "acme = anymodal_acme", "1.0 was locked"),
        ("1.0", "acme = os", "acme = os is new since it was locked"),
        (
            "1.0",
            "acme = anymodal_acme\nbank = anymodal_acme",
            "bank = anymodal_acme is new since it was locked",
        ),
    ],
)
def test_metadata_that_has_changed_is_refused_before_files_are_read(
    site, lock, version, points, words
):
    """A version, an id or a module that nobody locked."""
    metadata = site.install("anymodal-acme", offers("acme"))
    settings = lock()
    (metadata / "entry_points.txt").write_text(f"[anymodal]\n{points}\n")
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: anymodal-acme\nVersion: {version}\n"
    )

    said = f"anymodal-acme {version} is not imported: {words}. {ADVICE}"
    assert {("blocked", said)} == set(errors(site.registry(settings)).values())


def test_a_module_that_lies_before_it_on_the_path_is_not_imported_instead(
    site, lock, tmp_path, monkeypatch
):
    """The working directory is on the path of many programs."""
    site.install("anymodal-acme", offers("acme"))
    settings = lock()
    before = tmp_path / "before"
    before.mkdir()
    (before / "anymodal_acme.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(before)

    state, said = errors(site.registry(settings))["anymodal-acme"]
    assert "blocked" == state
    assert f"anymodal_acme would be imported from {before / 'anymodal_acme.py'}" in said


def test_a_plugin_is_not_imported_where_one_that_it_needs_has_changed(site, lock):
    """Its code runs as soon as that of the other does."""
    site.install("anymodal-kit", offers("kit"))
    site.install(
        "anymodal-acme", offers("acme"), requires=["anymodal-kit>=1", "not a ; requirement"]
    )
    site.install("anymodal-beta", offers("beta"), requires=["anymodal-acme"])
    site.install("anymodal-other", offers("other"), requires=["attrs"])
    settings = lock()
    (site.folder / "anymodal_kit.py").write_text("1 / 0")
    found = errors(site.registry(settings))

    assert {"anymodal-other"} == {name for name, (state, _) in found.items() if state == "loaded"}
    assert (
        "since it was locked, anymodal_kit.py has changed (anymodal-kit)"
        in found["anymodal-acme"][1]
    )
    path = Path(settings["plugins"]["lock"])
    head, *plugins = path.read_text().split("[[plugin]]")
    path.write_text("[[plugin]]".join([head, *(one for one in plugins if '"kit"' not in one)]))
    said = errors(site.registry(settings))["anymodal-acme"][1]
    assert "it needs anymodal-kit, which is not in the lock" in said


def test_plugins_may_need_one_another(site, lock):
    """Each is locked with the other, once, and none with itself."""
    site.install("anymodal-acme", offers("acme"), requires=["anymodal-beta"])
    site.install("anymodal-beta", offers("beta"), requires=["anymodal-acme", "anymodal-beta[all]"])
    rows = tomllib.loads(Path(lock()["plugins"]["lock"]).read_text())["plugin"]

    assert [["anymodal-beta"], ["anymodal-acme"]] == [one["needs"] for one in rows]


def test_files_are_hashed_only_of_what_is_about_to_be_imported(site, lock, monkeypatch):
    """An exact name costs the hashes of one plugin, and without a lock nothing is hashed."""
    for name in ("acme", "beta"):
        site.install(f"anymodal-{name}", offers(name))
    settings = lock()
    asked = []
    monkeypatch.setattr("anymodal.lock.changes", lambda check: asked.append(check.name) or [])
    registry = site.registry(settings)

    assert [] == asked
    registry.resolve("beta/m-1", "text")
    registry.resolve("beta/m-1", "text")
    assert ["anymodal-beta"] == asked
    site.registry({}).plugins()
    assert ["anymodal-beta"] == asked


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "there is no such file"),
        ("format = 2", "it is of another format"),
        ("", "it is of another format"),
        ("format = ", "it is damaged"),
        ("format = 1\nplugin = 7", "it is damaged"),
        ("format = 1\n[[plugin]]\nversion = '1'", "it is damaged"),
        ("format = 1\n[[plugin]]\ndistribution = 7\nversion = '1'\nids = []\nmodules = []\nneeds = []", "it is damaged"),
        (b"\xff\xfe", "it is damaged"),
    ],
)  # fmt: skip
def test_where_the_lock_cannot_be_read_nothing_is_imported(site, tmp_path, text, fault):
    """What protects must not give way when it is broken."""
    site.install("anymodal-acme", "1 / 0")
    path = tmp_path / "anymodal.lock"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    found = errors(site.registry({"plugins": {"lock": str(path)}}))
    said = f"anymodal-acme 1.0 is not imported: the lock {path} cannot be read: {fault}. {ADVICE}"
    assert {"anymodal-acme": ("blocked", said)} == found


def test_a_lock_that_is_a_folder_is_one_that_cannot_be_read(site, tmp_path):
    """In the operating system's words."""
    site.install("anymodal-acme", "1 / 0")
    ((state, said),) = errors(site.registry({"plugins": {"lock": str(tmp_path)}})).values()

    assert "blocked" == state
    assert "Is a directory" in said


def test_users_rules_and_broken_metadata_are_told_as_what_they_are(site, lock):
    """The lock adds nothing to them."""
    site.install("anymodal-acme", offers("acme"))
    settings = lock()
    site.install("anymodal-odd", points=b"[anymodal]\nodd = \xff\n")
    registry = site.registry({"plugins": {**settings["plugins"], "disable": ["acme"]}})

    found = errors(registry)
    assert "[plugins] disable names it" in found["anymodal-acme"][1]
    assert "broken" == found["anymodal_odd"][0]


def test_a_manager_keeps_to_the_lock_as_well(site, lock, monkeypatch):
    """It is the other way in."""
    site.install("anymodal-acme", offers("acme"))
    settings = lock()
    (site.folder / "anymodal_acme.py").write_text("1 / 0")
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", "off")
    manager = plugin_manager(settings=Settings.from_mapping(settings))

    assert not manager.has_plugin("anymodal_acme")
    assert set() == site.imported()


# -- what a lock notes --------------------------------------------------------------------------


def test_hashes_are_of_importable_files_alone_and_sorted(site, lock):
    """Data may change; what is not Python's to run is not noted."""
    site.install("anymodal-acme", offers("acme"))
    folder = package(site, zebra="", apple="")
    (folder / "prices.json").write_text("{}")
    (folder / "py.typed").touch()
    text = Path(lock()["plugins"]["lock"]).read_text()

    paths = [line.split('"')[1] for line in text.splitlines() if "sha256" in line]
    names = ("__init__", "apple", "zebra")
    assert [f"anymodal_acme/{name}.py" for name in names] == paths


def test_files_that_the_installer_noted_count_wherever_they_lie(site):
    """A second package of the distribution, and a `.pth` file, which Python runs when it starts."""
    metadata = site.install("anymodal-acme", offers("acme"))
    for name in (
        "second.py",
        "acme.pth",
        "__pycache__/shipped.cpython-311.pyc",
        "__pycache__/made.pyc",
    ):
        (site.folder / name).parent.mkdir(exist_ok=True)
        (site.folder / name).touch()
    (site.folder.parent / "outside.py").touch()
    (metadata / "RECORD").write_text(
        "second.py,sha256=x,1\nacme.pth,sha256=x,1\n../outside.py,,\n/etc/x.py,,\ngone.py,,\n\n"
        "__pycache__/shipped.cpython-311.pyc,sha256=x,1\n__pycache__/made.pyc,,\nREADME.md,,\n"
    )
    (found,) = site.found()

    expected = {"anymodal_acme.py", "second.py", "acme.pth", "__pycache__/shipped.cpython-311.pyc"}
    assert expected == locked(found).files.keys()
    (metadata / "RECORD").write_bytes(b"\xff")
    assert {"anymodal_acme.py"} == locked(found).files.keys()


def test_of_a_package_that_is_shared_the_own_part_counts(site):
    """Others install into the same namespace, and are locked by themselves."""
    site.install("anymodal-acme", points="[anymodal]\nacme = vendors.acme\nmore = vendors.space\n")
    (site.folder / "vendors" / "acme").mkdir(parents=True)
    (site.folder / "vendors" / "space").mkdir()
    for name in ("acme/__init__", "acme/inner", "other", "space/one"):
        (site.folder / "vendors" / f"{name}.py").touch()
    (found,) = site.found()

    one = locked(found)
    assert {f"vendors/{name}.py" for name in ("acme/__init__", "acme/inner", "space/one")} == (
        one.files.keys()
    )
    assert [] == changes(Check(found.name, found.location, one.modules, one.files))


def test_links_are_followed_once(site):
    """Python follows them; one that leads back is no reason to go round for ever."""
    site.install("anymodal-acme", offers("acme"))
    folder = package(site)
    (folder / "again").symlink_to(folder)
    (folder / "broken.py").symlink_to(folder / "nothing")
    (found,) = site.found()

    files = locked(found).files
    assert {"anymodal_acme/__init__.py", "anymodal_acme/broken.py"} == files.keys()
    assert files["anymodal_acme/broken.py"].startswith("unreadable: ")


def test_an_editable_installation_cannot_be_locked(site, lock):
    """It is marked, and imported as what it says it is; a real one in its place is a change."""
    metadata = site.install("anymodal-acme", offers("acme"))
    (metadata / "direct_url.json").write_text(
        '{"url": "file:///x", "dir_info": {"editable": true}}'
    )
    settings = lock()
    (found,) = site.found()

    assert ({}, EDITABLE) == (locked(found).files, locked(found).unlockable)
    (site.folder / "anymodal_acme.py").write_text(offers("acme") + "\n# changed")
    assert "loaded" == errors(site.registry(settings))["anymodal-acme"][0]
    site.leave()
    (metadata / "direct_url.json").unlink()
    assert "anymodal_acme.py is new" in errors(site.registry(settings))["anymodal-acme"][1]


def test_what_was_locked_may_not_become_editable(site, lock):
    """Its code is anybody's then."""
    metadata = site.install("anymodal-acme", offers("acme"))
    settings = lock()
    (metadata / "direct_url.json").write_text('{"dir_info": {"editable": true}}')

    assert "it is editable now" in errors(site.registry(settings))["anymodal-acme"][1]


@pytest.mark.parametrize("url", ["[]", "{}", "x", '{"dir_info": {"editable": false}}'])
def test_an_odd_note_of_the_source_is_no_editable(site, url):
    """Installers write it for archives and repositories, too."""
    metadata = site.install("anymodal-acme", offers("acme"))
    (metadata / "direct_url.json").write_text(url)
    (found,) = site.found()

    assert "" == locked(found).unlockable


def test_code_that_is_elsewhere_cannot_be_locked(site, tmp_path):
    """In an archive, behind an importer, or not there at all."""
    site.install("anymodal-acme", points="[anymodal]\nacme = anymodal_acme\nbeta = ../../x:y\n")
    (found,) = site.found()
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for one in site.folder.rglob("*"):
            file.write(one, one.relative_to(site.folder))
        file.writestr("anymodal_acme.py", offers("acme"))
    (zipped,) = installed([str(archive)], environ=NO_CACHE)

    assert [ELSEWHERE] * 2 == [locked(one).unlockable for one in (found, zipped)]
    assert [] == changes(Check(found.name, found.location, ("anymodal_acme",), {}))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(
    st.builds(
        Locked,
        distribution=st.from_regex(r"[a-z]+", fullmatch=True),
        version=st.text(st.characters(exclude_categories=["Cs"])),
        ids=st.lists(TEXT).map(tuple),
        modules=st.lists(TEXT).map(tuple),
        needs=st.lists(TEXT).map(tuple),
        files=st.dictionaries(TEXT, TEXT),
        unlockable=st.text(st.characters(exclude_categories=["Cs"])),
    )
)
def test_what_is_written_is_what_is_read(tmp_path_factory, one):
    """Whatever a file is called."""
    path = str(tmp_path_factory.getbasetemp() / "hypothesis.lock")
    Lock(path, {one.distribution: one}).write()

    assert {one.distribution: one} == Lock.read(path).plugins


def test_a_file_whose_name_is_no_text_can_be_locked(site, lock):
    """Python imports by text, but a folder may hold anything."""
    site.install("anymodal-acme", offers("acme"))
    folder = package(site)
    (folder / os.fsdecode(b"\xff.py")).touch()

    assert "loaded" == errors(site.registry(lock()))["anymodal-acme"][0]


def test_a_folder_that_is_gone_has_no_files(tmp_path):
    """The index may be older than what it speaks of."""
    gone = Distribution("acme", "1.0", (("acme", "acme"),), location=str(tmp_path / "gone"))

    assert {} == locked(gone).files
    assert {} == locked(attrs.evolve(gone, location=str(tmp_path))).files


def test_a_compiled_file_that_cannot_be_read_counts(site, monkeypatch):
    """What nobody can look into is not passed over."""
    site.install("anymodal-acme", offers("acme"))
    folder = package(site)
    cached = Path(importlib.util.cache_from_source(str(folder / "__init__.py")))
    cached.parent.mkdir()
    cached.symlink_to(folder / "nothing")
    (found,) = site.found()

    assert 2 == len(locked(found).files)


# -- where it stands ----------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's folder of settings, and a working directory."""
    monkeypatch.setattr("anymodal.config._users_folder", lambda: tmp_path / "user")
    for name in ("user", "work", "named"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_a_lock_beside_the_settings_is_in_force(home):
    """The nearest one; there need be no settings beside it."""
    assert Settings.load(environ={}).plugins.lock is None
    (home / "user" / "anymodal.lock").touch()
    assert str(home / "user" / "anymodal.lock") == Settings.load(environ={}).plugins.lock
    (home / "work" / "anymodal.lock").touch()
    assert str(home / "work" / "anymodal.lock") == Settings.load(environ={}).plugins.lock


def test_a_file_that_is_named_has_its_own_lock(home):
    """And that of the working directory does not count, as its settings do not."""
    (home / "work" / "anymodal.lock").touch()
    (home / "named" / "x.toml").touch()
    named = {"ANYMODAL_CONFIG": str(home / "named" / "x.toml")}

    assert Settings.load(environ=named).plugins.lock is None
    (home / "named" / "anymodal.lock").touch()
    assert str(home / "named" / "anymodal.lock") == Settings.load(environ=named).plugins.lock
    by_path = Settings.load(path=home / "named" / "x.toml", environ={})
    assert str(home / "named" / "anymodal.lock") == by_path.plugins.lock


def test_settings_and_variables_say_which(home):
    """A path in a file is relative to the file, and one in a variable to the working directory."""
    (home / "work" / "anymodal.lock").touch()
    (home / "user" / "anymodal.toml").write_text('[plugins]\nlock = "their.lock"')

    def found(environ, overrides=None):
        return Settings.load(environ=environ, overrides=overrides).plugins.lock

    assert str(home / "user" / "their.lock") == found({})
    assert str(home / "work" / "x.lock") == found({"ANYMODAL_LOCK": "x.lock"})
    assert found({"ANYMODAL_LOCK": "off"}) is None
    assert found({}, {"plugins": {"lock": "off"}}) is None
    assert str(home / "work" / "y.lock") == found({}, {"plugins": {"lock": "y.lock"}})


def test_settings_from_code_have_no_lock_of_their_own(home):
    """They read nothing, so a host may keep its own list."""
    (home / "work" / "anymodal.lock").touch()

    assert Settings.empty().plugins.lock is None
    assert Settings.from_mapping({}).plugins.lock is None


# -- the command ------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path):
    """Where the command is run, with acme installed."""
    found = Place(tmp_path)
    found.install("acme", ACME)
    return found


def rows(place, *words, status=0):
    """What the command prints as JSON."""
    ended = place.run(*words, "--json")

    assert status == ended.returncode, ended.stderr
    return json.loads(ended.stdout)


def test_lock_and_verify(place):
    """Written beside the settings, in force at once, and compared without importing anything."""
    assert 1 == place.run("plugins", "verify").returncode
    assert [
        {
            "distribution": "anymodal-acme",
            "version": "1.0",
            "ids": ["acme"],
            "files": 1,
            "unlockable": None,
        }
    ] == rows(place, "plugins", "lock")
    assert (place.home / "anymodal.lock").is_file()
    ended = place.run("plugins", "verify", "--json")

    assert 0 == ended.returncode
    assert "acme is imported" not in ended.stderr
    assert "unchanged" == json.loads(ended.stdout)[0]["state"]
    assert ["loaded"] == [
        one["state"] for one in rows(place, "plugins") if one["name"] == "anymodal-acme"
    ]
    assert "acme" in {one["provider"] for one in rows(place, "providers")}


def test_verify_names_what_changed(place):
    """What changed, what came and what went; each is a reason to look."""
    place.install("bad", "1/0")
    place.install("gone", "")
    rows(place, "plugins", "lock")
    (place.packages / "anymodal_acme_acme.py").write_text("x = 1")
    (place.packages / "anymodal_gone-1.0.dist-info" / "METADATA").unlink()
    (place.packages / "anymodal_gone-1.0.dist-info" / "entry_points.txt").unlink()
    (place.packages / "anymodal_gone-1.0.dist-info").rmdir()
    place.install("new", "print('imported')")
    found = {
        one["distribution"]: (one["state"], one["message"])
        for one in rows(place, "plugins", "verify", status=1)
    }

    assert {
        "anymodal-acme": ("changed", "anymodal_acme_acme.py has changed"),
        "anymodal-bad": ("unchanged", None),
        "anymodal-gone": ("gone", "it was locked, and is not installed or is ruled out"),
        "anymodal-new": ("unknown", "it is not in the lock"),
    } == found


def test_verify_names_an_id_that_is_gone(place):
    """Whoever served it may be another now."""
    place.install("more", "", distribution="anymodal-acme")
    rows(place, "plugins", "lock")
    points = place.packages / "anymodal_acme-1.0.dist-info" / "entry_points.txt"
    points.write_text("[anymodal]\nacme = anymodal_acme_acme\n")
    (found,) = rows(place, "plugins", "verify", status=1)

    assert ("changed", "it no longer declares more") == (found["state"], found["message"])


def test_changed_plugins_are_faults_for_the_doctor_and_blocked_everywhere(place):
    """Not something that the user wanted."""
    rows(place, "plugins", "lock")
    (place.packages / "anymodal_acme_acme.py").write_text("print('imported')")

    (found,) = (one for one in rows(place, "plugins") if one["name"] == "anymodal-acme")
    assert ("blocked", []) == (found["state"], found["providers"])
    assert "anymodal_acme_acme.py has changed" in found["error"]
    said = [one for one in rows(place, "doctor", status=1) if one["level"] == "fault"]
    assert [found["error"]] == [one["message"] for one in said]
    ended = place.run("text", "Hello", "-m", "acme/acme-1")
    assert 1 == ended.returncode
    assert "has changed" in ended.stderr
    assert "imported\n" not in ended.stdout + ended.stderr


def test_faulty_settings_do_not_take_the_lock_away(place):
    """The doctor examines plugins all the same, under what stands beside the settings."""
    rows(place, "plugins", "lock")
    (place.packages / "anymodal_acme_acme.py").write_text("print('imported')")
    place.settings("[what]")
    ended = place.run("doctor")

    assert "has changed" in ended.stdout
    assert "imported\n" not in ended.stdout + ended.stderr


def test_editables_and_unreadable_metadata_are_told(place):
    """What a lock cannot hold is seen when it is written and when it is compared."""
    metadata = place.packages / "anymodal_acme-1.0.dist-info"
    (metadata / "direct_url.json").write_text('{"dir_info": {"editable": true}}')
    place.install("odd", "")
    (place.packages / "anymodal_odd-1.0.dist-info" / "METADATA").write_bytes(
        b"Name: anymodal-odd\n"
    )
    (place.packages / "anymodal_odd-1.0.dist-info" / "entry_points.txt").write_bytes(
        b"[anymodal]\n\xff = x\n"
    )
    ended = place.run("plugins", "lock", "--json")

    assert [EDITABLE] == [one["unlockable"] for one in json.loads(ended.stdout)]
    assert "is left out: its metadata cannot be read" in ended.stderr
    found = {
        one["distribution"]: one["state"] for one in rows(place, "plugins", "verify", status=1)
    }
    assert {"anymodal-acme": "unlockable", "anymodal_odd": "unknown"} == found


def test_a_lock_that_is_damaged_is_told_and_written_anew(place):
    """As the advice says."""
    (place.home / "anymodal.lock").write_text("oh")
    ended = place.run("plugins", "verify")

    assert 1 == ended.returncode
    assert (
        "cannot be read: it is damaged. Write it anew with: anymodal plugins lock" in ended.stderr
    )
    assert 1 == len(rows(place, "plugins", "lock"))
    assert 0 == place.run("plugins", "verify").returncode


def test_what_settings_rule_out_is_not_locked(place):
    """It is not imported anyway, and would be once somebody forgot the rule."""
    place.install("bad", "")
    place.settings('[plugins]\ndisable = ["bad"]\nlock = "locks/ours.lock"')
    (place.home / "locks").mkdir()

    assert ["anymodal-acme"] == [one["distribution"] for one in rows(place, "plugins", "lock")]
    assert (place.home / "locks" / "ours.lock").is_file()


def test_a_plugin_with_an_import_of_its_own_is_compared_where_it_is_found(site, lock):
    """A name that Python finds nowhere is told by importing it."""
    site.install("anymodal-acme", offers("acme"))
    (found,) = site.found()
    one = locked(found)
    (site.folder / "away").mkdir()
    sys.path.remove(str(site.folder))

    assert [] == changes(Check(found.name, found.location, one.modules, one.files))
    assert isinstance(Registry(Settings.empty(), distributions=[found]), Registry)
