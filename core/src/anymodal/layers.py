"""One layer of settings: a file, a variable or code, read with every fault and its place."""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar, cast
from urllib.parse import urlsplit

import attrs

from .specs import is_id

__all__ = ["Layer", "Table", "WrongValueError", "from_flags", "from_variables"]

ValueT = TypeVar("ValueT")
Key = tuple[str, ...]

FLAG_PREFIX: Final = "ENABLE_PROVIDER_"
STORE_FILE: Final = "anymodal.sqlite"
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_TOML_PLACE: Final = re.compile(r"^(.*) \(at line (\d+), column \d+\)$", re.DOTALL)


class WrongValueError(ValueError):
    """A value that a setting cannot have; the message says what is needed."""


@attrs.define(eq=False)
class Layer:
    """
    A source of settings, and what is wrong with it.

    Args:
        name: How its faults call it: a path, a variable, or `code`.
        found: What it holds.
        text: The file's text, in which lines are looked up.
        faults: What is wrong with it, as far as that is known.
    """

    name: str
    found: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    text: str = attrs.field(default="", repr=False)
    faults: list[str] = attrs.field(factory=list)

    @classmethod
    def read(cls, path: Path) -> Layer:
        """Read a TOML file. One that cannot be read is an empty layer with a fault."""
        import tomllib  # noqa: PLC0415  # most who list have no settings

        layer = cls(str(path))
        try:
            layer.text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
            layer.found = tomllib.loads(layer.text)
        except OSError as error:
            layer.faults.append(f"{path}: it cannot be read ({error.strerror}).")
        except UnicodeDecodeError:
            layer.faults.append(f"{path}: it is not UTF-8.")
        except tomllib.TOMLDecodeError as error:
            place = _TOML_PLACE.match(str(error))
            line, words = (f":{place[2]}", place[1]) if place else ("", str(error))
            layer.faults.append(f"{path}{line}: it is not TOML: {words}.")
        return layer

    def table(self) -> Table:
        """Return all of it."""
        return Table(self, (), self.found)

    def fault(self, key: Key, message: str) -> None:
        """Note what is wrong with *key*, once."""
        line = _line_of(self.text, key)
        place = f"{self.name}:{line}" if line else self.name
        fault = ": ".join(filter(None, (place, _dotted(key), message)))
        if fault not in self.faults:
            self.faults.append(fault)


@attrs.frozen(eq=False)
class Table:
    """A table of a layer; what is taken from it is checked, and faults are noted."""

    layer: Layer
    key: Key
    found: Mapping[str, object] = attrs.field(repr=False)

    def take(self, name: str, check: Callable[[object], ValueT]) -> ValueT | None:
        """Return the value of *name* as *check* gives it; None where unset, None or wrong."""
        value = self.found.get(name)
        if value is None:
            return None
        try:
            return check(value)
        except WrongValueError as error:
            self.layer.fault((*self.key, name), str(error))
            return None

    def take_all(self, check: Callable[[object], ValueT]) -> dict[str, ValueT]:
        """Return the values of all names, as *check* gives them."""
        taken = ((name, self.take(name, check)) for name in self.found)
        return {name: value for name, value in taken if value is not None}

    def table(self, name: str) -> Table:
        """Return the table under *name*, empty where unset."""
        return Table(self.layer, (*self.key, name), self.take(name, mapping) or {})

    def tables(self) -> dict[str, Table]:
        """Return the tables under all names."""
        return {name: self.table(name) for name in self.found}

    def allow(self, known: Iterable[str], kind: str = "setting") -> None:
        """Note every name outside *known*."""
        known = sorted(known)
        for name in self.found:
            if name not in known:
                import difflib  # noqa: PLC0415  # only where something is wrong

                near = difflib.get_close_matches(name, known, n=1)
                hint = (
                    f" Did you mean {near[0]}?"
                    if near
                    else f" Known: {', '.join(known) or 'none'}."
                )
                self.layer.fault((*self.key, name), f"there is no such {kind}.{hint}")

    def ids(self) -> None:
        """Note every name that is not lower-case words joined by hyphens."""
        for name in self.found:
            if not is_id(name):
                message = "a name of lower-case words joined by hyphens is needed."
                self.layer.fault((*self.key, name), message)


def _dotted(key: Key) -> str:
    return ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in key)


def _line_of(text: str, key: Key) -> int | None:
    """
    Return the line on which *key* is set, or None where that cannot be known.

    `tomllib` keeps no places, so the shortest beginning of the file in which
    the key is there is looked for; the key's line follows the longest beginning
    before it that is TOML, which holds for values over several lines as well.
    """
    if not text or not key:
        return None
    import tomllib  # noqa: PLC0415  # as above

    lines = text.split("\n")

    def whole_until(end: int) -> tuple[int, dict[str, object]]:
        while True:
            try:
                return end, tomllib.loads("\n".join(lines[:end]))
            except tomllib.TOMLDecodeError:
                end -= 1

    def is_set(end: int) -> bool:
        found: object = whole_until(end)[1]
        for part in key:
            if isinstance(found, list):  # a table among several has a number
                found = dict(zip(map(str, range(len(found))), found, strict=True))
            if not isinstance(found, Mapping) or part not in found:
                return False
            found = found[part]
        return True

    end = bisect.bisect_left(range(len(lines) + 1), True, key=is_set)  # noqa: FBT003  # bisect takes it by position
    return whole_until(end - 1)[0] + 1 if end <= len(lines) else None


