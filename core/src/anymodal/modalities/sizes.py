"""How large pictures and clips are to be: in pixels, as a ratio, or by the name of a class."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import attrs

from ..errors import InvalidRequestError

__all__ = ["PixelLimits", "Size", "SizeForm", "SizeLike"]

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


def _exactly(size: Size, area: int, multiple: int) -> tuple[int, int] | None:
    """Return the pixels nearest to *area* that have a ratio exactly, if they are near."""
    if size.form != "ratio" or not (
        float(size.width).is_integer() and float(size.height).is_integer()
    ):
        return None
    shared = math.gcd(int(size.width), int(size.height))
    width, height = int(size.width) // shared * multiple, int(size.height) // shared * multiple
    times = max(round(math.sqrt(area / (width * height))), 1)
    is_near = 0.75 <= width * height * times * times / area <= 1.25
    return (width * times, height * times) if is_near else None


def _rounded(length: float, multiple: int) -> int:
    return max(round(length / multiple), 1) * multiple


@attrs.frozen(kw_only=True)
class PixelLimits:
    """
    Which widths and heights a vendor or a model makes.

    Args:
        area: About how many pixels there are where only a ratio is asked for.
        multiple: What width and height are multiples of.
        shortest: Least of either.
        longest: Most of either.
        least_area: Least of both multiplied.
        most_area: Most of both multiplied.
        most_ratio: Most of the longer by the shorter.
    """

    area: int = 1024 * 1024
    multiple: int = 1
    shortest: int = 1
    longest: int = LARGEST
    least_area: int = 1
    most_area: int = LARGEST * LARGEST
    most_ratio: float = float(LARGEST)

    def allow(self, width: int, height: int) -> bool:
        """Whether a picture may have this width and height."""
        return (
            width % self.multiple == height % self.multiple == 0
            and self.shortest <= min(width, height)
            and max(width, height) <= self.longest
            and self.least_area <= width * height <= self.most_area
            and max(width, height) <= self.most_ratio * min(width, height)
        )

    def fit(self, size: Size) -> tuple[int, int]:
        """
        Return the width and height nearest to *size* that are allowed.

        A ratio is kept exactly where that takes no more than a quarter of the area.
        """
        found = _exactly(size, self.area, self.multiple)
        width, height = found or size.pixels(self.area, self.multiple)
        if self.allow(width, height):
            return width, height
        most = min(self.most_ratio, self.longest / self.shortest)
        ratio = min(max(width / height, 1 / most), most)
        area = min(max(width * height, self.least_area), self.most_area)
        wide = min(math.sqrt(area * ratio), self.longest, self.longest * ratio)
        high = wide / ratio
        if min(wide, high) < self.shortest:
            wide, high = (length * self.shortest / min(wide, high) for length in (wide, high))
        near = [
            (one, other)
            for one in _around(wide, self.multiple)
            for other in _around(high, self.multiple)
            if self.allow(one, other)
        ]

        def distance(sides: tuple[int, int]) -> float:
            return abs(math.log(sides[0] / wide)) + abs(math.log(sides[1] / high))

        return min(near, key=distance)


def _around(length: float, multiple: int) -> Iterable[int]:
    middle = round(length / multiple)
    return [count * multiple for count in range(max(middle - 2, 1), middle + 3)]
