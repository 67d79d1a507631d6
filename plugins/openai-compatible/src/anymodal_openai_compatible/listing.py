"""
What a vendor's list says of its models, in the fields that such lists have.

OpenAI's says little more than ids. Others add how much a model takes, what it costs
and what kind it is, and agree on few names for that. Sources, read 2026-11-20: the
OpenAPI descriptions of Groq, Together AI and OpenRouter; openai 3.52, `types/model.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from anymodal.modalities.kinds import LiveModel, category
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Lifecycle

__all__ = ["SOURCE", "live_model", "models_of"]

SOURCE: Final = "the vendor's own list"

_CONTEXT: Final = ("context_length", "context_window", "max_model_len")
_OUTPUT: Final = ("max_completion_tokens", "max_output_tokens")
_PARAMETERS: Final = {
    "reasoning": "reasoning",
    "structured_outputs": "structured_output",
    "temperature": "sampling",
    "tools": "function_calling",
}
"""What a list of supported parameters tells of our capabilities."""

_BY_THE_TOKEN: Final = {
    "prompt": "input_token",
    "completion": "output_token",
    "input_cache_read": "cached_input_token",
    "input_cache_write": "cache_write_token",
    "audio": "audio_input_token",
    "audio_output": "audio_output_token",
    "request": "request",
    "web_search": "search",
}
"""Prices of one, as strings; -1 means that they vary. Source: OpenRouter, `PublicPricing`."""

_BY_THE_MILLION: Final = {"input": "input_token", "output": "output_token"}
"""Prices of a million, as numbers. Source: Together AI, `Pricing`."""


def models_of(found: object) -> list[LiveModel]:
    """Return the models of an answer to `GET /models`."""
    rows = found["data"] if isinstance(found, Mapping) else found
    if not isinstance(rows, list):
        raise TypeError
    today = dt.datetime.now(dt.UTC).date()
    return [live_model(row, today) for row in rows]


def live_model(row: Mapping[str, Any], today: dt.date) -> LiveModel:
    """Return what an entry of a vendor's list says of a model, *today* being its day."""
    shape = row.get("architecture") or {}
    kind = row.get("type")
    found = category(
        row["id"],
        kind=kind if isinstance(kind, str) else "",
        inputs=shape.get("input_modalities") or (),
        outputs=shape.get("output_modalities") or (),
    )
    best = row.get("top_provider") or {}
    return LiveModel(
        id=row["id"],
        modality=found.modality,
        capabilities=_able(row.get("supported_parameters")).over(found.capabilities),
        context_tokens=_first(row, _CONTEXT),
        max_output_tokens=_first(row, _OUTPUT) or _first(best, _OUTPUT),
        prices=_prices(row.get("pricing") or {}, today, is_text=found.modality == "text"),
        lifecycle=_lifecycle(row),
        source=SOURCE,
    )


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((row[name] for name in names if isinstance(row.get(name), int)), None)


def _able(parameters: object) -> Capabilities:
    """Return what a complete list of *parameters* tells; nothing where there is none."""
    if not isinstance(parameters, list) or not parameters:
        return Capabilities()
    yes = {ours for theirs, ours in _PARAMETERS.items() if theirs in parameters}
    return Capabilities(yes, set(_PARAMETERS.values()) - yes)


def _prices(pricing: Mapping[str, Any], today: dt.date, *, is_text: bool) -> Prices | None:
    """
    Return the prices, None where they vary or are not all there.

    Lists that price by the million say 0 also of what is sold otherwise, so that
    this is believed of text alone.
    """
    items = list(_items(pricing))
    units = {one.unit for one in items}
    if not {"input_token", "output_token"} <= units:
        return None
    if "prompt" not in pricing and not is_text and all(one.usd == 0 for one in items):
        return None
    return Prices(items, SOURCE, today)


def _items(pricing: Mapping[str, Any]) -> Iterator[Price]:
    if pricing.get("hourly"):  # rented by the hour; its tokens cost nothing extra
        return
    tables = ((_BY_THE_TOKEN, 1), (_BY_THE_MILLION, 1_000_000))
    table, per = tables[0 if "prompt" in pricing else 1]
    for name, unit in table.items():
        try:
            usd = Decimal(str(pricing[name]))
        except (KeyError, InvalidOperation):
            continue
        if usd >= 0:
            yield Price(unit, usd, per)


def _lifecycle(row: Mapping[str, Any]) -> Lifecycle:
    """Return what an announced last day means; see OpenAI's page on deprecations."""
    last = row.get("shutdown_date") or row.get("expiration_date")
    if isinstance(last, str):
        return Lifecycle(state="deprecated", retires_on=dt.date.fromisoformat(last[:10]))
    return Lifecycle(state="retired") if row.get("active") is False else Lifecycle()
