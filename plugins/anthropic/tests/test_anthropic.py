"""Anthropic over the vendor's SDK: what goes out, what comes back, what never leaks."""

from __future__ import annotations

import json
import subprocess
import sys

import anthropic
import anymodal_anthropic as plugin
import httpx2
import pytest
from anthropic._error_classes import ERROR_CLASSES  # the SDK has no public list
from anthropic.types.shared.error_type import ErrorType
from anymodal import Capabilities, Finish, Lifecycle, TextDelta
from anymodal import errors as e
from anymodal_anthropic import AnthropicText
from anymodal_anthropic.faults import CODES, TYPES, refine
from anymodal_anthropic.sdk import SDK_ERRORS, translated
from inline_snapshot import snapshot

from .loopback import Loopback, answered
from .talk import KEY, PLAIN, START, WHOLE, ask, block, connection, ended, frames, text

pytestmark = pytest.mark.anyio
ENVIRONMENT = {
    "ANTHROPIC_API_KEY": "sk-ambient",
    "ANTHROPIC_AUTH_TOKEN": "token-ambient",
    "ANTHROPIC_PROFILE": "ambient",
    "ANTHROPIC_IDENTITY_TOKEN": "identity-ambient",
    "ANTHROPIC_IDENTITY_TOKEN_FILE": "/nowhere/ambient",
    "ANTHROPIC_FEDERATION_RULE_ID": "fdrl_ambient",
    "ANTHROPIC_ORGANIZATION_ID": "org-ambient",
    "ANTHROPIC_WORKSPACE_ID": "wrkspc_ambient",
    "ANTHROPIC_SERVICE_ACCOUNT_ID": "svac_ambient",
    "ANTHROPIC_WEBHOOK_SIGNING_KEY": "whsec_ambient",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/ambient",
    "ANTHROPIC_OPEN_TELEMETRY": "true",
    "ANTHROPIC_OPEN_TELEMETRY_PROPAGATION": "true",
    "ANTHROPIC_CUSTOM_HEADERS": (
        "X-Ambient: x-ambient\n"
        "authorization: Bearer auth-ambient\n"
        "X-Api-Key: key-ambient\n"
        "Content-Type: text/ambient\n"
        "accept: text/ambient\n"
        "USER-AGENT: agent-ambient\n"
        "Anthropic-Version: ambient\n"
        "anthropic-beta: ambient\n"
        ": empty-ambient\n"
        "no colon ambient"
    ),
}
REPLY = {**WHOLE, "content": [PLAIN], "stop_reason": "end_turn"}
STREAM = frames(START, *block(0, {"type": "text", "text": ""}, *text("Grü", "ße, ")), *ended())
NAMES = ("request-id", "req_1")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """Everything that the SDK looks for, in the environment and on disk."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    for name in ("ambient", "default"):
        file = tmp_path / "configs" / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"base_url": "http://127.0.0.1:9/ambient"}), "utf-8")
    (tmp_path / "active_config").write_text("ambient", "utf-8")


def json_of(found):
    """Return an answer of JSON."""
    return answered(json.dumps(found).encode(), "application/json", 200, NAMES)


async def test_generate_over_the_sdk():
    """One request, with the key, and with nothing that nobody asked for."""
    with Loopback(json_of(REPLY)) as server:
        provider = plugin.connect(connection(server.url))
        result = await provider.generate(ask())
        await provider.aclose()

    ((method, path, headers, sent),) = server.received
    assert (method, path) == ("POST", "/v1/messages")
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["anthropic-version"] == "2026-10-21"
    assert headers["user-agent"].startswith("AsyncAnthropic/Python 2.")
    assert set(headers) == {
        "accept",
        "accept-encoding",
        "anthropic-version",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    }
    assert json.loads(sent) == {
        "model": "claude-opus-5",
        "max_tokens": 128_000,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    assert (result.text, result.finish.request_id) == ("Grüße, ", "req_1")
    assert result.usage.total_tokens == 16


async def test_stream_over_the_sdk():
    """The SDK's own stream is never built: its bytes are read as they come."""
    with Loopback(answered(STREAM, "text/event-stream", 200, NAMES)) as server:
        provider = plugin.connect(connection(server.url))
        async with provider.stream(ask(raw=True)) as stream:
            found = [event async for event in stream]
        await provider.aclose()

    assert server.received[0][2]["accept"] == "text/event-stream"
    assert json.loads(server.received[0][3])["stream"] is True
    assert found[:2] == [TextDelta("Grü"), TextDelta("ße, ")]
    assert isinstance(found[2], Finish)
    assert found[2].request_id == "req_1"
    assert found[2].raw["content"] == [PLAIN]


