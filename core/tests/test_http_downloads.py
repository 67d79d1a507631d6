"""Links in answers: what is fetched, from where, by whom, and what is never done."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
import attrs
import pytest
import trustme
from anymodal import errors as e
from anymodal.http import Http, HttpReply, HttpRequest, LinkTransport, connect_transport
from anymodal.media import Audio, File, Image, Media, Video

from .calling import CONTEXT, KEY, MIB, calling, is_left_alone, packed, zeros
from .loopback import Loopback, Received, Then, chunked, head, reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_proxies", "nothing_dropped")]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
WEB = "93.184.216.34"
"""A public address; what is sent there arrives on loopback."""


@pytest.fixture
def anyio_backend(way):
    return way[0]


@attrs.define
class Rerouted:
    """Carries requests as it is told to, and delivers those for public addresses on loopback."""

    inner: LinkTransport
    places: Mapping[str, str]
    sent: list[HttpRequest] = attrs.Factory(list)

    async def send(self, request: HttpRequest) -> HttpReply:
        self.sent.append(request)
        for place, url in self.places.items():
            if request.url.startswith(place):
                request = attrs.evolve(request, url=url + request.url.removeprefix(place))
        return await self.inner.send(request)

    def proxy_for(self, origin: str) -> str:
        return self.inner.proxy_for(origin)

    async def aclose(self) -> None:
        await self.inner.aclose()


class Names:
    """Finds addresses: those it was given, in turn where there are several answers."""

    def __init__(self, **found: Sequence[Sequence[str]]) -> None:
        self.found = {name.replace("_", "."): list(turns) for name, turns in found.items()}
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        turns = self.found.get(host)
        if turns is None:
            raise OSError
        return turns.pop(0) if len(turns) > 1 else turns[0]


@asynccontextmanager
async def following(
    way, places, names: Callable, *, base_url="https://api.acme.example", tls=CONTEXT, proxy=None
):
    """An `Http` whose links lead where the test says; and what it sent."""
    transport = Rerouted(connect_transport(way[1], tls, proxy=proxy), places)
    try:
        yield (
            Http(provider="acme", base_url=base_url, transport=transport, resolver=names),
            transport.sent,
        )
    finally:
        with anyio.CancelScope(shield=True):
            await transport.aclose()


def names_in(folder):
    return [found.name for found in folder.iterdir()]


def to(location: str, status: int = 302):
    return reply(b"", status, [("location", location)])


# -- the provider's own places ----------------------------------------------------------------


async def test_own_places_are_called_like_other_paths(way):
    """An emulator lies on loopback, and so does what its answers link to; keys go along."""
    with Loopback(reply(PNG, headers=[("content-type", "image/png")])) as server:
        async with calling(server.url + "/v1", way) as http:
            found = await http.download(server.url + "/a.png?b=1", Image, headers={"x-key": KEY})

    (request,) = server.received
    assert found == Image(PNG)
    assert (request.method, request.target) == ("GET", "/a.png?b=1")
    assert request.headers["x-key"] == KEY
    assert request.headers["accept-encoding"] == "identity"


async def test_own_hosts_may_be_named(way):
    """Some vendors answer from hosts that are theirs by name."""
    with Loopback(reply(PNG)) as server:
        names = Names()
        async with following(way, {"https://cdn.acme.example": server.url}, names) as (http, sent):
            found = await http.download(
                "https://cdn.acme.example/a", Image, hosts=["*.acme.example"], headers={"k": "1"}
            )

    assert found.data == PNG
    assert names.asked == []
    assert sent[0].server_name is None
    assert server.received[0].headers["k"] == "1"


async def test_redirects_within_own_places_are_followed(way):
    """Relative ones as well."""

    def answer(request: Received):
        return to("b?c=1") if request.target == "/v1/a" else reply(PNG)

    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            assert (await http.download(server.url + "/v1/a", Image)).data == PNG

    assert [one.target for one in server.received] == ["/v1/a", "/v1/b?c=1"]


# -- elsewhere --------------------------------------------------------------------------------


async def test_elsewhere_the_checked_address_is_called(way):
    """By the name of its host, without keys, on a connection that nobody uses again."""
    names = Names(cdn_example=[[WEB]])
    with Loopback(reply(PNG)) as server:
        async with following(way, {f"http://{WEB}:80": server.url}, names) as (http, sent):
            for _ in range(2):
                found = await http.download(
                    "http://cdn.example/a%2Fb?s=%41%3D", Image, headers={"x-key": KEY}
                )
                assert await is_left_alone(server)

    assert found.data == PNG
    assert names.asked == [("cdn.example", 80)] * 2
    assert sent[0].proxy == ""
    for request in server.received:
        assert request.headers["host"] == "cdn.example"
        assert request.target == "/a%2Fb?s=%41%3D"
        assert {"x-key", "cookie", "authorization"}.isdisjoint(request.headers)
    assert server.accepted == 2


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], [WEB, "10.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["169.254.169.254"]]
)
async def test_hosts_of_private_addresses_are_not_called(way, found):
    """One such address among public ones is enough: it may be the one that is used."""
    async with following(way, {}, Names(cdn_example=[found])) as (http, sent):
        with pytest.raises(e.MalformedReplyError) as caught:
            await http.download("https://cdn.example/a?signature=hush", Image)

    assert str(caught.value) == (
        "acme: a link in its answer leads to cdn.example, which is no public address; "
        "it is not followed"
    )
    assert caught.value.is_lasting
    assert sent == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::1]", "169.254.169.254", "localhost"]
)
async def test_private_addresses_in_links_are_not_called(way, host):
    """However they are spelled, and whoever would look them up."""
    with Loopback(reply(PNG)) as server:
        port = server.url.rpartition(":")[2]
        async with calling("https://api.acme.example", way) as http:
            with pytest.raises(e.MalformedReplyError, match="no public address"):
                await http.download(f"http://{host}:{port}/a", Image)

    assert server.accepted == 0


async def test_a_name_that_changes_its_mind_changes_nothing(way):
    """DNS rebinding: what was checked is what is called, and nobody asks again."""
    names = Names(cdn_example=[[WEB], ["127.0.0.1"]])
    with Loopback(reply(PNG)) as server:
        async with following(way, {f"http://{WEB}:80": server.url}, names) as (http, sent):
            assert (await http.download("http://cdn.example/a", Image)).data == PNG
            assert len(names.asked) == 1
            with pytest.raises(e.MalformedReplyError, match="no public address"):
                await http.download("http://cdn.example/a", Image)

    assert [one.url for one in sent] == [f"http://{WEB}:80/a"]


async def test_redirects_to_private_addresses_are_refused(way):
    """The first hop is public; the second would be the machine's own metadata."""
    names = Names(cdn_example=[[WEB]])
    with Loopback(to("http://169.254.169.254/latest/meta-data/")) as server:
        async with following(way, {f"http://{WEB}:80": server.url}, names) as (http, sent):
            with pytest.raises(e.MalformedReplyError, match=r"169\.254\.169\.254, which is no pub"):
                await http.download("http://cdn.example/a", Image)

    assert len(sent) == 1


