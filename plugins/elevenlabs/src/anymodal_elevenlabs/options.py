"""What only ElevenLabs can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import attrs
from anymodal.modalities.audio import AudioOption
from anymodal.modalities.speech import SpeechOption

__all__ = ["ElevenLabsAudio", "ElevenLabsSpeech"]


@attrs.frozen(kw_only=True)
class ElevenLabsSpeech(SpeechOption):
    """
    Options for speech from ElevenLabs. `None` means the vendor's default.

    Source: ElevenLabs' OpenAPI description, `Body_text_to_speech_full` and
    `VoiceSettingsResponseModel`, and its AsyncAPI description of `stream-input`; read
    2026-11-20.

    Args:
        stability: From 0, the most lively, to 1.
        similarity_boost: How close to the voice's samples, from 0 to 1.
        style: How much of the speaker's style is exaggerated, from 0.
        use_speaker_boost: Whether to be closer still, at some cost in time.
        seed: For sound that repeats, as far as the vendor can.
        previous_text: What was said before, for how it goes on. Not for text in pieces.
        next_text: What will be said after. Not for text in pieces.
        text_normalization: Whether numbers and the like are spelled out.
        enable_logging: False is the vendor's zero retention mode, where a plan has it.
        chunk_length_schedule: For text in pieces: after how many characters sound is
            made, each from 50 to 500. The sooner, the worse it sounds.
        remove_background_noise: For cloning.
        extra_body: Fields of the body, or of the first message, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "elevenlabs"

    stability: float | None = None
    similarity_boost: float | None = None
    style: float | None = None
    use_speaker_boost: bool | None = None
    seed: int | None = None
    previous_text: str | None = None
    next_text: str | None = None
    text_normalization: Literal["auto", "on", "off"] | None = None
    enable_logging: bool | None = None
    chunk_length_schedule: tuple[int, ...] = (50, 120, 160, 250)
    remove_background_noise: bool | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class ElevenLabsAudio(AudioOption):
    """
    Options for effects and music from ElevenLabs. `None` means the vendor's default.

    Source: ElevenLabs' OpenAPI description, `/v1/sound-generation` and `/v1/music`; read
    2026-11-20.

    Args:
        prompt_influence: Of effects, how closely they follow the prompt, from 0 to 1.
        lyrics: Of music, what is sung.
        extra_body: Fields of the body, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "elevenlabs"

    prompt_influence: float | None = None
    lyrics: str | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
