"""A call that the tour makes, and what becomes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

__all__ = ["PROMPT", "SECONDS", "Row", "Visit"]

PROMPT: Final = "What does the lighthouse keeper see tonight?"
SECONDS: Final = 120.0


@attrs.frozen
class Row:
    """
    A call that has to be made.

    Attributes:
        modality: The kind of work.
        provider: Id of the provider.
        operation: What is asked of it.
        model: The model's id; empty where the provider has to be asked for one.
    """

    modality: str
    provider: str
    operation: str
    model: str = ""


@attrs.define(kw_only=True)
class Visit:
    """
    What became of a row.

    Attributes:
        row: What was to be done.
        model: The model that was asked.
        prompt: The words that it was asked.
        sent: A picture that went with them.
        said: What came back; of an artefact, what it shows.
        artefact: The bytes of what came back, where it is more than words.
        suffix: The end of the artefact's file name, such as `.png`.
        seconds: How long the call took.
        first_event: Seconds to the first event, of a stream.
        size: Bytes of the artefact.
        usd: What its calls would have cost at the vendor, in dollars, as far as that is known.
        client: Who called, in the words of the emulator's log.
        outcome: `ok`, or what went wrong.
        path: The artefact, beside the page.
    """

    row: Row
    model: str = ""
    prompt: str = PROMPT
    sent: bytes = attrs.field(default=b"", repr=False)
    said: str = ""
    artefact: bytes = attrs.field(default=b"", repr=False)
    suffix: str = ".txt"
    seconds: float | None = None
    first_event: float | None = None
    size: int = 0
    usd: Decimal | None = None
    client: str = ""
    outcome: str = ""
    path: str = ""

    @property
    def content(self) -> bytes:
        """The artefact, or else the words."""
        return self.artefact or self.said.encode()

    def to_dict(self) -> dict[str, object]:
        """Return the columns of the table."""
        return {
            "modality": self.row.modality,
            "provider": self.row.provider,
            "operation": self.row.operation,
            "model": self.model,
            "seconds": self.seconds,
            "first_event": self.first_event,
            "bytes": self.size,
            "usd": None if self.usd is None else float(self.usd),
            "client": self.client,
            "outcome": self.outcome,
        }
