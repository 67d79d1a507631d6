"""Requests in Deepgram's words: parameters of an address."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import attrs
from anymodal.errors import UnsupportedFeatureError
from anymodal.modalities.live import AudioFormat
from anymodal.modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionRequest,
    TranscriptionSettings,
)

from .options import DeepgramTranscription

__all__ = ["live_query", "query"]

_ENCODINGS: Final = {
    "pcm_s16le": "linear16",
    "pcm_f32le": "linear32",
    "mulaw": "mulaw",
    "alaw": "alaw",
    "opus": "opus",
    "flac": "flac",
}
_ONLY_LIVE: Final = {"endpointing", "utterance_end_ms"}
_ONLY_FILES: Final = {"detect_language"}
_NOT_SENT: Final = {"extra_query", "extra_headers"}

Pairs = list[tuple[str, str]]


def query(request: TranscriptionRequest) -> str:
    """Return the parameters for a file."""
    pairs = _common(request, _ONLY_LIVE)
    pairs.append(("utterances", "true"))
    return _written(pairs, request)


def live_query(request: LiveTranscriptionRequest) -> str:
    """
    Return the parameters for live sound.

    Raises:
        UnsupportedFeatureError: The sound is not packed in a way that Deepgram takes.
    """
    pairs = _common(request, _ONLY_FILES)
    pairs += _packing(request.format)
    pairs += [("interim_results", _said(request.partials)), ("vad_events", "true")]
    return _written(pairs, request)


def _packing(found: AudioFormat) -> Pairs:
    encoding = _ENCODINGS.get(found.encoding)
    if encoding is None:
        msg = f"format: Deepgram takes no {found.encoding}."
        raise UnsupportedFeatureError(msg)
    return [
        ("encoding", encoding),
        ("sample_rate", str(found.rate)),
        ("channels", str(found.channels)),
    ]


def _common(request: TranscriptionSettings, left_out: set[str]) -> Pairs:
    pairs = [("model", request.model.id)]
    if request.language is not None:
        pairs.append(("language", request.language))
    if request.diarize:
        pairs.append(("diarize_model", "latest"))
    if request.prompt is not None:
        request.warn("prompt", "Deepgram takes keywords and no prompt")
    if request.end_user is not None:
        request.warn("end_user", "left out, because Deepgram has no field for it")
    name = "keyterm" if request.model.id.startswith("nova-3") else "keywords"
    pairs += [(name, word) for word in request.keywords]
    option = request.option(DeepgramTranscription) or DeepgramTranscription()
    given = {"smart_format": True} if option.smart_format is None else {}
    given |= {
        name: value
        for name, value in attrs.asdict(option, recurse=False).items()
        if value is not None and name not in _NOT_SENT
    }
    for setting, value in given.items():
        if setting in left_out:
            request.warn(f"options.{setting}", "Deepgram takes it for the other way to transcribe")
        elif isinstance(value, tuple):
            pairs += [(setting, one) for one in value]
        else:
            pairs.append((setting, _said(value)))
    return pairs


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(pairs: Pairs, request: TranscriptionSettings) -> str:
    option = request.option(DeepgramTranscription)
    extra = dict(option.extra_query or {}) if option else {}
    pairs = [pair for pair in pairs if pair[0] not in extra]
    return urlencode([*pairs, *extra.items()])
