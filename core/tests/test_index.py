"""Which distributions declare plugins, and how that is remembered."""

import json
import marshal
import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import importlib_metadata
import pytest
from anymodal import index
from anymodal.index import Distribution, cache_folder, installed, normalise
from hypothesis import given
from hypothesis import strategies as st

from .plugins_on_path import LONG_AGO, NO_CACHE, Site, offers

NOW_NS = 2_000_000_000 * 1_000_000_000


@pytest.fixture
def cache(tmp_path):
    """The variables that name a folder for the cache, and that folder."""
    return {"ANYMODAL_CACHE_DIR": str(tmp_path / "cache")}


@pytest.fixture
def scans(monkeypatch):
    """The entries that were read rather than remembered."""
    seen = []
    scan = index._scan

    def counted(where):
        seen.append(Path(where).name)
        return scan(where)

    monkeypatch.setattr(index, "_scan", counted)
    return seen


def kept(cache) -> Path:
    """The one file in the cache."""
    (file,) = Path(cache["ANYMODAL_CACHE_DIR"]).iterdir()
    return file


def names(found):
    return [one.name for one in found]


# -- what is found ------------------------------------------------------------------------


def test_what_is_declared_is_read_from_metadata(site):
    """Nothing is imported: the module is not even there."""
    site.install("anymodal-acme", ids=["acme", "acme-two"], requires=["anymodal>=0.1,<0.2", "x>1"])

    assert site.found() == (
        Distribution(
            name="anymodal-acme",
            version="1.0",
            entry_points=(("acme", "anymodal_acme"), ("acme-two", "anymodal_acme")),
            requires="<0.2,>=0.1",
            fits=True,
            location=str(site.folder),
        ),
    )


def test_distributions_without_our_group_are_passed_over(site):
    """Most of what is installed is no plugin."""
    site.install("library", points="[console_scripts]\nx = y:z\n")
    site.install("silent", ids=[])

    assert () == site.found()


@pytest.mark.parametrize(
    ("requires", "fits"),
    [
        ([], True),
        (["anymodal"], True),
        (["anymodal>=0.0.1"], True),
        (["anymodal>=99"], False),
        (["anymodal>=0.0.1", "anymodal[http]<0.0.1"], False),
        (["Anymodal>=99"], False),
        (["anymodal>=99; extra == 'later'"], True),
        (["anymodal>=99; python_version >= '3'"], False),
        (["anymodal-other>=99"], True),
        (["another !! nonsense", "anymodal"], True),
    ],
)
def test_requirement_of_the_core_is_compared_with_this_core(site, requires, fits):
    """Whatever else is required is the installer's affair."""
    site.install("anymodal-acme", requires=requires)

    assert [fits] == [one.fits for one in site.found()]


def test_undecodable_entry_points_are_a_fault(site):
    """A plugin that cannot be read is shown, not lost."""
    site.install("anymodal-acme", points=b"[anymodal]\nacme = \xff\xfe\n")
    site.install("unrelated", points=b"[other]\nx = \xff\xfe\n")

    (one,) = site.found()
    assert (one.name, one.version) == ("anymodal_acme", "")
    assert one.fault == "its metadata cannot be read (UnicodeDecodeError)"


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b"Name: \xff\xfe\n"),
        lambda file: file.write_text("Name: anymodal-acme\nRequires-Dist: anymodal !!\n"),
    ],
    ids=["missing", "undecodable", "invalid requirement"],
)
def test_damaged_metadata_is_a_fault(site, damage):
    """The host does not die of it, and others are found beside it."""
    damage(site.install("anymodal-acme") / "METADATA")
    site.install("anymodal-beta")

    faults = {one.normalised: bool(one.fault) for one in site.found()}
    assert faults == {"anymodal-acme": True, "anymodal-beta": False}


