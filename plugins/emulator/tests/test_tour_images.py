"""The tour of providers of pictures: what is asked, and what is no success."""

from __future__ import annotations

import anyio
import anymodal
import pytest
from anymodal import Capabilities, Image, ImageProviderSpec, ImageResult, ModelSpec, hookimpl
from anymodal.modalities.sizes import PixelLimits
from anymodal_emulator.pictures import picture
from anymodal_emulator.tour import rows_of, travel

ALONE = anymodal.Settings.from_mapping({}, environ={"ANYMODAL_NO_AUTOLOAD": "1"})


class Paints:
    """Returns what *made* makes of a request."""

    def __init__(self, made) -> None:
        self.made = made

    async def generate(self, request):
        return ImageResult(images=(self.made(request),))

    edit = generate


def faithful(request):
    """Draw what was asked for."""
    size = request.pixels(LIMITS) or (64, 64)
    return Image(picture(request.prompt, *size))


LIMITS = PixelLimits()


def spec(made=faithful, **changes):
    given = {"kind": "local", "capabilities": Capabilities(yes={"image_edit"}), **changes}
    return ImageProviderSpec(
        id="acme",
        display_name="Acme",
        models=[ModelSpec(id="acme-eye")],
        default_model="acme-eye",
        connect=lambda _: Paints(made),
        **given,
    )


def go(tmp_path, found):
    class Plugin:
        @hookimpl
        def anymodal_image_providers(self):
            yield found

    return anyio.run(travel, [found], [], tmp_path, ALONE, [Plugin()])


def test_rows_are_what_it_does():
    """Who is known not to edit has one row."""
    lacks = Capabilities(no={"image_edit"})

    assert ["generate", "edit"] == [row.operation for row in rows_of([spec()])]
    assert ["generate"] == [row.operation for row in rows_of([spec(capabilities=lacks)])]


def test_pictures_are_written_and_shown(tmp_path):
    """Under the name of their type; the page shows them, and has what stands in them."""
    visits = go(tmp_path, spec())

    assert ["ok", "ok"] == [visit.outcome for visit in visits]
    file = tmp_path / "image/acme-generate.png"
    assert picture("A lighthouse at night", 1024, 768) == file.read_bytes()
    assert file.stat().st_size == visits[0].size
    assert "A lighthouse at night (image/png, 1024x768 pixels)" == visits[0].said
    html = (tmp_path / "index.html").read_text()
    assert '<img class="made" src="image/acme-generate.png"' in html


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda _: Image(b"GIF89a"), "ValueError: neither a PNG nor a JPEG nor a WebP"),
        (
            lambda _: Image(picture("x", 8, 8), media_type="image/webp"),
            "ValueError: it is called image/webp, and is image/png",
        ),
    ],
)
def test_what_is_no_picture_is_no_success(tmp_path, made, why):
    """Neither bytes that are none nor a type that is another's."""
    visits = go(tmp_path, spec(made))

    assert [why, why] == [visit.outcome for visit in visits]
    assert not (tmp_path / "image").exists()
