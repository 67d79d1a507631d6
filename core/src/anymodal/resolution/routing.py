"""
The order in which a name is looked for.

    no name      [defaults], else the only usable provider with a default model
    an alias     whatever the user's own settings have it stand for
    an exact one the first segment is an instance's name or a provider's id
    a bare one   anymodal_resolve, then [routes], then the modality's strategy
    a near one   another spelling of a provider's id

Where several could serve a name, and where no table has it, `[auto_detect]` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from .. import errors as e
from ..modalities import Modality
from ..quarantine import RESOLVE
from . import Decision, Offer, Query, Row, Strategy, decided, row_of
from .action import by_default
from .best import Best, chosen
from .detection import detected, settled
from .facts import Facts
from .naming import normalised
from .override import by_override

__all__ = ["Routing"]


class Routing:
    """Decisions over the facts of one registry."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._settings = facts.settings

    def decide(self, query: Query, wanted: Best | None = None) -> Decision:
        """Return how *query*, or the choice *wanted*, is routed. Never raises an error of ours."""
        routes = self._settings.routes.get(query.modality, {})
        return self._decided(attrs.evolve(query, routes=routes), (), wanted)

    def _decided(self, query: Query, seen: tuple[str, ...], wanted: Best | None = None) -> Decision:
        try:
            modality = self._facts.modality(query.modality)
            if wanted is not None:
                _check_needs(wanted, modality)
                offers = self._facts.providers(query.modality)
                return chosen(query, wanted, offers, modality.typical)
            return self._routed(query, modality, seen)
        except e.AnymodalError as error:
            return Decision(name=query.name, modality=query.modality, strategy="none", error=error)

    def _routed(self, query: Query, modality: Modality[Any], seen: tuple[str, ...]) -> Decision:
        if not (asked := query.name or query.voice):
            return self._default(query)
        if asked in self._settings.aliases:
            return self._alias(query, seen)
        query = self._with_its_owner(query)
        if self._is_door(door := query.name.partition("/")[0]):
            return self._exact(query, door)
        return self._overruled(query) or self._bare(query, modality)

    def _is_door(self, name: str) -> bool:
        return name in self._settings.instances or self._facts.claimed(name)

    def _with_its_owner(self, query: Query) -> Query:
        """Return *query* as an exact one, if its voice is `provider/voice`."""
        door, slash, voice = query.voice.partition("/")
        if not slash or not self._is_door(door):
            return query
        owner, _, _ = query.name.partition("/")
        if not self._is_door(owner):
            return attrs.evolve(query, name=f"{door}/{query.name}", voice=voice)
        if owner != door:
            msg = f"voice: {query.voice} is no voice of {owner}, whose model is asked for."
            raise e.InvalidRequestError(msg, field="voice")
        return attrs.evolve(query, voice=voice)

    # -- no name, and names of the user's own ----------------------------------------------------

    def _default(self, query: Query) -> Decision:
        modality = query.modality
        if name := self._settings.defaults.get(modality):
            decision = self._decided(attrs.evolve(query, name=name), ())
            unable = isinstance(decision.error, e.UnsupportedFeatureError)
            if not (query.action and unable):
                return attrs.evolve(decision, strategy=f"default, {decision.strategy}")
        decision = by_default(query, self._facts.providers(modality))
        decision = settled(decision, self._settings.auto_detect.get(modality, ()))
        if decision.winners:
            return decision
        msg = (
            f"No {modality} model was named, and there is no default. Pass model=..., or "
            f'set [defaults] {modality} = "provider/model".'
        )
        if isinstance(decision.error, e.AmbiguousNameError):
            return attrs.evolve(decision, error=e.AmbiguousNameError(msg))
        telling = (e.MissingCredentialsError, e.RetiredModelError)
        why = decision.error if isinstance(decision.error, telling) else None
        return attrs.evolve(decision, error=why or e.UnknownProviderError(msg))

    def _alias(self, query: Query, seen: tuple[str, ...]) -> Decision:
        """Return who serves each of the targets, as one; names that nobody serves are left out."""
        name = query.name or query.voice
        if name in seen:
            msg = f"aliases: {' -> '.join((*seen, name))} goes round in a circle."
            raise e.SettingsError([msg])
        parts = [
            self._decided(
                attrs.evolve(query, name=target)
                if query.name
                else attrs.evolve(query, voice=target),
                (*seen, name),
            )
            for target in self._settings.aliases[name]
        ]
        rows: dict[str, Row] = {}
        for row in (row for part in parts for row in part.winners):
            rows.setdefault(row.name, row)
        return Decision(
            name=name,
            modality=query.modality,
            strategy="alias",
            rows=tuple(row for part in parts for row in part.rows),
            winners=tuple(rows.values()),
            error=None if rows else parts[0].error,
        )

    # -- exact names ---------------------------------------------------------------------------

    def _exact(self, query: Query, door: str) -> Decision:
        rest = query.name.partition("/")[2]
        offer = self._facts.door(door, query.modality)
        model = offer.find(rest) if rest else offer.default()
        voice = None
        if query.voice:
            from .voice import usual, voice_of  # noqa: PLC0415  # most modalities have no voices

            voice, model = voice_of(offer, query.voice), model or usual(offer)
        if model is None:
            msg = f"{door} has no default model. Say which: {door}/..."
            raise e.UnknownModelError(msg)
        return decided(query.name, query.modality, "exact", [row_of(offer, model, query, voice)])

    # -- bare names ----------------------------------------------------------------------------

    def _overruled(self, query: Query) -> Decision | None:
        """Return where a plugin sends *query*, if one that counts does."""
        for resolve in self._facts.acting(RESOLVE):
            target = _answer(resolve, query)
            if target is None:
                continue
            where = f"{RESOLVE} of {getattr(resolve, '__module__', '?')}"
            if not isinstance(target, str) or not self._is_door(target.partition("/")[0]):
                msg = f"{where}: an exact name or None is needed, not {target!r}."
                raise e.BrokenPluginError(msg)
            decision = self._decided(attrs.evolve(query, name=target), ())
            return attrs.evolve(decision, name=query.name, strategy=f"{where}, {decision.strategy}")
        return None

    def _bare(self, query: Query, modality: Modality[Any]) -> Decision:
        offers = self._facts.providers(query.modality)
        order = self._settings.auto_detect.get(query.modality, ())
        strategy = by_override if query.name in query.routes else modality.routing()
        decision = settled(_strategic(strategy, query, offers, modality), order)
        if not isinstance(decision.error, e.UnknownModelError) or query.voice:
            return decision
        door, slash, rest = query.name.partition("/")
        near = normalised(door)
        if near not in self._settings.instances and self._facts.claimed(near):
            found = self._exact(attrs.evolve(query, name=f"{near}{slash}{rest}"), near)
            return attrs.evolve(found, name=query.name, strategy="exact, normalised")
        guess = detected(query, offers, order)
        if guess.rows:
            return guess
        return attrs.evolve(decision, error=self._facts.unknown(query.name, query.modality))


