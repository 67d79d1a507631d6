"""
What plugins were when they were locked: versions, ids, and the hashes of their code.

A lock that is in force is read before anything is imported. Of a plugin that it has,
the files are hashed when that one is about to be imported, and not before.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import posixpath
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.machinery import PathFinder, all_suffixes
from pathlib import Path
from typing import Any, Final

import attrs

from .files import replacing
from .index import Distribution, normalise

__all__ = ["Check", "Lock", "Locked", "changes", "locked"]

FORMAT: Final = 1
HEAD: Final = """\
# The plugins that may be imported, as they were when `anymodal plugins lock` wrote this.
# `anymodal plugins verify` compares. Keep it beside anymodal.toml, where it is in force.

"""

_SUFFIXES: Final = (*all_suffixes(), ".pth")
_CACHE: Final = "__pycache__"
_UNCHECKED: Final = b"\x01\0\0\0"
"""What the second word of a compiled file is that Python runs whatever its source says (PEP 552)."""

EDITABLE: Final = "editable: its code may change at any time"
ELSEWHERE: Final = "its code is not in the folder of its metadata"


@attrs.frozen(kw_only=True)
class Locked:
    """
    A plugin distribution as the lock has it.

    Attributes:
        distribution: Its name.
        version: Its version.
        ids: Names of its entry points.
        modules: What these name.
        needs: Plugins that it requires, whose code is run with its own.
        files: Hashes by path, relative to the folder that it is installed in.
        unlockable: Why nothing is known of its files, if so.
    """

    distribution: str
    version: str
    ids: tuple[str, ...]
    modules: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    files: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    unlockable: str = ""


@attrs.frozen
class Check:
    """
    What a plugin's files have to be when it is imported.

    Attributes:
        name: The distribution that they are of.
        location: The folder that it is installed in.
        modules: What its entry points name.
        files: Hashes by path.
    """

    name: str
    location: str
    modules: tuple[str, ...]
    files: Mapping[str, str]


@attrs.frozen
class Lock:
    """
    A lock file.

    Attributes:
        path: Where it stands.
        plugins: What it has, by normalised name.
        fault: Why it cannot be read, if so; nothing is imported then.
    """

    path: str
    plugins: Mapping[str, Locked] = attrs.field(factory=dict)
    fault: str = ""

    @classmethod
    def read(cls, path: str) -> Lock:
        """Read the file at *path*; one that cannot be read is a lock with a fault."""
        try:
            found = tomllib.loads(Path(path).read_text("utf-8"))
            if found.get("format") != FORMAT:
                return cls(path, fault="it is of another format")
            plugins = [_locked(row) for row in found.get("plugin", ())]
        except FileNotFoundError:
            return cls(path, fault="there is no such file")
        except OSError as error:
            return cls(path, fault=str(error.strerror))
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls(path, fault="it is damaged")
        return cls(path, {normalise(one.distribution): one for one in plugins})

    def write(self) -> None:
        """
        Write the file, whole or not at all.

        Raises:
            OSError: It cannot be written; what was there still stands.
        """
        rows = sorted(self.plugins.values(), key=lambda one: normalise(one.distribution))
        text = f"{HEAD}format = {FORMAT}\n" + "".join(map(_written, rows))
        with replacing(self.path, private=False) as file:
            file.write(text.encode())

    def refuses(self, found: Distribution) -> str:
        """Return why *found* is not what was locked, as far as its metadata says."""
        one = self.plugins.get(found.normalised)
        if self.fault:
            return f"the lock {self.path} cannot be read: {self.fault}"
        if one is None:
            return f"it is not in the lock {self.path}"
        if one.version != found.version:
            return f"{one.version} was locked"
        for id_, module in found.entry_points:
            if id_ not in one.ids or module not in one.modules:
                return f"{id_} = {module} is new since it was locked"
        if lacking := [name for name in one.needs if name not in self.plugins]:
            return f"it needs {lacking[0]}, which is not in the lock {self.path}"
        return ""

    def checks(self, found: Distribution, beside: Mapping[str, Distribution]) -> tuple[Check, ...]:
        """
        Return what the files of *found* have to be, and of the plugins that it needs.

        Args:
            found: A distribution that the lock does not refuse.
            beside: All that are installed, by normalised name.
        """
        one = self.plugins[found.normalised]
        needed = [(self.plugins[name], beside[name]) for name in one.needs if name in beside]
        return tuple(
            Check(each.distribution, there.location, each.modules, each.files)
            for each, there in ((one, found), *needed)
        )


def _ids(found: Distribution) -> tuple[str, ...]:
    return tuple(sorted({name for name, _ in found.entry_points}))


def _locked(row: Mapping[str, Any]) -> Locked:
    files = row.get("files", {})
    one = Locked(
        distribution=row["distribution"],
        version=row["version"],
        ids=tuple(row["ids"]),
        modules=tuple(row["modules"]),
        needs=tuple(row["needs"]),
        files=dict(files),
        unlockable=row.get("unlockable", ""),
    )
    words = (one.distribution, one.version, one.unlockable, *one.ids, *one.modules, *one.needs)
    if not all(isinstance(word, str) for word in (*words, *files, *files.values())):
        msg = "strings are needed"
        raise TypeError(msg)
    return one


def _written(one: Locked) -> str:
    names = ["distribution", "version", "ids", "modules", "needs"]
    names += ["unlockable"] if one.unlockable else []
    lines = ["", "[[plugin]]", *(f"{name} = {_quoted(getattr(one, name))}" for name in names)]
    if one.files:
        lines += ["", "[plugin.files]"]
        lines += [f"{_quoted(path)} = {_quoted(one.files[path])}" for path in sorted(one.files)]
    return "\n".join(lines) + "\n"


def _quoted(value: str | Sequence[str]) -> str:
    """Return *value* as TOML writes it, which is as JSON does but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# -- what there is now --------------------------------------------------------------------