def merged(
    first: Mapping[str, Mapping[str, ValueT]], then: Mapping[str, Mapping[str, ValueT]]
) -> dict[str, Mapping[str, ValueT]]:
    """Return the tables of both, *then* winning key by key."""
    return {name: {**first.get(name, {}), **then.get(name, {})} for name in {**first, **then}}


# -- what a value has to be ---------------------------------------------------------


def _wrong(value: object, need: str) -> WrongValueError:
    """Return the error; of strings, which may be keys in the wrong place, only the kind is told."""
    kinds = ((str, "a string"), (Mapping, "a table"), (list | tuple, "a list"))
    if isinstance(value, bool):
        shown = str(value).lower()
    elif isinstance(value, int | float):
        shown = repr(value)
    else:
        shown = next(
            (word for kind, word in kinds if isinstance(value, kind)), type(value).__name__
        )
    return WrongValueError(f"{need} is needed, not {shown}.")


def mapping(value: object) -> Mapping[str, object]:
    """Return a table."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _wrong(value, "a table")
    return value


def string(value: object) -> str:
    """Return a string that is not blank."""
    if not isinstance(value, str):
        raise _wrong(value, "a string")
    if not value.strip():
        message = "it is empty."
        raise WrongValueError(message)
    return value


def strings(value: object) -> tuple[str, ...]:
    """Return strings; one alone counts as a list of one."""
    found = (value,) if isinstance(value, str) else value
    if not isinstance(found, list | tuple | set | frozenset):
        raise _wrong(value, "a list of strings")
    return tuple(string(item) for item in found)


def some_strings(value: object) -> tuple[str, ...]:
    """Return at least one string."""
    found = strings(value)
    if not found:
        message = "it is empty."
        raise WrongValueError(message)
    return found


def identifier(value: object) -> str:
    """Return an id."""
    if not is_id(string(value)):
        message = "an id is needed: lower-case words joined by hyphens."
        raise WrongValueError(message)
    return cast("str", value)


def identifiers(value: object) -> tuple[str, ...]:
    """Return ids."""
    return tuple(identifier(item) for item in strings(value))


def boolean(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise _wrong(value, "true or false")
    return value


def whole(value: object) -> int:
    """Return a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(value, "a whole number")
    return value


def count(value: object) -> int:
    """Return a whole number above 0."""
    if whole(value) < 1:
        raise _wrong(value, "a whole number above 0")
    return cast("int", value)


def seconds(value: object) -> float:
    """Return a number of seconds above 0, which may be `inf`."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise _wrong(value, "a number of seconds above 0")
    return value


def url(value: object) -> str:
    """Return a URL without a slash at its end."""
    given = string(value)
    try:
        parts = urlsplit(given)
        is_whole = bool(parts.scheme and parts.hostname) and not set(given) & set(" \r\n\t")
        _ = parts.port
    except ValueError:
        is_whole = False
    if not is_whole:
        message = 'a whole URL is needed, such as "https://api.example.com/v1".'
        raise WrongValueError(message)
    if "@" in parts.netloc:
        message = "a URL without user and password is needed; keys have settings of their own."
        raise WrongValueError(message)
    return given.rstrip("/")


# -- what variables say ------------------------------------------------------------------


def from_variables(environ: Mapping[str, str]) -> list[Layer]:
    """Return a layer in the shape of the file for each variable that sets something."""
    found = []
    for name, shaped in _VARIABLES.items():
        if given := environ.get(name):
            layer = Layer(name)
            try:
                layer.found = shaped(given)
            except ValueError as error:
                layer.fault((), str(error))
            found.append(layer)
    return found


def _defaults(given: str) -> Mapping[str, object]:
    try:
        return {"defaults": json.loads(given)}
    except ValueError:
        message = 'a JSON object is needed, such as {"text": "provider/model"}.'
        raise WrongValueError(message) from None


def _in_folder(given: str) -> str:
    return given if given == "off" else str(Path(given) / STORE_FILE)


def _listed(given: str) -> list[str]:
    return given.replace(",", " ").split()


_VARIABLES: Final[Mapping[str, Callable[[str], Mapping[str, object]]]] = {
    "PROVIDER_DEFAULTS_JSON": _defaults,
    "ANYMODAL_PLUGINS": lambda given: {"plugins": {"allow": _listed(given)}},
    "ANYMODAL_DISABLE_PLUGINS": lambda given: {"plugins": {"disable": _listed(given)}},
    "ANYMODAL_LOCK": lambda given: {"plugins": {"lock": given}},
    "ANYMODAL_STATE_DIR": lambda given: {"store": {"path": _in_folder(given)}},
    "ANYMODAL_NO_AUTOLOAD": lambda given: {"plugins": {"autoload": not _is_on(given)}},
}


def from_flags(environ: Mapping[str, str]) -> tuple[list[Layer], dict[str, bool]]:
    """Return the `ENABLE_PROVIDER_…` variables that are set, and what they say."""
    read: list[Layer] = []
    found: dict[str, bool] = {}
    for name in sorted(environ):
        if name.startswith(FLAG_PREFIX) and environ[name]:
            layer = Layer(name)
            read.append(layer)
            provider = name.removeprefix(FLAG_PREFIX).lower().replace("_", "-")
            try:
                found[provider] = _is_on(environ[name])
            except ValueError as error:
                layer.fault((), str(error))
    return read, found


def _is_on(given: str) -> bool:
    word = given.strip().lower()
    if word not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        message = "1 or 0 is needed."
        raise WrongValueError(message)
    return word in {"1", "true", "yes", "on"}