async def test_keys_do_not_follow_a_redirect_elsewhere(way):
    """Nor do they come back with one that returns: who sent us there chose the path."""

    def answer(request: Received):
        if request.target == "/a":
            return to("http://cdn.example/b")
        return to(server.url + "/c")

    with Loopback(answer) as server:
        names = Names(cdn_example=[[WEB]])
        places = {f"http://{WEB}:80": server.url}
        async with following(way, places, names, base_url=server.url) as (http, _):
            with pytest.raises(e.MalformedReplyError, match=r"127\.0\.0\.1, which is no public"):
                await http.download(server.url + "/a", Image, headers={"x-key": KEY})

    first, second = server.received
    assert first.headers["x-key"] == KEY
    assert (second.target, "x-key" in second.headers) == ("/b", False)


async def test_redirects_have_an_end(way):
    """Five hops, and a sixth request is the last."""
    with Loopback(to("/again")) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.MalformedReplyError, match="redirected more than 5 times"):
                await http.download(server.url + "/a", Image)

    assert len(server.received) == 6


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://acme.example/b", "is redirected from https to http"),
        ("file:///etc/passwd", "is not followed: only http and https are followed"),
        ("https://me:pw@acme.example/", "is not followed: it has a user in it"),
        ("https://a.example:99999/", "is not followed: it is damaged"),
    ],
)
async def test_odd_redirects_are_refused(way, location, why):
    """Whoever listens would see a signed link; and nothing of the link is in the error."""
    with Loopback(to(location)) as server:
        async with following(way, {"https://api.acme.example": server.url}, Names()) as (http, _):
            with pytest.raises(e.MalformedReplyError) as caught:
                await http.download("https://api.acme.example/a", Image)

    assert str(caught.value) == f"acme: a link in its answer {why}"


