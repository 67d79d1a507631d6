"""`anymodal embed`: texts in, vectors out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import click

from ..client import Client
from ..config import Settings
from ..modalities.embedding import EmbeddingResult, Purpose, SparseVector, Vector
from .asking import choice, is_piped, model_option, standard_input
from .ending import run_async
from .output import Json, Listing, Stdout, json_option
from .telling import tell

__all__ = ["embed", "rows_of"]

COLUMNS: Final = (
    "index",
    "text",
    "provider",
    "model",
    "dimensions",
    "normalised",
    "vector",
    "sparse",
)
SHORT: Final = ("text", "numbers", "vector")
SHOWN: Final = 4
"""Numbers of a vector in the table; JSON has them all."""


@click.command
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@model_option
@click.option(
    "--purpose", type=click.Choice(["query", "document"]),
    help="What the vectors are for, for models that tell the two apart.",
)  # fmt: skip
@click.option(
    "--dimensions", type=click.IntRange(1), metavar="N", help="How many numbers each has."
)
@click.option("-v", "--verbose", is_flag=True, help="Tell warnings and cost, on standard error.")
@json_option
def embed(
    *,
    texts: tuple[str, ...],
    models: tuple[str, ...],
    purpose: Purpose | None,
    dimensions: int | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """
    Make a vector of each TEXT.

    Without any, or where one is -, each line of standard input is a text; empty
    lines are passed over.
    """
    found = _texts(texts)
    out = Stdout.taken()
    result = run_async(lambda: _embedded(found, choice(models), purpose, dimensions))
    if as_json:
        Listing(*COLUMNS).write(rows_of(found, result), out, as_json=True)
    else:
        Listing(*SHORT).write(_short_rows_of(found, result), out, as_json=False)
    if verbose:
        tell(result.record)


async def _embedded(
    texts: Sequence[str],
    model: str | Sequence[str] | None,
    purpose: Purpose | None,
    dimensions: int | None,
) -> EmbeddingResult:
    async with Client(Settings.load()) as ai:
        return await ai.embedding.embed(texts, model=model, purpose=purpose, dimensions=dimensions)


def _texts(given: Sequence[str]) -> list[str]:
    """Return the texts, the lines of standard input in the place of a dash."""
    found: list[str] = []
    for text in given or (["-"] if is_piped() else ()):
        found += _lines() if text == "-" else [text]
    if not found:
        msg = "There is no text: give TEXT, or pipe in a line for each."
        raise click.UsageError(msg, click.get_current_context())
    return found


def _lines() -> list[str]:
    try:
        piped = standard_input().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = "Standard input is no text in UTF-8."
        raise click.UsageError(msg, click.get_current_context()) from error
    return [line for line in piped.splitlines() if line.strip()]


def rows_of(texts: Sequence[str], result: EmbeddingResult) -> list[Mapping[str, Json]]:
    """Return the vectors, as JSON has them."""
    record = result.record
    return [
        {
            "index": index,
            "text": text,
            "provider": record.provider,
            "model": record.model,
            "dimensions": result.dimensions,
            "normalised": result.normalised,
            "vector": _numbers(result.dense[index]) if result.dense else None,
            "sparse": _sparse(result.sparse[index]) if result.sparse else None,
        }
        for index, text in enumerate(texts)
    ]


def _short_rows_of(texts: Sequence[str], result: EmbeddingResult) -> list[Mapping[str, Json]]:
    """Return the beginnings of the vectors, for people."""
    return [
        {"text": text, "numbers": len(vector), "vector": _beginning(vector)}
        for text, vector in zip(texts, result.vectors, strict=True)
    ]


def _beginning(vector: Vector) -> str:
    if isinstance(vector, SparseVector):
        shown = [f"{index}: {number:.3g}" for index, number in list(vector)[:SHOWN]]
    else:
        shown = [f"{number:.3g}" for number in vector[:SHOWN]]
    return ", ".join(shown + (["…"] if len(vector) > SHOWN else []))


def _sparse(vector: SparseVector) -> Json:
    return {"indices": vector.indices.tolist(), "values": _numbers(vector.values)}


def _numbers(found: Iterable[float]) -> list[float]:
    """Return numbers with the nine digits that tell any two of four bytes apart."""
    return [float(f"{number:.9g}") for number in found]
