"""The clauses of what goes wrong: errors, keys, and what is refused."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pytest

from .. import errors as e
from ..client import Client
from .asking import Asking, Way
from .clauses import clause, not_applicable
from .emulators import faults
from .stage import Stage

__all__ = ["Failures"]

CLASSES: Final[Mapping[int, tuple[type[e.VendorError], ...]]] = {
    400: (e.BadRequestError,),
    401: (e.AuthenticationError,),
    403: (e.PermissionDeniedError,),
    404: (e.NotFoundError,),
    413: (e.TooLargeError, e.ContextLengthError, e.BadRequestError),
    422: (e.BadRequestError,),
    429: (e.RateLimitedError, e.QuotaExceededError),
    500: (e.ServerError,),
    503: (e.OverloadedError,),
}
"""What each status of a vendor's means, where its own code does not say more."""

BROKEN: Final = (
    e.ConnectionFailedError,
    e.IncompleteError,
    e.MalformedReplyError,
    e.OutcomeUnknownError,
)
PAGE: Final = b"<!doctype html><title>Welcome</title><p>Sign in to the network."


class Failures(Asking):
    """What a caller is told when a call fails, and what nobody is told."""

    @clause("error.has-its-class", "honest", needs_vendor=True)
    async def test_statuses_become_errors(self, stage: Stage, ai: Client) -> None:
        """Each status becomes the class of error that it means; retries and failover go by it."""
        wrong = []
        for name, way in self.ways().items():
            for status, classes in CLASSES.items():
                stage.play(faults().Status(status))
                error = await self.failure(way, ai, stage)
                if not isinstance(error, classes):
                    wrong.append(f"{name}: HTTP {status} became {type(error).__name__}")
        assert not wrong, (
            f"{stage.id}: {', '.join(wrong)}. connection.http has the table; what is wrong in it "
            "for this vendor the spec's `errors` puts right."
        )

    @clause("error.tells-the-wait", "honest", needs_vendor=True)
    async def test_retry_after_is_told(self, stage: Stage, ai: Client) -> None:
        """An error carries what Retry-After said: who comes sooner is refused again."""
        stage.play(faults().Status(429, retry_after=7))
        error = await self.failure(self.ask, ai, stage)
        told = getattr(error, "retry_after", None)
        assert told == 7, f"{stage.id} was told to wait 7 s and its error says {told}. Keep it."

    @clause("error.is-tried-once", "honest", needs_vendor=True)
    async def test_nothing_is_tried_again(self, stage: Stage, ai: Client) -> None:
        """A failed request is sent once: retrying is the policy's, and two of them multiply."""
        stage.play(faults().Status(503), times=9)
        await self.failure(self.ask, ai, stage)
        count = len(stage.requests)
        assert count == 1, f"{stage.id} sent it {count} times. Switch off the SDK's own retries."

    @clause("error.of-a-broken-connection", "honest", needs_vendor=True)
    async def test_a_broken_connection_is_an_error(self, stage: Stage, ai: Client) -> None:
        """A connection that breaks, before the answer or in it, is an error that says so."""
        wrong = []
        for fault in (
            faults().Reset(),
            faults().Reset(after_bytes=12),
            faults().Cut(after_bytes=12),
        ):
            for name, way in self.ways().items():
                stage.play(fault)
                error = await self.failure(way, ai, stage)
                if not isinstance(error, BROKEN):
                    wrong.append(f"{name}: {fault} became {error!r}")
        assert not wrong, (
            f"{stage.id}: {'; '.join(wrong)}. Let transport errors through `failures`, and take no "
            "answer for whole that is not."
        )

    @clause("error.of-nonsense", "honest", needs_vendor=True)
    async def test_nonsense_is_an_error(self, stage: Stage, ai: Client) -> None:
        """An answer that cannot be understood, such as a portal's page, is a MalformedReplyError."""
        wrong = []
        for name, way in self.ways().items():
            page = faults().Status(200, PAGE, headers={"content-type": "text/html"})
            stage.play(page)
            error = await self.failure(way, ai, stage)
            if not isinstance(error, e.MalformedReplyError):
                wrong.append(f"{name}: {error!r}")
        assert not wrong, f"{stage.id} made of a web page: {'; '.join(wrong)}. Check what came."

    @clause("error.says-who", "honest", needs_vendor=True)
    async def test_an_error_says_who(self, stage: Stage, ai: Client) -> None:
        """An error names the provider and has the record of its call: logs hold many."""
        stage.play(faults().Status(500))
        error = await self.failure(self.ask, ai, stage)
        assert isinstance(error, e.AnymodalError), (
            f"{stage.id} raised {error!r}, not an error of ours."
        )
        assert stage.id in str(error), f"{stage.id}: its error does not name it: {error}"
        assert error.record is not None, f"{stage.id}: its error has no record: {error!r}"

    # -- keys -------------------------------------------------------------------------------

    @clause("key.is-sent", "works", needs_vendor=True)
    async def test_the_key_is_sent(self, stage: Stage) -> None:
        """The vendor sees the key that was configured, and refuses another."""
        key_of(stage)
        async with stage.client(api_key="not-the-key") as ai:
            error = await self.failure(self.ask, ai, stage)
        assert isinstance(error, e.AuthenticationError), (
            f"{stage.id} was given a wrong key and ended with {error!r}. Send the key of the "
            "connection at each request, and let the emulator check it."
        )

    @clause("key.is-asked-for", "honest")
    async def test_a_missing_key_is_asked_for(self, stage: Stage) -> None:
        """Without a key nothing is sent, and the error says where to put one."""
        none = {one.name: None for one in stage.spec.credentials}
        async with stage.client(**none) as ai:
            error = await self.failure(self.ask, ai, stage)
        if error is None:
            not_applicable(f"{stage.id} serves without a key")
        assert isinstance(error, e.MissingCredentialsError), (
            f"{stage.id} has no key and ended with {error!r}. Declare it as a required Credential."
        )
        assert not stage.requests, f"{stage.id} has no key, and asked its vendor all the same."

    @clause("key.is-never-shown", "honest", needs_vendor=True)
    async def test_the_key_is_never_shown(
        self, stage: Stage, ai: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No repr, log, error, cause or record has the key, not even where the vendor repeats it."""
        key, shown = key_of(stage), []
        with caplog.at_level(logging.DEBUG), _unbridled():
            result = await self.ask(ai, stage.name, self.questions[0])
            shown += [("record", repr(self.record(result)))]
            for status in (401, 500):
                said = {"error": {"message": f"No, {key}.", "code": key}}
                stage.play(faults().Status(status, said))
                error = await self.failure(self.ask, ai, stage)
                assert error is not None
                shown += [(f"error of HTTP {status}", "".join(traceback.format_exception(error)))]
                shown += [(f"error of HTTP {status}", f"{error!r} {vars(error)}")]
        provider = await stage.provider(ai)
        shown += [("provider's repr", f"{provider!r} {provider}"), ("log", caplog.text)]
        leaks = sorted({where for where, words in shown if key in words})
        assert not leaks, (
            f"{stage.id} shows its key in: {', '.join(leaks)}. Keep it in a field with repr=False; "
            "connection.scrub() takes it out of a vendor's words."
        )

    # -- what is refused ----------------------------------------------------------------------

    def refusable(self) -> Mapping[str, Way]:
        """Return ways to ask that need a capability, by its name."""
        return {}

    @clause("refused.before-it-is-sent", "honest")
    async def test_a_known_no_is_refused(self, stage: Stage, ai: Client) -> None:
        """What a model is known not to do is refused before it costs anything."""
        lacking = {name: model for name in self.refusable() if (model := lacks(stage, name))}
        if not lacking:
            not_applicable(f"{stage.id} says of no model that it lacks what can be asked for")
        wrong = []
        for name, model in lacking.items():
            try:
                await self.refusable()[name](ai, model, self.questions[0])
            except e.UnsupportedFeatureError:
                continue
            except e.AnymodalError as error:
                wrong.append(f"{model}, asked for {name}, ended with {error!r}")
            else:
                wrong.append(f"{model}, asked for {name}, answered")
        assert not wrong, (
            f"{'; '.join(wrong)}: the spec says no to it, and to whom it is asked yes."
        )
        assert not stage.requests, f"{stage.id} asked its vendor for what it is said to lack."

    @clause("refused.where-retired", "honest")
    async def test_a_retired_model_is_refused(self, stage: Stage, ai: Client) -> None:
        """A retired model is refused before anything is sent, with what to use, or since when."""
        retired = [one for one in stage.spec.models if one.lifecycle.state == "retired"]
        if not retired:
            not_applicable(f"{stage.id} has no retired model in its table")
        for model in retired:
            life = model.lifecycle
            assert life.replacement or life.retires_on, (
                f"{stage.id}/{model.id} is retired, and nothing says since when or what replaces "
                "it. Put either into its Lifecycle."
            )
            for name in (model.id, *model.aliases):
                with pytest.raises(e.RetiredModelError):
                    await self.ask(ai, f"{stage.id}/{name}", self.questions[0])
        assert not stage.requests, f"{stage.id} asked its vendor for a retired model."


def lacks(stage: Stage, capability: str) -> str:
    """Return a model, as `provider/model`, that is said to lack *capability*, or nothing."""
    known = stage.spec.capabilities
    for model in (stage.model_spec, *stage.spec.models):
        is_served = model.lifecycle.state != "retired"
        if is_served and capability in model.capabilities.over(known).no:
            return f"{stage.id}/{model.id}" if stage.spec.has_models else stage.id
    return ""


def key_of(stage: Stage) -> str:
    """Return the key; the clause is not applicable where the vendor takes none."""
    key = stage.vendor.key if stage.vendor else ""
    return key or not_applicable(f"{stage.id} has no key")


@contextmanager
def _unbridled() -> Iterator[None]:
    """Let every logger that there is say everything."""
    kept = {one: one.level for one in map(logging.getLogger, list(logging.root.manager.loggerDict))}
    for one in kept:
        one.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for one, level in kept.items():
            one.setLevel(level)
