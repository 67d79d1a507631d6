"""What a session with OpenAI's talking models is set to, and what it says, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anymodal.modalities.live import AudioFormat, ResponseDone
from anymodal.modalities.messages import ToolResult
from anymodal.modalities.realtime import RealtimeRequest, TurnDetection
from anymodal.usage import Usage, Used

from .realtime_models import TRANSCRIBER
from .realtime_options import OpenAIRealtime

__all__ = ["heard_usage", "outcome", "result_item", "said_usage", "session_of", "text_item"]

Object = Mapping[str, Any]

_MEDIA: Final = {"pcm_s16le": "audio/pcm", "mulaw": "audio/pcmu", "alaw": "audio/pcma"}

_REASONS: Final[Mapping[str, Any]] = {
    "completed": "stop",
    "turn_detected": "interrupted",
    "client_cancelled": "interrupted",
    "cancelled": "interrupted",
    "max_output_tokens": "length",
    "content_filter": "filtered",
}


def session_of(request: RealtimeRequest) -> dict[str, object]:
    """
    Return the session that *request* asks for.

    Source: openai 3.52, `types/realtime/session_update_event.py`, read 2026-11-20.
    """
    option = request.option(OpenAIRealtime) or OpenAIRealtime()
    heard: dict[str, object] = {"format": _format(request.input_format)}
    if request.turns is not None or option.eagerness or option.idle_timeout_ms:
        heard["turn_detection"] = _turns(request, option)
    if request.transcription is not None:
        heard["transcription"] = _said(
            model=request.transcription.model or TRANSCRIBER,
            language=request.transcription.language,
            prompt=request.transcription.prompt,
        )
    if option.noise_reduction:
        heard["noise_reduction"] = {"type": option.noise_reduction}
    audio: dict[str, object] = {"input": heard}
    if request.answers == "audio":
        audio["output"] = _said(
            format=_format(request.output_format), voice=request.voice, speed=option.speed
        )
    elif request.voice:
        request.warn("voice", "left out, because answers are in text")
    choice = request.tool_choice
    if choice not in {None, "auto", "none", "required"}:
        choice_said: object = {"type": "function", "name": choice}
    else:
        choice_said = choice
    return {
        "type": "realtime",
        "output_modalities": [request.answers],
        "audio": audio,
        **_said(
            instructions=request.instructions,
            tools=[_tool(request, tool) for tool in request.tools] or None,
            tool_choice=choice_said,
            max_output_tokens=request.max_tokens,
            reasoning={"effort": option.reasoning} if option.reasoning else None,
            parallel_tool_calls=option.parallel_tool_calls,
            truncation=option.truncation,
            tracing=option.tracing,
        ),
        **option.extra_body,
    }


def _said(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _format(packing: AudioFormat) -> dict[str, object]:
    found: dict[str, object] = {"type": _MEDIA[packing.encoding]}
    return {**found, "rate": packing.rate} if packing.encoding == "pcm_s16le" else found


def _turns(request: RealtimeRequest, option: OpenAIRealtime) -> dict[str, object] | None:
    turns = request.turns or TurnDetection("meaning" if option.eagerness else "silence")
    if turns.by == "caller":
        return None
    found: dict[str, object] = {
        "create_response": turns.responds,
        "interrupt_response": turns.interrupts,
    }
    if turns.by == "meaning":
        for name in ("silence", "padding", "threshold"):
            if getattr(turns, name) is not None:
                request.warn("turns", f"{name} is left out, because meaning decides")
        return {"type": "semantic_vad", **found, **_said(eagerness=option.eagerness)}
    return {
        "type": "server_vad",
        **found,
        **_said(
            silence_duration_ms=_ms(turns.silence),
            prefix_padding_ms=_ms(turns.padding),
            threshold=turns.threshold,
            idle_timeout_ms=option.idle_timeout_ms,
        ),
    }


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _tool(request: RealtimeRequest, tool: Any) -> dict[str, object]:
    if tool.strict:
        request.warn("tools", f"{tool.name}: strict is left out, because sessions do not know it")
    return {
        "type": "function",
        **_said(name=tool.name, description=tool.description or None, parameters=tool.parameters),
    }


def text_item(text: str) -> dict[str, object]:
    """Return what the user says in writing."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def result_item(result: ToolResult) -> dict[str, object]:
    """Return what a tool gave."""
    return {"type": "function_call_output", "call_id": result.id, "output": result.content}


# -- what it says -------------------------------------------------------------------


def outcome(response: Object) -> ResponseDone:
    """Return why an answer ended, and what it used; its error is the caller's to read."""
    details = response.get("status_details") or {}
    word = details.get("reason") or response.get("status")
    reason = _REASONS.get(str(word), "failed")
    if reason == "stop" and any(
        item.get("type") == "function_call" for item in response.get("output") or ()
    ):
        reason = "tool_calls"
    return ResponseDone(
        reason=reason, usage=said_usage(response.get("usage")), response_id=response.get("id")
    )


def said_usage(found: Object | None) -> Usage | None:
    """
    Return what an answer used.

    Sound is counted apart from text, and what of it was cached apart from what was not;
    `cached_input_tokens` are those of text and pictures alone.
    """
    if not found:
        return None
    heard = found.get("input_token_details") or {}
    told = found.get("output_token_details") or {}
    cached = heard.get("cached_tokens_details") or {}
    again = cached.get("audio_tokens") or 0
    sound = {
        ("audio_input_token", ""): (heard.get("audio_tokens") or 0) - again,
        ("audio_input_token", "cached"): again,
        ("audio_output_token", ""): told.get("audio_tokens") or 0,
    }
    return Usage(
        input_tokens=found.get("input_tokens"),
        output_tokens=found.get("output_tokens"),
        cached_input_tokens=max((heard.get("cached_tokens") or 0) - again, 0),
        units=tuple(
            Used(unit, max(many, 0), quality=quality)
            for (unit, quality), many in sound.items()
            if many > 0
        ),
    )


def heard_usage(found: Object | None, model: str) -> Usage | None:
    """
    Return what it took to write down what was heard: billed by *model*'s prices.

    Where it is billed by the token it counts as a request of *model*'s, whose price is
    not known, so that the whole cost is not: these tokens are not those of the answers.
    """
    if not found:
        return None
    seconds = found.get("seconds")
    used = Used("request", 1, quality=model)
    if isinstance(seconds, int | float):
        used = Used("second", seconds, quality=model)
    return Usage(input_tokens=0, output_tokens=0, cached_input_tokens=0, units=(used,))
