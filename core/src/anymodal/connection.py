"""What a plugin is given to reach its vendor."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias
from urllib.parse import quote

import attrs

from .errors import AnymodalError, ConfigurationError, MissingCredentialsError
from .specs import Deadlines, ErrorRefinement, Secret
from .taps import present
from .tls import NONE, Certificates, Tls

if TYPE_CHECKING:
    import ssl

    from .http import Http
    from .sockets import CloseMeaning, opening

__all__ = ["Clock", "Connection", "CredentialSource", "Tls", "checked_key"]

CredentialSource: TypeAlias = Secret | Callable[[], Awaitable[str]]
"""A secret, or an async function that is asked for it at every request."""

REMEMBERED_SECRETS: Final = 256
"""How many are scrubbed from a vendor's words; a source may make a new one every request."""


class Clock(Protocol):
    """
    Where the time comes from; tests bring their own.

    It may have `wall()` beside these, the time of day by which budgets end, and
    `arm(scope, seconds)`, which cancels a scope when seconds have gone by.
    """

    def now(self) -> float:
        """Return seconds since some fixed moment; never runs backwards."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


def checked_key(value: str, where: str) -> str:
    """
    Return *value*, which will go into a header.

    Raises:
        ConfigurationError: It is empty or has characters that no header may
            have, such as a newline. The message names *where*, not the value.
    """
    if not value:
        msg = f"{where}: the key is empty."
        raise ConfigurationError(msg)
    if not (value.isascii() and value.isprintable()) or value != value.strip():
        msg = f"{where}: the key has a newline, a space at an end or another odd character in it."
        raise ConfigurationError(msg)
    return value


@attrs.define(kw_only=True, eq=False)
class Connection:
    """
    The way to one vendor, for one instance.

    Attributes:
        provider: Id of the provider.
        instance: Name under which the user configured it.
        base_url: Without a slash at its end; empty for a local provider.
        credentials: What the spec declared and somebody set; see `secret`.
        deadlines: The instance's timeouts.
        settings: Further keys of the instance's settings.
        ambient: Whether keys may come from the environment: False for a named
            instance and for a base URL that is not the vendor's.
        tls: The client's TLS contexts.
        certificates: Which of these is this instance's.
        proxy: Through which vendors are reached: an address; empty for none; None for
            what the environment names.
        clock: The client's clock.
        http_backend: `httpx2`, `httpx` or `aiohttp`.
        refine: The spec's table of errors.
    """

    provider: str
    instance: str = ""
    base_url: str = ""
    credentials: Mapping[str, CredentialSource] = attrs.field(factory=dict, repr=False)
    deadlines: Deadlines = Deadlines()
    settings: Mapping[str, object] = attrs.field(factory=dict)
    ambient: bool = True
    tls: Tls = attrs.field(factory=Tls, repr=False)
    certificates: Certificates = NONE
    proxy: str | None = attrs.field(default=None, repr=False)
    clock: Clock = attrs.field(repr=False)
    http_backend: str = "httpx2"
    refine: ErrorRefinement | None = attrs.field(default=None, repr=False)
    _revealed: dict[str, None] = attrs.field(factory=dict, init=False, repr=False)
    _given: dict[str, str] = attrs.field(factory=dict, init=False, repr=False)
    _opening: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)
    _http: Http | None = attrs.field(default=None, init=False, repr=False)

    async def secret(self, name: str = "api_key") -> str | None:
        """
        Return the credential called *name*, or None where nobody set it.

        Raises:
            ConfigurationError: Its source gave something that no header may have.
        """
        source = self.credentials.get(name)
        if source is None:
            return None
        if isinstance(source, Secret):
            value = source.reveal()
        else:
            value = checked_key(await self._asked(name, source), f"{self._name}.{name}")
            self._given[name] = value
        self._revealed.pop(value, None)
        self._revealed[value] = None
        if len(self._revealed) > REMEMBERED_SECRETS:
            del self._revealed[next(iter(self._revealed))]
        if (tap := present()) is not None:
            tap.revealed(value)
        return value

    async def _asked(self, name: str, source: Callable[[], Awaitable[str]]) -> str:
        try:
            return await source()
        except AnymodalError:
            raise
        except Exception as error:  # noqa: BLE001  # a stranger's; what it says may hold the key
            msg = f"{self._name}.{name}: its source failed ({type(error).__name__})."
            raise ConfigurationError(msg) from None

    async def has_other_keys(self) -> bool:
        """Whether some async source gives another key than when it was last asked."""
        for name, before in tuple(self._given.items()):
            source = self.credentials[name]
            if not isinstance(source, Secret) and await source() != before:
                return True
        return False

    async def required(self, name: str = "api_key") -> str:
        """
        Return the credential called *name*.

        Raises:
            MissingCredentialsError: Nobody set it.
        """
        value = await self.secret(name)
        if value is None:
            table = "providers" if self._name == self.provider else "instances"
            msg = f"{self._name} needs {name}: set it in [{table}.{self._name}]."
            raise MissingCredentialsError(msg)
        return value

    @property
    def _name(self) -> str:
        return self.instance or self.provider

    def scrub(self, text: str) -> str:
        """Return *text* without any secret that was used here."""
        # longest first, because one may begin with another
        for value in sorted(self._revealed, key=len, reverse=True):
            for spelling in (value, quote(value, safe="")):
                text = text.replace(spelling, "…")
        return text

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """The TLS context to use."""
        return self.tls.context_for(self.certificates)

    @property
    def http(self) -> Http:
        """
        Requests to `base_url`, over the HTTP library that the settings name.

        Raises:
            ConfigurationError: That library is not installed.
        """
        with self._opening:  # providers of several modalities connect at once, in threads
            if self._http is None:
                self._http = self._opened()
            return self._http

    def _opened(self) -> Http:
        from .http import Http, connect_transport  # noqa: PLC0415  # not every provider speaks HTTP

        return Http(
            provider=self.provider,
            base_url=self.base_url,
            transport=connect_transport(self.http_backend, self.ssl_context, proxy=self.proxy),
            refine=self.refine,
            scrub=self.scrub,
            deadlines=self.deadlines,
        )

    def websocket(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        close_means: CloseMeaning | None = None,
    ) -> opening:
        """
        Return what opens a WebSocket: `async with connection.websocket(path) as socket`.

        Args:
            path: Appended to `base_url`; or a whole address.
            headers: Lower-case names. They may hold keys.
            subprotocols: Those that the plugin speaks, the best first.
            close_means: The plugin's reading of close codes.
        """
        from .sockets import opening  # noqa: PLC0415  # few providers speak over sockets

        return opening(
            url=path if "://" in path else self.base_url + path,
            provider=self.provider,
            context=lambda: self.ssl_context,
            headers=headers or {},
            subprotocols=subprotocols,
            connect_seconds=self.deadlines.connect,
            proxy=self.proxy,
            refine=self.refine,
            close_means=close_means,
            scrub=self.scrub,
        )

    async def aclose(self) -> None:
        """Close what `http` opened."""
        if self._http is not None:
            await self._http.transport.aclose()
