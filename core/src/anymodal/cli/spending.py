"""Where time and money go, for `doctor`: slow plugins, and budgets that are kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from ..config import Settings
from ..policies import Budget
from ..policy.budget import NANOS, SPACE
from ..registry import Registry
from ..storage import Storage
from ..stores import Value
from ..trust import Candidate
from .ending import run_async
from .probe import Report

__all__ = ["budgets", "slow_plugins"]

SLOW_MILLISECONDS: Final = 1000
"""Importing a plugin that imports no SDK takes a twentieth of this on an idle machine."""


def slow_plugins(found: Sequence[Candidate], reports: Sequence[Report]) -> Iterator[str]:
    """Give a sentence for each plugin that takes long to import, the slowest first."""
    pairs = [
        (report.milliseconds or 0, one.distribution.name)
        for one, report in zip(found, reports, strict=True)
        if report.state == "loaded" and (report.milliseconds or 0) >= SLOW_MILLISECONDS
    ]
    for milliseconds, name in sorted(pairs, reverse=True):
        yield (
            f"{name} takes {milliseconds:.0f} ms to import, in every listing and call by a bare "
            "name. Its authors should import the SDK in connect; exact names load no other plugin."
        )


def budgets(registry: Registry) -> Iterator[str]:
    """Give a sentence for each budget with a name: what is used of it, and until when."""
    named = {one.name: one for one in _budgets(registry.settings) if one.name}
    if not named:
        return
    kept = run_async(lambda: _kept(registry))
    for name, budget in sorted(named.items()):
        window = int(time.time() // budget.per) if budget.per else 0
        prefix = f"{name}:{window}:"
        used = {
            key.removeprefix(prefix): one for key, one in kept.items() if key.startswith(prefix)
        }
        for tag in sorted(used) or [""]:
            yield _sentence(budget, tag, used.get(tag, {}))


async def _kept(registry: Registry) -> dict[str, Value]:
    storage = Storage(registry)
    try:
        return dict(await storage.store.items(SPACE))
    finally:
        await storage.aclose()


def _budgets(settings: Settings) -> Iterable[Budget]:
    said = [*settings.providers.values(), *settings.instances.values()]
    policies = [settings.policy, *settings.policies.values(), *(one.policy for one in said)]
    return (budget for policy in policies for budget in policy.budgets)


def _sentence(budget: Budget, tag: str, used: Value) -> str:
    parts = []
    if budget.usd is not None:
        parts.append(f"${Decimal(str(used.get('nanos', 0))) / NANOS:.4f} of ${budget.usd}")
    if budget.tokens is not None:
        parts.append(f"{used.get('tokens', 0)} of {budget.tokens} tokens")
    whose = f", {budget.tag} {tag!r}" if tag else ""
    until = ""
    if budget.per is not None:
        left = budget.per - time.time() % budget.per
        until = f"; full again in {left / 3600:.1f} h"
    return f"Budget {budget.name!r}{whose}: {' and '.join(parts)} used{until}."
