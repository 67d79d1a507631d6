"""
Where a link leads: which addresses may be called on the word of somebody else.

A link in an answer is chosen by whoever wrote the answer. Without a rule, it could have
us call the host's own services, or the one that gives away a machine's credentials.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, TypeAlias
from urllib.parse import quote, urljoin, urlsplit

import attrs

from ..taps import present

__all__ = ["Link", "Resolver", "is_public", "may_be_public", "resolved"]

Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Async function from host and port to addresses, best first."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_RESERVED: Final = "%/:=&?~+!$,;'@()*[]|"

_PRIVATE: Final = tuple(
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # gives Azure's machines their settings
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)
"""
What is not reachable from everywhere, or is a way to what is not.

IANA's registries of special-purpose addresses for IPv4 and IPv6 (read 2026-11-20). Python's own
`is_global` differs between the Pythons that we run on, and lets IPv4 pass in other clothes.
"""

_LOCAL: Final = frozenset({"arpa", "internal", "invalid", "lan", "local", "localhost", "test"})
"""Ends of names that lead nowhere public. RFC 6761, RFC 6762 and ICANN (read 2026-11-20)."""

_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 for networks that have only IPv6: RFC 6052, section 2.1 (read 2026-11-20)."""


def is_public(address: str) -> bool:
    """Whether *address* may be called on somebody else's word; no if it is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found in _TRANSLATED:
        found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    if isinstance(found, ipaddress.IPv6Address) and (found.scope_id or found not in _GLOBAL_V6):
        return False
    return not any(found in network for network in _PRIVATE)


def may_be_public(host: str) -> bool:
    """
    Whether *host* may lead to a public address, as far as its name tells.

    It is all that can be known where a proxy looks names up.
    """
    try:
        # the odd spellings of IPv4 that resolvers take: 127.1, 0x7f000001, 2130706433
        return is_public(host if ":" in host else socket.inet_ntoa(socket.inet_aton(host)))
    except OSError:
        _, dot, top = host.rpartition(".")
        return bool(dot) and top not in _LOCAL


async def resolved(host: str, port: int) -> list[str]:
    """
    Return the addresses of *host*, as the operating system finds them.

    Raises:
        OSError: There are none.
    """
    import anyio  # noqa: PLC0415  # only who follows links pays for it

    if (tap := present()) is not None and (told := tap.resolved(host)) is not None:
        return list(told)
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@attrs.frozen
class Link:
    """
    A link, taken apart by one parser and put together again, so that no two disagree.

    Attributes:
        scheme: `http` or `https`.
        host: Name or address, lower-case, without brackets.
        port: Also where the link has none.
        target: Path and query, quoted.
    """

    scheme: str
    host: str
    port: int
    target: str = attrs.field(repr=False)

    @classmethod
    def read(cls, url: str, base: str = "") -> Link:
        """
        Take *url* apart, which may be relative to *base*.

        Raises:
            ValueError: It is none that is followed; the message says why, and nothing of it.
        """
        if not url.isprintable() or "\\" in url:
            msg = "it has a character that no URL may have"
            raise ValueError(msg)
        try:
            parts = urlsplit(urljoin(base, url))
            port = parts.port
            target = quote(parts.path or "/", safe=_RESERVED)
            if parts.query:
                target += "?" + quote(parts.query, safe=_RESERVED)
        except ValueError:
            msg = "it is damaged"
            raise ValueError(msg) from None  # the words of urllib quote it
        if parts.scheme not in _DEFAULT_PORTS:
            msg = "only http and https are followed"
            raise ValueError(msg)
        if "@" in parts.netloc:
            msg = "it has a user in it"
            raise ValueError(msg)
        host = (parts.hostname or "").removesuffix(".")
        if not (_is_v6(host) if "[" in parts.netloc else _NAME.fullmatch(host)) or port == 0:
            msg = "it names no host"
            raise ValueError(msg)
        return cls(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], target)

    @property
    def authority(self) -> str:
        """Host and port, as the `host` header has them."""
        host = _bracketed(self.host)
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """All of it."""
        return self.origin + self.target

    def at(self, address: str) -> str:
        """Return the URL with *address* in place of the host."""
        return f"{self.scheme}://{_bracketed(address)}:{self.port}{self.target}"

    def is_among(self, places: Collection[str]) -> bool:
        """
        Whether the link leads to one of *places*.

        Args:
            places: Origins, such as `http://127.0.0.1:9000`; hosts, reached by https on its
                own port; `*.acme.example` for every host below that one.
        """
        is_plain = self.scheme == "https" and self.port == 443
        for place in places:
            if "://" in place:
                if self.origin == _origin(place):
                    return True
            elif is_plain and place.startswith("*."):
                if self.host.endswith(place[1:].lower()):
                    return True
            elif is_plain and self.host == place.lower():
                return True
        return False


def _origin(url: str) -> str | None:
    try:
        return Link.read(url).origin
    except ValueError:
        return None


def _is_v6(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
