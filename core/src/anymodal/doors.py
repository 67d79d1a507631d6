"""Connected providers: each opened once, in a thread, and closed in the end."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import anyio
import anyio.from_thread
import anyio.lowlevel
import attrs

from . import errors as e
from .config import Settings
from .connection import Clock, Connection, Tls
from .resolution import Offer
from .scopes import Scope
from .secrets import credentials_for, is_ambient

__all__ = ["Door", "Doors", "SystemClock"]

Key: TypeAlias = tuple[str, str]
"""Modality and instance."""

NO_SCOPE: Final = Scope()

CLOSE_SECONDS: Final = 5.0
"""How long a provider may take to close, or to end its connecting."""


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


class _Opening:
    """A door that is being opened: whether that has ended, and how it failed."""

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.thread: threading.Thread
        self.fault: e.AnymodalError | None = None


class Doors:
    """
    The open doors of one client, by modality and instance.

    `connect` of a spec runs in a thread of its own, because importing an SDK
    takes up to a second; callers that come meanwhile wait for the same door, or
    for the same failure. No thread can be stopped: one whose callers were all
    cancelled ends in its own time, and its door is there for the next call.
    """

    def __init__(self, settings: Settings, clock: Clock, scope: Scope = NO_SCOPE) -> None:
        self.is_open = True
        self._settings = settings
        self._clock = clock
        self._scope = scope
        self.tls = Tls()
        self._open: dict[Key, Door] = {}
        self._opening: dict[Key, _Opening] = {}
        self._ending: list[threading.Thread] = []

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
            BrokenPluginError: The plugin's `connect` raised what is not ours.
        """
        self.check_open()
        key = (offer.spec.modality, offer.instance)
        if (door := self._open.get(key)) is not None:
            return door
        opening = self._opening.get(key)
        if opening is None:
            self._check_backend(offer)
            opening = self._opening[key] = _Opening()
            self._start(key, opening, offer, bind)
        await opening.ended.wait()
        if opening.fault is not None:
            raise opening.fault.again()
        self.check_open()
        return self._open[key]

    def check_open(self) -> None:
        """
        Refuse what comes before or after.

        Raises:
            ConfigurationError: The client is not open.
        """
        if not self.is_open:
            msg = "The client is not open: use it inside `async with anymodal.Client() as ai:`."
            raise e.ConfigurationError(msg)

    def _check_backend(self, offer: Offer) -> None:
        backend = _backend()
        if backend not in offer.spec.backends:
            runs_on = " and ".join(sorted(offer.spec.backends))
            msg = f"{offer.instance} runs on {runs_on}, not on {backend}."
            raise e.ConfigurationError(msg)
        if backend == "trio" and self._settings.http_backend == "aiohttp":
            msg = "http.backend: aiohttp runs on asyncio only; use httpx2 under trio."
            raise e.ConfigurationError(msg)

    def _start(self, key: Key, opening: _Opening, offer: Offer, bind: Callable[[Any], Any]) -> None:
        """Connect in a thread that ends with it; a pool's would outlive the client."""
        token = anyio.lowlevel.current_token()

        def run() -> None:
            door: Door | None = None
            try:
                door = self._connected(offer, bind)
            except e.AnymodalError as error:
                opening.fault = error
            except BaseException as error:  # noqa: BLE001  # not even SystemExit may end the host
                opening.fault = _broken(offer, error)
            with contextlib.suppress(RuntimeError):  # where the event loop has ended meanwhile
                anyio.from_thread.run_sync(self._end, key, opening, door, token=token)

        name = f"anymodal connects {offer.instance}"
        opening.thread = threading.Thread(target=run, name=name, daemon=True)
        opening.thread.start()

    def _end(self, key: Key, opening: _Opening, door: Door | None) -> None:
        """Let the callers in; runs in the event loop, while the thread waits for it."""
        del self._opening[key]
        self._ending = [one for one in self._ending if one.is_alive()]
        self._ending.append(opening.thread)
        if door is not None:
            self._open[key] = door
        opening.ended.set()

    def _connected(self, offer: Offer, bind: Callable[[Any], Any]) -> Door:
        connection = self._connection(offer)
        provider = offer.spec.connect(connection)
        return Door(offer, connection, provider, bind(provider))

    def _connection(self, offer: Offer) -> Connection:
        spec, name, settings = offer.spec, offer.instance, self._settings
        named = settings.instances if name in settings.instances else settings.providers
        said = named.get(name)
        rest: Mapping[str, object] = said.rest if said else {}
        given = self._scope.given(name, rest)
        ambient = self._scope.keys is None and is_ambient(
            spec, name, said.base_url if said else None
        )
        secret = {credential.name for credential in spec.credentials}
        own = {key: value for key, value in rest.items() if key not in secret}
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
            tls=self.tls,
            clock=self._clock,
            http_backend=settings.http_backend,
            refine=spec.errors,
        )

    async def aclose(self) -> None:
        """
        Close every provider and its connections, also where the caller is cancelled.

        Raises:
            ExceptionGroup: Some did not close; it has the errors of all.
        """
        self.is_open = False
        faults: list[Exception] = []
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            for opening in tuple(self._opening.values()):
                await opening.ended.wait()
        for thread in self._ending:
            thread.join()
        while self._open:
            _, door = self._open.popitem()
            for close in (getattr(door.provider, "aclose", None), door.connection.aclose):
                if close is not None:
                    with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                        try:
                            await close()
                        except Exception as fault:  # noqa: BLE001  # the others have to be closed too
                            faults.append(fault)
        if faults:
            msg = "providers that did not close"
            raise ExceptionGroup(msg, faults)


def _broken(offer: Offer, error: BaseException) -> e.BrokenPluginError:
    """Return what to tell of a `connect` that raised what is no error of ours."""
    if isinstance(error, ModuleNotFoundError):
        what = f"it needs the module {error.name!r}, which is not installed"
    else:
        what = f"its connect raised {type(error).__name__}"
    found = e.BrokenPluginError(f"{offer.instance} ({offer.plugin}) cannot be used: {what}.")
    found.__cause__ = error
    return found


def _backend() -> str:
    """Return the name of the running event loop's library."""
    trio = sys.modules.get("trio")
    return "trio" if trio is not None and trio.lowlevel.in_trio_run() else "asyncio"
