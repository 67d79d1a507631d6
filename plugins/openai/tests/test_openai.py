"""OpenAI over the vendor's SDK: what goes out, what comes back, what never leaks."""

from __future__ import annotations

import json
import subprocess
import sys

import anymodal_openai as plugin
import httpx2
import openai
import pytest
from anymodal import (
    Audio,
    Connection,
    Finish,
    LiveModel,
    Message,
    Secret,
    TextDelta,
    TextRequest,
    ToolSpec,
)
from anymodal import errors as e
from anymodal.modalities.text import WebSearch
from anymodal_openai import OpenAIText
from anymodal_openai.models import MODELS, REFUSED_EFFORTS
from anymodal_openai.quirks import QUIRKS
from anymodal_openai.sdk import SDK_ERRORS, translated
from anymodal_openai.text import needs_chat
from anymodal_openai_compatible import CompatibleOption
from anymodal_openai_compatible.quirks import CODES
from inline_snapshot import snapshot
from openai.types.responses.response_error import ResponseError

from .loopback import Loopback, answered

pytestmark = pytest.mark.anyio
KEY = "sk-proj-very-secret-0123456789"
ENVIRONMENT = {
    "OPENAI_API_KEY": "sk-ambient",
    "OPENAI_ADMIN_KEY": "sk-admin-ambient",
    "OPENAI_ORG_ID": "org-ambient",
    "OPENAI_PROJECT_ID": "proj-ambient",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/ambient",
    "OPENAI_WEBHOOK_SECRET": "whsec-ambient",
    "OPENAI_CUSTOM_HEADERS": (
        "X-Ambient: x-ambient\n"
        "authorization: Bearer auth-ambient\n"
        "Content-Type: text/ambient\n"
        "accept: text/ambient\n"
        "USER-AGENT: agent-ambient\n"
        "openai-organization: org2-ambient\n"
        ": empty-ambient\n"
        "no colon ambient"
    ),
}
REPLY = {
    "id": "resp_1",
    "status": "completed",
    "model": "gpt-6.1-sol",
    "output": [
        {
            "type": "message",
            "content": [{"type": "output_text", "text": "Salut", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
STREAM = b"".join(
    f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n".encode()
    for frame in (
        {"type": "response.created", "response": {}},
        {"type": "response.output_text.delta", "delta": "Sal"},
        {"type": "response.output_text.delta", "delta": "ut"},
        {"type": "response.completed", "response": REPLY},
    )
)
NAMES = ("x-request-id", "req_1")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Still:
    """A clock that nobody asks."""

    def now(self):
        return 0.0

    async def sleep(self, seconds):
        raise NotImplementedError


def connection(url="http://127.0.0.1:9/v1", **credentials):
    """Return a way to *url*."""
    return Connection(
        provider="openai",
        instance="openai",
        base_url=url,
        credentials={"api_key": Secret(KEY), **credentials},
        clock=Still(),
        refine=QUIRKS.refine,
    )


def model(name="gpt-6.1-sol"):
    """Return the spec of a model of the table."""
    return next(model for model in MODELS if model.id == name)


def ask(*parts, name="gpt-6.1-sol", **settings):
    """Return a request with one user's turn."""
    return TextRequest(
        model=model(name), messages=(Message.user(*(parts or ("Hello",))),), **settings
    )


def body(**settings):
    """Return the body that would be sent, and the warnings."""
    request = ask(**settings)
    codec = plugin.connect(connection()).choose(request)
    return codec.encode(request, stream=False), [(w.setting, w.message) for w in request.warnings]


# -- over the SDK ------------------------------------------------------------------------


async def test_generate_over_the_sdk():
    """One request, with the key, and with nothing that nobody asked for."""
    with Loopback(answered(json.dumps(REPLY).encode(), "application/json", 200, NAMES)) as server:
        provider = plugin.connect(connection(server.url))
        result = await provider.generate(ask())
        await provider.aclose()

    ((method, path, headers, sent),) = server.received
    assert (method, path) == ("POST", "/v1/responses")
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["user-agent"].startswith("AsyncOpenAI/Python 3.")
    assert set(headers) == {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-stainless-retry-count",
    }
    assert json.loads(sent) == {
        "model": "gpt-6.1-sol",
        "input": [{"role": "user", "content": "Hello"}],
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert (result.text, result.finish.request_id) == ("Salut", "req_1")
    assert result.usage.total_tokens == 5


async def test_stream_over_the_sdk():
    """The SDK's own stream is never built: its bytes are read as they come."""
    with Loopback(answered(STREAM, "text/event-stream", 200, NAMES)) as server:
        provider = plugin.connect(connection(server.url))
        async with provider.stream(ask()) as stream:
            found = [event async for event in stream]
        await provider.aclose()

    assert server.received[0][2]["accept"] == "text/event-stream"
    assert json.loads(server.received[0][3])["stream"] is True
    assert found[:2] == [TextDelta("Sal"), TextDelta("ut")]
    assert isinstance(found[2], Finish)
    assert found[2].request_id == "req_1"


async def test_models_over_the_sdk():
    """The vendor says when a model stops."""
    rows = {"data": [{"id": "gpt-6-luna", "shutdown_date": None}]}
    with Loopback(answered(json.dumps(rows).encode())) as server:
        provider = plugin.connect(connection(server.url))
        (found,) = await provider.list_models()
        await provider.aclose()

    assert server.received[0][:2] == ("GET", "/v1/models")
    assert found == LiveModel(id="gpt-6-luna", modality="text", source="the vendor's own list")


async def test_tokens_are_counted_by_the_vendor():
    """With what the prompt is made of, and nothing that the count refuses."""
    reply = {"object": "response.input_tokens", "input_tokens": 11}
    rate = ToolSpec(name="rate")
    option = OpenAIText(service_tier="flex", extra_headers={"X-Mine": "1"})
    with Loopback(answered(json.dumps(reply).encode())) as server:
        provider = plugin.connect(connection(server.url))
        asked = ask(system="Be brief.", tools=(rate,), max_tokens=99, options=(option,))
        counted = await provider.count_tokens(asked)
        with pytest.raises(e.UnsupportedFeatureError, match="estimate"):
            await provider.count_tokens(ask(name="gpt-audio-1.5"))
        await provider.aclose()

    ((method, path, headers, sent),) = server.received
    assert (11, "POST", "/v1/responses/input_tokens") == (counted, method, path)
    assert "1" == headers["x-mine"]
    assert {"model", "input", "instructions", "tools"} == json.loads(sent).keys()


@pytest.mark.parametrize("reply", [{}, [], {"input_tokens": "many"}, {"input_tokens": None}])
async def test_a_count_that_is_none_is_malformed(reply):
    """The error names the vendor."""
    with Loopback(answered(json.dumps(reply).encode())) as server:
        provider = plugin.connect(connection(server.url))
        with pytest.raises(e.MalformedReplyError, match="openai"):
            await provider.count_tokens(ask())
        await provider.aclose()


async def test_nothing_of_the_environment_leaks(monkeypatch):
    """The SDK would send all of it to any host; a named instance must send none of it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with Loopback(answered(json.dumps(REPLY).encode())) as server:
        provider = plugin.connect(connection(server.url))
        await provider.generate(ask())
        with pytest.raises(e.MalformedReplyError):
            await provider.list_models()
        await provider.aclose()

    assert len(server.received) == 2
    for _, _, headers, sent in server.received:
        assert "ambient" not in str(headers) + sent.decode()
        assert headers["authorization"] == f"Bearer {KEY}"
        assert headers["user-agent"].startswith("AsyncOpenAI/Python 3.")
    assert server.received[0][2]["content-type"] == "application/json"


async def test_organization_and_project_go_where_they_are_given():
    """The core gives them where ambient keys are allowed, or where settings have them."""
    way = {"organization": Secret("org-1"), "project": Secret("proj-1")}
    with Loopback(answered(json.dumps(REPLY).encode())) as server:
        provider = plugin.connect(connection(server.url, **way))
        await provider.generate(ask())
        await provider.aclose()

    headers = server.received[0][2]
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-1")


async def test_the_key_is_asked_for_at_each_request():
    """Keys that expire are renewed without a new connection."""
    keys = iter(["sk-one", "sk-two"])

    async def source():
        return next(keys)

    with Loopback(answered(json.dumps(REPLY).encode())) as server:
        provider = plugin.connect(connection(server.url, api_key=source))
        await provider.generate(ask())
        await provider.generate(ask())
        await provider.aclose()

    sent = [headers["authorization"] for _, _, headers, _ in server.received]
    assert sent == ["Bearer sk-one", "Bearer sk-two"]


async def test_options_reach_the_wire():
    """And headers with them."""
    option = OpenAIText(service_tier="flex", extra_headers={"X-Trace": "1"})
    with Loopback(answered(json.dumps(REPLY).encode())) as server:
        provider = plugin.connect(connection(server.url))
        await provider.generate(ask(options=(option, CompatibleOption(top_k=3))))
        await provider.aclose()

    _, _, headers, sent = server.received[0]
    assert headers["x-trace"] == "1"
    assert json.loads(sent)["service_tier"] == "flex"
    assert "top_k" not in json.loads(sent)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (307, None, e.MalformedReplyError),
        (400, None, e.BadRequestError),
        (400, "context_length_exceeded", e.ContextLengthError),
        (400, "invalid_prompt", e.ContentFilteredError),
        (401, "invalid_api_key", e.AuthenticationError),
        (403, None, e.PermissionDeniedError),
        (404, "model_not_found", e.NotFoundError),
        (408, None, e.TimedOutError),
        (409, None, e.BadRequestError),
        (413, None, e.TooLargeError),
        (422, None, e.BadRequestError),
        (429, "rate_limit_exceeded", e.RateLimitedError),
        (429, "insufficient_quota", e.QuotaExceededError),
        (500, None, e.ServerError),
        (503, None, e.OverloadedError),
    ],
)
async def test_a_refusal_is_one_error_and_one_request(status, code, kind):
    """Retrying is the core's; the SDK's own is off."""
    words = {"error": {"message": f"No, {KEY}.", "type": "t", "code": code}}
    more = (NAMES, ("retry-after", "7"))
    with Loopback(
        answered(json.dumps(words).encode(), "application/json", status, *more)
    ) as server:
        provider = plugin.connect(connection(server.url))
        with pytest.raises(e.VendorError) as caught:
            await provider.generate(ask())
        await provider.aclose()

    assert type(caught.value) is kind
    assert len(server.received) == 1
    assert (caught.value.status, caught.value.request_id) == (status, "req_1")
    assert caught.value.retry_after == 7
    assert KEY not in str(caught.value)


async def test_no_connection_is_an_error_of_ours():
    """With the SDK's as its cause."""
    provider = plugin.connect(connection("http://127.0.0.1:1/v1"))
    with pytest.raises(e.ConnectionFailedError, match="openai") as caught:
        await provider.generate(ask())
    await provider.aclose()

    assert isinstance(caught.value.__cause__, openai.APIConnectionError)


@pytest.mark.parametrize(
    "options",
    [
        {"extra_body": {"x": float("nan")}},
        {"extra_body": {"x": object()}},
        {"extra_headers": {"x-a": "two\nlines"}},
    ],
)
async def test_what_cannot_be_written_is_the_callers_error(options):
    """Nothing was sent."""
    with Loopback(answered(b"{}")) as server:
        provider = plugin.connect(connection(server.url))
        with pytest.raises(e.InvalidRequestError):
            await provider.generate(ask(options=(OpenAIText(**options),)))
        await provider.aclose()

    assert server.received == []


# -- exceptions of the SDK -------------------------------------------------------------------

NEVER_RAISED = {
    openai.LengthFinishReasonError: "only by parse() of chat.completions",
    openai.ContentFilterFinishReasonError: "only by parse() of chat.completions",
    openai.WebSocketQueueFullError: "only by the SDK's own WebSockets",
    openai.WebSocketConnectionClosedError: "only by the SDK's own WebSockets",
    openai.InvalidWebhookSignatureError: "only by webhooks.unwrap()",
}
REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/responses")


def raised(kind):
    """Return an exception of *kind*, as the SDK would make it."""
    response = httpx2.Response(getattr(kind, "status_code", 500), request=REQUEST, content=b"{}")
    for base, made in (
        (openai.OAuthError, lambda: kind(response=response, body=None)),
        (openai.APIStatusError, lambda: kind("No.", response=response, body=None)),
        (openai.APITimeoutError, lambda: kind(REQUEST)),
        (openai.APIConnectionError, lambda: kind(request=REQUEST)),
        (openai.APIResponseValidationError, lambda: kind(response, None)),
        (openai.APIError, lambda: kind("No.", REQUEST, body=None)),
    ):
        if issubclass(kind, base):
            return made()
    return kind("No.")


def test_each_exception_of_the_sdk_has_a_meaning():
    """A new one is seen here before it is seen in production."""
    public = [getattr(openai, name) for name in openai.__all__]
    errors = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Exception)}
    meanings = {
        kind.__name__: type(translated(raised(kind), connection())).__name__
        for kind in errors - set(NEVER_RAISED)
    }

    assert set(NEVER_RAISED) <= errors
    assert dict(sorted(meanings.items())) == snapshot(
        {
            "APIConnectionError": "ConnectionFailedError",
            "APIError": "ServerError",
            "APIResponseValidationError": "MalformedReplyError",
            "APIStatusError": "ServerError",
            "APITimeoutError": "TimedOutError",
            "AuthenticationError": "AuthenticationError",
            "BadRequestError": "BadRequestError",
            "ConflictError": "BadRequestError",
            "InternalServerError": "ServerError",
            "NotFoundError": "NotFoundError",
            "OAuthError": "AuthenticationError",
            "OpenAIError": "ConfigurationError",
            "PermissionDeniedError": "PermissionDeniedError",
            "RateLimitError": "RateLimitedError",
            "UnprocessableEntityError": "BadRequestError",
        }
    )
    assert {row[0] for row in SDK_ERRORS} <= errors


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (httpx2.ConnectTimeout("x"), e.TimedOutError),
        (httpx2.ReadError("x"), e.ConnectionFailedError),
        (httpx2.LocalProtocolError("x"), e.InvalidRequestError),
        (ConnectionResetError("x"), e.ConnectionFailedError),
        (KeyError("x"), e.ConnectionFailedError),
    ],
)
def test_a_failed_connection_means_what_its_cause_means(cause, kind):
    """The SDK knows two kinds; the transport knows more."""
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = cause

    assert type(translated(error, connection())) is kind


def test_each_code_that_the_vendor_documents_has_a_meaning():
    """The SDK's own list, so that a new code is seen here before it is seen in production."""
    documented = ResponseError.model_fields["code"].annotation.__args__

    assert set(documented) <= set(CODES)


# -- the body ------------------------------------------------------------------------------


def test_every_option_on_responses():
    """Each in its place."""
    option = OpenAIText(
        service_tier="flex",
        verbosity="low",
        reasoning_summary="auto",
        reasoning_mode="pro",
        prompt_cache_key="k",
        prompt_cache_retention="24h",
        safety_identifier="u",
        parallel_tool_calls=False,
        metadata={"a": "b"},
        store=True,
        previous_response_id="resp_0",
        truncation="auto",
    )
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    search = WebSearch(max_uses=2, domains=["a.example"], blocked_domains=["b"], country="FR")
    found = body(
        options=(option,), reasoning="low", end_user="other", schema=schema, web_search=search
    )

    assert found == snapshot(
        (
            {
                "model": "gpt-6.1-sol",
                "input": [{"role": "user", "content": "Hello"}],
                "tools": [
                    {
                        "type": "web_search",
                        "filters": {"allowed_domains": ["a.example"]},
                        "user_location": {"type": "approximate", "country": "FR"},
                    }
                ],
                "max_tool_calls": 2,
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "answer",
                        "schema": {
                            "type": "object",
                            "properties": {},
                            "required": [],
                            "additionalProperties": False,
                        },
                        "strict": True,
                    },
                    "verbosity": "low",
                },
                "reasoning": {"effort": "low", "summary": "auto", "mode": "pro"},
                "safety_identifier": "u",
                "store": True,
                "service_tier": "flex",
                "prompt_cache_key": "k",
                "prompt_cache_retention": "24h",
                "parallel_tool_calls": False,
                "metadata": {"a": "b"},
                "previous_response_id": "resp_0",
                "truncation": "auto",
            },
            [("web_search", "blocked_domains was left out; the vendor has no such field")],
        )
    )


