"""Jobs: states, tokens, how often to ask, and what waiting comes to."""

from __future__ import annotations

import base64
import json
import math

import attrs
import pytest
from anymodal import errors as e
from anymodal.failures import transport_errors
from anymodal.jobs import (
    ENDED,
    LONGEST_TOKEN,
    JobStatus,
    JobToken,
    Polling,
    failure_of,
    state_of,
    submitting,
)
from hypothesis import given
from hypothesis import strategies as st

TOKEN = JobToken(
    provider="acme",
    instance="work",
    model="acme/m-1",
    modality="text",
    operation="batch",
    call="c0ffee",
    handle={"batch": "b-1", "parts": [1, "zwei", None]},
    kept={"lines": 3},
)


# -- states ---------------------------------------------------------------------------


def test_unknown_word_means_running():
    """A vendor's new word must not end a job that goes on."""
    known = {"done": "succeeded", "waiting": "queued"}

    assert "succeeded" == state_of("done", known)
    assert "running" == state_of("pondering", known)
    assert not JobStatus(state=state_of("pondering", known), word="pondering").is_ended


@pytest.mark.parametrize("state", sorted(ENDED))
def test_only_success_has_a_result_of_itself(state):
    """What is left of a cancelled job is there only where the vendor says so."""
    assert JobStatus(state=state).is_ended
    assert (state == "succeeded") == JobStatus(state=state).has_result
    assert JobStatus(state=state, has_result=True).has_result


@pytest.mark.parametrize(("said", "meant"), [(0.25, 0.25), (1.7, 1.0), (-1, 0.0), (math.nan, None)])
def test_progress_is_a_share_or_unknown(said, meant):
    """Vendors' counts run over now and then; a progress bar cannot."""
    assert meant == JobStatus(state="running", progress=said).progress


def test_state_of_our_own_making_is_refused():
    """A plugin that passes the vendor's word on would never end."""
    with pytest.raises(ValueError, match="completed"):
        JobStatus(state="completed")


@pytest.mark.parametrize(
    ("state", "cls"),
    [
        ("failed", e.JobFailedError),
        ("filtered", e.ContentFilteredError),
        ("cancelled", e.JobFailedError),
        ("expired", e.JobFailedError),
    ],
)
def test_failures_keep_the_vendors_words(state, cls):
    """A filter is a filter, also in a job."""
    status = JobStatus(state=state, word="vendor-word", message="no luck", request_id="r-1")
    error = failure_of(status, "work/m-1", "acme")

    assert cls is type(error)
    assert ("acme", "vendor-word", "r-1") == (error.provider, error.vendor_code, error.request_id)
    assert str(error).startswith("work/m-1: the job ") and str(error).endswith(": no luck")


# -- tokens ---------------------------------------------------------------------------


def test_token_comes_back_the_same():
    """Through text that no shell and no URL minds."""
    text = str(TOKEN)

    assert TOKEN == JobToken.parse(text)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
    assert text == json.loads(json.dumps(text))


@given(st.text(max_size=60) | st.text("job1.eyJ2IjoxfQ_-", max_size=60).map("job1.".__add__))
def test_no_other_text_is_a_token(text):
    """Tokens come from files and command lines; nonsense is the caller's error."""
    with pytest.raises(e.InvalidRequestError) as found:
        JobToken.parse(text)

    assert "token" == found.value.field


@pytest.mark.parametrize(
    "text",
    [
        str(TOKEN)[:-3],
        str(attrs.evolve(TOKEN, provider=["acme"])),
        str(attrs.evolve(TOKEN, handle="b-1")),
        "job1." + base64.urlsafe_b64encode(b"[1]").decode(),
        str(attrs.evolve(TOKEN, kept={"long": "x" * LONGEST_TOKEN})),
    ],
    ids=["cut", "list for a name", "string for a handle", "no object", "too long"],
)
def test_damaged_token_is_refused(text):
    """Whatever is wrong with it, and before anybody is called."""
    with pytest.raises(e.InvalidRequestError):
        JobToken.parse(text)


def test_fields_of_later_versions_are_passed_over():
    """A token of tomorrow is of use today, where what it adds is not needed."""

    @attrs.frozen(kw_only=True)
    class Later(JobToken):
        store: str = "sqlite"

    assert TOKEN == JobToken.parse(str(Later(**attrs.asdict(TOKEN))))


# -- how often ------------------------------------------------------------------------

SECONDS = st.floats(0.01, 1000)


POLLINGS = st.builds(
    Polling, first=SECONDS, factor=st.floats(1, 10), longest=SECONDS, jitter=st.floats(0, 1)
)


@given(polling=POLLINGS, chance=st.floats(0, 1), asked=st.integers(0, 10**9))
def test_waits_are_bounded(polling, chance, asked):
    """Never past the longest, never below what jitter leaves, and no number overflows."""
    seconds = polling.wait(asked, chance)

    assert seconds <= polling.longest
    assert seconds >= min(polling.first, polling.longest) * (1 - polling.jitter) * 0.999


@given(first=SECONDS, factor=st.floats(1, 10), asked=st.integers(0, 1000))
def test_waits_grow(first, factor, asked):
    """Each at least as long as the one before."""
    polling = Polling(first=first, factor=factor, longest=1000, jitter=0)

    assert polling.wait(asked, 0) <= polling.wait(asked + 1, 0)


def test_waits_by_example():
    """Doubling up to the longest; all chance takes off is the jitter's share."""
    polling = Polling(first=1, factor=2, longest=5, jitter=0.5)

    assert [1, 2, 4, 5, 5] == [polling.wait(asked, 0) for asked in range(1, 6)]
    assert [0.5, 1, 2, 2.5, 2.5] == [polling.wait(asked, 1) for asked in range(1, 6)]


@given(asked=st.integers(0, 100), chance=st.floats(0, 1), wanted=st.floats(0, 10_000))
def test_the_vendors_wait_is_the_least(asked, chance, wanted):
    """Retry-After is honoured, jitter or not, past the longest too."""
    assert Polling().wait(asked, chance, wanted) >= wanted


# -- submitting -----------------------------------------------------------------------

BROKE = e.ConnectionFailedError("acme: broke")
SLOW = e.TimedOutError("acme: slow", status=504)
REFUSAL = e.RateLimitedError("acme: slow down")


@pytest.mark.parametrize("error", [BROKE, SLOW])
def test_no_answer_leaves_the_outcome_unknown(error):
    """The job may exist and be paid for, so it must not be made again elsewhere."""
    with pytest.raises(e.OutcomeUnknownError) as found, submitting("acme"):
        raise error

    assert error is found.value.__cause__
    assert ("acme", error.status) == (found.value.provider, found.value.status)


def test_no_connection_means_nothing_was_sent():
    """Then another vendor may be asked."""
    with (
        pytest.raises(e.ConnectionFailedError) as found,
        submitting("acme"),
        transport_errors("acme"),
    ):
        raise ConnectionRefusedError

    assert not isinstance(found.value, e.OutcomeUnknownError)


def test_a_refusal_is_an_answer():
    """It says that there is no job."""
    with pytest.raises(e.RateLimitedError), submitting("acme"):
        raise REFUSAL
