"""`anymodal audio`: words in, music or an effect out."""

from __future__ import annotations

from pathlib import Path

import click

from ..client import Client
from ..facades.making import OnProgress
from ..modalities.audio import AudioResult
from .asking import choice, model_option
from .making import key_option, made, out_option, prompt_of, seconds_option, write
from .output import Stdout, json_option

__all__ = ["audio"]


@click.command
@click.argument("prompt", required=False)
@out_option
@model_option
@seconds_option
@click.option("--format", "packing", metavar="FORMAT", help="Such as wav, or mp3_44100_128.")
@key_option
@json_option
def audio(
    *,
    prompt: str | None,
    path: Path,
    models: tuple[str, ...],
    seconds: float | None,
    packing: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """
    Make the sound of PROMPT in FILE, which is complete in the end, or as it was.

    PROMPT - or none reads standard input. A job that the vendor has begun goes on
    though this is stopped: see `anymodal jobs`.
    """
    words = prompt_of(prompt)
    out = Stdout.taken()

    async def making(ai: Client, progress: OnProgress) -> AudioResult:
        return await ai.audio.generate(
            words, model=choice(models), seconds=seconds, format=packing, key=key, into=path,
            progress=progress,
        )  # fmt: skip

    write(made(path, making), path, out, as_json=as_json)
