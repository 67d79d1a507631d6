"""The provider over a carrier, over HTTP, and as a plugin."""

from __future__ import annotations

import json
import subprocess
import sys

import anymodal_openai_compatible as plugin
import pytest
from anymodal import Connection, Message, ModelSpec, Secret, TextDelta, TextRequest
from anymodal import errors as e
from anymodal_openai_compatible import (
    ChatCodec,
    CompatibleOption,
    CompatibleText,
    Quirks,
    compatible_text,
)

from .loopback import Loopback, answered
from .talk import CHAT_WHOLE, RESPONSE, STREAMS, ask, chunk, frames, joined, taken_apart

pytestmark = pytest.mark.anyio
KEY = "sk-very-secret-0123456789"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Still:
    """A clock that nobody asks."""

    def now(self):
        return 0.0

    async def sleep(self, seconds):
        raise NotImplementedError


class Reply:
    """An answer with its body unread."""

    def __init__(self, chunks, kind="text/event-stream"):
        self.status = 200
        self.headers = {"x-request-id": "req_1", "content-type": kind}
        self.closed = 0
        self._chunks = chunks

    async def chunks(self):
        for piece in self._chunks:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self):
        self.closed += 1


class Carried:
    """A carrier that remembers what it was given."""

    def __init__(self, reply):
        self.reply = reply
        self.sent = []

    async def send(self, method, path, body=None, *, headers, stream=False, connect_seconds=None):
        self.sent.append((method, path, body, headers, stream, connect_seconds))
        return self.reply

    async def aclose(self):
        self.sent.append("closed")


def over(reply):
    """Return a provider over a carrier that brings *reply*, and the carrier."""
    carrier = Carried(reply)
    codec = ChatCodec("acme", Quirks())
    return CompatibleText("acme", carrier, lambda _: codec), carrier


def connection(url="", *, key=KEY, **settings):
    """Return a way to *url*."""
    credentials = {"api_key": Secret(key)} if key else {}
    return Connection(
        provider="openai-compatible",
        instance="mine",
        base_url=url,
        credentials=credentials,
        settings=settings,
        clock=Still(),
    )


async def read(provider, request=None):
    """Return the events of a stream."""
    async with provider.stream(request or ask()) as stream:
        return [event async for event in stream]


async def test_a_stream_is_read_and_closed():
    """The reply is closed with the block, and the request says what it is."""
    provider, carrier = over(Reply([STREAMS["chat"][:50], STREAMS["chat"][50:]]))
    found = await read(provider)

    assert carrier.sent[0][:2] == ("POST", "/chat/completions")
    assert carrier.sent[0][2]["stream"] is True
    assert carrier.sent[0][4:] == (True, 10.0)
    assert carrier.reply.closed == 1
    assert joined(found)["text"] == "Grüße, 世界 🌍"
    assert found[-1].request_id == "req_1"


async def test_leaving_a_stream_early_closes_it():
    """Nobody pays for what nobody reads."""
    provider, carrier = over(Reply([STREAMS["chat"]]))
    async with provider.stream(ask()) as stream:
        await anext(stream)

    assert carrier.reply.closed == 1


async def test_a_stream_that_breaks_hands_on_what_came():
    """The events first, then the error, named as ours."""
    provider, carrier = over(Reply([frames(chunk({"content": "Hi"})), ConnectionResetError()]))
    seen = []
    with pytest.raises(e.ConnectionFailedError, match="acme"):
        async with provider.stream(ask()) as stream:
            async for event in stream:
                seen.append(event)  # noqa: PERF401  # the list must outlive the error

    assert seen == [TextDelta("Hi")]
    assert carrier.reply.closed == 1


async def test_a_server_that_does_not_stream_is_read_whole():
    """Some ignore `stream`; the events are the same."""
    whole = json.dumps(CHAT_WHOLE).encode()
    provider, carrier = over(Reply([whole], "application/json; charset=utf-8"))
    found = await read(provider)

    assert joined(found) == taken_apart(ChatCodec("acme").decode(CHAT_WHOLE, ask(), "req_1"))
    assert carrier.reply.closed >= 1


async def test_an_error_that_comes_with_status_200_instead_of_a_stream():
    """It is known by its content type, and by nothing else."""
    body = json.dumps({"error": {"code": 429, "message": "slow down"}}).encode()
    provider, _ = over(Reply([body], "application/json"))
    with pytest.raises(e.RateLimitedError):
        await read(provider)


async def test_generate_reads_the_answer_in_one_piece():
    """Asking for a stream and gluing it together costs more."""
    provider, carrier = over(Reply([json.dumps(CHAT_WHOLE).encode()], "application/json"))
    result = await provider.generate(ask(options=(CompatibleOption(extra_headers={"X-A": "1"}),)))

    assert result.text == "Grüße, 世界 🌍"
    assert "stream" not in carrier.sent[0][2]
    assert carrier.sent[0][3] == {"x-a": "1"}
    assert carrier.reply.closed >= 1


async def test_an_answer_that_is_no_json_is_malformed():
    """Such as a proxy's page, with status 200."""
    provider, _ = over(Reply([b"<html>"], "text/html"))
    with pytest.raises(e.MalformedReplyError):
        await provider.generate(ask())


