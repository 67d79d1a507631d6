"""How large pictures and clips are to be: in pixels, as a ratio, or by the name of a class."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import attrs

from ..errors import InvalidRequestError

__all__ = ["Size", "SizeForm", "SizeLike"]

SizeForm: TypeAlias = Literal["pixels", "ratio", "class"]
SizeLike: TypeAlias = "str | tuple[int, int] | Size"
"""`1024x768`, `(1024, 768)`, `16:9` or `2k`."""

LARGEST: Final = 65_535
CLASSES: Final = {
    "480p": 854 * 480,
    "720p": 1280 * 720,
    "1080p": 1920 * 1080,
    "512": 512 * 512,
    "1k": 1024 * 1024,
    "2k": 2048 * 2048,
    "4k": 4096 * 4096,
}
"""Names of classes and about how many pixels each has. Vendors disagree on the exact ones."""

_PIXELS: Final = re.compile(r"(\d{1,5})\s*[xX\u00d7]\s*(\d{1,5})")
_RATIO: Final = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s*:\s*(\d{1,3}(?:\.\d{1,2})?)")


@attrs.frozen
class Size:
    """
    How large a picture or a clip is to be.

    Attributes:
        form: `pixels`, `ratio` or `class`.
        width: Pixels; of a ratio its first number.
        height: Pixels; of a ratio its second number.
        name: Of a class, in lower case, such as `2k` or `720p`.
    """

    form: SizeForm
    width: float = 0
    height: float = 0
    name: str = ""

    @classmethod
    def parse(cls, said: SizeLike) -> Size:
        """
        Return what *said* means.

        Raises:
            InvalidRequestError: It is no size.
        """
        if isinstance(said, Size):
            return said
        if isinstance(said, tuple) and len(said) == 2:
            said = f"{said[0]}x{said[1]}"
        if isinstance(said, str):
            if (found := _PIXELS.fullmatch(said.strip())) is not None:
                width, height = int(found[1]), int(found[2])
                if 0 < width <= LARGEST and 0 < height <= LARGEST:
                    return cls("pixels", width, height)
            elif (found := _RATIO.fullmatch(said.strip())) is not None:
                if float(found[1]) > 0 and float(found[2]) > 0:
                    return cls("ratio", float(found[1]), float(found[2]))
            elif said.strip().lower() in CLASSES:
                return cls("class", name=said.strip().lower())
        msg = f"size: {said!r} is none of 1024x768, 16:9 and {', '.join(CLASSES)}."
        raise InvalidRequestError(msg, field="size")

    def __str__(self) -> str:
        if self.form == "class":
            return self.name
        return f"{self.width:g}{'x' if self.form == 'pixels' else ':'}{self.height:g}"

    def pixels(self, area: int, multiple: int = 1) -> tuple[int, int]:
        """
        Return width and height in pixels.

        Args:
            area: How many pixels there are to be where the size does not say.
            multiple: What both are multiples of, by rounding.
        """
        if self.form == "pixels":
            width, height = self.width, self.height
        else:
            area = CLASSES.get(self.name, area)
            ratio = self.width / self.height if self.form == "ratio" else 1.0
            width, height = math.sqrt(area * ratio), math.sqrt(area / ratio)
        return _rounded(width, multiple), _rounded(height, multiple)

    def nearest(self, ratios: Iterable[str]) -> tuple[str, bool]:
        """
        Return which of *ratios*, such as `16:9`, is the nearest, and whether it is exact.

        A class has no ratio: it is taken for a square.
        """
        wanted = math.log(self.width / self.height) if self.height else 0.0

        def distance(name: str) -> float:
            width, _, height = name.partition(":")
            return abs(math.log(float(width) / float(height)) - wanted)

        found = min(ratios, key=distance)
        return found, distance(found) < 0.005


def _rounded(length: float, multiple: int) -> int:
    return max(round(length / multiple), 1) * multiple
