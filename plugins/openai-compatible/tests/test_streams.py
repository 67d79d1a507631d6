"""Streams of both protocols: however they are cut, written or broken."""

from __future__ import annotations

import json

import pytest
from anymodal import ReasoningDelta, TextDelta, ToolCallDelta
from anymodal import errors as e
from anymodal.modalities.text import Finish
from hypothesis import given, settings
from hypothesis import strategies as st

from .talk import (
    CHAT_FRAMES,
    CODECS,
    RESPONSE_FRAMES,
    STREAMS,
    WHOLES,
    ask,
    chunk,
    event,
    events,
    frames,
    joined,
    piece,
    taken_apart,
)

APIS = sorted(CODECS)
FRAMES = {"chat": CHAT_FRAMES, "responses": RESPONSE_FRAMES}


@pytest.mark.parametrize("api", APIS)
def test_a_stream_amounts_to_the_whole_answer(api):
    """`generate` and `stream` are two ways to one answer, to the last token counted."""
    whole = CODECS[api].decode(WHOLES[api], ask(), "req_1")
    found, error = events(CODECS[api], STREAMS[api])

    assert error is None
    assert taken_apart(whole) == joined(found)
    assert whole.message.state == whole.finish.state
    assert isinstance(found[-1], Finish)
    assert found[-1].reason == "tool_calls"


@pytest.mark.parametrize("api", APIS)
def test_two_pieces_say_what_one_says(api):
    """A packet may end at any byte, in the middle of a character or of a line's end."""
    body = STREAMS[api]
    expected = events(CODECS[api], body)

    for cut in range(len(body) + 1):
        assert expected == events(CODECS[api], [body[:cut], body[cut:]])


@given(data=st.data(), api=st.sampled_from(APIS), end=st.sampled_from(["\n", "\r", "\r\n"]))
@settings(max_examples=60, deadline=None)
def test_lines_may_end_as_the_standard_allows(data, api, end):
    """Nor do a byte order mark and comments between the events change anything."""
    clean = frames(*FRAMES[api], named=api == "responses", end=end)
    comment = f": ping{end}{end}".encode()
    body = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + comment + clean + comment
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    assert events(CODECS[api], STREAMS[api]) == events(CODECS[api], chunks)


@pytest.mark.parametrize("api", APIS)
def test_a_stream_cut_short_has_no_end(api):
    """The core tells a whole answer from a torn one by its Finish; we never make one up."""
    body = STREAMS[api]
    whole, _ = events(CODECS[api], body)
    ended = [len(events(CODECS[api], body[:cut])[0]) for cut in range(len(body))]

    assert ended == sorted(ended)
    for cut in range(0, len(body), 7):
        found, error = events(CODECS[api], body[:cut])
        assert error is None
        assert whole[: len(found)] == found


@given(
    api=st.sampled_from(APIS),
    place=st.integers(0, 20_000),
    junk=st.binary(min_size=1, max_size=12),
)
@settings(max_examples=200, deadline=None)
def test_damage_is_a_typed_error_or_nothing(api, place, junk):
    """Bytes that changed on the way never come out as an exception that nobody names."""
    body = bytearray(STREAMS[api])
    at = place % len(body)
    body[at : at + len(junk)] = junk
    found, error = events(CODECS[api], bytes(body))

    assert error is None or isinstance(error, e.VendorError)
    assert all(isinstance(one.text, str) for one in found if isinstance(one, TextDelta))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "error",
                    "usage",
                    "finish_reason",
                    "refusal",
                    "annotations",
                    "index",
                    "id",
                    "arguments",
                    "type",
                    "item",
                    "output_index",
                    "response",
                    "status",
                    "output",
                    "annotation",
                    "code",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
KINDS = sorted({frame["type"] for frame in RESPONSE_FRAMES} | {"error", "response.failed"})


@given(api=st.sampled_from(APIS), frame=JSON, kind=st.sampled_from(KINDS), wrapped=st.booleans())
@settings(max_examples=400, deadline=None)
def test_frames_of_any_shape_are_a_typed_error_or_nothing(api, frame, kind, wrapped):
    """Whatever JSON a server sends, callers see events or errors of our own tree."""
    if isinstance(frame, dict) and wrapped:
        frame = {**frame, "type": kind, "choices": [{"delta": frame, "finish_reason": None}]}
    _, error = events(CODECS[api], frames(frame, "[DONE]"))

    assert error is None or isinstance(error, e.VendorError)


