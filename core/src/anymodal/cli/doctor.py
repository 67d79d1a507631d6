"""`anymodal doctor`: everything that is wrong with this installation, and what to do."""

from __future__ import annotations

import os
from typing import Final

import click

from .checks import Finding, examine
from .output import Json, Listing, Stdout, json_option

__all__ = ["doctor"]

FINDINGS: Final = Listing("level", "about", "message")


@click.command
@json_option
def doctor(*, as_json: bool) -> None:
    """
    Say what is wrong with this installation, and what to do.

    Exit status 1 where there is a fault; warnings and information leave it at 0.
    """
    out = Stdout.taken()
    findings = examine(os.environ)
    if findings or as_json:
        FINDINGS.write([_row(one) for one in findings], out, as_json=as_json)
    faults = sum(one.level == "fault" for one in findings)
    if not as_json:
        out.write(_verdict(faults))
    if faults:
        click.get_current_context().exit(1)


def _row(one: Finding) -> dict[str, Json]:
    return {"level": one.level, "about": one.about, "message": one.message}


def _verdict(faults: int) -> str:
    if not faults:
        return "Nothing is wrong.\n"
    return "1 fault.\n" if faults == 1 else f"{faults} faults.\n"
