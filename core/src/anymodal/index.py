"""
Which distributions declare plugins: metadata only, nothing imported.

What was read is kept in the user's cache folder, keyed by interpreter and by the
modification time of each `sys.path` entry, which every installer changes. A
listing then costs one small file. A damaged, old or unwritable file is ignored.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import attrs

from ._version import __version__
from .files import write_whole

if TYPE_CHECKING:
    from importlib_metadata import Distribution as Metadata

__all__ = ["GROUP", "Distribution", "cache_folder", "installed", "normalise"]

GROUP: Final = "anymodal"
CORE: Final = "anymodal"
RACY_NS: Final = 2_000_000_000
"""A folder changed this recently may change again within its clock's resolution."""

MAX_ENTRIES: Final = 256
"""Entries of `sys.path` that the cache remembers; scripts come from many folders."""

_FORMAT: Final = 2

Row: TypeAlias = tuple[object, ...]
"""The normalised name, then the fields of a `Distribution`, if it declares plugins."""

Entries: TypeAlias = dict[str, tuple[int, list[Row]]]
"""What was found at each entry of `sys.path`, and when that was last changed."""


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
    Return the distributions that declare plugins.

    The first of two with the same name counts, as it does for imports.

    Args:
        path: Where to look; by default `sys.path` and what other importers say.
        environ: Where `ANYMODAL_CACHE_DIR` is looked up; `off` keeps no cache.
    """
    cache = _Cache(os.environ if environ is None else environ)
    known, found = cache.read(), dict[str, Distribution | None]()
    settled: Entries = {}
    now = time.time_ns()
    for where, modified in _entries(sys.path if path is None else path):
        is_settled = now - modified > RACY_NS
        entry = known.get(where) if is_settled else None
        if entry is None or entry[0] != modified:
            entry = (modified, list(_scan(where)))
            if is_settled:
                settled[where] = entry
        _take(entry[1], found)
    if settled:
        cache.write(known, settled)
    if path is None:
        _take(_elsewhere(), found)
    return tuple(one for one in found.values() if one and (one.entry_points or one.fault))


def _take(rows: Iterable[Row], found: dict[str, Distribution | None]) -> None:
    for name, *fields in rows:
        if name not in found:
            found[str(name)] = Distribution(*fields) if fields else None  # type: ignore[arg-type]  # written from the same class


def _entries(path: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Give each entry that exists, absolute, and when it was last changed."""
    for entry in dict.fromkeys(one for one in path if isinstance(one, str)):
        try:
            where = os.path.abspath(entry)  # noqa: PTH100  # what the empty entry means as well
            modified = os.stat(where).st_mtime_ns  # noqa: PTH116  # a Path costs more than the rest
        except (OSError, ValueError):
            continue
        yield where, modified


def _scan(where: str) -> Iterator[Row]:
    from importlib_metadata import (  # noqa: PLC0415  # 15 ms, paid when something changed
        MetadataPathFinder,
        distributions,
    )

    MetadataPathFinder.invalidate_caches()  # it trusts times that are too coarse for us
    with contextlib.suppress(Exception):  # a folder or archive that nothing can be read from
        for metadata in distributions(path=[where]):
            yield _row(cast("Metadata", metadata), where)


def _elsewhere() -> Iterator[Row]:
    """Ask importers that are no folders, such as those of frozen applications."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_distributions", None)
        module = str(getattr(finder, "__module__", ""))
        if find is None or module.startswith(("_frozen_importlib", "importlib")):
            continue
        with contextlib.suppress(Exception):  # a stranger's code
            for metadata in find():
                yield _row(metadata, module)


def _row(metadata: Metadata, where: str) -> Row:
    """Return what *metadata* declares for us, or its name alone."""
    name = Path(str(getattr(metadata, "_path", ""))).name.partition("-")[0] or "unknown"
    try:
        text = metadata.read_text("entry_points.txt") or ""
    except UnicodeDecodeError as error:
        text = error.object.decode("ascii", "replace")
    except Exception:  # noqa: BLE001  # metadata is a stranger's
        text = ""
    if f"[{GROUP}]" not in text:
        return (normalise(name),)
    try:
        one = _described(metadata, where)
    except Exception as error:  # noqa: BLE001  # as above
        fault = f"its metadata cannot be read ({type(error).__name__})"
        one = Distribution(name, "", location=where, fault=fault)
    return (one.normalised, *attrs.astuple(one, recurse=False))


def _described(metadata: Metadata, where: str) -> Distribution:
    fields = metadata.metadata
    requires = _core_requirement(fields.get_all("Requires-Dist") or ())
    return Distribution(
        name=str(fields["Name"]),
        version=str(fields["Version"]),
        entry_points=tuple(
            (point.name, point.value) for point in metadata.entry_points if point.group == GROUP
        ),
        requires=requires,
        fits=_fits(requires),
        location=where,
    )


def _core_requirement(requires: Iterable[str]) -> str:
    from packaging.requirements import Requirement  # noqa: PLC0415  # cold path only

    found = []
    for text in requires:
        if text.lower().startswith(CORE):  # the others may be as odd as they like
            one = Requirement(text)
            applies = one.marker is None or one.marker.evaluate({"extra": ""})
            if applies and normalise(one.name) == CORE and one.specifier:
                found.append(str(one.specifier))
    return ",".join(found)


def _fits(requires: str) -> bool:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415  # cold path only

    return SpecifierSet(requires).contains(__version__, prereleases=True)


# -- the cache ------------------------------------------------------------------------


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Return where the index is kept, or None where no cache is wanted or possible."""
    folder = environ.get("ANYMODAL_CACHE_DIR") or _user_cache(environ)
    return None if folder in {"", "off"} else Path(folder)


class _Cache:
    """
    The file in which entries are kept for the next process.

    It begins with a checksum, because `marshal` may crash on bytes that were
    damaged, and says for which interpreter and core it was written.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        folder = cache_folder(environ)
        shape = " ".join(attrs.fields_dict(Distribution))
        self._key = f"{_FORMAT} {__version__} {sys.version} {sys.prefix} {shape}"
        name = f"index-{zlib.crc32(self._key.encode()):08x}.marshal"
        self._file = None if folder is None else folder / name

    def read(self) -> Entries:
        """Return what is kept; nothing where it cannot be used."""
        if self._file is None:
            return {}
        try:
            content = self._file.read_bytes()
            if zlib.crc32(content[4:]) != int.from_bytes(content[:4]):
                return {}
            key, entries = marshal.loads(content[4:])  # noqa: S302  # the user's own file, checked above
            return dict(entries) if key == self._key else {}
        except Exception:  # noqa: BLE001  # whatever is wrong with it, scanning is the answer
            return {}

    def write(self, known: Entries, more: Entries) -> None:
        """Keep *more* beside what is *known*; a file that cannot be written is no fault."""
        if self._file is None:
            return
        entries = {**known, **more} if len(known) < MAX_ENTRIES else more
        content = marshal.dumps((self._key, entries))
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, zlib.crc32(content).to_bytes(4) + content, lasts=False)


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
