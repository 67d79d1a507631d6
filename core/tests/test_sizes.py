"""How large pictures and clips are to be."""

import pytest
from anymodal.errors import InvalidRequestError
from anymodal.modalities.sizes import CLASSES, LARGEST, Size
from hypothesis import given
from hypothesis import strategies as st

LENGTH = st.integers(1, LARGEST)
RATIO = st.integers(1, 50)


@given(width=LENGTH, height=LENGTH)
def test_pixels_are_what_they_say(width, height):
    """Whoever says exactly how large, gets that, whatever is usual."""
    size = Size.parse(f"{width}x{height}")

    assert size == Size.parse((width, height)) == Size.parse(size) == Size.parse(str(size))
    assert (width, height) == size.pixels(area=1)
    assert "pixels" == size.form


@given(
    width=RATIO,
    height=RATIO,
    area=st.integers(10_000, 10_000_000),
    multiple=st.sampled_from([1, 8, 16]),
)
def test_ratios_keep_to_the_area(width, height, area, multiple):
    """As far as rounding lets them."""
    size = Size.parse(f"{width}:{height}")
    found = size.pixels(area, multiple)

    assert size == Size.parse(str(size))
    assert all(length % multiple == 0 and length > 0 for length in found)
    exact = ((area * width / height) ** 0.5, (area * height / width) ** 0.5)
    assert all(abs(one - other) <= multiple for one, other in zip(found, exact, strict=True))


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_square_where_nobody_says_otherwise(name):
    """And case does not matter."""
    size = Size.parse(f" {name.upper()} ")
    width, height = size.pixels(area=7)

    assert name == str(size)
    assert width == height
    assert abs(width * height / CLASSES[name] - 1) < 0.01


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("16:9", ("16:9", True)),
        ("1920x1080", ("16:9", True)),
        ("1.91:1", ("16:9", False)),
        ("1024x1024", ("1:1", True)),
        ("2k", ("1:1", True)),
        ("9:20", ("9:16", False)),
    ],
)
def test_the_nearest_ratio(said, found):
    """For vendors that take some and no others."""
    assert found == Size.parse(said).nearest(["1:1", "16:9", "9:16", "4:3"])


@pytest.mark.parametrize(
    "said",
    [
        "",
        "big",
        "0x100",
        "100x",
        "70000x1",
        "0:1",
        "1:0",
        "-1x5",
        5,
        None,
        (1,),
        (1, 2, 3),
        ("a", "b"),
    ],
)
def test_what_is_no_size(said):
    """The message has what would be one."""
    with pytest.raises(InvalidRequestError, match="1024x768, 16:9 and"):
        Size.parse(said)
