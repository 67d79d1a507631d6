"""Vectors of texts without a model: near where texts share words, or parts of words."""

from __future__ import annotations

import math
import re
import zlib
from array import array
from collections.abc import Iterator
from typing import Final

__all__ = ["vector"]

_WORD: Final = re.compile(r"[^\W_]+")


def vector(space: str, text: str, dimensions: int) -> array[float]:
    """
    Return a vector of length 1 that shows what it was made of.

    The same text always has the same vector. Texts are near as far as they share
    words and groups of three letters; longer words count for more. Two models do not
    understand each other's vectors, as it is with real ones.

    Args:
        space: Who makes it, such as `openai/text-embedding-3-small`.
        text: Of what.
        dimensions: How many numbers it has, each of four bytes.
    """
    numbers = [0.0] * dimensions
    for piece, weight in _pieces(text.lower()):
        mark = zlib.crc32(f"{piece}\n{space}".encode("utf-8", "replace"))
        numbers[(mark >> 1) % dimensions] += weight if mark & 1 else -weight
    length = math.sqrt(sum(number * number for number in numbers))
    if not length:
        numbers[zlib.crc32(f"{text}\n{space}".encode("utf-8", "replace")) % dimensions] = length = (
            1.0
        )
    return array("f", [number / length for number in numbers])


def _pieces(text: str) -> Iterator[tuple[str, float]]:
    for word in _WORD.findall(text):
        yield word, float(len(word))
        edged = f" {word} "
        for at in range(len(edged) - 2):
            yield edged[at : at + 3], 1.0
