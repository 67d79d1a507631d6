"""`anymodal health`: how well the providers are, by asking them in a way that costs nothing."""

from __future__ import annotations

from typing import Final

import click

from ..client import Client
from ..config import Settings
from ..policy.standing import Health
from ..registry import Registry
from .ending import run_async
from .output import Json, Listing, Stdout, json_option

__all__ = ["health"]

HEALTH: Final = Listing(
    "instance",
    "provider",
    "modality",
    "state",
    "reason",
    "active_jobs",
    "queued_jobs",
    "last_error",
)


@click.command
@click.option("--provider", metavar="P", help="Only this provider or instance.")
@json_option
def health(*, provider: str | None, as_json: bool) -> None:
    """
    Ask the providers how they are.

    They are asked for nothing that is paid for. Without --provider, those are asked
    that have a key or stand in the settings. Exit status 1 where one is unhealthy.
    """
    out = Stdout.taken()
    registry = Registry(Settings.load())

    async def ask() -> tuple[Health, ...]:
        async with Client(registry=registry) as ai:
            return await ai.health(provider)

    found = run_async(ask)
    HEALTH.write([_row(one) for one in found], out, as_json=as_json)
    if any(one.state == "unhealthy" for one in found):
        click.get_current_context().exit(1)


def _row(one: Health) -> dict[str, Json]:
    return {
        "instance": one.instance,
        "provider": one.provider,
        "modality": one.modality,
        "state": one.state,
        "reason": one.reason,
        "active_jobs": one.active_jobs,
        "queued_jobs": one.queued_jobs,
        "last_error": one.last_error or None,
    }
