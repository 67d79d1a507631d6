"""
One real call per installed provider and operation, each against its emulator.

The rows come from the installed specs alone, so that nothing can drop out of the
table by failing early: a provider without an emulator has rows, and they fail. A
remote provider is never called without its emulator, and no key is looked for.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import anyio
import anymodal
import attrs
from anymodal.events import CallEnded, Event
from anymodal.facade import Facade
from anymodal.files import write_whole
from anymodal.modalities import Modality
from anymodal.registry import Registry
from anymodal.specs import EmulatorSpec, ModelSpec, ProviderSpec, supports

from . import page
from .audio_visits import AUDIO
from .embedding_visits import EMBEDDING
from .image_visits import IMAGE
from .operations import Operation
from .realtime_visits import REALTIME
from .retrieval_visits import RETRIEVAL
from .running import Emulated, emulated
from .speech_visits import SPEECH
from .text_visits import TEXT
from .transcription_visits import TRANSCRIPTION
from .video_visits import VIDEO
from .visits import SECONDS, Row, Visit

__all__ = ["Row", "Visit", "operations_of", "rows_of", "tour", "travel"]

AnySpec: TypeAlias = ProviderSpec[Any]
Operations: TypeAlias = Mapping[str, Mapping[str, Operation]]

MODELS: Final = "Which models do you serve?"


# -- the rows -----------------------------------------------------------------------------


def rows_of(specs: Iterable[AnySpec], known: Operations | None = None) -> list[Row]:
    """
    Return what has to be called: every provider times its declared operations.

    A modality that is not known gives one row a provider all the same, which then
    fails.

    Args:
        specs: The providers.
        known: By modality, what is asked; what is known here where None.
    """
    known = OPERATIONS if known is None else known
    order = list(known)

    def place(spec: AnySpec) -> tuple[int, str, str]:
        where = order.index(spec.modality) if spec.modality in order else len(order)
        return where, spec.modality, spec.id

    rows: list[Row] = []
    for spec in sorted(specs, key=place):
        declared = known.get(spec.modality)
        rows += [
            Row(spec.modality, spec.id, name, _model_for(spec, name, declared or {}))
            for name in _operations(spec, declared)
        ]
    return rows


def operations_of(modalities: Iterable[Modality[Any]]) -> Operations:
    """
    Return what is asked in each modality: that which is known here, and what others bring.

    One that brings none, or whose `visits` cannot be imported, is left out.
    """
    found = dict(OPERATIONS)
    for one in modalities:
        module, _, name = one.visits.partition(":")
        if name and one.name not in found:
            with contextlib.suppress(Exception):  # its rows fail, and say so
                found[one.name] = getattr(import_module(module), name)
    return found


ANY: Final = ModelSpec(id="any", listed=False)
OPERATIONS: Final[Operations] = {
    "text": TEXT,
    "image": IMAGE,
    "video": VIDEO,
    "audio": AUDIO,
    "speech": SPEECH,
    "transcription": TRANSCRIPTION,
    "realtime": REALTIME,
    "embedding": EMBEDDING,
    "retrieval": RETRIEVAL,
}
"""By modality, what is asked of its providers, by name and in the order of the table."""

LISTED: Final = frozenset({"text"})
"""Modalities whose remote providers are asked for their models, too."""


def _operations(spec: AnySpec, declared: Mapping[str, Operation] | None) -> list[str]:
    if declared is None:
        return ["call"]
    found = [
        name
        for name, operation in declared.items()
        if operation.only(spec)
        and (
            not operation.need
            or any(supports(spec, model, operation.need) for model in spec.models)
            or (not spec.models and operation.may(supports(spec, ANY, operation.need)))
        )
    ]
    return [*found, "models"] if spec.kind == "remote" and spec.modality in LISTED else found


def _model_for(spec: AnySpec, operation: str, declared: Mapping[str, Operation]) -> str:
    """Return the default model, or else the first in the table that can do it."""
    if operation == "models":
        return ""
    need = declared[operation].need if operation in declared else ""
    default = spec.model(spec.default_model) if spec.default_model else None
    served = [model for model in spec.models if model.lifecycle.state != "retired"]
    for model in [*([default] if default else []), *served]:
        if not need or supports(spec, model, need):
            return model.id
    return spec.default_model or ("" if spec.has_models else spec.id)


# -- the way --------------------------------------------------------------------------------


def tour(out: Path) -> list[Visit]:
    """
    Visit everything installed; write artefacts and `index.html` into *out*.

    Returns:
        What became of each row, in the order of the rows.
    """
    settings = anymodal.Settings.load()
    registry = Registry(attrs.evolve(anymodal.Settings.empty(), plugins=settings.plugins))
    specs = [offer.spec for offer in registry.providers() if offer.instance == offer.spec.id]
    emulators = cast("Sequence[EmulatorSpec]", registry.offers_of("emulators"))
    return anyio.run(travel, specs, emulators, out, settings)


async def travel(
    specs: Sequence[AnySpec],
    emulators: Sequence[EmulatorSpec],
    out: Path,
    settings: anymodal.Settings,
    hosts: Sequence[object] = (),
    *,
    meanwhile: Callable[[Mapping[str, Emulated]], None] = lambda _: None,
) -> list[Visit]:
    """
    Visit *specs* by way of *emulators*; see `tour`.

    Args:
        specs: The providers to visit.
        emulators: Those there are; a remote provider without one fails.
        out: Where to write.
        settings: Which plugins may be loaded; nothing else is taken from it.
        hosts: Objects with hooks, beside the installed plugins.
        meanwhile: Called with the running emulators before the first visit; for
            tests of what the tour does when one of them fails.
    """
    with ExitStack() as stack:
        vendors, faults = _opened(emulators, stack)
        pointed = anymodal.Settings.from_mapping(
            {"providers": {name: _settings(vendor) for name, vendor in vendors.items()}}
        )
        meanwhile(vendors)
        pointed = attrs.evolve(pointed, plugins=settings.plugins)
        registry = Registry(pointed, plugins=hosts)
        known = operations_of(registry.modalities())
        visits = [Visit(row=row, model=row.model) for row in rows_of(specs, known)]
        bill = Bill()
        async with (
            anymodal.Client(registry=registry, observers=[bill]) as client,
            anyio.create_task_group() as tasks,
        ):
            for provider, kind in {spec.id: spec.kind for spec in specs}.items():
                mine = [visit for visit in visits if visit.row.provider == provider]
                if provider in vendors or kind == "local":
                    tasks.start_soon(_visit_all, client, mine, vendors.get(provider), bill, known)
                    continue
                for visit in mine:
                    visit.outcome = faults.get(provider, "its plugin has no emulator")
    _write(visits, out)
    return visits


def _opened(
    emulators: Sequence[EmulatorSpec], stack: ExitStack
) -> tuple[dict[str, Emulated], dict[str, str]]:
    """Start every emulator; return those that run, and why the others do not."""
    vendors: dict[str, Emulated] = {}
    faults: dict[str, str] = {}
    for spec in emulators:
        try:
            vendors[spec.provider] = stack.enter_context(emulated(spec))
        except Exception as error:  # noqa: BLE001  # an emulator is a plugin's; its rows fail
            faults[spec.provider] = f"its emulator does not start: {_sentence(error)}"
    return vendors, faults


def _settings(vendor: Emulated) -> object:
    return vendor.settings()["providers"][vendor.provider]


class Bill:
    """What the calls of each provider have cost since it was last asked."""

    def __init__(self) -> None:
        self._usd: dict[str, Decimal] = {}

    def on_event(self, event: Event) -> None:
        """Take note of calls that have ended."""
        if isinstance(event, CallEnded) and event.record.cost.usd is not None:
            provider = event.record.provider
            self._usd[provider] = self._usd.get(provider, Decimal(0)) + event.record.cost.usd

    def settled(self, provider: str) -> Decimal | None:
        """Return what it is, and begin anew; None where no cost is known."""
        return self._usd.pop(provider, None)


async def _visit_all(
    client: anymodal.Client,
    visits: Sequence[Visit],
    vendor: Emulated | None,
    bill: Bill,
    known: Operations,
) -> None:
    """Visit one provider, call after call, so that its log tells whose each request is."""
    if visits:
        with contextlib.suppress(Exception):  # the same fault fails each row, with its reason
            await client.warm(f"{visits[0].row.provider}/any")
    for visit in visits:
        before = len(vendor.requests) if vendor else 0
        began = time.perf_counter()
        operation = known.get(visit.row.modality, {}).get(visit.row.operation)
        try:
            with anyio.fail_after(SECONDS):
                await _visit(client, visit, operation)
            visit.outcome = _verdict(visit, vendor, operation)
        except Exception as error:  # noqa: BLE001  # whatever it is, it stands in the table
            visit.outcome = _sentence(error)
        if visit.seconds is None:
            visit.seconds = time.perf_counter() - began
        visit.size = len(visit.content)
        visit.usd = bill.settled(visit.row.provider)
        callers = [request.client for request in vendor.requests[before:]] if vendor else []
        visit.client = callers[-1] if callers else ""


async def _visit(client: anymodal.Client, visit: Visit, operation: Operation | None) -> None:
    row = visit.row
    if operation is None and row.operation != "models":
        msg = f"the tour knows no operation of {row.modality}"
        raise LookupError(msg)
    visit.prompt = operation.prompt if operation else MODELS
    if operation is None:
        visit.said = "\n".join(model.id for model in await _models(client, row))
        return
    if not visit.model:
        visit.model = _fitting(await _models(client, row), row)
    await operation.do(client, visit, f"{row.provider}/{visit.model}")


def _fitting(models: Sequence[ModelSpec], row: Row) -> str:
    """Return the first model that is of the row's kind, or of none that is known."""
    kinds = {row.modality, None}
    found = [one for one in models if getattr(one, "modality", row.modality) in kinds]
    return (found or models)[0].id


