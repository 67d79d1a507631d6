"""Circuits, against a model that keeps every outcome, and health, which shows them."""

import pytest
from anymodal import Breaker
from anymodal import errors as e
from anymodal.policies import Rules
from anymodal.policy.breaker import Circuit, is_to_blame
from anymodal.policy.limits import Limiter
from anymodal.policy.standing import Standing
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from .clocks import FakeClock

RULES = Rules()
DOWN = e.ConnectionFailedError("acme: the connection failed")


class Circuits(RuleBasedStateMachine):
    """Calls that begin, in their turn or as the last resort, and end in any order."""

    calls = Bundle("calls")

    @initialize(
        failures=st.none() | st.integers(1, 4),
        rate=st.none() | st.sampled_from([0.3, 0.5, 1.0]),
        floor=st.integers(1, 6),
    )
    def begins(self, failures, rate, floor):
        self.breaker = Breaker(failures=failures, rate=rate, floor=floor, window=60, rest=30)
        self.circuit = Circuit()
        self.now = 0.0
        self.outcomes = []
        self.in_a_row = 0
        self.opened_at = None
        self.prober = None

    @rule(seconds=st.sampled_from([1.0, 10.0, 30.0, 45.0, 59.0, 60.0, 100.0, 500.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(target=calls)
    def call_begins(self):
        call = object()
        found = self.circuit.admits(self.breaker, self.now, call)
        if self.opened_at is None:
            assert found
        else:
            has_rested = self.now - self.opened_at >= self.breaker.rest
            assert found == (has_rested and self.prober is None)
            if found:
                self.prober = call
        return call

    @rule(call=consumes(calls))
    def call_is_answered(self, call):
        was_open = self.opened_at is not None

        assert was_open == self.circuit.answered(self.breaker, self.now)
        self.outcomes = [] if was_open else [*self.outcomes, (self.now, False)]
        self.in_a_row, self.opened_at, self.prober = 0, None, None

    @rule(call=consumes(calls))
    def call_fails(self, call):
        found = self.circuit.failed(self.breaker, self.now, call)
        self.outcomes.append((self.now, True))
        self.in_a_row += 1
        if self.opened_at is not None:
            assert found == (call is self.prober)
            if found:
                self.opened_at, self.prober = self.now, None
            return
        if found:
            self.opened_at = self.now
        failures = self.breaker.failures
        if failures is not None and self.in_a_row >= failures:
            assert found
        else:
            assert found in {self.is_too_much(some) for some in self.looked_at()}

    def looked_at(self):
        """Ends of the list that go back one window at least, and two at most."""
        ages = [self.now - at for at, _ in self.outcomes]
        least = sum(age < self.breaker.window for age in ages)
        most = sum(age < 2 * self.breaker.window for age in ages)
        return [self.outcomes[len(ages) - count :] for count in range(least, most + 1)]

    def is_too_much(self, outcomes):
        rate = self.breaker.rate
        if rate is None or len(outcomes) < self.breaker.floor:
            return False
        return sum(failed for _, failed in outcomes) >= rate * len(outcomes)

    @rule(call=consumes(calls))
    def call_tells_nothing(self, call):
        self.circuit.left(call)
        if call is self.prober:
            self.prober = None

    @invariant()
    def agrees(self):
        assert self.opened_at == self.circuit.opened_at
        assert self.prober is self.circuit.prober
        if self.opened_at is None:
            assert "closed" == self.circuit.state(self.breaker, self.now)
        else:
            rests = self.now - self.opened_at < self.breaker.rest
            assert ("open" if rests else "half-open") == self.circuit.state(self.breaker, self.now)

    @invariant()
    def share_is_of_late(self):
        found = self.circuit.share_failed(self.breaker, self.now)
        shares = {
            sum(failed for _, failed in some) / len(some) if some else None
            for some in self.looked_at()
        }

        assert found in shares


TestCircuits = Circuits.TestCase
TestCircuits.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# -- what counts --------------------------------------------------------------------------


@pytest.fixture
def standing():
    return Standing("acme", "text", Limiter(FakeClock()))


BLAMED = {
    e.ConnectionFailedError,
    e.DeadlineExceededError,
    e.IncompleteError,
    e.MalformedReplyError,
    e.OutcomeUnknownError,
    e.OverloadedError,
    e.ServerError,
    e.TimedOutError,
}


@pytest.mark.parametrize("cls", [getattr(e, name) for name in e.__all__])
def test_vendors_are_blamed_for_what_is_theirs(cls):
    """Not for a bad request, a key, or too many requests."""
    error = (
        cls.__new__(cls, [ValueError()]) if cls is e.FallbackExhaustedError else cls.__new__(cls)
    )

    assert (cls in BLAMED) == is_to_blame(error)


def test_refusals_are_answers(standing):
    """It is there, and says no."""
    for _ in range(4):
        assert not standing.failed(DOWN, RULES, 0)
    assert not standing.failed(e.BadRequestError("no"), RULES, 0)
    for _ in range(4):
        assert not standing.failed(DOWN, RULES, 0)
    assert standing.failed(DOWN, RULES, 0)
    assert standing.failed(e.RateLimitedError("slow down"), RULES, 1)
    assert standing.circuit.opened_at is None


def test_what_did_not_come_as_far_says_nothing(standing):
    """A call whose time went by in our own queue, or that our own limit refused."""
    late = e.DeadlineExceededError("acme: no whole answer in 1 s.")
    limit = e.RateLimitedError("acme: its limit is reached")
    limit.never_sent = True
    for _ in range(20):
        assert not standing.failed(late, RULES, 0, was_asked=False)
        assert not standing.failed(limit, RULES, 0, was_asked=False)

    health = standing.health(RULES, 0, provider="acme")
    assert ("healthy", "not called of late", "") == (health.state, health.reason, health.last_error)


def test_missing_keys_are_seen_though_nobody_was_asked(standing):
    """No call is answered until somebody does something."""
    standing.failed(e.MissingCredentialsError("acme: no key"), RULES, 0, was_asked=False)
    health = standing.health(RULES, 0, provider="acme")

    assert ("unhealthy", "acme: no key") == (health.state, health.reason)
    assert ("unhealthy", "no key") == (
        (found := standing.health(RULES, 0, provider="acme", missing="no key")).state, found.reason
    )  # fmt: skip


def test_health_follows_the_circuit(standing):
    """From well over left alone to well again."""
    seen = []

    def look(now):
        found = standing.health(RULES, now, provider="acme")
        seen.append((found.state, found.reason, found.uptime))

    look(0)
    standing.answered(RULES, 0)
    look(10)
    standing.failed(DOWN, RULES, 20)
    look(20)
    for _ in range(4):
        standing.failed(DOWN, RULES, 20)
    look(25)
    look(50)
    standing.answered(RULES, 60)
    look(70)

    assert [
        ("healthy", "not called of late", None),
        ("healthy", "it answers", 10),
        ("degraded", "50% of its calls of late failed", 20),
        ("unhealthy", "it failed too often; left alone since 5 s", None),
        ("degraded", "it failed too often; the next call will tell", None),
        ("healthy", "not called of late", 10),
    ] == seen
    assert str(DOWN) == standing.last_error


def test_nothing_but_failures_is_unhealthy(standing):
    """Though they are too few to open the circuit."""
    standing.failed(DOWN, RULES, 0)
    health = standing.health(RULES, 0, provider="acme")

    assert ("unhealthy", str(DOWN)) == (health.state, health.reason)