async def test_redirects_without_target_are_answers(way):
    """There is nowhere to go."""
    with Loopback(reply(b"", 302)) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.MalformedReplyError, match="HTTP 302"):
                await http.download(server.url + "/a", Image)


async def test_other_addresses_are_tried_where_one_is_silent(way):
    """A host may have an address that this network does not reach."""
    with Loopback(reply(PNG)) as server:
        names = Names(cdn_example=[["2606:4700::1", WEB]])
        places = {"http://[2606:4700::1]:80": "http://127.0.0.1:1", f"http://{WEB}:80": server.url}
        async with following(way, places, names) as (http, sent):
            assert (await http.download("http://cdn.example/a", Image)).data == PNG

    assert [one.url for one in sent] == ["http://[2606:4700::1]:80/a", f"http://{WEB}:80/a"]


async def test_the_last_address_is_the_last(way):
    """The error is that of the connection."""
    names = Names(cdn_example=[[WEB, "1.1.1.1"]])
    places = dict.fromkeys((f"http://{WEB}:80", "http://1.1.1.1:80"), "http://127.0.0.1:1")
    async with following(way, places, names) as (http, sent):
        with pytest.raises(e.ConnectionFailedError) as caught:
            await http.download("http://cdn.example/a", Image)

    assert caught.value.never_sent
    assert len(sent) == 2


async def test_what_was_sent_is_not_sent_again(way):
    """A server that hangs up has had the request."""
    with Loopback([Then.RESET]) as server:
        names = Names(cdn_example=[[WEB, "1.1.1.1"]])
        places = dict.fromkeys((f"http://{WEB}:80", "http://1.1.1.1:80"), server.url)
        async with following(way, places, names) as (http, sent):
            with pytest.raises(e.ConnectionFailedError):
                await http.download("http://cdn.example/a", Image)

    assert len(sent) == 1


@pytest.mark.parametrize("found", [None, []])
async def test_names_that_cannot_be_found(way, found):
    """Nothing was sent, so anything may be tried again."""
    names = Names() if found is None else Names(cdn_example=[found])
    async with following(way, {}, names) as (http, _):
        with pytest.raises(e.ConnectionFailedError) as caught:
            await http.download("https://cdn.example/a", Image)

    assert str(caught.value) == (
        "acme: cdn.example, where a link in its answer leads, cannot be found"
    )
    assert caught.value.never_sent


async def test_looking_up_takes_no_longer_than_connecting(way):
    """A resolver that never answers is a host that cannot be found."""

    async def silent(host: str, port: int) -> Sequence[str]:
        await anyio.sleep_forever()
        raise AssertionError

    async with following(way, {}, silent) as (http, _):
        hasty = attrs.evolve(http, deadlines=attrs.evolve(http.deadlines, connect=0.01))
        with pytest.raises(e.ConnectionFailedError, match="cannot be found"):
            await hasty.download("https://cdn.example/a", Image)


# -- over TLS ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority():
    """An authority that only these tests trust."""
    return trustme.CA()


