"""Transcription: `client.transcription`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from ..call import Call, ModelChoice
from ..facade import Facade
from ..modalities import TRANSCRIPTION, Modality
from ..modalities.live import AudioFormatLike
from ..modalities.transcription import (
    TranscriptionOption,
    TranscriptionProvider,
    TranscriptionRequest,
    TranscriptionResult,
)
from ..policies import Policy
from ..specs import Deadlines
from .asking_transcription import AskedTranscription, SoundLike, needs_of, weight_of
from .hearing import LiveTranscription
from .listening import BoundTranscription, bind

if TYPE_CHECKING:
    from ..doors import Door
    from ..loops import KeptLoop
    from ..sync.transcription import SyncTranscriptionFacade

__all__ = ["TranscriptionFacade"]


class TranscriptionFacade(Facade[BoundTranscription]):
    """Text from speech: of files, and while somebody speaks."""

    modality: ClassVar[Modality[Any]] = TRANSCRIPTION

    async def transcribe(
        self,
        audio: SoundLike,
        *,
        model: ModelChoice = None,
        language: str | None = None,
        diarize: bool = False,
        words: bool = False,
        prompt: str | None = None,
        keywords: Sequence[str] = (),
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[TranscriptionOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> TranscriptionResult:
        """
        Transcribe a file.

        A provider that only listens live has a WAV file read out to it.

        Args:
            audio: An `Audio`, or the path of a file.
            model: A name, several in order of preference, or None for the
                default of the settings.
            language: BCP 47 tag of what is spoken; None leaves it to the vendor.
            diarize: Whether speakers are to be told apart: `words` and `segments`
                then have them.
            words: Whether each word is to have its times.
            prompt: What the sound is about, for vendors that listen better so.
            keywords: Words that are likely to come up, such as names.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            What was said, with `text`, `words`, `segments`, `language`, `duration`
            and `record`. The text is empty where nobody spoke.

        Raises:
            RequestError: Nothing was sent.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        call = self.call("transcribe", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedTranscription(
            audio=audio, model=model, language=language, diarize=diarize, words=words,
            prompt=prompt, keywords=keywords, options=options, end_user=end_user, strict=strict,
            raw=raw,
        )  # fmt: skip
        return await call.through(_ask)

    def live(
        self,
        *,
        format: AudioFormatLike | None = None,  # noqa: A002  # the word for it
        model: ModelChoice = None,
        language: str | None = None,
        diarize: bool = False,
        words: bool = False,
        prompt: str | None = None,
        keywords: Sequence[str] = (),
        partials: bool = True,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[TranscriptionOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> LiveTranscription:
        """
        Transcribe while somebody speaks: `async with ai.transcription.live(…) as session`.

        `send` takes sound, iterating gives what is heard, and `finish` says that no
        more sound will come. Of those who serve the model, it goes to one that is
        known to listen live. The other arguments are those of `transcribe`.

        Args:
            format: How the sound is packed: an `AudioFormat`, or a name such as
                `pcm_s16le_16000`, which is what None means.
            model: As in `transcribe`.
            language: As in `transcribe`.
            diarize: As in `transcribe`.
            words: As in `transcribe`.
            prompt: As in `transcribe`.
            keywords: As in `transcribe`.
            partials: Whether what is not final yet is wanted too, as `Partial`.
            timeout: Seconds for all of it; None bounds only the waiting: for the
                connection, for the vendor to take what is sent, and for the end.
            policy: As in `transcribe`.
            options: As in `transcribe`.
            tags: As in `transcribe`.
            end_user: As in `transcribe`.
            strict: As in `transcribe`.
            raw: As in `transcribe`.

        Returns:
            A session to be entered, which raises as `transcribe` does.
        """
        call = self.call("live", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedTranscription(
            format=format, model=model, language=language, diarize=diarize, words=words,
            prompt=prompt, keywords=keywords, partials=partials, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return LiveTranscription(call, is_bounded=timeout is not None)

    def sync_face(self, loop: KeptLoop) -> SyncTranscriptionFacade:
        """Return the same without `await`."""
        from ..sync.transcription import SyncTranscriptionFacade  # noqa: PLC0415  # few programs need both

        return SyncTranscriptionFacade(self, loop)

    def bind(self, provider: TranscriptionProvider) -> BoundTranscription:
        """Return *provider* with its ways to transcribe."""
        return bind(provider)


async def _ask(call: Call) -> TranscriptionResult:
    asked: AskedTranscription = call.asked
    found = await call.run(
        asked.model,
        partial(asked.request, call),
        _transcribe,
        bind=bind,
        needs_of=needs_of,
        weigh=weight_of,
    )
    call.account(found.usage, found.request_id)
    call.record.raw = found.raw
    await call.settle()
    return attrs.evolve(found, record=call.record)


async def _transcribe(door: Door, request: TranscriptionRequest) -> TranscriptionResult:
    bound: BoundTranscription = door.bound
    return await bound.transcribe(request)
