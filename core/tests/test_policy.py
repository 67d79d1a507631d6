"""What is decided about failures, limits and money: of values and pure functions."""

import math
from decimal import Decimal

import attrs
import pytest
from anymodal import Breaker, Budget, Deadlines, Limits, Policy, Retry, Settings
from anymodal import errors as e
from anymodal.policies import Rules
from anymodal.policy.budget import may_be_billed
from anymodal.policy.retry import Allowance, wait_before
from hypothesis import given
from hypothesis import strategies as st

BUSY = e.OverloadedError("acme: busy")
numbers = st.floats(1e-6, 1e6)
counts = st.integers(1, 10_000)
retries = st.builds(
    Retry,
    attempts=counts,
    first=numbers,
    factor=st.floats(1, 1e6),
    longest=numbers,
    patience=st.floats(0, 1e6),
    budget=numbers,
    refill=st.floats(0, 1),
    resend=st.booleans(),
)
breakers = st.builds(
    Breaker,
    failures=st.none() | counts,
    rate=st.none() | st.floats(0, 1),
    floor=counts,
    window=numbers,
    rest=numbers,
    refuses=st.booleans(),
)
limits = st.builds(
    Limits,
    requests=st.none() | counts,
    tokens=st.none() | counts,
    concurrency=st.none() | counts,
)
budgets = st.builds(
    Budget,
    usd=st.none() | st.integers(1, 9999).map(lambda cents: Decimal(cents) / 100),
    tokens=st.none() | counts,
    per=st.none() | numbers,
    tag=st.sampled_from(["", "user"]),
    name=st.sampled_from(["", "day"]),
    unknown=st.sampled_from(["refuse", "allow"]),
)
policies = st.builds(
    Policy,
    retry=st.none() | retries,
    breaker=st.none() | breakers,
    limits=st.none() | limits,
    budgets=st.lists(budgets, max_size=3, unique=True),
    timeout=st.none() | st.builds(Deadlines, total=numbers),
    on_filtered=st.none() | st.sampled_from(["stop", "next"]),
)


def wait(retry, error=BUSY, *, tried=1, chance=1.0, left=math.inf, repeatable=True):
    return wait_before(retry, error, tried=tried, chance=chance, left=left, repeatable=repeatable)


# -- waits --------------------------------------------------------------------------------


@given(retries, st.integers(1, 9999), st.floats(0, 1))
def test_waits_grow_up_to_the_longest(retry, tried, chance):
    """For equal luck a later wait is no shorter, and none is longer than may be."""
    retry = attrs.evolve(retry, attempts=20_000)
    first, then = (
        wait(retry, tried=tried, chance=chance),
        wait(retry, tried=tried + 1, chance=chance),
    )

    assert 0 <= first <= then <= retry.longest


@given(retries)
def test_first_wait_is_the_first(retry):
    """Unless that is longer than the longest."""
    found = wait(attrs.evolve(retry, attempts=2))

    assert found == pytest.approx(min(retry.first, retry.longest))


@given(
    st.floats(5e-324, 1.7e308),
    st.floats(1, 1.7e308),
    st.floats(5e-324, 1.7e308),
    st.integers(1, 10**9),
)
def test_no_numbers_are_too_large(first, factor, longest, tried):
    """Powers leave the floats long before settings do."""
    retry = Retry(first=first, factor=factor, longest=longest, attempts=10**10)

    assert 0 < wait(retry, tried=tried) <= longest


@given(retries, st.floats(0, 1e6), st.floats(0, 1))
def test_no_wait_is_shorter_than_the_vendor_asks(retry, asked, chance):
    """Nor is one made that is longer than the caller's patience: the error now."""
    error = e.RateLimitedError("acme: slow down", retry_after=asked)
    found = wait(attrs.evolve(retry, attempts=2), error, chance=chance)

    if asked > retry.patience:
        assert found is None
    else:
        assert asked <= found <= asked + retry.longest


