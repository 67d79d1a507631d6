"""
From a name to what serves it: pure functions over plain facts.

A decision is a table: who might serve, why each was refused, and who is left. It
is the same whether it is shown by `explain` or acted upon.

Each modality names its strategy, a function of a `Query` and of the `Offer`s that
returns a `Decision`. Those that come with anymodal are the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from .. import errors as e
from ..catalogue import overridden
from ..scopes import Scope
from ..specs import Deadlines, ModelSpec, ProviderSpec, supports, words
from .naming import normalised

if TYPE_CHECKING:
    from ..modalities.speech import VoiceSpec

__all__ = [
    "HOST",
    "Decision",
    "Offer",
    "Query",
    "Row",
    "Strategy",
    "decided",
    "refusal",
    "retirement",
    "row_of",
    "won",
]

NO_SCOPE: Final = Scope()
HOST: Final = "host"
"""What `Offer.plugin` says of what the host itself brings."""
OFF: Final = "switched off by its settings or by ENABLE_PROVIDER_…"


@attrs.frozen(kw_only=True)
class Query:
    """
    What is looked for.

    Attributes:
        name: As the caller wrote it; empty where they named none.
        modality: The kind of work.
        needs: Capabilities that must not be known to be missing.
        action: The capability that the operation itself is, such as `live`; empty
            where it is the modality's usual one. Who is known to have it goes before
            those of whom nothing is known.
        voice: Name or id of a voice, for modalities that have them.
        routes: Where settings send bare names of this modality.
    """

    name: str
    modality: str
    needs: tuple[str, ...] = attrs.field(default=(), converter=words)
    action: str = ""
    voice: str = ""
    routes: Mapping[str, str] = attrs.field(factory=dict, hash=False, repr=False)


@attrs.frozen(kw_only=True)
class Offer:
    """
    A provider under one of its names, and whether it can be used.

    Attributes:
        instance: The name; the provider's own id for the default one.
        spec: What the plugin says.
        models: Its model table, the user's settings applied.
        plugin: Distribution and version; `HOST` where the host itself brings it.
        enabled: Whether settings and flags let it be used.
        missing: What has to be set before it can be used; empty where nothing.
        deadlines: The instance's timeouts.
        scope: For whom it is.
        default_model: Used where the caller names none; the settings' or the spec's.
        priority: Orders listings and `best()`, highest first.
        facts: What settings say of models, by `provider/model`.
        options: What settings ask of every call that does not say otherwise.
        vendor_option: The same of the vendor's own options.
    """

    instance: str
    spec: ProviderSpec[Any]
    models: tuple[ModelSpec, ...]
    plugin: str = ""
    enabled: bool = True
    missing: str = ""
    deadlines: Deadlines = Deadlines()
    scope: Scope = NO_SCOPE
    default_model: str | None = None
    priority: int = 0
    facts: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict, eq=False, repr=False)
    options: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    vendor_option: object = attrs.field(default=None, repr=False)

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

    def alike(self, name: str) -> tuple[ModelSpec, ...]:
        """Return the listed models that *name* may mean, once normalised."""
        wanted = normalised(name)
        return tuple(
            model
            for model in self.models
            if any(wanted == normalised(one) for one in (model.id, *model.aliases))
        )

    def find(self, name: str) -> ModelSpec:
        """Return the model called *name*; one that is not listed is made up."""
        if (model := self.model(name)) is not None:
            return model
        where = f"{self.spec.id}/{name}"
        made = ModelSpec(id=name, listed=not self.spec.has_models)
        return overridden(made, self.facts.get(where, {}), where)

    def default(self) -> ModelSpec | None:
        """Return what is used where no model is named; for a provider without any, itself."""
        if self.default_model is not None:
            return self.find(self.default_model)
        return None if self.spec.has_models else self.find(self.spec.id)


@attrs.frozen(kw_only=True)
class Row:
    """One candidate: an offer, a model of it, and why it was refused, if it was."""

    offer: Offer
    model: ModelSpec
    refused: str = ""
    voice: VoiceSpec | None = None

    @property
    def name(self) -> str:
        """How to ask for exactly this one."""
        said = self.model.id if self.voice is None else self.voice.id
        return f"{self.offer.instance}/{said}"


@attrs.frozen(kw_only=True)
class Decision:
    """
    How a name was routed.

    Attributes:
        name: What was asked for.
        modality: For what kind of work.
        strategy: What decided: `exact`, `alias`, `default` or the modality's own.
        rows: Every candidate considered.
        winners: Who serves, in order of preference; each stands among the rows, and
            none of them was refused.
        error: Why nobody does.
    """

    name: str
    modality: str
    strategy: str
    rows: tuple[Row, ...] = ()
    winners: tuple[Row, ...] = ()
    error: e.AnymodalError | None = None

    def __attrs_post_init__(self) -> None:
        considered = {id(row) for row in self.rows}
        if any(row.refused or id(row) not in considered for row in self.winners):
            msg = f"{self.strategy}: a winner was refused, or never considered"
            raise ValueError(msg)


Strategy: TypeAlias = Callable[[Query, Sequence[Offer]], Decision]
"""How a modality routes bare names. It must not depend on the order of the offers."""


def row_of(offer: Offer, model: ModelSpec, query: Query, voice: VoiceSpec | None = None) -> Row:
    """Return the candidate, refused where it cannot serve *query*."""
    needs = (query.action, *query.needs) if query.action else query.needs
    return Row(offer=offer, model=model, refused=refusal(offer, model, needs), voice=voice)


def refusal(offer: Offer, model: ModelSpec, needs: Sequence[str] = ()) -> str:
    """Return why *model* through *offer* cannot be used, or an empty string."""
    if not offer.allows(model):
        return f"not allowed in the scope {offer.scope.name!r}"
    if not offer.enabled:
        return OFF
    if model.lifecycle.state == "retired":
        return retirement(model)
    if offer.missing:
        return offer.missing
    for need in needs:
        if supports(offer.spec, model, need) is False:
            return f"known not to have {need}"
    return ""


def retirement(model: ModelSpec) -> str:
    """Return the words about a model that is no longer served, or will not be for long."""
    life = model.lifecycle
    what = "it retires" if life.state == "deprecated" else "retired"
    when = f" on {life.retires_on}" if life.retires_on else ""
    instead = f"; use {life.replacement}" if life.replacement else ""
    return f"{what}{when}{instead}"


def decided(name: str, modality: str, strategy: str, rows: Iterable[Row]) -> Decision:
    """
    Choose among *rows*: the only provider left, through its default instance if
    it has several. Two providers left are an error that names both.
    """
    rows = tuple(rows)
    fine = [row for row in rows if not row.refused]
    default = [row for row in fine if row.offer.instance == row.offer.spec.id]
    providers = {row.offer.spec.id for row in fine}
    decision = Decision(name=name, modality=modality, strategy=strategy, rows=rows)
    if len(providers) == 1 and (len(default) == 1 or len(fine) == 1):
        return won(decision, (default or fine)[0])
    error: e.AnymodalError
    if fine:
        error = _ambiguous(name, fine)
    elif rows:
        error = _all_refused(name, rows)
    else:
        error = e.UnknownModelError(f"No {modality} model is called {name!r}.")
    return attrs.evolve(decision, error=error)


def won(decision: Decision, winner: Row, why: str = "") -> Decision:
    """Return *decision* for *winner*; those that could have served as well are told *why* not."""
    passed = f"{winner.name} goes before it{why}"
    rows = tuple(
        row if row is winner or row.refused else attrs.evolve(row, refused=passed)
        for row in decision.rows
    )
    return attrs.evolve(decision, rows=rows, winners=(winner,), error=None)


def _ambiguous(name: str, rows: Sequence[Row]) -> e.AmbiguousNameError:
    claimants = sorted(row.name for row in rows)
    return e.AmbiguousNameError(
        f"{name!r} could be {' and '.join(claimants)}. Say which, or settle it in settings: "
        f'[aliases] "{name}" = ["{claimants[0]}"]'
    )


def _all_refused(name: str, rows: Sequence[Row]) -> e.AnymodalError:
    """Return the error that fits the most hopeful of *rows*."""
    rows = sorted(rows, key=lambda row: row.name)
    for row in rows:
        if row.refused == row.offer.missing:
            return e.MissingCredentialsError(row.offer.missing)
    for row in rows:
        if row.refused == retirement(row.model):
            return e.RetiredModelError(f"{row.name} is {row.refused}.")
    reasons = "; ".join(sorted(f"{row.name} is {row.refused}" for row in rows))
    is_set_so = all(row.refused == OFF or not row.offer.allows(row.model) for row in rows)
    cls = e.DisabledProviderError if is_set_so else e.UnsupportedFeatureError
    return cls(f"Nothing can serve {name!r}: {reasons}.")
