"""TLS: whom we trust, and what we show."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NoReturn

import attrs

from .errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

__all__ = ["Certificates", "Tls"]


@attrs.frozen(kw_only=True)
class Certificates:
    """
    Certificates beside those of the operating system.

    Attributes:
        ca_file: Authorities to trust as well, in PEM.
        cert_file: What is shown to servers that ask for it, in PEM.
        key_file: Its key, where that is not in the same file.
    """

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


NONE: Final = Certificates()


class Tls:
    """TLS contexts, each made when first needed. Making one takes 16 ms."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[Certificates, ssl.SSLContext] = {}

    @property
    def context(self) -> ssl.SSLContext:
        """The one that trusts what the operating system trusts."""
        return self.context_for(NONE)

    def context_for(self, certificates: Certificates) -> ssl.SSLContext:
        """
        Return the one with *certificates*. It verifies whatever it is told.

        Raises:
            ConfigurationError: A file is not there, or has no certificate or key in it.
        """
        with self._lock:
            found = self._contexts.get(certificates)
            if found is None:
                found = self._contexts[certificates] = _made(certificates)
            return found


def _made(certificates: Certificates) -> ssl.SSLContext:
    context = _trusting()
    if certificates.ca_file is not None:
        path = _whole(certificates.ca_file)
        try:
            context.load_verify_locations(path)
        except OSError as error:  # what ssl raises of a file without certificates is one too
            raise _unusable(path, "ca_file", error) from error
    if certificates.cert_file is not None:
        path = _whole(certificates.cert_file)
        key = certificates.key_file and _whole(certificates.key_file)
        try:
            context.load_cert_chain(path, key, password=_no_password)
        except (OSError, ValueError) as error:
            raise _unusable(path, "cert_file", error) from error
    return context


def _trusting() -> ssl.SSLContext:
    import ssl  # noqa: PLC0415  # 10 ms that a local provider never pays

    try:
        import truststore  # noqa: PLC0415  # comes with httpx2
    except ImportError:
        return ssl.create_default_context()
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _whole(path: str) -> str:
    import os.path  # noqa: PLC0415  # as above

    return os.path.expanduser(path)  # noqa: PTH111  # of a string, for an error that names what was written


def _no_password() -> NoReturn:
    """Keep OpenSSL from asking for one on the terminal."""
    msg = "the key has a password"
    raise ValueError(msg)


def _unusable(path: str, name: str, error: Exception) -> ConfigurationError:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ConfigurationError(f"http.{name}: {path} cannot be used ({why}).")
