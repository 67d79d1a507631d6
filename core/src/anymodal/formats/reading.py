"""Numbers out of files that may end early."""

from __future__ import annotations

from typing import BinaryIO, Literal

__all__ = ["exactly", "number"]


def exactly(file: BinaryIO, count: int) -> bytes:
    """
    Return the next *count* bytes.

    Raises:
        ValueError: There are fewer.
    """
    found = file.read(count)
    if len(found) < count:
        msg = "it ends early"
        raise ValueError(msg)
    return found


def number(data: bytes, at: int, size: int, order: Literal["big", "little"] = "big") -> int:
    """
    Return the number of *size* bytes that stands *at*.

    Raises:
        ValueError: There are too few bytes.
    """
    if len(data) < at + size:
        msg = "it ends early"
        raise ValueError(msg)
    return int.from_bytes(data[at : at + size], order)