def locked(found: Distribution, plugins: Iterable[str] = ()) -> Locked:
    """
    Return what is to be locked of *found*; nothing of it is imported.

    Args:
        found: An installed distribution.
        plugins: Normalised names of all that declare plugins.
    """
    modules = tuple(sorted({module for _, module in found.entry_points}))
    files = _hashes(found.location, found.name, modules)
    reason = "" if files else ELSEWHERE
    if _is_editable(found.location, found.name):
        files, reason = {}, EDITABLE
    return Locked(
        distribution=found.name,
        version=found.version,
        ids=_ids(found),
        modules=modules,
        needs=_needed(found, set(plugins)),
        files=files,
        unlockable=reason,
    )


def changes(check: Check) -> list[str]:
    """Return how the files are not what *check* says, each in a few words."""
    found = _hashes(check.location, check.name, check.modules)
    if _is_editable(check.location, check.name):
        return ["it is editable now"] if check.files else []
    said = [f"{path} is gone" for path in sorted(check.files.keys() - found.keys())]
    said += [f"{path} is new" for path in sorted(found.keys() - check.files.keys())]
    said += [
        f"{path} has changed"
        for path in sorted(found.keys() & check.files.keys())
        if found[path] != check.files[path]
    ]
    return said or list(_strays(check, found))


def _strays(check: Check, found: Mapping[str, str]) -> Iterator[str]:
    """Give modules that Python would import from elsewhere, such as the working directory."""
    own = {os.path.realpath(Path(check.location, path)) for path in found}
    for module in check.modules if found else ():
        path: Sequence[str] | None = None
        for part in module.split("."):
            spec = PathFinder.find_spec(part, path)  # by its last name: parents are not imported
            if spec is None:
                break  # which importing it will say
            if spec.origin and os.path.realpath(spec.origin) not in own:
                yield f"{module} would be imported from {spec.origin}"
                break
            path = spec.submodule_search_locations


def _hashes(location: str, name: str, modules: Iterable[str]) -> dict[str, str]:
    """Return the hash of every file that Python might run, by path."""
    root, found = Path(location), dict[str, Path]()
    for module in modules:
        for file in _of_module(root, module):
            found[file.relative_to(root).as_posix()] = file
    for path in _recorded(root, name):
        found[path] = root / path
    return {_name(path): _hash(found[path]) for path in sorted(found)}


def _name(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _hash(file: Path) -> str:
    try:
        return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _of_module(folder: Path, module: str) -> Iterator[Path]:
    """Give the files of the outermost package that is not shared with others, or the module's."""
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return
    for part in parts:
        for suffix in all_suffixes():
            if (file := folder / f"{part}{suffix}").is_file():
                yield file
        folder /= part
        if any((folder / f"__init__{suffix}").is_file() for suffix in all_suffixes()):
            break
    yield from _within(folder)


def _within(folder: Path) -> Iterator[Path]:
    seen: set[str] = set()
    for where, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        is_cache = Path(where).name == _CACHE
        for name in names:
            file = Path(where, name)
            if name.endswith(_SUFFIXES) and (not is_cache or _is_unchecked(file)):
                yield file


def _is_unchecked(file: Path) -> bool:
    """Whether Python runs a compiled *file* without a look at its source."""
    try:
        with file.open("rb") as opened:
            return opened.read(8)[4:] == _UNCHECKED
    except OSError:
        return True


# -- metadata -------------------------------------------------------------------------------


def _metadata(root: Path, name: str) -> Path | None:
    """Return the folder of metadata of the distribution *name*."""
    try:
        folders = [one for one in os.listdir(root) if one.endswith(".dist-info")]  # noqa: PTH208  # names alone are needed
    except OSError:  # an archive, or gone
        return None
    for one in folders:
        if normalise(one.partition("-")[0]) == normalise(name):
            return root / one
    return None


def _recorded(root: Path, name: str) -> Iterator[str]:
    """Give the importable files that the installer noted, wherever they lie."""
    folder = _metadata(root, name)
    try:
        text = "" if folder is None else (folder / "RECORD").read_text("utf-8")
        rows = list(csv.reader(text.splitlines()))
    except (OSError, ValueError, csv.Error):
        return
    for row in rows:
        path = row[0] if row else ""
        is_shipped = _CACHE not in path or (len(row) > 1 and row[1])  # not compiled here
        is_inside = posixpath.normpath(path) == path and not path.startswith(("/", ".."))
        if path.endswith(_SUFFIXES) and is_shipped and is_inside and (root / path).is_file():
            yield path


def _is_editable(location: str, name: str) -> bool:
    folder = _metadata(Path(location), name)
    try:
        found = json.loads((folder / "direct_url.json").read_bytes()) if folder else {}
        return bool(found["dir_info"]["editable"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _needed(found: Distribution, plugins: set[str]) -> tuple[str, ...]:
    """Return those of *plugins* that *found* requires, directly or through others of them."""
    from importlib_metadata import distributions  # noqa: PLC0415  # only where a lock is written
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  # as above

    needed: set[str] = set()
    queue = [found.name]
    while queue:
        name = queue.pop()
        for metadata in distributions(name=name):
            for text in metadata.requires or ():
                try:
                    one = normalise(Requirement(text).name)
                except InvalidRequirement:
                    continue
                if one in plugins - needed - {found.normalised}:
                    needed.add(one)
                    queue.append(one)
            break
    return tuple(sorted(needed))