def _answer(resolve: Callable[[Query], object], query: Query) -> object:
    """Return what a plugin says, which may break."""
    try:
        return resolve(query)
    except Exception as error:
        where = getattr(resolve, "__module__", "?")
        msg = f"{RESOLVE} of {where} failed for {query.name!r}: {type(error).__name__}: {error}."
        raise e.BrokenPluginError(msg) from error


def _strategic(
    strategy: Strategy, query: Query, offers: Sequence[Offer], modality: Modality[Any]
) -> Decision:
    """Return what *strategy* decides, which may be a plugin's."""
    cause: Exception | None = None
    try:
        found: object = strategy(query, offers)
    except e.AnymodalError:
        raise
    except Exception as error:  # noqa: BLE001  # a plugin may raise anything
        what, cause = f"{type(error).__name__}: {error}", error
    else:
        if isinstance(found, Decision):
            return found
        what = f"it gave a {type(found).__name__}"
    msg = f"{modality.strategy} cannot route {query.name!r} in {modality.name}: {what}."
    raise e.BrokenPluginError(msg) from cause


def _check_needs(wanted: Best, modality: Modality[Any]) -> None:
    """Refuse a word that is no capability: nobody would ever be known to have it."""
    if strange := set(wanted.needs) - modality.capabilities:
        known = ", ".join(sorted(modality.capabilities))
        msg = f"needs: {modality.name} has no capability {min(strange)!r}; there are {known}."
        raise e.InvalidRequestError(msg, field="needs")
