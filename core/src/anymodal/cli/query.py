"""`anymodal query`: what of a collection is near some words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click

from ..client import Client
from ..config import Settings
from ..modalities.documents import MODES, Mode
from ..modalities.retrieval import QueryResult
from .ending import run_async
from .output import Json, Listing, Stdout, json_option

__all__ = ["query"]

COLUMNS: Final = ("rank", "id", "score", "mode", "text", "payload")
SHORT: Final = ("rank", "score", "id", "text")


@click.command
@click.argument("collection")
@click.argument("text")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1),
    default=10,
    metavar="N",
    help="Most hits; 10 if unsaid.",
)
@click.option(
    "--mode", type=click.Choice(MODES), help="By which vectors; by all there are if unsaid."
)
@click.option("--store", metavar="NAME", help="A provider or an instance; else the default.")
@json_option
def query(
    *, collection: str, text: str, limit: int, mode: Mode | None, store: str | None, as_json: bool
) -> None:
    """Show what of COLLECTION is nearest to TEXT, the nearest first."""
    out = Stdout.taken()
    found = run_async(lambda: _found(collection, text, limit, mode, store))
    rows: list[Mapping[str, Json]] = [
        {
            "rank": rank,
            "id": hit.id,
            "score": hit.score if as_json else f"{hit.score:.4g}",
            "mode": found.mode,
            "text": hit.text if as_json else " ".join((hit.text or "").split()),
            "payload": dict(hit.payload),  # type: ignore[arg-type]  # JSON, as it was kept
        }
        for rank, hit in enumerate(found, 1)
    ]
    Listing(*(COLUMNS if as_json else SHORT)).write(rows, out, as_json=as_json)


async def _found(
    collection: str, text: str, limit: int, mode: Mode | None, store: str | None
) -> QueryResult:
    async with Client(Settings.load()) as ai:
        return await ai.retrieval.query(collection, text, limit=limit, mode=mode, model=store)
