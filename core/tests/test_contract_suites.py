"""What keeps contract suites honest: nothing is lost from them, and reports say what became of it."""

from __future__ import annotations

import pytest
from anymodal.testing import TextSuite
from anymodal.testing.report import Finding, Report, reached
from anymodal.testing.wire import mentions

NAME = "test_a_stream_ends_in_one_finish"


async def other(self):
    """Nothing."""


def made(**body):
    return type("TestText", (TextSuite,), body)


@pytest.mark.parametrize("instead", [None, other])
def test_a_clause_is_neither_removed_nor_overridden(instead):
    """A suite without its awkward test would be green."""
    with pytest.raises(TypeError, match=r"do away with text\.stream.ends-in-one-finish"):
        made(**{NAME: instead})


def test_a_class_between_overrides_nothing_either():
    """The order of the bases is no way around it."""
    with pytest.raises(TypeError, match="do away with"):
        type("TestText", (type("Mixin", (), {NAME: other}), TextSuite), {})


def test_an_xfail_needs_a_reason():
    """With one it may override: what is known to be broken is told, and stays in sight."""
    with pytest.raises(TypeError, match="do away with"):
        made(**{NAME: pytest.mark.xfail(other)})

    suite = made(**{NAME: pytest.mark.xfail(reason="the vendor has no end")(other)})
    assert suite.clauses()[NAME].id == "text.stream.ends-in-one-finish"


def test_only_clauses_can_be_excused():
    """A mistyped id would excuse nothing, and nobody would know."""
    with pytest.raises(TypeError, match=r"no clause is called text\.nonsense"):
        made(excuses={"text.nonsense": "why not"})


def test_each_clause_has_an_id_of_its_own_and_says_what_it_wants():
    """It is what people read below a failure."""
    clauses = list(TextSuite.clauses().values())

    assert len({one.id for one in clauses}) == len(clauses)
    assert [] == [one.id for one in clauses if len(one.words) < 20]


def finding(level, outcome, clause="a.b"):
    return Finding("acme", "text", clause, level, "asyncio", outcome, "why")


@pytest.mark.parametrize(
    ("found", "level"),
    [
        ([finding("works", "broken"), finding("honest", "kept")], None),
        ([finding("works", "kept"), finding("honest", "broken")], "works"),
        ([finding("works", "kept"), finding("complete", "skipped")], "honest"),
        ([finding("works", "kept"), finding("honest", "excused")], "complete"),
        ([finding("works", "not applicable")], "complete"),
    ],
)
def test_a_level_is_reached_when_nothing_up_to_it_is_broken(found, level):
    """What an author skips counts as unproven; what is excused has a reason for all to see."""
    assert level == reached(found)


def test_a_report_survives_json_and_is_told_in_words():
    """One line a suite, and one for each clause that was not kept."""
    report = Report([finding("works", "kept"), finding("honest", "broken", "a.c")])

    assert report == Report.from_dict(report.to_dict())
    assert list(report.lines()) == [
        "acme · text: works (1 kept, 1 broken)",
        "  broken          a.c [asyncio]  why",
    ]


class Sent:
    def __init__(self, body=b"", messages=(), query="", headers=()):
        self.body, self.messages, self.query = body, messages, query
        self.headers = dict(headers)


@pytest.mark.parametrize(
    ("request_", "value", "is_there"),
    [
        (Sent(b'{"a": ["x \\u706f"]}'), "灯", True),
        (Sent(b'{"a": 0.375}'), 0.375, True),
        (Sent(b'{"a": true}'), 1, False),
        (Sent(b'{"a": "aGVsbG8="}'), b"hello", True),
        (Sent(b"name=x&max=177"), 177, True),
        (Sent(messages=['{"say": "hello"}']), "hello", True),
        (Sent(query="say=%E7%81%AF&max=177"), "灯", True),
        (Sent(query="max=177"), 177, True),
        (Sent(headers={"x-reader": "r-7"}), "r-7", True),
        (Sent(headers={"content-length": "177"}), 177, False),
        (Sent(b"{}"), "hello", False),
    ],
)
def test_what_was_sent_is_found_whatever_the_protocol(request_, value, is_there):
    """Escaped, in base64, in a form, or over a WebSocket."""
    assert mentions(request_, value) is is_there
