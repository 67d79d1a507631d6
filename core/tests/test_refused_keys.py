"""A key that the vendor refuses is looked up again, and used if it is another one by now."""

import pytest
from anymodal import Client, Credential, Finish, Message, Registry, Settings, TextDelta, TextResult
from anymodal import errors as e

from .plugins_on_path import Brings

REFUSED = e.AuthenticationError("acme: HTTP 401", status=401)
pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Vendor:
    """Takes one key; remembers which it was shown."""

    def __init__(self, good="new"):
        self.good = good
        self.shown = []

    def connect(self, connection):
        return Connected(self, connection)


class Connected:
    def __init__(self, vendor, connection):
        self._vendor = vendor
        self._connection = connection

    async def _check(self):
        key = await self._connection.required()
        self._vendor.shown.append(key)
        if key != self._vendor.good:
            raise REFUSED.again()

    async def generate(self, request):
        await self._check()
        return TextResult(Message.assistant("yes"), Finish())

    async def stream(self, request):
        await self._check()
        yield TextDelta("yes")
        yield Finish()


@pytest.fixture
def vendor():
    return Vendor()


@pytest.fixture
def file(tmp_path):
    """A file with a key that is no longer the right one."""
    found = tmp_path / "key"
    found.write_text("old")
    return found


def client(vendor, file):
    found = Registry(
        Settings.from_mapping({"providers": {"acme": {"api_key": f"file:{file}"}}}),
        plugins=[Brings(vendor.connect, credentials=[Credential()])],
        distributions=(),
    )
    return Client(registry=found)


async def test_a_key_that_was_changed_meanwhile_is_used(vendor, file):
    """The caller sees an answer, and in the record what it took."""
    async with client(vendor, file) as ai:
        await ai.warm("acme")
        file.write_text("new")
        reply = await ai.text.generate("Hi", model="acme/m-1")
        async with ai.text.stream("Hi", model="acme/m-1") as stream:
            await stream.result()

    assert ["old", "new", "new"] == vendor.shown
    assert [e.AuthenticationError, type(None)] == [type(one.error) for one in reply.record.attempts]


async def test_a_key_that_is_still_the_same_is_not_tried_again(vendor, file):
    """It would be refused again."""
    async with client(vendor, file) as ai:
        with pytest.raises(e.AuthenticationError):
            await ai.text.generate("Hi", model="acme/m-1")

    assert ["old"] == vendor.shown


async def test_another_wrong_key_is_tried_once(vendor, file):
    """A key that changes at every look would be tried for ever."""
    async with client(vendor, file) as ai:
        await ai.warm("acme")
        file.write_text("also wrong")
        with pytest.raises(e.AuthenticationError):
            await ai.text.generate("Hi", model="acme/m-1")

    assert ["old", "also wrong"] == vendor.shown


async def test_refused_while_connecting(vendor, file):
    """Then there is no connection whose key could be another."""

    def connect(connection):
        raise REFUSED.again()

    vendor.connect = connect
    async with client(vendor, file) as ai:
        with pytest.raises(e.AuthenticationError):
            await ai.text.generate("Hi", model="acme/m-1")
