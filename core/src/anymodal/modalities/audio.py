"""Audio: music and effects from words, and sound made better."""

from __future__ import annotations

from typing import ClassVar, Final, Protocol, TypeAlias

import attrs

from ..errors import InvalidRequestError
from ..media import Audio
from .audio_spec import AudioProviderSpec
from .making import (
    MadeResult,
    MakesAtOnce,
    MakesJobs,
    MakingRequest,
    check_seconds,
    check_words,
    is_number,
)
from .requests import VendorOption
from .sounds import SoundFormat

__all__ = [
    "AudioOption",
    "AudioProvider",
    "AudioProviderSpec",
    "AudioRequest",
    "AudioResult",
    "EnhancementRequest",
    "EnhancesAudio",
]

QUIETEST: Final = -70.0
LOUDEST: Final = -5.0
"""LUFS within which loudness can be asked for; EBU R 128 asks for -23 (tech.ebu.ch, 2026-11-20)."""


class AudioOption(VendorOption):
    """Base of a plugin's own frozen options for sound; other providers ignore them."""


@attrs.frozen(kw_only=True)
class AudioRequest(MakingRequest):
    """
    What a provider of sound is asked for; see `MakingRequest` for the rest.

    Attributes:
        prompt: What is to be heard.
        seconds: How long it is to be.
        format: How it is to be packed.
        loop: Whether its end has to lead into its beginning.
        instrumental: Whether nobody is to sing.
        seed: For sound that repeats, as far as the vendor can.
    """

    option_class: ClassVar[type[VendorOption]] = AudioOption

    prompt: str
    seconds: float | None = None
    format: SoundFormat | None = None
    loop: bool | None = None
    instrumental: bool | None = None
    seed: int | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        check_words("prompt", self.prompt)
        check_seconds("seconds", self.seconds)
        if not isinstance(self.seed, int | None) or isinstance(self.seed, bool):
            msg = f"seed: a whole number is needed, not {self.seed!r}."
            raise InvalidRequestError(msg, field="seed")


@attrs.frozen(kw_only=True)
class EnhancementRequest(MakingRequest):
    """
    What is to be done to sound; see `MakingRequest` for the rest.

    Attributes:
        audio: The sound.
        loudness: How loud it is to be as a whole, in LUFS.
        denoise: Whether noise is to be taken out.
        start: The second at which it is to begin.
        end: The second at which it is to end.
        trim_silence: Whether silence is to be cut off both ends.
        format: How it is to be packed; as it was where not said, as far as that goes.
    """

    option_class: ClassVar[type[VendorOption]] = AudioOption

    audio: Audio
    loudness: float | None = None
    denoise: bool = False
    start: float = 0.0
    end: float | None = None
    trim_silence: bool = False
    format: SoundFormat | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not isinstance(self.audio, Audio):
            msg = "audio: an Audio is needed."
            raise InvalidRequestError(msg, field="audio")
        loudness = self.loudness
        if loudness is not None and not (is_number(loudness) and QUIETEST <= loudness <= LOUDEST):
            msg = f"loudness: LUFS from {QUIETEST:g} to {LOUDEST:g} are needed, not {loudness!r}."
            raise InvalidRequestError(msg, field="loudness")
        check_seconds("trim", self.start, strictly=False)
        check_seconds("trim", self.end, least=self.start)


@attrs.frozen(kw_only=True)
class AudioResult(MadeResult):
    """
    Sound; see `MadeResult` for the rest.

    Attributes:
        audio: The sound: its bytes, or the file in which it lies.
    """

    medium: ClassVar[str] = "audio"

    audio: Audio


class EnhancesAudio(Protocol):
    """What a provider has that makes sound better, beside or without the rest."""

    async def enhance(self, request: EnhancementRequest, /) -> AudioResult:
        """
        Return the sound, made better.

        Raises:
            InvalidRequestError: Something in *request* it never takes.
            VendorError: It refused or failed.
        """


AudioProvider: TypeAlias = (
    MakesJobs[AudioRequest, AudioResult] | MakesAtOnce[AudioRequest, AudioResult] | EnhancesAudio
)
