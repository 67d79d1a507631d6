"""Where a provider's keys come from: settings, what these refer to, or the vendor's variable."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

from .connection import CredentialSource, checked_key
from .errors import ConfigurationError, MissingCredentialsError
from .specs import Credential, ProviderSpec, ProviderT, Secret

__all__ = ["SecretSource", "credentials_for", "is_ambient", "missing", "reference"]

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

    def get(self, reference: str) -> str | None:
        """Return the key that *reference*, what follows the colon, means; None where there is none."""


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

    Raises:
        MissingCredentialsError: A required one is not set, or one refers to
            what is not there.
        ConfigurationError: One cannot be read, or is no key.
    """
    lack = missing(spec, instance=instance, given=given, environ=environ, ambient=ambient)
    if lack is not None:
        raise lack
    found: dict[str, CredentialSource] = {}
    for credential in spec.credentials:
        value = given.get(credential.name)
        variable = _set_variable(spec, credential, environ) if ambient else None
        if value is not None:
            where = f"{_section(spec, instance)} {credential.name}"
            found[credential.name] = _source(value, where, environ)
        elif variable is not None:
            found[credential.name] = Secret(checked_key(environ[variable], variable))
    return found


def missing(
    spec: ProviderSpec[ProviderT],
    *,
    instance: str,
    given: Mapping[str, object],
    environ: Mapping[str, str],
    ambient: bool,
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
        elif credential.required and not (ambient and _set_variable(spec, credential, environ)):
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


def _source(value: object, where: str, environ: Mapping[str, str]) -> CredentialSource:
    if isinstance(value, str):
        return reference(value, where=where, environ=environ)
    if isinstance(value, Secret):
        return Secret(checked_key(value.reveal(), where))
    if callable(value):
        return cast("CredentialSource", value)
    msg = f"{where}: a string or an async function is needed, not {type(value).__name__}."
    raise ConfigurationError(msg)


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
    try:
        import keyring  # noqa: PLC0415  # an extra
        import keyring.errors  # noqa: PLC0415  # an extra
    except ImportError as error:
        msg = f'{where}: keyring is not installed; run pip install "anymodal[keyring]".'
        raise ConfigurationError(msg) from error
    try:
        value = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        msg = f"{where}: the keyring cannot be read ({type(error).__name__})."
        raise ConfigurationError(msg) from error
    if value is None:
        msg = f"{where}: the keyring has no {name} of {service}."
        raise MissingCredentialsError(msg)
    return value


def _from_command(line: str, where: str, limit: float) -> str:
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
