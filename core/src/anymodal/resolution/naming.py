"""When two spellings are one name: case, underscores and spaces do not matter."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["normalised"]

_GAPS: Final = re.compile(r"[\s_-]+")
_SHELVES: Final = ("models/", "model/")
"""Where some vendors' listings say that a model stands; nobody means it as part of the name."""


def normalised(name: str) -> str:
    """
    Return *name* in the one spelling of all that count as the same.

    Small letters; hyphens for spaces, underscores and runs of them; none at the ends
    of a segment; without a leading `models/`. Dots, digits and the slashes between
    segments are left as they are: `m-1.5` is not `m-15`.

    Done a second time, it changes nothing.
    """
    parts = (_GAPS.sub("-", part).strip("-") for part in name.casefold().split("/"))
    found = "/".join(parts)
    while found.startswith(_SHELVES):
        found = found.partition("/")[2]
    return found
