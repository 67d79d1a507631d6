"""Conditions on payloads: what they mean, what is refused, and their algebra."""

import pytest
from anymodal import errors as e
from anymodal.modalities.filters import And, Eq, Filter, In, Not, Or, Range
from hypothesis import given
from hypothesis import strategies as st

from .filtering import FILTERS, PAYLOADS, by_hand


@pytest.mark.parametrize(
    ("condition", "payload", "fits"),
    [
        (Eq("kind", "letter"), {"kind": "letter"}, True),
        (Eq("kind", "letter"), {"kind": ["note", "letter"]}, True),
        (Eq("kind", "letter"), {"kind": None}, False),
        (Eq("kind", "letter"), {}, False),
        (Eq("n", 1), {"n": True}, False),
        (Eq("n", 1), {"n": 1.0}, False),
        (Eq("done", value=True), {"done": 1}, False),
        (In("n", [1, "one"]), {"n": "one"}, True),
        (In("n", [1, "one"]), {"n": 2}, False),
        (Range("n", gt=1), {"n": 1}, False),
        (Range("n", gte=1), {"n": 1}, True),
        (Range("n", lt=1.5), {"n": 1}, True),
        (Range("n", lte=1), {"n": 1.5}, False),
        (Range("n", gte=0, lt=2), {"n": [7, 1]}, True),
        (Range("n", gte=0), {"n": True}, False),
        (Range("n", gte=0), {"n": "1"}, False),
        (~Eq("kind", "letter"), {}, True),
        (Eq("a", 1) & Eq("b", 2), {"a": 1}, False),
        (Eq("a", 1) | Eq("b", 2), {"a": 1}, True),
    ],
)
def test_what_a_condition_means(condition, payload, fits):
    """The same for every store; in JSON 1, 1.0 and true are three things."""
    assert fits is condition.matches(payload)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Eq("a.b", 1), "no field"),
        (lambda: Eq(3, 1), "no field"),
        (lambda: Eq("a", 1.5), "use Range"),
        (lambda: Eq("a", None), "neither a string"),
        (lambda: Eq("a", 2**63), "too large"),
        (lambda: In("a", []), "at least one value"),
        (lambda: In("a", "letters"), "a list of values"),
        (lambda: In("a", [1, 2.5]), "use Range"),
        (lambda: Range("a"), "needs a bound"),
        (lambda: Range("a", gt=float("nan")), "a bound of Range is a number"),
        (lambda: Range("a", gt="b"), "a bound of Range is a number"),
        (lambda: Range("a", gt=True), "a bound of Range is a number"),
        (And, "made of filters"),
        (lambda: Or(Eq("a", 1), {"b": 2}), "made of filters"),
        (lambda: Not("a"), "made of filters"),
    ],
)
def test_what_no_store_could_do_is_refused(make, words):
    """Where it is written, and not where it is sent."""
    with pytest.raises(e.InvalidRequestError, match=words) as caught:
        make()

    assert "filter" == caught.value.field


def test_filter_is_a_value():
    """Equal ones are equal, and may be keys."""
    assert {Eq("a", 1) & In("b", ["c"])} == {And(Eq("a", 1), In("b", ("c",)))}
    assert "Not(part=Range(field='n', gt=None, gte=1, lt=None, lte=None))" == repr(
        ~Range("n", gte=1)
    )


def test_filter_alone_lets_nothing_through():
    """It is a base, and says so."""
    with pytest.raises(NotImplementedError):
        Filter().matches({})


@given(FILTERS, PAYLOADS)
def test_agrees_with_sets(condition, payloads):
    """Filters are sets of payloads: and, or and not are what they are of sets."""
    assert by_hand(condition, payloads) == {
        at for at, payload in enumerate(payloads) if condition.matches(payload)
    }


@given(FILTERS, FILTERS, PAYLOADS)
def test_de_morgan(one, other, payloads):
    """Not both is not one or not the other; neither is not one and not the other."""
    for payload in payloads:
        assert (~(one & other)).matches(payload) is (~one | ~other).matches(payload)
        assert (~(one | other)).matches(payload) is (~one & ~other).matches(payload)
        assert (~~one).matches(payload) is one.matches(payload)


@given(st.lists(st.sampled_from(["a", "b", 1, True]), min_size=1), PAYLOADS)
def test_one_of_several_is_this_or_that(values, payloads):
    """`In` is short for `Or`."""
    either = Or(*(Eq("kind", value) for value in values))

    assert all(In("kind", values).matches(one) is either.matches(one) for one in payloads)
