"""Quillon's models: what is known of them, from where, and as of when."""

from __future__ import annotations

import datetime as dt

from anymodal import Lifecycle, ModelSpec, Price, Prices

DOCS = "https://docs.quillon.example/models"
READ_ON = dt.date(2026, 11, 20)

MODELS = (
    ModelSpec(
        id="nib-2",
        context_tokens=128_000,
        max_output_tokens=8_000,
        temperature_max=1,
        prices=Prices([Price("input_token", "0.40"), Price("output_token", "1.60")], DOCS, READ_ON),
        source=DOCS,
    ),
    ModelSpec(
        id="nib-1",
        lifecycle=Lifecycle(state="retired", retires_on=dt.date(2026, 6, 30), replacement="nib-2"),
        source=DOCS,
    ),
)
