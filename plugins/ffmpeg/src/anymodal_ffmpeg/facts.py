"""What FFmpeg is as a model: one, free, and as slow as the machine."""

from __future__ import annotations

import datetime as dt
from typing import Final

from anymodal.pricing import Price, Prices
from anymodal.specs import Deadlines, ModelSpec

__all__ = ["BOUNDS", "MODEL"]

MODEL: Final = ModelSpec(
    id="local",
    prices=Prices([Price("request", 0)], "runs on this machine", dt.date(2026, 11, 20)),
    source="https://ffmpeg.org/documentation.html",
)
BOUNDS: Final = Deadlines(total=3600.0, first=None, between=None)
