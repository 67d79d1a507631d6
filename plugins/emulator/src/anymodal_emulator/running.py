"""Runs emulators: each server in a thread and on a loop of its own."""

from __future__ import annotations

import asyncio
import fnmatch
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

import attrs

from .exchange import Application, Fault, Received
from .server import Server

if TYPE_CHECKING:
    from anymodal.specs import EmulatorSpec

__all__ = ["Emulated", "ServerThread", "emulated", "emulator_specs", "load_app"]

log = logging.getLogger("anymodal_emulator")


class ServerThread:
    """
    A server in a thread of its own.

    So that a test's own loop shows the client's tasks and sockets only, and a
    client that blocks its loop does not block the server.

    Args:
        make: Makes the server, in that thread.
        name: The thread's name.
    """

    def __init__(self, make: Callable[[], Server], *, name: str = "emulator") -> None:
        self._make = make
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self.server: Server | None = None

    def start(self) -> Server:
        """
        Start, and return the server once it listens.

        Raises:
            OSError: The port is taken.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return cast("Server", self.server)

    def stop(self) -> None:
        """Stop; no thread, task or socket is left."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001  # handed to the thread that waits
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = self._make()
        await server.start()
        self.server = server
        self._ready.set()
        try:
            await self._stopping.wait()
        finally:
            await server.stop()


@attrs.define(eq=False)
class _Scripted:
    fault: Fault
    left: int
    path: str


class Emulated:
    """
    A vendor on loopback; made by `emulated`.

    Attributes:
        provider: Id of the provider that it stands in for.
        key: A key that it accepts.
    """

    def __init__(self, spec: EmulatorSpec, app: Application, *, port: int = 0) -> None:
        self.provider = spec.provider
        self.key = spec.key
        self._spec = spec
        self._app = app
        self._port = port
        self._script: deque[_Scripted] = deque()
        self._requests: list[Received] = []
        self._thread: ServerThread | None = None
        self._server: Server | None = None

    @property
    def base_url(self) -> str:
        """What the vendor's SDK is given instead of the vendor's own."""
        if self._server is None:
            msg = f"{self.provider}: the emulator is not running; enter it with `with`."
            raise RuntimeError(msg)
        return f"http://{self._server.host}:{self._server.port}{self._spec.base_path}"

    @property
    def requests(self) -> tuple[Received, ...]:
        """What came in, oldest first, faults included."""
        return tuple(self._requests)

    @property
    def connections(self) -> int:
        """How many connections are open just now."""
        return len(self._server.connections) if self._server else 0

    def settings(self) -> dict[str, dict[str, dict[str, object]]]:
        """Return settings that point at it, in the shape of `anymodal.toml`."""
        found: dict[str, object] = {"base_url": self.base_url}
        if self.key:
            found["api_key"] = self.key
        return {"providers": {self.provider: found}}

    def script(self, *faults: Fault, times: int = 1, path: str = "*") -> None:
        """
        Play *faults*, one after the other, for the requests to come.

        Args:
            faults: See `anymodal_emulator.faults`.
            times: For how many requests each of them.
            path: A glob; requests to other paths are left alone.
        """
        self._script.extend(_Scripted(fault, times, path) for fault in faults)

    def clear(self) -> None:
        """Forget the requests seen and the faults not yet played."""
        self._requests.clear()
        self._script.clear()

    @property
    def pending(self) -> int:
        """How many faults have yet to be played."""
        return sum(scripted.left for scripted in tuple(self._script))

    def _direct(self, received: Received) -> Fault | None:
        self._requests.append(received)
        for scripted in tuple(self._script):
            if fnmatch.fnmatchcase(received.path, scripted.path):
                scripted.left -= 1
                if scripted.left <= 0:
                    self._script.remove(scripted)
                return scripted.fault
        return None

    def start(self) -> Self:
        """Listen on a free port."""
        state: dict[str, object] = {"key": self.key}
        self._thread = ServerThread(
            lambda: Server(self._app, port=self._port, state=state, director=self._direct),
            name=f"emulator of {self.provider}",
        )
        self._server = self._thread.start()
        log.info("%s listens on port %d", self.provider, self._server.port)
        return self

    def stop(self) -> None:
        """Stop listening and break what connections there are."""
        if self._thread is not None:
            self._thread.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def emulated(vendor: str | EmulatorSpec, *, port: int = 0) -> Emulated:
    """
    Return a vendor on loopback, to be entered by `with` or `async with`.

    Args:
        vendor: Id of a provider whose installed plugin has an emulator, or a spec.
        port: Port to listen on; 0 for any free one.

    Raises:
        LookupError: No installed plugin has an emulator of that name.

    Example::

        with emulated("openai") as vendor:
            vendor.script(Status(429, retry_after=1))
            client = OpenAI(base_url=vendor.base_url, api_key=vendor.key)
    """
    spec = _spec_of(vendor) if isinstance(vendor, str) else vendor
    return Emulated(spec, load_app(spec), port=port)


def emulator_specs() -> list[EmulatorSpec]:
    """Return what installed plugins offer, by provider."""
    import anymodal  # noqa: PLC0415  # a test with a spec of its own needs no plugins

    offered: list[Iterable[EmulatorSpec]] = anymodal.plugin_manager().hook.anymodal_emulators()
    return sorted((spec for specs in offered for spec in specs), key=lambda spec: spec.provider)


def _spec_of(provider: str) -> EmulatorSpec:
    specs = {spec.provider: spec for spec in emulator_specs()}
    if provider not in specs:
        have = ", ".join(specs) or "none"
        msg = (
            f"{provider}: no installed plugin has an emulator of it (there are: {have}). "
            f"Try: pip install 'anymodal-{provider}[emulator]'"
        )
        raise LookupError(msg)
    return specs[provider]


def load_app(spec: EmulatorSpec) -> Application:
    """Import the application that *spec* names."""
    module, _, name = spec.app.partition(":")
    return cast("Application", getattr(import_module(module), name))
