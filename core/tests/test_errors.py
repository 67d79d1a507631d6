"""The tree of errors: its shape, its codes, and what survives a pickle."""

import copy
import inspect
import pickle
import re

import pytest
from anymodal import errors
from anymodal.errors import (
    AnymodalError,
    ConnectionFailedError,
    FallbackExhaustedError,
    InvalidRequestError,
    RateLimitedError,
    ServerError,
    SettingsError,
    VendorError,
)
from anymodal.usage import Record

CLASSES = [
    cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, AnymodalError)
]


def drawn():
    """The tree at the top of the module, as pairs of a class and its parent."""
    parents, found = [], {}
    for indent, name in re.findall(r"^( *)[*x+] (\w+Error)", errors.__doc__, re.MULTILINE):
        depth = len(indent) // 2
        del parents[depth:]
        found[name] = parents[-1] if parents else "Exception"
        parents.append(name)
    return found


def test_tree_is_as_drawn():
    """People read the drawing, programs the classes."""
    assert drawn() == {cls.__name__: cls.__bases__[0].__name__ for cls in CLASSES}


def test_every_error_but_the_base_is_public():
    """`from anymodal.errors import *` is what a caller may catch."""
    assert sorted(errors.__all__) == sorted(cls.__name__ for cls in CLASSES)


def test_codes_are_unique_and_stable():
    """They stand in logs and in programs of other languages, so they never change."""
    codes = {cls.__name__: vars(cls)["code"] for cls in CLASSES}
    expected = {
        name: re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Error")).lower() for name in codes
    }

    assert codes == expected
    assert len(set(codes.values())) == len(codes)


def test_settings_error_keeps_its_faults():
    """A message for people, a tuple for programs."""
    error = SettingsError(["a.toml:1: x", "code: y"])

    assert str(error) == "a.toml:1: x; code: y"
    assert error.faults == ("a.toml:1: x", "code: y")


def test_settings_error_survives_a_pickle():
    """Its constructor does not take what its message is."""
    error = pickle.loads(pickle.dumps(SettingsError(["x", "y"])))

    assert type(error) is SettingsError
    assert error.faults == ("x", "y")
    assert str(error) == "x; y"


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if issubclass(cls, VendorError)])
def test_vendor_error_carries_what_the_vendor_said(cls):
    """Of every kind, and by way of a pickle or a copy, as process pools make them."""
    if cls is FallbackExhaustedError:
        error = cls([ServerError("x")])
    else:
        error = cls(
            "acme: HTTP 429",
            provider="acme",
            status=429,
            vendor_code="slow_down",
            request_id="r1",
            retry_after=1.5,
        )
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is cls
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_exhausted_fallback_survives_a_pickle_with_its_errors():
    """A group of exceptions is made of them, not of its message."""
    error = FallbackExhaustedError([ServerError("a"), RateLimitedError("b", retry_after=2)])
    again = pickle.loads(pickle.dumps(error))

    assert [type(one) for one in again.exceptions] == [ServerError, RateLimitedError]
    assert again.exceptions[1].retry_after == 2


def test_vendor_error_knows_nothing_that_it_was_not_told():
    """Unknown is None, not 0."""
    error = VendorError("acme failed")

    assert vars(error) == {
        "provider": "",
        "status": None,
        "vendor_code": None,
        "request_id": None,
        "retry_after": None,
    }
    assert error.record is None


def test_invalid_request_names_the_field():
    """So that a form can show it where it belongs."""
    assert InvalidRequestError("top_p: too large", field="top_p").field == "top_p"
    assert InvalidRequestError("no").field == ""


def test_text_that_had_arrived_is_empty_where_none_had():
    """A caller may read `partial` of any error that can have it."""
    partial = sorted(cls.code for cls in CLASSES if "partial" in vars(cls))

    assert partial == [
        "content_filtered",
        "deadline_exceeded",
        "incomplete",
        "invalid_output",
        "malformed_reply",
        "timed_out",
        "vendor",
    ]
    assert {cls.partial for cls in CLASSES if "partial" in vars(cls)} == {""}


def test_exhausted_fallback_holds_every_error_in_order():
    """It is a vendor's error for those who catch one, and a group for those who look inside."""
    first, second = ServerError("a: HTTP 500"), RateLimitedError("b: HTTP 429", retry_after=2)
    error = FallbackExhaustedError([first, second])

    assert isinstance(error, VendorError)
    assert error.exceptions == (first, second)
    assert str(error) == "none of 2 candidates answered (2 sub-exceptions)"
    assert error.status is None


def test_exhausted_fallback_can_be_split_by_kind():
    """`except*` takes it apart; class and record are kept."""
    waited = []
    both = FallbackExhaustedError(
        [RateLimitedError("a", retry_after=2), ConnectionFailedError("b")]
    )
    both.record = Record(id="c1", modality="text", operation="generate")
    with pytest.raises(FallbackExhaustedError) as caught:
        try:
            raise both
        except* RateLimitedError as limited:
            waited += [error.retry_after for error in limited.exceptions]

    assert waited == [2]
    assert [str(error) for error in caught.value.exceptions] == ["b"]
    assert caught.value.record is both.record
