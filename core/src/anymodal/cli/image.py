"""`anymodal image`: words in, pictures out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from ..client import Client
from ..config import Settings
from ..formats import extension
from ..media import Image
from ..modalities.image import ImageFormat, ImageResult
from ..modalities.sizes import Size
from .asking import choice, is_piped, model_option, standard_input
from .ending import run_async
from .output import Json, Stdout, json_option, note
from .text import cost_of

__all__ = ["image"]

_FORMATS: Final[dict[str, ImageFormat | None]] = {
    "": None,
    ".jpeg": "jpeg",
    ".jpg": "jpeg",
    ".png": "png",
    ".webp": "webp",
}
"""What the end of a file's name asks for."""


@click.command
@click.argument("prompt", required=False)
@click.option(
    "-o", "--out", "path", metavar="FILE", required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where the picture goes: .png, .jpg or .webp. Several are FILE-1, FILE-2, …",
)  # fmt: skip
@model_option
@click.option("--size", metavar="SIZE", help="Such as 1024x768, 16:9 or 2k.")
@click.option(
    "--image", "given", metavar="FILE", multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A picture to work from; may be given more than once.",
)  # fmt: skip
@click.option("--count", type=click.IntRange(min=1), default=1, metavar="N", help="How many.")
@click.option("--quality", metavar="Q", help="In the vendor's words, such as high.")
@click.option("--seed", type=int, metavar="N", help="For pictures that repeat.")
@json_option
def image(
    *,
    prompt: str | None,
    path: Path,
    models: tuple[str, ...],
    size: str | None,
    given: tuple[Path, ...],
    count: int,
    quality: str | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """
    Draw PROMPT into FILE, which is complete in the end, or as it was.

    PROMPT - or none reads standard input.
    """
    words, packing = _words(prompt), _packing(path)
    wanted = None if size is None else Size.parse(size)
    pictures = [Image(path=one) for one in given]
    settings, model = Settings.load(), choice(models)
    out = Stdout.taken()

    async def drawn() -> ImageResult:
        async with Client(settings) as ai:
            if not pictures:
                return await ai.image.generate(
                    words, model=model, size=wanted, count=count, quality=quality, format=packing,
                    seed=seed,
                )  # fmt: skip
            return await ai.image.edit(
                words, pictures, model=model, size=wanted, count=count, quality=quality,
                format=packing, seed=seed,
            )  # fmt: skip

    with _waiting():
        found = run_async(drawn)
    files = [
        one.save(_named(path, one, number if len(found.images) > 1 else 0))
        for number, one in enumerate(found.images, 1)
    ]
    for warning in found.record.warnings:
        note(f"{warning.setting}: {warning.message}")
    for one, file in zip(found.images, files, strict=True):
        if packing is not None and one.media_type != f"image/{packing}":
            note(f"{file} is {one.media_type}, whatever its name says.")
    if as_json:
        out.document([_document(found, *pair) for pair in zip(found.images, files, strict=True)])


def _words(prompt: str | None) -> str:
    from_input = prompt == "-" or (prompt is None and is_piped())
    found = standard_input().decode("utf-8", "replace") if from_input else prompt or ""
    if not found.strip():
        msg = "The prompt is empty: give PROMPT, or pipe it in."
        raise click.UsageError(msg)
    return found.strip()


def _packing(path: Path) -> ImageFormat | None:
    if path.suffix.lower() not in _FORMATS:
        msg = f"{path.name} asks for no picture that is known: end it in .png, .jpg or .webp."
        raise click.UsageError(msg)
    if not path.parent.is_dir():
        msg = f"There is no folder {path.parent}."
        raise click.UsageError(msg)
    return _FORMATS[path.suffix.lower()]


def _named(path: Path, one: Image, number: int) -> Path:
    """Return where a picture goes: the first of several is number 1, and 0 is the only one."""
    suffix = path.suffix or extension(one.media_type)
    return path.with_name(f"{path.stem}{f'-{number}' if number else ''}{suffix}")


@contextmanager
def _waiting() -> Iterator[None]:
    """Show on a terminal that something is done, and nothing elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415  # rich is slow to import

    with Console(stderr=True).status("drawing"):
        yield


def _document(found: ImageResult, one: Image, file: Path) -> Json:
    record = found.record
    return {
        "file": str(file),
        "media_type": one.media_type,
        "bytes": one.size,
        "seed": found.seed,
        "revised_prompt": found.revised_prompt,
        "provider": record.provider,
        "instance": record.instance,
        "model": record.model,
        "cost": cost_of(record.cost),
        "seconds": record.seconds,
        "record_id": record.id,
        "request_id": record.request_id,
        "warnings": [{"setting": w.setting, "message": w.message} for w in record.warnings],
    }
