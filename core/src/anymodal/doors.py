"""Connected providers: each opened once, in a thread, and closed in the end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel
import attrs

from . import errors as e
from .config import Settings
from .connection import Clock, Connection, Tls
from .resolution import Offer
from .secrets import credentials_for, is_ambient

__all__ = ["Door", "Doors", "SystemClock"]

T = TypeVar("T")


class SystemClock:
    """The time as the machine has it."""

    now = staticmethod(time.monotonic)
    sleep = staticmethod(anyio.sleep)


@attrs.frozen(eq=False)
class Door:
    """
    A connected provider.

    Attributes:
        offer: What was connected.
        connection: What the provider was given.
        provider: What `connect` returned.
        bound: What the modality's facade calls, made of the provider once.
    """

    offer: Offer
    connection: Connection = attrs.field(repr=False)
    provider: Any = attrs.field(repr=False)
    bound: Any = attrs.field(repr=False)


class Doors:
    """
    The open doors of one client, by modality and instance.

    `connect` of a spec runs in a thread of its own, because importing an SDK
    takes up to a second; callers that come meanwhile wait for the same door. No
    thread can be stopped, so a caller that is cancelled waits for it to end.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._tls = Tls()
        self._open: dict[tuple[str, str], Door] = {}
        self._opening: dict[tuple[str, str], anyio.Event] = {}

    def get(self, offer: Offer) -> Door | None:
        """Return the door for *offer* if it is open."""
        return self._open.get((offer.spec.modality, offer.instance))

    async def open(self, offer: Offer, bind: Callable[[Any], Any]) -> Door:
        """
        Return the door for *offer*, connecting it first where need be.

        Args:
            offer: Which provider, under which of its names.
            bind: Makes `Door.bound` of the provider.

        Raises:
            ConfigurationError: A key, an address or a package is missing, or
                the provider does not run on this event loop.
        """
        key = (offer.spec.modality, offer.instance)
        while (door := self._open.get(key)) is None:
            if (opening := self._opening.get(key)) is not None:
                await opening.wait()
                continue
            self._opening[key] = done = anyio.Event()
            try:
                door = await self._connect(offer, bind)
            finally:
                del self._opening[key]
                done.set()
            self._open[key] = door
        return door

    async def _connect(self, offer: Offer, bind: Callable[[Any], Any]) -> Door:
        backend = _backend()
        if backend not in offer.spec.backends:
            msg = f"{offer.instance} runs on {' and '.join(sorted(offer.spec.backends))}, not on {backend}."
            raise e.ConfigurationError(msg)
        if backend == "trio" and self._settings.http_backend == "aiohttp":
            msg = "http.backend: aiohttp runs on asyncio only; use httpx2 under trio."
            raise e.ConfigurationError(msg)

        def connect() -> Door:
            connection = self._connection(offer)
            provider = offer.spec.connect(connection)
            return Door(offer, connection, provider, bind(provider))

        return await _in_thread(connect)

    def _connection(self, offer: Offer) -> Connection:
        spec, name, settings = offer.spec, offer.instance, self._settings
        named = settings.instances if name in settings.instances else settings.providers
        said = named.get(name)
        given: Mapping[str, object] = said.rest if said else {}
        ambient = is_ambient(spec, name, said.base_url if said else None)
        secret = {credential.name for credential in spec.credentials}
        own = {key: value for key, value in given.items() if key not in secret}
        if strange := sorted(own.keys() - spec.settings):
            known = ", ".join(sorted(secret | spec.settings)) or "none"
            faults = [
                f"{name}.{key}: {spec.id} has no such setting; its own are {known}."
                for key in strange
            ]
            raise e.SettingsError(faults)
        return Connection(
            provider=spec.id,
            instance=name,
            base_url=((said.base_url if said else None) or spec.base_url or "").rstrip("/"),
            credentials=credentials_for(
                spec, instance=name, given=given, environ=settings.environ, ambient=ambient
            ),
            deadlines=(said.deadlines(spec.deadlines) if said else spec.deadlines),
            settings=own,
            ambient=ambient,
            tls=self._tls,
            clock=self._clock,
            http_backend=settings.http_backend,
            refine=spec.errors,
        )

    async def aclose(self) -> None:
        """Close every provider and its connections; the errors of all are kept."""
        faults: list[Exception] = []
        while self._open:
            _, door = self._open.popitem()
            for close in (getattr(door.provider, "aclose", None), door.connection.aclose):
                if close is None:
                    continue
                try:
                    await close()
                except Exception as fault:  # noqa: BLE001  # the others have to be closed too
                    faults.append(fault)
        if faults:
            msg = "providers that did not close"
            raise ExceptionGroup(msg, faults)


async def _in_thread(function: Callable[[], T]) -> T:
    """
    Run *function* in a thread that ends with it.

    A pool's thread would outlive the client: trio keeps idle ones for seconds.
    """
    token = anyio.lowlevel.current_token()
    done = anyio.Event()
    outcome: list[T] = []
    fault: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(function())
        except BaseException as error:  # noqa: BLE001  # raised again below
            fault.append(error)
        anyio.from_thread.run_sync(done.set, token=token)

    threading.Thread(target=run, name="anymodal connect", daemon=True).start()
    with anyio.CancelScope(shield=True):
        await done.wait()
    if fault:
        raise fault[0]
    return outcome[0]


def _backend() -> str:
    """Return the name of the running event loop's library."""
    trio = sys.modules.get("trio")
    return "trio" if trio is not None and trio.lowlevel.in_trio_run() else "asyncio"
