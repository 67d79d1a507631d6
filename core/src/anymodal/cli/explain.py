"""`explain`: the way of a name."""

from __future__ import annotations

from typing import Final, cast

import click

from ..config import Settings
from ..registry import Registry
from ..resolution import Decision
from ..resolution.best import PREFERENCES, Best, Preference, best
from .listings import check_capability, check_modality
from .output import Json, Listing, Stdout, json_option

__all__ = ["explain"]

DECISION: Final = Listing(
    "rank", "candidate", "provider", "model", "listed", "distribution", "strategy", "refused"
)


@click.command
@click.argument("name", required=False)
@click.option("--modality", metavar="M", default="text", help="The kind of work; text by default.")
@click.option("--needs", metavar="C,…", default="", help="Capabilities that it must not lack.")
@click.option("--voice", metavar="V", default="", help="A voice, where the work has voices.")
@click.option(
    "--best",
    "prefer",
    type=click.Choice(PREFERENCES),
    help="Instead of NAME: what best(prefer=…) chooses.",
)
@click.option("--among", metavar="P,…", default="", help="Patterns that --best chooses among.")
@json_option
def explain(
    *,
    name: str | None,
    modality: str,
    needs: str,
    voice: str,
    prefer: str | None,
    among: str,
    as_json: bool,
) -> None:
    """
    Show who serves NAME, and why nobody else does.

    Without NAME, who serves where none is given. The one with rank 1 is called, and
    the next ones where it fails. Exit status 1 where nobody is.
    """
    if prefer is not None and name is not None:
        msg = "NAME and --best exclude each other."
        raise click.UsageError(msg)
    if among and prefer is None:
        msg = "--among is for --best."
        raise click.UsageError(msg)
    out = Stdout.taken()
    registry = Registry(Settings.load())
    check_modality(registry, modality)
    wanted = _words(needs)
    for need in wanted:
        check_capability(registry, need, modality=modality)
    choice: str | Best | None = name
    if prefer is not None:
        preference = cast("Preference", prefer)  # click lets no other through
        choice = best(needs=wanted, prefer=preference, among=_words(among) or None)
        wanted = []
    decision = registry.explain(choice, modality=modality, needs=wanted, voice=voice)
    DECISION.write(rows_of(decision), out, as_json=as_json)
    if decision.error is not None:
        raise decision.error


def _words(given: str) -> list[str]:
    return [word.strip() for word in given.split(",") if word.strip()]


def rows_of(decision: Decision) -> list[dict[str, Json]]:
    """Return *decision* as a table: who was considered, who wins, and why nobody else does."""
    ranks = {id(row): rank for rank, row in enumerate(decision.winners, 1)}
    return [
        {
            "rank": ranks.get(id(row)),
            "candidate": row.name,
            "provider": row.offer.spec.id,
            "model": row.model.id,
            "listed": row.model.listed,
            "distribution": row.offer.plugin,
            "strategy": decision.strategy,
            "refused": row.refused or None,
        }
        for row in decision.rows
    ]
