"""WebSockets: what an emulator's author writes, and what goes wrong on purpose."""

import sys
import types

import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import (
    Close,
    Cut,
    Deaf,
    Emulator,
    OnCue,
    RefusedError,
    Reply,
    Reset,
    Rewrite,
    Slow,
    Stall,
    Status,
    emulated,
)
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect


def admit(request):
    if request.received.headers.get("x-key") != "k":
        raise RefusedError(kind="no_key")


def refuse(refused):
    return Reply.json({"why": refused.kind}, status=refused.status)


app = Emulator("acme", refuse=refuse, fail=lambda n: Reply.json({"n": n}, status=n), admit=admit)
left = []


@app.talk("/v1/{room}/echo")
async def echo(request, talk):
    """Say everything back, and who one is."""
    if request.args["room"] == "closed":
        raise RefusedError(kind="no_path")
    while (heard := await talk.receive()) is not None:
        if heard == "refuse":
            raise RefusedError(kind="value")
        if heard == "leave":
            await talk.close(1000, "as you say")
            return
        if heard == "json":
            await talk.send_json({"é": request.args["room"]})
        await talk.send(heard)
    left.append(talk.code)


@pytest.fixture
def vendor():
    module = types.ModuleType("acme_talks")
    module.app = app
    sys.modules["acme_talks"] = module
    left.clear()
    with emulated(EmulatorSpec(provider="acme", app="acme_talks:app", base_path="/v1")) as found:
        yield found
    del sys.modules["acme_talks"]


def opened(vendor, room="r", key="k", **settings):
    url = f"{vendor.base_url}/{room}/echo".replace("http:", "ws:")
    return connect(url, additional_headers={"x-key": key}, proxy=None, **settings)


def test_messages_go_both_ways(vendor):
    """They are recorded with the handshake; a client that has closed has a code."""
    with opened(vendor) as socket:
        socket.send("one")
        socket.send(b"\x00two")
        socket.send("json")
        socket.send(["in ", "pieces"])
        found = [socket.recv(5) for _ in range(5)]
        socket.close(4001)

    assert ["one", b"\x00two", '{"é":"r"}', "json", "in pieces"] == found
    (asked,) = vendor.requests
    assert ["one", b"\x00two", "json", "in pieces"] == asked.messages
    assert "/v1/r/echo" == asked.path
    vendor.stop()
    assert [4001] == left


def test_a_ping_is_answered(vendor):
    """As the protocol has it."""
    with opened(vendor) as socket:
        assert socket.ping().wait(5)


@pytest.mark.parametrize(("room", "key", "status"), [("r", "", 401), ("closed", "k", 404)])
def test_a_refused_handshake_is_an_answer_over_http(vendor, room, key, status):
    """With the vendor's body, by the same rules as any request."""
    with pytest.raises(InvalidStatus) as caught, opened(vendor, room, key):
        pass

    assert status == caught.value.response.status_code
    assert b'"why"' in caught.value.response.body


def test_no_socket_is_served_there(vendor):
    """Nor is a socket a request."""
    with pytest.raises(InvalidStatus, match="404"), connect(
        vendor.base_url.replace("http:", "ws:") + "/other",
        additional_headers={"x-key": "k"}, proxy=None,
    ):  # fmt: skip
        pass


def test_the_emulator_closes(vendor):
    """As it says, or with its words for a refusal."""
    for word, code in (("leave", 1000), ("refuse", 1008)):
        with opened(vendor) as socket:
            socket.send(word)
            with pytest.raises(ConnectionClosed) as caught:
                socket.recv(5)
        assert code == caught.value.rcvd.code
        assert caught.value.rcvd.reason in {"as you say", '{"why":"value"}'}


def test_a_status_instead_of_the_handshake(vendor):
    """Any fault of the beginning is one of the handshake."""
    vendor.script(Status(503))
    with pytest.raises(InvalidStatus, match="503"), opened(vendor):
        pass


@pytest.mark.parametrize("fault", [Reset(), Cut()])
def test_a_connection_that_breaks_before(vendor, fault):
    """Nothing came."""
    vendor.script(fault)
    with pytest.raises((OSError, EOFError, InvalidMessage)) as caught, opened(vendor):
        pass

    assert "status" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Close(1013, "come back later", after=1), 1013),
        (Cut(after_bytes=3), None),
        (Reset(after_bytes=1), None),
        (Rewrite(lambda number, data: data if number == 0 else None), 1000),
    ],
)
def test_a_connection_that_ends_in_between(vendor, fault, code):
    """After the first message, whole."""
    vendor.script(fault)
    with opened(vendor) as socket:
        socket.send("one")
        assert "one" == socket.recv(5)
        with pytest.raises(ConnectionClosed) as caught:  # it may have ended by then
            socket.send("two")
            socket.recv(5)

    assert code == (caught.value.rcvd.code if caught.value.rcvd else None)


def test_a_close_at_once(vendor):
    """After the handshake, before anything is said."""
    vendor.script(Close(4003))
    with opened(vendor) as socket:
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(5)

    assert 4003 == caught.value.rcvd.code


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        (Rewrite(lambda _, data: data.upper()), ["ONE", b"TWO"]),
        (Slow(0.01), ["one", b"two"]),
        (Stall(0.01, after_bytes=3), ["one", b"two"]),
    ],
)
def test_messages_that_come_otherwise(vendor, fault, heard):
    """Changed or late."""
    vendor.script(fault)
    with opened(vendor) as socket:
        socket.send("one")
        socket.send(b"two")
        found = [socket.recv(5), socket.recv(5)]

    assert heard == found


def test_nothing_is_read_for_a_while(vendor):
    """What waits arrives afterwards; so it shows whether a sender is held back."""
    vendor.script(Deaf(0.3, after=1))
    with opened(vendor) as socket:
        socket.send("one")
        assert "one" == socket.recv(5)
        socket.send("two")
        with pytest.raises(TimeoutError):
            socket.recv(0.1)
        assert "two" == socket.recv(5)


def test_a_connection_that_breaks_on_cue(vendor):
    """Not before: a test chooses when, whatever was said by then."""
    cue = OnCue()
    vendor.script(cue)
    with opened(vendor) as socket:
        socket.send("one")
        assert "one" == socket.recv(5)
        cue.go()
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(5)

    assert caught.value.rcvd is None


def test_a_cue_that_never_comes(vendor):
    """All goes well, and its end is that of the conversation."""
    vendor.script(OnCue())
    with opened(vendor) as socket:
        socket.send("leave")
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(5)

    assert 1000 == caught.value.rcvd.code
