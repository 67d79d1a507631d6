"""Pages of public names: what each is, how it is called, and its own docstring; see generate.py."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar, get_origin

import attrs

REFERENCE: Final = Path(__file__).parent / "reference"
LONGEST: Final = 96
HEADS: Final = {
    "anymodal": (
        "names.md",
        "# Names of `anymodal`",
        """What `from anymodal import …` gives. Errors have [a page of their own](errors.md), and so has
[what single kinds of work have beside](names-of-rooms.md), such as `anymodal.modalities.speech`.""",
    ),
    "anymodal.testing": (
        "names-of-testing.md",
        "# Names of `anymodal.testing`",
        "For the tests of plugins and of applications; `pip install 'anymodal[testing]'`.",
    ),
}

ROOMS: Final = (
    *("requests", "messages", "text", "batches", "image", "sizes", "video", "audio", "making"),
    *("sounds", "speech", "transcription", "live", "realtime", "embedding", "documents"),
    *("retrieval", "filters"),
)
KIT: Final = ("connection", "http", "sockets", "streams", "jobs", "stores", "events", "usage")
ROOMS_HEAD: Final = """\
# Names of rooms and kit

What plugins use beside [the names of `anymodal`](names.md), which are not repeated here: the rooms of single kinds of work, and what
plugins call."""


def pages() -> Iterator[tuple[Path, str]]:
    """Give each file with its content."""
    for name, (file, *head) in HEADS.items():
        module = import_module(name)
        yield REFERENCE / file, "\n\n".join([*head, *_sections(module)]) + "\n"
    yield REFERENCE / "names-of-rooms.md", "\n\n".join([ROOMS_HEAD, *_rooms()]) + "\n"


def _rooms() -> Iterator[str]:
    """Give a section for each module, without names that `anymodal` itself has."""
    shown = set(import_module("anymodal").__all__)
    for name in (*(f"modalities.{room}" for room in ROOMS), *KIT):
        module = import_module(f"anymodal.{name}")
        left = [one for one in module.__all__ if one not in shown]
        shown.update(left)
        if left:
            yield f"## `anymodal.{name}`"
            yield inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0]
        for one in sorted(left, key=str.casefold):
            yield from _section(one, getattr(module, one), level=3)


def _sections(module: ModuleType) -> Iterator[str]:
    for name in sorted(module.__all__, key=str.casefold):
        if name != "__version__":
            yield from _section(name, getattr(module, name))


def _section(name: str, value: Any, *, level: int = 2) -> Iterator[str]:
    yield f"{'#' * level} `{name}`"
    if inspect.isclass(value):
        yield f"```python\n{_signature(name, value)}\n```"
        yield _prose(value)
        if methods := list(_methods(value)):
            yield "\n".join(["| has | |", "|---|---|", *methods])
    elif inspect.isroutine(value):
        yield f"```python\n{_signature(name, value)}\n```"
        yield _prose(value)
    elif get_origin(value) is not None:
        yield f"```text\n{name} = {_short(repr(value))}\n```"
    elif isinstance(value, TypeVar):
        yield "Stands for a type."
    elif isinstance(value, str | int | float):
        yield f"`{value!r}`"
    elif isinstance(value, frozenset | tuple) and all(isinstance(one, str) for one in value):
        words = sorted(value) if isinstance(value, frozenset) else value
        yield " ".join(f"`{one}`" for one in words)
    else:
        yield f"A `{type(value).__name__}`."


def _methods(cls: type) -> Iterator[str]:
    """Give a row for each public method and property that is documented."""
    fields = {one.name for one in attrs.fields(cls)} if attrs.has(cls) else set()
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        told = inspect.getdoc(getattr(value, "__func__", value))
        is_own = isinstance(value, property | staticmethod | classmethod) or inspect.isfunction(
            value
        )
        if name.startswith("_") or name in fields or not is_own or not told:
            continue
        if hasattr(value, "clause"):  # of a contract suite; docs/contract.md has them
            continue
        called = name if isinstance(value, property) else f"{name}({_names(value)})"
        yield f"| `{called}` | {_one_line(told)} |"


def _names(value: Any) -> str:
    """Return the names of arguments, for a table."""
    function = getattr(value, "__func__", value)
    parameters = list(inspect.signature(function).parameters.values())
    if not isinstance(value, staticmethod):
        parameters = parameters[1:]
    found: list[str] = []
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and "*" not in found:
            found.append("*")
        stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        found.append(f"{stars}{one.name}")
    return ", ".join(found)


def _signature(name: str, value: Any) -> str:
    if getattr(value, "_is_protocol", False):
        return f"class {name}(Protocol)"
    try:
        said = inspect.signature(value)
    except ValueError:
        return name
    parts: list[str] = []
    for one in said.parameters.values():
        if one.kind is one.KEYWORD_ONLY and not any(part.startswith("*") for part in parts):
            parts.append("*")
        parts.append(_parameter(one))
    result = "" if inspect.isclass(value) else _annotation(said.return_annotation, " -> ")
    line = f"{name}({', '.join(parts)}){result}"
    if len(line) <= LONGEST:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){result}"


def _parameter(one: inspect.Parameter) -> str:
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    said = f"{stars}{one.name}{_annotation(one.annotation, ': ')}"
    if one.default is inspect.Parameter.empty:
        return said
    return f"{said} = {_default(one.default)}"


def _default(said: object) -> str:
    if isinstance(said, frozenset) and said:
        return f"{{{', '.join(sorted(map(repr, said)))}}}"  # in one order, always
    shown = repr(said)
    return "…" if shown.startswith("<") or shown == "NOTHING" else shown


def _annotation(said: object, before: str) -> str:
    if said is inspect.Signature.empty or said is None:
        return ""
    shown = said if isinstance(said, str) else inspect.formatannotation(said)
    return before + _short(shown)


def _short(shown: str) -> str:
    """Return types without the modules that they come from."""
    return re.sub(
        r"\b(?:anymodal|collections|datetime|typing|pathlib|decimal)(?:\.[a-z_]\w*)*\.(?=[A-Z])",
        "",
        shown,
    )


def _one_line(told: str) -> str:
    return told.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _prose(value: object) -> str:
    """Return a docstring as Markdown: sections in bold, arguments as lists, examples as blocks."""
    told = inspect.getdoc(value) or ""
    lines: list[str] = []
    section = ""
    for line in told.splitlines():
        starts = line.endswith("::") or re.fullmatch(r"[A-Z][A-Za-z]+:", line)
        if section == "example" and (starts or (line and not line.startswith(" "))):
            _close(lines)
            section = ""
        if line.endswith("::"):
            section = "example"
            lines += [f"**{line[:-2]}**" if line[:-2].isalpha() else line[:-1], "", "```python"]
        elif starts:
            section = line
            lines += [f"**{line[:-1]}**", ""]
        elif section == "example":
            lines.append(line.removeprefix("    "))
        elif match := re.match(r"    ([\w`*]+): (.*)", line):
            lines.append(f"- `{match[1]}`: {match[2]}")
        elif section and line.startswith("     "):
            lines.append(f"  {line.strip()}")
        else:
            lines.append(line.removeprefix("    "))
    if section == "example":
        _close(lines)
    return "\n".join(lines).replace("```python\n\n", "```python\n").rstrip()


def _close(lines: list[str]) -> None:
    """End the block of an example."""
    while lines[-1] == "":
        lines.pop()
    lines += ["```", ""]
