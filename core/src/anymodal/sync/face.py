"""What all sync faces are."""

from __future__ import annotations

from typing import Generic, TypeVar

from ..loops import KeptLoop

__all__ = ["Face"]

InnerT = TypeVar("InnerT")


class Face(Generic[InnerT]):
    """
    An object of the async face, without `await`.

    Args:
        inner: The object.
        loop: The client's, on which it runs.
    """

    __slots__ = ("_inner", "_loop")

    def __init__(self, inner: InnerT, loop: KeptLoop) -> None:
        self._inner = inner
        self._loop = loop

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._inner!r}>"
