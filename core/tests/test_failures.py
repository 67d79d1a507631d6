"""Every status, body and broken connection ends as one error of our own tree."""

from __future__ import annotations

import builtins
import datetime as dt
import email.utils
import importlib
import inspect
import json
import math
import socket
import ssl
import traceback
from types import SimpleNamespace

import aiohttp
import httpx2
import pytest
import yarl
from anymodal import Retry
from anymodal import errors as e
from anymodal.failures import STATUS_ERRORS, request_id, status_error, transport_errors
from anymodal.policy.retry import wait_before
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

KEY = "sk-very-secret-0123456789"


def error_of(body: object, status: int = 400, **headers: str) -> e.VendorError:
    """Return what *body* means; an object is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status_error("acme", status, named, content)


# -- statuses -----------------------------------------------------------------------------


def test_every_status_means_something():
    """From the table, or bad request, or the server's; what is no final answer is malformed."""
    for status in (*range(100, 200), *range(300, 1000)):
        error = error_of(b"", status)
        usual = {4: e.BadRequestError, 5: e.ServerError}.get(status // 100, e.MalformedReplyError)

        assert type(error) is STATUS_ERRORS.get(status, usual)
        assert str(error).startswith(f"acme: HTTP {status}")
        assert (error.provider, error.status) == ("acme", status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_say_what_to_do(status):
    """The usual cause is a base URL with http:// or a slash too many."""
    error = status_error("acme", status, {"location": f"http://evil.test/?key={KEY}"}, b"moved")

    assert str(error) == (
        f"acme: HTTP {status}: it redirects, which is not followed; check base_url"
    )


def test_plugins_table_goes_first():
    """A vendor that says 400 for a full context is understood by its plugin."""

    def refine(status, headers, body):
        assert (status, headers, body) == (400, {"x-acme": "1"}, {"error": {"code": "too_long"}})
        return e.ContextLengthError

    content = b'{"error":{"code":"too_long"}}'
    error = status_error("acme", 400, {"x-acme": "1"}, content, refine=refine)

    assert type(error) is e.ContextLengthError
    assert error.vendor_code == "too_long"


def test_plugin_without_an_opinion_leaves_it_to_the_table():
    """None means the usual meaning."""
    error = status_error("acme", 429, {}, b"", refine=lambda *_: None)

    assert type(error) is e.RateLimitedError


def test_redirects_are_no_matter_of_taste():
    """A table of errors cannot make a redirect anything else."""
    error = status_error("acme", 302, {}, b"", refine=lambda *_: e.RateLimitedError)

    assert type(error) is e.MalformedReplyError


# -- bodies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words", "code"),
    [
        ({"error": {"message": "no", "type": "bad", "code": None}}, "no", "bad"),
        ({"error": {"message": "no", "type": "bad", "code": "worse"}}, "no", "worse"),
        ({"error": {"code": 400, "message": "no", "status": "INVALID"}}, "no", "INVALID"),
        ([{"error": {"code": 400, "message": "no", "status": "INVALID"}}], "no", "INVALID"),
        ({"type": "error", "error": {"type": "busy", "message": "no"}}, "no", "busy"),
        ({"error": "no"}, "no", None),
        ({"error": "bad", "message": "no"}, "no", "bad"),
        ({"error": True, "message": "no"}, "no", None),
        ({"message": "no", "code": 7}, "no", "7"),
        ({"detail": "no"}, "no", None),
        ({"detail": {"status": "bad", "message": "no"}}, "no", "bad"),
        ({"detail": [{"loc": ["body", "n"], "msg": "no", "type": "int"}]}, "body.n: no", None),
        ({"detail": [{"msg": "no"}, {"msg": "never"}]}, "no; never", None),
        ({"name": "bad", "errors": ["no", "never"]}, "no; never", "bad"),
        ({"err_code": "bad", "err_msg": "no"}, "no", "bad"),
        ({"title": "Bad", "detail": "no", "status": 400}, "no", "400"),
        ({"status": {"error": "no"}}, "", None),
        ({"message": {"detail": [{"msg": "no"}]}}, "no", None),
        ({"error": {}}, "", None),
        ({}, "", None),
        ([], "", None),
        (None, "", None),
        ("no", "no", None),
        (17, "17", None),
        (b"no\r\nnever", "no never", None),
        (b"", "", None),
        (b"<html><h1>502</h1>", "", None),
        (b"\xef\xbb\xbf\r\n <!doctype html>", "", None),
        (b"\x1b[31mno\x00", "?[31mno?", None),
        (b"\xff\xfe", "\ufffd\ufffd", None),
        (b"[" * 60_000, "[" * 499 + "…", None),
        (b"9" * 60_000, "9" * 499 + "…", None),
    ],
)
def test_vendors_words_are_found(body, words, code):
    """The shapes in use, and what proxies and attackers send in their place."""
    error = error_of(body)

    assert str(error) == "acme: HTTP 400" + (f": {words}" if words else "")
    assert error.vendor_code == code


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["error", "message", "detail", "msg", "loc", "code", "type", "x"]),
            inner,
            max_size=4,
        ),
    ),
)


