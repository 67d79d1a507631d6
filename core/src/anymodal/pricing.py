"""What vendors charge: prices by unit, size and quality, from where and as of when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import attrs

__all__ = ["PRICE_UNITS", "Price", "Prices", "Used", "typical_cost"]

_BY_THE_MILLION: Final = (
    "input_token",
    "cached_input_token",
    "cache_write_token",
    "output_token",
    "audio_input_token",
    "audio_output_token",
    "image_input_token",
    "image_output_token",
    "character",
)
_BY_THE_PIECE: Final = ("image", "megapixel", "second", "request", "search")

PRICE_UNITS: Final = frozenset((*_BY_THE_MILLION, *_BY_THE_PIECE))
"""
Tokens and characters are sold by the million, all else by the piece. `second` is
one of sound or of video, `search` one search of the web, `request` one call.
"""

TOKEN_UNITS: Final = frozenset(unit for unit in PRICE_UNITS if unit.endswith("_token"))

_KINDS: Final = attrs.validators.in_(PRICE_UNITS)
_A_STRING: Final = attrs.validators.instance_of(str)


def _number(found: Decimal | float | str) -> Decimal:
    """Return *found* with the digits that it is written with."""
    number = Decimal(str(found))
    if not number.is_finite():
        msg = f"a number is needed, not {found!r}"
        raise ValueError(msg)
    return number


def _usual_count(price: Price) -> int:
    return 1 if price.unit in _BY_THE_PIECE else 1_000_000


@attrs.frozen
class Price:
    """
    What a vendor charges for *per* units, in US dollars.

    Args:
        unit: One of `PRICE_UNITS`.
        usd: Dollars for *per* units. Zero means free; unknown is no `Price`.
        per: How many units *usd* buys: by default a million tokens or
            characters, and one of anything else.
        size: The only size that costs this, in the vendor's words: `1024x1024`
            or `2K` of an image, `1080p` of a video. Empty for every other one.
        quality: The only quality that costs this, likewise.
    """

    unit: str = attrs.field(validator=_KINDS)
    usd: Decimal = attrs.field(converter=_number, validator=attrs.validators.ge(Decimal(0)))
    per: int = attrs.field(
        default=attrs.Factory(_usual_count, takes_self=True), validator=attrs.validators.gt(0)
    )
    size: str = attrs.field(default="", validator=_A_STRING)
    quality: str = attrs.field(default="", validator=_A_STRING)


@attrs.frozen
class Used:
    """
    So many units that a vendor bills beside plain text tokens.

    Args:
        unit: One of `PRICE_UNITS`.
        amount: How many: pieces, tokens, seconds.
        size: Their size, in the words of `Price.size`.
        quality: Their quality, likewise.
    """

    unit: str = attrs.field(validator=_KINDS)
    amount: Decimal = attrs.field(converter=_number, validator=attrs.validators.ge(Decimal(0)))
    size: str = ""
    quality: str = ""


def _items(found: Iterable[Price]) -> tuple[Price, ...]:
    return tuple(found)


@attrs.frozen
class Prices:
    """
    A model's prices, and where and when they were read.

    Args:
        items: At most one price for a unit of one size and quality.
        source: Page or data file that they are from.
        as_of: The day they were read.

    Attributes:
        have_tokens: Whether any kind of token is priced.
        are_plain: Whether nothing but tokens is.
        per_unit: Dollars for one unit, where no size and no quality is named.
    """

    items: tuple[Price, ...] = attrs.field(converter=_items)
    source: str
    as_of: dt.date
    have_tokens: bool = attrs.field(init=False, repr=False, eq=False)
    are_plain: bool = attrs.field(init=False, repr=False, eq=False)
    per_unit: Mapping[str, Decimal] = attrs.field(init=False, repr=False, eq=False)
    _special: Mapping[tuple[str, str, str], Decimal] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        known = {(one.unit, one.size, one.quality): one.usd / one.per for one in self.items}
        if len(known) != len(self.items):
            msg = "prices: a unit is priced twice"
            raise ValueError(msg)
        plain = {unit: usd for (unit, *only), usd in known.items() if not any(only)}
        sold = [one.unit in TOKEN_UNITS for one in self.items]
        object.__setattr__(self, "have_tokens", any(sold))
        object.__setattr__(self, "are_plain", bool(sold) and all(sold))
        object.__setattr__(self, "per_unit", plain)
        object.__setattr__(self, "_special", known)

    def usd_per(self, unit: str, size: str = "", quality: str = "") -> Decimal | None:
        """
        Return dollars for one *unit*, or None where it is unknown.

        A price for this size and quality wins, then one for the size, then one for
        the quality, then the one that names neither.
        """
        if size or quality:
            for key in ((unit, size, quality), (unit, size, ""), (unit, "", quality)):
                if (usd := self._special.get(key)) is not None:
                    return usd
        return self.per_unit.get(unit)

    def cheapest(self, unit: str) -> Decimal | None:
        """Return dollars for one *unit* of the cheapest size and quality."""
        found = [usd for (known, *_), usd in self._special.items() if known == unit]
        return min(found, default=None)

    def times(self, share: Decimal | str, source: str, as_of: dt.date) -> Prices:
        """
        Return the prices of a discount, such as that of batches.

        Args:
            share: What is left of each price: `"0.5"` for half.
            source: Page that the discount is from.
            as_of: The day it was read.
        """
        items = [attrs.evolve(one, usd=one.usd * Decimal(share)) for one in self.items]
        return Prices(items, source, as_of)

    def to_dict(self) -> dict[str, object]:
        """Return what `from_dict` makes the same prices of, fit for JSON."""
        items = [{**attrs.asdict(one), "usd": str(one.usd)} for one in self.items]
        return {"items": items, "source": self.source, "as_of": self.as_of.isoformat()}

    @classmethod
    def from_dict(cls, found: Mapping[str, object]) -> Prices:
        """
        Return the prices of a `to_dict`.

        Raises:
            LookupError, TypeError, ValueError: *found* is none.
        """
        items, day = found["items"], found["as_of"]
        if not isinstance(items, list) or not isinstance(day, str):
            msg = "no prices"
            raise TypeError(msg)
        return cls(
            [Price(**one) for one in items], str(found["source"]), dt.date.fromisoformat(day)
        )


# -- for comparing ------------------------------------------------------------------------


def typical_cost(prices: Prices | None, mixes: Iterable[Mapping[str, int]]) -> Decimal | None:
    """
    Return dollars for a typical piece of work, or None where that is unknown.

    Of several sizes or qualities the cheapest counts. A fee for each request is
    added.

    Args:
        prices: The model's; None where they are unknown.
        mixes: The work in units; the first whose units are all priced counts.
    """
    if prices is None:
        return None
    fee = prices.cheapest("request")
    for mix in mixes:
        costs = [prices.cheapest(unit) for unit in mix]
        known = [usd for usd in costs if usd is not None]
        if len(known) == len(mix):
            amounts = mix.values()
            work = sum((usd * n for usd, n in zip(known, amounts, strict=True)), Decimal(0))
            return work + (fee or 0)
    return None if prices.have_tokens else fee
