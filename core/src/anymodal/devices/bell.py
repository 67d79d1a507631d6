"""A bell that is rung in one thread and heard in another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import anyio

from ..shielding import runs_on_trio

__all__ = ["Bell"]


class Bell:
    """
    Wakes tasks of the event loop in which it was made.

    Whoever waits takes `next` first and looks then, so that no ring is missed.
    """

    def __init__(self) -> None:
        self._rung = anyio.Event()
        self._post: Callable[[Callable[[], None]], Any]
        if runs_on_trio():
            self._post = import_module("trio").lowlevel.current_trio_token().run_sync_soon
        else:
            self._post = asyncio.get_running_loop().call_soon_threadsafe

    @property
    def next(self) -> anyio.Event:
        """What is set by the next ring."""
        return self._rung

    def ring(self) -> None:
        """Wake who waits, from any thread. It waits for nothing, as sound cannot."""
        with suppress(RuntimeError):  # the loop has ended, and nobody waits
            self._post(self._ring)

    def _ring(self) -> None:
        self._rung.set()
        self._rung = anyio.Event()
