"""The models and voices that the emulator has, in the vendor's own shapes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from anymodal.formats import sniff
from anymodal_emulator.app import Memory, RefusedError

__all__ = ["MODELS", "kept_voices", "known_voice", "learn"]

_PREMADE: Final = (
    ("21m00Tcm4TlvDq8ikWAM", "Rachel", "female"),
    ("JBFqnCBsd6RMkjVDRZzb", "George - Warm, Captivating Storyteller", "male"),
    ("pNInz6obpgDQGcFmaJgB", "Adam - Dominant, Firm", "male"),
    ("emuVoice00000000Roger", "Roger - Laid-Back, Casual, Resonant", "male"),
)


def _voice(voice_id: str, name: str, category: str, **said: object) -> dict[str, Any]:
    return {
        "voice_id": voice_id,
        "name": name,
        "category": category,
        "labels": {},
        "description": None,
        "available_for_tiers": [],
        "high_quality_base_model_ids": ["eleven_multilingual_v2"],
        "verified_languages": [],
        **said,
    }


def _premade(voice_id: str, name: str, gender: str) -> dict[str, Any]:
    language = {"language": "en", "model_id": "eleven_multilingual_v2", "locale": "en-US"}
    return _voice(
        voice_id,
        name,
        "premade",
        labels={"gender": gender, "language": "en"},
        verified_languages=[language],
    )


def _model(model_id: str, name: str, longest: int) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "name": name,
        "can_be_finetuned": False,
        "can_do_text_to_speech": "sts" not in model_id,
        "can_do_voice_conversion": "sts" in model_id,
        "can_use_style": True,
        "can_use_speaker_boost": True,
        "serves_pro_voices": False,
        "token_cost_factor": 1.0,
        "description": name,
        "requires_alpha_access": False,
        "max_characters_request_free_user": 2500,
        "max_characters_request_subscribed_user": 10000,
        "maximum_text_length_per_request": longest,
        "languages": [{"language_id": "en", "name": "English"}],
        "model_rates": {"character_cost_multiplier": 1.0},
        "concurrency_group": "standard",
    }


MODELS: Final = [
    _model("eleven_multilingual_v2", "Eleven Multilingual v2", 10_000),
    _model("eleven_flash_v2_5", "Eleven Flash v2.5", 40_000),
    _model("eleven_v3", "Eleven v3", 5_000),
    _model("eleven_english_sts_v2", "Eleven English v2", 10_000),
]


def kept_voices(memory: Memory) -> list[dict[str, Any]]:
    """Return the account's voices: the vendor's own, and those that were learned here."""
    found = memory.kept.setdefault("voices", [_premade(*row) for row in _PREMADE])
    return cast("list[dict[str, Any]]", found)


def known_voice(memory: Memory, voice_id: str) -> dict[str, Any]:
    """Return a voice by its id."""
    for voice in kept_voices(memory):
        if voice["voice_id"] == voice_id:
            return voice
    got = f"A voice with voice_id {voice_id} was not found."
    raise RefusedError(kind="other", status=404, code="voice_not_found", got=got)


def learn(
    memory: Memory, fields: Mapping[str, str], files: Sequence[tuple[str, str, bytes]]
) -> dict[str, Any]:
    """Keep a new voice."""
    samples = []
    for name, media_type, data in files:
        if not (sniff(data) or "").startswith("audio/"):
            raise RefusedError(kind="other", code="invalid_content", got=f"{name} is no audio.")
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        samples.append(
            {
                "sample_id": digest[:20],
                "file_name": name,
                "mime_type": media_type,
                "size_bytes": len(data),
                "hash": digest,
            }
        )
    try:
        labels = json.loads(fields.get("labels") or "{}")
    except ValueError:
        raise RefusedError(kind="type", param="body.labels", need="object") from None
    voice = _voice(
        memory.id("", 20),
        fields["name"],
        "cloned",
        samples=samples,
        labels=labels,
        description=fields.get("description"),
    )
    kept_voices(memory).append(voice)
    return voice
