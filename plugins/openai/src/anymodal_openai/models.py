"""
OpenAI's text models: what is known of them, from where, and as of when.

Prices are those of the default service tier for prompts of up to 272 000
tokens; longer prompts cost up to twice as much. Audio models count audio tokens
that cost more than text, so that their price is left unknown. What cached input
costs in a batch the vendor's guide does not say; it counts as other input there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Lifecycle, ModelSpec

__all__ = ["DEFAULT_MODEL", "MODELS", "REFUSED_EFFORTS"]

DEFAULT_MODEL: Final = "gpt-6.1-sol"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://developers.openai.com/api/docs/models, by litellm 1.109.1 (MIT)"
PRICING: Final = "https://developers.openai.com/api/docs/pricing, by litellm 1.109.1 (MIT)"
BATCHES: Final = "https://developers.openai.com/api/docs/guides/batch: 50 % of the usual price"
DEPRECATIONS: Final = "https://developers.openai.com/api/docs/deprecations, by openai 3.52.0"
HOTTEST: Final = 2
"""Source: openai 3.52.0, `types/chat/completion_create_params.py`, read 2026-11-20."""

_BASE: Final = "function_calling structured_output image_input file_input prompt_cache"
_REASONS: Final = f"{_BASE} reasoning web_search"
_PRO: Final = "function_calling image_input file_input reasoning web_search"

_CURRENT: Final = """
# ids                                 context  output   input cached  write   output   refused efforts
gpt-6-astra                            922000  128000   10    1       12.5    50       none,minimal
gpt-6.1-sol                            922000  128000    2    0.1      2.5    10       none,minimal
gpt-6.1-terra                          922000  128000    1    0.05     1.25    5       minimal
gpt-6-sol                              922000  128000    2    0.2      2.5    10       minimal
gpt-6-luna                             922000  128000    0.1  0.01     0.125   0.5     minimal
gpt-5.6-sol                            922000  128000    4    0.4      5      20       minimal
gpt-5.6-terra                          922000  128000    2    0.2      2.5    12       minimal
gpt-5.6-luna                           922000  128000    0.2  0.02     0.25    1.2     minimal
gpt-5.5,gpt-5.5-2026-04-23            1050000  128000    5    0.5      -      30       minimal
gpt-5.4,gpt-5.4-2026-03-05            1050000  128000    2.5  0.25     -      15       minimal
gpt-5.4-mini,gpt-5.4-mini-2026-03-17   272000  128000    0.75 0.075    -       4.5     minimal
gpt-5.4-nano,gpt-5.4-nano-2026-03-17   272000  128000    0.2  0.02     -       1.25    minimal
gpt-5.2,gpt-5.2-2025-12-11             272000  128000    1.75 0.175    -      14       minimal
gpt-5.1,gpt-5.1-2025-11-13             272000  128000    1.25 0.125    -      10       minimal,xhigh
gpt-5,gpt-5-2025-08-07                 272000  128000    1.25 0.125    -      10       none,xhigh
gpt-5-mini,gpt-5-mini-2025-08-07       272000  128000    0.25 0.025    -       2       none,xhigh
gpt-5-nano,gpt-5-nano-2025-08-07       272000  128000    0.05 0.005    -       0.4     none,xhigh
o3,o3-2025-04-16                       200000  100000    2    0.5      -       8       -
"""
_RESPONSES_ONLY: Final = """
gpt-5.5-pro,gpt-5.5-pro-2026-04-23    1050000  128000   30    -        -     180       none,minimal,low
gpt-5.4-pro,gpt-5.4-pro-2026-03-05    1050000  128000   30    -        -     180       none,minimal
gpt-5.3-codex                          272000  128000    1.75 0.175    -      14       minimal
gpt-5.2-pro,gpt-5.2-pro-2025-12-11     272000  128000   21    -        -     168       none
gpt-5-pro,gpt-5-pro-2025-10-06         400000  272000   15    -        -     120       none,xhigh
o3-pro,o3-pro-2025-06-10               200000  100000   20    -        -      80       -
"""
_UNREASONED: Final = """
gpt-4.1,gpt-4.1-2025-04-14            1047576   32768    2    0.5      -       8       -
gpt-4.1-mini,gpt-4.1-mini-2025-04-14  1047576   32768    0.4  0.1      -       1.6     -
gpt-4o,gpt-4o-2024-11-20,gpt-4o-2024-08-06  128000  16384  2.5 1.25    -      10       -
gpt-4o-mini,gpt-4o-mini-2024-07-18     128000   16384    0.15 0.075    -       0.6     -
"""
_AUDIO: Final = """
gpt-audio-1.5                          128000   16384    -    -        -       -       -
gpt-audio,gpt-audio-2025-08-28         128000   16384    -    -        -       -       -
gpt-audio-mini,gpt-audio-mini-2025-12-15  128000  16384  -    -        -       -       -
"""
_LEAVING: Final = """
# shutdown   replacement    ids
2026-12-11   gpt-5.6-sol    gpt-5 gpt-5-2025-08-07 gpt-5-pro gpt-5-pro-2025-10-06
2026-12-11   gpt-5.6-sol    o3 o3-2025-04-16 o3-pro o3-pro-2025-06-10
2026-12-11   gpt-5.6-terra  gpt-5-mini gpt-5-mini-2025-08-07
2026-12-11   gpt-5.6-luna   gpt-5-nano gpt-5-nano-2025-08-07
2027-01-14   gpt-6-luna     gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14
2027-01-14   gpt-6-luna     gpt-4o gpt-4o-2024-11-20 gpt-4o-2024-08-06 gpt-4o-mini gpt-4o-mini-2024-07-18
2027-01-20   -              gpt-audio gpt-audio-2025-08-28 gpt-audio-mini gpt-audio-mini-2025-12-15
2027-04-01   -              gpt-5.1 gpt-5.1-2025-11-13 gpt-5.3-codex gpt-5.4-nano gpt-5.4-nano-2026-03-17
"""
_RETIRED: Final = """
2025-07-28   -              o1-preview o1-preview-2024-09-12
2025-10-27   -              o1-mini o1-mini-2024-09-12
2026-02-17   -              chatgpt-4o-latest
2026-07-23   gpt-5.4        gpt-5-codex gpt-5.1-codex-max gpt-5.2-codex
2026-07-23   gpt-5.4-mini   gpt-5.1-codex-mini
2026-07-23   gpt-5.4-pro    o3-deep-research o3-deep-research-2025-06-26
2026-07-23   gpt-5.4-pro    o4-mini-deep-research o4-mini-deep-research-2025-06-26
2026-07-23   -              gpt-5.1-codex gpt-5.1-chat-latest gpt-5-chat-latest
2026-07-23   -              gpt-4o-search-preview gpt-4o-search-preview-2025-03-11
2026-07-23   -              gpt-4o-mini-search-preview gpt-4o-mini-search-preview-2025-03-11
2026-08-10   gpt-5.5        gpt-5.3-chat-latest gpt-5.2-chat-latest
2026-10-23   gpt-5.6-luna   gpt-4.1-nano gpt-4.1-nano-2025-04-14
2026-10-23   gpt-5.6-terra  o4-mini o4-mini-2025-04-16 gpt-3.5-turbo gpt-3.5-turbo-0125
2026-10-23   gpt-5.6-sol    o3-mini o3-mini-2025-01-31 o1 o1-2024-12-17 o1-pro o1-pro-2025-03-19
2026-10-23   gpt-5.6-sol    gpt-4o-2024-05-13 gpt-4-turbo gpt-4-turbo-2024-04-09
2026-10-23   gpt-5.6-sol    gpt-4-1106-preview gpt-4 gpt-4-0613
"""

_UNSTREAMED: Final = frozenset({"gpt-5-pro", "gpt-5-pro-2025-10-06"})
_SAMPLED: Final = ("gpt-5.1", "gpt-5.2", "gpt-5.4")
"""Families that do not reason unless asked, and so take a temperature by default."""


def _rows(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        if not line.startswith("#"):
            yield line.split()


def _lifecycles(table: str, *, retired: bool) -> Iterator[tuple[str, Lifecycle]]:
    for day, replacement, *ids in _rows(table):
        lifecycle = Lifecycle(
            state="retired" if retired else "deprecated",
            retires_on=dt.date.fromisoformat(day),
            replacement=None if replacement == "-" else replacement,
        )
        for name in ids:
            yield name, lifecycle


def _prices(row: list[str]) -> Prices | None:
    units = ("input_token", "cached_input_token", "cache_write_token", "output_token")
    items = [Price(unit, usd) for unit, usd in zip(units, row, strict=True) if usd != "-"]
    return Prices(items, PRICING, READ_ON) if items else None


def _batch_prices(row: list[str]) -> Prices | None:
    plain, _, _, answer = row
    usual = _prices([plain, "-", "-", answer])
    return usual and usual.times("0.5", BATCHES, READ_ON)


def _served(table: str, yes: str, no: str, api: str = "") -> Iterator[ModelSpec]:
    leaving = dict(_lifecycles(_LEAVING, retired=False))
    for ids, context, output, *prices, _ in _rows(table):
        for name in ids.split(","):
            lacks = set(no.split())
            if name.startswith(_SAMPLED) and not name.startswith(("gpt-5.2-pro", "gpt-5.4-pro")):
                lacks.discard("sampling")
            if name in _UNSTREAMED:
                lacks.add("streaming")
            yield ModelSpec(
                id=name,
                capabilities=Capabilities(yes.split(), lacks),
                context_tokens=int(context),
                max_output_tokens=int(output),
                prices=_prices(prices),
                batch_prices=_batch_prices(prices),
                lifecycle=leaving.get(name, Lifecycle()),
                api=api,
                source=FACTS,
                temperature_max=HOTTEST,
            )


def _all_models() -> Iterator[ModelSpec]:
    heard = "audio_input"
    yield from _served(_CURRENT, _REASONS, f"{heard} sampling")
    yield from _served(_RESPONSES_ONLY, _PRO, f"{heard} sampling", "responses")
    yield from _served(_UNREASONED, f"{_BASE} sampling", f"{heard} reasoning")
    yield from _served(
        _AUDIO,
        "function_calling audio_input sampling",
        "structured_output image_input file_input reasoning prompt_cache web_search",
        "chat",
    )
    for name, lifecycle in _lifecycles(_RETIRED, retired=True):
        yield ModelSpec(id=name, lifecycle=lifecycle, source=DEPRECATIONS)


MODELS: Final = tuple(_all_models())
"""Current models first, retired ones last. Snapshots are models of their own."""

REFUSED_EFFORTS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(efforts.split(","))
    for table in (_CURRENT, _RESPONSES_ONLY)
    for ids, *_, efforts in _rows(table)
    if efforts != "-"
    for name in ids.split(",")
}
"""Model id to the reasoning efforts that it is known to refuse; from `FACTS`."""