@pytest.mark.parametrize("asked", [math.inf, math.nan, 1e300])
def test_absurd_wishes_of_a_vendor_end_it(asked):
    """Nobody waits for ever because a header says so."""
    assert wait(Retry(), e.RateLimitedError("acme: no", retry_after=asked)) is None


def test_wishes_of_the_past_are_none():
    """A plugin may reckon a date that is over as a number below zero."""
    assert 0 == wait(Retry(), e.RateLimitedError("acme: no", retry_after=-5), chance=0.0)


@given(retries, st.integers(1, 20), st.floats(0, 1), st.floats(-10, 1e3))
def test_waits_leave_time_for_the_attempt(retry, tried, chance, left):
    """A wait that ends with the deadline would be in vain."""
    found = wait(retry, tried=tried, chance=chance, left=left)

    assert found is None or found < left


@given(retries, st.integers(1, 20_000))
def test_attempts_are_counted(retry, tried):
    """So many in all, and no more."""
    assert (wait(retry, tried=tried) is None) == (tried >= retry.attempts)


def unsent(error):
    error.never_sent = True
    return error


@pytest.mark.parametrize(
    ("error", "again", "once"),
    [
        (e.OverloadedError("no"), True, True),
        (e.RateLimitedError("no"), True, True),
        (e.ServerError("no"), True, False),
        (e.ConnectionFailedError("no"), True, False),
        (unsent(e.ConnectionFailedError("no")), True, True),
        (e.TimedOutError("no", status=504), True, False),
        (e.TimedOutError("no"), False, False),
        (unsent(e.TimedOutError("no")), True, True),
        (e.BadRequestError("no"), False, False),
        (e.AuthenticationError("no"), False, False),
        (e.QuotaExceededError("no"), False, False),
        (e.ContentFilteredError("no"), False, False),
        (e.IncompleteError("no"), False, False),
        (e.OutcomeUnknownError("no"), False, False),
        (e.DeadlineExceededError("no"), False, False),
        (ValueError("no"), False, False),
    ],
)
def test_what_may_pass_is_tried_again(error, again, once):
    """*once* is for what makes something: only where it is known that nothing was made."""
    assert again == (wait(Retry(), error) is not None)
    assert once == (wait(Retry(), error, repeatable=False) is not None)


def test_what_lasts_is_not_tried_again():
    """Whatever its class: a plugin knows that no wait helps."""
    error = e.ServerError("acme: not ever")
    error.is_lasting = True

    assert wait(Retry(), error) is None


def test_broken_connections_are_not_resent_where_that_is_not_wanted():
    """The vendor may bill for what nobody reads."""
    retry = Retry(resend=False)

    assert wait(retry, e.ConnectionFailedError("no")) is None
    assert wait(retry, unsent(e.ConnectionFailedError("no"))) is not None


# -- the allowance ------------------------------------------------------------------------


@given(retries, st.lists(st.booleans(), max_size=200))
def test_retries_stop_at_half_of_the_budget(retry, outcomes):
    """Whatever comes, what is used stays within the budget, and no failure is retried past half."""
    allowance = Allowance()
    for answered in outcomes:
        if answered:
            allowance.answered(retry)
        else:
            assert allowance.failed(retry) == (allowance.used < retry.budget / 2)
        assert 0 <= allowance.used <= retry.budget


def test_fifty_callers_get_four_retries():
    """The storm ends before it begins."""
    allowance = Allowance()

    assert 4 == sum(allowance.failed(Retry()) for _ in range(50))


def test_successes_bring_retries_back():
    """Ten of them for each failure."""
    allowance, retry = Allowance(), Retry(budget=2.5)

    assert allowance.failed(retry)
    assert not allowance.failed(retry)
    for _ in range(10):
        allowance.answered(retry)
    assert not allowance.failed(retry)
    for _ in range(20):
        allowance.answered(retry)
    assert allowance.failed(retry)


# -- what holds ---------------------------------------------------------------------------


@given(policies, policies)
def test_policies_over_each_other_are_rules_under_them(wide, narrow):
    """Two ways to say which of two wins."""
    assert Rules().under(wide, narrow) == Rules().under(narrow.over(wide))


