"""
Which distributions declare plugins: metadata only, nothing imported.

What was read is kept in the user's cache folder, keyed by interpreter and by the
modification time of each `sys.path` entry, which every installer changes. A
listing then costs one small file. A damaged, old or unwritable file is ignored.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import attrs

from ._version import __version__

if TYPE_CHECKING:
    from importlib_metadata import Distribution as Metadata

__all__ = ["GROUP", "Distribution", "cache_folder", "installed"]

GROUP: Final = "anymodal"
CORE: Final = "anymodal"
RACY_SECONDS: Final = 2.0
"""A folder changed this recently may change again within its clock's resolution."""

_FORMAT: Final = 1


@attrs.frozen
class Distribution:
    """
    An installed distribution that declares entry points in our group.

    Attributes:
        name: As in its metadata.
        version: As in its metadata.
        entry_points: Pairs of name and value, in the file's order.
        requires: What it requires of the core, such as `>=0.1,<0.2`.
        fits: Whether this core is that.
        location: The `sys.path` entry it was found on.
        fault: Why its metadata cannot be read, if so.
    """

    name: str
    version: str
    entry_points: tuple[tuple[str, str], ...] = ()
    requires: str = ""
    fits: bool = True
    location: str = ""
    fault: str = ""

    @property
    def normalised(self) -> str:
        """The name as package indexes compare it."""
        return normalise(self.name)


def normalise(name: str) -> str:
    """Return *name* in lower case, with runs of `-`, `_` and `.` as one hyphen."""
    return "-".join(filter(None, name.lower().replace("_", "-").replace(".", "-").split("-")))


def installed(
    path: Sequence[str] | None = None, *, environ: Mapping[str, str] | None = None
) -> tuple[Distribution, ...]:
    """
    Return the distributions on *path* that declare plugins.

    The first of two with the same name counts, as it does for imports.

    Args:
        path: `sys.path` by default.
        environ: Where `ANYMODAL_CACHE_DIR` is looked up; `off` keeps no cache.
    """
    file = _cache_file(os.environ if environ is None else environ)
    known = _read(file)
    fresh: dict[str, tuple[int, list[tuple[object, ...]]]] = {}
    found: dict[str, Distribution] = {}
    changed = False
    for entry in dict.fromkeys(sys.path if path is None else path):
        where = entry or os.getcwd()  # noqa: PTH109  # what sys.path's empty entry means
        try:
            modified = os.stat(where).st_mtime_ns  # noqa: PTH116  # a Path costs more than the rest
        except OSError:
            continue
        if where in known and known[where][0] == modified:
            rows = known[where][1]
        else:
            rows = [attrs.astuple(one) for one in _scan(where)]
            changed = True
        if time.time() - modified / 1e9 > RACY_SECONDS:
            fresh[where] = (modified, rows)
        for row in rows:
            one = Distribution(*row)  # type: ignore[arg-type]  # written from the same class
            found.setdefault(one.normalised, one)
    if changed:
        _write(file, known | fresh)
    for one in _elsewhere():
        found.setdefault(one.normalised, one)
    return tuple(found.values())


def _scan(where: str) -> Iterator[Distribution]:
    from importlib_metadata import distributions  # noqa: PLC0415  # 18 ms, paid when something changed

    with contextlib.suppress(OSError):
        for metadata in distributions(path=[where]):
            if (one := _described(cast("Metadata", metadata), where)) is not None:
                yield one


def _elsewhere() -> Iterator[Distribution]:
    """Ask importers that are no folders, such as those of frozen applications."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_distributions", None)
        module = getattr(finder, "__module__", "")
        if find is None or module.startswith(("_frozen_importlib", "importlib")):
            continue
        with contextlib.suppress(Exception):
            for metadata in find():
                if (one := _described(metadata, module)) is not None:
                    yield one


def _described(metadata: Metadata, where: str) -> Distribution | None:
    """Return what *metadata* declares for us, or None where that is nothing."""
    try:
        text = metadata.read_text("entry_points.txt") or ""
    except (OSError, UnicodeDecodeError) as error:
        return Distribution(_folder_name(metadata), "", location=where, fault=_sentence(error))
    if f"[{GROUP}]" not in text:
        return None
    try:
        entry_points = tuple(
            (point.name, point.value) for point in metadata.entry_points if point.group == GROUP
        )
        name, version = metadata.metadata["Name"], metadata.version
        requires = _core_requirement(metadata.requires or ())
        fits = _fits(requires)
    except Exception as error:  # noqa: BLE001  # metadata is a stranger's text
        return Distribution(_folder_name(metadata), "", location=where, fault=_sentence(error))
    return Distribution(str(name), str(version), entry_points, requires, fits, where)


def _folder_name(metadata: Metadata) -> str:
    folder = Path(str(getattr(metadata, "_path", "")))
    return folder.name.partition("-")[0] or "unknown"


def _sentence(error: Exception) -> str:
    return f"its metadata cannot be read ({type(error).__name__})"


def _core_requirement(requires: Sequence[str]) -> str:
    from packaging.requirements import Requirement  # noqa: PLC0415  # cold path only

    for text in requires:
        requirement = Requirement(text)
        if normalise(requirement.name) == CORE and requirement.marker is None:
            return str(requirement.specifier)
    return ""


def _fits(requires: str) -> bool:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415  # cold path only

    return SpecifierSet(requires).contains(__version__, prereleases=True)


# -- the cache ------------------------------------------------------------------------


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Return where the index is kept, or None where no cache is wanted or possible."""
    file = _cache_file(environ)
    return None if file is None else file.parent


def _cache_file(environ: Mapping[str, str]) -> Path | None:
    folder = environ.get("ANYMODAL_CACHE_DIR") or _user_cache(environ)
    if folder in {"", "off"}:
        return None
    interpreter = f"{_FORMAT} {__version__} {sys.version} {sys.prefix}".encode()
    key = hashlib.blake2b(interpreter, digest_size=8).hexdigest()
    return Path(folder) / f"index-{key}.marshal"


def _user_cache(environ: Mapping[str, str]) -> str:
    """Return what platformdirs would, which would cost more than the rest of this module."""
    if sys.platform == "win32":
        local = environ.get("LOCALAPPDATA", "")
        return os.path.join(local, "anymodal", "Cache") if local else ""  # noqa: PTH118  # as above
    home = environ.get("HOME", "")
    if sys.platform == "darwin":
        return f"{home}/Library/Caches/anymodal" if home else ""
    base = environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    return f"{base}/anymodal" if base else ""


def _read(file: Path | None) -> dict[str, tuple[int, list[tuple[object, ...]]]]:
    if file is None:
        return {}
    try:
        found = marshal.loads(file.read_bytes())  # noqa: S302  # the user's own file, shape checked below
        for modified, rows in found.values():
            if not isinstance(modified, int) or not all(
                len(row) == len(attrs.fields(Distribution)) for row in rows
            ):
                return {}
    except Exception:  # noqa: BLE001  # whatever is wrong with it, scanning is the answer
        return {}
    return dict(found)


def _write(file: Path | None, found: dict[str, tuple[int, list[tuple[object, ...]]]]) -> None:
    if file is None:
        return
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as temporary:
                temporary.write(marshal.dumps(found))
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
