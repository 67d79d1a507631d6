"""The way back to a job that was submitted elsewhere: who serves it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import errors as e
from ..call import Call, Way
from ..jobs import JobToken
from ..usage import Cost, Record

if TYPE_CHECKING:
    from ..resolution import Row

__all__ = ["RUNNING", "found_again"]

RUNNING: Final = Cost(None, "the job has not ended")


def found_again(way: Way, token: JobToken) -> tuple[Row, Record]:
    """
    Return who serves the instance that *token* names, and a record of its call.

    Raises:
        ConfigurationError: Nobody here does.
    """
    # Of the decision only its rows count: what was submitted is fetched though the
    # model has been retired since.
    decision = way.registry.explain(f"{token.instance}/{token.model}", modality=token.modality)
    row = next(iter(decision.rows), None)
    usable = row is not None and row.offer.enabled and not row.offer.missing
    if row is None or not usable or not row.offer.allows(row.model):
        raise decision.error or _strange(token)
    if not row.offer.spec.goes_by(token.provider):
        raise _strange(token)
    record = Call(way, token.modality, token.operation).record
    record.id, record.started_at, record.cost = token.call, None, RUNNING
    record.provider, record.instance = token.provider, token.instance
    record.model, record.plugin = token.model, row.offer.plugin
    return row, record


def _strange(token: JobToken) -> e.AnymodalError:
    msg = f"token: {token.instance} is not the {token.provider} that the job was submitted to."
    return e.UnknownProviderError(msg)