async def test_tokens_are_counted_by_the_vendor():
    """Only what makes up the prompt is sent."""
    with Loopback(json_of({"input_tokens": 7})) as server:
        provider = plugin.connect(connection(server.url))
        option = AnthropicText(service_tier="auto", betas=["b-1"], extra_body={"x": 1})
        settings = {"stop": ("x",), "end_user": "u", "reasoning": "low", "system": "s"}
        counted = await provider.count_tokens(ask(options=(option,), **settings))
        await provider.aclose()

    ((_, path, headers, sent),) = server.received
    assert (counted, path) == (7, "/v1/messages/count_tokens")
    assert headers["anthropic-beta"] == "b-1"
    assert set(json.loads(sent)) == {"messages", "model", "output_config", "system", "thinking"}


MODEL = {
    "id": "claude-next",
    "lifecycle": "deprecated",
    "retires_at": "2027-01-02T00:00:00Z",
    "max_input_tokens": 9,
    "max_tokens": 5,
    "capabilities": {
        "citations": {"supported": True},
        "image_input": {"supported": False},
        "pdf_input": None,
        "thinking": {"supported": True, "types": {}},
        "server_tools": {"supported": True, "web_search": {"supported": False}},
    },
}


async def test_models_say_what_they_can_do():
    """Page by page; what a page does not say is unknown."""
    pages = [
        {"data": [MODEL], "has_more": True, "last_id": "claude next"},
        {"data": [{"id": "claude-bare"}], "has_more": False, "last_id": "claude-bare"},
    ]

    def answer(path, _):
        page = pages[1 if "after_id" in path else 0]
        return 200, "application/json", json.dumps(page).encode(), ()

    with Loopback(answer) as server:
        provider = plugin.connect(connection(server.url))
        full, bare = await provider.list_models()
        await provider.aclose()

    assert [path for _, path, _, _ in server.received] == [
        "/v1/models?limit=1000",
        "/v1/models?limit=1000&after_id=claude%20next",
    ]
    assert full.capabilities == Capabilities(
        yes=["citations", "reasoning"], no=["image_input", "web_search"]
    )
    assert (full.context_tokens, full.max_output_tokens) == (9, 5)
    assert full.lifecycle.state == "deprecated"
    assert full.lifecycle.retires_on.isoformat() == "2027-01-02"
    assert (bare.capabilities, bare.lifecycle, bare.listed) == (Capabilities(), Lifecycle(), False)


@pytest.mark.usefixtures("profile")
async def test_nothing_of_the_environment_leaks():
    """The SDK would send all of it to any host; a named instance must send none of it."""
    with Loopback(json_of(REPLY)) as server:
        provider = plugin.connect(connection(server.url))
        await provider.generate(ask())
        for call in (provider.list_models(), provider.count_tokens(ask())):
            with pytest.raises(e.MalformedReplyError):
                await call
        await provider.aclose()

    assert len(server.received) == 3
    for _, _, headers, sent in server.received:
        assert "ambient" not in str(headers) + sent.decode()
        assert headers["authorization"] == f"Bearer {KEY}"
        assert headers["anthropic-version"] == "2026-10-21"
        assert headers["user-agent"].startswith("AsyncAnthropic/Python 2.")
        assert "x-api-key" not in headers
        assert "traceparent" not in headers


@pytest.mark.usefixtures("profile")
def test_no_profile_is_read():
    """The core decides which key counts, and where it goes."""
    client = plugin.connect(connection()).carrier.client

    assert client.credentials is None
    assert str(client.base_url) == "http://127.0.0.1:9"


async def test_the_key_is_asked_for_at_each_request():
    """Keys that expire are renewed without a new connection."""
    keys = iter(["sk-one", "sk-two"])

    async def source():
        return next(keys)

    with Loopback(json_of(REPLY)) as server:
        provider = plugin.connect(connection(server.url, key=source))
        await provider.generate(ask())
        await provider.generate(ask())
        await provider.aclose()

    sent = [headers["authorization"] for _, _, headers, _ in server.received]
    assert sent == ["Bearer sk-one", "Bearer sk-two"]


async def test_an_instance_may_speak_an_older_version():
    """In which some models take a temperature."""
    with Loopback(json_of(REPLY)) as server:
        provider = plugin.connect(connection(server.url, api_version="2023-06-01"))
        await provider.generate(ask(name="claude-haiku-4-5", temperature=0.5))
        await provider.aclose()

    _, _, headers, sent = server.received[0]
    assert headers["anthropic-version"] == "2023-06-01"
    assert json.loads(sent)["temperature"] == 0.5