async def _models(client: anymodal.Client, row: Row) -> Sequence[ModelSpec]:
    """Return the live list of models."""
    facade: Facade[Any] = getattr(client, row.modality)
    call = facade.call("models", timeout=SECONDS)

    async def listed(door: Any, _: object) -> Sequence[ModelSpec]:
        ask: Callable[[], Awaitable[Sequence[ModelSpec]]] = door.provider.list_models
        return await ask()

    found = await call.run(
        f"{row.provider}/any",
        lambda row: row,
        listed,
        bind=facade.bind,
        needs_of=lambda _: (),
    )
    if not found:
        msg = f"{row.provider} lists no models"
        raise LookupError(msg)
    return found


def _verdict(visit: Visit, vendor: Emulated | None, operation: Operation | None) -> str:
    """Return `ok` where the answer shows that everything arrived."""
    wanted = operation.shows(visit) if operation else []
    lost = [words for words in wanted if words not in visit.said] if vendor else []
    if lost:
        return f"the answer does not show {', '.join(lost)}"
    return "ok" if visit.content else "the answer is empty"


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()) or "no reason given"
    kind = type(error).__name__
    return f"{kind}: {text if len(text) <= 200 else text[:199] + '…'}"


def _write(visits: Sequence[Visit], out: Path) -> None:
    for visit in visits:
        if visit.outcome == "ok":
            row = visit.row
            visit.path = f"{row.modality}/{row.provider}-{row.operation}{visit.suffix}"
            file = out / visit.path
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, visit.content)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "index.html", page.render(visits).encode())
