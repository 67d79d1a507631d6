"""
The plugin from which `anymodal new-plugin` makes others.

It is the example Night Heron of the documentation, packed into `template.json` by
`docs/generate.py`. Its own tests show that it works. Nothing in it is a blank to be
filled in: what is not asked for is taken out, and the names are replaced.

- A module or an emulator called after a modality belongs to it.
- `# [text image]` opens a block that is kept for either, and `# [/text image]` closes it.
- `# [text]` at the end of a line is about that line.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import attrs

__all__ = ["Template", "fault_of"]

LONGEST: Final = 32
"""Characters of a name, so that no line of code becomes too long by it."""

RESERVED: Final = frozenset({"all", "emulator", "openai-compatible"})
"""Libraries and collections of this project."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_EDGE: Final = re.compile(r"\s*(?:#|<!--) \[(/?)([a-z ]+)\](?: -->)?\s*")
_OF_A_LINE: Final = re.compile(r"\s*# \[([a-z ]+)\](?=\n|$)")


def fault_of(name: str) -> str:
    """Return why a plugin cannot be called *name*, or nothing."""
    bare = re.sub(r"[^a-z0-9]+", "-", name.lower().removeprefix("anymodal-")).strip("-")
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        hint = f" Try {bare!r}." if _NAME.fullmatch(bare) and len(bare) <= LONGEST else ""
        return (
            f"{name!r} is none: lower-case words of letters and digits, joined by hyphens, the "
            f"first of them a letter; at most {LONGEST} characters.{hint}"
        )
    if name.startswith("anymodal-"):
        return f"The distribution's name begins with anymodal- by itself. Try {bare!r}."
    if name in RESERVED or name == "anymodal":
        return f"{name!r} is reserved: anymodal has a distribution of that name."
    return ""


@attrs.frozen
class Template:
    """
    A plugin, and what it is called.

    Attributes:
        name: Its own id, of two words at least, so that its spellings differ.
        modalities: What it does.
        contents: Its files, by path.
    """

    name: str
    modalities: Sequence[str]
    contents: Mapping[str, str] = attrs.field(repr=lambda found: f"{len(found)} files")

    @classmethod
    def packaged(cls) -> Template:
        """Return the one that comes with this distribution."""
        return cls(**json.loads(files(__package__).joinpath("template.json").read_text("utf-8")))

    def made(self, name: str, modalities: Sequence[str]) -> dict[str, str]:
        """Return the files of the plugin *name*, by path."""
        others = set(self.modalities) - set(modalities)
        found = {}
        for path, content in self.contents.items():
            left = _without(content, modalities)
            if Path(path).stem not in others and (left or not content):
                found[self._renamed(path, name)] = self._renamed(left, name)
        return found

    def write(self, name: str, modalities: Sequence[str], parent: Path) -> Path:
        """
        Write the plugin *name* into a folder of *parent*; return that, complete or not at all.

        Raises:
            FileExistsError: It is there already.
            OSError: It cannot be written.
        """
        folder = parent / f"anymodal-{name}"
        if folder.exists() or folder.is_symlink():
            raise FileExistsError(None, "it exists", str(folder))
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=parent) as unfinished:
            whole = Path(unfinished, folder.name)
            for path, content in self.made(name, modalities).items():
                file = whole / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content, "utf-8", newline="\n")
            whole.rename(folder)
        return folder

    def _renamed(self, text: str, name: str) -> str:
        spellings = zip(_spellings(self.name), _spellings(name), strict=True)
        renamed = dict(spellings)
        either = "|".join(re.escape(one) for one in renamed)
        return re.sub(either, lambda found: renamed[found[0]], text)


def _spellings(name: str) -> tuple[str, ...]:
    """Return *name* as an id, a module, a constant, a class and a title."""
    title = name.replace("-", " ").title()
    module = name.replace("-", "_")
    return (name, module, module.upper(), title.replace(" ", ""), title)


def _without(content: str, modalities: Sequence[str]) -> str:
    """Return *content* without what belongs to other modalities alone, and without the marks."""
    shown = [True]
    found = []
    for line in content.splitlines(keepends=True):
        if edge := _EDGE.fullmatch(line):
            if edge[1]:
                shown.pop()
            else:
                shown.append(shown[-1] and _is_among(edge[2], modalities))
            continue
        mark = _OF_A_LINE.search(line)
        if shown[-1] and (mark is None or _is_among(mark[1], modalities)):
            found.append(line if mark is None else _OF_A_LINE.sub("", line))
    left = "".join(found).rstrip("\n")
    return f"{left}\n" if left else ""


def _is_among(names: str, modalities: Sequence[str]) -> bool:
    return any(one in modalities for one in names.split())