async def test_options_reach_the_wire():
    """And headers with them."""
    option = AnthropicText(betas=["a", "b"], extra_headers={"X-Trace": "1"}, extra_body={"x": 1})
    with Loopback(json_of(REPLY)) as server:
        provider = plugin.connect(connection(server.url))
        await provider.generate(ask(options=(option,)))
        await provider.aclose()

    _, _, headers, sent = server.received[0]
    assert (headers["x-trace"], headers["anthropic-beta"]) == ("1", "a,b")
    assert json.loads(sent)["x"] == 1


@pytest.mark.parametrize(
    ("status", "kind", "code", "cls"),
    [
        (307, None, None, e.MalformedReplyError),
        (400, "invalid_request_error", None, e.BadRequestError),
        (400, "invalid_request_error", "request_body_timeout", e.TimedOutError),
        (400, "billing_error", None, e.QuotaExceededError),
        (401, "authentication_error", None, e.AuthenticationError),
        (402, "billing_error", None, e.QuotaExceededError),
        (403, "permission_error", None, e.PermissionDeniedError),
        (404, "not_found_error", None, e.NotFoundError),
        (408, "invalid_request_error", None, e.TimedOutError),
        (409, "conflict_error", None, e.BadRequestError),
        (413, "request_too_large", None, e.TooLargeError),
        (413, "invalid_request_error", None, e.TooLargeError),
        (429, "rate_limit_error", None, e.RateLimitedError),
        (429, "rate_limit_error", "enforced_spend_limit_reached", e.QuotaExceededError),
        (429, "rate_limit_error", "ramp_limit_exceeded", e.RateLimitedError),
        (500, "api_error", None, e.ServerError),
        (500, "overloaded_error", None, e.OverloadedError),
        (503, "api_error", None, e.OverloadedError),
        (504, "timeout_error", None, e.TimedOutError),
        (529, "overloaded_error", None, e.OverloadedError),
        (529, "something_new", "something_new", e.OverloadedError),
    ],
)
async def test_a_refusal_is_one_error_and_one_request(status, kind, code, cls):
    """Retrying is the core's; the SDK's own is off."""
    details = {"error_code": code} if code else None
    words = {"type": "error", "error": {"type": kind, "message": f"No, {KEY}.", "details": details}}
    more = (NAMES, ("retry-after", "7"))
    refusal = answered(json.dumps(words).encode(), "application/json", status, *more)
    with Loopback(refusal) as server:
        provider = plugin.connect(connection(server.url))
        with pytest.raises(e.VendorError) as caught:
            await provider.generate(ask())
        await provider.aclose()

    assert type(caught.value) is cls
    assert len(server.received) == 1
    assert (caught.value.status, caught.value.request_id) == (status, "req_1")
    assert caught.value.retry_after == 7
    assert KEY not in str(caught.value)


async def test_no_connection_is_an_error_of_ours():
    """With the SDK's as its cause."""
    provider = plugin.connect(connection("http://127.0.0.1:1"))
    with pytest.raises(e.ConnectionFailedError, match="anthropic") as caught:
        await provider.generate(ask())
    await provider.aclose()

    assert isinstance(caught.value.__cause__, anthropic.APIConnectionError)


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
        with pytest.raises(e.InvalidRequestError, match="anthropic"):
            await provider.generate(ask(options=(AnthropicText(**options),)))
        await provider.aclose()

    assert server.received == []


async def test_secrets_are_taken_out_of_the_vendors_words():
    """In mid-stream too: a server may echo what it was sent."""
    fault = {"type": "error", "error": {"type": "api_error", "message": f"bad key {KEY}"}}
    with Loopback(answered(frames(fault), "text/event-stream")) as server:
        provider = plugin.connect(connection(server.url))
        with pytest.raises(e.ServerError) as caught:
            async with provider.stream(ask()) as stream:
                _ = [event async for event in stream]
        await provider.aclose()

    assert KEY not in str(caught.value)


# -- exceptions of the SDK -------------------------------------------------------------------

NEVER_RAISED = {
    anthropic.APIWebhookValidationError: "only by webhooks.unwrap()",
    anthropic.RetryableError: "only by middleware, and there is none",
}
REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/messages")


def raised(kind):
    """Return an exception of *kind*, as the SDK would make it."""
    status = getattr(kind, "status_code", 500)
    code = next((code for (_, code), cls in ERROR_CLASSES.items() if cls is kind and code), None)
    words = {"error": {"type": "invalid_request_error", "details": {"error_code": code}}}
    response = httpx2.Response(status, request=REQUEST, json=words)
    for base, made in (
        (anthropic.APIStatusError, lambda: kind("No.", response=response, body=None)),
        (anthropic.APITimeoutError, lambda: kind(REQUEST)),
        (anthropic.APIConnectionError, lambda: kind(request=REQUEST)),
        (anthropic.APIResponseValidationError, lambda: kind(response, None)),
        (anthropic.APIError, lambda: kind("No.", REQUEST, body=None)),
    ):
        if issubclass(kind, base):
            return made()
    return kind("No.")