@given(api=st.sampled_from(APIS), reply=JSON)
@settings(max_examples=400, deadline=None)
def test_answers_of_any_shape_are_read_or_a_typed_error(api, reply):
    """The same of an answer in one piece."""
    try:
        CODECS[api].decode(reply, ask(), None)
    except e.VendorError as error:
        assert error.provider == "acme"  # not raising is as good


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("junk", ["{", "[]", "7", "\ud800", '"text"', "[" * 100_000])
def test_events_before_a_bad_frame_are_kept(api, junk):
    """What had arrived is the caller's, even when it came in the same read."""
    first = {"chat": chunk({"content": "Hi"}), "responses": event("output_text.delta", delta="Hi")}
    body = frames(first[api]) + b"data: " + junk.encode("utf-8", "surrogatepass") + b"\n\n"
    found, error = events(CODECS[api], body)

    assert [TextDelta("Hi")] == found
    assert isinstance(error, e.MalformedReplyError)
    assert (error.provider, error.request_id) == ("acme", "req_1")


def test_done_without_a_finish_reason_is_no_end():
    """A proxy that gives up sends the marker too."""
    found, error = events(CODECS["chat"], frames(chunk({"content": "Hi"}), "[DONE]"))

    assert ([TextDelta("Hi")], None) == (found, error)


def test_nothing_counts_after_the_end():
    """Servers send usage twice, and chunks after it; an answer has one end."""
    body = frames(
        *CHAT_FRAMES[:-1], chunk(usage={}), chunk({"content": "more"}), "[DONE]", "[DONE]"
    )
    found, error = events(CODECS["chat"], body)

    assert error is None
    assert sum(isinstance(one, Finish) for one in found) == 1
    assert events(CODECS["chat"], STREAMS["chat"])[0] == found


def test_the_end_comes_without_usage():
    """Servers that know no `stream_options` end with the marker alone."""
    found, _ = events(CODECS["chat"], frames(chunk({"content": "Hi"}), chunk({}, "stop"), "[DONE]"))

    assert [TextDelta("Hi"), Finish("stop", None, "m-1-2026", "req_1", "stop")] == found


@pytest.mark.parametrize(
    "pieces",
    [
        [piece(0, '{"a":', id="x"), piece(0, "1}", id="x"), piece(0, "{}", id="y")],
        [piece(None, '{"a":', id="x"), piece(None, "1}", id="x"), piece(None, "{}", id="y")],
        [piece(0, '{"a":', id="x"), piece(0, "1}"), piece(1, "{}", id="y")],
    ],
)
def test_tool_calls_are_told_apart_by_id(pieces):
    """Some servers give all calls one index, or none, or repeat the id with every piece."""
    found, error = events(CODECS["chat"], frames(*map(chunk, pieces)))

    assert error is None
    assert joined(found)["calls"] == [("x", "rate", '{"a":1}'), ("y", "rate", "{}")]
    assert [one.id for one in found if one.id] == ["x", "y"]


def test_arguments_may_come_as_an_object_and_calls_without_id():
    """Both are seen at servers for local models; results still need an id to answer to."""
    call = {"tool_calls": [{"function": {"name": "rate", "arguments": {"x": 1}}}]}
    found, _ = events(CODECS["chat"], frames(chunk(call)))

    assert [ToolCallDelta(0, "call_0", "rate", '{"x": 1}')] == found


def test_reasoning_is_read_under_either_name():
    """Vendors call it `reasoning_content` or `reasoning`; some send both."""
    found, _ = events(
        CODECS["chat"],
        frames(
            chunk({"reasoning": "a"}),
            chunk({"reasoning_content": "b", "reasoning": "b", "content": None}),
        ),
    )

    assert [ReasoningDelta("a"), ReasoningDelta("b")] == found


def test_the_vendors_frames_are_kept_only_when_asked_for():
    """Nothing is kept for nobody."""
    request = ask(raw=True)
    chat, _ = events(CODECS["chat"], STREAMS["chat"], request)
    responses, _ = events(CODECS["responses"], STREAMS["responses"], request)

    assert list(CHAT_FRAMES[:-1]) == chat[-1].raw
    assert WHOLES["responses"] == responses[-1].raw
    assert json.dumps(responses[-1].raw)
    for api in APIS:
        assert events(CODECS[api], STREAMS[api])[0][-1].raw is None
        assert CODECS[api].decode(WHOLES[api], request, None).finish.raw is WHOLES[api]
        assert CODECS[api].decode(WHOLES[api], ask(), None).finish.raw is None
