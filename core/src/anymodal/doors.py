"""Connected providers: each opened once, in a thread, and closed in the end."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeAlias, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel
import attrs

from . import errors as e
from .config import Settings
from .connection import Clock, Connection, CredentialSource, Tls
from .instances import connection_for, credentials_of, variables_of
from .resolution import Offer
from .scopes import Scope
from .secrets import SecretSource
from .shielding import runs_on_trio, shielded

__all__ = ["Door", "Doors", "SystemClock"]

Key: TypeAlias = tuple[str, str]
"""Modality and instance."""

T = TypeVar("T")

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
    A connected provider. A call holds it until it ends; one that is given up is closed
    when nobody holds it any more.

    Attributes:
        offer: What was connected.
        connection: What the provider was given.
        provider: What `connect` returned.
        bound: What the modality's facade calls, made of the provider once.
        variables: Those that had a say in the keys, and what they said.
    """

    offer: Offer
    connection: Connection = attrs.field(repr=False)
    provider: Any = attrs.field(repr=False)
    bound: Any = attrs.field(repr=False)
    variables: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)


End: TypeAlias = tuple[weakref.ref[Door], Any, Connection]
"""What is to be closed, once nobody holds its door: its provider and its connection."""


class _Work(Generic[T]):
    """What runs in a thread: whether it has ended, what it gave, and how it failed."""

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.thread: threading.Thread
        self.fault: e.AnymodalError | None = None
        self.found: T | None = None


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
        self.looks = 0  # how often other plugins than before were there
        self.tls = Tls()
        self.sources: Sequence[SecretSource] = ()
        self._settings = settings
        self._clock = clock
        self._scope = scope
        self._open: dict[Key, Door] = {}
        self._opening: dict[tuple[Key, int], _Work[Door]] = {}
        self._looking: dict[Key, _Work[Mapping[str, CredentialSource]]] = {}
        self._given_up: list[End] = []
        self._ending: list[threading.Thread] = []

    def get(self, offer: Offer) -> Door | None:
        """Return the door for *offer* if it is open."""
        return self._open.get((offer.spec.modality, offer.instance))

    async def open(
        self, offer: Offer, bind: Callable[[Any], Any], looks: int | None = None
    ) -> Door:
        """
        Return the door for *offer*, connecting it first where need be.

        Args:
            offer: Which provider, under which of its names.
            bind: Makes `Door.bound` of the provider.
            looks: What `looks` was when *offer* was found; None for now. Where other
                plugins are there since, nobody else gets this door.

        Raises:
            ConfigurationError: A key, an address or a package is missing, or
                the provider does not run on this event loop.
            BrokenPluginError: The plugin's `connect` raised what is not ours.
        """
        self.check_open()
        key = (offer.spec.modality, offer.instance)
        if (door := self._open.get(key)) is not None:
            return door
        at = key, self.looks if looks is None else looks
        opening = self._opening.get(at)
        if opening is None:
            self._check_backend(offer)
            settings, scope = self._settings, self._scope
            opening = self._opening[at] = _Work()
            self._start(
                f"anymodal connects {offer.instance}",
                opening,
                partial(self._connected, offer, bind, settings, scope),
                partial(self._opened, at, opening, settings, scope),
                offer,
            )
            await self._close_abandoned()
        await opening.ended.wait()
        if opening.fault is not None:
            raise opening.fault.again()
        self.check_open()
        assert opening.found is not None  # what has ended without a fault found something
        return opening.found

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
        backend = "trio" if runs_on_trio() else "asyncio"
        if backend not in offer.spec.backends:
            runs_on = " and ".join(sorted(offer.spec.backends))
            msg = f"{offer.instance} runs on {runs_on}, not on {backend}."
            raise e.ConfigurationError(msg)
        http = self._settings.http.merged(self._settings.of(offer.instance).http)
        if backend == "trio" and http.backend == "aiohttp":
            msg = "http.backend: aiohttp runs on asyncio only; use httpx2 under trio."
            raise e.ConfigurationError(msg)

    def _start(
        self,
        name: str,
        work: _Work[T],
        run: Callable[[], T],
        end: Callable[[], object],
        offer: Offer,
    ) -> None:
        """Run in a thread that ends with it; a pool's would outlive the client."""
        token = anyio.lowlevel.current_token()

        def ended() -> None:
            """Let the callers in; runs in the event loop, while the thread waits for it."""
            self._ending = [one for one in self._ending if one.is_alive()]
            self._ending.append(work.thread)
            end()
            work.ended.set()

        def running() -> None:
            try:
                work.found = run()
            except e.AnymodalError as error:
                work.fault = error
            except BaseException as error:  # noqa: BLE001  # not even SystemExit may end the host
                work.fault = _broken(offer, error)
            with contextlib.suppress(RuntimeError):  # where the event loop has ended meanwhile
                anyio.from_thread.run_sync(ended, token=token)

        work.thread = threading.Thread(target=running, name=name, daemon=True)
        work.thread.start()

    def _connected(
        self, offer: Offer, bind: Callable[[Any], Any], settings: Settings, scope: Scope
    ) -> Door:
        variables = variables_of(offer, settings, scope)
        connection = connection_for(
            offer, settings, scope, sources=self.sources, tls=self.tls, clock=self._clock
        )
        provider = offer.spec.connect(connection)
        return Door(offer, connection, provider, bind(provider), variables)

    def _opened(
        self, at: tuple[Key, int], opening: _Work[Door], settings: Settings, scope: Scope
    ) -> None:
        del self._opening[at]
        if (door := opening.found) is None:
            return
        key, looks = at
        if looks != self.looks:  # there may be another one by now
            self._abandon(door)
            return
        self._open[key] = door
        # adopted while it was connected, or looked at by another thread at this moment
        if self._is_outdated(door, settings, scope) or looks != self.looks:
            self._give_up(key, door)

    # -- other keys, other settings ---------------------------------------------------------

    async def refreshed(self, door: Door) -> bool:
        """
        Look the keys of *door* up again; say whether a call may now be tried again.

        Where they are others than before, *door* is given up: the next `open` connects
        anew, and calls under way end on the old one.

        Args:
            door: One whose key the vendor has refused.
        """
        key = (door.offer.spec.modality, door.offer.instance)
        if not self.is_open or self._open.get(key) is not door:
            return self.is_open  # somebody else's call has met the same
        looking = self._looking.get(key)
        if looking is None:
            looking = self._looking[key] = _Work()
            self._start(
                f"anymodal looks up the keys of {door.offer.instance}",
                looking,
                partial(
                    credentials_of, door.offer, self._settings, self._scope, sources=self.sources
                ),
                partial(self._looking.pop, key),
                door.offer,
            )
        await looking.ended.wait()
        if looking.found is None:
            return False  # what the vendor said tells more than that a key is gone
        if looking.found != door.connection.credentials:
            self._give_up(key, door)
            return True
        with contextlib.suppress(Exception):  # a source that fails has no other key
            return await door.connection.has_other_keys()
        return False

    async def rotate(self, instances: Collection[str]) -> frozenset[str]:
        """
        Look up the keys of all open doors to *instances* again, or of all where there are none.

        Returns:
            The instances that have other keys now.
        """
        found: set[str] = set()
        for (_, instance), door in tuple(self._open.items()):
            if (not instances or instance in instances) and await self.refreshed(door):
                found.add(instance)
        await self._close_abandoned()
        return frozenset(found)

    def adopt(self, settings: Settings, scope: Scope) -> None:
        """Go by *settings* from now on, and give up the doors that are otherwise there."""
        before, self._settings = self._settings, settings
        scope_before, self._scope = self._scope, scope
        for key, door in tuple(self._open.items()):
            if self._is_outdated(door, before, scope_before):
                self._give_up(key, door)

    def give_up_unless(self, is_offered: Callable[[Offer], bool]) -> None:
        """
        Give up the doors to what is not offered any more; calls under way keep theirs.

        Those that are being opened are for the calls that wait for them, and for no others.
        """
        self.looks += 1
        for key, door in tuple(self._open.items()):
            if not is_offered(door.offer):
                self._give_up(key, door)

    def _is_outdated(self, door: Door, settings: Settings, scope: Scope) -> bool:
        """Whether *door*, which was connected under *settings*, would be another one now."""
        now, name = self._settings, door.offer.instance
        if settings is now and scope is self._scope:
            return False
        prefix = f"{name}/"
        return (
            settings.of(name) != now.of(name)
            or (name in settings.instances) != (name in now.instances)
            or settings.http != now.http
            or (scope.keys is None) != (self._scope.keys is None)
            or scope.given(name, {}) != self._scope.given(name, {})
            or any(one.startswith(prefix) for one in settings.stored ^ now.stored)
            or door.variables != variables_of(door.offer, now, self._scope)
        )

    def _give_up(self, key: Key, door: Door) -> None:
        if self._open.get(key) is door:
            del self._open[key]
            self._abandon(door)

    def _abandon(self, door: Door) -> None:
        self._given_up.append((weakref.ref(door), door.provider, door.connection))

    async def _close_abandoned(self) -> None:
        """Close what was given up and is held by no call."""
        if not self._given_up:
            return
        for thread in self._ending:
            thread.join()  # it is past its last word, and may hold the door that it made
        held = [one for one in self._given_up if one[0]() is not None]
        left = [one for one in self._given_up if one[0]() is None]
        self._given_up = held
        if left:
            await shielded(_all_closed(left))

    async def aclose(self) -> None:
        """
        Close every provider and its connections, also where the caller is cancelled.

        Raises:
            ExceptionGroup: Some did not close; it has the errors of all.
        """
        self.is_open = False
        faults = await shielded(self._closed())
        if faults:
            msg = "providers that did not close"
            raise ExceptionGroup(msg, faults)

    async def _closed(self) -> list[Exception]:
        """Close everything, and return what went wrong."""
        with anyio.move_on_after(CLOSE_SECONDS):
            for opening in tuple(self._opening.values()):
                await opening.ended.wait()
            for looking in tuple(self._looking.values()):
                await looking.ended.wait()
        for thread in self._ending:
            thread.join()
        for key, door in tuple(self._open.items()):
            self._give_up(key, door)
        left, self._given_up = self._given_up, []
        return await _all_closed(left)


async def _all_closed(ends: Iterable[End]) -> list[Exception]:
    """Close providers and their connections, and return what went wrong."""
    faults: list[Exception] = []
    for _, provider, connection in ends:
        for close in (getattr(provider, "aclose", None), connection.aclose):
            if close is not None:
                with anyio.move_on_after(CLOSE_SECONDS):
                    try:
                        await close()
                    except Exception as fault:  # noqa: BLE001  # the others have to be closed too
                        faults.append(fault)
    return faults


def _broken(offer: Offer, error: BaseException) -> e.BrokenPluginError:
    """Return what to tell of a `connect` that raised what is no error of ours."""
    if isinstance(error, ModuleNotFoundError):
        what = f"it needs the module {error.name!r}, which is not installed"
    else:
        what = f"its connect raised {type(error).__name__}"
    found = e.BrokenPluginError(f"{offer.instance} ({offer.plugin}) cannot be used: {what}.")
    found.__cause__ = error
    return found