def test_first_on_the_path_wins(tmp_path):
    """Imports do the same, so the metadata fits the module."""
    first, second = (Site(tmp_path / name) for name in ("first", "second"))
    for one, version in ((first, "2.0"), (second, "1.0")):
        one.folder.mkdir()
        one.install("anymodal-acme", version=version)
    path = [str(first.folder), str(second.folder)]

    assert ["2.0"] == [one.version for one in installed(path, environ=NO_CACHE)]
    assert ["1.0"] == [one.version for one in installed(path[::-1], environ=NO_CACHE)]


def test_first_on_the_path_wins_even_if_it_declares_nothing(tmp_path):
    """The module that would be imported is that of the first, which is no plugin."""
    first, second = (Site(tmp_path / name) for name in ("first", "second"))
    first.folder.mkdir()
    second.folder.mkdir()
    first.install("Anymodal_Acme", ids=[], points="[other]\nx = y\n")
    second.install("anymodal-acme")

    assert () == installed([str(first.folder), str(second.folder)], environ=NO_CACHE)


def test_archives_are_read(tmp_path, cache, scans):
    """`sys.path` may hold zip files, which change like folders do."""
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("anymodal_acme-1.0.dist-info/METADATA", "Name: anymodal-acme\nVersion: 1.0\n")
        file.writestr("anymodal_acme-1.0.dist-info/entry_points.txt", "[anymodal]\nacme = x\n")
    os.utime(archive, (LONG_AGO, LONG_AGO))

    assert ["anymodal-acme"] == names(installed([str(archive)], environ=cache))
    assert ["anymodal-acme"] == names(installed([str(archive)], environ=cache))
    assert ["packages.zip"] == scans


def test_odd_entries_of_the_path_are_passed_over(site, tmp_path):
    """`sys.path` is anybody's to write to."""
    site.install("anymodal-acme")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK nothing")
    path = ["/nowhere", "nul\0byte", b"bytes", None, tmp_path, str(broken), str(site.folder)]

    assert ["anymodal-acme"] == names(installed(path, environ=NO_CACHE))


def test_empty_entry_is_the_working_directory(site, monkeypatch):
    """So it is for imports; a working directory that is gone holds nothing."""
    site.install("anymodal-acme")
    gone = site.folder / "gone"
    gone.mkdir()

    monkeypatch.chdir(site.folder)
    assert ["anymodal-acme"] == names(installed([""], environ=NO_CACHE))
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert () == installed([""], environ=NO_CACHE)


def test_importers_without_folders_are_asked(site, monkeypatch):
    """Frozen applications have no `sys.path`; an importer that raises harms nobody."""
    site.install("anymodal-acme", ids=["acme"])

    class Unreadable:
        def read_text(self, name):
            raise OSError(5, "Input/output error", name)

    class Frozen:
        def find_distributions(self):
            yield Unreadable()
            where = importlib_metadata.DistributionFinder.Context(path=[str(site.folder)])
            yield from importlib_metadata.MetadataPathFinder.find_distributions(where)

    class Broken:
        def find_distributions(self):
            raise ZeroDivisionError

    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(
        sys, "meta_path", [importlib_metadata.MetadataPathFinder, Broken(), Frozen()]
    )

    assert ["anymodal-acme"] == names(installed(environ=NO_CACHE))
    assert () == installed([], environ=NO_CACHE)


# -- what is remembered ---------------------------------------------------------------------


def test_warm_equals_cold(site, cache, scans):
    """The cache changes how long it takes and nothing else."""
    site.install("anymodal-acme", requires=["anymodal>=99"])
    site.install("anymodal-beta", points=b"[anymodal]\n\xff")
    site.install("library", points="[other]\nx = y\n")
    site.settle()

    cold = installed([str(site.folder)], environ=cache)
    warm = installed([str(site.folder)], environ=cache)

    assert cold == warm == site.found()
    assert ["packages", "packages"] == scans  # the first, and the one without a cache


def test_changed_entry_is_read_again(site, cache):
    """Every installer adds or removes a folder, which changes its parent's time."""
    site.install("anymodal-acme")
    site.settle()
    installed([str(site.folder)], environ=cache)
    site.install("anymodal-beta")
    site.settle(LONG_AGO + 1)

    found = installed([str(site.folder)], environ=cache)
    assert {"anymodal-acme", "anymodal-beta"} == set(names(found))


