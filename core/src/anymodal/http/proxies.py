"""Which proxy a request goes through, where the environment is what says so."""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from .. import errors as e

__all__ = ["UNUSABLE_PROXY", "proxy_of", "usable"]

UNUSABLE_PROXY: Final = (
    "{} cannot use the proxy that the settings or the environment name: look at [http] proxy, "
    "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or exempt the host by NO_PROXY."
)


def proxy_of(origin: str) -> str | None:
    """
    Return the proxy that the environment names for *origin*, as httpx finds it.

    aiohttp's own `trust_env` asks two threads before every request, knows no
    ALL_PROXY, and takes credentials for the vendor from a .netrc that nobody
    named (3.14.5, read 2026-11-20).
    """
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  # comes with the libraries

    proxies = getproxies()
    with suppress(ValueError):  # aiohttp says better what is wrong with an address
        parts = urlsplit(origin)
        found = proxies.get(parts.scheme) or proxies.get("all")
        if found and not proxy_bypass(parts.netloc):
            return found if "://" in found else f"http://{found}"
    return None


def usable(proxy: str) -> str:
    """
    Return *proxy*, which aiohttp is to go through.

    Raises:
        ConfigurationError: It is of a kind that aiohttp does not know.
    """
    if proxy.startswith(("http://", "https://")):
        return proxy
    msg = UNUSABLE_PROXY.format("aiohttp")
    raise e.ConfigurationError(msg)