def test_each_exception_of_the_sdk_has_a_meaning():
    """A new one is seen here before it is seen in production."""
    public = [getattr(anthropic, name) for name in anthropic.__all__]
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
            "AnthropicError": "ConfigurationError",
            "AuthenticationError": "AuthenticationError",
            "BadRequestError": "BadRequestError",
            "CMEKContextUnavailableError": "OverloadedError",
            "CMEKKeyDisabledError": "BadRequestError",
            "CMEKKeyNetworkBlockedError": "BadRequestError",
            "CMEKKeyUnreachableError": "OverloadedError",
            "ClaudeCodeKeyCreatorNotMemberError": "BadRequestError",
            "ClaudeCodeVersionTooOldError": "BadRequestError",
            "ClientClosedRequestError": "BadRequestError",
            "ConflictError": "BadRequestError",
            "ContentTooLargeError": "TooLargeError",
            "ContractSpendLimitReachedError": "QuotaExceededError",
            "CredentialsError": "ConfigurationError",
            "EnforcedSpendLimitReachedError": "QuotaExceededError",
            "GatewayTimeoutError": "TimedOutError",
            "HTTPNotImplementedError": "ServerError",
            "IdentityTokenFileError": "ConfigurationError",
            "InternalServerError": "ServerError",
            "LinkedOrganizationBillingUnavailableError": "QuotaExceededError",
            "LinkedOrganizationSpendLimitReachedError": "QuotaExceededError",
            "NotFoundError": "NotFoundError",
            "OrganizationOnHoldError": "PermissionDeniedError",
            "OrganizationTypeNotSupportedError": "BadRequestError",
            "OverloadedError": "OverloadedError",
            "ParentOrganizationRequiredError": "BadRequestError",
            "PaymentRequiredError": "QuotaExceededError",
            "PermissionDeniedError": "PermissionDeniedError",
            "PreconditionFailedError": "BadRequestError",
            "RampLimitExceededError": "RateLimitedError",
            "RateLimitError": "RateLimitedError",
            "RequestBodyEncodingInvalidError": "BadRequestError",
            "RequestBodyEncodingUnsupportedError": "BadRequestError",
            "RequestBodyTooLargeAfterDecodingError": "TooLargeError",
            "RequestHeaderFieldsTooLargeError": "BadRequestError",
            "RequestTimeoutError": "TimedOutError",
            "SandboxEgressRestrictedError": "PermissionDeniedError",
            "ServiceUnavailableError": "OverloadedError",
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
    error = anthropic.APIConnectionError(request=REQUEST)
    error.__cause__ = cause

    assert type(translated(error, connection())) is kind


def test_each_type_that_the_vendor_documents_has_a_meaning():
    """The SDK's own list, bar what belongs to another of the vendor's APIs."""
    documented = {name for name in ErrorType.__args__ if not name.startswith("memory_")}

    assert documented <= set(TYPES)


@pytest.mark.parametrize("body", [None, "<html>", [], {}, {"error": "no"}, {"error": {"type": 7}}])
def test_bodies_that_say_nothing_leave_it_to_the_status(body):
    """A proxy between may answer in its own words."""
    assert refine(503, {}, body) is None


def test_codes_that_mean_money_are_no_rate_limits():
    """Waiting does not help; another vendor does."""
    money = {code for code, cls in CODES.items() if cls is e.QuotaExceededError}

    assert money == snapshot(
        {
            "contract_spend_limit_reached",
            "enforced_spend_limit_reached",
            "linked_organization_billing_unavailable",
            "linked_organization_spend_limit_reached",
        }
    )


# -- the plugin as a whole ------------------------------------------------------------------


def test_importing_the_plugin_imports_no_sdk():
    """Listing what is installed would take seconds."""
    script = (
        "import sys, anymodal_anthropic as plugin;"
        "list(plugin.anymodal_text_providers()); list(plugin.anymodal_emulators());"
        "plugin.AnthropicText;"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('anthropic', 'httpx2', 'httpx', 'pydantic', 'anyio', 'anymodal_emulator')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_spec_names_a_model_of_its_table():
    """The default is one that is served."""
    (spec,) = plugin.anymodal_text_providers()

    assert spec.model(spec.default_model).lifecycle.state == "active"
    assert spec.settings == {"api_version"}
    with pytest.raises(AttributeError, match="nothing"):
        _ = plugin.nothing
