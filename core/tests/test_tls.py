"""Certificates and proxies: whom we trust, what we show, and the way we take."""

from __future__ import annotations

import ssl

import pytest
import trustme
from anymodal import Client, Credential, Finish, Message, Registry, Settings, TextResult
from anymodal import errors as e
from anymodal.connection import Tls
from anymodal.http import read, reply_of_httpx, sdk_client
from anymodal.policies import Policy, Retry
from anymodal.tls import Certificates

from .loopback import Loopback, reply
from .plugins_on_path import Brings

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_proxies", "nothing_dropped")]


@pytest.fixture
def anyio_backend(way):
    return way[0]


@pytest.fixture(scope="module")
def authority():
    """An authority that nobody trusts unless told to."""
    return trustme.CA()


@pytest.fixture
def files(tmp_path, authority):
    """Its certificate, one of its for us, and the key of that."""
    mine = authority.issue_cert("me@acme.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mine.cert_chain_pems[0].write_to_path(tmp_path / "me.pem")
    mine.private_key_pem.write_to_path(tmp_path / "me.key")
    mine.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    (tmp_path / "no.pem").write_text("nothing")
    return tmp_path


def server_context(authority, host="127.0.0.1"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


class Wire:
    """A provider that calls its vendor over whatever library the settings name."""

    def __init__(self, connection):
        self.connection = connection

    async def generate(self, request):
        headers = {"x-key": await self.connection.required()}
        said = await self.connection.http.json("POST", "/x", body={}, headers=headers)
        return TextResult(Message.assistant(said), Finish())


def client_of(url, way, http, *, environ=None, own=None):
    plugin = Brings(Wire, kind="remote", base_url=url, credentials=[Credential()])
    settings = Settings.from_mapping(
        {"http": {"backend": way[1], **http}, "providers": {"acme": {"http": own or {}}}},
        environ={"ACME_API_KEY": "sk-key", **(environ or {})},
    )
    return Client(registry=Registry(settings, plugins=[plugin], distributions=()))


async def said(client):
    async with client as ai:
        return (await ai.text.generate("Hi", model="acme", policy=ONCE)).text


ONCE = Policy(retry=Retry(attempts=1))
YES = reply(b'"yes"', headers=[("content-type", "application/json")])


# -- certificates -----------------------------------------------------------------------------------


async def test_own_authority_is_trusted_where_it_is_named(way, authority, files):
    """Companies have some of their own."""
    with Loopback(YES, tls=server_context(authority)) as server:
        assert "yes" == await said(client_of(server.url, way, {"ca_file": str(files / "ca.pem")}))


async def test_instance_may_trust_another(way, authority, files):
    """The one gateway that needs it, and nothing else."""
    own = {"ca_file": str(files / "ca.pem")}
    with Loopback(YES, tls=server_context(authority)) as server:
        assert "yes" == await said(client_of(server.url, way, {}, own=own))


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "unable to get local issuer certificate"),
        ("acme.example", "IP address mismatch"),
    ],
)
async def test_certificate_that_is_not_trusted_is_told(way, authority, files, host, words):
    """No request is sent, and no key; the error says what is wrong and what to set."""
    http = {"ca_file": str(files / "ca.pem")} if host == "acme.example" else {}
    with Loopback(YES, tls=server_context(authority, host)) as server:
        with pytest.raises(e.ConnectionFailedError) as caught:
            await said(client_of(server.url, way, http))

        assert () == tuple(server.received)
    told = str(caught.value)
    assert "acme: the certificate of its server is not trusted: " in told
    assert words in told
    assert "[http] ca_file" in told


@pytest.mark.parametrize("names", [("me.pem", "me.key"), ("both.pem", None)])
async def test_own_certificate_is_shown_to_servers_that_ask(way, authority, files, names):
    """With its key in a file of its own, or in the same."""
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # which refuses before a request is sent
    authority.configure_trust(context)
    http = {"ca_file": str(files / "ca.pem")}
    shown = {"cert_file": str(files / names[0])}
    if names[1]:
        shown["key_file"] = str(files / names[1])
    with Loopback(YES, tls=context) as server:
        assert "yes" == await said(client_of(server.url, way, {**http, **shown}))
        with pytest.raises(e.ConnectionFailedError):
            await said(client_of(server.url, way, http))


