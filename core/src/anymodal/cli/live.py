"""Asks providers which models they have now."""

from __future__ import annotations

from ..discovery import Discovery, discovered
from ..doors import Doors, SystemClock
from ..registry import Registry
from .ending import run_async

__all__ = ["asked"]


def asked(registry: Registry, modality: str | None, provider: str | None) -> Discovery:
    """
    Return the models that the providers list, and an error for each that failed.

    All that can be used are asked at once, through one instance each.

    Args:
        registry: What is installed and configured.
        modality: Only for this kind of work.
        provider: Only this one; that it cannot be used is then a failure.
    """

    async def every_one() -> Discovery:
        doors = Doors(registry.settings, SystemClock())
        try:
            return await discovered(
                registry, doors, lambda _: _itself, provider, modality=modality, refresh=True
            )
        finally:
            await doors.aclose()

    return run_async(every_one)


def _itself(provider: object) -> object:
    return provider
