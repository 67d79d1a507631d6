"""What requests to ElevenLabs may say: bodies, queries and forms."""

from __future__ import annotations

import email.parser
import email.policy
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from anymodal.modalities.sounds import SoundFormat
from anymodal_emulator.app import RefusedError, Request
from anymodal_emulator.checking import Field, check, one_of

__all__ = ["FIRST", "MORE", "VOICES_QUERY", "body_of", "form_of", "output_format", "query_of"]

_FORMATS: Final = (
    "alaw_8000 mp3_22050_32 mp3_24000_48 mp3_44100_128 mp3_44100_192 mp3_44100_32 mp3_44100_64 "
    "mp3_44100_96 opus_48000_128 opus_48000_192 opus_48000_32 opus_48000_64 opus_48000_96 "
    "pcm_16000 pcm_22050 pcm_24000 pcm_32000 pcm_44100 pcm_48000 pcm_8000 ulaw_8000 wav_16000 "
    "wav_22050 wav_24000 wav_32000 wav_44100 wav_48000 wav_8000"
)
OUTPUT_FORMATS: Final = frozenset(_FORMATS.split())
"""OpenAPI description, `output_format` of `text_to_speech_full`."""

SETTINGS: Final = Field(
    "object|null",
    fields={
        "stability": Field("number|null", least=0, most=1),
        "similarity_boost": Field("number|null", least=0, most=1),
        "style": Field("number|null"),
        "use_speaker_boost": Field("boolean|null"),
        "speed": Field("number|null", least=0.7, most=1.2),
    },
)
SPEAK: Final = {
    "text": Field("string", required=True),
    "model_id": Field("string"),
    "language_code": Field("string|null"),
    "voice_settings": SETTINGS,
    "seed": Field("integer|null", least=0, most=4294967295),
    "previous_text": Field("string|null"),
    "next_text": Field("string|null"),
    "apply_text_normalization": one_of("auto", "on", "off"),
    "apply_language_text_normalization": Field("boolean"),
}
FIRST: Final = {
    "text": one_of(" ", required=True),
    "voice_settings": SETTINGS,
    "generation_config": Field(
        "object|null",
        fields={"chunk_length_schedule": Field("array", items=Field("number", least=50, most=500))},
    ),
    "xi_api_key": Field("string"),
}
MORE: Final = {
    "text": Field("string", required=True),
    "try_trigger_generation": Field("boolean"),
    "flush": Field("boolean"),
    "voice_settings": Field("object|null"),
    "generation_config": Field("object|null"),
}

TTS_QUERY: Final = frozenset({"output_format", "enable_logging", "optimize_streaming_latency"})
_VOICES: Final = (
    "next_page_token page_size search sort sort_direction voice_type category fine_tuning_state "
    "collection_id include_total_count voice_ids gender age language accent use_cases "
    "high_quality include_custom_rates include_live_moderated min_notice_period_days"
)
VOICES_QUERY: Final = frozenset(_VOICES.split())


def body_of(request: Request) -> dict[str, Any]:
    """Return the body of a request to speak."""
    body = request.json()
    _checked(body, SPEAK, "body")
    return body


def _checked(body: Mapping[str, Any], fields: Mapping[str, Field], place: str) -> None:
    try:
        check(body, fields, lenient=True)
    except RefusedError as refused:
        refused.param = f"{place}.{refused.param}"
        raise


def query_of(request: Request, known: frozenset[str] = TTS_QUERY) -> dict[str, str]:
    """Return the query; what the vendor does not know stands in no description."""
    found = dict(parse_qsl(request.received.query, keep_blank_values=True))
    if strange := sorted(found.keys() - known):
        raise RefusedError(kind="value", param=f"query.{strange[0]}", need="known to the vendor")
    size = found.get("page_size", "10")
    if not size.isdecimal() or int(size) > 100:
        raise RefusedError(kind="value", param="query.page_size", need="less than or equal to 100")
    return found


def output_format(query: Mapping[str, str]) -> SoundFormat:
    """Return how the sound is to be packed."""
    found = query.get("output_format", "mp3_44100_128")
    if found not in OUTPUT_FORMATS:
        raise RefusedError(kind="value", param="query.output_format", need="one of the formats")
    return SoundFormat.parse(found)


def form_of(request: Request) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
    """Return the fields of a form, and its files: name, type and bytes."""
    declared = request.received.headers.get("content-type", "")
    if not declared.startswith("multipart/form-data"):
        raise RefusedError(kind="missing", param="body.name")
    head = f"content-type: {declared}\r\n\r\n".encode()
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    fields: dict[str, str] = {}
    files: list[tuple[str, str, bytes]] = []
    for part in parser.parsebytes(head + request.received.body).iter_parts():
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        name = str(part.get_param("name", header="content-disposition"))
        if name in {"files", "files[]"}:
            files.append((part.get_filename() or "", part.get_content_type(), data))
        else:
            fields[name] = data.decode()
    if not fields.get("name"):
        raise RefusedError(kind="missing", param="body.name")
    if not files:
        raise RefusedError(kind="missing", param="body.files")
    return fields, files
