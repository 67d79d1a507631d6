"""The plugin from which `anymodal new-plugin` makes others, packed; see generate.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from anymodal.modalities import BUILT_IN

EXAMPLE: Final = Path(__file__).parent / "examples" / "night_heron"
FILE: Final = Path(__file__).parents[1] / "core" / "src" / "anymodal" / "cli" / "template.json"
KEPT: Final = {".github", ".gitignore"}
"""What begins with a dot and is the example's; the rest are caches."""


def pages() -> Iterator[tuple[Path, str]]:
    """Give the file."""
    contents = {one.relative_to(EXAMPLE).as_posix(): one.read_text("utf-8") for one in _files()}
    kinds = [one.name for one in BUILT_IN if any(f"/{one.name}.py" in path for path in contents)]
    found = {"name": "night-heron", "modalities": kinds, "contents": contents}
    yield FILE, json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _files() -> Iterator[Path]:
    for one in sorted(EXAMPLE.rglob("*")):
        parts = one.relative_to(EXAMPLE).parts
        hidden = [part for part in parts if part.startswith(".") and part not in KEPT]
        if one.is_file() and not hidden and not {"__pycache__", "dist"} & set(parts):
            yield one