@pytest.mark.parametrize(
    ("http", "words"),
    [
        ({"ca_file": "nowhere.pem"}, "http.ca_file: nowhere.pem cannot be used"),
        ({"ca_file": "no.pem"}, "no.pem cannot be used"),
        ({"cert_file": "no.pem"}, "http.cert_file: "),
        ({"cert_file": "me.pem", "key_file": "no.pem"}, "http.cert_file: "),
        ({"cert_file": "me.pem"}, "http.cert_file: "),
    ],
)
async def test_files_that_cannot_be_used_are_told(way, files, monkeypatch, http, words):
    """Before anything is sent."""
    monkeypatch.chdir(files)
    with pytest.raises(e.ConfigurationError) as caught:
        await said(client_of("https://127.0.0.1:1", way, http))

    assert words in str(caught.value)


def test_key_with_a_password_asks_nobody(files):
    """A server has no terminal to type it at."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
    )

    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hush")
    )
    (files / "locked.key").write_bytes(locked)
    certificates = Certificates(cert_file=str(files / "me.pem"), key_file=str(files / "locked.key"))
    with pytest.raises(e.ConfigurationError, match="the key has a password"):
        Tls().context_for(certificates)


def test_contexts_are_made_once(files):
    """Each takes 16 ms; a home folder is found."""
    tls, own = Tls(), Certificates(ca_file=str(files / "ca.pem"))

    assert tls.context_for(own) is tls.context_for(Certificates(ca_file=str(files / "ca.pem")))
    assert tls.context_for(own) is not tls.context
    assert ssl.CERT_REQUIRED is tls.context_for(own).verify_mode


@pytest.mark.parametrize("way", [("asyncio", "httpx2"), ("trio", "httpx2")], indirect=True)
async def test_clients_for_sdks_trust_and_go_likewise(way, authority, files):
    """What a vendor's SDK is given."""
    context = Tls().context_for(Certificates(ca_file=str(files / "ca.pem")))
    with Loopback(YES, tls=server_context(authority)) as server:
        client = sdk_client(context, proxy="")
        request = client.build_request("GET", server.url)
        found = reply_of_httpx(await client.send(request, stream=True))
        assert b'"yes"' == await read(found, "acme")
        await client.aclose()


# -- proxies ----------------------------------------------------------------------------------------


async def test_proxy_of_the_settings_carries_requests(way):
    """The address stands there, or what refers to it."""
    with Loopback(YES) as proxy:
        http = {"proxy": "env:WORK_PROXY"}
        client = client_of("http://acme.example/v1", way, http, environ={"WORK_PROXY": proxy.url})
        assert "yes" == await said(client)

        assert ["http://acme.example/v1/x"] == [one.target for one in proxy.received]


async def test_instance_may_go_another_way(way):
    """`false` is no proxy at all, whatever else says one."""
    with Loopback(YES) as server:
        client = client_of(server.url, way, {"proxy": "http://127.0.0.1:1"}, own={"proxy": False})
        assert "yes" == await said(client)


async def test_proxy_of_the_environment_gives_way(way, monkeypatch):
    """To what the settings say, be it none."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Loopback(YES) as server:
        assert "yes" == await said(client_of(server.url, way, {"proxy": False}))
        with pytest.raises(e.ConnectionFailedError):
            await said(client_of(server.url, way, {}))


async def test_password_of_a_proxy_goes_to_it_alone(way):
    """And into no error."""
    with Loopback(YES) as proxy:
        address = proxy.url.replace("//", "//me:hush@")
        assert "yes" == await said(client_of("http://acme.example", way, {"proxy": address}))
        (request,) = proxy.received
        assert "Basic bWU6aHVzaA==" == request.headers["proxy-authorization"]
    with pytest.raises(e.ConnectionFailedError) as caught:
        await said(client_of("http://acme.example", way, {"proxy": address}))
    assert "hush" not in f"{caught.value!r}{caught.value.__cause__!r}"


async def test_way_to_vendors_over_tls_is_asked_of_the_proxy(way):
    """It sees a host and a port, and neither path nor key."""
    with Loopback(reply(status=502)) as proxy:
        with pytest.raises(e.AnymodalError):
            await said(client_of("https://acme.example/v1", way, {"proxy": proxy.url}))

        (request,) = proxy.received
    assert ("CONNECT", "acme.example:443") == (request.method, request.target)
    assert "sk-key" not in str(request)


async def test_proxy_that_a_library_cannot_use_is_told(way):
    """Without its password."""
    with pytest.raises(e.ConfigurationError) as caught:
        await said(client_of("http://acme.example", way, {"proxy": "socks5://me:hush@127.0.0.1:1"}))

    assert f"{way[1]} cannot use the proxy" in str(caught.value)
    assert "hush" not in str(caught.value)


async def test_proxy_whose_reference_leads_nowhere_is_told(way):
    """As for keys."""
    with pytest.raises(e.MissingCredentialsError, match=r"http\.proxy: the variable NO is not set"):
        await said(client_of("http://acme.example", way, {"proxy": "env:NO"}))
