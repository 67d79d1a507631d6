"""What a call used, what it cost, and what is known about it afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from .pricing import PRICE_UNITS, Price, Prices, Used

if TYPE_CHECKING:
    from .errors import AnymodalError

__all__ = [
    "PRICE_UNITS",
    "Attempt",
    "CallWarning",
    "Cost",
    "Price",
    "Prices",
    "Record",
    "Usage",
    "Used",
    "cost_of",
]


@attrs.frozen
class Usage:
    """
    What a vendor counted for one call.

    `None` is "not reported". `input_tokens` includes cached and cache-written
    ones, `output_tokens` includes reasoning, whatever the vendor's own habit.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    usd: Decimal | None = None
    """Dollars, where the vendor itself says what the call cost."""
    units: tuple[Used, ...] = ()
    """
    What else is billed: images, seconds, characters, searches. Tokens of sound and
    of pictures are said here and counted in `input_tokens` and `output_tokens` too.
    """

    def amount(self, unit: str) -> Decimal | None:
        """Return how many of *unit* stand in `units`, of whatever size; None where none do."""
        found = [one.amount for one in self.units if one.unit == unit]
        return sum(found, Decimal(0)) if found else None

    @property
    def total_tokens(self) -> int | None:
        """Input and output together, or None where either is unknown."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


@attrs.frozen
class Cost:
    """
    What a call cost.

    Attributes:
        usd: Dollars, or None where they are unknown.
        source: Where the price is from, or why the cost is unknown.
        as_of: The day the price was read.
    """

    usd: Decimal | None
    source: str
    as_of: dt.date | None = None


_UNREPORTED: Final = Cost(None, "the vendor reported no usage")
_INCOMPLETE: Final = Cost(None, "the vendor reported incomplete usage")
_UNPRICED: Final = Cost(None, "no price is known for this model")
_NO_TOKEN_PRICE: Final = Cost(None, "no token price is known for this model")
_NOTHING: Final = Decimal(0)
_IS_INPUT: Final = {
    "audio_input_token": True,
    "image_input_token": True,
    "audio_output_token": False,
    "image_output_token": False,
}
"""Tokens that are counted among plain ones too: among those of the prompt, or of the answer."""


def cost_of(usage: Usage | None, prices: Prices | None) -> Cost:
    """
    Return what *usage* cost at *prices*.

    A unit that was used and has no known price makes the whole cost unknown;
    but cached and cache-written input, and the tokens of pictures in a prompt,
    then count as plain input. Where no token is priced but other units are,
    tokens cost nothing. A fee for a request is due once, unless the usage says
    how many there were.
    """
    if usage is None:
        return _UNREPORTED
    if usage.usd is not None:
        return Cost(usage.usd, "reported by the vendor")
    if prices is None:
        return _UNPRICED
    if usage.units or not prices.are_plain:
        return _cost_of_all(usage, prices)
    return _cost_with_tokens(usage, prices)


def _cost_of_all(usage: Usage, prices: Prices) -> Cost:
    usd, heard, told = _NOTHING, _NOTHING, _NOTHING
    for one in usage.units:
        price = prices.usd_per(one.unit, one.size, one.quality)
        if price is None:
            if one.unit == "image_input_token":
                continue
            what = " ".join(filter(None, (one.unit, one.size, one.quality)))
            return Cost(None, f"no price is known for this model's {what}")
        usd += price * one.amount
        if _IS_INPUT.get(one.unit) is True:
            heard += one.amount
        elif _IS_INPUT.get(one.unit) is False:
            told += one.amount
    if usage.amount("request") is None:
        usd += prices.usd_per("request") or _NOTHING
    if prices.have_tokens:
        return _cost_with_tokens(usage, prices, usd, heard, told)
    if not usage.units and any(one.unit != "request" for one in prices.items):
        return _INCOMPLETE
    return Cost(usd, prices.source, prices.as_of) if prices.items else _UNPRICED


def _cost_with_tokens(
    usage: Usage,
    prices: Prices,
    more: Decimal = _NOTHING,
    heard: Decimal | int = 0,
    told: Decimal | int = 0,
) -> Cost:
    """Return *more* and the plain tokens; those *heard* and *told* otherwise are in *more*."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return _INCOMPLETE
    per_unit = prices.per_unit
    cached, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
    plain = usage.input_tokens - cached - written - heard
    answer = usage.output_tokens - told
    input_price, output_price = per_unit.get("input_token"), per_unit.get("output_token")
    if (input_price is None and plain > 0) or (output_price is None and answer > 0):
        return _NO_TOKEN_PRICE
    usd = more
    if answer > 0 and output_price:
        usd += answer * output_price
    if plain > 0 and input_price:
        usd += plain * input_price
    if cached:
        price = per_unit.get("cached_input_token", input_price)
        if price is None:
            return _NO_TOKEN_PRICE
        usd += cached * price
    if written:
        price = per_unit.get("cache_write_token", input_price)
        if price is None:
            return _NO_TOKEN_PRICE
        usd += written * price
    return Cost(usd, prices.source, prices.as_of)


@attrs.frozen
class CallWarning:
    """
    Something that was asked for and not done.

    Attributes:
        setting: The argument concerned.
        message: What happened instead, and why.
    """

    setting: str
    message: str


@attrs.frozen
class Attempt:
    """One try of a call: where it went, how long it took, and how it failed."""

    provider: str
    instance: str
    model: str
    seconds: float
    error: AnymodalError | None = None


@attrs.define(eq=False)
class Record:
    """
    What is known about a call, while it runs and afterwards.

    Attributes:
        id: Unique id of the call.
        modality: Such as `text`.
        operation: Such as `generate` or `stream`.
        provider: Id of the provider that answered, or was tried last.
        instance: Name under which it is configured.
        model: Model id as it was sent.
        plugin: Distribution and version that served the call.
        request_id: The vendor's id of the request.
        started_at: When the call began.
        seconds: Duration until the answer was whole.
        first_event_seconds: Duration until the first event of a stream.
        attempts: Every try, in order, the last one being the one that counted.
        usage: What the vendor counted.
        cost: What it cost; unknown is not zero.
        warnings: What was asked for and not done.
        tags: The caller's own.
        scope: The tenant's name; empty where the client has none.
        raw: The vendor's answer, where the call asked for it.
    """

    id: str
    modality: str
    operation: str
    provider: str = ""
    instance: str = ""
    model: str = ""
    plugin: str = ""
    request_id: str | None = None
    started_at: dt.datetime | None = None
    seconds: float | None = None
    first_event_seconds: float | None = None
    attempts: list[Attempt] = attrs.field(factory=list)
    usage: Usage | None = None
    cost: Cost = Cost(None, "the call has not ended")
    warnings: list[CallWarning] = attrs.field(factory=list)
    tags: Mapping[str, str] = attrs.field(factory=dict)
    scope: str = ""
    raw: object = attrs.field(default=None, repr=False)