@given(body=st.one_of(JSON, st.binary(max_size=40)), status=st.integers(400, 599))
def test_no_body_breaks_the_error(body, status):
    """Whatever the vendor says, the status is told, on one line."""
    error = error_of(body, status)

    assert type(error) is STATUS_ERRORS.get(
        status, e.ServerError if status >= 500 else e.BadRequestError
    )
    assert str(error).isprintable()


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": f"bad key {KEY}", "code": KEY}},
        {"error": {"message": "x" * 490 + KEY}},
        [{"msg": f"[{KEY}]"}, {"msg": f"[{KEY}]"}],
        f"Bearer {KEY}\n".encode(),
    ],
)
def test_keys_are_scrubbed_before_words_are_cut(body):
    """A cut through a key would leave its first half."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = status_error(
        "acme", 401, {"x-request-id": KEY}, content, scrub=lambda text: text.replace(KEY, "…")
    )

    assert KEY[:8] not in repr((error, str(error), vars(error)))


# -- headers ------------------------------------------------------------------------------

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"
WEEK = 7 * 86_400.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": " 7 "}, 7.0),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after_ms": "soon", "retry_after": "9"}, 9.0),
        ({"retry_after_ms": "-1", "retry_after": "9"}, 9.0),
        ({"retry_after": "Fri, 20 Nov 2026 10:00:30 GMT", "date": DATE}, 30.0),
        ({"retry_after": "Fri, 20 Nov 2026 10:00:30 -0000", "date": DATE}, 30.0),
        ({"retry_after": "Friday, 20-Nov-26 10:00:30 GMT", "date": DATE}, 30.0),
        ({"retry_after": "Fri, 20 Nov 2026 09:00:00 GMT", "date": DATE}, 0.0),
        ({"retry_after": "Fri, 20 Nov 2099 10:00:00 GMT", "date": DATE}, WEEK),
        ({"retry_after": "Fri, 20 Nov 1999 10:00:00 GMT"}, 0.0),
        ({"retry_after": "1795168800"}, WEEK),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "inf"}, WEEK),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "1e999"}, WEEK),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "Fri, 99 Nov 99999 99:99:99 GMT"}, None),
        ({"retry_after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_or_left(headers, seconds):
    """In seconds, milliseconds or as a date. An absurd wait is a long one, so that nobody asks again at once."""
    assert error_of(b"", 429, **headers).retry_after == seconds


def test_retry_after_without_the_vendors_clock_goes_by_ours():
    """Most answers carry a date; this one does not."""
    then = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    error = error_of(b"", 429, retry_after=email.utils.format_datetime(then, usegmt=True))

    assert math.isclose(error.retry_after, 3600, abs_tol=60)


@given(value=st.one_of(st.text(max_size=40), st.floats().map(str), st.integers().map(str)))
def test_no_retry_after_breaks_the_error(value):
    """A wait is a finite number of seconds, or nothing."""
    seconds = error_of(b"", 429, retry_after=value, retry_after_ms=value).retry_after

    assert seconds is None or 0 <= seconds <= 7 * 86_400


def test_request_id_goes_by_two_names():
    """Support of the vendor asks for it."""
    assert request_id({"x-request-id": "a", "request-id": "b"}) == "a"
    assert request_id({"request-id": "b"}) == "b"
    assert error_of(b"", request_id="b").request_id == "b"
    assert error_of(b"").request_id is None


# -- broken connections -------------------------------------------------------------------

HTTPX = {
    "ConnectTimeout": e.TimedOutError,
    "ReadTimeout": e.TimedOutError,
    "WriteTimeout": e.TimedOutError,
    "PoolTimeout": e.TimedOutError,
    "TimeoutException": e.TimedOutError,
    "UnsupportedProtocol": e.ConfigurationError,
    "InvalidURL": e.ConfigurationError,
    "LocalProtocolError": e.InvalidRequestError,
    "DecodingError": e.MalformedReplyError,
    "TooManyRedirects": e.MalformedReplyError,
}
AIOHTTP = {
    "ServerTimeoutError": e.TimedOutError,
    "ConnectionTimeoutError": e.TimedOutError,
    "SocketTimeoutError": e.TimedOutError,
    "InvalidURL": e.ConfigurationError,
    "InvalidUrlClientError": e.ConfigurationError,
    "InvalidUrlRedirectClientError": e.ConfigurationError,
    "NonHttpUrlClientError": e.ConfigurationError,
    "NonHttpUrlRedirectClientError": e.ConfigurationError,
    "TooManyRedirects": e.MalformedReplyError,
    "ContentTypeError": e.MalformedReplyError,
}


def exceptions_of(library: str, *bases: str) -> list[type[Exception]]:
    """Return the public exceptions of *library* under *bases*."""
    module = importlib.import_module(library)
    roots = tuple(getattr(module, base) for base in bases)
    found = [cls for _, cls in inspect.getmembers(module, inspect.isclass)]
    return [cls for cls in found if issubclass(cls, roots)]


HTTPX_ROOTS = ("TransportError", "DecodingError", "TooManyRedirects", "InvalidURL")
PUBLIC = [
    *((cls, HTTPX) for cls in exceptions_of("httpx2", *HTTPX_ROOTS)),
    *((cls, HTTPX) for cls in exceptions_of("httpx", *HTTPX_ROOTS)),
    *((cls, AIOHTTP) for cls in exceptions_of("aiohttp", "ClientError")),
]
ADDRESS = f"https://api.test/v1?key={KEY}"


def made(cls: type[Exception]) -> Exception:
    """Return an exception as the library would raise it, quoting address and key where it can."""
    if issubclass(cls, aiohttp.ClientResponseError):
        url = yarl.URL(ADDRESS)
        return cls(aiohttp.RequestInfo(url, "GET", CIMultiDictProxy(CIMultiDict()), url), ())
    if issubclass(cls, aiohttp.ClientConnectorCertificateError):
        return cls(SimpleNamespace(host="api.test", port=443, is_ssl=True), ssl.SSLError())
    if issubclass(cls, aiohttp.ClientConnectorError):
        key = SimpleNamespace(host="api.test", port=443, ssl=True, is_ssl=True)
        return cls(key, OSError(111, "refused"))
    if issubclass(cls, aiohttp.ServerFingerprintMismatch):
        return cls(b"expected", b"got", "api.test", 443)
    return cls(ADDRESS)


@pytest.mark.parametrize(("depth", "is_told"), [(0, True), (1, True), (9, True), (10, False)])
def test_certificate_that_is_not_trusted_is_looked_for_among_causes(depth, is_told):
    """Libraries wrap it; a chain that goes in a circle has no end."""
    error = ssl.SSLCertVerificationError(1, "no")
    error.verify_message = "it has expired"
    for _ in range(depth):
        outer = httpx2.ConnectError("broken")
        outer.__cause__ = error
        error = outer
    with pytest.raises(e.ConnectionFailedError) as caught, transport_errors("acme"):
        raise error

    assert ("it has expired" in str(caught.value)) == is_told


def test_certificate_that_is_not_trusted_is_not_tried_again():
    """It will not be another in half a second; nothing was sent, and another vendor may do."""
    untrusted = ssl.SSLCertVerificationError(1, "no")
    untrusted.verify_message = "it has expired"
    for error, wait in ((untrusted, None), (ConnectionRefusedError("no"), 0.25)):
        with pytest.raises(e.ConnectionFailedError) as caught, transport_errors("acme"):
            raise httpx2.ConnectError(str(error)) from error

        found = wait_before(Retry(), caught.value, tried=1, chance=0.5, left=9.0)
        assert (found, caught.value.never_sent) == (wait, True)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ConnectionRefusedError(111, "no"), "its server refuses connections; check base_url"),
        (socket.gaierror(-2, "no"), "the address of its server cannot be found"),
        (ssl.SSLError(1, "no"), "TLS failed on the way to its server; check base_url"),
        (ConnectionResetError(104, "no"), "the connection failed"),
    ],
)
def test_what_failed_on_the_way_is_said(cause, words):
    """A port, a name and a broken line are looked for in different places."""
    with pytest.raises(e.ConnectionFailedError) as caught, transport_errors("acme"):
        raise httpx2.ConnectError(str(cause)) from cause

    assert f"acme: {words}" in str(caught.value)


@pytest.mark.parametrize(
    ("cls", "table"), [pytest.param(c, t, id=f"{c.__module__}.{c.__name__}") for c, t in PUBLIC]
)
def test_every_exception_of_the_libraries_is_translated(cls, table):
    """Also those of versions to come, which the families catch; their words are not repeated."""
    with pytest.raises(e.AnymodalError) as caught, transport_errors("acme"):
        raise made(cls)

    assert type(caught.value) is table.get(cls.__name__, e.ConnectionFailedError)
    assert str(caught.value).startswith("acme: ")
    assert cls.__name__ in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert getattr(caught.value, "provider", "acme") == "acme"


def test_an_error_of_ours_is_taken_out_of_a_group_where_it_is_alone():
    """Libraries wrap one in a task group of theirs; of two, neither is hidden."""
    ours, tasks = e.RateLimitedError("slower"), "tasks"
    with pytest.raises(e.RateLimitedError) as caught, transport_errors("acme"):
        raise ExceptionGroup(tasks, [ExceptionGroup(tasks, [ours])])
    assert ours is caught.value
    assert "acme" == ours.provider
    with pytest.raises(ExceptionGroup) as both, transport_errors("acme"):
        raise ExceptionGroup(tasks, [ours, ValueError("and this")])
    assert 2 == len(both.value.exceptions)


def test_enumeration_found_them():
    """An empty list would prove nothing."""
    names = {cls.__name__ for cls, _ in PUBLIC}

    assert {"ConnectTimeout", "RemoteProtocolError", "ClientPayloadError"} <= names


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("TimeoutError", e.TimedOutError),
        ("OSError", e.ConnectionFailedError),
        ("ConnectionResetError", e.ConnectionFailedError),
        ("BrokenPipeError", e.ConnectionFailedError),
        ("EOFError", e.ConnectionFailedError),
    ],
)
def test_plain_errors_of_sockets_are_translated(name, cls):
    """Some SDKs let them through."""
    with pytest.raises(e.VendorError) as caught, transport_errors("acme"):
        raise getattr(builtins, name)

    assert type(caught.value) is cls


def test_cause_is_kept_unless_it_quotes_the_address():
    """A traceback prints the cause; some vendors want their key in the address."""
    for words, is_kept in (("connection refused", True), (f"url='http://x/?key={KEY}'", False)):
        with pytest.raises(e.ConnectionFailedError) as caught, transport_errors("acme"):
            raise OSError(words)

        assert (caught.value.__cause__ is not None) is is_kept
        assert KEY not in "".join(traceback.format_exception(caught.value))


def test_other_errors_pass():
    """A fault of ours must not look like one of the vendor."""
    with pytest.raises(ZeroDivisionError), transport_errors("acme"):
        _ = 1 / 0


def test_our_own_errors_are_told_whose_they_are():
    """Splitters know no provider; whoever knows one already keeps it."""
    msg = "a line is too long"
    with (
        pytest.raises(e.MalformedReplyError) as caught,
        transport_errors("another"),
        transport_errors("acme"),
    ):
        raise e.MalformedReplyError(msg)

    assert str(caught.value) == "acme: a line is too long"
    assert caught.value.provider == "acme"
