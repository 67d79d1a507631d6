"""What became of the calls to one instance in one kind of work, and how well it is."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from .. import errors as e
from ..policies import Breaker, Rules
from .breaker import Circuit, is_to_blame
from .limits import Limiter
from .retry import Allowance

__all__ = ["Health", "Standing"]

DEGRADED_SHARE: Final = 0.1
"""Share of failures of late from which on a provider that answers is not healthy."""

_OUT_OF_ORDER: Final = (
    e.AuthenticationError,
    e.ConfigurationError,
    e.PermissionDeniedError,
    e.PluginError,
    e.QuotaExceededError,
)
"""Errors after which no call is answered until somebody does something."""


@attrs.frozen(kw_only=True)
class Health:
    """
    How well an instance serves one kind of work, from what was seen of it.

    Attributes:
        instance: Its name.
        provider: Id of the provider.
        modality: The kind of work.
        state: `healthy`; `degraded` where it answers, but fails or refuses now and
            then; `unhealthy` where it does not answer.
        reason: Why, in a sentence; for a healthy one how that is known.
        uptime: Seconds that it has been answering without being unhealthy in
            between; None where it is not, or was never asked.
        active_jobs: Jobs of this client that run there.
        queued_jobs: Jobs of this client that wait there.
        waiting: Calls of this client that wait for its limits.
        last_error: The last error that it gave, without secrets; empty where none.
    """

    instance: str
    provider: str
    modality: str
    state: Literal["healthy", "degraded", "unhealthy"]
    reason: str
    uptime: float | None = None
    active_jobs: int = 0
    queued_jobs: int = 0
    waiting: int = 0
    last_error: str = ""


class Standing:
    """
    What became of the calls to one instance in one kind of work.

    Attributes:
        circuit: Whether it is left alone.
        allowance: Whether failures there are retried.
        limiter: Who may go, for all kinds of work of the instance.
        last_error: What its last failure said; the error itself would keep the request.
    """

    __slots__ = (
        "_is_out",
        "_up_since",
        "allowance",
        "circuit",
        "instance",
        "last_error",
        "limiter",
        "modality",
    )

    def __init__(self, instance: str, modality: str, limiter: Limiter) -> None:
        self.instance = instance
        self.modality = modality
        self.circuit = Circuit()
        self.allowance = Allowance()
        self.limiter = limiter
        self.last_error = ""
        self._is_out = False
        self._up_since: float | None = None

    def answered(self, rules: Rules, now: float) -> bool:
        """Note an answer, and return whether that closed the circuit."""
        if self._up_since is None:
            self._up_since = now
        self.allowance.answered(rules.retry)
        return self.circuit.answered(rules.breaker, now)

    def failed(
        self,
        error: BaseException,
        rules: Rules,
        now: float,
        call: object = None,
        *,
        was_asked: bool = True,
    ) -> bool:
        """
        Note how an attempt failed, and return whether that changed the circuit.

        Args:
            error: How.
            rules: What holds for it.
            now: The time.
            call: Whose attempt it was.
            was_asked: Whether it came as far as the provider; a call whose time went
                by while it waited for its turn says nothing of it.
        """
        circuit, breaker = self.circuit, rules.breaker
        is_out = isinstance(error, _OUT_OF_ORDER)
        if isinstance(error, e.AnymodalError) and (was_asked or is_out):
            self.last_error = str(error)
            self._is_out = is_out
        if is_out:
            self._up_since = None
        if was_asked and is_to_blame(error):
            opened = circuit.failed(breaker, now, call)
            if circuit.opened_at is not None:
                self._up_since = None
            return opened
        if was_asked and isinstance(error, e.VendorError) and not error.never_sent:
            return circuit.answered(breaker, now)  # it is there, and says no
        circuit.left(call)
        return False

    def health(self, rules: Rules, now: float, *, provider: str, missing: str = "") -> Health:
        """
        Return how well it is.

        Args:
            rules: What holds for it.
            now: The time.
            provider: Id of the provider.
            missing: What has to be set before it can be used at all.
        """
        state, reason = self._state(rules.breaker, now, missing)
        up = self._up_since
        return Health(
            instance=self.instance,
            provider=provider,
            modality=self.modality,
            state=state,
            reason=reason,
            uptime=None if up is None or state == "unhealthy" else now - up,
            waiting=self.limiter.waiting,
            last_error=self.last_error,
        )

    def _state(
        self, breaker: Breaker, now: float, missing: str
    ) -> tuple[Literal["healthy", "degraded", "unhealthy"], str]:
        circuit = self.circuit
        if missing or (self._up_since is None and self._is_out):
            return "unhealthy", missing or self.last_error
        if circuit.opened_at is not None:
            went = now - circuit.opened_at
            if circuit.state(breaker, now) == "open":
                return "unhealthy", f"it failed too often; left alone since {went:.0f} s"
            return "degraded", "it failed too often; the next call will tell"
        share = circuit.share_failed(breaker, now)
        if share == 1:
            return "unhealthy", self.last_error
        if share is not None and share >= DEGRADED_SHARE:
            return "degraded", f"{share:.0%} of its calls of late failed"
        return "healthy", "not called of late" if share is None else "it answers"
