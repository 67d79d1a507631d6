"""Answers of an Ollama server: however they are cut, written or broken."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from anymodal import Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from anymodal import errors as e
from anymodal_ollama.reply import Lines, ReplyReader, decode
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

NOON = "2026-09-21T12:00:00.409172Z"
CALL = {"function": {"name": "rate", "arguments": {"city": "Zürich"}}}
END = {"done": True, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 18}


def frame(done=None, **said):
    """Return one object of a stream."""
    message = {"role": "assistant", "content": "", **said}
    head = {"model": "qwen3:8b", "created_at": NOON, "message": message}
    return {**head, **(done or {"done": False})}


def ndjson(*frames, end="\n"):
    return b"".join(json.dumps(f, ensure_ascii=False).encode() + end.encode() for f in frames)


FRAMES = (
    frame(thinking="Hm, "),
    frame(thinking="grün."),
    frame(content="Grüße"),
    frame(content=" 🌊!"),
    frame(tool_calls=[CALL]),
    frame(tool_calls=[CALL]),
    frame(END),
)
STREAM = ndjson(*FRAMES)
WHOLE = frame(END, thinking="Hm, grün.", content="Grüße 🌊!", tool_calls=[CALL, CALL])


def events(chunks, **how):
    """Return the events of a stream, and the error that ended it, if one did."""
    lines, found = Lines("acme", ReplyReader("acme", **how).take), []
    try:
        for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
            lines.feed(chunk, found)
        lines.end(found)
    except e.VendorError as error:
        return found, error
    return found, None


def test_a_stream():
    """Each line's pieces, in order, and one end."""
    found, error = events(STREAM)

    assert error is None
    assert found == snapshot(
        [
            ReasoningDelta(text="Hm, "),
            ReasoningDelta(text="grün."),
            TextDelta(text="Grüße"),
            TextDelta(text=" 🌊!"),
            ToolCallDelta(
                index=0, id="call_3182da11229a9b3f", name="rate", arguments='{"city": "Zürich"}'
            ),
            ToolCallDelta(
                index=1, id="call_1e42939fe5243f0e", name="rate", arguments='{"city": "Zürich"}'
            ),
            Finish(
                reason="tool_calls",
                usage=Usage(input_tokens=11, output_tokens=18),
                model="qwen3:8b",
                raw_reason="stop",
            ),
        ]
    )


def test_a_stream_amounts_to_the_whole_answer():
    """`generate` and `stream` are two ways to one answer, ids of calls included."""
    whole = decode(WHOLE, ReplyReader("acme"))
    found, _ = events(STREAM)

    assert whole.text == "".join(x.text for x in found if isinstance(x, TextDelta))
    assert whole.reasoning == "".join(x.text for x in found if isinstance(x, ReasoningDelta))
    assert [(c.id, c.name, c.arguments) for c in whole.tool_calls] == [
        (x.id, x.name, x.arguments) for x in found if isinstance(x, ToolCallDelta)
    ]
    assert whole.finish == found[-1]


def test_two_pieces_say_what_one_says():
    """A packet may end at any byte, in the middle of a character or of a line's end."""
    expected = events(STREAM)

    for cut in range(len(STREAM) + 1):
        assert expected == events([STREAM[:cut], STREAM[cut:]])


@given(data=st.data(), end=st.sampled_from(["\n", "\r", "\r\n", "\n\n", " \n"]))
@settings(max_examples=60, deadline=None)
def test_lines_may_end_as_they_like(data, end):
    """Nor does a missing end of the last line change anything."""
    body = ndjson(*FRAMES, end=end)
    body = data.draw(st.sampled_from([body, body.rstrip()]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    assert events(STREAM) == events(chunks)


def test_a_stream_cut_short_has_no_end():
    """The core tells a whole answer from a torn one by its Finish; we never make one up."""
    whole, _ = events(STREAM)
    for cut in range(0, len(STREAM) - 2, 7):
        found, error = events(STREAM[:cut])

        assert error is None or isinstance(error, e.MalformedReplyError)
        assert whole[: len(found)] == found
        assert Finish not in map(type, found)


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


NAMES = ["model", "message", "content", "thinking", "tool_calls", "function", "name", "arguments"]
NAMES += ["done", "done_reason", "error", "eval_count", "created_at", "id", "remote_host"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(found=JSON, wrapped=st.sampled_from(["", "message", "tool_calls"]))
@settings(max_examples=400, deadline=None)
def test_answers_of_any_shape_are_read_or_a_typed_error(found, wrapped):
    """Whatever JSON a server sends, callers see events or errors of our own tree."""
    shaped = {"message": found} if wrapped == "message" else found
    shaped = {"message": {"tool_calls": [found]}} if wrapped == "tool_calls" else shaped
    _, error = events(ndjson(shaped))
    try:
        decode(shaped, ReplyReader("acme"))
    except e.VendorError as fault:
        assert fault.provider == "acme"

    assert error is None or error.provider == "acme"


@pytest.mark.parametrize("junk", [b"{", b"[]", b"7", b'"text"', b"\xff", b"[" * 100_000])
def test_events_before_a_bad_line_are_kept(junk):
    """What had arrived is the caller's, even when it came in the same read."""
    found, error = events(ndjson(frame(content="Hi")) + junk + b"\n")

    assert [TextDelta("Hi")] == found
    assert type(error) is e.MalformedReplyError
    assert error.provider == "acme"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("model\n runner has stopped", "model runner has stopped"),
        ({"message": "No."}, "No."),
        ({"code": 7}, "it failed"),
        (None, "it failed"),
    ],
)
def test_an_error_in_an_answer_is_the_servers(body, words):
    """An HTTP status of 200 says nothing; words are no code, so that only one class is left."""
    found, error = events(ndjson(frame(content="Hi"), {"error": body}, frame(content="more")))
    with pytest.raises(e.ServerError) as caught:
        decode({"error": body}, ReplyReader("acme"))

    assert [TextDelta("Hi")] == found
    assert (type(error), str(error)) == (e.ServerError, f"acme: {words}")
    assert str(caught.value) == str(error)


def test_secrets_are_taken_out_of_the_servers_words():
    """A server may echo what it was sent."""
    _, error = events(ndjson({"error": "bad key k-1"}), scrub=lambda text: text.replace("k-1", "…"))

    assert str(error) == "acme: bad key …"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("load", "other"),
        ("unload", "other"),
        ("tomorrow", "other"),
        (None, "stop"),
        ("", "stop"),
    ],
)
def test_how_an_answer_ended(word, reason):
    """The server's word is kept beside ours."""
    end = {"done": True, "done_reason": word}
    found, _ = events(ndjson(frame(end)))

    assert [Finish(reason, None, "qwen3:8b", raw_reason=word)] == found
    assert decode(frame(end), ReplyReader("acme")).finish == found[0]


