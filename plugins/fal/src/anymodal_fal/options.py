"""What only fal can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import attrs
from anymodal.modalities.video import VideoOption

__all__ = ["FalVideo"]


@attrs.frozen(kw_only=True)
class FalVideo(VideoOption):
    """
    Options for clips from fal. `None` means fal's default.

    Source: https://fal.ai/docs/model-apis/model-endpoints/queue, read 2026-11-20.

    Args:
        start_timeout: Seconds within which the job has to begin, or it fails.
        priority: `low` stands behind all others.
        retried: Whether fal itself tries again where a machine fails.
        extra_body: Fields of the model's input, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "fal"

    start_timeout: float | None = None
    priority: Literal["normal", "low"] | None = None
    retried: bool | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def headers(self) -> dict[str, str]:
        """Return the headers that say so."""
        found: dict[str, str] = {}
        if self.start_timeout is not None:
            found["x-fal-request-timeout"] = f"{self.start_timeout:g}"
        if self.priority is not None:
            found["x-fal-queue-priority"] = self.priority
        if self.retried is False:
            found["x-fal-no-retry"] = "1"
        found.update((name.lower(), value) for name, value in self.extra_headers.items())
        return found
