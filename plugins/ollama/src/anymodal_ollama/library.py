"""
What an Ollama server has and fetches: models of `/api/tags` and `/api/show`, pulls.

Source: https://docs.ollama.com/api/tags, https://docs.ollama.com/api-reference/show-model-details
and https://docs.ollama.com/api/pull, read 2026-11-20.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final

import attrs
from anymodal.errors import JobFailedError
from anymodal.modalities.kinds import LiveModel
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities

from .reply import Object, failure

__all__ = ["PullProgress", "PullReader", "described", "is_offloaded", "names_of"]

FREE: Final = Prices(
    [Price("input_token", 0), Price("output_token", 0)],
    source="it runs on this machine",
    as_of=dt.date(2026, 11, 20),
)

_CAPABILITIES: Final = {
    "function_calling": "tools",
    "image_input": "vision",
    "reasoning": "thinking",
}
"""Our names, and what `/api/show` calls them."""

_KINDS: Final[Mapping[str, str | None]] = {"embedding": "embedding", "image": "image"}
"""What `/api/show` calls the abilities of models that write no text, and their kinds of work."""


def is_offloaded(name: str) -> bool:
    """
    Whether the model called *name* runs in Ollama's cloud, whoever is asked for it.

    Source: https://docs.ollama.com/cloud, read 2026-11-20.
    """
    return name.endswith((":cloud", "-cloud"))


def names_of(found: Object) -> list[tuple[str, bool]]:
    """Return the models in an answer to `GET /api/tags`, and whether each runs elsewhere."""
    return [
        (row["model"], bool(row.get("remote_host")) or is_offloaded(row["model"]))
        for row in found["models"]
    ]


def described(name: str, shown: Object, *, free: bool) -> LiveModel:
    """
    Return the model called *name* by what `/api/show` says.

    `context_tokens` is the most that the model takes. How much the server makes
    room for, only `OllamaText(num_ctx=…)` and the server's settings say.
    """
    able = shown.get("capabilities")
    modality: str | None = "text"
    known: dict[str, bool] = {}
    if able is not None and "completion" not in able:
        modality = next((kind for word, kind in _KINDS.items() if word in able), None)
    elif able is not None:
        known = {ours: theirs in able for ours, theirs in _CAPABILITIES.items()}
    facts = shown.get("model_info") or {}
    tokens = facts.get(f"{facts.get('general.architecture')}.context_length")
    return LiveModel(
        id=name,
        modality=modality,
        aliases=[name.removesuffix(":latest")] if name.endswith(":latest") else [],
        capabilities=Capabilities(
            [one for one, yes in known.items() if yes],
            [one for one, yes in known.items() if not yes],
        ),
        context_tokens=tokens,
        prices=FREE if free else None,
        source="/api/show",
    )


@attrs.define
class PullProgress:
    """
    A step of a pull.

    Attributes:
        status: The server's words; `success` is the last.
        digest: The piece that is being fetched; empty between pieces.
        total: Bytes of that piece, where they are known.
        completed: How many of them are there.
    """

    status: str
    digest: str = ""
    total: int | None = None
    completed: int | None = None


class PullReader:
    """
    Turns the objects of one pull into progress.

    Args:
        provider: Id of the provider.
        model: What is pulled.
        scrub: Takes secrets out of the server's words.
    """

    def __init__(self, provider: str, model: str, scrub: Callable[[str], str]) -> None:
        self._provider = provider
        self._model = model
        self._scrub = scrub
        self.done = False

    def take(self, frame: Object, found: list[PullProgress]) -> None:
        """
        Add the progress that *frame* tells of to *found*.

        Raises:
            JobFailedError: It says that the pull failed.
        """
        if "error" in frame:
            why = self._scrub(failure(frame["error"]))
            msg = f"{self._provider}: {self._model} could not be pulled: {why}"
            raise JobFailedError(msg, provider=self._provider)
        status = frame["status"]
        if not isinstance(status, str):
            raise TypeError
        self.done = self.done or status == "success"
        digest = frame.get("digest") or ""
        found.append(
            PullProgress(status, str(digest), _bytes(frame, "total"), _bytes(frame, "completed"))
        )


def _bytes(frame: Mapping[str, object], name: str) -> int | None:
    found = frame.get(name)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise TypeError
    return found