@pytest.mark.parametrize("reply", [{}, {"data": {}}, {"data": [{"no": "id"}]}, 7, {"data": [1]}])
async def test_a_list_of_models_of_another_shape_is_malformed(reply):
    """Endpoints differ most in what nobody uses."""
    provider, _ = over(Reply([json.dumps(reply).encode()], "application/json"))
    with pytest.raises(e.MalformedReplyError):
        await provider.list_models()


async def test_models_are_listed_with_what_is_known():
    """Their ids, and the day they stop where the vendor says so."""
    rows = [{"id": "a"}, {"id": "b", "shutdown_date": "2027-01-14"}]
    provider, carrier = over(Reply([json.dumps({"data": rows}).encode()], "application/json"))
    first, second = await provider.list_models()

    assert carrier.sent[0][:3] == ("GET", "/models", None)
    assert (first.id, first.listed, first.lifecycle.state) == ("a", False, "active")
    assert (second.lifecycle.state, str(second.lifecycle.retires_on)) == (
        "deprecated",
        "2027-01-14",
    )


# -- over HTTP ---------------------------------------------------------------------------


async def test_over_http_with_a_key():
    """The key goes as a bearer token, and into no repr."""
    with Loopback(answered(STREAMS["chat"], "text/event-stream")) as server:
        way = connection(server.url, headers={"X-Team": "blue"})
        provider = plugin.connect(way)
        found = await read(provider)
        await provider.aclose()
        await way.aclose()

    (method, path, headers, body), *_ = server.received
    assert (method, path) == ("POST", "/v1/chat/completions")
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["x-team"] == "blue"
    assert json.loads(body)["stream_options"] == {"include_usage": True}
    assert joined(found)["text"] == "Grüße, 世界 🌍"
    assert KEY not in repr(provider) + repr(way)


async def test_over_http_without_a_key():
    """Servers at home want none."""
    with Loopback(answered(json.dumps(RESPONSE).encode())) as server:
        way = connection(server.url, key="", api="responses")
        result = await plugin.connect(way).generate(ask())
        await way.aclose()

    assert "authorization" not in server.received[0][2]
    assert server.received[0][1] == "/v1/responses"
    assert result.text == "Grüße, 世界 🌍"


async def test_a_refusal_over_http_goes_by_its_code():
    """The spec's table reaches the connection by way of the core."""
    body = json.dumps({"error": {"code": "insufficient_quota", "message": f"no, {KEY}"}}).encode()
    with Loopback(answered(body, "application/json", 429)) as server:
        way = connection(server.url)
        way.refine = Quirks().refine
        with pytest.raises(e.QuotaExceededError) as caught:
            await compatible_text(way).generate(ask())
        await way.aclose()

    assert KEY not in str(caught.value)
    assert caught.value.vendor_code == "insufficient_quota"


# -- the plugin ------------------------------------------------------------------------------


def test_importing_the_plugin_costs_next_to_nothing():
    """Forty plugins are imported to list what there is."""
    code = (
        "import sys, anymodal; before = set(sys.modules)\n"
        "import anymodal_openai_compatible\n"
        "new = set(sys.modules) - before\n"
        "heavy = {'json', 'asyncio', 'openai', 'httpx2', 'httpx', 'attrs', 'anyio'}\n"
        "print(len(new), sorted(heavy & new))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, heavy = shown.stdout.split(maxsplit=1)

    assert int(count) <= 10
    assert heavy.strip() == "[]"


def test_every_public_name_is_there():
    """They are imported when they are first used."""
    assert all(getattr(plugin, name) is not None for name in plugin.__all__)
    assert set(plugin.__all__) <= set(dir(plugin))
    with pytest.raises(AttributeError):
        _ = plugin.nothing


def test_the_spec_is_the_same_each_time():
    """Hooks are pure; nothing is connected by looking."""
    (spec,) = plugin.anymodal_text_providers()

    assert [spec] == list(plugin.anymodal_text_providers())
    assert (spec.id, spec.base_url, spec.models, spec.patterns) == (
        "openai-compatible",
        None,
        (),
        (),
    )
    assert [c.required for c in spec.credentials] == [False]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"api": "completions"}, "instances.mine.api: 'completions' is not chat or responses"),
        ({"stream_options": 1}, "instances.mine.stream_options: 1 is not true or false"),
        ({"max_tokens_field": "tokens"}, "max_tokens or max_completion_tokens"),
        ({"headers": "x"}, "instances.mine.headers"),
        ({"headers": {"x": 1}}, "instances.mine.headers"),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(settings, words):
    """At connect, before anything is sent."""
    with pytest.raises(e.SettingsError, match=words):
        plugin.connect(connection("http://127.0.0.1:9/v1", **settings))


def test_a_missing_base_url_and_all_other_faults_are_said_at_once():
    """Nobody wants to be told one by one."""
    with pytest.raises(e.SettingsError) as caught:
        plugin.connect(connection(api="x"))

    assert len(caught.value.faults) == 2
    assert "base_url" in caught.value.faults[0]


def test_settings_become_quirks():
    """A server's habits are said where the server is."""
    way = connection("http://127.0.0.1:9/v1", max_tokens_field="max_completion_tokens")
    codec = plugin.connect(way).choose(ask())
    request = TextRequest(model=ModelSpec(id="m"), messages=(Message.user("Hi"),), max_tokens=5)

    assert codec.encode(request, stream=False)["max_completion_tokens"] == 5
