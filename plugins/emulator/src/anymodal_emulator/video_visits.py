"""What the tour asks of a provider of clips, and how it tells that all of it arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anymodal
from anymodal.errors import UnsupportedFeatureError
from anymodal.modalities.video import Clip, Overlay, Track, VideoResult

from .clips import watched
from .operations import Operation
from .samples import png
from .sounds import wav
from .visits import SECONDS, Visit

__all__ = ["VIDEO"]

SEA: Final = (320, 240)
LONG: Final = 5.0
"""Seconds that every vendor makes."""


async def _generate(client: anymodal.Client, visit: Visit, name: str) -> None:
    await _make(client, visit, name, None)


async def _from_picture(client: anymodal.Client, visit: Visit, name: str) -> None:
    visit.sent = png(*SEA)
    await _make(client, visit, name, anymodal.Image(visit.sent))


async def _make(
    client: anymodal.Client, visit: Visit, name: str, image: anymodal.Image | None
) -> None:
    try:
        job = await client.video.submit(
            visit.prompt, image=image, model=name, seconds=LONG, size="16:9", timeout=SECONDS
        )
    except UnsupportedFeatureError:  # it makes clips at once
        made = await client.video.generate(
            visit.prompt, image=image, model=name, seconds=LONG, size="16:9", timeout=SECONDS
        )
    else:
        while not (await job.poll()).is_ended:  # without the usual waits; the tour bounds it
            pass
        made = await job.result()
    _note(visit, made, LONG)


async def _compose(client: anymodal.Client, visit: Visit, name: str) -> None:
    visit.sent = png(*SEA)
    picture = anymodal.Image(visit.sent)
    made = await client.video.compose(
        [Clip(picture, seconds=2), Clip(anymodal.Image(png(240, 320)), seconds=2)],
        tracks=[Track(anymodal.Audio(wav(visit.prompt, 16_000)), at=0.5, volume=0.5)],
        overlays=[Overlay(picture, x=0.7, y=0.05, width=0.25, at=1)],
        size="640x360",
        model=name,
        timeout=SECONDS,
    )
    _note(visit, made, 4.0)
    if watched(visit.artefact).size != "640x360":
        msg = f"it is {watched(visit.artefact).size}, and not 640x360"
        raise ValueError(msg)


def _note(visit: Visit, made: VideoResult, seconds: float) -> None:
    """
    Take the clip, and say what stands in it.

    Raises:
        ValueError: It is none, or not as long as asked.
    """
    visit.artefact, visit.suffix = made.video.read_bytes(), ".mp4"
    visit.seconds = made.record.seconds
    found = watched(visit.artefact)
    if abs(found.seconds - seconds) > 0.2:
        msg = f"it lasts {found.seconds:g} s, and not {seconds:g}"
        raise ValueError(msg)
    shown = f"{found.size} pixels, {found.seconds:g} s"
    visit.said = f"{found.words} ({shown})" if found.words else shown


VIDEO: Final[Mapping[str, Operation]] = {
    "generate": Operation("text_to_video", _generate, "Waves roll in at night", ("pixels",)),
    "image_to_video": Operation(
        "image_to_video", _from_picture, "The sun goes down", (f"{SEA[0]}x{SEA[1]}",)
    ),
    "compose": Operation(
        "composition", _compose, "Two pictures, a logo and a tune", ("pixels",), echoes=False
    ),
}
"""By name, in the order of the table."""
