"""Settings of calls: each is sent, or warned of, or refused."""

from __future__ import annotations

from collections.abc import Mapping

from .. import errors as e
from ..client import Client
from .asking import Asking, Way
from .clauses import not_applicable
from .stage import Stage

__all__ = ["check_settings", "check_strict"]


async def warned(
    suite: Asking, way: Way, ai: Client, stage: Stage, more: dict[str, object]
) -> set[str]:
    """Ask with a setting, and return the settings that were warned of."""
    record = suite.record(await way(ai, stage.name, suite.questions[0], more=more))
    return {one.setting for one in record.warnings}


async def check_settings(
    suite: Asking, ai: Client, stage: Stage, settings: Mapping[str, object]
) -> None:
    """Check that each of *settings* reaches the vendor or is warned of, whichever way it goes."""
    lost = []
    for name, way in suite.ways().items():
        for setting, value in settings.items():
            before = len(stage.requests)
            told = setting in await warned(suite, way, ai, stage, {setting: value})
            sought = value[0] if isinstance(value, tuple) else value
            if not told and not stage.sent(sought, since=before):
                lost.append(f"{setting} ({name})")
    assert not lost, (
        f"{stage.id} drops {', '.join(lost)} in silence. Send it, or say request.warn(…)."
    )


async def check_strict(
    suite: Asking, ai: Client, stage: Stage, settings: Mapping[str, object]
) -> None:
    """Check that what is warned of is refused where the caller is strict, and nothing sent."""
    wrong, count = [], 0
    for name, way in suite.ways().items():
        for setting, value in settings.items():
            if setting not in await warned(suite, way, ai, stage, {setting: value}):
                continue
            count += 1
            before = len(stage.requests)
            more = {setting: value, "strict": True}
            error = await suite.failure(way, ai, stage, more=more)
            if not isinstance(error, e.RequestError):
                wrong.append(f"{setting} ({name}) ended with {error!r}")
            elif len(stage.requests) != before:
                wrong.append(f"{setting} ({name}) was sent before it was refused")
    if not count:
        not_applicable(f"{stage.name} honours every setting")
    assert not wrong, f"{stage.id} drops what a strict caller wants: {'; '.join(wrong)}."
