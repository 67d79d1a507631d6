"""What a test may reach, and what it is told where it may not."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading

import anyio
import pytest
import trio
from anymodal import Client, Settings
from anymodal.testing import FakeClient, NetworkForbiddenError, forbid_network
from anymodal.testing.network import _GUARD, Barrier

from .calling import WAYS, calling
from .loopback import Loopback, reply

FAR = ("192.0.2.1", 443)
"""For examples in texts: RFC 5737. Nothing is there, and nothing is sent."""


def told(caught):
    return caught.value.host, caught.value.port


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_plain_socket_is_refused(method):
    """By address and port, before anything is sent."""
    with forbid_network() as barrier, socket.socket() as plain:
        with pytest.raises(NetworkForbiddenError, match=r"192\.0\.2\.1 port 443") as caught:
            getattr(plain, method)(FAR)

    assert FAR == told(caught)
    assert [FAR] == barrier.refused
    assert "network_forbidden" == caught.value.code


def test_datagrams_are_refused():
    """Names are looked up by them too."""
    with forbid_network(), socket.socket(type=socket.SOCK_DGRAM) as plain:
        with pytest.raises(NetworkForbiddenError):
            plain.sendto(b"hello", FAR)
        with pytest.raises(NetworkForbiddenError):
            plain.sendmsg([b"hello"], [], 0, FAR)


@pytest.mark.parametrize(
    "look_up",
    [
        lambda: socket.getaddrinfo("acme.example", 443),
        lambda: socket.getaddrinfo(b"acme.example", "https"),
        lambda: socket.gethostbyname("acme.example"),
        lambda: socket.gethostbyname_ex("acme.example"),
        lambda: socket.gethostbyaddr("192.0.2.1"),
        lambda: socket.getnameinfo(FAR, 0),
    ],
)
def test_names_are_not_looked_up(look_up):
    """Or the network would learn of what is tested."""
    with forbid_network(), pytest.raises(NetworkForbiddenError, match="look up"):
        look_up()


def test_a_name_that_was_imported_before_is_refused():
    """Nothing is replaced, so nothing slips by."""
    imported = socket.getaddrinfo
    with forbid_network():
        assert imported is socket.getaddrinfo
        with pytest.raises(NetworkForbiddenError):
            imported("acme.example", 443)


async def over_asyncio():
    await asyncio.open_connection("acme.example", 443)


async def over_trio():
    await trio.open_tcp_stream("acme.example", 443)


@pytest.mark.parametrize(
    "run", [lambda: asyncio.run(over_asyncio()), lambda: trio.run(over_trio)], ids=["asyncio", "trio"]
)  # fmt: skip
def test_both_event_loops_are_refused(run):
    """The error arrives as it is, naming the name and not an address."""
    with forbid_network(), pytest.raises(NetworkForbiddenError) as caught:
        run()

    assert ("acme.example", 443) == told(caught)


def test_other_threads_are_refused():
    """A vendor's SDK may have some."""
    errors = []

    def call():
        try:
            socket.create_connection(FAR)
        except NetworkForbiddenError as error:
            errors.append(error)

    with forbid_network():
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    assert 1 == len(errors)


@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("host", ["acme.example", "192.0.2.1"])
def test_every_http_library_is_refused(way, host, no_proxies):
    """With our own error, and not one of a vendor that cannot be reached, which is retried."""

    async def call():
        async with calling(f"http://{host}:81", way) as http:
            await http.json("GET", "/")

    with forbid_network(), pytest.raises(NetworkForbiddenError) as caught:
        anyio.run(call, backend=way[0])

    assert (host, 81) == told(caught)


def test_loopback_passes_unless_it_is_not_to():
    """Emulators live there."""
    with Loopback(reply(b"1")) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with forbid_network(allow_loopback=True):
            socket.create_connection((host, int(port))).close()
            assert server.wait_for(lambda: server.accepted)
            assert server.is_left_alone()
            socket.getaddrinfo("localhost", int(port))
            socket.getaddrinfo(None, int(port))
        with forbid_network(allow_loopback=False), pytest.raises(NetworkForbiddenError) as caught:
            socket.create_connection((host, int(port)))

    assert "nothing may be reached" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("LOCALHOST.", True),
        ("::1%lo", True),
        ("", True),
        (None, True),
        ("localhost.acme.example", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1", False),
        ("0.0.0.1", False),
    ],
)
def test_what_is_this_machine(host, passes):
    """And what merely sounds like it."""
    barrier = Barrier()
    if passes:
        barrier.check("socket.connect", (None, (host, 80)))
        barrier.check("socket.gethostbyname", (host,))
    else:
        with pytest.raises(NetworkForbiddenError):
            barrier.check("socket.connect", (None, (host, 80)))


def test_sockets_of_the_file_system_pass():
    """And events of other kinds."""
    barrier = Barrier(allow_loopback=False)
    barrier.check("socket.connect", (None, "/run/some.sock"))
    barrier.check("socket.sendmsg", (None, None))
    barrier.check("socket.bind", (None, FAR))
    one, other = socket.socketpair()
    with forbid_network(allow_loopback=False), one, other:
        one.sendall(b"1")


def test_it_ends_where_the_block_does():
    """Whatever happened inside; nested blocks each for itself."""
    with pytest.raises(ValueError), forbid_network():
        with forbid_network(allow_loopback=False):
            assert 2 == len(_GUARD.barriers)
        assert 1 == len(_GUARD.barriers)
        raise ValueError
    assert [] == _GUARD.barriers
    with socket.socket() as plain:
        plain.settimeout(0.001)
        assert 0 != plain.connect_ex(("127.0.0.1", 1))


def test_one_hook_is_enough():
    """Python keeps them for ever."""
    with forbid_network():
        pass
    with forbid_network():
        assert _GUARD.is_posted
    script = (
        "import sys; hooks = []; sys.addaudithook(lambda event, _: hooks.append(event) "
        "if event == 'sys.addaudithook' else None)\n"
        "from anymodal.testing import forbid_network\n"
        "for _ in range(3):\n with forbid_network(): pass\n"
        "print(len(hooks))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "1" == done.stdout.strip()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_fake_client_needs_no_network(backend):
    """Nor a machine."""

    async def call():
        async with FakeClient(text=["yes"]) as ai:
            return (await ai.text.generate("hi", model="acme/m-1")).text

    with forbid_network(allow_loopback=False) as barrier:
        assert "yes" == anyio.run(call, backend=backend)
    assert [] == barrier.refused


async def _opened():
    async with Client(Settings.empty()):
        pass


def test_a_real_client_that_is_only_opened_goes_nowhere():
    """It connects when it is first asked."""
    with forbid_network(allow_loopback=False) as barrier:
        anyio.run(_opened)
    assert [] == barrier.refused
