"""What goes wrong, by table."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from anymodal import Finish, Usage
from anymodal import errors as e
from anymodal.failures import status_error
from anymodal_openai_compatible import ChatCodec, Quirks, ResponsesCodec

from .talk import CHAT_WHOLE, CODECS, MESSAGE, RESPONSE, ask, chunk, event, events, frames

CODE_CASES = [
    ("insufficient_quota", e.QuotaExceededError),
    ("context_length_exceeded", e.ContextLengthError),
    ("content_filter", e.ContentFilteredError),
    ("content_policy_violation", e.ContentFilteredError),
    ("invalid_prompt", e.ContentFilteredError),
    ("model_not_found", e.NotFoundError),
    ("invalid_api_key", e.AuthenticationError),
    ("rate_limit_exceeded", e.RateLimitedError),
    ("server_is_overloaded", e.OverloadedError),
    ("server_error", e.ServerError),
    ("invalid_image", e.BadRequestError),
    ("never_heard_of", e.ServerError),
    (None, e.ServerError),
    (402, e.QuotaExceededError),
    ("429", e.RateLimitedError),
    (418, e.BadRequestError),
    (502, e.ServerError),
    (503, e.OverloadedError),
]


def failed(code):
    """Return a whole response that failed, as it comes with status 200."""
    return {**RESPONSE, "status": "failed", "output": [], "error": error_of(code)}


def error_of(code):
    """Return an error as an answer has it."""
    return {"code": code, "message": "No.\nReally."}


@pytest.mark.parametrize(("code", "kind"), CODE_CASES)
def test_errors_within_an_answer_go_by_their_code(code, kind):
    """An HTTP status of 200 says nothing, and words change."""
    chat, responses = CODECS["chat"], CODECS["responses"]
    found = [
        events(chat, frames(chunk(error=error_of(code))))[1],
        events(chat, frames(chunk({"content": ""}, "error", error=error_of(code))))[1],
        events(responses, frames({"type": "error", **error_of(code)}))[1],
        events(responses, frames({"type": "error", "error": error_of(code)}))[1],
        events(responses, frames(event("failed", response=failed(code))))[1],
    ]
    for codec, reply in ((chat, {"error": error_of(code)}), (responses, failed(code))):
        with pytest.raises(e.VendorError) as caught:
            codec.decode(reply, ask(), "req_1")
        found.append(caught.value)

    for error in found:
        assert type(error) is kind
        assert str(error) == "acme: No. Really."
        assert (error.provider, error.request_id) == ("acme", "req_1")
        assert (None if code is None else str(code)) == error.vendor_code


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"code": "context_length_exceeded"}}, e.ContextLengthError),
        (400, {"error": {"code": "content_filter"}}, e.ContentFilteredError),
        (400, {"error": {"code": None, "type": "invalid_request_error"}}, e.BadRequestError),
        (401, {"error": {"code": "invalid_api_key"}}, e.AuthenticationError),
        (404, {"error": {"code": "model_not_found"}}, e.NotFoundError),
        (404, {"error": {"code": None, "type": "invalid_request_error"}}, e.NotFoundError),
        (429, {"error": {"code": "insufficient_quota"}}, e.QuotaExceededError),
        (429, {"error": {"code": None, "type": "insufficient_quota"}}, e.QuotaExceededError),
        (429, {"error": {"code": "rate_limit_exceeded"}}, e.RateLimitedError),
        (429, {"error": "slow"}, e.RateLimitedError),
        (498, {}, e.OverloadedError),
        (500, {"error": {"type": "server_error"}}, e.ServerError),
        (503, {"error": {"type": "server_error"}}, e.OverloadedError),
        (503, "<html>", e.OverloadedError),
        (400, {"error": {"code": "own_code"}}, e.OverloadedError),
        (400, {"detail": [1]}, e.BadRequestError),
    ],
)
def test_statuses_are_refined_by_code(status, body, kind):
    """The status for what is general, the code for what is not, the words for nothing."""
    quirks = Quirks(codes={"own_code": e.OverloadedError}, statuses={498: e.OverloadedError})
    error = status_error("acme", status, {}, json.dumps(body).encode(), refine=quirks.refine)

    assert type(error) is kind


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_filter_is_one_error_wherever_it_strikes(api):
    """Callers handle one class, and see what had been said."""
    if api == "chat":
        choice = CHAT_WHOLE["choices"][0]
        message = {**choice["message"], "content": "So"}
        wholes = [
            {"choices": [{"finish_reason": "content_filter", "message": message}]},
            {"choices": [{"finish_reason": "stop", "message": {**message, "refusal": "I won't"}}]},
        ]
        streams = [
            (chunk({"content": "So"}), chunk({}, "content_filter")),
            (chunk({"content": "So"}), chunk({"refusal": "I won't"}), chunk({}, "stop")),
        ]
    else:
        said = {**MESSAGE, "content": [{"type": "output_text", "text": "So", "annotations": []}]}
        refusal = {"type": "refusal", "refusal": "I won't"}
        cut = {**RESPONSE, "status": "incomplete", "output": [said]}
        cut["incomplete_details"] = {"reason": "content_filter"}
        refused = {**said, "content": [*said["content"], refusal]}
        wholes = [cut, {**RESPONSE, "output": [refused]}]
        delta = event("output_text.delta", delta="So")
        streams = [
            (delta, event("incomplete", response={**cut, "output": []})),
            (delta, event("refusal.delta", delta="I"), event("refusal.done", refusal="I won't")),
        ]
    for whole in wholes:
        with pytest.raises(e.ContentFilteredError) as caught:
            CODECS[api].decode(whole, ask(), None)
        assert caught.value.partial == "So"
    for stream in streams:
        found, error = events(CODECS[api], frames(*stream))
        assert type(error) is e.ContentFilteredError
        assert [one.text for one in found] == ["So"]
    assert "I won't" in str(error)


@pytest.mark.parametrize(
    ("status", "details", "reason", "word"),
    [
        ("completed", None, "stop", "completed"),
        ("incomplete", {"reason": "max_output_tokens"}, "length", "max_output_tokens"),
        ("incomplete", {"reason": "steered"}, "other", "steered"),
        ("incomplete", None, "other", "incomplete"),
        (None, None, "stop", "completed"),
    ],
)
def test_how_a_response_ended(status, details, reason, word):
    """The vendor's word is kept beside ours."""
    reply = {**RESPONSE, "output": [MESSAGE], "status": status, "incomplete_details": details}
    finish = CODECS["responses"].decode(reply, ask(), None).finish
    found, _ = events(CODECS["responses"], frames(event("incomplete", response=reply)))

    assert (reason, word) == (finish.reason, finish.raw_reason)
    assert finish == CODECS["responses"].decode(reply, ask(), None).finish
    assert (reason, word) == (found[-1].reason, found[-1].raw_reason)


