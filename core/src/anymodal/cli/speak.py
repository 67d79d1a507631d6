"""`anymodal speak`: words in, a file of sound out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from ..client import Client
from ..config import Settings
from ..modalities.speech import SpeechResult
from .asking import choice, is_piped, model_option, standard_input
from .ending import run_async
from .output import Json, Stdout, day, json_option, note, number

__all__ = ["speak"]

_FORMATS: Final = {
    ".aac": "aac",
    ".flac": "flac",
    ".mp3": "mp3",
    ".ogg": "opus",
    ".opus": "opus",
    ".pcm": "pcm",
    ".raw": "pcm",
    ".wav": "wav",
}
"""What the end of a file's name asks for."""


@click.command
@click.argument("text", required=False)
@click.option(
    "-o", "--out", "path", metavar="FILE", required=True,
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    help="Where the sound goes; - is standard output, if it is no terminal.",
)  # fmt: skip
@click.option(
    "--voice", "voices", metavar="VOICE", multiple=True,
    help="Such as provider/voice. Several are tried in order.",
)  # fmt: skip
@model_option
@click.option(
    "--format", "packing", metavar="FORMAT",
    help="Such as wav, mp3 or pcm_16000; by the end of FILE's name if not said.",
)  # fmt: skip
@click.option("--language", metavar="TAG", help="The text's language, such as pt-BR.")
@click.option("--speed", type=float, metavar="N", help="1 is as usual.")
@json_option
def speak(
    *,
    text: str | None,
    path: Path,
    voices: tuple[str, ...],
    models: tuple[str, ...],
    packing: str | None,
    language: str | None,
    speed: float | None,
    as_json: bool,
) -> None:
    """
    Say TEXT into FILE, which is complete in the end, or as it was.

    TEXT - or none reads standard input.
    """
    words, is_stdout = _words(text), str(path) == "-"
    if is_stdout and as_json:
        msg = "Sound and --json cannot both go to standard output."
        raise click.UsageError(msg)
    if not is_stdout and not path.parent.is_dir():
        msg = f"There is no folder {path.parent}."
        raise click.UsageError(msg)
    out = Stdout.taken()
    if is_stdout and out.is_terminal:
        msg = "Sound is not written to a terminal: pipe it somewhere, or name a file."
        raise click.UsageError(msg)
    settings = Settings.load()

    async def said() -> SpeechResult:
        async with Client(settings) as ai:
            return await ai.speech.synthesize(
                words,
                voice=choice(voices),
                model=choice(models),
                format=packing or _FORMATS.get(path.suffix.lower()),
                language=language,
                speed=speed,
            )

    found = run_async(said)
    if is_stdout:
        out.raw(found.audio.data or b"")
    else:
        found.audio.save(path)
    for warning in found.record.warnings:
        note(f"{warning.setting}: {warning.message}")
    if as_json:
        out.document([_document(found, path)])


def _words(text: str | None) -> str:
    if text is None and not is_piped():
        msg = "The text is empty: give TEXT, or pipe it in."
        raise click.UsageError(msg)
    found = standard_input().decode("utf-8", "replace") if text in {None, "-"} else text
    if not found or not found.strip():
        msg = "The text is empty: give TEXT, or pipe it in."
        raise click.UsageError(msg)
    return found


def _document(found: SpeechResult, path: Path) -> Json:
    record = found.record
    return {
        "file": str(path),
        "media_type": found.audio.media_type,
        "format": None if found.format is None else str(found.format),
        "bytes": len(found.audio.data or b""),
        "audio_seconds": found.seconds,
        "voice": None if found.voice is None else found.voice.name,
        "provider": record.provider,
        "instance": record.instance,
        "model": record.model,
        "cost": {
            "usd": number(record.cost.usd),
            "source": record.cost.source,
            "as_of": day(record.cost.as_of),
        },
        "seconds": record.seconds,
        "record_id": record.id,
        "request_id": record.request_id,
        "warnings": [{"setting": w.setting, "message": w.message} for w in record.warnings],
    }
