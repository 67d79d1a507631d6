"""Answers, whole and streamed: however they are cut, written or broken."""

from __future__ import annotations

import json

import pytest
from anymodal import Citation, Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from anymodal import errors as e
from anymodal_anthropic.reply import decode
from hypothesis import given, settings
from hypothesis import strategies as st

from .talk import (
    CALLS,
    CONTENT,
    FRAMES,
    PLAIN,
    START,
    STREAM,
    USAGE,
    WHOLE,
    arguments,
    block,
    ended,
    events,
    frames,
    joined,
    taken_apart,
    text,
)


def told(*content, reason="end_turn", **more):
    """Return a whole answer of *content*."""
    return {**WHOLE, "content": list(content), "stop_reason": reason, **more}


def test_a_stream_amounts_to_the_whole_answer():
    """`generate` and `stream` are two ways to one answer, to the last token counted."""
    whole = decode(WHOLE, "acme", "req_1")
    found, error = events(STREAM)

    assert error is None
    assert taken_apart(whole) == joined(found)
    assert whole.message.state == whole.finish.state
    assert whole.finish.state[0].data == {"content": CONTENT}
    assert isinstance(found[-1], Finish)
    assert "tool_calls" == found[-1].reason
    assert Usage(9, 7, 4, 2, 3) == whole.usage


def test_the_vendors_message_is_kept_only_when_asked_for():
    """Put together from the frames, it is the same as the whole one."""
    found, _ = events(STREAM, raw=True)

    assert WHOLE == found[-1].raw
    assert WHOLE is decode(WHOLE, "acme", None, raw=True).finish.raw
    assert events(STREAM)[0][-1].raw is None
    assert decode(WHOLE, "acme", None).finish.raw is None


def test_two_pieces_say_what_one_says():
    """A packet may end at any byte, in the middle of a character or of a line's end."""
    expected = events(STREAM)

    for cut in range(len(STREAM) + 1):
        assert expected == events([STREAM[:cut], STREAM[cut:]])


@given(data=st.data(), end=st.sampled_from(["\n", "\r", "\r\n"]))
@settings(max_examples=60, deadline=None)
def test_lines_may_end_as_the_standard_allows(data, end):
    """Nor do a byte order mark and comments between the events change anything."""
    comment = f": ping{end}{end}".encode()
    mark = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    body = mark + comment + frames(*FRAMES, end=end) + comment
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    assert events(STREAM) == events(chunks)


def test_a_stream_cut_short_has_no_end():
    """The core tells a whole answer from a torn one by its Finish; we never make one up."""
    whole, _ = events(STREAM)

    for cut in range(0, len(STREAM), 7):
        found, error = events(STREAM[:cut])
        assert error is None
        assert whole[: len(found)] == found
        assert len(found) < len(whole)


