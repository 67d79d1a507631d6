"""
Everything that anymodal raises, as one tree.

```text
* AnymodalError
  x ConfigurationError            the set-up is wrong
    + MissingCredentialsError
    + UnknownProviderError
    + AmbiguousNameError
    + DisabledProviderError
    + SettingsError
  x RequestError                  the call is wrong; nothing was sent
    + InvalidRequestError
    + UnknownModelError
    + RetiredModelError
    + UnsupportedFeatureError
    + NothingFitsError
  x PluginError                   an installed plugin cannot serve
    + BrokenPluginError
    + IncompatiblePluginError
    + ShadowedPluginError
    + BlockedPluginError
  x VendorError                   the vendor refused or failed
    + AuthenticationError         401
    + PermissionDeniedError       403
    + RateLimitedError            429
    + QuotaExceededError          402, and 429 where the vendor's code says so
    + BadRequestError             400, 422, other 4xx
    + ContextLengthError
    + ContentFilteredError
    + NotFoundError               404, 410
    + TimedOutError               408, 504, and no answer in time
    + ConnectionFailedError       no connection, or one that broke
    + OverloadedError             503, 529
    + ServerError                 other 5xx
    + MalformedReplyError         an answer that cannot be understood
    + TooLargeError               413, and an answer over its limit
    + IncompleteError             an answer that ended early; carries `partial`
    + InvalidOutputError          an answer that does not fit the wanted shape
    + JobFailedError
    + OutcomeUnknownError         sent, and perhaps paid for
    + FallbackExhaustedError      every candidate failed; also an ExceptionGroup
  x PolicyError                   a limit of the caller's own
    + CircuitOpenError
    + BudgetExceededError
    + DeadlineExceededError
    + RoundsExceededError
    + KeyReusedError
```

Each class has a `code` that never changes, for logs and for programs in other
languages. Messages say who, what, and what to do now.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from .modalities.messages import Message
    from .usage import Record

__all__ = [
    "AmbiguousNameError",
    "AnymodalError",
    "AuthenticationError",
    "BadRequestError",
    "BlockedPluginError",
    "BrokenPluginError",
    "BudgetExceededError",
    "CircuitOpenError",
    "ConfigurationError",
    "ConnectionFailedError",
    "ContentFilteredError",
    "ContextLengthError",
    "DeadlineExceededError",
    "DisabledProviderError",
    "FallbackExhaustedError",
    "IncompatiblePluginError",
    "IncompleteError",
    "InvalidOutputError",
    "InvalidRequestError",
    "JobFailedError",
    "KeyReusedError",
    "MalformedReplyError",
    "MissingCredentialsError",
    "NotFoundError",
    "NothingFitsError",
    "OutcomeUnknownError",
    "OverloadedError",
    "PermissionDeniedError",
    "PluginError",
    "PolicyError",
    "QuotaExceededError",
    "RateLimitedError",
    "RequestError",
    "RetiredModelError",
    "RoundsExceededError",
    "ServerError",
    "SettingsError",
    "ShadowedPluginError",
    "TimedOutError",
    "TooLargeError",
    "UnknownModelError",
    "UnknownProviderError",
    "UnsupportedFeatureError",
    "VendorError",
]


class AnymodalError(Exception):
    """
    Base of all errors of this library.

    Attributes:
        code: Stable name of the kind of error.
        record: What is known about the call that failed, if one was under way.
        index: Which of several inputs is at fault, counted from 0, where that is known.
    """

    code: ClassVar[str] = "anymodal"
    record: Record | None = None
    index: int | None = None

    def again(self) -> Self:
        """
        Return the same error to be raised once more, for another caller.

        An error that is kept and raised again would gather tracebacks, and the
        record of one call would take the place of another's.
        """
        try:
            twin = copy.copy(self)
        except TypeError:  # a subclass whose arguments are its own affair
            return self
        twin.record = None
        twin.__cause__ = self.__cause__
        return twin


class ConfigurationError(AnymodalError):
    """The set-up is wrong: settings, keys, or names that nobody serves."""

    code = "configuration"


class MissingCredentialsError(ConfigurationError):
    """A provider has no key. Its message names the variables and settings to use."""

    code = "missing_credentials"


class UnknownProviderError(ConfigurationError):
    """No installed plugin offers, and no setting names, what was asked for."""

    code = "unknown_provider"


class AmbiguousNameError(ConfigurationError):
    """Several configured providers claim a bare name; the message has them all."""

    code = "ambiguous_name"


class DisabledProviderError(ConfigurationError):
    """Settings, a flag, or the scope of the client forbid what was asked for."""

    code = "disabled_provider"


class SettingsError(ConfigurationError):
    """
    Settings that cannot be used.

    Attributes:
        faults: One sentence per fault, each naming its place.
    """

    code = "settings"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[str, ...]], dict[str, object]]:
        return type(self), (self.faults,), vars(self)


class RequestError(AnymodalError):
    """The call is wrong. Nothing was sent."""

    code = "request"


class InvalidRequestError(RequestError):
    """
    An argument that no provider could serve.

    Attributes:
        field: The argument's name.
    """

    code = "invalid_request"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class UnknownModelError(RequestError):
    """No provider offers a model of that name."""

    code = "unknown_model"


class RetiredModelError(RequestError):
    """The vendor no longer serves the model; the message names its replacement."""

    code = "retired_model"


class UnsupportedFeatureError(RequestError):
    """The model is known not to do what was asked."""

    code = "unsupported_feature"


class NothingFitsError(RequestError):
    """No model that can be used has what `best()` was asked for."""

    code = "nothing_fits"


class PluginError(AnymodalError):
    """An installed plugin cannot serve."""

    code = "plugin"


class BrokenPluginError(PluginError):
    """A plugin failed to load; the exception it raised is the cause."""

    code = "broken_plugin"


class IncompatiblePluginError(PluginError):
    """A plugin was built for another version of anymodal."""

    code = "incompatible_plugin"


class ShadowedPluginError(PluginError):
    """Another distribution serves under the same id."""

    code = "shadowed_plugin"


class BlockedPluginError(PluginError):
    """A setting or variable keeps the plugin from being imported."""

    code = "blocked_plugin"


class VendorError(AnymodalError):
    """
    The vendor refused or failed.

    Attributes:
        provider: Id of the provider.
        status: HTTP status, where there was one.
        vendor_code: The vendor's own name for the error.
        request_id: The vendor's id of the request, for its support.
        retry_after: Seconds that the vendor asks to wait.
        never_sent: Whether it is known that no byte of the request was sent.
        is_lasting: Whether it is known not to pass, so that nothing is tried again.
        partial: Text that had arrived, if any.
    """

    code = "vendor"
    never_sent: bool = False
    is_lasting: bool = False
    partial: str = ""

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        vendor_code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.status = status
        self.vendor_code = vendor_code
        self.request_id = request_id
        self.retry_after = retry_after


class AuthenticationError(VendorError):
    """The vendor does not accept the key."""

    code = "authentication"


class PermissionDeniedError(VendorError):
    """The key is good, but not for this."""

    code = "permission_denied"


class RateLimitedError(VendorError):
    """Too many requests or tokens for now; see `retry_after`."""

    code = "rate_limited"


class QuotaExceededError(VendorError):
    """The account has no credit left. Waiting does not help."""

    code = "quota_exceeded"


class BadRequestError(VendorError):
    """The vendor will never accept this request."""

    code = "bad_request"


class ContextLengthError(VendorError):
    """The conversation is longer than the model's context."""

    code = "context_length"


