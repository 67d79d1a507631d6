"""
Anthropic's text models: what is known of them, from where, and as of when.

Prices are those of standard speed and of caches kept for five minutes. That of
`claude-haiku-5-5` holds for prompts of up to 100 000 tokens; longer ones cost
five times as much.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import attrs
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Lifecycle, ModelSpec

__all__ = ["DEFAULT_MODEL", "MODELS", "NEWEST", "THINKING", "Thinking"]

DEFAULT_MODEL: Final = "claude-sonnet-5-5"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://platform.claude.com/docs/en/about-claude/models, by litellm 1.109.1 (MIT)"
PRICING: Final = (
    "https://platform.claude.com/docs/en/about-claude/pricing, by genai-prices 0.2.3 (MIT)"
)
BATCHES: Final = (
    "https://platform.claude.com/docs/en/build-with-claude/batch-processing: 50 % of the usual "
    "price, cached input included"
)
DEPRECATIONS: Final = (
    "https://platform.claude.com/docs/en/about-claude/model-deprecations, by anthropic 2.11.0"
)

_SERVED: Final = """
# ids                          context output input cached write  output thinking efforts forced
claude-fable-5-2,claude-mythos-5-2 1000000 128000 8  0.2   10     40     always   all     no
claude-fable-5-1,claude-mythos-5-1 1000000 128000 10 0.25  12.5   50     always   all     no
claude-fable-5,claude-mythos-5 1000000 128000  10    1     12.5   50     always   all     yes
claude-opus-5-5                1000000 128000  4     0.2   5      20     always   all     no
claude-sonnet-5-5              1000000 128000  2     0.1   2.5    10     between  all     no
claude-haiku-5-5               1000000 128000  0.1   0.01  0.125  0.5    default  all     yes
claude-opus-5                  1000000 128000  5     0.5   6.25   25     default  all     yes
claude-sonnet-5                1000000 128000  2     0.2   2.5    10     default  all     yes
claude-opus-4-8                1000000 128000  5     0.5   6.25   25     asked    all     yes
claude-opus-4-7                1000000 128000  5     0.5   6.25   25     asked    all     yes
claude-opus-4-6                1000000 128000  5     0.5   6.25   25     asked    low,medium,high,max yes
claude-sonnet-4-6              1000000 128000  3     0.3   3.75   15     asked    low,medium,high,max yes
claude-opus-4-5,claude-opus-4-5-20251101 200000 64000 5 0.5 6.25  25     budget   low,medium,high yes
claude-haiku-4-5,claude-haiku-4-5-20251001 200000 64000 1 0.1 1.25 5     budget   -       yes
claude-sonnet-4-5,claude-sonnet-4-5-20250929 200000 64000 3 0.3 3.75 15  budget   -       yes
"""
_SAMPLED: Final = (
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    *(f"claude-{n}-4-5" for n in ("opus", "haiku", "sonnet")),
)
"""Beginnings of the ids that take a temperature, up to API version 2023-06-01."""

HOTTEST: Final = 1
"""Source: https://platform.claude.com/docs/en/api/messages, read 2026-11-20."""

_LEAVING: Final = """
2026-11-30   claude-sonnet-4-5 claude-sonnet-4-5-20250929
"""
_RETIRED: Final = """
2024-11-06   claude-1.3 claude-1.3-100k claude-instant-1.1 claude-instant-1.1-100k claude-instant-1.2
2025-07-21   claude-2.0 claude-2.1 claude-3-sonnet-20240229
2026-01-05   claude-3-opus-20240229
2026-02-19   claude-3-7-sonnet-latest claude-3-7-sonnet-20250219
2026-02-19   claude-3-5-haiku-latest claude-3-5-haiku-20241022
2026-06-15   claude-opus-4-0 claude-opus-4-20250514 claude-sonnet-4-0 claude-sonnet-4-20250514
2026-06-30   claude-mythos-preview
"""

_YES: Final = (
    "function_calling structured_output image_input file_input reasoning web_search citations "
    "prompt_cache"
)


@attrs.frozen
class Thinking:
    """
    How a model can be told to think.

    Attributes:
        mode: `always`: it cannot be turned off. `between`: it can be turned off but
            between tool calls. `default`: it is on unless turned off. `asked`: it
            is off unless asked for. `budget`: asked for by a number of tokens.
        efforts: The efforts that it takes, lowest first.
        forced: Whether it can be told to use a tool.
    """

    mode: Literal["always", "between", "default", "asked", "budget"] = "default"
    efforts: tuple[str, ...] = ("low", "medium", "high", "xhigh", "max")
    forced: bool = True

    @property
    def adaptive(self) -> bool:
        """Whether the model itself decides how much to think."""
        return self.mode != "budget"


NEWEST: Final = Thinking()
"""What is assumed of models that are not in the table."""


def _rows(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        if not line.startswith("#"):
            yield line.split()


def _thinking(mode: str, efforts: str, forced: str) -> Thinking:
    known = {"all": NEWEST.efforts, "-": ()}.get(efforts, tuple(efforts.split(",")))
    return Thinking(mode, known, forced == "yes")  # type: ignore[arg-type]  # the table has the same five


def _lifecycles(table: str, *, retired: bool) -> Iterator[tuple[str, Lifecycle]]:
    for day, *ids in _rows(table):
        on = dt.date.fromisoformat(day)
        lifecycle = Lifecycle(state="retired" if retired else "deprecated", retires_on=on)
        for name in ids:
            yield name, lifecycle


def _prices(row: list[str]) -> Prices:
    units = ("input_token", "cached_input_token", "cache_write_token", "output_token")
    return Prices(
        [Price(unit, usd) for unit, usd in zip(units, row, strict=True)], PRICING, READ_ON
    )


def _all_models() -> Iterator[ModelSpec]:
    leaving = dict(_lifecycles(_LEAVING, retired=False))
    for ids, context, output, *prices, _, _, _ in _rows(_SERVED):
        for name in ids.split(","):
            yield ModelSpec(
                id=name,
                capabilities=Capabilities(
                    _YES.split(), () if name.startswith(_SAMPLED) else {"sampling"}
                ),
                context_tokens=int(context),
                max_output_tokens=int(output),
                prices=_prices(prices),
                batch_prices=_prices(prices).times("0.5", BATCHES, READ_ON),
                lifecycle=leaving.get(name, Lifecycle()),
                source=FACTS,
                temperature_max=HOTTEST,
            )
    for name, lifecycle in _lifecycles(_RETIRED, retired=True):
        yield ModelSpec(id=name, lifecycle=lifecycle, source=DEPRECATIONS)


MODELS: Final = tuple(_all_models())
"""Current models first, retired ones last. Snapshots are models of their own."""

THINKING: Final[Mapping[str, Thinking]] = {
    name: _thinking(*row[-3:]) for row in _rows(_SERVED) for name in row[0].split(",")
}
"""
Model id to how it thinks.

Sources: https://platform.claude.com/docs/en/build-with-claude/thinking,
…/effort, the migration guides of the 5.5 models, and
https://github.com/anthropics/skills, `claude-api/references/thinking-effort.md`;
read 2026-11-20.
"""
