"""
How much is found of what should be, by each way of looking.

    python tests/retrieval/measuring.py

The dense side is `Hashed`: the letters of the words in runs of three to five, counted into 512
numbers by a hash, each by the square root of its count. It is made on the spot and knows
nothing of meaning, as an embedding that is learnt would: it finds words that are spelt alike,
misspelt and joined ones among them. The sparse side is BM25 of anymodal-lexical. The store
is Qdrant's embedded one.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import anyio
import attrs
from anymodal import Client, Settings, hookimpl
from anymodal.modalities.documents import Document, Mode
from anymodal.modalities.embedding import (
    DenseVector,
    EmbeddingModelSpec,
    EmbeddingProviderSpec,
    EmbeddingRequest,
    EmbeddingResult,
    dense,
)

__all__ = ["Hashing", "Labelled", "labelled", "measured"]

FILE: Final = Path(__file__).with_name("labelled.txt")
NUMBERS: Final = 512
RUNS: Final = range(3, 6)
MODES: Final[tuple[Mode, ...]] = ("dense", "sparse", "hybrid")


@attrs.frozen
class Labelled:
    """
    What should be found.

    Attributes:
        documents: Texts by id; the id begins with the topic.
        queries: Each with the ids of its topic's documents.
    """

    documents: Mapping[str, str]
    queries: Sequence[tuple[str, frozenset[str]]]


def labelled() -> Labelled:
    """Return the set."""
    documents: dict[str, str] = {}
    asked: list[tuple[str, str]] = []
    topic = ""
    for line in FILE.read_text("utf-8").splitlines():
        mark, _, words = line.partition(" ")
        if mark == "#":
            topic = words
        elif mark == "?":
            asked.append((topic, words))
        elif mark == "-":
            documents[f"{topic}/{len(documents)}"] = words
    return Labelled(
        documents,
        [
            (words, frozenset(one for one in documents if one.startswith(f"{topic}/")))
            for topic, words in asked
        ],
    )


def hashed(text: str) -> DenseVector:
    """Return the runs of letters of *text*, counted by their hash; of length 1."""
    counts = [0.0] * NUMBERS
    for run in _runs(text):
        counts[zlib.crc32(run.encode()) % NUMBERS] += 1
    weights = [math.sqrt(count) for count in counts]
    length = math.sqrt(sum(weight * weight for weight in weights)) or 1.0
    return dense(weight / length for weight in weights)


def _runs(text: str) -> Iterator[str]:
    for word in re.findall(r"\w+", text.lower()):
        marked = f"<{word}>"
        for size in RUNS:
            yield from (marked[at : at + size] for at in range(len(marked) - size + 1))


class Hashed:
    """Vectors of letters."""

    def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Count each text's."""
        return EmbeddingResult(dense=tuple(map(hashed, request.texts)), model="letters")


class Hashing:
    """Offers them."""

    @hookimpl
    def anymodal_embedding_providers(self) -> Iterator[EmbeddingProviderSpec]:
        """Offer one model."""
        yield EmbeddingProviderSpec(
            id="hashing",
            display_name="Hashed letters",
            kind="local",
            connect=lambda _: Hashed(),
            models=[EmbeddingModelSpec(id="letters", dimensions=NUMBERS)],
            normalised=True,
        )


async def measured(places: int = 5) -> Mapping[Mode, list[float]]:
    """Return, by mode, the recall of each query: which part of its documents is in the first *places*."""
    wanted = labelled()
    settings = Settings.from_mapping({"providers": {"qdrant": {"path": ":memory:"}}})
    async with Client(settings, plugins=[Hashing()]) as ai:
        store = ai.retrieval
        await store.create(
            "all", embedding="hashing/letters", sparse="lexical/bm25-en", model="qdrant"
        )
        documents = [Document(id=one, text=text) for one, text in wanted.documents.items()]
        await store.upsert("all", documents, model="qdrant")
        found: dict[Mode, list[float]] = {}
        for mode in MODES:
            found[mode] = []
            for words, right in wanted.queries:
                hits = await store.query("all", words, mode=mode, limit=places, model="qdrant")
                found[mode].append(len({hit.id for hit in hits} & right) / min(places, len(right)))
    return found


def main() -> None:
    """Print the means."""
    found = anyio.run(measured)
    for mode, recalls in found.items():
        own, hurried = recalls[::2], recalls[1::2]
        print(
            f"{mode:7} {_mean(recalls):.3f}   other words {_mean(own):.3f}   in a hurry {_mean(hurried):.3f}"
        )


def _mean(found: Sequence[float]) -> float:
    return sum(found) / len(found)


if __name__ == "__main__":
    main()
