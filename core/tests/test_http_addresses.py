"""Which addresses links may lead to, and what of a link is believed."""

from __future__ import annotations

import ipaddress

import pytest
from anymodal.http import Link, is_public
from anymodal.http.addresses import may_be_public, resolved
from hypothesis import given
from hypothesis import strategies as st

PRIVATE = (
    "0.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2600::1%eth0",
    "fec0::1",
    "ff02::1",
    "",
    "acme.example",
    "127.1",
)
PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "64:ff9b::808:808",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address):
    """Loopback, private, link-local, metadata, and each of them in other clothes."""
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are(address):
    """The neighbours of every range among them."""
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_the_rule_is_no_laxer_than_that_of_python(address):
    """What the standard library calls private is refused, in IPv6's clothes as well."""
    number = int(address)
    dressed = [
        ipaddress.IPv6Address(number),
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        ipaddress.IPv6Address(0x2002 << 112 | number << 80),
    ]
    translated = ipaddress.IPv6Address((0x64FF9B << 96) | number)

    assert not any(is_public(str(one)) for one in dressed)
    assert is_public(str(translated)) == is_public(str(address))
    if not address.is_global or address.is_multicast:
        assert not is_public(str(address))


@given(st.ip_addresses(v=6))
def test_the_rule_for_ipv6_is_no_laxer_either(address):
    """What is not global by the book is not by us."""
    if not address.is_global or address.is_multicast:
        assert not is_public(str(address))


@pytest.mark.parametrize(
    ("host", "may"),
    [
        ("acme.example.com", True),
        ("8.8.8.8", True),
        ("2606:4700::1", True),
        ("127.0.0.1", False),
        ("127.1", False),
        ("2130706433", False),
        ("0x7f000001", False),
        ("0177.0.0.1", False),
        ("::1", False),
        ("localhost", False),
        ("a.localhost", False),
        ("printer.local", False),
        ("metadata.google.internal", False),
        ("intranet", False),
    ],
)
def test_names_tell_what_they_can(host, may):
    """The odd spellings of IPv4 are what resolvers make of them."""
    assert may_be_public(host) == may


@pytest.mark.parametrize(
    ("url", "host", "port", "found"),
    [
        ("http://acme.example", "acme.example", 80, "http://acme.example/"),
        ("HTTPS://ACME.example./a?b#c", "acme.example", 443, "https://acme.example/a?b"),
        ("https://a_b.example:443/", "a_b.example", 443, "https://a_b.example/"),
        ("https://a.example:8443/x", "a.example", 8443, "https://a.example:8443/x"),
        ("http://[2606:4700::1]:81/x", "2606:4700::1", 81, "http://[2606:4700::1]:81/x"),
        (
            "https://a.example/a%2Fb/é ü?s=%41+%2B/=&t=a:b",
            "a.example",
            443,
            "https://a.example/a%2Fb/%C3%A9%20%C3%BC?s=%41+%2B/=&t=a:b",
        ),
    ],
)
def test_links_are_put_together_again(url, host, port, found):
    """What is signed stays as it was signed: nothing that was quoted is touched."""
    link = Link.read(url)

    assert (link.host, link.port, link.url) == (host, port, found)
    assert Link.read(found) == link


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://a.example/x", "only http and https are followed"),
        ("file:///etc/passwd", "only http and https are followed"),
        ("//a.example/x", "only http and https are followed"),
        ("a.example/x", "only http and https are followed"),
        ("", "only http and https are followed"),
        ("http://me:pw@a.example/", "it has a user in it"),
        ("http://a.example@b.example/", "it has a user in it"),
        ("http:///x", "it names no host"),
        ("http://:80/x", "it names no host"),
        ("http://a.example:0/x", "it names no host"),
        ("http://bücher.example/", "it names no host"),
        ("http://a%2eexample/", "it names no host"),
        ("http://a b.example/", "it names no host"),
        ("http://.a.example/", "it names no host"),
        ("http://[fe80::1%25eth0]/", "it names no host"),
        ("http://[v1.x]/", "it names no host"),
        ("http://a.example:99999/", "it is damaged"),
        ("http://a.example:x/", "it is damaged"),
        ("http://[::1/", "it is damaged"),
        ("http://a.example\\@127.0.0.1/", "it has a character that no URL may have"),
        ("http://a.example/\r\nx: 1", "it has a character that no URL may have"),
        ("http://a.exa\tmple/", "it has a character that no URL may have"),
        ("http://a.example/\ud800", "it has a character that no URL may have"),
    ],
)
def test_odd_links_are_not_followed(url, why):
    """Where two parsers might differ, neither is asked."""
    with pytest.raises(ValueError, match=f"^{why}$"):
        Link.read(url)


@given(st.text(max_size=40).map("http://a.example/{}".format) | st.text(max_size=60))
def test_links_are_read_or_refused(url):
    """Whatever a vendor writes; and what is read once reads the same again."""
    try:
        link = Link.read(url)
    except ValueError:
        return

    assert link.url.isascii()
    assert Link.read(link.url) == link


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://acme.example/x", True),
        ("https://acme.example:443/x", True),
        ("http://127.0.0.1:9000/x", True),
        ("https://cdn.acme.example/x", True),
        ("https://a.b.acme.example/x", True),
        ("https://files.example/x", True),
        ("http://acme.example/x", False),
        ("https://acme.example:8443/x", False),
        ("http://127.0.0.1:9001/x", False),
        ("https://127.0.0.1:9000/x", False),
        ("http://localhost:9000/x", False),
        ("https://evilacme.example/x", False),
        ("http://cdn.acme.example/x", False),
        ("https://files.example.evil.example/x", False),
        ("https://a.files.example/x", False),
    ],
)
def test_own_places_are_few(url, is_own):
    """Keys go there, so neither another port nor plain http nor a look-alike is one."""
    places = (
        "https://ACME.example/v1",
        "http://127.0.0.1:9000/acme/v1",
        "*.acme.example",
        "Files.example",
        "http://[::1",
        "",
    )

    assert Link.read(url).is_among(places) == is_own


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_the_operating_system_is_asked(anyio_backend):
    """It takes odd spellings for what they are, each address once."""
    assert await resolved("127.0.0.1", 80) == ["127.0.0.1"]
    assert await resolved("0x7f.1", 80) == ["127.0.0.1"]
