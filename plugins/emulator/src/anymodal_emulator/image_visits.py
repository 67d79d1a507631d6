"""What the tour asks of a provider of pictures, and how it tells that all of it arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anymodal
from anymodal.formats import extension

from .operations import Operation
from .pictures import seen
from .samples import png
from .visits import SECONDS, Visit

__all__ = ["IMAGE", "SIZE"]

SIZE: Final = (1024, 768)
"""What every vendor of pictures makes, or comes near to."""

SEA: Final = (320, 240)


async def _generate(client: anymodal.Client, visit: Visit, name: str) -> None:
    made = await client.image.generate(visit.prompt, model=name, size=SIZE, timeout=SECONDS)
    _note(visit, made.image)
    visit.seconds = made.record.seconds


async def _edit(client: anymodal.Client, visit: Visit, name: str) -> None:
    visit.sent = png(*SEA)
    made = await client.image.edit(
        visit.prompt, anymodal.Image(visit.sent), model=name, timeout=SECONDS
    )
    _note(visit, made.image)
    visit.seconds = made.record.seconds


def _note(visit: Visit, image: anymodal.Image) -> None:
    """
    Take the picture, and say what stands in it.

    Raises:
        ValueError: It is none.
    """
    visit.artefact = image.read_bytes()
    visit.suffix = extension(image.media_type)
    found = seen(visit.artefact)
    if found.media_type != image.media_type:
        msg = f"it is called {image.media_type}, and is {found.media_type}"
        raise ValueError(msg)
    visit.said = f"{found.words} ({found.media_type}, {found.size} pixels)"


IMAGE: Final[Mapping[str, Operation]] = {
    "generate": Operation("", _generate, "A lighthouse at night", (f"{SIZE[0]}x{SIZE[1]} pixels",)),
    "edit": Operation("image_edit", _edit, "Paint the boat red", (f"image/png {SEA[0]}x{SEA[1]}",)),
}
"""By name, in the order of the table."""
