"""Keys come out where they are asked for, and nowhere else."""

from __future__ import annotations

import ssl
import sys
import threading

import pytest
from anymodal.connection import REMEMBERED_SECRETS, Connection, Tls, checked_key
from anymodal.errors import BadRequestError, ConfigurationError, MissingCredentialsError
from anymodal.specs import Deadlines, Secret

from .loopback import Loopback, reply

KEY = "sk-very/secret+0123456789"

pytestmark = pytest.mark.usefixtures("no_proxies", "nothing_dropped")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class StoppedClock:
    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        pass


def connection(**settings) -> Connection:
    return Connection(provider="acme", clock=StoppedClock(), **settings)


# -- keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["", KEY + "\n", " " + KEY, KEY + "\t", KEY + "\0", KEY + "é", KEY + "\u200b"]
)
def test_keys_that_no_header_may_have_are_refused(key):
    """Copied with a newline, most often. The message has the place and not the key."""
    with pytest.raises(ConfigurationError, match=r"^ACME_API_KEY: the key ") as caught:
        checked_key(key, "ACME_API_KEY")

    assert KEY not in str(caught.value)


def test_good_keys_pass():
    """Spaces within are allowed: some vendors' are two words."""
    assert checked_key("Key " + KEY, "ACME_API_KEY") == "Key " + KEY


@pytest.mark.anyio
async def test_secrets_are_given_by_name():
    """None where nobody set one."""
    found = connection(credentials={"api_key": Secret(KEY)})

    assert await found.secret() == await found.required() == KEY
    assert await found.secret("project") is None


@pytest.mark.anyio
async def test_sources_are_asked_every_time():
    """Tokens run out."""
    tokens = iter(["one", "two"])

    async def source() -> str:
        return next(tokens)

    found = connection(credentials={"api_key": source})

    assert [await found.secret(), await found.required()] == ["one", "two"]


@pytest.mark.anyio
async def test_what_sources_give_is_checked():
    """A file ends with a newline sooner or later."""

    async def source() -> str:
        return KEY + "\n"

    found = connection(instance="work", credentials={"token": source})
    with pytest.raises(ConfigurationError, match=r"^work\.token: the key has a newline") as caught:
        await found.secret("token")

    assert KEY not in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("instance", "words"),
    [
        ("", r"^acme needs api_key: set it in \[providers.acme\]"),
        ("acme", r"^acme needs api_key: set it in \[providers.acme\]"),
        ("work", r"^work needs api_key: set it in \[instances.work\]"),
    ],
)
async def test_missing_key_says_where_to_set_it(instance, words):
    """In the table of the provider, or of the user's own instance."""
    with pytest.raises(MissingCredentialsError, match=words):
        await connection(instance=instance).required()


# -- scrubbing ----------------------------------------------------------------------------


@pytest.mark.anyio
async def test_used_secrets_are_scrubbed():
    """As they are, and as they stand in a URL; the longest first."""
    longer = KEY + "-and-more"
    found = connection(credentials={"a": Secret(KEY), "b": Secret(longer), "c": Secret("unused")})
    for name in ("a", "b"):
        await found.required(name)

    quoted = KEY.replace("/", "%2F").replace("+", "%2B")
    assert found.scrub(f"{longer} {KEY} ?key={quoted}& unused") == "… … ?key=…& unused"


@pytest.mark.anyio
async def test_remembered_secrets_are_bounded():
    """A source may sign a token for every request; the latest are the ones that come back."""
    count = iter(range(10_000))

    async def source() -> str:
        return f"token-{next(count):05}"

    found = connection(credentials={"api_key": source})
    for _ in range(2 * REMEMBERED_SECRETS):
        await found.secret()

    assert found.scrub(f"token-{REMEMBERED_SECRETS:05}") == "…"
    assert found.scrub(f"token-{2 * REMEMBERED_SECRETS - 1:05}") == "…"
    assert found.scrub(f"token-{REMEMBERED_SECRETS - 1:05}") != "…"


@pytest.mark.anyio
async def test_vendors_that_repeat_the_key_are_scrubbed():
    """From the secret's first use to the error's text."""
    with Loopback(reply(f'{{"error":"bad key {KEY}"}}'.encode(), 400)) as server:
        found = connection(base_url=server.url, credentials={"api_key": Secret(KEY)})
        headers = {"authorization": f"Bearer {await found.required()}"}
        with pytest.raises(BadRequestError, match=r"^acme: HTTP 400: bad key …$"):
            await found.http.json("GET", "/", headers=headers)
        await found.aclose()

    assert server.received[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.anyio
async def test_nothing_prints_a_key():
    """Logs show connections."""
    found = connection(credentials={"api_key": Secret(KEY)})
    await found.required()

    assert KEY not in repr(found)
    assert KEY not in repr(found.http)
    await found.aclose()


# -- http ---------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_http_is_made_when_first_asked_for():
    """And once; it has the connection's address, deadlines and table of errors."""

    def refine(status, headers, body):
        return None

    deadlines = Deadlines(connect=3)
    found = connection(base_url="http://127.0.0.1:1", deadlines=deadlines, refine=refine)
    await found.aclose()  # there is nothing to close
    http = found.http

    assert found.http is http
    assert (http.provider, http.base_url) == ("acme", "http://127.0.0.1:1")
    assert (http.deadlines, http.refine) == (deadlines, refine)
    await found.aclose()


@pytest.mark.anyio
async def test_http_is_made_once_for_many_threads():
    """Providers of several modalities connect at once; a second pool would never be closed."""
    found = connection()
    seen = []
    start = threading.Barrier(8)

    def connect() -> None:
        start.wait()
        seen.append(found.http)

    threads = [threading.Thread(target=connect) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(http) for http in seen}) == 1
    await found.aclose()


def test_library_of_the_settings_is_used():
    """Typed by people, so it may be none."""
    with pytest.raises(ConfigurationError, match="'requests' is none of"):
        connection(http_backend="requests").http  # noqa: B018  # asking is what makes it


def test_tls_context_is_shared_and_verifies():
    """Making one takes 16 ms."""
    tls = Tls()
    one, other = connection(tls=tls), connection(tls=tls)

    assert one.ssl_context is other.ssl_context is tls.context
    assert one.ssl_context.verify_mode is ssl.CERT_REQUIRED
    assert one.ssl_context.check_hostname


def test_tls_without_truststore_trusts_what_openssl_trusts(monkeypatch):
    """It comes with httpx2, which not everybody has."""
    monkeypatch.setitem(sys.modules, "truststore", None)

    assert type(Tls().context) is ssl.SSLContext


KEYED = "sk-secret"
CLOSED = "the vault is closed"


@pytest.mark.anyio
async def test_a_source_that_fails_is_named_and_not_quoted():
    """What it says may hold the key."""

    async def source():
        raise ValueError(KEYED)

    async def ours():
        raise ConfigurationError(CLOSED)

    connection = Connection(
        provider="acme", credentials={"api_key": source, "other": ours}, clock=None
    )
    with pytest.raises(
        ConfigurationError, match=r"acme\.api_key: its source failed \(ValueError\)"
    ) as caught:
        await connection.secret()
    with pytest.raises(ConfigurationError, match="the vault is closed"):
        await connection.secret("other")

    assert caught.value.__cause__ is None
