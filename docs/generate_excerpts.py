"""
What hand-written pages show of real files, kept as the files are; see generate.py.

    <!-- tutorial/pyproject.toml -->       the block below is that file of docs/examples
    <!-- tutorial/emulator.py: write -->   the block below is what the file defines so named
    [`base_url=`](…/__init__.py#L36)      the number is that of the first line with those words
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parent
EXAMPLES: Final = DOCS / "examples"
BLOCK: Final = re.compile(r"<!-- ([\w./-]+)(?:: ([\w, ]+))? -->\n+```(\w+).*?\n```\n", re.DOTALL)
LINE: Final = re.compile(r"\[`([^`]+)`\]\(([^)#]+)#L\d+\)")


def pages() -> Iterator[tuple[Path, str]]:
    """Give each page that shows something, as it ought to be."""
    for page in sorted(DOCS.glob("**/*.md")):
        text = page.read_text("utf-8")
        if BLOCK.search(text) or LINE.search(text):
            yield page, LINE.sub(lambda found, it=page: _line(it, found), BLOCK.sub(_block, text))


def _block(found: re.Match[str]) -> str:
    file, names, language = found.groups()
    code = (EXAMPLES / file).read_text("utf-8")
    shown = (
        "\n\n\n".join(_defined(code, name.strip()) for name in names.split(",")) if names else code
    )
    said = f": {names}" if names else ""
    return f"<!-- {file}{said} -->\n\n```{language}\n{shown.strip()}\n```\n"


def _defined(code: str, name: str) -> str:
    """Return the lines that define *name*, decorators included."""
    for node in ast.parse(code).body:
        if getattr(node, "name", "") == name:
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
            return "\n".join(code.splitlines()[first - 1 : node.end_lineno])
    message = f"nothing is called {name!r} in a file that a page shows"
    raise SystemExit(message)


def _line(page: Path, found: re.Match[str]) -> str:
    words, link = found.groups()
    lines = (page.parent / link).read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if words in line:
            return f"[`{words}`]({link}#L{number})"
    message = f"{page.relative_to(DOCS)}: no line of {link} has {words!r}"
    raise SystemExit(message)
