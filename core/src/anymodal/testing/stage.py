"""What a clause has at hand: a provider, its vendor on loopback, and clients to call it with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from ..client import Client
from ..config import Settings
from ..errors import AnymodalError
from ..policies import Policy, Retry
from ..registry import Registry
from ..resolution import Offer
from ..scopes import Scope
from ..specs import EmulatorSpec, ModelSpec, ProviderSpec, supports
from ..stores import MemoryStore
from .clauses import not_applicable
from .emulators import emulated
from .haste import HastyClock
from .wire import mentions

if TYPE_CHECKING:
    from anymodal_emulator import Emulated
    from anymodal_emulator.exchange import Received

__all__ = ["ONCE", "Found", "Stage", "find", "staged"]

ONCE = Policy(retry=Retry(attempts=1))
"""A clause is about one attempt, unless it says otherwise."""


@attrs.frozen
class Found:
    """
    A provider and what it is offered by.

    Attributes:
        offer: The provider under its own id.
        registry: What has loaded that plugin, and no other.
        plugin: The module, or the host's object, that has the hooks.
        emulator: What stands in for its vendor, if its plugin has such a thing.
    """

    offer: Offer
    registry: Registry
    plugin: Any
    emulator: EmulatorSpec | None

    @property
    def module(self) -> str:
        """The name of the module that has the hooks."""
        name: str = getattr(self.plugin, "__name__", type(self.plugin).__module__)
        return name


def find(provider: str, modality: str, plugins: Sequence[object] = ()) -> Found:
    """
    Return the provider called *provider*, by loading the one plugin that it is in.

    It fails the test, and says what is installed, where there is none.
    """
    try:
        registry = Registry(Settings.empty(), plugins=plugins)
    except AnymodalError as error:
        pytest.fail(str(error), pytrace=False)
    known = registry._plugins  # noqa: SLF001  # whose plugin it is concerns nobody but tests
    try:
        offer = registry._facts.door(provider, modality)  # noqa: SLF001  # as above
    except AnymodalError as error:
        have = sorted(one.spec.id for one in registry.providers(modality))
        pytest.fail(
            f"Nobody to test: {error} Installed for {modality}: {', '.join(have) or 'nobody'}. "
            "`anymodal plugins` shows what is wrong with one that is missing.",
            pytrace=False,
        )
    homes = [*zip(plugins, known.host_offers, strict=True)]
    homes += [(one.module, one.offers) for one in known.all if one.state == "loaded"]
    plugin, offers = next(
        home for home in homes if offer.spec in home[1].providers.get(modality, ())
    )
    mine = (one for one in offers.emulators if one.provider == offer.spec.id)
    return Found(offer, registry, plugin, next(mine, None))


@attrs.frozen
class Stage:
    """
    A provider on stage: its plugin, its vendor on loopback, and clients to call it with.

    Attributes:
        found: The provider, and what it is offered by.
        vendor: The vendor on loopback; None of a provider that runs for real.
        settings: The provider's, which lead to the vendor on loopback.
        model: Id of the model to call; empty where there are none.
        abilities: Ids of models that have a capability, by its name, beside the table's.
    """

    found: Found
    vendor: Emulated | None
    settings: Mapping[str, object] = attrs.field(repr=False)
    model: str = ""
    abilities: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.spec.id

    @property
    def spec(self) -> ProviderSpec[Any]:
        """What the plugin says of the provider."""
        return self.found.offer.spec

    @property
    def name(self) -> str:
        """What to call, as `provider/model`."""
        return f"{self.id}/{self.model}" if self.model else self.id

    @property
    def model_spec(self) -> ModelSpec:
        """The model to call; with its id alone where the table does not have it."""
        return self.spec.model(self.model) or ModelSpec(id=self.model or "any", listed=False)

    @property
    def requests(self) -> Sequence[Received]:
        """What the vendor was sent since the clause began."""
        return self.vendor.requests if self.vendor else ()

    def play(self, fault: Any, *, times: int = 1) -> None:
        """Let the vendor do something wrong; see `anymodal_emulator.faults`."""
        assert self.vendor is not None, "the clause did not say that it needs a vendor"
        self.vendor.script(fault, times=times)

    async def provider(self, ai: Client) -> Any:
        """Return what the plugin's `connect` returned for *ai*."""
        row = ai.registry.resolve(self.name, self.spec.modality).winners[0]
        kind = next(one for one in ai.registry.modalities() if one.name == self.spec.modality)
        door = await ai._way.doors.open(row.offer, ai[kind].bind)  # noqa: SLF001  # callers never see it
        return door.provider

    def sent(self, value: object, *, since: int = 0) -> bool:
        """Whether *value*, text, a number or bytes, is in requests from number *since* on."""
        return any(mentions(request, value) for request in self.requests[since:])

    def client(self, **changes: object) -> Client:
        """
        Return a client that tries everything once, and does not wait long before it asks again.

        Args:
            changes: Settings; None to unset one.
        """
        merged = {**self.settings, **changes}
        kept = {name: value for name, value in merged.items() if value is not None}
        settings = Settings.from_mapping({"providers": {self.id: kept}})
        registry = self.found.registry.under(settings, Scope())
        return Client(registry=registry, policy=ONCE, store=MemoryStore(), clock=HastyClock())

    def able(self, capability: str) -> str:
        """
        Return a model, as `provider/model`, that is said to have *capability*.

        The clause is not applicable where there is none.
        """
        if capability in self.abilities:
            return f"{self.id}/{self.abilities[capability]}"
        served = [one for one in self.spec.models if one.lifecycle.state != "retired"]
        for model in (self.model_spec, *served):
            if supports(self.spec, model, capability):
                return f"{self.id}/{model.id}"
        return not_applicable(f"{self.id} says of no model that it has {capability}")


@contextmanager
def staged(
    found: Found, settings: Mapping[str, object], model: str, abilities: Mapping[str, str]
) -> Iterator[Stage]:
    """
    Give the stage, with the vendor running; a provider without an emulator runs for real.

    It fails the test where a provider would have to be called over the network.
    """
    spec = found.offer.spec
    model = model or found.offer.default_model or ""
    if found.emulator is not None:
        with emulated(found.emulator) as vendor:
            leading = {**vendor.settings()["providers"][spec.id], **settings}
            yield Stage(found, vendor, leading, model, abilities)
    elif spec.kind == "local":
        yield Stage(found, None, settings, model, abilities)
    else:
        pytest.fail(
            f"{spec.id} is remote, and its plugin has no emulator to test it against. "
            "Offer one by the hook anymodal_emulators.",
            pytrace=False,
        )
