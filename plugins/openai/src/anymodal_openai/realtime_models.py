"""
OpenAI's models that talk.

Cached sound costs what the price of quality `cached` says. What is heard may be written
down by another model, which is billed by the second, under its own name as quality.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from anymodal.modalities.packing import AudioFormat
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Lifecycle, ModelSpec

__all__ = ["DEFAULT_MODEL", "FORMATS", "MODELS", "TRANSCRIBER", "VOICES"]

DEFAULT_MODEL: Final = "gpt-realtime-2.1"
TRANSCRIBER: Final = "gpt-live-transcribe"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://developers.openai.com/api/docs/models, by litellm 1.109.1 (MIT)"
PRICING: Final = "https://developers.openai.com/api/docs/pricing, by litellm 1.109.1 (MIT)"

FORMATS: Final = (
    AudioFormat(rate=24_000),
    AudioFormat("mulaw", rate=8_000),
    AudioFormat("alaw", rate=8_000),
)
VOICES: Final = (
    "marin", "cedar", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse",
)  # fmt: skip
"""Source of both: openai 3.52, `types/realtime`, read 2026-11-20."""

_TABLE: Final = """
# ids                                  context output text cached heard cached  told  said
gpt-realtime-2.1,gpt-realtime-2         128000  32000  4    0.4    32    0.4    24    64
gpt-realtime-2.1-mini                   128000  32000  0.6  0.06   10    0.3     2.4  20
gpt-realtime-1.5                         32000   4096  4    0.4    32    0.4    16    64
"""
_LEAVING: Final = """
gpt-realtime,gpt-realtime-2025-08-28     32000   4096  4    0.4    32    0.4    16    64
gpt-realtime-mini                        32000   4096  0.6  0.06   10    0.3     2.4  20
gpt-realtime-mini-2025-12-15            128000   4096  0.6  0.06   10    0.3     2.4  20
"""
_TRANSCRIBERS: Final = {
    "gpt-live-transcribe": "0.000283333333333",
    "gpt-realtime-whisper": "0.000283333333333",
    "gpt-transcribe": "0.000075",
}
"""Dollars a second; those that are billed by the token are left out."""


def _prices(row: list[str]) -> Prices:
    text, cached, heard, again, told, said = row
    items = [
        Price("input_token", text),
        Price("cached_input_token", cached),
        Price("audio_input_token", heard),
        Price("audio_input_token", again, quality="cached"),
        Price("output_token", told),
        Price("audio_output_token", said),
    ]
    items += [Price("second", usd, quality=name) for name, usd in _TRANSCRIBERS.items()]
    return Prices(items, PRICING, READ_ON)


def _models(table: str, *, leaving: bool = False) -> Iterator[ModelSpec]:
    for line in table.strip().splitlines():
        if line.startswith("#"):
            continue
        ids, context, output, *prices = line.split()
        for name in ids.split(","):
            mini = "-mini" if "-mini" in name else ""
            yield ModelSpec(
                id=name,
                capabilities=Capabilities(
                    {"audio_input", "audio_output", "function_calling", "image_input", "live"}
                ),
                context_tokens=int(context),
                max_output_tokens=int(output),
                prices=_prices(prices),
                lifecycle=Lifecycle(
                    state="deprecated",
                    retires_on=dt.date(2027, 1, 20),
                    replacement=f"gpt-realtime-2.1{mini}",
                )
                if leaving
                else Lifecycle(),
                source=FACTS,
            )


MODELS: Final = (*_models(_TABLE), *_models(_LEAVING, leaving=True))
"""Shutdowns by openai 3.52, `types/realtime/realtime_session_create_request.py`, read 2026-11-20."""