async def test_the_certificate_is_that_of_the_name(way, authority):
    """The address is called, the name is asked for, and the certificate has to be its own."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("cdn.example").configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    names = Names(cdn_example=[[WEB]], other_example=[[WEB]])
    with Loopback(reply(PNG), tls=context) as server:
        places = {f"https://{WEB}:443": server.url}
        async with following(way, places, names, tls=trusting) as (http, _):
            assert (await http.download("https://cdn.example/a", Image)).data == PNG
            with pytest.raises(e.ConnectionFailedError, match="not trusted") as caught:
                await http.download("https://other.example/a", Image)

    assert asked == ["cdn.example", "other.example"]
    assert caught.value.is_lasting
    assert len(server.received) == 1


# -- proxies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("said_by", ["settings", "environment"])
async def test_a_proxy_looks_names_up_itself(way, monkeypatch, said_by):
    """Behind one, names of the world often cannot be found; and it has rules of its own."""
    names = Names()
    with Loopback(reply(PNG)) as proxy:
        if said_by == "environment":
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
        setting = proxy.url if said_by == "settings" else None
        async with following(way, {}, names, proxy=setting) as (http, sent):
            found = await http.download("http://cdn.example/a", Image, headers={"x-key": KEY})

    (request,) = proxy.received
    assert found.data == PNG
    assert request.target == "http://cdn.example/a"
    assert "x-key" not in request.headers
    assert names.asked == []
    assert sent[0].proxy == proxy.url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "localhost", "intranet", "a.internal"])
async def test_a_proxy_is_not_asked_for_what_is_private(way, host):
    """What a name or an address tells by itself is heeded."""
    with Loopback(reply(PNG)) as proxy:
        async with following(way, {}, Names(), proxy=proxy.url) as (http, _):
            with pytest.raises(e.MalformedReplyError, match="no public address"):
                await http.download(f"http://{host}/a", Image)

    assert proxy.accepted == 0


async def test_hosts_that_no_proxy_exempts_are_checked(way, monkeypatch):
    """Those are called directly, so the rule is ours."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "cdn.example")
    async with following(way, {}, Names(cdn_example=[["10.0.0.1"]])) as (http, sent):
        with pytest.raises(e.MalformedReplyError, match="no public address"):
            await http.download("http://cdn.example/a", Image)

    assert sent == []


# -- what comes -------------------------------------------------------------------------------


async def test_files_are_put_where_they_are_wanted(way, tmp_path):
    """In pieces, replacing what was there, with nothing left beside it."""
    content = PNG + bytes(3 * MIB)
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    with Loopback(chunked([content[:5], content[5:MIB], content[MIB:]])) as server:
        async with calling(server.url, way) as http:
            found = await http.download(server.url + "/a", Image, into=path)

    assert found == Image(path=path, media_type="image/png")
    assert path.read_bytes() == content
    assert names_in(tmp_path) == ["a.png"]


@pytest.mark.parametrize("into", [True, False])
@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([head(200, [("content-length", "3000000")]) + PNG, Then.CLOSE], e.IncompleteError),
        ([head(200, [("content-length", "30")]) + PNG, Then.RESET], e.IncompleteError),
        ([head(200, [("content-length", "3000000")]) + PNG + bytes(2 * MIB), Then.RESET], None),
        (reply(PNG + bytes(3 * MIB)), e.TooLargeError),
        (tuple(chunked([PNG, bytes(2 * MIB), bytes(2 * MIB)])), e.TooLargeError),
        (packed(gzip.compress(PNG) + zeros(8 * MIB)), e.TooLargeError),
        (reply(b""), e.MalformedReplyError),
        (reply(b"<html>please log in</html>"), e.MalformedReplyError),
        (reply(b"\x00\x01", headers=[("content-type", "video/mp4")]), e.MalformedReplyError),
        (reply(b"\x00\x01"), e.MalformedReplyError),
    ],
)
async def test_files_are_complete_or_absent(way, tmp_path, into, steps, error):
    """Whatever goes wrong, what was there before is untouched, and no connection stays open."""
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    with Loopback(steps) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(error or e.IncompleteError):
                await http.download(
                    server.url + "/a", Image, into=path if into else None, limit=3 * MIB
                )
        assert await is_left_alone(server)

    assert path.read_bytes() == b"before"
    assert names_in(tmp_path) == ["a.png"]


async def test_what_is_announced_as_too_large_is_not_read(way):
    """Not a byte of it is asked for."""
    with Loopback([head(200, [("content-length", "5000")]), Then.HOLD]) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.TooLargeError, match="acme: the answer is over 4999 bytes"):
                await http.download(server.url + "/a", Image, limit=4999)
            assert await is_left_alone(server)


