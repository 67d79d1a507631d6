"""
The models of clips that OpenAI had: known, so that who asks for one hears what became of it.

They and the Videos API were shut down on 2026-09-24, and OpenAI names no successor:
https://developers.openai.com/api/docs/models/sora-2 (read 2026-11-20).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from anymodal.errors import UnsupportedFeatureError
from anymodal.specs import Lifecycle, ModelSpec

if TYPE_CHECKING:
    from anymodal.modalities.video import VideoRequest, VideoResult

__all__ = ["MODELS", "NoClips"]

_NAMES: Final = (
    "sora-2",
    "sora-2-pro",
    "sora-2-2025-10-06",
    "sora-2-2025-12-08",
    "sora-2-pro-2025-10-06",
)
_GONE: Final = Lifecycle(
    state="retired",
    retires_on=dt.date(2026, 9, 24),
    # ours and not the vendor's choice: it takes the same words, sizes and pictures, and has sound
    replacement="fal/bytedance/seedance-2.0/text-to-video",
)

MODELS: Final = tuple(
    ModelSpec(
        id=name, lifecycle=_GONE, source="https://developers.openai.com/api/docs/models/sora-2"
    )
    for name in _NAMES
)


class NoClips:
    """What OpenAI is to whoever asks it for clips by another name."""

    async def generate(self, request: VideoRequest, /) -> VideoResult:
        """
        Refuse.

        Raises:
            UnsupportedFeatureError: Always.
        """
        msg = f"openai: {request.model.id}: OpenAI's Videos API was shut down on 2026-09-24."
        raise UnsupportedFeatureError(msg)