@given(place=st.integers(0, 20_000), junk=st.binary(min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_damage_is_a_typed_error_or_nothing(place, junk):
    """Bytes that changed on the way never come out as an exception that nobody names."""
    body = bytearray(STREAM)
    at = place % len(body)
    body[at : at + len(junk)] = junk
    found, error = events(bytes(body))

    assert error is None or isinstance(error, e.VendorError)
    assert all(isinstance(one.text, str) for one in found if isinstance(one, TextDelta))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "index",
                    "delta",
                    "content_block",
                    "message",
                    "content",
                    "text",
                    "usage",
                    "thinking",
                    "id",
                    "signature",
                    "partial_json",
                    "name",
                    "input",
                    "citations",
                    "citation",
                    "stop_reason",
                    "stop_details",
                    "error",
                    "url",
                    "title",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
KINDS = sorted({frame["type"] for frame in FRAMES} | {"error"})
DELTAS = ["text_delta", "thinking_delta", "input_json_delta", "citations_delta", "new_delta"]


@given(frame=JSON, kind=st.sampled_from(KINDS), delta=st.sampled_from(DELTAS), opened=st.booleans())
@settings(max_examples=400, deadline=None)
def test_frames_of_any_shape_are_a_typed_error_or_nothing(frame, kind, delta, opened):
    """Whatever JSON a server sends, callers see events or errors of our own tree."""
    before = [START, *block(0, {"type": "text", "text": ""})[:1]] if opened else []
    if isinstance(frame, dict):
        frame = {"index": 0, "delta": {**frame, "type": delta}, **frame, "type": kind}
        _, error = events(frames(*before, frame, *ended()))
    else:
        _, error = events(b"data: " + json.dumps(frame).encode() + b"\n\n")

    assert error is None or isinstance(error, e.VendorError)


@given(reply=JSON, content=st.lists(JSON, max_size=2))
@settings(max_examples=400, deadline=None)
def test_answers_of_any_shape_are_read_or_a_typed_error(reply, content):
    """The same of an answer in one piece."""
    for found in (reply, {**WHOLE, "content": content}):
        try:
            decode(found, "acme", None)
        except e.VendorError as error:
            assert "acme" == error.provider


@pytest.mark.parametrize("junk", ["{", "[]", "7", "{}", '"text"', "[" * 100_000])
def test_events_before_a_bad_frame_are_kept(junk):
    """What had arrived is the caller's, even when it came in the same read."""
    body = frames(START, *block(0, {"type": "text", "text": ""}, *text("Hi"))[:2])
    found, error = events(body + b"data: " + junk.encode() + b"\n\n")

    assert [TextDelta("Hi")] == found
    assert isinstance(error, e.MalformedReplyError)
    assert ("acme", "req_1") == (error.provider, error.request_id)


@pytest.mark.parametrize(
    "begun",
    [
        {"type": "text", "text": ["Hi"]},
        {"type": "thinking", "thinking": 7},
        {"type": "tool_use", "id": 7, "name": "rate", "input": {}},
        {"type": "tool_use", "id": "a", "name": None, "input": {}},
    ],
)
def test_words_that_are_no_strings_are_malformed(begun):
    """Whole or in frames; callers join what they are given."""
    found, error = events(frames(START, *block(0, begun)))

    assert [] == found
    assert isinstance(error, e.MalformedReplyError)
    with pytest.raises(e.MalformedReplyError):
        decode(told(begun), "acme", None)


def test_nothing_counts_after_the_end():
    """An answer has one end."""
    more = frames(*block(9, {"type": "text", "text": "more"}), *ended())

    assert events(STREAM + more) == events(STREAM)


def test_blocks_may_begin_with_what_others_send_as_deltas():
    """Gateways do so."""
    begun = (
        *block(0, {"type": "thinking", "thinking": "hm", "signature": ""}),
        *block(1, {"type": "text", "text": "Hi"}, *text(" there")),
    )
    found, error = events(frames(START, *begun, *ended(), *ended()))

    assert error is None
    assert [ReasoningDelta("hm"), TextDelta("Hi"), TextDelta(" there")] == found[:3]


def test_thinking_that_is_not_shown_is_no_event():
    """It goes back all the same."""
    hidden = {"type": "thinking", "thinking": "", "signature": "ErUB"}
    signed = {"type": "signature_delta", "signature": "ErUB"}
    stream = (START, *block(0, {**hidden, "signature": ""}, signed), *ended())
    (finish,) = events(frames(*stream))[0]

    assert [hidden] == finish.state[0].data["content"]
    assert ("",) == decode(told(hidden), "acme", None).message.parts


def test_what_the_parts_say_all_of_is_not_kept_twice():
    """Text and calls alone are rebuilt; nothing is carried for nobody."""
    assert () == decode(told(PLAIN, *CALLS), "acme", None).finish.state
    assert () == decode(told(), "acme", None).finish.state


def test_a_paused_turn_can_be_sent_back():
    """As it came, so that the vendor goes on where it stopped."""
    result = decode(told(PLAIN, reason="pause_turn"), "acme", None)

    assert ("other", "pause_turn") == (result.finish_reason, result.finish.raw_reason)
    assert [PLAIN] == result.message.state[0].data["content"]


@pytest.mark.parametrize(
    "stream",
    [
        (START, *block(0, CALLS[1], *arguments('{"x":')), *ended("max_tokens")),
        (START, *block(0, {"type": "new", "text": ""}, {"type": "new_delta"}), *ended()),
    ],
)
def test_what_was_not_understood_whole_is_not_sent_back(stream):
    """A call that was cut off, or a delta of a kind that nobody knows."""
    found, error = events(frames(*stream))

    assert error is None
    assert () == found[-1].state


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "other"),
        ("something_new", "other"),
        (None, "other"),
    ],
)
def test_how_an_answer_ended(word, reason):
    """The vendor's word is kept beside ours."""
    finish = decode(told(PLAIN, reason=word), "acme", "req_1").finish
    plain = block(0, {"type": "text", "text": ""}, *text("Grüße, "))
    found, _ = events(frames(START, *plain, *ended(word)))

    assert (reason, word) == (finish.reason, finish.raw_reason)
    assert finish == found[-1]