async def test_limits_may_be_above_those_of_answers(way, tmp_path):
    """A film on its way to disk is no answer in memory."""
    size = 260 * MIB
    piece = bytes(4 * MIB)
    steps = [head(200, [("content-length", str(size))]) + b"\x1aE\xdf\xa3" + bytes(4 * MIB - 4)]
    with Loopback([*steps, *[piece] * (size // len(piece) - 1)]) as server:
        async with calling(server.url, way) as http:
            found = await http.download(
                server.url + "/a", Video, into=tmp_path / "a.webm", limit=300 * MIB
            )

    assert found.size == size


async def test_cancelling_leaves_nothing(way, tmp_path):
    """Neither half a file nor an open connection."""
    first = head(200, [("content-length", str(9 * MIB))]) + PNG + bytes(2 * MIB)
    with Loopback([first, Then.HOLD]) as server:
        async with calling(server.url, way) as http:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(
                    lambda: http.download(server.url + "/a", Image, into=tmp_path / "a.png")
                )
                with anyio.fail_after(10):
                    while not names_in(tmp_path):
                        await anyio.sleep(0.001)
                tasks.cancel_scope.cancel()
            assert await is_left_alone(server)

    assert names_in(tmp_path) == []


async def test_folders_are_looked_for_first(way, tmp_path):
    """Nothing is fetched that could not be kept."""
    with Loopback(reply(PNG)) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.InvalidRequestError) as caught:
                await http.download(server.url + "/a", Image, into=tmp_path / "no" / "a.png")

    assert caught.value.field == "into"
    assert server.accepted == 0


@pytest.mark.parametrize(
    ("kind", "content", "said", "found"),
    [
        (Image, PNG, "application/octet-stream", "image/png"),
        (Image, PNG, "image/jpeg", "image/png"),
        (Image, b"\x00\x01", "image/x-acme; a=b", "image/x-acme"),
        (Audio, b"\x00\x00\x00\x1cftypisom", "", "audio/mp4"),
        (Video, b"\x00\x00\x00\x1cftypM4A ", "", "video/mp4"),
        (Audio, b"\x1aE\xdf\xa3", "audio/webm", "audio/webm"),
        (File, b"{}", "application/json", "application/json"),
        (File, b"{}", "", "text/plain"),
        (File, PNG, "text/plain", "image/png"),
        (File, b"\x00\x01", "", "application/octet-stream"),
    ],
)
async def test_types_are_what_the_bytes_say(way, kind, content, said, found):
    """Stores of files often say nothing of value; then the bytes do, else what is said."""
    headers = [("content-type", said)] if said else []
    with Loopback(reply(content, headers=headers)) as server:
        async with calling(server.url, way) as http:
            assert await http.download(server.url, kind) == kind(content, media_type=found)


async def test_types_may_be_known(way):
    """Raw samples look like anything."""
    with Loopback(reply(PNG)) as server:
        async with calling(server.url, way) as http:
            found = await http.download(server.url, Audio, media_type="audio/pcm")

    assert found.media_type == "audio/pcm"


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "own", "elsewhere"),
    [
        (401, e.AuthenticationError, e.NotFoundError),
        (403, e.PermissionDeniedError, e.NotFoundError),
        (404, e.NotFoundError, e.NotFoundError),
        (410, e.NotFoundError, e.NotFoundError),
        (429, e.RateLimitedError, e.RateLimitedError),
        (500, e.ServerError, e.ServerError),
        (503, e.OverloadedError, e.OverloadedError),
    ],
)
async def test_statuses_elsewhere_say_nothing_of_our_key(way, status, own, elsewhere):
    """None was sent: a signed link that is refused has expired."""
    names = Names(cdn_example=[[WEB]])
    with Loopback(reply(b"<Error>AccessDenied</Error>", status)) as server:
        places = {f"http://{WEB}:80": server.url}
        async with following(way, places, names, base_url=server.url) as (http, _):
            with pytest.raises(e.VendorError) as here:
                await http.download(server.url + "/a", Image)
            with pytest.raises(e.VendorError) as there:
                await http.download("http://cdn.example/a?signature=hush", Image)

    assert (type(here.value), type(there.value)) == (own, elsewhere)
    assert str(there.value) == (
        f"acme: HTTP {status} (from cdn.example, where a link in its answer leads)"
    )


async def test_headers_are_checked(way):
    """As for every other request."""
    async with calling("http://127.0.0.1:1", way) as http:
        with pytest.raises(e.InvalidRequestError):
            await http.download("http://127.0.0.1:1/", Image, headers={"x": "a\r\nb"})


async def test_transports_that_follow_no_links_say_so(way):
    """One that heeds no address would call whatever it is told to."""

    class Plain:
        async def send(self, request: HttpRequest) -> HttpReply:
            raise AssertionError

        async def aclose(self) -> None:
            raise AssertionError

    http = Http(provider="acme", base_url="http://127.0.0.1:1", transport=Plain())
    with pytest.raises(e.ConfigurationError, match="acme: Plain follows no links"):
        await http.download("http://127.0.0.1:1/", Media)
