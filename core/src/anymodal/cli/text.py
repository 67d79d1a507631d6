"""`anymodal text`: a prompt in, words out as they come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from .. import errors as e
from ..client import Client
from ..config import Settings
from ..modalities.messages import Part
from ..modalities.text import TextResult
from ..shapes import Schema, checked_by
from ..usage import Attempt, Cost, Usage
from .asking import (
    attach_option,
    attached,
    choice,
    is_piped,
    model_option,
    said,
    standard_input,
    system_option,
)
from .ending import run_async
from .output import Json, Stdout, day, json_option, number
from .telling import quote, tell

__all__ = ["cost_of", "document_of", "text", "usage_of"]


def _schema(ctx: click.Context, param: click.Parameter, path: Path | None) -> Schema | None:
    """Read a JSON Schema; what is none is refused before anything is sent."""
    if path is None:
        return None
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, Mapping):
            msg = f"{path}: a JSON Schema is an object, not {type(found).__name__}."
            raise click.BadParameter(msg, ctx, param)
        checked_by(found, str(path))
    except (ValueError, RecursionError) as error:
        msg = f"{path} is not JSON: {error}."
        raise click.BadParameter(msg, ctx, param) from error
    except e.InvalidRequestError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    return found


@click.command
@click.argument("prompt", required=False)
@model_option
@system_option
@attach_option
@click.option(
    "--schema", metavar="FILE", callback=_schema,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A JSON Schema that the answer has to fit. It is then written whole, as JSON.",
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
    schema: Schema | None,
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
    call = _Call(parts, models, system, schema)
    try:
        if not (as_json or no_stream or schema is not None):
            result = run_async(lambda: call.streamed(out))
        else:
            result = run_async(call.whole)
            if as_json:
                out.document(document_of(result))
            elif schema is not None:
                out.document(result.output)
            else:
                out.say(result.text)
    except e.InvalidOutputError as error:
        quote(error.partial)
        raise
    finally:
        out.end_line()
    if verbose:
        tell(result.record)


class _Call:
    """What is sent, and to whom."""

    def __init__(
        self,
        parts: Sequence[Part],
        models: Sequence[str],
        system: str | None,
        schema: Schema | None,
    ) -> None:
        self._parts = parts
        self._model = choice(models)
        self._system = system
        self._schema = schema
        self._settings = Settings.load()

    async def whole(self) -> TextResult:
        """Return the answer in one piece."""
        async with Client(self._settings) as ai:
            return await ai.text.generate(
                self._parts, model=self._model, system=self._system, output=self._schema
            )

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
    piped = standard_input() if prompt == "-" or is_piped() else b""
    words = [] if prompt is None or prompt == "-" else [prompt]
    parts: list[Part] = [said(piped)] if piped else []
    parts += [attached(path) for path in attachments]
    parts += words
    found = [part for part in parts if not isinstance(part, str) or part.strip()]
    if not found:
        msg = "The prompt is empty: give PROMPT, or pipe it in."
        raise click.UsageError(msg, click.get_current_context())
    return found


# -- what is told -------------------------------------------------------------------------


def document_of(result: TextResult) -> Json:
    """Return an answer as JSON."""
    record = result.record
    return {
        "text": result.text,
        "output": result.output,
        "finish_reason": result.finish_reason,
        "model": record.model,
        "provider": record.provider,
        "instance": record.instance,
        "plugin": record.plugin,
        "usage": usage_of(result.usage),
        "cost": cost_of(record.cost),
        "record_id": record.id,
        "request_id": record.request_id,
        "seconds": record.seconds,
        "warnings": [{"setting": w.setting, "message": w.message} for w in record.warnings],
        "attempts": [_attempt(one) for one in record.attempts],
        "reasoning": result.reasoning or None,
        "citations": [{"url": one.url, "title": one.title} for one in result.citations],
    }


def usage_of(found: Usage | None) -> Json:
    """Return what was used as JSON."""
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


def cost_of(found: Cost) -> Json:
    """Return what it cost as JSON."""
    return {"usd": number(found.usd), "source": found.source, "as_of": day(found.as_of)}


def _attempt(one: Attempt) -> Json:
    return {
        "provider": one.provider or None,
        "instance": one.instance or None,
        "model": one.model or None,
        "seconds": one.seconds,
        "error": None if one.error is None else {"code": one.error.code, "message": str(one.error)},
    }
