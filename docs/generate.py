"""
Writes what the sources say themselves: most of the reference, what other pages show of
files, and the known distributions. Everything has to be installed.

    python docs/generate.py           writes them
    python docs/generate.py --check   fails where they are not what would be written
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import generate_commands
import generate_excerpts
import generate_names
import generate_plugins
import generate_template
from anymodal import errors, hookspecs
from anymodal.modalities import kinds

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"


def hooks() -> str:
    """Return the page of hooks."""
    lines = ["# Hooks", "", inspect.cleandoc(hookspecs.__doc__ or ""), ""]
    for name, function in vars(hookspecs).items():
        if name.startswith("anymodal_"):
            signature = f"{name}{inspect.signature(function)}".partition(" ->")[0]
            lines += [f"## `{signature}`", "", *_prose(function), ""]
    return "\n".join(lines).rstrip() + "\n"


def _prose(function: object) -> list[str]:
    """Return a docstring as Markdown: sections in bold, the example as a block."""
    found: list[str] = []
    example = False
    for line in inspect.getdoc(function).splitlines():  # type: ignore[union-attr]  # a test says that each has one
        if line.endswith("::"):
            found += [f"**{line[:-2]}**", "", "```python"]
            example = True
        elif line.endswith(":") and not line.startswith(" "):
            found += [f"**{line[:-1]}**", ""]
        else:
            found.append(line.removeprefix("    "))
    return [*_without_blank_fence(found), "```"] if example else found


def _without_blank_fence(lines: list[str]) -> list[str]:
    return [
        line
        for number, line in enumerate(lines)
        if not (line == "" and number and lines[number - 1] == "```python")
    ]


def error_tree() -> str:
    """Return the page of errors."""
    lines = [
        "# Errors",
        "",
        "Every error of this library is an `AnymodalError`. `code` never changes; `record` tells what is known",
        "about the call that failed. An error has what its bases have, too.",
        "",
        "| class | code | is a | when | has |",
        "|---|---|---|---|---|",
    ]
    for name, cls in vars(errors).items():
        if name in errors.__all__:
            parents = ", ".join(base.__name__ for base in cls.__bases__)
            summary = inspect.getdoc(cls).split("\n\n")[0].replace("\n", " ")  # type: ignore[union-attr]  # as above
            has = "; ".join(_attributes(cls))
            lines.append(f"| `{name}` | `{cls.code}` | {parents} | {summary} | {has} |")
    return "\n".join(lines) + "\n"


def _attributes(cls: type) -> list[str]:
    """Return what the docstring says of each attribute of its own, in a phrase each."""
    told = inspect.getdoc(cls) or ""
    listed = told.partition("Attributes:\n")[2].partition("\n\n")[0]
    found: list[str] = []
    for line in listed.splitlines():
        if match := re.match(r"    (\w+): (.*)", line):
            found.append(f"`{match[1]}`: {match[2]}")
        elif found:
            found[-1] += f" {line.strip()}"
    return [one.rstrip(".") for one in found]


def kinds_of_work() -> str:
    """Return the page of how models are sorted."""
    lines = ["# Kinds of work", "", inspect.cleandoc(kinds.__doc__ or ""), ""]
    lines += ["## What vendors say", "", "| kind | words for it |", "|---|---|"]
    named: dict[str, list[str]] = {}
    for word, kind in kinds.KINDS.items():
        named.setdefault(kind or "none of ours", []).append(word)
    lines += [f"| {kind} | {_code(words)} |" for kind, words in named.items()]
    lines += ["", "## What names say", "", inspect.cleandoc(kinds.Rule.__doc__ or ""), ""]
    lines += ["| kind, the first that fits | words of an id |", "|---|---|"]
    lines += [f"| {one.modality or 'none of ours'} | {_code(one.words)} |" for one in kinds.RULES]
    lines += ["", "Some words tell an ability too:", ""]
    lines += ["| kind | ability | words of an id |", "|---|---|---|"]
    lines += [
        f"| {one.modality} | `{one.capability}` | {_code(one.words)} |" for one in kinds.TRAITS
    ]
    return "\n".join(lines) + "\n"


def _code(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words)


def known() -> str:
    """Return the distribution of each id, which the core suggests where it is not installed."""
    found = {}
    for file in sorted((ROOT / "plugins").glob("*/pyproject.toml")):
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        for name in project.get("entry-points", {}).get("anymodal", {}):
            found[name] = project["name"]
    return json.dumps(dict(sorted(found.items())), indent=2) + "\n"


PAGES = {
    REFERENCE / "hooks.md": hooks,
    REFERENCE / "errors.md": error_tree,
    REFERENCE / "kinds.md": kinds_of_work,
    ROOT / "core" / "src" / "anymodal" / "known.json": known,
}


def everything() -> Iterator[tuple[Path, str]]:
    """Give each file with its content."""
    for file, page in PAGES.items():
        yield file, page()
    yield generate_commands.PAGE, generate_commands.page()
    yield from generate_names.pages()
    yield from generate_plugins.pages()
    yield from generate_excerpts.pages()
    yield from generate_template.pages()


def main() -> int:
    """Write or check the pages."""
    check = "--check" in sys.argv[1:]
    stale = []
    written = set()
    for file, content in everything():
        written.add(file)
        if not file.exists() or file.read_text("utf-8") != content:
            stale.append(file.name)
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content, "utf-8")
    for file in sorted(set(generate_plugins.FOLDER.glob("*.md")) - written):
        stale.append(f"{file.name} (of no plugin)")
        if not check:
            file.unlink()
    if check and stale:
        sys.stderr.write(f"stale: {', '.join(stale)}. Run: python docs/generate.py\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
