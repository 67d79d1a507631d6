"""Where a provider's keys come from: settings, what these refer to, or the vendor's variable."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

import attrs

from .connection import CredentialSource, checked_key
from .errors import AnymodalError, ConfigurationError, MissingCredentialsError
from .keyrings import SERVICE, look_up
from .sections import REFERENCES
from .specs import Credential, ProviderSpec, ProviderT, Secret, is_id

__all__ = [
    "SecretSource",
    "checked_sources",
    "credentials_for",
    "is_ambient",
    "missing",
    "reference",
    "variables",
]

COMMAND_SECONDS: Final = 10.0
MAX_FILE_BYTES: Final = 65_536
_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class SecretSource(Protocol):
    """
    A place in which keys are kept, for references of its own.

    Attributes:
        scheme: The word before the colon of its references, such as `acme-vault`.
    """

    @property
    def scheme(self) -> str: ...

    def get(self, reference: str, /) -> str | Awaitable[str | None] | None:
        """
        Return the key that *reference*, what follows the colon, means; None where there is none.

        Asked in a thread when the provider is connected, and again when a key was
        refused. An async method is asked at every request instead.
        """


def checked_sources(sources: Iterable[SecretSource]) -> tuple[SecretSource, ...]:
    """
    Return *sources*, of which none stands for what is ours.

    Raises:
        ConfigurationError: One does, or has no scheme.
    """
    found = tuple(sources)
    for source in found:
        scheme: object = getattr(source, "scheme", None)
        if not isinstance(scheme, str) or not is_id(scheme) or f"{scheme}:" in REFERENCES:
            msg = (
                f"{type(source).__name__} keeps no keys under the scheme {scheme!r}: lower-case "
                f"words joined by hyphens are needed, other than {', '.join(REFERENCES)}."
            )
            raise ConfigurationError(msg)
    return found


@attrs.frozen
class _Asks:
    """A credential that an async source is asked for; equal to another of the same place."""

    source: SecretSource
    reference: str
    where: str

    async def __call__(self) -> str:
        found = await cast("Awaitable[str | None]", self.source.get(self.reference))
        if found is None:
            raise _not_there(self.source, self.reference, self.where)
        return found


def is_ambient(spec: ProviderSpec[ProviderT], instance: str, base_url: str | None) -> bool:
    """
    Whether keys may come from the vendor's variables.

    Only for the provider's own instance, at the vendor's own base URL or where
    none is set: a key that lies in the environment goes nowhere else.
    """
    if instance != spec.id:
        return False
    return base_url is None or (spec.base_url is not None and _same(base_url, spec.base_url))


def _same(one: str, other: str) -> bool:
    found = []
    for url in (one, other):
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
        found.append((parts.scheme, parts.hostname, port, parts.path.rstrip("/"), parts.query))
    return found[0] == found[1]


def credentials_for(
    spec: ProviderSpec[ProviderT],
    *,
    instance: str,
    given: Mapping[str, object],
    environ: Mapping[str, str],
    ambient: bool,
    stored: Collection[str] = (),
    sources: Sequence[SecretSource] = (),
) -> dict[str, CredentialSource]:
    """
    Return what is set of the credentials that *spec* declares, and no others.

    May read files, run commands and ask a keyring, so it belongs into a thread.

    Args:
        spec: The provider.
        instance: Name under which it is configured; the provider's id for its own.
        given: Keys of its settings; they win over variables.
        environ: Variables.
        ambient: Whether the vendor's variables may be used, see `is_ambient`.
        stored: Names of credentials that `anymodal keys` put into the keyring for this
            instance; they are used where neither settings nor variables have one.
        sources: Further places, each for references of its scheme.

    Raises:
        MissingCredentialsError: A required one is not set, or one refers to
            what is not there.
        ConfigurationError: One cannot be read, or is no key.
    """
    lack = missing(
        spec, instance=instance, given=given, environ=environ, ambient=ambient, stored=stored
    )
    if lack is not None:
        raise lack
    found: dict[str, CredentialSource] = {}
    for credential in spec.credentials:
        value = given.get(credential.name)
        variable = _set_variable(spec, credential, environ) if ambient else None
        if value is not None:
            where = f"{_section(spec, instance)} {credential.name}"
            found[credential.name] = _source(value, where, environ, sources)
        elif variable is not None:
            found[credential.name] = Secret(checked_key(environ[variable], variable))
        elif credential.name in stored:
            where = f"anymodal keys set {instance}"
            value = look_up(SERVICE, f"{instance}/{credential.name}", where)
            found[credential.name] = Secret(checked_key(value, where))
    return found


def missing(
    spec: ProviderSpec[ProviderT],
    *,
    instance: str,
    given: Mapping[str, object],
    environ: Mapping[str, str],
    ambient: bool,
    stored: Collection[str] = (),
) -> MissingCredentialsError | None:
    """
    Return what `credentials_for` raises where a required key is set nowhere, else None.

    Reads no file, runs no command and asks no keyring: fit for listings.
    """
    for credential in spec.credentials:
        value = given.get(credential.name)
        if value is not None:
            if isinstance(value, str) and value.startswith("env:"):
                name = value.removeprefix("env:")
                if not environ.get(name):
                    return _unset(name, f"{_section(spec, instance)} {credential.name}")
        elif credential.required and not (
            credential.name in stored or (ambient and _set_variable(spec, credential, environ))
        ):
            return _missing(spec, credential, instance, ambient=ambient)
    return None


def _section(spec: ProviderSpec[ProviderT], instance: str) -> str:
    return f"[{'providers' if instance == spec.id else 'instances'}.{instance}]"


def _variables(spec: ProviderSpec[ProviderT], credential: Credential) -> tuple[str, ...]:
    usual = f"{spec.id}_{credential.name}".upper().replace("-", "_")
    return (*credential.env, usual)


def _set_variable(
    spec: ProviderSpec[ProviderT], credential: Credential, environ: Mapping[str, str]
) -> str | None:
    return next((name for name in _variables(spec, credential) if environ.get(name)), None)


def _missing(
    spec: ProviderSpec[ProviderT],
    credential: Credential,
    instance: str,
    *,
    ambient: bool,
) -> MissingCredentialsError:
    name, variable = credential.name, _variables(spec, credential)[0]
    section = _section(spec, instance)
    what = "an API key" if name == "api_key" else name
    if ambient:
        return MissingCredentialsError(
            f"{instance} needs {what}: set {variable}, or {name} in {section}."
        )
    why = "of a base URL that is not the vendor's" if instance == spec.id else "of a named instance"
    return MissingCredentialsError(
        f"{instance} needs {what}: set {name} in {section}, "
        f'such as {name} = "env:{variable}". The key {why} never comes from the environment unasked.'
    )


def variables(
    spec: ProviderSpec[ProviderT],
    *,
    given: Mapping[str, object],
    environ: Mapping[str, str],
    ambient: bool,
) -> dict[str, str | None]:
    """Return those that have a say in the credentials of *spec*, and what they say."""
    names: list[str] = []
    for credential in spec.credentials:
        value = given.get(credential.name)
        if isinstance(value, str) and value.startswith("env:"):
            names.append(value.removeprefix("env:"))
        elif value is None and ambient:
            names += _variables(spec, credential)
    return {name: environ.get(name) for name in names}


def _source(
    value: object, where: str, environ: Mapping[str, str], sources: Sequence[SecretSource]
) -> CredentialSource:
    if isinstance(value, str):
        scheme, colon, rest = value.partition(":")
        for source in sources:
            if colon and scheme == source.scheme:
                return _from_source(source, rest, where)
        return reference(value, where=where, environ=environ)
    if isinstance(value, Secret):
        return Secret(checked_key(value.reveal(), where))
    if callable(value):
        return cast("CredentialSource", value)
    msg = f"{where}: a string or an async function is needed, not {type(value).__name__}."
    raise ConfigurationError(msg)


def _from_source(source: SecretSource, reference: str, where: str) -> CredentialSource:
    if iscoroutinefunction(source.get):
        return _Asks(source, reference, where)
    try:
        found = source.get(reference)
    except AnymodalError:
        raise
    except Exception as error:  # noqa: BLE001  # a stranger's, whose words may have the key in them
        msg = f"{where}: {source.scheme} cannot be asked ({type(error).__name__})."
        raise ConfigurationError(msg) from None
    if found is None:
        raise _not_there(source, reference, where)
    if not isinstance(found, str):
        msg = f"{where}: {source.scheme} gave {type(found).__name__} and not a string."
        raise ConfigurationError(msg)
    return Secret(checked_key(found, where))


def _not_there(source: SecretSource, reference: str, where: str) -> MissingCredentialsError:
    return MissingCredentialsError(f"{where}: {source.scheme} has no {reference}.")


def reference(
    value: str,
    *,
    where: str,
    environ: Mapping[str, str],
    command_seconds: float = COMMAND_SECONDS,
) -> Secret:
    """
    Return the key that *value* refers to, or is.

    Args:
        value: `env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`, `command:WORDS`
            (run without a shell), or the key itself.
        where: The setting that it is from, for errors.
        environ: Where `env:` looks.
        command_seconds: How long a command may take.

    Raises:
        MissingCredentialsError: What it refers to is not there.
        ConfigurationError: That cannot be read, or is no key.
    """
    match value.partition(":"):
        case "env", ":", name:
            value = _from_environ(name, where, environ)
        case "file", ":", path:
            value = _from_file(path, where)
        case "keyring", ":", path:
            value = _from_keyring(path, where)
        case "command", ":", line:
            value = _from_command(line, where, command_seconds)
    return Secret(checked_key(value, where))


def _from_environ(name: str, where: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if not value:
        raise _unset(name, where)
    return value


def _unset(name: str, where: str) -> MissingCredentialsError:
    return MissingCredentialsError(f"{where}: the variable {name} is not set.")


def _from_file(path: str, where: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        msg = f"{where}: there is no file {path}."
        raise MissingCredentialsError(msg) from None
    except (OSError, RuntimeError, ValueError) as error:
        msg = f"{where}: {path} cannot be read ({type(error).__name__})."
        raise ConfigurationError(msg) from error
    if len(content) > MAX_FILE_BYTES:
        msg = f"{where}: {path} is too long for a key."
        raise ConfigurationError(msg)
    text = content.decode("utf-8", "replace")  # what is no UTF-8 is no key, and said to be none
    return text.removesuffix("\n").removesuffix("\r")


def _from_keyring(path: str, where: str) -> str:
    service, _, name = path.rpartition("/")
    if not service or not name:
        msg = f"{where}: keyring:SERVICE/NAME is needed."
        raise ConfigurationError(msg)
    return look_up(service, name, where)


def _from_command(line: str, where: str, limit: float) -> str:
    import shlex  # noqa: PLC0415  # with what it needs 5 ms, which a listing never pays
    import subprocess  # noqa: PLC0415  # as above

    # Causes are dropped: what subprocess raises has the command and its output in it.
    try:
        words = shlex.split(line)
        ended = subprocess.run(  # noqa: S603  # the user's own words, and no shell
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        msg = f"{where}: {words[0]} took longer than {limit:g} s."
        raise ConfigurationError(msg) from None
    except (OSError, ValueError, IndexError) as error:
        msg = f"{where}: the command cannot be run ({type(error).__name__})."
        raise ConfigurationError(msg) from None
    if ended.returncode != 0:
        msg = f"{where}: {words[0]} ended with status {ended.returncode}."
        raise ConfigurationError(msg)
    return ended.stdout.decode("utf-8", "replace").strip()
