"""The contract of providers of music and effects, and of better sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from ..client import Client
from ..formats import sniff
from ..media import Audio
from ..modalities.audio import AudioResult
from ..modalities.sounds import SoundFormat
from .asking import NOTHING, Way
from .clauses import clause
from .jobs import Jobs
from .made import Pair
from .opening import is_bare
from .provider import ProviderSuite
from .samples import sound
from .stage import Stage

__all__ = ["AudioSuite"]

FORMATS: Final = ("mp3", "wav", "opus", "flac", "pcm_16000")
NEAR: Final = 0.3
"""Seconds by which a sound may be longer or shorter: packed sound ends with a frame."""

ENHANCING: Final[Mapping[str, Pair]] = {
    "loudness": (-30.0, -16.0),
    "denoise": (True, False),
    "trim": ((0.0, 0.25), (0.0, 0.4)),
    "format": ("wav", "flac"),
}


class AudioSuite(Jobs, ProviderSuite):
    """The contract of a provider that makes sound of words, makes sound better, or both."""

    modality: ClassVar[str] = "audio"
    methods: ClassVar[Sequence[Sequence[str]]] = (("submit", "generate", "enhance"),)
    pairs: ClassVar[Mapping[str, Pair]] = {
        "format": ("mp3", "wav"),
        "loop": (True, False),
        "instrumental": (True, False),
        "seed": (70177, 70178),
        "end_user": ("reader-7077", "reader-7078"),
    }
    seconds: ClassVar[float | None] = 4.0
    """How long a sound of the plain call is; the vendor's choice where None."""

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> AudioResult:
        """Return sound of words, or better sound where words are not taken."""
        if not self.only_enhances:
            asked = self.plain(name, question)
            return await ai.audio.generate(**{**asked, "timeout": timeout, **more})
        given = sound(0.5 + sum(question.encode()) % 64 / 100)  # of another length for each
        return await ai.audio.enhance(given, model=name, timeout=timeout, **more)

    @property
    def only_enhances(self) -> bool:
        """Whether the model makes nothing of words."""
        return self.can("text_to_audio") is False and self.can("enhancement") is True

    def plain(self, name: str, question: str) -> dict[str, Any]:
        """Return the arguments of the plain call."""
        return {"prompt": question, "model": name, "seconds": self.seconds}

    def media(self, result: AudioResult) -> Audio:
        """Return the sound."""
        return result.audio

    def settings_tried(self) -> Mapping[str, Pair]:
        """Return the settings of what the plain call does."""
        return ENHANCING if self.only_enhances else self.pairs

    def refusable(self) -> Mapping[str, Way]:
        """Return ways to ask that need a capability, by its name."""
        return {"enhancement": self.ask_enhancing, "text_to_audio": self.ask_making}

    async def ask_enhancing(self, ai: Client, name: str, question: str) -> AudioResult:
        """Return better sound."""
        del question
        return await ai.audio.enhance(sound(), denoise=True, model=name)

    async def ask_making(self, ai: Client, name: str, question: str) -> AudioResult:
        """Return sound of words."""
        return await ai.audio.generate(question, model=name)

    @clause("audio.has-its-length", "honest")
    async def test_sounds_have_their_length(self, stage: Stage, ai: Client) -> None:
        """A sound is as long as asked for, or there is a warning; its length is what is paid for."""
        name, wrong = stage.able("text_to_audio"), []
        for seconds in (3.0, 5.0):
            result = await ai.audio.generate(self.questions[0], model=name, seconds=seconds)
            found = Audio(result.audio.read_bytes()).seconds or 0.0
            if abs(found - seconds) > NEAR and "seconds" not in self.warned(result):
                wrong.append(f"{seconds:g} s became {found:g}")
        assert not wrong, f"{stage.id}: {'; '.join(wrong)}, without a warning."

    @clause("audio.has-its-format", "honest")
    async def test_sounds_are_packed_as_asked_for(self, stage: Stage, ai: Client) -> None:
        """A sound is packed as asked for, or there is a warning: a file is named by it."""
        wrong = []
        for said in FORMATS:
            result = await self.made(ai, stage, format=said)
            if "format" in self.warned(result):
                continue
            wanted = SoundFormat.parse(said)
            data = result.audio.read_bytes()
            found = sniff(data) or (
                result.audio.media_type if is_bare(result.audio) else "nothing that is known"
            )
            if found.partition(";")[0] != wanted.media_type.partition(";")[0]:
                wrong.append(f"{said} became {found}")
        assert not wrong, f"{stage.id}: {'; '.join(wrong)}, without a warning."

    @clause("audio.enhance.sends-its-sound", "complete")
    async def test_what_is_made_better_arrives(self, stage: Stage, ai: Client) -> None:
        """What is to be made better reaches the vendor, and comes back as long as it was."""
        given = sound(1.0)
        name = stage.able("enhancement")
        result = await ai.audio.enhance(given, denoise=True, format="wav", model=name)
        found = Audio(result.audio.read_bytes()).seconds or 0.0
        assert abs(found - 1) <= NEAR, f"{stage.id} made {found:g} s of a sound of one."
        if stage.vendor:
            assert stage.sent(given.read_bytes()), f"{stage.id} did not send the sound."
