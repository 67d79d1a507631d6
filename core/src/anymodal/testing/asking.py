"""How the clauses of all modalities call a provider, whatever its modality is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias

from ..client import Client
from ..usage import Record
from .stage import Stage
from .suite import Suite

__all__ = ["NOTHING", "QUESTIONS", "Asking", "Way"]

Way: TypeAlias = Callable[..., Awaitable[Any]]

QUESTIONS: Final = (
    "What does the lighthouse keeper see tonight?",
    "Which ship passes at dawn?",
    "Who trims the lamp on Sundays?",
    "How far away is the harbour?",
    "When did the fog lift?",
    "Where do the gulls sleep?",
)
"""No two have the same answer."""

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Asking(Suite):
    """What a suite of a modality says of its calls."""

    questions: ClassVar[tuple[str, ...]] = QUESTIONS
    counts: ClassVar[bool] = True
    """Whether calls of the modality use up what vendors count."""

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> Any:
        """
        Return the result of the modality's plainest call.

        Args:
            ai: Who calls.
            name: Whom: `provider/model`.
            question: What is asked. A modality without words makes its input of it.
            timeout: Seconds in all.
            more: Further arguments of the facade's.
        """
        raise NotImplementedError

    def content(self, result: Any) -> object:
        """Return what is in *result*, to be compared."""
        raise NotImplementedError

    def record(self, result: Any) -> Record:
        """Return the record of the call that gave *result*."""
        record: Record = result.record
        return record

    def ways(self) -> Mapping[str, Way]:
        """Return all plain ways to call, by name, each with the arguments of `ask`."""
        return {"ask": self.ask}

    async def failure(self, way: Way, ai: Client, stage: Stage, **options: Any) -> Exception | None:
        """Return what a plain call raises, or None where it succeeds."""
        try:
            await way(ai, stage.name, self.questions[0], **options)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
            return error
        return None