@given(policies, policies, policies)
def test_policies_lie_over_each_other_in_any_grouping(one, two, three):
    """What is laid over what first makes no difference."""
    assert three.over(two.over(one)) == three.over(two).over(one)
    assert Rules().under(one, two, three) == Rules().under(one).under(two, None).under(three)


@given(policies)
def test_policies_that_say_nothing_change_nothing(policy):
    """From either side."""
    rules = Rules().under(policy)

    assert policy == policy.over(Policy()) == Policy().over(policy)
    assert rules == rules.under(Policy()) == rules.under(None) == rules.under()


@given(policies, policies)
def test_narrower_wins_and_budgets_add_up(wide, narrow):
    """Part by part; of limits, number by number."""
    found = Rules().under(wide, narrow)

    for part in ("retry", "breaker", "timeout", "on_filtered"):
        said = getattr(narrow, part) or getattr(wide, part) or getattr(Rules(), part)
        assert said == getattr(found, part)
    for name in ("requests", "tokens", "concurrency"):
        said = [getattr(one.limits, name) for one in (narrow, wide) if one.limits is not None]
        assert next((one for one in said if one is not None), None) == getattr(found.limits, name)
    assert {*wide.budgets, *narrow.budgets} == set(found.budgets)
    assert len(found.budgets) == len(set(found.budgets))


# -- what may be said ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (Retry, "attempts", 0),
        (Retry, "attempts", 1.5),
        (Retry, "attempts", True),
        (Retry, "attempts", "sk-secret"),
        (Retry, "first", 0),
        (Retry, "first", math.nan),
        (Retry, "longest", math.inf),
        (Retry, "factor", 0.5),
        (Retry, "refill", 1.5),
        (Retry, "resend", "sk-secret"),
        (Breaker, "failures", 0),
        (Breaker, "rate", -0.1),
        (Breaker, "rest", 0),
        (Breaker, "refuses", 1),
        (Limits, "requests", -1),
        (Budget, "usd", 0),
        (Budget, "usd", True),
        (Budget, "usd", "sk-secret"),
        (Budget, "usd", "nan"),
        (Budget, "usd", []),
        (Budget, "tokens", 0),
        (Budget, "per", 0),
        (Budget, "tag", 1),
        (Budget, "unknown", "sk-secret"),
        (Budget, "unknown", ["refuse"]),
        (Policy, "on_filtered", "sk-secret"),
        (Policy, "on_filtered", ["next"]),
    ],
)
def test_values_that_cannot_be_are_refused_unseen(cls, name, value):
    """A string may be a key in the wrong place."""
    with pytest.raises(ValueError, match=rf"^{name}: ") as caught:
        cls(**{name: value})

    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("value", [5, None, "text", [1], {"usd": 1}])
def test_budgets_are_a_list_of_them(value):
    """Told in the same words, whatever else was given."""
    with pytest.raises(TypeError, match=r"^budgets: a list of Budget is needed$"):
        Policy(budgets=value)


def test_one_budget_is_a_list_of_one():
    """Most have one."""
    assert Policy(budgets=[Budget(usd=1)]) == Policy(budgets=Budget(usd=1))


def test_parts_are_of_their_classes():
    """A table is for files."""
    with pytest.raises(TypeError):
        Policy(retry={"attempts": 1})


def test_dollars_are_exact():
    """As they are written, whatever floats are."""
    assert Decimal("0.1") == Budget(usd=0.1).usd == Budget(usd="0.1").usd


