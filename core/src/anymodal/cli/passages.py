"""Texts in passages, short enough to be found for what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["LONGEST", "passages"]

LONGEST: Final = 1000
"""Letters: some two hundred words, which every model takes."""
_GAP: Final = re.compile(r"\n[ \t]*\n\s*")
_END: Final = re.compile(r"(?<=[.!?…])\s+")


def passages(text: str, longest: int = LONGEST) -> list[str]:
    """
    Return *text* in passages: whole paragraphs, as many as fit, in order.

    A paragraph that is too long is cut after a sentence, a sentence between words, and a
    word anywhere. The same text gives the same passages.
    """
    found: list[str] = []
    for piece in _pieces(text.strip(), longest):
        if found and len(found[-1]) + 2 + len(piece) <= longest:
            found[-1] += f"\n\n{piece}"
        else:
            found.append(piece)
    return found


def _pieces(text: str, longest: int) -> Iterator[str]:
    for paragraph in _GAP.split(text):
        held = ""
        for part in _parts(paragraph, longest):
            if held and len(held) + 1 + len(part) > longest:
                yield held
                held = ""
            held = f"{held} {part}" if held else part
        if held:
            yield held


def _parts(paragraph: str, longest: int) -> Iterator[str]:
    """Give sentences; of those that are too long, words; of those, letters."""
    for sentence in _END.split(paragraph):
        if len(sentence) <= longest:
            yield sentence
            continue
        for word in sentence.split():
            yield from (word[at : at + longest] for at in range(0, len(word), longest))
