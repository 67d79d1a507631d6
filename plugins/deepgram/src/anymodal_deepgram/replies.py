"""Deepgram's answers, as what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from anymodal.errors import MalformedReplyError
from anymodal.modalities.live import Word
from anymodal.modalities.transcription import (
    TranscriptionRequest,
    TranscriptionResult,
    TranscriptionSettings,
    TranscriptSegment,
)
from anymodal.usage import Usage, Used

from .models import LIVE, MULTILINGUAL, RECORDED

__all__ = ["MALFORMED", "decode", "malformed", "usage_of", "words_of"]

MALFORMED: Final = (KeyError, TypeError, ValueError, IndexError, AttributeError)
"""What reading an answer raises that has not the shape it should have."""


def malformed(provider: str, error: Exception) -> MalformedReplyError:
    """Return the error for an answer that has another shape."""
    msg = f"{provider}: the answer has not the shape that it should have ({type(error).__name__})"
    return MalformedReplyError(msg, provider=provider)


def decode(found: Any, request: TranscriptionRequest) -> TranscriptionResult:  # what JSON gives
    """
    Return what was said in a file.

    Raises:
        KeyError: Or another of `MALFORMED`: the answer has another shape.
    """
    metadata, results = found["metadata"], found["results"]
    channels: Sequence[Any] = results["channels"]
    heard = [channel["alternatives"][0] for channel in channels if channel["alternatives"]]
    seconds = float(metadata["duration"])
    wants_words = request.words or request.diarize
    only = heard[0] if len(heard) == 1 else None
    return TranscriptionResult(
        text="\n".join(one["transcript"] for one in heard if one["transcript"]),
        words=_by_channel(heard) if wants_words else (),
        segments=tuple(_segment(one, len(channels)) for one in results.get("utterances") or ()),
        language=channels[0].get("detected_language") or request.language,
        duration=seconds,
        confidence=None if only is None else float(only["confidence"]),
        usage=usage_of(request, seconds * len(channels), RECORDED),
        request_id=metadata["request_id"],
        raw=found if request.raw else None,
    )


def _by_channel(heard: Sequence[Any]) -> tuple[Word, ...]:
    if len(heard) == 1:
        return words_of(heard[0]["words"])
    found = [
        word
        for number, one in enumerate(heard)
        for word in words_of(one["words"], speaker=str(number))
    ]
    return tuple(sorted(found, key=lambda word: word.start))


def words_of(found: Iterable[Mapping[str, Any]], speaker: str | None = None) -> tuple[Word, ...]:
    """Return words with their times; *speaker* says whose those are that do not say it."""
    return tuple(
        Word(
            one.get("punctuated_word") or one["word"],
            float(one["start"]),
            float(one["end"]),
            _speaker(one, speaker),
            float(one["confidence"]),
        )
        for one in found
    )


def _speaker(found: Mapping[str, Any], other: str | None) -> str | None:
    number = found.get("speaker")
    return other if number is None else str(number)


def _segment(found: Mapping[str, Any], channels: int) -> TranscriptSegment:
    channel = str(found["channel"]) if channels > 1 else None
    return TranscriptSegment(
        text=found["transcript"],
        start=float(found["start"]),
        end=float(found["end"]),
        speaker=_speaker(found, channel),
        confidence=float(found["confidence"]),
    )


def usage_of(request: TranscriptionSettings, seconds: float, quality: str = LIVE) -> Usage:
    """Return what is billed: seconds of each channel; speakers told apart cost more."""
    size = MULTILINGUAL if request.language == "multi" else ""
    quality = f"{quality}, diarized" if request.diarize else quality
    return Usage(units=(Used("second", seconds, size=size, quality=quality),))
