"""What a call used, what it cost, and what is known about it afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from .errors import AnymodalError

PRICE_UNITS: Final = frozenset(
    {
        "input_token",
        "cached_input_token",
        "cache_write_token",
        "output_token",
        "image",
        "second",
        "character",
        "request",
    }
)


@attrs.frozen
class Price:
    """
    What a vendor charges for *per* units, in US dollars.

    Args:
        unit: One of `PRICE_UNITS`.
        usd: Dollars for *per* units. Zero means free; unknown is no `Price`.
        per: How many units *usd* buys.
    """

    unit: str = attrs.field(validator=attrs.validators.in_(PRICE_UNITS))
    usd: Decimal = attrs.field(converter=Decimal, validator=attrs.validators.ge(Decimal(0)))
    per: int = attrs.field(default=1_000_000, validator=attrs.validators.gt(0))


def _items(found: Iterable[Price]) -> tuple[Price, ...]:
    return tuple(found)


@attrs.frozen
class Prices:
    """
    A model's prices, and where and when they were read.

    Args:
        items: At most one price a unit.
        source: Page or data file that they are from.
        as_of: The day they were read.
    """

    items: tuple[Price, ...] = attrs.field(converter=_items)
    source: str
    as_of: dt.date
    _per_unit: Mapping[str, Decimal] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        per_unit = {price.unit: price.usd / price.per for price in self.items}
        if len(per_unit) != len(self.items):
            msg = "prices: a unit is priced twice"
            raise ValueError(msg)
        object.__setattr__(self, "_per_unit", per_unit)

    def usd_per(self, unit: str) -> Decimal | None:
        """Return dollars for one *unit*, or None where it is unknown."""
        return self._per_unit.get(unit)

    def times(self, share: Decimal | str, source: str, as_of: dt.date) -> Prices:
        """
        Return the prices of a discount, such as that of batches.

        Args:
            share: What is left of each price: `"0.5"` for half.
            source: Page that the discount is from.
            as_of: The day it was read.
        """
        items = [Price(one.unit, one.usd * Decimal(share), one.per) for one in self.items]
        return Prices(items, source, as_of)


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


def cost_of(usage: Usage | None, prices: Prices | None) -> Cost:
    """
    Return what *usage* cost at *prices*.

    A unit that was used and has no known price makes the whole cost unknown,
    except cached and cache-written input, which then counts as plain input.
    """
    if usage is None:
        return Cost(None, "the vendor reported no usage")
    if usage.usd is not None:
        return Cost(usage.usd, "reported by the vendor")
    if prices is None:
        return Cost(None, "no price is known for this model")
    if usage.input_tokens is None or usage.output_tokens is None:
        return Cost(None, "the vendor reported incomplete usage")
    input_price, output_price = prices.usd_per("input_token"), prices.usd_per("output_token")
    if input_price is None or output_price is None:
        return Cost(None, "no token price is known for this model")
    cached, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
    plain = max(usage.input_tokens - cached - written, 0)
    usd = plain * input_price + usage.output_tokens * output_price
    if cached:
        usd += cached * _first(prices.usd_per("cached_input_token"), input_price)
    if written:
        usd += written * _first(prices.usd_per("cache_write_token"), input_price)
    return Cost(usd, prices.source, prices.as_of)


def _first(price: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if price is None else price


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
