"""`anymodal text`: a prompt in, words out as they come."""

from __future__ import annotations

import mimetypes
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from .. import errors as e
from ..client import Client
from ..config import Settings
from ..media import Audio, File, Image, Media, Video, sniff
from ..modalities.messages import Part
from ..modalities.text import TextResult
from ..usage import Attempt, Cost, Record, Usage
from .ending import run_async
from .output import Json, Stdout, day, json_option, note, number

__all__ = ["text"]

_KINDS: Final = {"image": Image, "audio": Audio, "video": Video}


@click.command
@click.argument("prompt", required=False)
@click.option(
    "-m", "--model", "models", metavar="MODEL", multiple=True,
    help="Such as provider/model. Several are tried in order.",
)  # fmt: skip
@click.option("-s", "--system", metavar="SYSTEM", help="The system prompt.")
@click.option(
    "--attach", "attachments", metavar="FILE", multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A picture, sound, clip or document to send along.",
)  # fmt: skip
@click.option("--no-stream", is_flag=True, help="Write the answer when it is whole.")
@click.option("-v", "--verbose", is_flag=True, help="Tell warnings and cost, on standard error.")
@json_option
def text(
    *,
    prompt: str | None,
    models: tuple[str, ...],
    system: str | None,
    attachments: tuple[Path, ...],
    no_stream: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """
    Answer PROMPT, and write the answer as it comes.

    What is piped in is sent before PROMPT, or is the prompt where there is
    none. PROMPT - reads standard input, also from a terminal.
    """
    parts = _parts(prompt, attachments)
    out = Stdout.taken()
    call = _Call(parts, models, system)
    try:
        if as_json or no_stream:
            result = run_async(call.whole)
            if as_json:
                out.document(_document(result))
            else:
                out.say(result.text)
        else:
            result = run_async(lambda: call.streamed(out))
    finally:
        out.end_line()
    if verbose:
        _tell(result.record)


class _Call:
    """What is sent, and to whom."""

    def __init__(self, parts: Sequence[Part], models: Sequence[str], system: str | None) -> None:
        self._parts = parts
        # one name alone brings the settings' fallbacks with it
        self._model = models[0] if len(models) == 1 else models or None
        self._system = system
        self._settings = Settings.load()

    async def whole(self) -> TextResult:
        """Return the answer in one piece."""
        async with Client(self._settings) as ai:
            return await ai.text.generate(self._parts, model=self._model, system=self._system)

    async def streamed(self, out: Stdout) -> TextResult:
        """Write the answer piece by piece, and return the whole."""
        async with (
            Client(self._settings) as ai,
            ai.text.stream(self._parts, model=self._model, system=self._system) as stream,
        ):
            async for piece in stream.text:
                out.say(piece)
            return await stream.result()


# -- what is sent -------------------------------------------------------------------------


def _parts(prompt: str | None, attachments: Sequence[Path]) -> list[Part]:
    """Return what standard input, the attachments and the prompt hold, in this order."""
    piped = _standard_input() if prompt == "-" or _is_piped() else b""
    words = [] if prompt is None or prompt == "-" else [prompt]
    parts: list[Part] = [_said(piped)] if piped else []
    parts += [_attached(path) for path in attachments]
    parts += words
    found = [part for part in parts if not isinstance(part, str) or part.strip()]
    if not found:
        msg = "The prompt is empty: give PROMPT, or pipe it in."
        raise click.UsageError(msg, click.get_current_context())
    return found


def _is_piped() -> bool:
    """Whether standard input is a pipe, a socket or a file, and not a terminal or nothing."""
    if sys.stdin is None:
        return False
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _standard_input() -> bytes:
    return b"" if sys.stdin is None else sys.stdin.buffer.read()


def _said(data: bytes) -> Part:
    """Return what was piped in: words, or else whatever its bytes show."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _media(data, "", "standard input")


def _attached(path: Path) -> Media:
    return _media(path.read_bytes(), path.name, str(path))


def _media(data: bytes, name: str, where: str) -> Media:
    kind = sniff(data) or mimetypes.guess_type(name)[0] or _text_type(data)
    if not data or kind is None:
        what = "it is empty" if not data else "it is of no kind that is known"
        msg = f"{where} cannot be sent: {what}."
        raise e.InvalidRequestError(msg, field="attach")
    cls = _KINDS.get(kind.partition("/")[0], File)
    return cls(data, media_type=kind, name=name or None)


def _text_type(data: bytes) -> str | None:
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "text/plain"


# -- what is told -------------------------------------------------------------------------


def _document(result: TextResult) -> Json:
    record = result.record
    return {
        "text": result.text,
        "finish_reason": result.finish_reason,
        "model": record.model,
        "provider": record.provider,
        "instance": record.instance,
        "plugin": record.plugin,
        "usage": _usage(result.usage),
        "cost": _cost(record.cost),
        "record_id": record.id,
        "request_id": record.request_id,
        "seconds": record.seconds,
        "warnings": [{"setting": w.setting, "message": w.message} for w in record.warnings],
        "attempts": [_attempt(one) for one in record.attempts],
        "reasoning": result.reasoning or None,
        "citations": [{"url": one.url, "title": one.title} for one in result.citations],
    }


def _usage(found: Usage | None) -> Json:
    if found is None:
        return None
    return {
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "cached_input_tokens": found.cached_input_tokens,
        "cache_write_tokens": found.cache_write_tokens,
        "reasoning_tokens": found.reasoning_tokens,
        "total_tokens": found.total_tokens,
    }


def _cost(found: Cost) -> Json:
    return {"usd": number(found.usd), "source": found.source, "as_of": day(found.as_of)}


def _attempt(one: Attempt) -> Json:
    return {
        "provider": one.provider or None,
        "instance": one.instance or None,
        "model": one.model or None,
        "seconds": one.seconds,
        "error": None if one.error is None else {"code": one.error.code, "message": str(one.error)},
    }


def _tell(record: Record) -> None:
    for warning in record.warnings:
        note(f"Warning: {warning.setting}: {warning.message}")
    for one in record.attempts:
        if one.error is not None:
            note(f"Tried before: {one.error}")
    cost = record.cost
    price = "unknown" if cost.usd is None else f"${cost.usd.normalize():f}"
    note(f"{record.instance}/{record.model}: cost {price} ({cost.source})")
