"""Speech: speech from text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import attrs

from ..specs import ProviderSpec, words

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
        listed: Whether it stands in the plugin's table. A voice outside the
            table is sent as it is.
    """

    id: str = attrs.field(
        validator=(attrs.validators.instance_of(str), attrs.validators.min_len(1))
    )
    name: str = attrs.field(validator=attrs.validators.instance_of(str))
    languages: tuple[str, ...] = attrs.field(default=(), converter=words)
    gender: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
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


@attrs.frozen(kw_only=True)
class SpeechProviderSpec(ProviderSpec[object]):
    """
    A provider of speech from text. Its contract comes with its first provider.

    Args:
        voices: The voices known, by which bare names are routed.
    """

    modality: ClassVar[str] = "speech"

    voices: tuple[VoiceSpec, ...] = attrs.field(
        default=(), converter=_voices, repr=lambda found: f"{len(found)} voices"
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        ids = [voice.id for voice in self.voices]
        if len(set(ids)) != len(ids):
            msg = f"{self.id}: two voices share an id"
            raise ValueError(msg)
