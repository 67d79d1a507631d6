"""What is known of ElevenLabs' models and voices for speech: from where, and as of when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from anymodal.modalities.speech_spec import SpeechProviderSpec, VoiceSpec
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Credential, Deadlines, ModelSpec

from .faults import refined

if TYPE_CHECKING:
    from anymodal import Connection
    from anymodal.modalities.speech import SpeechProvider

__all__ = ["speech_spec"]

DOCS: Final = "https://elevenlabs.io/docs/models"
READ_ON: Final = dt.date(2026, 11, 20)
PRICES: Final = (
    "https://elevenlabs.io/pricing/api, by developer.puter.com/tutorials/elevenlabs-api-pricing"
)

_TABLE: Final = (
    # id, dollars for a million characters; empty is unknown
    ("eleven_multilingual_v2", "100"),
    ("eleven_flash_v2_5", "50"),
    ("eleven_flash_v2", "50"),
    ("eleven_turbo_v2_5", "50"),
    ("eleven_turbo_v2", "50"),
    ("eleven_v3", "100"),
    ("eleven_v4", ""),
    ("eleven_v4_turbo", ""),
)
"""Ids: elevenlabs 2.78.0, `types/tts_conversational_model.py` and its docstrings."""

_NOT_LIVE: Final = frozenset({"eleven_v3"})
"""https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-stream-input"""

_VOICES: Final = (
    ("21m00Tcm4TlvDq8ikWAM", "Rachel", "female"),
    ("JBFqnCBsd6RMkjVDRZzb", "George", "male"),
    ("pNInz6obpgDQGcFmaJgB", "Adam", "male"),
)
"""A few of the vendor's own; the account's are asked for by name. `GET /v2/voices` has them all."""

FORMATS: Final = (
    "mp3_44100_128", "mp3_22050_32", "mp3_44100_32", "mp3_44100_64", "mp3_44100_96",
    "mp3_44100_192", "pcm_24000", "pcm_8000", "pcm_16000", "pcm_22050", "pcm_44100",
    "opus_48000_128", "opus_48000_32", "opus_48000_64", "opus_48000_96", "opus_48000_192",
    "ulaw_8000", "alaw_8000",
)  # fmt: skip
"""Those that both ways to speak have, the vendor's default first; WAV is made of bare samples."""


def _models() -> Iterator[ModelSpec]:
    for name, usd in _TABLE:
        prices = Prices([Price("character", usd)], PRICES, READ_ON) if usd else None
        no = {"live"} if name in _NOT_LIVE else ()
        yield ModelSpec(id=name, prices=prices, capabilities=Capabilities(no=no), source=DOCS)


def speech_spec(connect: Callable[[Connection], SpeechProvider]) -> SpeechProviderSpec:
    """Return the spec."""
    return SpeechProviderSpec(
        id="elevenlabs",
        display_name="ElevenLabs",
        docs="https://elevenlabs.io/docs/api-reference/text-to-speech",
        connect=connect,
        base_url="https://api.elevenlabs.io",
        credentials=[Credential(env=["ELEVENLABS_API_KEY", "ELEVEN_API_KEY", "XI_API_KEY"])],
        deadlines=Deadlines(total=300.0, first=60.0, between=60.0),
        capabilities=Capabilities(yes={"live", "streaming", "voice_cloning"}),
        models=_models(),
        patterns=["eleven_*"],
        default_model="eleven_multilingual_v2",
        voices=[
            VoiceSpec(id=one, name=name, gender=gender, languages=["en"])
            for one, name, gender in _VOICES
        ],
        default_voice="JBFqnCBsd6RMkjVDRZzb",
        formats=FORMATS,
        options="anymodal_elevenlabs.options:ElevenLabsSpeech",
        errors=refined,
    )
