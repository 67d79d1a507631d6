"""Frames of Chat Completions, and what they share with a whole answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from anymodal.errors import VendorError
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
from .frames import MALFORMED, FrameDecoder, Object, citation_of, filtered, malformed
from .pieces import signature_of, thoughts_of, words_of
from .quirks import Quirks, failed, fault

__all__ = [
    "ChatDecoder",
    "finish_reason",
    "shown_reasoning",
    "tool_arguments",
]

_PLAIN: Final = frozenset({"role", "content"})


class ChatDecoder(FrameDecoder):
    """
    Turns the frames of one stream into events.

    Args:
        provider: Id of the provider.
        quirks: How the vendor deviates.
        scrub: Takes secrets out of the vendor's words.
        request_id: The vendor's id of the request.
        keep: Whether the frames are kept for `Finish.raw`.
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
        self._kept: list[object] | None = [] if keep else None
        self._word: str | None = None
        self._model: str | None = None
        self._usage: object = None
        self._refusal: list[str] = []
        self._state: object = None
        self._signature: str | None = None
        self._ids: list[str] = []
        self._at: dict[object, int] = {}
        self._ended = False

    def _frame(self, name: bytes, data: bytes, found: list[TextEvent]) -> None:
        del name
        if data == b"[DONE]":
            self._end(found)
            return
        if self._ended:
            return
        chunk = self._parsed(data)
        choices = chunk.get("choices")
        if choices:
            self._choice(choices[0], chunk, found)
        if self._kept is not None:
            self._kept.append(chunk)
        usage = chunk.get("usage")
        extension = self._quirks.extension and chunk.get(self._quirks.extension)
        if extension:
            self.request_id = extension.get("id") or self.request_id
            usage = usage or extension.get("usage")
        if usage:
            self._usage = usage
        error = chunk.get("error") or (extension and extension.get("error"))
        if error:
            raise self._fault(error)
        if self._word is not None:
            self._model = chunk.get("model") or self._model
            if usage:  # the last that comes, where it comes
                self._end(found)

    def _choice(self, choice: Object, chunk: Object, found: list[TextEvent]) -> None:
        delta = choice.get("delta")
        if delta:
            text = delta.get("content")
            if text.__class__ is str and text:
                found.append(TextDelta(text))
            elif text:
                self._pieces(text, found)
            if not _PLAIN.issuperset(delta):
                self._more(delta, found)
        word = choice.get("finish_reason")
        if word is not None:
            self._finish(word, chunk)

    def _finish(self, word: object, chunk: Object) -> None:
        if chunk.get("error"):
            raise self._fault(chunk["error"])
        if word == "content_filter" or self._refusal:
            raise filtered(self.provider, "".join(self._refusal), self.request_id)
        if not isinstance(word, str):
            raise TypeError
        if word in self._quirks.failures:
            raise failed(self.provider, word, self._quirks, self.request_id)
        self._word = word

    def _fault(self, error: object) -> VendorError:
        return fault(
            error,
            provider=self.provider,
            quirks=self._quirks,
            request_id=self.request_id,
            scrub=self._scrub,
        )

    def _pieces(self, content: object, found: list[TextEvent]) -> None:
        """Add what content in pieces has."""
        text = words_of(content)
        if self._quirks.thinks_in_content:
            thought = thoughts_of(content)
            if thought:
                found.append(ReasoningDelta(thought))
            self._signature = signature_of(content) or self._signature
        if text:
            found.append(TextDelta(text))

    def _more(self, delta: Object, found: list[TextEvent]) -> None:
        """Add what a delta has beside text."""
        thought = shown_reasoning(delta, self._quirks.reasoning_fields)
        if thought:
            found.append(ReasoningDelta(thought))
        calls = delta.get("tool_calls")
        if calls:
            found.extend(map(self._call, calls))
        refusal = delta.get("refusal")
        if refusal:
            self._refusal.append(refusal)
        for annotation in delta.get("annotations") or ():
            citation = citation_of(annotation)
            if citation is not None:
                found.append(citation)
        if self._quirks.sources is not None:
            found.extend(self._quirks.sources(delta))
        kept = delta.get(self._quirks.state_field) if self._quirks.state_field else None
        if kept:
            self._state = kept if self._state is None else self._state + kept

    def _call(self, call: Object) -> ToolCallDelta:
        """
        Return a piece of a tool call.

        Some servers give every call the index 0, or none, or repeat id and
        name with every piece: a new id is a new call.
        """
        index, call_id = call.get("index"), call.get("id") or ""
        function = call.get("function") or {}
        arguments = tool_arguments(function.get("arguments"))
        if call_id in self._ids:
            return ToolCallDelta(self._ids.index(call_id), arguments=arguments)
        if not call_id and index in self._at:
            return ToolCallDelta(self._at[index], arguments=arguments)
        name = function["name"]
        if not isinstance(name, str) or not isinstance(call_id, str):
            raise TypeError
        position = self._at[index] = len(self._ids)
        call_id = call_id or f"call_{position}"
        self._ids.append(call_id)
        return ToolCallDelta(position, call_id, name, arguments)

    def end(self, found: list[TextEvent]) -> None:
        """Add the end where a server closed without a marker, but after a finish reason."""
        try:
            self._end(found)
        except MALFORMED as error:
            raise malformed(self.provider, error, self.request_id) from error

    def _end(self, found: list[TextEvent]) -> None:
        if self._ended or self._word is None:
            return
        self._ended = True
        quirks = self._quirks
        state: tuple[ProviderState, ...] = ()
        if self._state is not None:
            state = (ProviderState(self.provider, {quirks.state_field: self._state}),)
        elif self._signature is not None:
            state = (ProviderState(self.provider, {"signature": self._signature}),)
        found.append(
            Finish(
                finish_reason(self._word, quirks, called=bool(self._ids)),
                read_usage(self._usage, quirks),
                self._model,
                self.request_id,
                self._word,
                state,
                self._kept,
            )
        )


# -- what frames and whole answers share -------------------------------------------


def shown_reasoning(message: Mapping[str, object], fields: Sequence[str]) -> str:
    """Return the reasoning in the first of *fields* that has some."""
    for field in fields:
        thought = message.get(field)
        if isinstance(thought, str) and thought:
            return thought
    return ""


def tool_arguments(found: object) -> str:
    """Return arguments as JSON; some servers give the object itself."""
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found)


def finish_reason(word: str | None, quirks: Quirks, *, called: bool) -> FinishReason:
    """
    Return what the vendor's *word* for the end means.

    An answer that calls tools ended for that, whatever word the server has.
    """
    reason = quirks.finish_reasons.get(word, "other") if isinstance(word, str) else "other"
    return "tool_calls" if called and reason in {"stop", "other"} else reason
