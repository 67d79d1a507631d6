"""What `anymodal image` says, where the pictures go, and how it ends."""

import json

import pytest

from .distributions import Site
from .terminal import terminal

DRAWS = """
from anymodal import Image, ModelSpec, hookimpl
from anymodal import errors as e
from anymodal.modalities.image import ImageProviderSpec, ImageResult

HEADS = {"png": b"\\x89PNG\\r\\n\\x1a\\n", "jpeg": b"\\xff\\xd8\\xff\\xe0", None: b"\\x89PNG\\r\\n\\x1a\\n"}


class Draws:
    async def generate(self, request):
        print("acme is called")
        if "fail" in request.prompt:
            raise e.ServerError("no picture today")
        if request.format == "webp":
            request.warn("format", "it is png")
        said = f"{request.prompt} {request.size} {request.quality} {request.seed}"
        said += f" {[image.name for image in request.images]}"
        head = HEADS.get(request.format, HEADS["png"])
        images = tuple(Image(head + f"{said} {n}".encode()) for n in range(request.count))
        return ImageResult(images=images, seed=request.seed)

    edit = generate


@hookimpl
def anymodal_image_providers():
    yield ImageProviderSpec(
        id="acme",
        display_name="Acme",
        kind="local",
        models=[ModelSpec(id="acme-1")],
        default_model="acme-1",
        connect=lambda connection: Draws(),
    )
"""
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def site(tmp_path):
    """A place where only acme is installed, and nothing is tried again."""
    found = Site(tmp_path)
    found.install("acme", DRAWS)
    found.settings("[policy.retry]\nattempts = 1\n")
    return found


def test_words_become_a_file(site):
    """By the end of its name; nothing else is written where the result would be."""
    ended = site.run(
        "image", "a cat", "-o", "cat.jpg", "-m", "acme", "--size", "16:9", "--quality", "high",
        "--seed", "7",
    )  # fmt: skip

    assert (0, "", "acme is called\n") == (ended.returncode, ended.stdout, ended.stderr)
    assert b"\xff\xd8\xff\xe0a cat 16:9 high 7 [] 0" == (site.home / "cat.jpg").read_bytes()


@pytest.mark.parametrize("words", [["-"], []])
def test_words_from_a_pipe(site, words):
    """With a dash, or without any words."""
    site.run("image", *words, "-o", "cat.png", "-m", "acme", piped="Grüße\n".encode())

    assert "Grüße None".encode() in (site.home / "cat.png").read_bytes()


def test_pictures_to_work_from(site):
    """Several, under their names."""
    for name in ("a.png", "b.png"):
        (site.home / name).write_bytes(PNG)
    ended = site.run(
        "image", "red", "-o", "c.png", "-m", "acme", "--image", "a.png", "--image", "b.png"
    )

    assert 0 == ended.returncode
    assert b"['a.png', 'b.png']" in (site.home / "c.png").read_bytes()


def test_several_have_numbers(site):
    """And a name without an end gets that of what came."""
    ended = site.run("image", "a cat", "-o", "cat", "-m", "acme", "--count", "2", "--json")

    found = json.loads(ended.stdout)
    assert ["cat-1.png", "cat-2.png"] == [one["file"] for one in found]
    assert {"cat-1.png", "cat-2.png"} <= {path.name for path in site.home.iterdir()}
    assert not (site.home / "cat").exists()


def test_one_document(site):
    """A list of one object, which says who drew, and what was not honoured."""
    ended = site.run("image", "a cat", "-o", "cat.webp", "-m", "acme", "--json", "--seed", "3")

    (found,) = json.loads(ended.stdout)
    assert ("cat.webp", "image/png", 3, "acme", "acme-1", None) == tuple(
        found[name]
        for name in ("file", "media_type", "seed", "provider", "model", "revised_prompt")
    )
    assert found["bytes"] == (site.home / "cat.webp").stat().st_size
    assert [{"setting": "format", "message": "it is png"}] == found["warnings"]
    assert "format: it is png\n" in ended.stderr
    assert "cat.webp is image/png, whatever its name says." in ended.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["fail", "-o", "cat.png"], 1, "no picture today"),
        (["a cat", "-o", "cat.png", "--size", "large"], 1, "size: 'large' is none of"),
        (["a cat", "-o", "cat.gif"], 2, "end it in .png, .jpg or .webp"),
        (["a cat", "-o", "nowhere/cat.png"], 2, "There is no folder nowhere"),
        ([" ", "-o", "cat.png"], 2, "The prompt is empty"),
        (["a cat"], 2, "-o"),
        (["a cat", "-o", "cat.png", "--count", "0"], 2, "--count"),
        (["a cat", "-o", "cat.png", "--image", "none.png"], 2, "none.png"),
    ],
)
def test_what_goes_wrong(site, words, status, said):
    """In a sentence or two, and the file is as it was."""
    (site.home / "cat.png").write_bytes(b"before")
    ended = site.run("image", *words, "-m", "acme")

    assert (status, "") == (ended.returncode, ended.stdout)
    assert said in ended.stderr
    assert b"before" == (site.home / "cat.png").read_bytes()


def test_terminal_sees_that_something_is_done(site):
    """Nobody else does."""
    with terminal(site, "image", "a cat", "-o", "cat.png", "-m", "acme") as seen:
        seen.wait_for("drawing")

        assert 0 == seen.ended()
    assert (site.home / "cat.png").exists()
