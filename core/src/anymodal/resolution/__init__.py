"""
From a name to what serves it: pure functions over plain facts.

A decision is a table: who might serve, why each was refused, and who is left. It
is the same whether it is shown by `explain` or acted upon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from .. import errors as e
from ..scopes import Scope
from ..specs import Deadlines, ModelSpec, ProviderSpec, supports

__all__ = ["Decision", "Offer", "Row", "decided", "refusal", "retirement"]

NO_SCOPE: Final = Scope()
OFF: Final = "switched off by its settings or by ENABLE_PROVIDER_…"


@attrs.frozen(kw_only=True)
class Offer:
    """
    A provider under one of its names, and whether it can be used.

    Attributes:
        instance: The name; the provider's own id for the default one.
        spec: What the plugin says.
        models: Its model table, the user's settings applied.
        plugin: Distribution and version.
        enabled: Whether settings and flags let it be used.
        missing: What has to be set before it can be used; empty where nothing.
        deadlines: The instance's timeouts.
        scope: For whom it is.
    """

    instance: str
    spec: ProviderSpec[Any]
    models: tuple[ModelSpec, ...]
    plugin: str = ""
    enabled: bool = True
    missing: str = ""
    deadlines: Deadlines = Deadlines()
    scope: Scope = NO_SCOPE

    @property
    def configured(self) -> bool:
        """Whether keys and addresses are there."""
        return not self.missing

    def allows(self, model: ModelSpec) -> bool:
        """Whether *model* may be used by those whom this is for."""
        return self.scope.allows(self.instance, model.id)

    def model(self, name: str) -> ModelSpec | None:
        """Return the listed model called *name*, by id or alias."""
        for model in self.models:
            if name == model.id or name in model.aliases:
                return model
        return None


@attrs.frozen(kw_only=True)
class Row:
    """One candidate: an offer, a model of it, and why it was refused, if it was."""

    offer: Offer
    model: ModelSpec
    refused: str = ""


@attrs.frozen(kw_only=True)
class Decision:
    """
    How a name was routed.

    Attributes:
        name: What was asked for.
        modality: For what kind of work.
        strategy: What decided: `exact`, `alias`, `default` or the modality's own.
        rows: Every candidate considered.
        winners: Who serves, in order of preference.
        error: Why nobody does.
    """

    name: str
    modality: str
    strategy: str
    rows: tuple[Row, ...] = ()
    winners: tuple[Row, ...] = ()
    error: e.AnymodalError | None = None


def refusal(offer: Offer, model: ModelSpec, needs: Sequence[str] = ()) -> str:
    """Return why *model* through *offer* cannot be used, or an empty string."""
    if not offer.allows(model):
        return f"not allowed in the scope {offer.scope.name!r}"
    if not offer.enabled:
        return OFF
    if offer.missing:
        return offer.missing
    if model.lifecycle.state == "retired":
        return retirement(model)
    for need in needs:
        if supports(offer.spec, model, need) is False:
            return f"known not to have {need}"
    return ""


def retirement(model: ModelSpec) -> str:
    """Return the sentence about a model that is no longer served."""
    when = f" on {model.lifecycle.retires_on}" if model.lifecycle.retires_on else ""
    instead = f"; use {model.lifecycle.replacement}" if model.lifecycle.replacement else ""
    return f"retired{when}{instead}"


def decided(name: str, modality: str, strategy: str, rows: Sequence[Row]) -> Decision:
    """
    Choose among *rows*: the only provider left, through its default instance if
    it has several. Two providers left are an error that names both.
    """
    fine = [row for row in rows if not row.refused]
    default = [row for row in fine if row.offer.instance == row.offer.spec.id]
    providers = {row.offer.spec.id for row in fine}
    error: e.AnymodalError | None = None
    winners: tuple[Row, ...] = ()
    if len(providers) == 1 and (len(default) == 1 or len(fine) == 1):
        winners = tuple((default or fine)[:1])
    elif fine:
        error = _ambiguous(name, fine)
    elif rows:
        error = _all_refused(name, rows)
    else:
        error = e.UnknownModelError(f"No {modality} model is called {name!r}.")
    return Decision(
        name=name,
        modality=modality,
        strategy=strategy,
        rows=tuple(rows),
        winners=winners,
        error=error,
    )


def _ambiguous(name: str, rows: Sequence[Row]) -> e.AmbiguousNameError:
    claimants = sorted(f"{row.offer.instance}/{row.model.id}" for row in rows)
    return e.AmbiguousNameError(
        f"{name!r} could be {' and '.join(claimants)}. Say which, or settle it in settings: "
        f'[aliases] "{name}" = ["{claimants[0]}"]'
    )


def _all_refused(name: str, rows: Sequence[Row]) -> e.AnymodalError:
    """Return the error that fits the most hopeful of *rows*."""
    for row in rows:
        if row.refused == row.offer.missing:
            return e.MissingCredentialsError(row.offer.missing)
    for row in rows:
        if row.refused == retirement(row.model):
            return e.RetiredModelError(f"{row.offer.instance}/{row.model.id} is {row.refused}.")
    reasons = "; ".join(f"{row.offer.instance}/{row.model.id} is {row.refused}" for row in rows)
    is_set_so = rows[0].refused == OFF or not rows[0].offer.allows(rows[0].model)
    cls = e.ConfigurationError if is_set_so else e.UnsupportedFeatureError
    return cls(f"Nothing can serve {name!r}: {reasons}.")