def test_every_option_on_chat():
    """What Chat Completions lacks is warned of."""
    option = OpenAIText(
        verbosity="low",
        reasoning_summary="auto",
        reasoning_mode="pro",
        truncation="auto",
        store=True,
    )

    found = body(options=(option,), name="gpt-audio-1.5", max_tokens=9, end_user="u")
    assert found == snapshot(
        (
            {
                "model": "gpt-audio-1.5",
                "messages": [{"role": "user", "content": "Hello"}],
                "max_completion_tokens": 9,
                "safety_identifier": "u",
                "store": True,
                "verbosity": "low",
            },
            [
                ("reasoning_summary", "left out, because Chat Completions has no field for it"),
                ("reasoning_mode", "left out, because Chat Completions has no field for it"),
                ("truncation", "left out, because Chat Completions has no field for it"),
            ],
        )
    )


def test_the_web_is_searched_by_either_protocol():
    """Audio models have it not, which the core knows; search models of old have it in chat."""
    found, _ = body(web_search=WebSearch(), name="gpt-4.1", seed=1)

    assert found["web_search_options"] == {}


def test_a_misspelt_option_is_a_type_error():
    """Not a field that is sent into the blue."""
    with pytest.raises(TypeError):
        OpenAIText(servicetier="flex")


@pytest.mark.parametrize(
    ("settings", "chat"),
    [
        ({}, False),
        ({"name": "gpt-audio-1.5"}, True),
        ({"name": "gpt-5.5-pro", "stop": ("x",)}, False),
        ({"name": "gpt-4.1", "stop": ("x",)}, True),
        ({"name": "gpt-4.1", "seed": 0}, True),
        ({"name": "gpt-4.1"}, False),
        ({"stop": ("x",)}, False),
        (
            {
                "name": "gpt-4.1",
                "seed": 0,
                "options": (OpenAIText(previous_response_id="resp_0"),),
            },
            False,
        ),
    ],
)
def test_responses_first_and_chat_where_it_is_needed(settings, chat):
    """Models that reason take no `stop`, and in Chat Completions no tools."""
    assert needs_chat(ask(**settings)) is chat