def test_young_entry_is_never_trusted(site, cache, scans, monkeypatch):
    """A second change within the clock's tick would leave no trace."""
    site.install("anymodal-acme")
    site.settle(NOW_NS // 1_000_000_000)
    path = [str(site.folder)]

    for age_ns, read in (
        (0, 1),
        (index.RACY_NS, 1),
        (index.RACY_NS + 1, 1),
        (index.RACY_NS + 2, 0),
    ):
        monkeypatch.setattr(index.time, "time_ns", lambda age=age_ns: NOW_NS + age)
        before = len(scans)
        assert ["anymodal-acme"] == names(installed(path, environ=cache))
        assert read == len(scans) - before, age_ns

    monkeypatch.setattr(index.time, "time_ns", lambda: NOW_NS)  # a clock that was set back
    installed(path, environ=cache)
    assert 4 == len(scans)


def test_one_changed_entry_leaves_the_others_alone(tmp_path, cache, scans):
    """Installing into one environment does not empty the cache of another."""
    sites = [Site(tmp_path / name) for name in ("one", "two")]
    for each in sites:
        each.folder.mkdir()
        each.install(f"anymodal-{each.folder.name}")
        each.settle()
    path = [str(each.folder) for each in sites]
    installed(path, environ=cache)
    sites[1].settle(LONG_AGO + 1)
    installed(path, environ=cache)
    installed(path[:1], environ=cache)
    installed(path, environ=cache)

    assert ["one", "two", "two"] == scans


def damaged(content: bytes) -> list[bytes]:
    """Contents that are no cache of ours, though some are marshalled well."""
    key = marshal.loads(content[4:])[0]
    shapes = [None, 7, [], {}, ("a",), (key, 5), ("another key", {"/x": (1, [])})]
    forged = [marshal.dumps(shape) for shape in shapes]
    flipped = [
        content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :] for at in range(4, 40)
    ]
    return [
        b"",
        content[:3],
        content[:-1],
        content + b"x",
        b"nonsense" * 99,
        *flipped,
        *(zlib.crc32(one).to_bytes(4) + one for one in forged),
        *forged,
    ]


def test_damaged_cache_is_ignored_and_mended(site, cache, scans):
    """Whatever is in the file, scanning is the answer."""
    site.install("anymodal-acme")
    site.settle()
    path = [str(site.folder)]
    whole = installed(path, environ=cache)
    content = kept(cache).read_bytes()

    for bad in damaged(content):
        kept(cache).write_bytes(bad)
        before = len(scans)
        assert whole == installed(path, environ=cache), bad
        assert 1 == len(scans) - before, bad
        assert kept(cache).read_bytes() == content


@pytest.mark.parametrize("attribute", ["__version__"])
def test_another_core_has_a_cache_of_its_own(site, cache, scans, monkeypatch, attribute):
    """Whether a plugin fits depends on the core's version."""
    site.install("anymodal-acme", requires=["anymodal<50"])
    site.settle()
    path = [str(site.folder)]
    assert installed(path, environ=cache)[0].fits

    monkeypatch.setattr(index, attribute, "77.0")
    assert not installed(path, environ=cache)[0].fits
    assert 2 == len(list(Path(cache["ANYMODAL_CACHE_DIR"]).iterdir()))
    assert 2 == len(scans)


@pytest.mark.parametrize("attribute", ["version", "prefix"])
def test_another_interpreter_has_a_cache_of_its_own(site, cache, scans, monkeypatch, attribute):
    """Markers depend on the interpreter."""
    site.install("anymodal-acme")
    site.settle()
    installed([str(site.folder)], environ=cache)
    monkeypatch.setattr(index.sys, attribute, "another")
    installed([str(site.folder)], environ=cache)

    assert 2 == len(scans)


