"""What OpenAI's models that talk can be asked for beside what all can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import attrs
from anymodal.modalities.realtime import RealtimeOption

__all__ = ["OpenAIRealtime"]


@attrs.frozen(kw_only=True)
class OpenAIRealtime(RealtimeOption):
    """
    Options for conversations with OpenAI. `None` means the vendor's default.

    Source: openai 3.52, `types/realtime/realtime_session_create_request.py`, read 2026-11-20.

    Args:
        reasoning: How hard a model that reasons thinks before it speaks.
        eagerness: How soon a turn counts as ended, where its meaning decides.
        idle_timeout_ms: After so much silence the model speaks by itself.
        noise_reduction: For a microphone at the mouth, or one across the room.
        speed: Of speech, from 0.25 to 1.5.
        parallel_tool_calls: Whether one answer may ask for several tools.
        truncation: `auto` drops the oldest of what does not fit the context.
        tracing: `auto` writes a trace to the vendor's dashboard.
        safety_identifier: Stable id of the person behind the call; goes before `end_user`.
        extra_body: Fields of the session, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "openai"

    reasoning: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    idle_timeout_ms: int | None = None
    noise_reduction: Literal["near_field", "far_field"] | None = None
    speed: float | None = None
    parallel_tool_calls: bool | None = None
    truncation: Literal["auto", "disabled"] | None = None
    tracing: Literal["auto"] | None = None
    safety_identifier: str | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict)
