"""Batches of text: many prompts as one job, at the vendor's own batch endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeAlias

import attrs

from ..errors import AnymodalError
from ..jobs import Handle, JobStatus
from ..usage import Record
from .text import OutputT, TextRequest, TextResult

__all__ = ["BatchLine", "BatchesText", "Outcome", "TextBatch"]

Outcome: TypeAlias = TextResult[OutputT] | AnymodalError
"""What became of one line: an answer, or the error that `generate` would have raised."""


@attrs.frozen
class BatchLine:
    """
    One prompt of a batch.

    Attributes:
        id: Up to 64 letters, digits, hyphens and underscores; unique in its batch.
        request: What is asked.
    """

    id: str
    request: TextRequest


@attrs.frozen
class TextBatch(Generic[OutputT]):
    """
    The answers of a batch, in the order of its prompts: `batch[0]`, `batch["key"]`.

    Attributes:
        lines: What became of each prompt: a `TextResult`, or the error.
        keys: The key of each prompt; empty where it has none.
        record: What is known about the batch as a whole.
    """

    lines: tuple[Outcome[OutputT], ...]
    keys: tuple[str, ...]
    record: Record = attrs.field(eq=False, repr=False)

    def __getitem__(self, which: int | str) -> Outcome[OutputT]:
        return self.lines[which if isinstance(which, int) else self._index(which)]

    def _index(self, key: str) -> int:
        if not key or key not in self.keys:
            raise KeyError(key)
        return self.keys.index(key)

    def __iter__(self) -> Iterator[Outcome[OutputT]]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def answers(self) -> tuple[TextResult[OutputT], ...]:
        """The lines that were answered."""
        return tuple(line for line in self.lines if isinstance(line, TextResult))

    @property
    def errors(self) -> Mapping[int, AnymodalError]:
        """The lines that were not, by their place."""
        return {n: one for n, one in enumerate(self.lines) if not isinstance(one, TextResult)}


class BatchesText(Protocol):
    """
    What a provider of text may have beside `stream` or `generate`.

    It keeps no state: a handle is all that it needs to know a batch again.
    """

    async def submit_batch(self, lines: Sequence[BatchLine], /) -> Handle:
        """
        Make a batch of *lines*, and return what it is known by.

        The request that makes it stands under `anymodal.jobs.submitting`.

        Raises:
            InvalidRequestError: There are more lines or bytes than the vendor takes.
            VendorError: The vendor refused or failed.
        """

    async def poll_batch(self, handle: Handle, /) -> JobStatus:
        """Ask how a batch stands."""

    async def fetch_batch(self, handle: Handle, request: TextRequest, /) -> Mapping[str, Outcome]:
        """
        Return what became of the lines, by their ids.

        Lines that the vendor says nothing of are left out.

        Args:
            handle: What the batch is known by.
            request: What the lines asked for, without their messages, to read the
                answers by.
        """

    async def cancel_batch(self, handle: Handle, /) -> None:
        """Ask the vendor to stop. What was answered until then can be fetched."""
