"""
How many faults are planted, and found, as `docs/contract.md` has it.

    python -m tests.planted.score      writes the table there

`tests/test_contract.py` demands that each is found, and that the table is as it would be written.
"""

from __future__ import annotations

import re
from pathlib import Path

from .faults import FAULTS
from .planting import MODALITIES, suite_of

__all__ = ["PAGE", "table", "written"]

PAGE = Path(__file__).parent.parent.parent / "docs" / "contract.md"
BETWEEN = re.compile(r"(?<=<!-- score -->\n).*?(?=<!-- score ends -->)", re.DOTALL)


def table() -> str:
    """Return the table: a row for each modality whose faults are planted, and one for all."""
    rows = ["| modality | clauses | faults planted | found |", "|---|---|---|---|"]
    total = 0
    clauses: set[str] = set()
    for modality in MODALITIES:
        count = sum(one.modality == modality for one in FAULTS)
        own = {one.id for one in suite_of(modality).clauses().values()}
        rows.append(f"| {modality} | {len(own)} | {count} | {count} |")
        total += count
        clauses |= own
    rows.append(f"| in all | {len(clauses)} | {total} | {total} |")
    return "\n".join(rows) + "\n"


def written(page: str) -> str:
    """Return *page* with the table in its place."""
    return BETWEEN.sub(lambda _: table(), page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
