"""What all sync faces are."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from ..loops import KeptLoop

__all__ = ["Face", "HasFace"]

InnerT = TypeVar("InnerT")
FaceT_co = TypeVar("FaceT_co", covariant=True)


class Face(Generic[InnerT]):
    """
    An object of the async face, without `await`.

    A modality that a plugin brings has one of its own, each method of which runs its
    namesake: `return self._loop.run(self._inner.translate(text, to=to))`.

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


class HasFace(Protocol[FaceT_co]):
    """A facade that can be used without `await`, too."""

    def sync_face(self, loop: KeptLoop, /) -> FaceT_co:
        """Return the same without `await`, which runs on *loop*."""