def test_no_cache_is_kept_where_it_is_off(site, scans, tmp_path):
    """Neither read nor written, not even in the home folder."""
    site.install("anymodal-acme")
    site.settle()
    for _ in range(2):
        installed([str(site.folder)], environ={"ANYMODAL_CACHE_DIR": "off", "HOME": str(tmp_path)})
        installed([str(site.folder)], environ={})

    assert 4 == len(scans)
    assert ["packages"] == [one.name for one in tmp_path.iterdir()]


def test_unwritable_cache_is_no_fault(site, tmp_path, scans):
    """A folder that cannot be made, or a file in its place, costs time and nothing else."""
    site.install("anymodal-acme")
    site.settle()
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below", "/proc/nowhere"):
        found = installed([str(site.folder)], environ={"ANYMODAL_CACHE_DIR": str(folder)})
        assert ["anymodal-acme"] == names(found)

    assert 3 == len(scans)


def test_nothing_half_written_is_left(site, cache, monkeypatch):
    """The file is replaced whole, or not at all."""
    site.install("anymodal-acme")
    site.settle()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    installed([str(site.folder)], environ=cache)

    assert [] == list(Path(cache["ANYMODAL_CACHE_DIR"]).iterdir())


def test_cache_does_not_grow_without_end(tmp_path, cache, monkeypatch):
    """Scripts are run from many folders over the years."""
    monkeypatch.setattr(index, "MAX_ENTRIES", 3)
    for number in range(8):
        folder = tmp_path / f"scripts{number}"
        folder.mkdir()
        os.utime(folder, (LONG_AGO, LONG_AGO))
        installed([str(folder)], environ=cache)

        _, entries = marshal.loads(kept(cache).read_bytes()[4:])
        assert 1 <= len(entries) <= 3
        assert str(folder) in entries


def test_warm_listing_imports_no_reader_of_metadata(site, cache):
    """That is what makes it fast; a fresh interpreter tells."""
    site.install("anymodal-acme", requires=["anymodal>=0.0.1"])
    site.settle()
    code = """
import json, sys
from anymodal.index import installed
found = installed([sys.argv[1]])
heavy = ("importlib.metadata", "importlib_metadata", "packaging", "platformdirs", "email", "json")
print(len(found), *(name for name in heavy[:-1] if name in sys.modules))
"""
    command = [sys.executable, "-c", code, str(site.folder)]
    told = [
        subprocess.run(
            command, env={**os.environ, **cache}, check=True, capture_output=True, text=True
        ).stdout.split()
        for _ in range(2)
    ]

    assert told[0][0] == told[1][0] == "1"
    assert "importlib_metadata" in told[0]
    assert [] == told[1][1:]


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {"HOME": "/home/a"}, "/home/a/.cache/anymodal"),
        ("linux", {"HOME": "/home/a", "XDG_CACHE_HOME": "/c"}, "/c/anymodal"),
        ("linux", {}, None),
        ("darwin", {"HOME": "/Users/a"}, "/Users/a/Library/Caches/anymodal"),
        ("darwin", {}, None),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/anymodal/Cache"),
        ("win32", {}, None),
        ("linux", {"HOME": "/home/a", "ANYMODAL_CACHE_DIR": "/mine"}, "/mine"),
        ("linux", {"HOME": "/home/a", "ANYMODAL_CACHE_DIR": "off"}, None),
    ],
)
def test_cache_is_where_users_expect_it(monkeypatch, platform, environ, folder):
    """The folders of each system, without importing what knows them."""
    monkeypatch.setattr(index.sys, "platform", platform)

    assert cache_folder(environ) == (None if folder is None else Path(folder))


@given(st.text(st.sampled_from("aB9-_."), max_size=12))
def test_names_are_compared_as_indexes_do(name):
    """`Acme_X`, `acme.x` and `acme--x` are one distribution."""
    once = normalise(name)

    assert once == normalise(once) == normalise(name.upper()) == normalise(name.replace("-", "__"))
    assert json.dumps(once).isascii()
    assert not set(once) & set("_.") and "--" not in once


def test_healthy_code_is_what_it_says(site):
    """The helper of these tests makes a plugin that can be imported."""
    site.install("anymodal-acme", offers("acme"))

    assert ["acme"] == [one.instance for one in site.registry().providers()]