def without_none(value):
    if isinstance(value, dict):
        return {name: without_none(one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [without_none(one) for one in value]
    return str(value) if isinstance(value, Decimal) else value


@given(policies)
def test_settings_say_what_code_says(policy):
    """Tables of the same names; deadlines have settings of their own."""
    breaker = policy.breaker
    if breaker is not None:  # a file has no word for never
        breaker = attrs.evolve(breaker, failures=breaker.failures or 5, rate=breaker.rate or 0.5)
        if policy.breaker.rate == 0:
            breaker = attrs.evolve(breaker, rate=0)
    policy = attrs.evolve(policy, timeout=None, breaker=breaker)
    table = without_none(attrs.asdict(policy))
    found = Settings.from_mapping(
        {"policy": table, "policies": {"text": table}, "providers": {"acme": {"policy": table}}},
        environ={},
    )

    assert policy == found.policy == found.policies["text"] == found.of("acme").policy


FAULTY = """\
[policy]
on_filtered = ["next"]
[policy.retry]
attempts = "sk-secret"
atempts = 3
[policy.breaker]
rate = 2
[[policy.budgets]]
usd = 5
[[policy.budgets]]
usd = "sk-secret"
[policies.text]
limits = "sk-secret"
[providers.acme.policy.limits]
requests = 0
"""


def test_every_fault_of_a_file_is_told_with_its_place(tmp_path):
    """All at once, and no string is shown."""
    file = tmp_path / "anymodal.toml"
    file.write_text(FAULTY, "utf-8")
    with pytest.raises(e.SettingsError) as caught:
        Settings.load(environ={"ANYMODAL_CONFIG": str(file)})
    found = [fault.removeprefix(f"{file}:") for fault in caught.value.faults]

    assert sorted(found, key=lambda fault: int(fault.partition(":")[0])) == [
        "2: policy.on_filtered: stop or next is needed.",
        "4: policy.retry.attempts: a whole number above 0 is needed, not str.",
        "5: policy.retry.atempts: there is no such setting. Did you mean attempts?",
        "7: policy.breaker.rate: a number from 0 to 1 is needed, not 2.",
        "11: policy.budgets.1.usd: a number of dollars above 0 is needed.",
        "13: policies.text.limits: a table is needed, not a string.",
        "15: providers.acme.policy.limits.requests: a whole number above 0 is needed, not 0.",
    ]


@pytest.mark.parametrize("value", [5, "sk-secret", {"usd": 1}, ["sk-secret"]])
def test_budgets_of_settings_are_tables(value):
    """In a list."""
    with pytest.raises(
        e.SettingsError, match=r"policy\.budgets: a (list of )?tables? is needed"
    ) as caught:
        Settings.from_mapping({"policy": {"budgets": value}}, environ={})

    assert "sk-secret" not in str(caught.value)


# -- what may have been paid for ----------------------------------------------------------


@pytest.mark.parametrize("cls", [getattr(e, name) for name in e.__all__])
def test_every_error_is_billed_or_not(cls):
    """What broke off may have been; what was refused was not."""
    billed = {
        e.DeadlineExceededError, e.IncompleteError, e.MalformedReplyError, e.OutcomeUnknownError,
        e.TimedOutError,
    }  # fmt: skip
    error = (
        cls.__new__(cls, [ValueError()]) if cls is e.FallbackExhaustedError else cls.__new__(cls)
    )

    assert (cls in billed) == may_be_billed(error)


def test_strange_errors_may_be_billed_unless_nothing_was_sent():
    """Who knows what a plugin had done by then."""
    assert may_be_billed(ValueError())
    assert not may_be_billed(unsent(e.TimedOutError("no")))


def test_false_switches_off():
    """TOML has no null with which to say that nothing opens a circuit."""
    said = {"retry": False, "breaker": False}
    found = Settings.from_mapping({"policy": said}, environ={}).policy

    assert Policy(retry=Retry(attempts=1), breaker=Breaker(failures=None, rate=None)) == found
    with pytest.raises(e.SettingsError) as caught:
        Settings.from_mapping({"policy": {"limits": False, "retry": True}}, environ={})
    assert 2 == len(caught.value.faults)


def test_seconds_are_the_whole_of_a_timeout():
    """As they are for a call."""
    assert Deadlines(total=30) == Policy(timeout=30).timeout
    for wrong in (True, "30", 0):
        with pytest.raises((TypeError, ValueError)):
            Policy(timeout=wrong)
