"""Names in settings that nothing goes by, for `doctor`."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence

from ..config import Settings
from ..resolution import Offer

__all__ = ["misspelt"]

TABLES = ("auto_detect", "options", "policies", "routes")
"""Those that are kept by modality; a plugin may bring a modality, so they are read as they are."""


def misspelt(
    settings: Settings, modalities: Collection[str], offers: Sequence[Offer]
) -> Iterator[str]:
    """Give a sentence for each name that is no modality's, no provider's or no model's."""
    for table in TABLES:
        for name in getattr(settings, table):
            if name not in modalities:
                yield f"{table}.{name}: no modality is called {name!r}.{_close(name, modalities)}"
    ids = {one.instance for one in offers} | {one.spec.id for one in offers}
    for modality, names in settings.auto_detect.items():
        for name in names:
            if name not in ids:
                yield f"auto_detect.{modality}: no provider {name!r} is installed.{_close(name, ids)}"
    models: dict[str, set[str]] = {}
    for one in offers:
        known = models.setdefault(one.spec.id, set())
        known.update(name for model in one.spec.models for name in (model.id, *model.aliases))
    for name in settings.models:
        provider, _, model = name.partition("/")
        near = difflib.get_close_matches(model, models.get(provider, ()), 1, cutoff=0.9)
        if near and model not in models[provider]:
            yield f'models."{name}": {provider} lists no such model. Did you mean {near[0]}?'


def _close(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f" Did you mean {near[0]}?" if near else ""