@pytest.mark.parametrize(
    ("details", "words"),
    [
        (
            {"category": "bio", "explanation": "No\nway."},
            "acme: the answer was refused: bio: No way.",
        ),
        ({"category": None, "explanation": None}, "acme: the answer was refused"),
        (None, "acme: the answer was refused"),
    ],
)
def test_a_refusal_is_an_error_with_the_vendors_words(details, words):
    """It comes with status 200; callers see what had been said."""
    with pytest.raises(e.ContentFilteredError) as caught:
        decode(told(PLAIN, reason="refusal", stop_details=details), "acme", "req_1")
    plain = block(0, {"type": "text", "text": ""}, *text("Grüße, "))
    found, error = events(frames(START, *plain, *ended("refusal", stop_details=details)))

    assert [TextDelta("Grüße, ")] == found
    for one in (caught.value, error):
        assert type(one) is e.ContentFilteredError
        assert (words, "Grüße, ") == (str(one), one.partial)
        assert ("acme", "refusal", "req_1") == (one.provider, one.vendor_code, one.request_id)


@pytest.mark.parametrize(
    ("kind", "more", "cls"),
    [
        ("overloaded_error", {}, e.OverloadedError),
        ("api_error", {}, e.ServerError),
        ("rate_limit_error", {}, e.RateLimitedError),
        ("billing_error", {}, e.QuotaExceededError),
        ("timeout_error", {}, e.TimedOutError),
        ("invalid_request_error", {}, e.BadRequestError),
        ("never_heard_of", {}, e.ServerError),
        (None, {}, e.ServerError),
        ("rate_limit_error", {"error_code": "enforced_spend_limit_reached"}, e.QuotaExceededError),
    ],
)
def test_an_error_in_mid_stream_goes_by_its_type(kind, more, cls):
    """The status is 200 and says nothing; words change."""
    inner = {"type": kind, "message": "No.\nReally.", "details": more or None}
    stream = (START, *block(0, {"type": "text", "text": ""}, *text("Hi"))[:2])
    found, error = events(frames(*stream, {"type": "error", "error": inner}))

    assert [TextDelta("Hi")] == found
    assert type(error) is cls
    assert "acme: No. Really." == str(error)
    assert ("acme", "req_1") == (error.provider, error.request_id)
    assert (more.get("error_code") or kind) == error.vendor_code


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"type": "char_location", "document_title": "Deed"}, ("", "Deed")),
        ({"type": "page_location", "document_title": "Deed"}, ("", "Deed")),
        ({"type": "content_block_location", "document_title": "Deed"}, ("", "Deed")),
        ({"type": "search_result_location", "source": "kb/7", "title": None}, ("kb/7", "")),
        ({"type": "web_search_result_location", "url": "u", "title": "T"}, ("u", "T")),
        ({"type": "char_location", "document_title": None}, None),
    ],
)
def test_every_kind_of_citation(found, expected):
    """A source without any name cannot be shown; the block is sent back with it all the same."""
    cited = {"type": "text", "text": "so", "citations": [found]}
    result = decode(told(PLAIN, cited), "acme", None)
    expectation = [] if expected is None else [Citation(*expected, start=7, end=9)]

    assert expectation == list(result.citations)
    assert result.finish.state


@pytest.mark.parametrize("count", [-1, "5", 1.5, True])
def test_counts_that_are_none_are_malformed(count):
    """A budget is kept with them."""
    with pytest.raises(e.MalformedReplyError):
        decode({**WHOLE, "usage": {**USAGE, "output_tokens": count}}, "acme", None)


def test_usage_that_is_not_reported_is_unknown():
    """Not nothing."""
    assert decode({**WHOLE, "usage": None}, "acme", None).usage is None
    assert Usage() == decode({**WHOLE, "usage": {}}, "acme", None).usage


def test_tool_calls_are_numbered_among_themselves():
    """Blocks of other kinds stand between them."""
    found, _ = events(STREAM)
    calls = [(one.index, one.id) for one in found if isinstance(one, ToolCallDelta) and one.id]

    assert [(0, "toolu_a"), (1, "toolu_b")] == calls
