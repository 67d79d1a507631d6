"""
Writes the parts of the reference that the sources say themselves.

    python docs/generate.py           writes them
    python docs/generate.py --check   fails where they are not what would be written
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from anymodal import errors, hookspecs

REFERENCE = Path(__file__).parent / "reference"


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
        "about the call that failed.",
        "",
        "| class | code | is a | when |",
        "|---|---|---|---|",
    ]
    for name, cls in vars(errors).items():
        if name in errors.__all__:
            parents = ", ".join(base.__name__ for base in cls.__bases__)
            summary = inspect.getdoc(cls).split("\n\n")[0].replace("\n", " ")  # type: ignore[union-attr]  # as above
            lines.append(f"| `{name}` | `{cls.code}` | {parents} | {summary} |")
    return "\n".join(lines) + "\n"


PAGES = {"hooks.md": hooks, "errors.md": error_tree}


def main() -> int:
    """Write or check the pages."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, page in PAGES.items():
        file = REFERENCE / name
        if not file.exists() or file.read_text("utf-8") != page():
            stale.append(name)
            if not check:
                file.write_text(page(), "utf-8")
    if check and stale:
        sys.stderr.write(f"stale: {', '.join(stale)}. Run: python docs/generate.py\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
