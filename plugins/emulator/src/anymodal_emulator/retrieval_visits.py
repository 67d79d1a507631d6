"""What the tour asks of a store, and how it tells that the right things are found."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import anymodal
from anymodal.modalities.documents import Document, Mode
from anymodal.modalities.embedding import DenseVector, SparseVector, dense
from anymodal.modalities.filters import Eq

from .operations import Operation
from .visits import SECONDS, Visit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anymodal.facades.retrieval import RetrievalFacade
    from anymodal.specs import ProviderSpec

__all__ = ["QUESTION", "RETRIEVAL"]

QUESTION: Final = "Who lights the lamps of lighthouses?"
SPARSE: Final = "lexical/bm25-en"
"""Made on this machine, without a model to fetch."""
COLLECTION: Final = "tour"
NUMBERS: Final = 64
TEXTS: Final = {
    "keeper": "A lighthouse keeper is lighting his lamps.",
    "storm": "The sea was rough, and the wind came from the west.",
    "tax": "Quarterly taxes were paid by bank transfer.",
    "decoy": "A keeper lights the lamps of another lighthouse.",
}
"""The first answers the question, and so would the last, which a filter keeps out."""


async def _dense(client: anymodal.Client, visit: Visit, name: str) -> None:
    await _query(client, visit, name, "dense")


async def _sparse(client: anymodal.Client, visit: Visit, name: str) -> None:
    await _query(client, visit, name, "sparse")


async def _hybrid(client: anymodal.Client, visit: Visit, name: str) -> None:
    await _query(client, visit, name, "hybrid")


async def _remote(client: anymodal.Client, visit: Visit, name: str) -> None:
    """Ask for both kinds together of the server, not of what the provider keeps in memory."""
    await _ask(client.retrieval, client, visit, name, "hybrid")


async def _query(client: anymodal.Client, visit: Visit, name: str, mode: Mode) -> None:
    async with _emptied(client, name) as (store, empty):
        await _ask(store, client, visit, empty, mode)


async def _ask(
    store: RetrievalFacade, client: anymodal.Client, visit: Visit, name: str, mode: Mode
) -> None:
    """
    Keep the texts in a collection of the tour's own, look for one of them, and drop it.

    Raises:
        LookupError: Another text is nearest, the filter lets through what it should not, or
            not all is kept.
    """
    made: dict[str, Any] = {"sparse": _maker(client)} if mode != "dense" else {}
    if mode != "sparse":
        made["dimensions"] = NUMBERS
    await store.create(COLLECTION, model=name, **made)
    try:
        by_words = made.get("sparse") is True
        documents = [
            Document(
                id=key,
                text=text,
                vector=None if mode == "sparse" else _letters(text),
                sparse=_words(text) if by_words else None,
                payload={"tongue": "none" if key == "decoy" else "en"},
            )
            for key, text in TEXTS.items()
        ]
        await store.upsert(COLLECTION, documents, model=name)
        kept = (await store.count(COLLECTION, model=name)).count
        query, thin = await _asked(client, mode, by_words=by_words)
        found = await store.query(
            COLLECTION, query, sparse=thin, mode=mode, limit=len(TEXTS), model=name,
            filter=Eq("tongue", "en"), timeout=SECONDS,
        )  # fmt: skip
    finally:
        await store.drop(COLLECTION, model=name)
    _check([hit.id for hit in found], kept)
    lines = [f"{hit.score:.3f}  {hit.text}" for hit in found]
    visit.said = "\n".join([QUESTION, *lines])
    hits = [{"id": hit.id, "score": hit.score, "text": hit.text} for hit in found]
    visit.artefact, visit.suffix = json.dumps(hits).encode(), ".json"
    visit.seconds = found.record.seconds


async def _asked(
    client: anymodal.Client, mode: Mode, *, by_words: bool
) -> tuple[Any, SparseVector | None]:
    """Return what is looked for: words, where the store's side makes the vector of them."""
    if mode == "dense":
        return _letters(QUESTION), None
    if mode == "sparse":
        return (_words(QUESTION) if by_words else QUESTION), None
    if by_words:
        return _letters(QUESTION), _words(QUESTION)
    made = await client.embedding.embed(QUESTION, model=SPARSE, purpose="query")
    return _letters(QUESTION), made.sparse[0]


def _maker(client: anymodal.Client) -> str | bool:
    """Return the model of sparse vectors; True where it is not installed, and words are counted here."""
    doors = {one.instance for one in client.registry.providers("embedding")}
    return SPARSE if SPARSE.partition("/")[0] in doors else True


def _words(text: str) -> SparseVector:
    found = sorted({zlib.crc32(word.encode()) for word in re.findall(r"\w+", text.lower())})
    return SparseVector(found, [1.0] * len(found))


def _check(found: list[str], kept: int | None) -> None:
    if kept != len(TEXTS):
        msg = f"{kept} of {len(TEXTS)} documents are kept"
        raise LookupError(msg)
    if found[:1] != ["keeper"] or "decoy" in found:
        msg = f"found {', '.join(found) or 'nothing'}, where keeper should be first"
        raise LookupError(msg)


@asynccontextmanager
async def _emptied(
    client: anymodal.Client, name: str
) -> AsyncIterator[tuple[RetrievalFacade, str]]:
    """Give a store that keeps nothing, where there is such a form of it, and its name there."""
    provider, _, model = name.partition("/")
    offers = client.registry.providers("retrieval")
    spec: Any = next(one.spec for one in offers if one.instance == provider)
    if not spec.in_memory:
        yield client.retrieval, name
        return
    instance = f"{provider}-in-memory"  # not the provider itself, whose server is set
    settings = {"instances": {instance: {"provider": provider, **spec.in_memory}}}
    async with client.scoped("tour", settings=settings) as apart:
        yield apart.retrieval, f"{instance}/{model}"


def _may_be_a_server(spec: ProviderSpec[Any]) -> bool:
    return spec.kind == "local" and bool(spec.url_env)


def _may_have_sparse(spec: ProviderSpec[Any]) -> bool:
    return spec.capabilities.get("sparse") is not False


def _letters(text: str) -> DenseVector:
    """Return how often pairs of letters come, by what they add up to: a plain dense vector."""
    numbers = [0.0] * NUMBERS
    for one, other in zip(text.lower(), text.lower()[1:], strict=False):
        numbers[(ord(one) * 31 + ord(other)) % NUMBERS] += 1
    return dense(numbers)


RETRIEVAL: Final[Mapping[str, Operation]] = {
    "dense": Operation("dense", _dense, QUESTION),
    "sparse": Operation("sparse", _sparse, QUESTION),
    "hybrid": Operation("", _hybrid, QUESTION, only=_may_have_sparse),
    "remote": Operation("", _remote, QUESTION, only=_may_be_a_server),
}
"""
By name, in the order of the table; both kinds together go with every store that is
not known to lack one. A store on this machine that may be a server as well is asked as one, too.
"""
