"""Choosing by facts: what is known of models, and never what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias, get_args

import attrs

from .. import errors as e
from ..catalogue import is_free
from ..pricing import typical_cost
from ..specs import ModelSpec, supports
from . import Decision, Offer, Query, Row, row_of

__all__ = ["Best", "Preference", "best", "chosen"]

Preference: TypeAlias = Literal["cheapest", "free", "priority"]
Mixes: TypeAlias = Sequence[Mapping[str, int]]

PREFERENCES: Final[tuple[str, ...]] = get_args(Preference)


@attrs.frozen(repr=False)
class Best:
    """
    A choice by facts, as `best(...)` makes it, to stand where the name of a model may.

    Attributes:
        needs: Capabilities that a model is known to have, in the order of the alphabet.
        prefer: What decides between those that have them.
        among: Patterns of instances or of models; None is all.
    """

    needs: tuple[str, ...] = ()
    prefer: Preference = "cheapest"
    among: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        said = [f"needs={list(self.needs)!r}"] if self.needs else []
        said.append(f"prefer={self.prefer!r}")
        said += [] if self.among is None else [f"among={list(self.among)!r}"]
        return f"best({', '.join(said)})"


def best(
    *,
    needs: Iterable[str] = (),
    prefer: Preference = "cheapest",
    among: Iterable[str] | None = None,
) -> Best:
    """
    Choose a model by facts, wherever the name of one may stand.

    Whatever can serve is a candidate, in order of preference; a call goes on to the
    next as along any sequence of names. What is unknown is neither cheap nor free,
    and no capability. Deprecated models come last.

    Args:
        needs: Capabilities that a model has to be known to have.
        prefer: `cheapest`, by what a typical piece of work costs; `free`, of those
            that are known to cost nothing; or `priority`, the settings' or the
            plugins' own. Where that is equal, priority decides, then the name.
        among: Patterns such as `acme` or `acme/small-*`; by default all that is
            installed and configured.

    Raises:
        InvalidRequestError: An argument is wrong.
    """
    if prefer not in PREFERENCES:
        msg = f"prefer: one of {', '.join(PREFERENCES)} is needed, not {prefer!r}."
        raise e.InvalidRequestError(msg, field="prefer")
    patterns = None if among is None else tuple(dict.fromkeys(_words("among", among)))
    return Best(tuple(sorted(set(_words("needs", needs)))), prefer, patterns)


def _words(field: str, found: Iterable[str]) -> tuple[str, ...]:
    given = () if isinstance(found, str) else tuple(found)
    if isinstance(found, str) or not all(isinstance(word, str) for word in given):
        msg = f"{field}: a list of words is needed, not {found!r}."
        raise e.InvalidRequestError(msg, field=field)
    return given


def chosen(query: Query, wanted: Best, offers: Sequence[Offer], typical: Mixes) -> Decision:
    """Return who serves best, the first being the best of all, by the cost of *typical* work."""
    found = _rows(query, wanted, offers, typical)
    rows = sorted(found, key=lambda row: _rank(row, wanted.prefer, typical))
    winners = tuple(row for row in rows if not row.refused)
    return Decision(
        name=repr(wanted),
        modality=query.modality,
        strategy=f"best, {wanted.prefer}",
        rows=tuple(rows),
        winners=winners,
        error=None if winners else _nobody(query, wanted, rows),
    )


def _rows(query: Query, wanted: Best, offers: Sequence[Offer], typical: Mixes) -> Iterator[Row]:
    needs = (*wanted.needs, *query.needs, *([query.action] if query.action else []))
    own = {offer.spec.id for offer in offers if _is_usable(offer) and _is_own(offer)}
    for offer in offers:
        for model in offer.models:
            lack = _lack(offer, model, needs, wanted, typical)
            if not lack and not _is_own(offer) and offer.spec.id in own:
                lack = f"{offer.spec.id}/{model.id} is the same"
            if lack:
                yield Row(offer=offer, model=model, refused=lack)
            else:
                yield row_of(offer, model, query)


def _is_own(offer: Offer) -> bool:
    return offer.instance == offer.spec.id


def _is_usable(offer: Offer) -> bool:
    return offer.enabled and offer.configured


def _lack(
    offer: Offer, model: ModelSpec, needs: Sequence[str], wanted: Best, typical: Mixes
) -> str:
    """Return the fact that keeps *model* out, or an empty string."""
    names = (offer.instance, f"{offer.instance}/{model.id}")
    if wanted.among is not None and not any(
        fnmatchcase(name, pattern) for pattern in wanted.among for name in names
    ):
        return "not among those to choose from"
    for need in needs:
        known = supports(offer.spec, model, need)
        if not known:
            return f"known not to have {need}" if known is False else f"not known to have {need}"
    if wanted.prefer == "free" and not is_free(model):
        return "not known to be free"
    if wanted.prefer == "cheapest" and typical_cost(model.prices, typical) is None:
        return "its price is not known"
    return ""


def _rank(
    row: Row, prefer: Preference, typical: Mixes
) -> tuple[bool, bool, Decimal, int, bool, str, str]:
    offer, model = row.offer, row.model
    cost = typical_cost(model.prices, typical) if prefer == "cheapest" else None
    return (
        bool(row.refused),
        model.lifecycle.state != "active",
        Decimal(0) if cost is None else cost,
        -offer.priority,
        model.id != offer.default_model,
        offer.instance,
        model.id,
    )


def _nobody(query: Query, wanted: Best, rows: Sequence[Row]) -> e.AnymodalError:
    for row in rows:
        if row.refused == row.offer.missing:
            return e.MissingCredentialsError(row.offer.missing)
    msg = (
        f"No {query.modality} model is {wanted}, of {len(rows)} that are listed. Why not: "
        f"anymodal explain --best {wanted.prefer} --modality {query.modality}"
    )
    return e.NothingFitsError(msg + (f" --needs {','.join(wanted.needs)}" if wanted.needs else ""))
