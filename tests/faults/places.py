"""The servers that are called, of which many do not deserve the name."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import anymodal
import attrs
import trustme

from .faults import Road
from .wire import Wire

__all__ = ["KEY", "NAMED", "UNTRUSTED", "Places", "Resolver", "places"]

KEY: Final = "sk-secret-0123456789"
NAME: Final = "vendor.test"
NAMED: Final = ("unknown", "unresolved", "resolving")
"""Doors behind a name, which nothing resolves."""

UNTRUSTED: Final = ("untrusted", "misnamed", "expired")
"""Doors behind which a request is never to arrive."""

MODELS: Final = {
    "anthropic": "claude-sonnet-5-5", "openai": "gpt-6.1-sol", "openai-compatible": "m-1",
}  # fmt: skip
PATHS: Final = {"anthropic": "", "openai": "/v1", "openai-compatible": "/v1"}


@attrs.define
class Places:
    """
    Doors by name, and a registry for each road to each of them.

    Attributes:
        origins: Where they are.
        wires: Those of them that answer.
        ca_file: The authority to trust.
        words: What errors said, by fault, operation and road.
    """

    origins: dict[str, str]
    wires: dict[str, Wire]
    ca_file: str
    words: dict[tuple[str, str, str], str] = attrs.field(factory=dict)
    _registries: dict[tuple[str, str, str], anymodal.Registry] = attrs.field(factory=dict)

    def registry(self, road: Road, door: str) -> anymodal.Registry:
        """Return what is installed, with settings that lead through *door*."""
        key = (road.provider, road.library, door)
        if key not in self._registries:
            http = {"backend": road.library}
            if door != "untrusted":
                http["ca_file"] = self.ca_file
            said = {"base_url": self.origins[door] + PATHS[road.provider], "api_key": KEY}
            settings = anymodal.Settings.from_mapping(
                {"http": http, "providers": {road.provider: said}}
            )
            self._registries[key] = anymodal.Registry(settings)
        return self._registries[key]

    @staticmethod
    def model(road: Road) -> str:
        """Return the name of a model."""
        return f"{road.provider}/{MODELS[road.provider]}"


@contextmanager
def places(folder: Path) -> Iterator[Places]:
    """Open all doors."""
    authority, stranger = trustme.CA(), trustme.CA()
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificates = {
        "secured": authority.issue_cert("127.0.0.1"),
        "untrusted": stranger.issue_cert("127.0.0.1"),
        "misnamed": authority.issue_cert("another.test"),
        "expired": authority.issue_cert(
            "127.0.0.1", not_before=long_ago, not_after=long_ago + dt.timedelta(days=1)
        ),
    }
    ca_file = folder / "authority.pem"
    authority.cert_pem.write_to_path(ca_file)
    with ExitStack() as stack:
        wires = {"plain": stack.enter_context(Wire())}
        wires["elsewhere"] = stack.enter_context(Wire("127.0.0.2"))
        for door, certificate in certificates.items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            wires[door] = stack.enter_context(Wire(context=context))
        origins = {door: wire.origin for door, wire in wires.items()}
        wires["redirecting"] = wires["plain"]
        origins["redirecting"] = origins["plain"]
        origins["unsecured"] = origins["plain"].replace("http:", "https:")
        origins |= dict.fromkeys(NAMED, f"http://{NAME}:9")
        origins["refusing"] = stack.enter_context(_bound(None))
        origins["crowded"] = stack.enter_context(_bound(0, guests=2))
        origins["mute"] = stack.enter_context(_bound(64)).replace("http:", "https:")
        yield Places(origins, wires, str(ca_file))


@contextmanager
def _bound(backlog: int | None, guests: int = 0) -> Iterator[str]:
    """Hold a port at which nobody accepts, and nobody listens where *backlog* is None."""
    with ExitStack() as stack:
        found = stack.enter_context(socket.socket())
        found.bind(("127.0.0.1", 0))
        if backlog is not None:
            found.listen(backlog)
        for _ in range(guests):
            guest = stack.enter_context(socket.socket())
            guest.settimeout(0)
            guest.connect_ex(found.getsockname())
        yield f"http://127.0.0.1:{found.getsockname()[1]}"


class Resolver:
    """
    Stands in for `socket.getaddrinfo`, which is where every library looks names up.

    Args:
        door: Says how it fails.
    """

    def __init__(self, door: str) -> None:
        self._door = door
        self._real = socket.getaddrinfo
        self.over = threading.Event()

    def __call__(self, host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002, PLR0917  # as the real one
        """Fail for every name; addresses are left alone."""
        is_numeric = flags & socket.AI_NUMERICHOST  # trio asks for that in the loop's own thread
        if host not in {NAME, NAME.encode()}:
            return self._real(host, port, family, type, proto, flags)
        if self._door == "resolving" and not is_numeric:
            self.over.wait(5)
        if self._door == "unresolved":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
