"""The clauses of what a plugin declares, and of what it takes to declare it."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from typing import ClassVar, Final

import anyio.to_thread

from ..client import Client
from ..specs import ModelSpec
from .clauses import clause
from .importing import imported_alone
from .leftovers import connections, eventually
from .stage import Stage
from .suite import Suite

__all__ = ["Declared"]

LIGHT: Final = frozenset(
    {
        "anyio",
        "attr",
        "attrs",
        "fastjsonschema",
        "idna",
        "importlib_metadata",
        "msgspec",
        "packaging",
        "platformdirs",
        "pluggy",
        "sniffio",
        "typing_extensions",
        "zipp",
    }
)
"""What the core itself needs."""

EARLIEST: Final = dt.date(2022, 1, 1)
"""No price of today was read before."""


class Declared(Suite):
    """What a plugin says before anything is called."""

    methods: ClassVar[Sequence[Sequence[str]]] = ()
    """What a provider has: of each group one at least."""

    @clause("plugin.connects", "works")
    async def test_it_connects(self, stage: Stage, ai: Client) -> None:
        """It is installed, healthy, and connects without I/O to what has the contract's methods."""
        await eventually(lambda: not connections(stage.vendor), 8.0)  # those of other clauses
        provider = await stage.provider(ai)
        went = await eventually(lambda: bool(stage.requests or connections(stage.vendor)), 0.1)
        assert not went, f"{stage.id} goes to its vendor while it connects. Leave it to the calls."
        for group in self.methods:
            assert any(callable(getattr(provider, name, None)) for name in group), (
                f"{stage.id} connects to a {type(provider).__name__}, which has no "
                f"{' and no '.join(group)}. Write one of them."
            )

    @clause("plugin.imports-little", "honest")
    async def test_its_top_module_is_light(self, stage: Stage) -> None:
        """Its top module imports no SDK and does no I/O: a listing of all plugins imports it."""
        found = await anyio.to_thread.run_sync(imported_alone, stage.found.module)
        own = stage.found.module.partition(".")[0]
        known = sys.stdlib_module_names | LIGHT | {own, "anymodal"}
        heavy = [name for name in found["packages"] if not (name in known or name.startswith("_"))]
        assert not heavy, f"{own} imports {', '.join(heavy)}. Import it where it is used."
        did = found["threads"] + found["network"]
        assert not did, f"{own} is imported and has done: {', '.join(did)}. Leave it to connect."

    @clause("plugin.hooks-repeat", "honest")
    async def test_its_hooks_repeat(self, stage: Stage) -> None:
        """Its hooks give equal specs every time: they are data, and are asked more than once."""
        kind = next(one for one in stage.found.registry.modalities() if one.name == self.modality)
        once, again = [list(getattr(stage.found.plugin, kind.hook)()) for _ in range(2)]
        assert once == again, (
            f"{kind.hook} of {stage.found.module} gives other specs when asked again. Let it "
            "keep no state, and connect be a function of the module."
        )

    @clause("spec.cites-its-sources", "honest")
    async def test_facts_have_sources(self, stage: Stage) -> None:
        """Every model of which facts are told names their page: facts grow old."""
        is_cited = _is_page if stage.spec.kind == "remote" else bool  # what runs here has no page
        bare = [one.id for one in stage.spec.models if _has_facts(one) and not is_cited(one.source)]
        assert not bare, f"{stage.id} tells facts without a source of: {', '.join(bare)}."
        if stage.spec.kind == "remote":
            assert _is_page(stage.spec.docs), f"{stage.id} names no page of its vendor: `docs`."

    @clause("spec.prices-have-a-source", "honest")
    async def test_prices_have_a_source_and_a_day(self, stage: Stage) -> None:
        """Every price says from where and as of when; what is not known is left out, never 0."""
        tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
        is_cited = _is_page if stage.spec.kind == "remote" else bool
        wrong = [
            model.id
            for model in stage.spec.models
            for prices in (model.prices, model.batch_prices)
            if prices is not None
            and not (is_cited(prices.source) and EARLIEST <= prices.as_of <= tomorrow)
        ]
        assert not wrong, (
            f"{stage.id} has prices without a page or a plausible day: {', '.join(wrong)}. "
            "Cite them, or leave them out."
        )

    @clause("spec.default-is-served", "works")
    async def test_the_default_is_served(self, stage: Stage) -> None:
        """The default model is in the table and not retired: it is what newcomers get."""
        name = stage.spec.default_model
        model = stage.spec.model(name) if name else None
        assert not name or model is not None, f"{stage.id}: its default {name!r} is in no table."
        assert model is None or model.lifecycle.state != "retired", (
            f"{stage.id}: its default {name!r} is retired."
        )


def _has_facts(model: ModelSpec) -> bool:
    return bool(model.context_tokens or model.max_output_tokens or model.prices)


def _is_page(text: str) -> bool:
    return text.startswith(("https://", "http://")) or "://" in text
