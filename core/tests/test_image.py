"""Pictures: what is asked for, what is refused, and what a provider need not write."""

import datetime as dt
from decimal import Decimal

import attrs
import pytest
from anymodal import Client, Image, Registry, Settings, Usage, hookimpl
from anymodal import errors as e
from anymodal.modalities.image import ImageOption, ImageProviderSpec, ImageRequest, ImageResult
from anymodal.modalities.sizes import PixelLimits, Size
from anymodal.policies import Budget, Policy
from anymodal.specs import Capabilities, ModelSpec
from anymodal.usage import Price, Prices, Used
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.anyio
PNG = Image(b"\x89PNG\r\n\x1a\n" + bytes(8))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Paints:
    """Returns one picture, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    async def generate(self, request):
        self.asked.append(request)
        return ImageResult(
            images=(PNG,) * request.count,
            usage=Usage(units=(Used("image", request.count),)),
            request_id="r-1",
            raw={"it": "says"},
        )


class Edits(Paints):
    """One that works from pictures too, in a thread."""

    def edit(self, request):
        self.asked.append(request)
        return ImageResult(images=(PNG,))


@attrs.frozen
class Painted(ImageOption):
    """An option of a vendor."""

    style: str = ""


def client(provider, **spec):
    class Brings:
        @hookimpl
        def anymodal_image_providers(self):
            yield ImageProviderSpec(
                id="acme",
                display_name="Acme",
                kind="local",
                models=[ModelSpec(id="m-1", prices=PRICES)],
                default_model="m-1",
                connect=lambda _: provider,
                **spec,
            )

    found = Registry(Settings.empty(), plugins=[Brings()], distributions=())
    return Client(registry=found)


PRICES = Prices([Price("image", "0.04")], "acme.example", dt.date(2026, 11, 20))


async def test_pictures_from_words():
    """The result has them at hand, and the record what they cost."""
    provider = Paints()
    async with client(provider) as ai:
        found = await ai.image.generate(
            "a lighthouse",
            model="acme/m-1",
            size="16:9",
            count=2,
            options=[Painted(style="oil")],
            raw=True,
        )

    (asked,) = provider.asked
    assert PNG == found.image
    assert 2 == len(found.images)
    assert Size("ratio", 16, 9) == asked.size
    assert Painted(style="oil") == asked.option(Painted)
    assert ("image", "generate", "acme", "r-1") == (
        found.record.modality, found.record.operation, found.record.provider, found.record.request_id,
    )  # fmt: skip
    assert Decimal("0.08") == found.record.cost.usd
    assert {"it": "says"} == found.record.raw


async def test_pictures_from_pictures():
    """One is as good as a list of one."""
    provider = Edits()
    async with client(provider) as ai:
        found = await ai.image.edit("a red boat", PNG, mask=PNG)
        await ai.image.edit("a red boat", [PNG, PNG])

    assert PNG == found.image
    assert [1, 2] == [len(asked.images) for asked in provider.asked]
    assert "edit" == found.record.operation


async def test_provider_that_does_not_edit():
    """Known or not, nothing is sent."""
    provider = Paints()
    async with client(provider) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="makes no pictures from pictures"):
            await ai.image.edit("a red boat", PNG)
    async with client(provider, capabilities=Capabilities(no=["image_edit"])) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="image_edit"):
            await ai.image.edit("a red boat", PNG)

    assert [] == provider.asked


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"prompt": " "}, "prompt"),
        ({"count": 0}, "count"),
        ({"count": True}, "count"),
        ({"seed": 1.5}, "seed"),
        ({"size": "huge"}, "size"),
        ({"format": "bmp"}, "format"),
        ({"background": "red"}, "background"),
        ({"options": [object()]}, "options"),
    ],
)
async def test_what_no_provider_could_serve(arguments, field):
    """It is refused by name, before anything is sent."""
    provider = Paints()
    async with client(provider) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.image.generate(**{"prompt": "a lighthouse", **arguments})

    assert field == caught.value.field
    assert [] == provider.asked


@pytest.mark.parametrize(
    ("images", "mask", "field"),
    [([], None, "images"), (["a.png"], None, "images"), ([PNG], b"", "mask")],
)
async def test_edits_that_no_provider_could_serve(images, mask, field):
    """A mask is a picture, and lies over one."""
    async with client(Edits()) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.image.edit("a red boat", images, mask=mask)

    assert field == caught.value.field


def test_a_mask_needs_a_picture():
    """Also where a request is made by hand."""
    with pytest.raises(e.InvalidRequestError, match="laid over"):
        ImageRequest(model=ModelSpec(id="m-1"), prompt="x", mask=PNG)


async def test_provider_without_generate_is_broken():
    """It says so when it is connected."""
    async with client(object()) as ai:
        with pytest.raises(e.BrokenPluginError, match="no generate"):
            await ai.image.generate("a lighthouse")


def test_strange_forms_of_sizes_are_refused():
    """When the plugin is loaded, not when somebody asks for a picture."""
    with pytest.raises(ValueError, match="inches"):
        ImageProviderSpec(id="acme", display_name="A", connect=print, sizes=["inches"])


async def test_budget_is_kept_before_anything_is_made():
    """The pictures that are asked for are weighed by their number."""
    provider = Paints()
    async with client(provider) as ai:
        assert provider.generate == ai.image.bind(provider).generate
        policy = Policy(budgets=[Budget(usd="0.05")])
        await ai.image.generate("a cat", policy=policy)
        with pytest.raises(e.BudgetExceededError):
            await ai.image.generate("a cat", count=2, policy=policy)

    assert 1 == len(provider.asked)


# -- sizes that vendors make ----------------------------------------------------------

GRID = PixelLimits(multiple=16, longest=3840, least_area=655_360, most_area=8_294_400, most_ratio=3)
SMALL = PixelLimits(multiple=32, shortest=256, longest=1440)
FREE = PixelLimits(multiple=16, shortest=64, most_area=4_194_304)


@given(
    st.sampled_from([GRID, SMALL, FREE]),
    st.one_of(
        st.tuples(st.integers(1, 65_535), st.integers(1, 65_535)).map(Size.parse),
        st.tuples(st.integers(1, 999), st.integers(1, 999)).map(lambda r: Size("ratio", *r)),
        st.sampled_from(["480p", "512", "1k", "2k", "4k"]).map(Size.parse),
    ),
)
def test_whatever_is_asked_for_something_allowed_is_found(limits, size):
    """Vendors refuse all else; and what they make is not changed."""
    width, height = limits.fit(size)

    assert limits.allow(width, height)
    assert (width, height) == limits.fit(Size("pixels", width, height))


@pytest.mark.parametrize(
    ("limits", "size", "made", "warned"),
    [
        (GRID, "1024x768", (1024, 768), False),
        (GRID, (1000, 700), (992, 704), True),
        (GRID, "16:9", (1280, 720), False),
        (GRID, "1:1", (1024, 1024), False),
        (GRID, "2.39:1", (1584, 656), True),
        (GRID, "10:1", (1760, 592), True),
        (GRID, "2k", (2048, 2048), False),
        (GRID, "4k", (2880, 2880), True),
        (GRID, "256x256", (816, 816), True),
        (SMALL, "100x100", (256, 256), True),
        (SMALL, "4000x2000", (1440, 704), True),
        (FREE, "4000x100", (4000, 96), True),
        (FREE, None, None, False),
    ],
)
def test_sizes_become_what_the_vendor_makes(limits, size, made, warned):
    """With a warning where that is something else; a strict caller gets an error."""
    parsed = None if size is None else Size.parse(size)
    request = ImageRequest(model=ModelSpec(id="m"), prompt="p", size=parsed)

    assert made == request.pixels(limits)
    assert warned == (["size"] == [one.setting for one in request.warnings])
    if warned:
        with pytest.raises(e.UnsupportedFeatureError, match="the nearest that there is"):
            attrs.evolve(request, strict=True).pixels(limits)


@pytest.mark.parametrize(
    ("size", "ratio", "warned"),
    [
        ("16:9", "16:9", False),
        ("1280x720", "16:9", True),
        ("2:1", "16:9", True),
        (None, None, False),
    ],
)
def test_ratios_become_those_of_the_vendor(size, ratio, warned):
    """Pixels say more than a ratio, so that they are warned of even where it is exact."""
    parsed = None if size is None else Size.parse(size)
    request = ImageRequest(model=ModelSpec(id="m"), prompt="p", size=parsed)

    assert ratio == request.ratio(["1:1", "16:9"])
    assert warned == bool(request.warnings)
