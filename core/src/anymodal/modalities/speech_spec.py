"""How providers of speech are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

import attrs

from ..specs import ProviderSpec, words
from .sounds import SoundFormat

if TYPE_CHECKING:
    from .speech import SpeechProvider  # noqa: F401  # named in a string

__all__ = ["SpeechProviderSpec", "VoiceSpec"]


@attrs.frozen(kw_only=True)
class VoiceSpec:
    """
    A voice that a provider offers.

    Args:
        id: The vendor's own id.
        name: What people call it; the id where empty.
        languages: BCP 47 tags of the languages it is meant for; empty is unknown.
        gender: In the vendor's word; empty is unknown.
        description: What it sounds like, in the vendor's words.
        listed: Whether it stands in the plugin's table. A voice outside the
            table is sent as it is.
    """

    id: str = attrs.field(
        validator=(attrs.validators.instance_of(str), attrs.validators.min_len(1))
    )
    name: str = attrs.field(validator=attrs.validators.instance_of(str))
    languages: tuple[str, ...] = attrs.field(default=(), converter=words)
    gender: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    description: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    listed: bool = True

    @name.default
    def _its_id(self) -> str:
        return self.id


def _voices(found: Iterable[VoiceSpec]) -> tuple[VoiceSpec, ...]:
    given = tuple(found)
    for voice in given:
        if not isinstance(voice, VoiceSpec):
            msg = f"a list of VoiceSpec is needed, and {type(voice).__name__} is in it"
            raise TypeError(msg)
    return given


def _formats(found: Sequence[str | SoundFormat]) -> tuple[SoundFormat, ...]:
    names: Iterable[str] = found  # type: ignore[assignment]  # words() refuses a string alone
    if not isinstance(found, str):
        names = [str(one) for one in found]
    return tuple(SoundFormat.parse(one, field="formats") for one in words(names))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SpeechProviderSpec(ProviderSpec["SpeechProvider"]):
    """
    A provider of speech from text.

    Args:
        voices: The voices known, by which bare names are routed.
        default_voice: Id of the voice where the caller names none.
        formats: What the vendor packs sound in, as names such as `mp3_44100_128` and
            `pcm_24000`, the default first. The core puts headers before bare samples
            and takes them away. Empty where any name may be sent.
    """

    modality: ClassVar[str] = "speech"

    voices: tuple[VoiceSpec, ...] = attrs.field(
        default=(), converter=_voices, repr=lambda found: f"{len(found)} voices"
    )
    default_voice: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(str))
    )
    formats: tuple[SoundFormat, ...] = attrs.field(
        default=(), converter=_formats, repr=lambda found: f"{len(found)} formats"
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        ids = [voice.id for voice in self.voices]
        if len(set(ids)) != len(ids):
            msg = f"{self.id}: two voices share an id"
            raise ValueError(msg)
