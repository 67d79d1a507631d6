"""What a call has taken at one candidate, and gives back: a turn, money, a probe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from anyio.lowlevel import checkpoint_if_cancelled

from . import errors as e
from .policy.budget import Reserve, may_be_billed
from .policy.limits import Ticket, TooLongError
from .policy.retry import wait_before
from .resolution import Row
from .usage import Cost, Usage, cost_of
from .way import Plan, Way

__all__ = ["Stake"]

LOCAL: Final = Cost(Decimal(0), "it runs on this machine")


class Stake:
    """
    What a call has taken at one candidate.

    The call says what happens; here it is noted what that means for the limiter, the
    circuit, the retries and the budgets of the candidate.

    Args:
        way: What the client's calls share.
        plan: What holds at the candidate.
        row: The candidate.

    Attributes:
        is_asked: Whether the present attempt has come as far as the provider.
        is_billed: Whether some attempt may have been paid for.
    """

    __slots__ = (
        "_is_counted",
        "_reserve",
        "_ticket",
        "_tokens",
        "_way",
        "is_asked",
        "is_billed",
        "plan",
        "row",
    )

    def __init__(self, way: Way, plan: Plan, row: Row) -> None:
        self._way = way
        self.plan = plan
        self.row = row
        self.is_asked = False
        self.is_billed = False
        self._is_counted = False  # what came of the attempt is known to the circuit
        self._ticket: Ticket | None = None
        self._tokens = 0
        self._reserve: Reserve | None = None

    def begin(self) -> None:
        """Note that an attempt begins."""
        self.is_asked = self._is_counted = False

    # -- a turn ---------------------------------------------------------------------------

    def take(self) -> bool:
        """Take a turn, if that needs no waiting; return whether it was taken."""
        plan = self.plan
        self._ticket = plan.standing.limiter.take(plan.rules.limits, self._tokens)
        return self._ticket is not None

    async def wait(self, left: Callable[[], float]) -> None:
        """
        Wait for a turn.

        Args:
            left: Gives the seconds that the call has.

        Raises:
            RateLimitedError: It would come later than that.
        """
        plan = self.plan
        try:
            self._ticket = await plan.standing.limiter.wait(plan.rules.limits, self._tokens, left)
        except TooLongError as late:
            raise self._limited(late) from None

    async def wait_again(self, left: Callable[[], float]) -> None:
        """Wait until one request more may be sent; see `wait`."""
        plan = self.plan
        self.is_billed = True  # for what was sent before, whatever becomes of the rest
        if plan.is_limited:
            try:
                await plan.standing.limiter.wait_again(plan.rules.limits, left)
            except TooLongError as late:
                raise self._limited(late) from None

    def _limited(self, late: TooLongError) -> e.RateLimitedError:
        offer = self.row.offer
        msg = (
            f"{offer.instance}: its limit is reached for {late.seconds:.1f} s, which is longer "
            "than the call may take."
        )
        error = e.RateLimitedError(msg, provider=offer.spec.id, retry_after=late.seconds)
        error.never_sent = True
        return error

    def leave(self) -> None:
        """Make room for the next."""
        if self._ticket is not None:
            self.plan.standing.limiter.leave(self._ticket, was_used=self.is_asked)

    # -- how it went ----------------------------------------------------------------------

    def answered(self) -> None:
        """
        Note, once, that an attempt was answered.

        A stream that has begun tells that a circuit may be closed. Otherwise it
        counts when it ends, or those that always break would seem to be well.
        """
        if not self._is_counted:
            self._is_counted = True
            plan = self.plan
            if plan.standing.answered(plan.rules, self._way.clock.now()):
                self._way.changed(plan)

    def failed(self, error: BaseException, call: object) -> None:
        """Note how an attempt of *call* failed."""
        self.leave()
        self.is_billed |= self.is_asked and may_be_billed(error)
        plan = self.plan
        now, was_asked = self._way.clock.now(), self.is_asked
        if plan.standing.failed(error, plan.rules, now, call, was_asked=was_asked):
            self._way.changed(plan)

    def wait_after(
        self, error: BaseException, *, tried: int, left: float, again: bool
    ) -> float | None:
        """Return the seconds until the next attempt; None is never."""
        standing, rules = self.plan.standing, self.plan.rules
        if not isinstance(error, e.VendorError):
            return None
        wait = wait_before(
            rules.retry,
            error,
            tried=tried,
            chance=self._way.chance(),
            left=left,
            repeatable=again,
        )
        if wait is None or standing.circuit.opened_at is not None:
            return None
        return wait if standing.allowance.failed(rules.retry) else None

    # -- money ----------------------------------------------------------------------------

    async def keep_back(self, usage: Usage, tags: Mapping[str, str]) -> None:
        """
        Keep back what the call may use.

        Raises:
            BudgetExceededError: There is not enough left.
        """
        row = self.row
        self._tokens = usage.total_tokens or 0
        is_free = row.offer.spec.kind == "local" and row.model.prices is None
        if self.plan.budgets:
            self._reserve = await self._way.purses.reserve(
                self.plan.budgets,
                usage,
                LOCAL if is_free else cost_of(usage, row.model.prices),
                tags=tags,
                where=f"{row.offer.spec.id}/{row.model.id}",
            )
            await checkpoint_if_cancelled()  # who has left by now has spent nothing

    async def give_back(self, call: object) -> None:
        """Give back what *call* did not use here: a probe, and what it cannot be billed."""
        self.plan.standing.circuit.left(call)
        reserve, self._reserve = self._reserve, None
        if reserve is not None and not self.is_billed:
            await self._way.purses.release(reserve)

    def used(self, usage: Usage | None) -> None:
        """Note that the answer is whole, and what it used."""
        self.answered()
        if self._ticket is not None:
            self.leave()
            tokens = None if usage is None else usage.total_tokens
            if tokens is not None:
                self.plan.standing.limiter.settle(self._ticket, tokens)

    async def settle(self, usage: Usage | None, cost: Cost) -> None:
        """Put what was used in place of what was kept back."""
        reserve, self._reserve = self._reserve, None
        if reserve is not None:
            await self._way.purses.settle(reserve, usage, cost)
