"""What the tour asks of a provider of vectors, and how it tells that they mean something."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import anymodal

from .operations import Operation
from .visits import SECONDS, Visit

__all__ = ["EMBEDDING", "TEXTS"]

TEXTS: Final = (
    "The keeper lights the lamp of the lighthouse.",
    "A lighthouse keeper is lighting his lamps.",
    "Quarterly taxes were paid by bank transfer.",
)
"""The second means what the first does, and the third something else."""

Kind = Literal["dense", "sparse"]


async def _dense(client: anymodal.Client, visit: Visit, name: str) -> None:
    await _embed(client, visit, name, "dense")


async def _sparse(client: anymodal.Client, visit: Visit, name: str) -> None:
    await _embed(client, visit, name, "sparse")


async def _embed(client: anymodal.Client, visit: Visit, name: str, kind: Kind) -> None:
    """
    Ask for vectors of the texts, and of the first once more; note how near each is to it.

    Raises:
        LookupError: The same text has two vectors, or a related one is no nearer than another.
    """
    found = await client.embedding.embed(
        [*TEXTS, TEXTS[0]], model=name, purpose="document", timeout=SECONDS
    )
    vectors: Sequence[Any] = found.dense if kind == "dense" else found.sparse
    if len(vectors) != len(TEXTS) + 1:
        msg = f"{len(TEXTS) + 1} texts have {len(vectors)} {kind} vectors"
        raise LookupError(msg)
    first, *_, again = vectors
    if first != again:
        msg = "the same text has two vectors"
        raise LookupError(msg)
    near = [_cosine(first, one) for one in vectors[:-1]]
    if not near[1] > near[2] + LEAST:
        msg = f"a related text is at {near[1]:.2f} and another at {near[2]:.2f}"
        raise LookupError(msg)
    sizes = f"{len(first)} numbers" if kind == "dense" else f"{len(first)} words"
    lines = [f"{cosine:.3f}  {text}" for cosine, text in zip(near, TEXTS, strict=True)]
    visit.said = "\n".join([*lines, f"{sizes}, by {found.model}"])
    written = [
        {"text": text, kind: _written(vector)} for text, vector in zip(TEXTS, vectors, strict=False)
    ]
    visit.artefact, visit.suffix = json.dumps(written).encode(), ".json"
    visit.seconds = found.record.seconds


LEAST: Final = 0.1
"""By how much a related text has to be nearer."""


def _cosine(one: Any, other: Any) -> float:
    return _dot(one, other) / math.sqrt(_dot(one, one) * _dot(other, other))


def _dot(one: Any, other: Any) -> float:
    """Return the product of two vectors, dense or sparse."""
    pairs = _pairs(other)
    return sum(number * pairs.get(index, 0.0) for index, number in _pairs(one).items())


def _pairs(vector: Any) -> dict[int, float]:
    return dict(vector) if hasattr(vector, "indices") else dict(enumerate(vector))


def _written(vector: Any) -> object:
    write: Callable[[], object] = vector.to_dict if hasattr(vector, "indices") else vector.tolist
    return write()


EMBEDDING: Final[Mapping[str, Operation]] = {
    "embed": Operation("dense", _dense, TEXTS[0]),
    "sparse": Operation("sparse", _sparse, TEXTS[0]),
}
"""By name, in the order of the table."""
