"""`anymodal video`: words or a picture in, a clip out."""

from __future__ import annotations

from pathlib import Path

import click

from ..client import Client
from ..errors import InvalidRequestError
from ..facades.making import OnProgress
from ..media import Image
from ..modalities.sizes import Size
from ..modalities.video import VideoResult
from .asking import choice, model_option
from .making import key_option, made, out_option, prompt_of, seconds_option, write
from .output import Stdout, json_option

__all__ = ["video"]


def _size(ctx: click.Context, param: click.Parameter, said: str | None) -> Size | None:
    """Read a size; what is none is refused before anything is sent."""
    try:
        return None if said is None else Size.parse(said)
    except InvalidRequestError as error:
        raise click.BadParameter(str(error), ctx, param) from error


@click.command
@click.argument("prompt", required=False)
@out_option
@click.option(
    "--image", "picture", metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="The picture that it begins with.",
)  # fmt: skip
@model_option
@seconds_option
@click.option("--size", metavar="SIZE", callback=_size, help="1280x720, 16:9 or 720p.")
@key_option
@json_option
def video(
    *,
    prompt: str | None,
    path: Path,
    picture: Path | None,
    models: tuple[str, ...],
    seconds: float | None,
    size: Size | None,
    key: str | None,
    as_json: bool,
) -> None:
    """
    Make a clip of PROMPT in FILE, which is complete in the end, or as it was.

    PROMPT - or none reads standard input; with --image it may lack. A job that
    the vendor has begun goes on though this is stopped: see `anymodal jobs`.
    """
    words = prompt_of(prompt, may_lack=picture is not None)
    image = None if picture is None else Image(picture.read_bytes(), name=picture.name)
    out = Stdout.taken()

    async def making(ai: Client, progress: OnProgress) -> VideoResult:
        return await ai.video.generate(
            words, image=image, model=choice(models), seconds=seconds, size=size, key=key,
            into=path, progress=progress,
        )  # fmt: skip

    write(made(path, making), path, out, as_json=as_json)
