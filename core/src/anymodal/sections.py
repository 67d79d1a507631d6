"""Tables of the settings file, what each may hold, and how two of them merge."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import attrs

from . import layers
from .errors import RequestError
from .layers import Table
from .modalities import BUILT_IN
from .policies import Policy
from .policy_settings import policy_of
from .specs import Deadlines

__all__ = ["LOCK_FILE", "UNSET", "HttpSettings", "InstanceSettings", "PluginSettings"]

REFERENCES: Final = ("env:", "file:", "keyring:", "command:")
"""What a key, or a proxy, may begin with that is looked up somewhere else."""

LOCK_FILE: Final = "anymodal.lock"
NO_LOCK: Final = "off"
"""What is said where none is to be in force."""

HTTP_BACKENDS: Final = ("httpx2", "httpx", "aiohttp")

Options = Mapping[str, Mapping[str, object]]
"""By modality, values by name."""

_ValueT = TypeVar("_ValueT")


def _keys_only(found: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{name}: …" for name in found) + "}"


def later(first: _ValueT | None, then: _ValueT | None) -> _ValueT | None:
    """Return *then* where it is set, else *first*."""
    return first if then is None else then


@attrs.frozen(kw_only=True)
class HttpSettings:
    """
    How vendors are reached; None is not set.

    Attributes:
        backend: The HTTP library under plugins that have no SDK.
        proxy: Address of a proxy, or a reference to one as to a key; empty for none,
            whatever the environment names.
        ca_file: Certificates in PEM, trusted beside those of the operating system.
        cert_file: Certificate to show to servers, in PEM.
        key_file: Its key, where that is not in the same file.
    """

    backend: str | None = None
    proxy: str | None = attrs.field(default=None, repr=lambda set_: "…" if set_ else repr(set_))
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def merged(self, other: HttpSettings) -> HttpSettings:
        """Return both, *other* winning key by key."""
        said = {name: value for name in _HTTP_KEYS if (value := getattr(other, name)) is not None}
        return attrs.evolve(self, **said) if said else self


NO_HTTP: Final = HttpSettings()
_HTTP_KEYS: Final = tuple(field.name for field in attrs.fields(HttpSettings))


@attrs.frozen(kw_only=True)
class InstanceSettings:
    """
    What is set for a provider or an instance; None is not set.

    Attributes:
        provider: Id of the provider; an instance always has one.
        enabled: Whether it may be used.
        base_url: Without a slash at its end.
        rate_limit: Requests per minute.
        concurrency: Calls at once.
        timeout: The parts of `Deadlines` that are set; None is for ever.
        default_models: Model by modality.
        priority: Orders listings, highest first.
        options: What calls ask for where they do not say, by modality.
        vendor_options: The same of the vendor's own options, as written.
        http: How it is reached, where that is otherwise than elsewhere.
        policy: What is done about its failures and limits.
        rest: Every other key as it was written: credentials, references
            unresolved, and settings of the plugin. Which is which the spec knows.
    """

    provider: str | None = None
    enabled: bool | None = None
    base_url: str | None = None
    rate_limit: int | None = None
    concurrency: int | None = None
    timeout: Mapping[str, float | None] = attrs.field(factory=dict)
    default_models: Mapping[str, str] = attrs.field(factory=dict)
    priority: int | None = None
    options: Options = attrs.field(factory=dict)
    vendor_options: Options = attrs.field(factory=dict)
    http: HttpSettings = NO_HTTP
    policy: Policy = Policy()
    rest: Mapping[str, object] = attrs.field(factory=dict, repr=_keys_only)

    def deadlines(self, default: Deadlines) -> Deadlines:
        """Return *default* with what is set here."""
        return attrs.evolve(default, **self.timeout)

    def merged(self, other: InstanceSettings) -> InstanceSettings:
        """Return both, *other* winning key by key."""
        return InstanceSettings(
            provider=later(self.provider, other.provider),
            enabled=later(self.enabled, other.enabled),
            base_url=later(self.base_url, other.base_url),
            rate_limit=later(self.rate_limit, other.rate_limit),
            concurrency=later(self.concurrency, other.concurrency),
            timeout={**self.timeout, **other.timeout},
            default_models={**self.default_models, **other.default_models},
            priority=later(self.priority, other.priority),
            options=layers.merged(self.options, other.options),
            vendor_options=layers.merged(self.vendor_options, other.vendor_options),
            http=self.http.merged(other.http),
            policy=other.policy.over(self.policy),
            rest={**self.rest, **other.rest},
        )


UNSET: Final = InstanceSettings()


@attrs.frozen(kw_only=True)
class PluginSettings:
    """
    Which plugins are imported, and which of them act.

    Attributes:
        prefer: Distribution that serves an id which several claim.
        allow: The only plugins that may be imported; None is all.
        disable: Plugins that are not imported.
    """

    _use: tuple[str, ...] | None = None
    prefer: Mapping[str, str] = attrs.field(factory=dict)
    allow: frozenset[str] | None = None
    disable: frozenset[str] = frozenset()
    _autoload: bool | None = None
    _lock: str | None = None

    @property
    def lock(self) -> str | None:
        """The lock that is in force: only what it has, as it was then, is imported."""
        return None if self._lock == NO_LOCK else self._lock

    def beside(self, files: Iterable[str | os.PathLike[str]]) -> PluginSettings:
        """Return these with the last lock that stands beside one of *files*, if they name none."""
        locks = [os.path.join(os.path.dirname(os.path.abspath(one)), LOCK_FILE) for one in files]  # noqa: PTH100, PTH118, PTH120  # a Path costs more
        standing = next(filter(os.path.exists, reversed(locks)), None)
        return attrs.evolve(self, lock=later(standing, self._lock))

    @property
    def use(self) -> tuple[str, ...]:
        """Plugins that act unasked, such as observers, in this order."""
        return self._use or ()

    @property
    def autoload(self) -> bool:
        """Whether installed plugins are looked for at all."""
        return self._autoload is not False

    def merged(self, other: PluginSettings) -> PluginSettings:
        """Return both, *other* winning; what either disables is disabled."""
        return PluginSettings(
            use=later(self._use, other._use),
            prefer={**self.prefer, **other.prefer},
            allow=later(self.allow, other.allow),
            disable=self.disable | other.disable,
            autoload=later(self._autoload, other._autoload),
            lock=later(self._lock, other._lock),
        )


# -- how each is read ---------------------------------------------------------------


_SHARED: Final = frozenset(field.name for field in attrs.fields(InstanceSettings)) - {"rest"}


def instance(table: Table) -> InstanceSettings:
    """Return what the table of a provider or an instance says."""
    return InstanceSettings(
        provider=table.take("provider", layers.identifier),
        enabled=table.take("enabled", layers.boolean),
        base_url=table.take("base_url", layers.url),
        rate_limit=table.take("rate_limit", layers.count),
        concurrency=table.take("concurrency", layers.count),
        timeout=_timeout(table),
        default_models=table.table("default_models").take_all(layers.string),
        priority=table.take("priority", layers.whole),
        options=options(table.table("options")),
        vendor_options={n: one.found for n, one in table.table("vendor_options").tables().items()},
        http=http(table.table("http")),
        policy=policy_of(table.table("policy")),
        rest={
            name: value
            for name, value in table.found.items()
            if name not in _SHARED and value is not None
        },
    )


def _timeout(table: Table) -> dict[str, float | None]:
    given = table.found.get("timeout")
    if isinstance(given, Deadlines):
        return dict(attrs.asdict(given))
    if isinstance(given, Mapping):
        parts = table.table("timeout")
        parts.allow(field.name for field in attrs.fields(Deadlines))
        found = parts.take_all(layers.seconds)
    else:
        total = table.take("timeout", layers.seconds)
        found = {} if total is None else {"total": total}
    return {name: None if value == math.inf else value for name, value in found.items()}


def options(table: Table) -> dict[str, Mapping[str, object]]:
    """
    Return options by modality, checked by the class that makes calls' requests.

    Those of a modality that a plugin brings are kept as written.
    """
    found: dict[str, Mapping[str, object]] = {}
    for name, one in table.tables().items():
        modality = _BUILT_IN.get(name)
        if modality is None:
            found[name] = one.found
            continue
        cls = modality.options_class()
        known = () if cls is None else tuple(field.name for field in attrs.fields(cls))
        one.allow(known, f"option of calls for {name}")
        taken = ((key, one.take(key, partial(_option, cls, key))) for key in known)
        found[name] = {key: value for key, value in taken if value is not None}
    return {name: one for name, one in found.items() if one}


def _option(cls: Any, name: str, value: object) -> object:
    try:
        return getattr(cls(**{name: value}), name)
    except (TypeError, ValueError, RequestError) as error:
        raise layers.WrongValueError(str(error).removeprefix(f"{name}: ")) from None


_BUILT_IN: Final = {one.name: one for one in BUILT_IN}


def http(table: Table) -> HttpSettings:
    """Return what a table about HTTP says."""
    table.allow(_HTTP_KEYS)
    said = {
        name: value
        for name, check in _HTTP_CHECKS.items()
        if (value := table.take(name, check)) is not None
    }
    return HttpSettings(**said)


def plugins(table: Table) -> PluginSettings:
    """Return what the table about plugins says."""
    table.allow(("allow", "autoload", "disable", "lock", "prefer", "use"))
    prefer = table.table("prefer")
    prefer.ids()
    allow = table.take("allow", layers.identifiers)
    return PluginSettings(
        use=table.take("use", layers.identifiers),
        prefer=prefer.take_all(layers.string),
        allow=None if allow is None else frozenset(allow),
        disable=frozenset(table.take("disable", layers.identifiers) or ()),
        autoload=table.take("autoload", layers.boolean),
        lock=_lock(table),
    )


def _lock(table: Table) -> str | None:
    """Return the path of the lock; one that a file names is relative to that file."""
    said = table.take("lock", layers.string)
    if said is None or said == NO_LOCK:
        return said
    folder = os.path.dirname(table.layer.name) if table.layer.text else ""  # noqa: PTH120  # as above
    return os.path.abspath(os.path.join(folder, os.path.expanduser(said)))  # noqa: PTH100, PTH111, PTH118  # as above


def _backend(value: object) -> str:
    if layers.string(value) not in HTTP_BACKENDS:
        message = f"one of {', '.join(HTTP_BACKENDS)} is needed."
        raise layers.WrongValueError(message)
    return str(value)


def _proxy(value: object) -> str:
    if value is False:
        return ""
    given = layers.string(value)
    if given.startswith(REFERENCES):
        return given
    try:
        parts = urlsplit(given)
        is_whole = parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or not given.isprintable() or " " in given:
        message = (
            'the address of a proxy is needed, such as "http://proxy.example.com:3128"; '
            "or a reference to one; or false for none."
        )
        raise layers.WrongValueError(message)
    return given


_PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_HTTP_CHECKS: Final[Mapping[str, Callable[[object], str]]] = {
    "backend": _backend,
    "proxy": _proxy,
    "ca_file": layers.string,
    "cert_file": layers.string,
    "key_file": layers.string,
}