@pytest.mark.parametrize("status", ["cancelled", "queued", "in_progress"])
def test_an_answer_that_is_not_done_is_incomplete(status):
    """What had been said is not lost."""
    with pytest.raises(e.IncompleteError) as caught:
        CODECS["responses"].decode({**RESPONSE, "status": status}, ask(), None)

    assert caught.value.partial.startswith("Grüße")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("function_call", "tool_calls"),
        ("eos", "stop"),
        ("insufficient_system_resource", "other"),
    ],
)
def test_how_a_chat_ended(word, reason):
    """Vendors have words of their own, which their quirks explain."""
    codec = ChatCodec("acme", Quirks(finish_reasons={"eos": "stop"}))
    found, _ = events(codec, frames(chunk({"content": "Hi"}), chunk({}, word), "[DONE]"))

    assert (reason, word) == (found[-1].reason, found[-1].raw_reason)


def test_calls_of_tools_end_an_answer_whatever_the_server_says():
    """Some servers say `stop`."""
    message = CHAT_WHOLE["choices"][0]["message"]
    reply = {"choices": [{"finish_reason": "stop", "message": message}]}

    assert CODECS["chat"].decode(reply, ask(), None).finish_reason == "tool_calls"


def test_servers_without_a_marker_end_with_the_finish_reason():
    """Otherwise each of their answers would count as torn; a reason that never came stays so."""
    for stream, ends in (
        ((chunk({"content": "Hi"}, "stop"),), 1),
        ((chunk({"content": "Hi"}),), 0),
    ):
        decoder, found = CODECS["chat"].decoder(ask(), None), []
        decoder.feed(frames(*stream), found)
        decoder.end(found)
        decoder.end(found)

        assert ends == sum(isinstance(one, Finish) for one in found)


def test_usage_in_the_places_where_vendors_put_it():
    """Unknown is unknown, and dollars are exact."""
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 1,
        "hits": 4,
        "cost": {"total_cost": 0.1},
    }
    codec = ChatCodec(
        "acme", Quirks(cached_tokens_field="hits", usd_in_usage=("cost", "total_cost"))
    )
    reply = {"choices": [{"finish_reason": "stop", "message": {"content": "Hi"}}], "usage": usage}

    assert Usage(5, 1, 4, usd=Decimal("0.1")) == codec.decode(reply, ask(), None).usage
    assert CODECS["chat"].decode({**reply, "usage": None}, ask(), None).usage is None


@pytest.mark.parametrize("count", [-1, "5", 1.5, True])
def test_counts_that_are_none_are_malformed(count):
    """A budget is kept with them."""
    reply = {**RESPONSE, "usage": {"input_tokens": count}}
    with pytest.raises(e.MalformedReplyError):
        CODECS["responses"].decode(reply, ask(), None)


def test_secrets_are_taken_out_of_the_vendors_words():
    """A server may echo what it was sent."""
    codec = ResponsesCodec("acme", Quirks(), lambda text: text.replace("sk-1", "…"))
    with pytest.raises(e.VendorError) as caught:
        codec.decode({"error": {"message": "bad key sk-1"}}, ask(), None)

    assert "sk-1" not in str(caught.value)


def test_an_empty_answer_is_an_answer():
    """A message has a part, be it empty."""
    reply = {"choices": [{"finish_reason": "stop", "message": {"content": None}}]}

    assert CODECS["chat"].decode(reply, ask(), None).message.parts == ("",)
    assert CODECS["responses"].decode({"output": []}, ask(), None).message.parts == ("",)


def test_state_is_put_together_from_its_pieces():
    """Signed reasoning comes in pieces like everything else."""
    codec = ChatCodec("acme", Quirks(state_field="reasoning_details"))
    pieces = [chunk({"reasoning_details": [{"n": n}]}) for n in (1, 2)]
    found, _ = events(codec, frames(*pieces, chunk({}, "stop"), "[DONE]"))
    message = {"content": "", "reasoning_details": [{"n": 1}, {"n": 2}]}
    reply = {"choices": [{"finish_reason": "stop", "message": message}]}

    assert found[-1].state[0].data == {"reasoning_details": [{"n": 1}, {"n": 2}]}
    assert found[-1].state == codec.decode(reply, ask(), None).message.state
