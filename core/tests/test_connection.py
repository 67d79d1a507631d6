"""What a plugin is given: keys that do not print, one TLS context, one transport."""

import ssl
import subprocess
import sys
import threading

import anyio.to_thread
import pytest
from anymodal.connection import Connection, Tls, checked_key
from anymodal.errors import ConfigurationError, MissingCredentialsError
from anymodal.specs import Secret

KEY = "sk-1234567890"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Clock:
    """A clock that stands still."""

    def now(self):
        return 0.0

    async def sleep(self, seconds):
        raise NotImplementedError


def connection(**more):
    return Connection(
        **{"provider": "acme", "instance": "work", "clock": Clock(), "tls": Tls(), **more}
    )


@pytest.mark.anyio
async def test_secret_is_given_to_the_plugin_and_to_nobody_else():
    """By name; what nobody set is None."""
    found = connection(credentials={"api_key": Secret(KEY)})

    assert await found.secret() == KEY
    assert await found.secret("other") is None
    assert KEY not in repr(found)


@pytest.mark.anyio
async def test_source_is_asked_every_time():
    """Tokens that expire are a function; each of its answers is checked."""
    answers = iter(["one", "two", "bad\n"])

    async def token():
        return next(answers)

    found = connection(credentials={"token": token})

    assert await found.secret("token") == "one"
    assert await found.required("token") == "two"
    with pytest.raises(ConfigurationError, match=r"^work\.token: the key has a newline"):
        await found.secret("token")


@pytest.mark.anyio
async def test_required_key_that_nobody_set_is_named():
    """The setting to set, and the section it stands in."""
    with pytest.raises(MissingCredentialsError) as caught:
        await connection().required()

    assert str(caught.value) == "work needs api_key: set it in [instances.work]."
    with pytest.raises(MissingCredentialsError, match=r"set it in \[providers\.acme\]"):
        await connection(instance="acme").required()


@pytest.mark.anyio
async def test_keys_are_taken_out_of_a_vendors_words():
    """All that were used, wherever they stand; `Incorrect API key provided: sk-…` is common."""
    found = connection(credentials={"api_key": Secret(KEY), "other": Secret("hush")})
    await found.secret()
    await found.secret("other")

    assert found.scrub(f"key {KEY} of hush, {KEY}") == "key … of …, …"
    assert found.scrub("nothing to hide") == "nothing to hide"


@pytest.mark.anyio
async def test_keys_are_taken_out_however_they_are_spelled():
    """In a URL a key is quoted, and one key may begin with another."""
    found = connection(credentials={"a": Secret("sk-1"), "b": Secret("sk-1+2/3")})
    await found.secret("a")
    await found.secret("b")

    assert found.scrub("sk-1+2/3 sk-1%2B2%2F3 sk-1") == "… … …"


@pytest.mark.anyio
async def test_only_the_latest_keys_are_remembered():
    """A token that changes by the minute would otherwise be kept a thousand times a day."""
    count = iter(range(1000))

    async def token():
        return f"token-{next(count)}."

    found = connection(credentials={"token": token, "api_key": Secret(KEY)})
    for _ in range(500):
        await found.secret("token")
        await found.secret()

    assert found.scrub(f"token-499. {KEY}") == "… …"
    assert found.scrub("token-0.") == "token-0."


@pytest.mark.parametrize("value", [KEY, "a b", "~!@#$%^&*()"])
def test_key_that_a_header_can_hold_is_returned(value):
    """Whatever characters a vendor chose."""
    assert checked_key(value, "x") is value


@pytest.mark.parametrize(
    "value", [f"{KEY}\n", f"{KEY}\r", f"\t{KEY}", f" {KEY}", f"{KEY} ", "schlüssel", f"{KEY}\x7f"]
)
def test_key_that_no_header_can_hold_is_refused_without_being_shown(value):
    """A library would say it with the key in the message, or send a header of the attacker's."""
    with pytest.raises(ConfigurationError) as caught:
        checked_key(value, "ACME_KEY")

    assert str(caught.value).startswith("ACME_KEY: the key has a newline, a space at an end")
    assert value.strip() not in str(caught.value)


def test_empty_key_is_refused():
    """A header with nothing behind `Bearer` is refused by vendors in many ways."""
    with pytest.raises(ConfigurationError, match=r"^ACME_KEY: the key is empty\.$"):
        checked_key("", "ACME_KEY")


def test_connection_made_by_hand_needs_a_clock_and_little_else():
    """In a plugin's own tests."""
    found = Connection(provider="acme", clock=Clock())

    assert found.ambient
    assert found.http_backend == "httpx2"
    assert found.tls is not Connection(provider="acme", clock=Clock()).tls


# -- TLS and HTTP -----------------------------------------------------------------------------------


def test_tls_context_is_made_once_and_checks_certificates():
    """Making one takes 16 ms; threads that ask at once get the same."""
    tls = Tls()
    found = []
    threads = [threading.Thread(target=lambda: found.append(tls.context)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert {id(context) for context in found} == {id(tls.context)}
    assert isinstance(tls.context, ssl.SSLContext)
    assert tls.context.check_hostname
    assert tls.context.verify_mode is ssl.CERT_REQUIRED
    assert connection(tls=tls).ssl_context is tls.context


def test_tls_works_without_truststore(monkeypatch):
    """It comes with one HTTP library and not with the others."""
    monkeypatch.setitem(sys.modules, "truststore", None)
    context = Tls().context

    assert type(context) is ssl.SSLContext
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.anyio
async def test_http_is_connected_once_and_closed():
    """With what the connection knows: where to, whose errors, which keys to leave out."""
    found = connection(base_url="http://127.0.0.1:9", credentials={"api_key": Secret(KEY)})
    http = await anyio.to_thread.run_sync(lambda: found.http)
    await found.secret()

    assert found.http is http
    assert http.provider == "acme"
    assert http.base_url == "http://127.0.0.1:9"
    assert http.scrub(KEY) == "…"
    assert http.deadlines is found.deadlines
    await found.aclose()


@pytest.mark.anyio
async def test_closing_what_was_never_opened_is_fine():
    """A provider over an SDK has no `http`."""
    await connection().aclose()


def test_unknown_http_library_is_a_fault_of_the_settings():
    """Said when it is first needed."""
    with pytest.raises(ConfigurationError):
        _ = connection(http_backend="carrier-pigeon").http


def test_importing_the_module_imports_neither_tls_nor_http():
    """A local provider pays for none of them."""
    check = (
        "import sys, anymodal.connection; "
        "sys.exit(len({'ssl', 'httpx2', 'anymodal.http'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
