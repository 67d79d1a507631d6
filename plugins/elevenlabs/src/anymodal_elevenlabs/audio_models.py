"""What is known of ElevenLabs' models for effects and music: from where, and as of when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from anymodal.modalities.audio_spec import AudioProviderSpec
from anymodal.modalities.sounds import SoundFormat
from anymodal.specs import Capabilities, Credential, Deadlines, Lifecycle, ModelSpec

from .faults import refined
from .speech_models import FORMATS

if TYPE_CHECKING:
    from anymodal import Connection
    from anymodal.modalities.audio import AudioProvider

__all__ = ["EFFECTS", "PACKINGS", "audio_spec"]

DOCS: Final = "https://elevenlabs.io/docs/api-reference/text-to-sound-effects/convert"
MUSIC: Final = "https://elevenlabs.io/docs/api-reference/music/compose"
EFFECTS: Final = "eleven_text_to_sound_v2"

PACKINGS: Final = tuple(SoundFormat.parse(one) for one in FORMATS)
"""Those that effects, music and speech all have, the vendor's default first."""


def audio_spec(connect: Callable[[Connection], AudioProvider]) -> AudioProviderSpec:
    """Return the spec."""
    leaving = Lifecycle(state="deprecated", replacement="music_v2")
    return AudioProviderSpec(
        id="elevenlabs",
        display_name="ElevenLabs",
        docs=DOCS,
        connect=connect,
        base_url="https://api.elevenlabs.io",
        credentials=[Credential(env=["ELEVENLABS_API_KEY", "ELEVEN_API_KEY", "XI_API_KEY"])],
        deadlines=Deadlines(total=900.0, first=600.0, between=120.0),
        capabilities=Capabilities(yes={"text_to_audio"}, no={"enhancement", "cancel", "progress"}),
        models=[
            ModelSpec(id=EFFECTS, source=DOCS),
            ModelSpec(id="music_v2", source=MUSIC),
            ModelSpec(id="music_v1", lifecycle=leaving, source=MUSIC),
        ],
        default_model=EFFECTS,
        options="anymodal_elevenlabs.options:ElevenLabsAudio",
        errors=refined,
    )
