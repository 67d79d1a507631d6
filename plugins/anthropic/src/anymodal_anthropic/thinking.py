"""How hard to think: the portable effort in the vendor's terms, by model."""

from __future__ import annotations

from typing import Final

from anymodal.modalities.text import EFFORTS, TextRequest

from .models import NEWEST, THINKING, Thinking
from .options import AnthropicText

__all__ = ["thinking_fields", "thinks"]

BUDGETS: Final = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 32_768,
    "max": 49_152,
}
"""
Tokens of thinking for models that take a number instead of an effort; ours.

The vendor wants at least 1 024 and less than `max_tokens`.
Source: anthropic 2.11, `types/thinking_config_enabled_param.py`; read 2026-11-20.
"""
LEAST_BUDGET: Final = 1024


def thinks(request: TextRequest) -> bool:
    """Tell whether *request* asks for thinking."""
    return request.reasoning not in {None, "none"}


def thinking_fields(
    request: TextRequest, option: AnthropicText | None, max_tokens: int
) -> dict[str, object]:
    """
    Return the fields that make the model think as hard as *request* asks.

    An effort that a model does not have becomes the next lower one that it has,
    else its lowest, with a warning. `none` turns thinking off, where it can be.
    """
    known = THINKING.get(request.model.id, NEWEST)
    shown: dict[str, object] = {}
    if option is not None and option.thinking_display is not None:
        shown["display"] = option.thinking_display
    if request.reasoning is None:
        return {"thinking": {"type": "adaptive", **shown}} if shown and known.adaptive else {}
    if request.model.capabilities.get("reasoning") is False:
        if thinks(request):
            request.warn("reasoning", f"left out, because {request.model.id} does not reason")
        return {}
    if not thinks(request):
        return _turned_off(request, known)
    found: dict[str, object] = {}
    if known.adaptive:
        found["thinking"] = {"type": "adaptive", **shown}
    elif budget := _budget(request, max_tokens):
        found["thinking"] = {"type": "enabled", "budget_tokens": budget, **shown}
    if known.efforts:
        found["output_config"] = {"effort": _clamped(request, known.efforts)}
    return found


def _turned_off(request: TextRequest, known: Thinking) -> dict[str, object]:
    if known.mode == "always":
        request.warn("reasoning", f"lowered to 'low', because {request.model.id} always thinks")
        return {"output_config": {"effort": "low"}}
    return {"thinking": {"type": "between_tools" if known.mode == "between" else "disabled"}}


def _clamped(request: TextRequest, efforts: tuple[str, ...]) -> str:
    wanted = str(request.reasoning)
    if wanted in efforts:
        return wanted
    ranks: tuple[str, ...] = EFFORTS
    lower = [effort for effort in efforts if ranks.index(effort) < ranks.index(wanted)]
    found = lower[-1] if lower else efforts[0]
    request.warn(
        "reasoning", f"changed to {found!r}, because {request.model.id} has no effort {wanted!r}"
    )
    return found


def _budget(request: TextRequest, max_tokens: int) -> int:
    """Return how many tokens may go into thinking; 0 where that cannot be asked for."""
    budget = min(BUDGETS[str(request.reasoning)], max_tokens - 1)
    if budget < LEAST_BUDGET:
        request.warn("reasoning", f"left out: max_tokens={max_tokens} leaves no room for it")
        return 0
    if request.tools and request.tool_choice not in {None, "auto", "none"}:
        request.warn("reasoning", "left out, because the model is told to use a tool")
        return 0
    return budget
