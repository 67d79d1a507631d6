"""
How a contract suite runs.

A suite is a class of tests. Who subclasses it says which provider is meant, and pytest
does the rest: no conftest, no fixture, no option.

    class TestText(TextSuite):
        provider = "acme"

Every test stands for one clause of the contract and has a `stage` (`Stage`: the
provider, its vendor on loopback, what that was sent) and `ai`, a client that leads
there. A clause that does not concern a provider is skipped with the reason, so that
`pytest -ra` shows it; none may be overridden without one.

To write the suite of another modality, in a module named after it:

1. `class ImageSuite(ProviderSuite)` sets `modality` and `methods`, and writes `ask`, the
   plainest call, and `content`, what is compared of its result. `ways` names all plain
   calls where there are several, `refusable` those that need a capability. That alone
   gives it the clauses of `declared`, `calls` and `failures`.
2. Each further clause is an async method under `@clause(id, level)`, with
   `needs_vendor=True` where something has to be made to fail. Its docstring, one
   sentence, is what the contract wants, and pytest shows it below a failure; the
   assertion says what the provider did and what to do. `stage.play(faults().Cut(9))`
   makes the vendor fail, `stage.sent(value)` looks into what it was sent, `stage.able(x)`
   finds a model that has a capability; inputs are in `samples`. `not_applicable(why)`
   is the only way out.
3. Its ids, levels and words stand in `docs/contract.md` already, its faults in
   `tests/planted/faults.py`. Planting them takes a good provider (`acme.py`), a change
   of one thing in it for each fault (`text_faults.py`) and `run_<modality>.py`;
   `tests/test_contract.py` then demands that each is found.
4. It goes into the table of `anymodal.testing`. `python -m anymodal.testing` finds it
   there by its modality's name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from ..client import Client
from .clauses import Clause, check_nothing_is_lost, clauses_of, not_applicable
from .report import gathers
from .stage import Found, Stage, find, staged

__all__ = ["Suite"]


class Suite:
    """
    Runs the clauses of a modality against one provider.

    Attributes:
        provider: The provider's id; the one thing that an author has to say.
        model: The model to call; by default the provider's default.
        abilities: Models that have a capability, by its name, where the provider has no table
            of models that says so.
        excuses: Clauses that the provider is known to break, by their ids, and why: each is a
            strict xfail, so that one that is kept after all is told, too.
        settings: Further settings of the provider, as in `[providers.acme]`.
        plugins: Objects with hooks, for providers that no distribution has.
        for_real: Whether a provider that runs on this machine is tried as it is, though its
            plugin has an emulator: of a server that it may be, too.
        patience: Seconds after which a clause is given up.
    """

    modality: ClassVar[str] = ""
    provider: ClassVar[str] = ""
    model: ClassVar[str] = ""
    abilities: ClassVar[Mapping[str, str]] = {}
    excuses: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, object]] = {}
    plugins: ClassVar[Sequence[object]] = ()
    for_real: ClassVar[bool] = False
    patience: ClassVar[float] = 30.0

    pytestmark: ClassVar[list[pytest.MarkDecorator]] = [pytest.mark.anyio]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_nothing_is_lost(cls)

    @classmethod
    def clauses(cls) -> Mapping[str, Clause]:
        """Return the clauses by the names of the methods that test them."""
        return dict(clauses_of(cls))

    @classmethod
    def found(cls) -> Found:
        """Return the provider; its plugin is loaded once."""
        if "_found" not in vars(cls):
            if not cls.provider:
                pytest.fail(f'{cls.__name__} does not say whom it tests: provider = "…"')
            cls._found = find(cls.provider, cls.modality, cls.plugins)
        return cls._found

    _found: ClassVar[Found]

    # -- what pytest asks for -------------------------------------------------------------

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Let each clause run on every event loop that the spec declares."""
        gathers(metafunc.config)
        if "anyio_backend" in metafunc.fixturenames:
            try:
                backends = sorted(self.found().offer.spec.backends)
            except pytest.fail.Exception:
                backends = ["asyncio"]  # each clause then says what is wrong
            metafunc.parametrize("anyio_backend", backends, scope="class")

    @pytest.fixture(scope="class")
    @classmethod
    def theatre(cls) -> Iterator[Stage]:
        """The provider and its running vendor, for all clauses."""
        found = cls.found()
        if cls.for_real:
            found = attrs.evolve(found, emulator=None)
        with staged(found, cls.settings, cls.model, cls.abilities) as stage:
            yield stage

    @pytest.fixture(autouse=True)
    def noted(
        self, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
    ) -> None:
        """Tells reports what a test is about."""
        found = self.clauses().get(request.node.originalname)
        if found is not None:
            if why := self.excuses.get(found.id):
                request.applymarker(pytest.mark.xfail(reason=why, strict=True))
            record_property("provider", self.provider)
            record_property("modality", self.modality)
            record_property("clause", found.id)
            record_property("level", found.level)
            record_property("backend", request.node.callspec.params["anyio_backend"])

    @pytest.fixture
    def stage(self, request: pytest.FixtureRequest) -> Stage:
        """The same, as if nothing had been sent yet."""
        theatre: Stage = request.getfixturevalue("theatre")  # last, so that its failure is noted
        clause = self.clauses().get(request.node.originalname)
        if theatre.vendor:
            theatre.vendor.clear()
        elif clause is not None and clause.needs_vendor:
            not_applicable(f"{theatre.id} runs for real, and no vendor can be made to fail")
        return theatre

    @pytest.fixture
    async def ai(self, stage: Stage) -> AsyncIterator[Client]:
        """A client that leads to the provider and tries everything once."""
        async with stage.client() as client:
            yield client
