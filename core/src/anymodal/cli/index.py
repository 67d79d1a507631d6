"""`anymodal index`: text files into a collection, in passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from ..client import Client
from ..config import Settings
from ..modalities.documents import Document
from ..modalities.filters import Eq, Range
from .ending import run_async
from .output import Json, Listing, Stdout, json_option, note
from .passages import passages

__all__ = ["index"]

COLUMNS: Final = ("collection", "file", "passages")


@click.command
@click.argument("collection")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)  # fmt: skip
@click.option(
    "-m", "--model", metavar="MODEL",
    help="Makes the dense vectors of a new collection, such as provider/model.",
)  # fmt: skip
@click.option(
    "--sparse", metavar="MODEL", help="Makes its sparse vectors, such as lexical/bm25-en."
)
@click.option("--store", metavar="NAME", help="A provider or an instance; else the default.")
@json_option
def index(
    *,
    collection: str,
    files: tuple[Path, ...],
    model: str | None,
    sparse: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """
    Keep the passages of each FILE in COLLECTION.

    A file that is indexed again takes its own place. A collection that is not there
    is made, by the models that are named; one that is remembers its own.
    """
    texts = [(path.as_posix(), passages(_text(path))) for path in files]
    out = Stdout.taken()
    run_async(lambda: _indexed(collection, texts, model, sparse, store))
    rows: list[Mapping[str, Json]] = [
        {"collection": collection, "file": name, "passages": len(found)} for name, found in texts
    ]
    Listing(*COLUMNS).write(rows, out, as_json=as_json)
    if not as_json and any(not found for _, found in texts):
        note("A file without words has no passages.")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path} is no text in UTF-8."
        raise click.ClickException(msg) from error


async def _indexed(
    collection: str,
    texts: Sequence[tuple[str, Sequence[str]]],
    model: str | None,
    sparse: str | None,
    store: str | None,
) -> None:
    async with Client(Settings.load()) as ai:
        if model or sparse:
            await ai.retrieval.create(
                collection, embedding=model, sparse=sparse, exists_ok=True, model=store
            )
        documents = {
            f"{name}#{place}": Document(
                id=f"{name}#{place}", text=text, payload={"file": name, "passage": place}
            )
            for name, found in texts
            for place, text in enumerate(found)
        }
        await ai.retrieval.upsert(collection, list(documents.values()), model=store)
        for name, found in dict(texts).items():  # the file may have been longer before
            rest = Eq("file", name) & Range("passage", gte=len(found))
            await ai.retrieval.delete(collection, filter=rest, model=store)
