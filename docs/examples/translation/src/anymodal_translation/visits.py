"""What `anymodal tour` asks of a provider of translation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anymodal
from anymodal_emulator.operations import Operation
from anymodal_emulator.visits import SECONDS, Visit

from .modality import TRANSLATION as KIND

__all__ = ["TRANSLATION"]


async def _translate(client: anymodal.Client, visit: Visit, name: str) -> None:
    await _into_german(client, visit, name, source="en")


async def _detect(client: anymodal.Client, visit: Visit, name: str) -> None:
    await _into_german(client, visit, name, source=None)


async def _into_german(
    client: anymodal.Client, visit: Visit, name: str, source: str | None
) -> None:
    found = await client[KIND].translate(
        visit.prompt, to="de", source=source, model=name, timeout=SECONDS
    )
    (one,) = found.translations
    visit.said = f"{one.source} > de: {one.text}"
    visit.seconds = found.record.seconds


TRANSLATION: Final[Mapping[str, Operation]] = {
    "translate": Operation("", _translate, wanted=("en > de",)),
    "detect": Operation("detection", _detect, wanted=("en > de",)),
}
"""By name, in the order of the table."""