def test_sound_goes_by_chat():
    """Responses takes none."""
    assert needs_chat(ask(Audio(b"RIFF", media_type="audio/wav"), name="gpt-4.1"))


@pytest.mark.parametrize(
    ("settings", "sent", "warned"),
    [
        ({"temperature": 0.5}, None, True),
        ({"temperature": 0.5, "name": "gpt-6-luna", "reasoning": "none"}, 0.5, False),
        ({"temperature": 0.5, "name": "gpt-6.1-sol", "reasoning": "none"}, None, True),
        ({"temperature": 0.5, "name": "gpt-5.4"}, 0.5, False),
        ({"temperature": 0.5, "name": "gpt-5.4", "reasoning": "low"}, None, True),
        ({"temperature": 0.5, "name": "gpt-4.1"}, 0.5, False),
    ],
)
def test_models_that_reason_take_no_temperature_meanwhile(settings, sent, warned):
    """They answer 400; https://developers.openai.com/api/docs/guides/deployment-checklist."""
    found, warnings = body(**settings)

    assert found.get("temperature") == sent
    assert warned is any(setting == "temperature" for setting, _ in warnings)


def test_tools_of_models_that_reason_go_by_responses():
    """Chat Completions refuses them there."""
    found, warnings = body(tools=(ToolSpec(name="f"),), seed=1)

    assert found["tools"][0]["name"] == "f"
    assert [setting for setting, _ in warnings] == ["seed"]