class ContentFilteredError(VendorError):
    """
    The vendor's filter refused the prompt or stopped the answer.

    Attributes:
        partial: Text that had arrived, if any.
    """

    code = "content_filtered"
    partial: str = ""


class NotFoundError(VendorError):
    """The vendor knows no such model or resource."""

    code = "not_found"


class TimedOutError(VendorError):
    """
    No answer in time, from the vendor or by a deadline of one request.

    Attributes:
        partial: Text that had arrived, if any.
    """

    code = "timed_out"
    partial: str = ""


class ConnectionFailedError(VendorError):
    """No connection could be made, or it broke before an answer began."""

    code = "connection_failed"


class OverloadedError(VendorError):
    """The vendor has no capacity just now."""

    code = "overloaded"


class ServerError(VendorError):
    """The vendor failed on its side."""

    code = "server"


class MalformedReplyError(VendorError):
    """
    An answer that does not follow the vendor's protocol.

    Attributes:
        partial: Text that had arrived, if any.
    """

    code = "malformed_reply"
    partial: str = ""


class TooLargeError(VendorError):
    """A body over the vendor's limit, or an answer over ours."""

    code = "too_large"


class IncompleteError(VendorError):
    """
    An answer that ended before its end marker.

    Attributes:
        partial: Text that had arrived.
    """

    code = "incomplete"
    partial: str = ""


class InvalidOutputError(VendorError):
    """
    An answer that does not have the wanted shape.

    Attributes:
        partial: The text as it came.
    """

    code = "invalid_output"
    partial: str = ""


class JobFailedError(VendorError):
    """The vendor accepted a job and could not finish it."""

    code = "job_failed"


class OutcomeUnknownError(VendorError):
    """The request was sent; whether it took effect, and was billed, is unknown."""

    code = "outcome_unknown"


class FallbackExhaustedError(VendorError, ExceptionGroup[AnymodalError]):
    """Every candidate failed. `exceptions` holds one error of each, in order."""

    code = "fallback_exhausted"

    def __new__(cls, errors: Sequence[AnymodalError]) -> Self:
        return super().__new__(cls, f"none of {len(errors)} candidates answered", errors)

    def __init__(self, errors: Sequence[AnymodalError]) -> None:
        super().__init__(f"none of {len(errors)} candidates answered")

    def derive(self, excs: Sequence[AnymodalError], /) -> FallbackExhaustedError:  # type: ignore[override]  # typeshed wants a generic of any exception
        """Return the same error over other exceptions, as `except*` needs."""
        part = FallbackExhaustedError(excs)
        part.record = self.record
        return part

    def __reduce__(self) -> tuple[type[Self], tuple[list[Exception]], dict[str, object]]:
        return type(self), (list(self.exceptions),), vars(self)


class PolicyError(AnymodalError):
    """A limit that the caller set was reached."""

    code = "policy"


class CircuitOpenError(PolicyError):
    """The provider failed too often of late and is left alone for a while."""

    code = "circuit_open"


class BudgetExceededError(PolicyError):
    """The call would cost more than is left."""

    code = "budget_exceeded"


class DeadlineExceededError(PolicyError):
    """
    The call as a whole took longer than it may.

    Attributes:
        partial: Text that had arrived, if any.
    """

    code = "deadline_exceeded"
    partial: str = ""


class RoundsExceededError(PolicyError):
    """
    A conversation with tools went on past its bound.

    Attributes:
        messages: The conversation as far as it came.
    """

    code = "rounds_exceeded"
    messages: tuple[Message, ...] = ()


class KeyReusedError(PolicyError):
    """A job's key was used before, with other arguments."""

    code = "key_reused"
