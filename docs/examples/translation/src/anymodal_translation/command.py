"""`anymodal translate`: a text in, the same in another language out."""

from __future__ import annotations

from collections.abc import Sequence

import click
from anymodal import Client, Settings
from anymodal.cli.asking import choice, is_piped, model_option, standard_input
from anymodal.cli.ending import run_async
from anymodal.cli.output import Stdout, json_option
from anymodal.cli.telling import tell

from .modality import TRANSLATION
from .room import Formality, TranslationResult

__all__ = ["run"]


def run(words: Sequence[str]) -> int:
    """Run the command with *words*, and return its exit status."""
    _translate.main(list(words), "anymodal translate", standalone_mode=False)
    return 0


@click.command()
@click.argument("text", required=False)
@click.option("--to", required=True, metavar="L", help="The language to translate into, as a tag.")
@click.option("--from", "source", metavar="L", help="The language of TEXT; found out if not said.")
@click.option("--formality", type=click.Choice(["formal", "informal"]))
@model_option
@click.option("-v", "--verbose", is_flag=True, help="Tell warnings and cost, on standard error.")
@json_option
def _translate(
    *,
    text: str | None,
    to: str,
    source: str | None,
    formality: Formality | None,
    models: tuple[str, ...],
    verbose: bool,
    as_json: bool,
) -> None:
    """Put TEXT, or what is piped in, into another language."""
    said = text if text is not None or not is_piped() else standard_input().decode("utf-8-sig")
    if not said:
        msg = "There is no text: give TEXT, or pipe it in."
        raise click.UsageError(msg)
    out = Stdout.taken()

    async def translated() -> TranslationResult:
        async with Client(Settings.load()) as ai:
            return await ai[TRANSLATION].translate(
                said, to=to, source=source, formality=formality, model=choice(models)
            )

    found = run_async(translated)
    (one,) = found.translations
    if as_json:
        record = found.record
        out.document(
            {
                "text": one.text,
                "source": one.source,
                "to": to,
                "provider": record.provider,
                "model": record.model,
            }
        )
    else:
        out.say(one.text)
        out.end_line()
    if verbose:
        tell(found.record)
