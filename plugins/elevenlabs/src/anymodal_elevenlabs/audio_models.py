"""What is known of ElevenLabs' models for effects and music: from where, and as of when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

import attrs
from anymodal.modalities.audio import AudioOption, AudioProvider, AudioProviderSpec
from anymodal.modalities.sounds import SoundFormat
from anymodal.specs import Capabilities, Credential, Deadlines, Lifecycle, ModelSpec

from .faults import refined
from .speech_models import FORMATS

if TYPE_CHECKING:
    from anymodal import Connection

__all__ = ["EFFECTS", "PACKINGS", "ElevenLabsAudio", "audio_spec"]

DOCS: Final = "https://elevenlabs.io/docs/api-reference/text-to-sound-effects/convert"
MUSIC: Final = "https://elevenlabs.io/docs/api-reference/music/compose"
EFFECTS: Final = "eleven_text_to_sound_v2"

PACKINGS: Final = tuple(SoundFormat.parse(one) for one in FORMATS)
"""Those that effects, music and speech all have, the vendor's default first."""


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
        options=ElevenLabsAudio,
        errors=refined,
    )
