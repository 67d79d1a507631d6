"""Frames of Responses, and what they share with a whole answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Final, TypeAlias

from anymodal.errors import IncompleteError
from anymodal.modalities.messages import ProviderState
from anymodal.modalities.text import (
    Finish,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
)

from .body import read_usage
from .frames import FrameDecoder, Object, citation_of, filtered
from .quirks import Quirks, fault

__all__ = ["ResponsesDecoder", "finish_of", "thought_of"]

_SKIPPED: Final = frozenset(
    {
        b"response.content_part.added",
        b"response.content_part.done",
        b"response.created",
        b"response.in_progress",
        b"response.output_text.done",
        b"response.queued",
        b"response.reasoning_summary_part.done",
        b"response.reasoning_summary_text.done",
        b"response.reasoning_text.done",
    }
)
"""Frames that repeat what others say; their names spare us from reading them."""


Handler: TypeAlias = "Callable[[ResponsesDecoder, Object, list[TextEvent]], None]"


class ResponsesDecoder(FrameDecoder):
    """
    Turns the frames of one stream into events.

    Args:
        provider: Id of the provider.
        quirks: How the vendor deviates.
        scrub: Takes secrets out of the vendor's words.
        request_id: The vendor's id of the request.
        keep: Whether the answer is kept for `Finish.raw`.
    """

    def __init__(
        self,
        provider: str,
        quirks: Quirks,
        scrub: Callable[[str], str],
        request_id: str | None,
        *,
        keep: bool = False,
    ) -> None:
        super().__init__(provider, request_id)
        self._quirks = quirks
        self._scrub = scrub
        self._keep = keep
        self._refusal: list[str] = []
        self._kept_items: list[dict[str, object]] = []
        self._calls: dict[object, int] = {}
        self._spoken: dict[object, list[str]] = {}
        self._thought = False
        self._ended = False

    def _frame(self, name: bytes, data: bytes, found: list[TextEvent]) -> None:
        if name in _SKIPPED or data == b"[DONE]" or self._ended:
            return
        event = self._parsed(data)
        kind = event.get("type")
        if kind == "response.output_text.delta":
            text = event["delta"]
            if text:
                if text.__class__ is not str:
                    raise TypeError
                found.append(TextDelta(text))
            return
        handle = self._handlers.get(kind)
        if handle is not None:
            handle(self, event, found)

    def _on_reasoning(self, event: Object, found: list[TextEvent]) -> None:
        text = event["delta"]
        if not isinstance(text, str):
            raise TypeError
        if text:
            self._thought = True
            found.append(ReasoningDelta(text))

    def _on_reasoning_part(self, event: Object, found: list[TextEvent]) -> None:
        if event.get("summary_index") and self._thought:
            found.append(ReasoningDelta("\n\n"))

    def _on_arguments(self, event: Object, found: list[TextEvent]) -> None:
        index, piece = event["output_index"], event["delta"]
        if not isinstance(piece, str):
            raise TypeError
        if piece:
            self._spoken.setdefault(index, []).append(piece)
            found.append(ToolCallDelta(self._calls[index], arguments=piece))

    def _on_item(self, event: Object, found: list[TextEvent]) -> None:
        item, index = event["item"], event["output_index"]
        if item.get("type") == "function_call" and index not in self._calls:
            call_id, name = item["call_id"], item["name"]
            if not isinstance(call_id, str) or not isinstance(name, str):
                raise TypeError
            position = self._calls[index] = len(self._calls)
            found.append(ToolCallDelta(position, call_id, name))

    def _on_item_done(self, event: Object, found: list[TextEvent]) -> None:
        item, index = event["item"], event["output_index"]
        kind = item.get("type")
        if kind == "function_call":
            self._on_item(event, found)
            arguments = item.get("arguments")
            if index not in self._spoken and arguments:
                # Some servers give the arguments of a call in one piece, here.
                self._on_arguments({"output_index": index, "delta": arguments}, found)
            if arguments and arguments != "".join(self._spoken[index]):
                msg = "pieces of a call were lost, or came twice"
                raise ValueError(msg)
        if kind in self._quirks.kept_items:
            self._kept_items.append({"index": index, "item": item})

    def _on_annotation(self, event: Object, found: list[TextEvent]) -> None:
        citation = citation_of(event["annotation"])
        if citation is not None:
            found.append(citation)

    def _on_refusal(self, event: Object, found: list[TextEvent]) -> None:
        del found
        self._refusal.append(event["delta"])

    def _on_refusal_done(self, event: Object, found: list[TextEvent]) -> None:
        del found
        words = event.get("refusal") or "".join(self._refusal)
        raise filtered(self.provider, words, self.request_id)

    def _on_error(self, event: Object, found: list[TextEvent]) -> None:
        del found
        raise fault(
            event.get("error") or {**event, "type": None},
            provider=self.provider,
            quirks=self._quirks,
            request_id=self.request_id,
            scrub=self._scrub,
        )

    def _on_end(self, event: Object, found: list[TextEvent]) -> None:
        kept = self._kept_items
        finish = finish_of(
            event["response"],
            provider=self.provider,
            quirks=self._quirks,
            scrub=self._scrub,
            request_id=self.request_id,
            called=bool(self._calls),
            state=(ProviderState(self.provider, kept),) if kept else (),
            partial="",
            keep=self._keep,
        )
        self._ended = True
        found.append(finish)

    _handlers: ClassVar[Mapping[object, Handler]] = {
        "error": _on_error,
        "response.cancelled": _on_end,
        "response.completed": _on_end,
        "response.failed": _on_end,
        "response.function_call_arguments.delta": _on_arguments,
        "response.incomplete": _on_end,
        "response.output_item.added": _on_item,
        "response.output_item.done": _on_item_done,
        "response.output_text.annotation.added": _on_annotation,
        "response.reasoning_summary_part.added": _on_reasoning_part,
        "response.reasoning_summary_text.delta": _on_reasoning,
        "response.reasoning_text.delta": _on_reasoning,
        "response.refusal.delta": _on_refusal,
        "response.refusal.done": _on_refusal_done,
    }


# -- what frames and whole answers share -------------------------------------------

_INCOMPLETE: Final[dict[object, FinishReason]] = {"max_output_tokens": "length"}


def thought_of(item: Object) -> str:
    """Return what a reasoning item shows: its summaries and its text."""
    summary = "\n\n".join(piece["text"] for piece in item.get("summary") or ())
    return summary + "".join(piece["text"] for piece in item.get("content") or ())


def finish_of(
    response: Object,
    *,
    provider: str,
    quirks: Quirks,
    scrub: Callable[[str], str],
    request_id: str | None,
    called: bool,
    state: tuple[ProviderState, ...],
    partial: str,
    keep: bool,
) -> Finish:
    """
    Return the end of an answer.

    Raises:
        ContentFilteredError: The filter stopped it.
        IncompleteError: It was cancelled, or is still being written.
        VendorError: It failed; by its error's code.
    """
    status = response.get("status") or "completed"
    if status == "failed" or response.get("error"):
        raise fault(
            response.get("error") or {},
            provider=provider,
            quirks=quirks,
            request_id=request_id,
            scrub=scrub,
        )
    reason: FinishReason = "tool_calls" if called else "stop"
    word = status
    if status == "incomplete":
        word = (response.get("incomplete_details") or {}).get("reason") or status
        if word == "content_filter":
            raise filtered(provider, None, request_id, partial=partial)
        reason = _INCOMPLETE.get(word, "other")
    elif status != "completed":
        msg = f"{provider}: the answer ended as {str(status)[:40]!r}"
        error = IncompleteError(msg, provider=provider, request_id=request_id)
        error.partial = partial
        raise error
    return Finish(
        reason,
        read_usage(response.get("usage"), quirks),
        response.get("model"),
        request_id,
        word,
        state,
        response if keep else None,
    )
