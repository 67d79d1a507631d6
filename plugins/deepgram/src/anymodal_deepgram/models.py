"""Deepgram's models of speech to text: what is known of them, from where, and as of when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, ModelSpec

__all__ = ["DEFAULT_MODEL", "LIVE", "MODELS", "MULTILINGUAL", "RECORDED"]

DEFAULT_MODEL: Final = "nova-3"

FACTS: Final = "https://developers.deepgram.com/docs/models-languages-overview"
PRICES: Final = "https://deepgram.com/pricing, pay as you go, by third parties' copies of it"
READ_ON: Final = dt.date(2026, 11, 20)

LIVE: Final = "live"
RECORDED: Final = "recorded"
MULTILINGUAL: Final = "multilingual"
"""
Qualities and sizes of a second. Billed by the second, without rounding up to a minute.

Copies of the price list of May and of August 2026 agree on live sound, and differ on
recorded files (0.0043 and 0.0077 dollars a minute), which are left unknown.
"""

_NOVA_3: Final = Prices(
    [
        Price("second", "0.0048", 60, quality=LIVE),
        Price("second", "0.0058", 60, size=MULTILINGUAL, quality=LIVE),
    ],
    PRICES,
    READ_ON,
)

_LIVE: Final = Capabilities({"live"})
_FILES: Final = Capabilities(no={"live"})

_TABLE: Final[tuple[tuple[str, list[str], Prices | None, Capabilities], ...]] = (
    # id, aliases, prices, capabilities
    ("nova-3", ["nova-3-general"], _NOVA_3, _LIVE),
    ("nova-3-medical", [], None, _LIVE),
    ("nova-2", ["nova-2-general"], None, _LIVE),
    ("nova-2-meeting", [], None, _LIVE),
    ("nova-2-phonecall", [], None, _LIVE),
    ("nova-2-conversationalai", [], None, _LIVE),
    ("nova-2-medical", [], None, _LIVE),
    ("whisper-large", ["whisper"], None, _FILES),
)


def _models() -> Iterator[ModelSpec]:
    for name, aliases, prices, capabilities in _TABLE:
        yield ModelSpec(
            id=name, aliases=aliases, prices=prices, capabilities=capabilities, source=FACTS
        )


MODELS: Final = tuple(_models())
