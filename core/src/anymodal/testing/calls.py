"""The clauses of calls that go well, that are cancelled, and that take too long."""

from __future__ import annotations

from typing import Any

import anyio

from ..client import Client
from ..errors import DeadlineExceededError, OutcomeUnknownError, TimedOutError
from .asking import Asking
from .clauses import clause, not_applicable
from .emulators import faults
from .leftovers import connections, eventually, tasks, threads
from .stage import Stage

__all__ = ["Calls"]

BRIEF = 0.2
LATE = 3.0
SILENCE = 4.5
"""A vendor that is silent for so long is given up before it speaks, or not at all."""

GIVEN_UP = (DeadlineExceededError, TimedOutError, OutcomeUnknownError)
"""The last is of what makes a job: it may have been made."""


class Calls(Asking):
    """What becomes of a plain call, and of what it leaves behind."""

    @clause("call.answers", "works")
    async def test_a_call_has_an_answer(self, stage: Stage, ai: Client) -> None:
        """A plain call has an answer, and it is the vendor's: it was asked."""
        result = await self.ask(ai, stage.name, self.questions[0])
        assert self.content(result), f"{stage.id} answered nothing. Give what the vendor said."
        if stage.vendor:
            assert stage.requests, f"{stage.id} answered without asking its vendor. Ask it."

    @clause("call.hears-what-is-asked", "works")
    async def test_other_questions_have_other_answers(self, stage: Stage, ai: Client) -> None:
        """Two questions have two answers; else nothing shows that the question arrives."""
        one, other = [await self.ask(ai, stage.name, words) for words in self.questions[:2]]
        assert self.content(one) != self.content(other), (
            f"{stage.id} gave two questions one answer. Send what request says."
        )

    @clause("call.tells-usage", "complete", needs_vendor=True)
    async def test_usage_is_told(self, stage: Stage, ai: Client) -> None:
        """The record says what the vendor counted, so that money can be kept track of."""
        if not self.counts:
            not_applicable(f"nothing is counted by the call in {self.modality}")
        usage = self.record(await self.ask(ai, stage.name, self.questions[0])).usage
        assert usage is not None, f"{stage.id} tells no usage. Return it with the answer."
        told = [
            usage.input_tokens,
            usage.output_tokens,
            usage.usd,
            *(u.amount for u in usage.units),
        ]
        assert any(told), (
            f"{stage.id} tells {usage}, where the vendor counted something. What the vendor does "
            "not say is None."
        )

    @clause("call.keeps-the-request-id", "complete", needs_vendor=True)
    async def test_the_request_id_is_kept(self, stage: Stage, ai: Client) -> None:
        """The record has the vendor's id of the request, which its support asks for."""
        record = self.record(await self.ask(ai, stage.name, self.questions[0]))
        assert record.request_id, (
            f"{stage.id} does not say the vendor's id of the request. Return it with the answer; "
            "where the vendor has none, excuse this clause."
        )

    @clause("call.serves-many-at-once", "honest")
    async def test_many_tasks_share_a_provider(self, stage: Stage, ai: Client) -> None:
        """Tasks that call at the same time get their own answers: nothing of a call is kept."""
        alone = [self.content(await self.ask(ai, stage.name, words)) for words in self.questions]
        together: dict[str, object] = {}

        async def call(words: str) -> None:
            together[words] = self.content(await self.ask(ai, stage.name, words))

        async with anyio.create_task_group() as group:
            for words in self.questions:
                group.start_soon(call, words)
        mixed = [
            words
            for words, said in zip(self.questions, alone, strict=True)
            if together[words] != said
        ]
        assert not mixed, (
            f"{stage.id} answers otherwise when asked {len(self.questions)} things at once: "
            f"{mixed}. Keep nothing of a call in the provider."
        )

    @clause("call.leaves-nothing", "honest")
    async def test_a_closed_client_leaves_nothing(self, stage: Stage) -> None:
        """Once the client is closed there is no task, thread or connection of the provider's."""
        before, running = tasks(), threads()
        async with stage.client() as ai:
            await self.ask(ai, stage.name, self.questions[0])
        assert await eventually(lambda: tasks() <= before), (
            f"{stage.id} left {tasks() - before} task(s) running. End them with the call."
        )
        assert await eventually(lambda: not connections(stage.vendor)), (
            f"{stage.id} left {connections(stage.vendor)} connection(s) open. Use connection.http, "
            "or close what connect opened in aclose()."
        )
        assert await eventually(lambda: threads() <= running), (
            f"{stage.id} left threads: {threads() - running}. End them in aclose()."
        )

    # -- cancelled --------------------------------------------------------------------------

    async def cancelled(self, stage: Stage, ai: Client) -> BaseException | None:
        """Cancel a call once its vendor has been asked; return what it ended with instead."""
        ended: list[BaseException] = []

        async def call() -> None:
            try:
                await self.ask(ai, stage.name, self.questions[0])
            except Exception as error:  # noqa: BLE001  # that is what is looked for
                ended.append(error)

        if stage.vendor:
            stage.play(faults().Stall(SILENCE))
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await eventually(lambda: bool(stage.requests), 5.0 if stage.vendor else 0.02)
            group.cancel_scope.cancel()
        return ended[0] if ended else None

    @clause("cancel.goes-through", "honest")
    async def test_a_cancelled_call_is_cancelled(self, stage: Stage, ai: Client) -> None:
        """A cancelled call ends as cancelled; an error instead would be retried, or reported."""
        with anyio.move_on_after(LATE) as late:
            error = await self.cancelled(stage, ai)
        assert not late.cancel_called, (
            f"{stage.id} waits for its vendor though it is cancelled. Shield nothing that waits."
        )
        assert error is None, (
            f"{stage.id} made {type(error).__name__} of a cancellation. Catch Exception, never "
            "BaseException, around what waits."
        )

    @clause("cancel.leaves-nothing", "honest")
    async def test_a_cancelled_call_leaves_nothing(self, stage: Stage, ai: Client) -> None:
        """What was cancelled stops at the vendor's too: its connection is closed, no task goes on."""
        await self.ask(ai, stage.name, self.questions[1])
        before = tasks()
        if stage.vendor:
            stage.vendor.clear()
        await self.cancelled(stage, ai)
        assert await eventually(lambda: tasks() <= before, 2.0), (
            f"{stage.id} left {tasks() - before} task(s) of a cancelled call. Start none that "
            "outlive it."
        )
        assert await eventually(lambda: not connections(stage.vendor), 2.0), (
            f"{stage.id} kept the connection of a cancelled call. Close the answer when left."
        )

    @clause("cancel.leaves-it-usable", "honest")
    async def test_a_cancelled_call_harms_no_other(self, stage: Stage, ai: Client) -> None:
        """The next call is served: many share a provider, and one of them gave up."""
        expected = self.content(await self.ask(ai, stage.name, self.questions[1]))
        if stage.vendor:
            stage.vendor.clear()
        await self.cancelled(stage, ai)
        said: Any = self.content(await self.ask(ai, stage.name, self.questions[1]))
        assert said == expected, f"{stage.id} answers otherwise after a cancelled call: {said!r}."

    @clause("deadline.is-kept", "honest", needs_vendor=True)
    async def test_a_silent_vendor_is_given_up(self, stage: Stage, ai: Client) -> None:
        """A vendor that falls silent is given up in time: callers have deadlines of their own."""
        await self.ask(ai, stage.name, self.questions[0])
        late = []
        for name, way in self.ways().items():
            stage.play(faults().Stall(SILENCE))
            with anyio.CancelScope(deadline=anyio.current_time() + LATE) as scope:
                error = await self.failure(way, ai, stage, timeout=BRIEF)
            if scope.cancel_called or not isinstance(error, GIVEN_UP):
                late.append(f"{name} ended with {error!r}")
        assert not late, (
            f"{stage.id} was given {BRIEF} s: {'; '.join(late)}. Shield nothing that waits for "
            "the vendor, and catch no cancellation."
        )
