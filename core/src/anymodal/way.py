"""What all calls of one client share: names resolved, doors, limits, budgets, and who listens."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

import anyio
import attrs

from . import errors as e
from .alarms import Alarms, armed
from .connection import Clock
from .doors import Doors
from .events import BreakerChanged, Event, Observer, telling
from .ledger import Ledger
from .policies import Budget, Limits, Policy, Rules
from .policy.budget import Owned, Purse, Purses
from .policy.limits import Limiter
from .policy.standing import Standing
from .policy_settings import NOTHING
from .registry import Registry
from .resolution import HOST, Offer, Row
from .resolution.best import Best
from .specs import Deadlines

if TYPE_CHECKING:
    from .call import Call
    from .stores import Store

__all__ = ["Candidate", "Middleware", "ModelChoice", "Plan", "Sought", "Way"]

T = TypeVar("T")

ModelChoice: TypeAlias = str | Best | Sequence[str | Best] | None
"""A name or `best(...)`, several in order of preference, or None for the default."""


@attrs.frozen
class Sought:
    """
    What facades look for that know more than a name.

    Attributes:
        name: A model; None where it follows from the rest.
        voice: Name or id of a voice, for speech.
        action: The capability that the operation itself is, such as `live`.
    """

    name: str | Best | None = None
    voice: str = ""
    action: str = ""


NAMES: Final = (str, Best, Sought)

Candidate: TypeAlias = Row | e.AnymodalError

REMEMBERED_NAMES: Final = 1000
"""Names that are not resolved again; callers may make up new ones without end."""

OBSERVERS: Final = "anymodal_observers"
MIDDLEWARE: Final = "anymodal_middleware"
DEFAULT_RULES: Final = Rules()


class Middleware(Protocol):
    """What stands around every call, retries and failover included."""

    async def around(self, call: Call, proceed: Callable[[Call], Awaitable[Any]], /) -> Any:
        """
        Return the outcome of `await proceed(call)`, or another.

        `call.asked` has what the caller asked for and may be replaced before. The
        outcome of a stream is the stream, opened. What it raises is the call's error.
        """


@attrs.frozen(eq=False)
class Plan:
    """
    What holds for calls to one instance in one kind of work.

    Attributes:
        standing: What became of earlier ones.
        rules: What is done about failures and limits.
        budgets: Those that such a call comes under, with their purses.
        deadlines: How long it may take.
        is_limited: Whether its limiter has to be asked.
    """

    standing: Standing
    rules: Rules
    budgets: tuple[Owned, ...]
    deadlines: Deadlines
    is_limited: bool

    def under(self, policy: Policy, purse: Purse) -> Plan:
        """Return what holds for a call that brings a policy, and a *purse* for it, of its own."""
        rules = self.rules.under(policy)
        own = tuple((purse, one) for one in policy.budgets if one not in self.rules.budgets)
        return attrs.evolve(
            self,
            rules=rules,
            budgets=self.budgets + own,
            deadlines=policy.timeout or self.deadlines,
            is_limited=rules.limits != DEFAULT_RULES.limits,
        )


class Way:
    """
    What all calls of one client share.

    Args:
        registry: What is installed and set.
        doors: Connected providers.
        clock: Where the time comes from.
        policy: The host's, over that of the settings.
        observers: The host's, after those of the settings.
        middleware: The host's, within that of the settings.
        store: Gives the store when it is first needed.

    Attributes:
        tell: Tells all observers; None where there are none.
        chance: Gives a number from 0 to 1.
        jobs: What is kept of jobs.
    """

    def __init__(
        self,
        registry: Registry,
        doors: Doors,
        clock: Clock,
        *,
        policy: Policy | None = None,
        observers: Sequence[Observer] = (),
        middleware: Sequence[Middleware] = (),
        store: Callable[[], Store] | None = None,
    ) -> None:
        self.registry = registry
        self.doors = doors
        self.clock = clock
        arm: Callable[[anyio.CancelScope, float], None] | None = getattr(clock, "arm", None)
        self.arm = arm or armed
        self.alarms = Alarms(arm)
        self.chance: Callable[[], float] = random.random
        self.tell: Callable[[Event], None] | None = None
        self.middleware: tuple[Middleware, ...] = ()
        self._policy = policy
        self._observers = tuple(observers)
        self._middleware = tuple(middleware)
        self._parent: Way | None = None
        self.store = store or cache(_in_memory)
        self.purses = Purses(self.store, _wall_of(clock))
        self.jobs = Ledger(self.store, registry.scope.name)
        self._resolved: dict[tuple[str, str | Best | Sought | None], tuple[Row, ...]] = {}
        self._plans: dict[tuple[str, str], Plan] = {}
        self._standings: dict[tuple[str, str], Standing] = {}
        self._limiters: dict[str, Limiter] = {}
        registry.watch(self)

    def descend(self, parent: Way) -> None:
        """Come under the policies and budgets of *parent*, and be seen by its observers."""
        self._parent = parent
        self.purses = parent.purses

    def engage(self) -> None:
        """
        Have those act whom the settings name, and the host's.

        Raises:
            PluginError: One that is named cannot.
        """
        acting = self.registry.acting
        self.tell = telling((*acting(OBSERVERS), *self._inherited("_observers")))
        self.middleware = (*acting(MIDDLEWARE), *self._inherited("_middleware"))

    def _inherited(self, name: str) -> tuple[Any, ...]:
        above = self._parent._inherited(name) if self._parent else ()  # noqa: SLF001  # its own class
        return (*above, *getattr(self, name))

    # -- who serves -----------------------------------------------------------------------

    def candidates(
        self, model: ModelChoice | Sought | Sequence[Sought], modality: str
    ) -> Iterable[Candidate]:
        """
        Return who may serve *model*, in order; a name that nobody serves is its error.

        The second and further names are resolved when they are come to.
        """
        if model is None or isinstance(model, NAMES):
            settings = self.registry.settings
            name = model or settings.defaults.get(modality, "")
            further = settings.fallbacks.get(name) if isinstance(name, str) else None
            if not further:
                return self._resolve(model, modality)
            names: Sequence[str | Best | Sought | None] = (model, *further)
        else:
            names = tuple(model) if isinstance(model, Sequence) else ()
            if not names or not all(isinstance(name, NAMES) for name in names):
                msg = f"model: a name or a sequence of names is needed, not {model!r}."
                return (e.InvalidRequestError(msg, field="model"),)
        return (one for name in names for one in self._resolve(name, modality))

    def _resolve(self, name: str | Best | Sought | None, modality: str) -> Iterable[Candidate]:
        remembered = (
            self._resolved
        )  # another thread may `forget` meanwhile, and puts a new one there
        found = remembered.get((modality, name))
        if found is None:
            sought = name if isinstance(name, Sought) else Sought(name)
            decision = self.registry.explain(
                sought.name, modality=modality, voice=sought.voice, action=sought.action
            )
            if decision.error is not None:
                return (decision.error,)
            found = decision.winners
            if len(remembered) >= REMEMBERED_NAMES:
                remembered.clear()
            remembered[modality, name] = found
        return found

    def forget(self) -> None:
        """Resolve every name anew and read every policy again, as after a reload."""
        self._resolved, self._plans = {}, {}

    def look_again(self, touched: Collection[str]) -> None:
        """Go by the plugins that are there now; see `Registry.watch`."""
        self.forget()
        self.doors.give_up_unless(partial(self._is_offered, touched))

    def _is_offered(self, touched: Collection[str], offer: Offer) -> bool:
        """
        Whether what *offer* was connected to would be the same now.

        A host's own plugin may give functions that are made anew each time, so that its
        specs are never equal; that it is the same one says more.
        """
        decision = self.registry.explain(f"{offer.instance}/any", modality=offer.spec.modality)
        now = [row.offer for row in decision.rows if row.offer.plugin == offer.plugin]
        if offer.plugin == HOST:
            return bool(now) and offer.spec.id not in touched
        return any(one.spec == offer.spec for one in now)

    # -- what holds there -----------------------------------------------------------------

    def plan(self, offer: Offer) -> Plan:
        """Return what holds for calls to *offer*."""
        key = (offer.spec.modality, offer.instance)
        found = self._plans.get(key)
        return self._planned(key, offer) if found is None else found

    def _planned(self, key: tuple[str, str], offer: Offer) -> Plan:
        remembered, rules = self._plans, self._rules(offer)  # as in `_resolve`
        said = self.registry.settings.of(offer.instance)
        plan = remembered[key] = Plan(
            standing=self._standing(key),
            rules=rules,
            budgets=tuple((self._purse(one, offer), one) for one in rules.budgets),
            deadlines=said.deadlines(rules.timeout or offer.spec.deadlines),
            is_limited=rules.limits != DEFAULT_RULES.limits,
        )
        return plan

    def _rules(self, offer: Offer) -> Rules:
        """Return the policies in force, the narrower over the wider."""
        settings, spec = self.registry.settings, offer.spec
        said = settings.of(offer.instance)
        above = self._parent._rules(offer) if self._parent else DEFAULT_RULES  # noqa: SLF001  # as above
        return above.under(
            _limits(spec.requests_per_minute, spec.concurrency),
            settings.policy,
            self._policy,
            settings.policies.get(spec.modality),
            said.policy,
            _limits(said.rate_limit, said.concurrency),
        )

    def _purse(self, budget: Budget, offer: Offer) -> Purse:
        """Return the purse of *budget*: that of the widest which says it."""
        parent = self._parent
        if parent is not None and budget in parent._rules(offer).budgets:  # noqa: SLF001  # as above
            return parent._purse(budget, offer)  # noqa: SLF001  # as above
        settings, scope, modality = self.registry.settings, self.registry.scope, offer.spec.modality
        for_all = settings.policy if self._policy is None else self._policy.over(settings.policy)
        if budget in for_all.budgets:
            return self.purses.of(scope.name)
        if budget in settings.policies.get(modality, NOTHING).budgets:
            return self.purses.of(scope.name, "policies", modality)
        return self.purses.of(scope.name, "instances", offer.instance)

    def _standing(self, key: tuple[str, str]) -> Standing:
        modality, instance = key
        limiter = self._limiters.get(instance)
        if limiter is None:
            limiter = self._limiters[instance] = Limiter(self.clock)
        found = self._standings.get(key)
        if found is None:
            found = self._standings[key] = Standing(instance, modality, limiter)
        return found

    def changed(self, plan: Plan) -> None:
        """Tell that the circuit of *plan* is another than it was."""
        if self.tell is not None:
            standing = plan.standing
            state = standing.circuit.state(plan.rules.breaker, self.clock.now())
            self.tell(BreakerChanged(standing.instance, standing.modality, state))


def _limits(requests: int | None, concurrency: int | None) -> Policy | None:
    if requests is None and concurrency is None:
        return None
    return Policy(limits=Limits(requests=requests, concurrency=concurrency))


def _wall_of(clock: Clock) -> Callable[[], float]:
    """Return what gives the time of day: the clock's own, where it has one."""
    found: Callable[[], float] = getattr(clock, "wall", time.time)
    return found


def _in_memory() -> Store:
    from .stores import MemoryStore  # noqa: PLC0415  # few clients keep anything

    return MemoryStore()