def test_calls_end_an_answer_unless_it_was_cut():
    """The server says `stop`, and of half a call nothing can be made."""
    for word, reason in (("stop", "tool_calls"), ("length", "length")):
        found, _ = events(ndjson(frame({"done": True, "done_reason": word}, tool_calls=[CALL])))

        assert found[-1].reason == reason


def test_ids_of_calls_are_stable_and_never_those_of_another_round():
    """They are made of the call, its place and the time; a server's own id is kept."""
    later = {**frame(tool_calls=[CALL]), "created_at": "2026-09-21T12:00:01.409172Z"}
    first, again, other = (
        [x.id for x in events(body)[0] if isinstance(x, ToolCallDelta)]
        for body in (STREAM, [STREAM[:300], STREAM[300:]], ndjson(later))
    )
    own, _ = events(ndjson(frame(tool_calls=[{**CALL, "id": "call_x"}])))

    assert first == again
    assert len({*first, *other}) == 3
    assert own[0].id == "call_x"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({}, "{}"), (None, "{}"), ({"a": "ü"}, '{"a": "ü"}'), ('{"a":1}', '{"a":1}')],
)
def test_arguments_become_json(arguments, text):
    """An object on the wire; proxies give them as text."""
    call = {"function": {"name": "rate", "arguments": arguments}}
    found, error = events(ndjson(frame(tool_calls=[call])))

    assert error is None
    assert found[0].arguments == text


def test_nothing_counts_after_the_end():
    """An answer has one end."""
    found, error = events(STREAM + ndjson(frame(content="more"), frame(END), {"error": "late"}))

    assert (found, error) == events(STREAM)


@pytest.mark.parametrize("count", [-1, "5", 1.5, True, []])
def test_counts_that_are_none_are_malformed(count):
    """A budget is kept with them."""
    _, error = events(ndjson(frame({**END, "eval_count": count})))

    assert type(error) is e.MalformedReplyError


@pytest.mark.parametrize(
    ("free", "more", "usd"),
    [
        (True, {}, Decimal(0)),
        (True, {"remote_host": "https://ollama.com:443"}, None),
        (False, {}, None),
    ],
)
def test_what_costs_nothing(free, more, usd):
    """What runs on this machine; what a server hands on elsewhere costs what is not known."""
    found, _ = events(ndjson({**frame(END), **more}), free=free)

    assert found[-1].usage == Usage(11, 18, usd=usd)


def test_an_answer_that_is_not_done_is_incomplete():
    """What had been said is not lost."""
    with pytest.raises(e.IncompleteError) as caught:
        decode(frame(content="Half"), ReplyReader("acme"))

    assert caught.value.partial == "Half"


def test_an_empty_answer_is_an_answer():
    """A message has a part, be it empty."""
    assert decode(frame(END), ReplyReader("acme")).message.parts == ("",)


def test_the_servers_lines_are_kept_only_when_asked_for():
    """Nothing is kept for nobody."""
    kept, _ = events(STREAM, keep=True)
    plain, _ = events(STREAM)

    assert list(FRAMES) == kept[-1].raw
    assert plain[-1].raw is None
    assert decode(WHOLE, ReplyReader("acme", keep=True)).finish.raw is WHOLE
    assert decode(WHOLE, ReplyReader("acme")).finish.raw is None