# -- the plugin ------------------------------------------------------------------------------


def test_importing_the_plugin_costs_next_to_nothing():
    """The SDK alone takes half a second."""
    code = (
        "import sys, anymodal; before = set(sys.modules)\n"
        "import anymodal_openai\n"
        "new = set(sys.modules) - before\n"
        "heavy = {'json', 'asyncio', 'openai', 'httpx2', 'httpx', 'attrs', 'anyio'}\n"
        "list(anymodal_openai.anymodal_text_providers()); anymodal_openai.OpenAIText\n"
        "late = {'asyncio', 'openai', 'httpx2'} & set(sys.modules)\n"
        "print(len(new), sorted(heavy & new), sorted(late))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(shown.stdout.split()[0]) <= 10
    assert shown.stdout.split(maxsplit=1)[1].strip() == "[] []"


def test_the_spec_is_the_same_each_time():
    """Hooks are pure; nothing is connected by looking."""
    (spec,) = plugin.anymodal_text_providers()

    assert [spec] == list(plugin.anymodal_text_providers())
    assert spec.model(spec.default_model) is not None
    assert KEY not in repr(spec)


def test_every_model_says_where_its_facts_are_from():
    """Prices age; a price has a day."""
    (spec,) = plugin.anymodal_text_providers()
    served = [model for model in spec.models if model.lifecycle.state != "retired"]

    assert all(model.source for model in spec.models)
    assert all(model.context_tokens and model.max_output_tokens for model in served)
    assert all(model.prices.as_of.year == 2026 for model in served if model.prices)
    assert all(
        model.lifecycle.retires_on for model in spec.models if model.lifecycle.state != "active"
    )
    assert set(REFUSED_EFFORTS) <= {model.id for model in spec.models}


def test_the_facts_of_the_default_model():
    """As they stood on the day they were read."""
    found = model()
    per_million = {price.unit: str(price.usd) for price in found.prices.items}

    assert found.context_tokens == 922_000
    assert found.capabilities.get("reasoning") is True
    assert found.capabilities.get("sampling") is False
    assert per_million == {
        "input_token": "2",
        "cached_input_token": "0.1",
        "cache_write_token": "2.5",
        "output_token": "10",
    }


@pytest.mark.parametrize(
    ("name", "state", "day", "replacement"),
    [
        ("gpt-5", "deprecated", "2026-12-11", "gpt-5.6-sol"),
        ("gpt-4o", "deprecated", "2027-01-14", "gpt-6-luna"),
        ("o4-mini", "retired", "2026-10-23", "gpt-5.6-terra"),
        ("gpt-6-astra", "active", "None", None),
    ],
)
def test_what_leaves_and_what_has_left(name, state, day, replacement):
    """So that nobody learns of it from a 404."""
    found = model(name).lifecycle

    assert (found.state, str(found.retires_on), found.replacement) == (state, day, replacement)


def test_replacements_are_served():
    """A name that is offered instead must not be gone itself."""
    gone = {model.id for model in MODELS if model.lifecycle.state == "retired"}
    named = {model.lifecycle.replacement for model in MODELS} - {None}

    assert not named & gone
    assert named <= {model.id for model in MODELS}
