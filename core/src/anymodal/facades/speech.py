"""Speech: `client.speech`."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..facade import Facade
from ..media import Audio
from ..modalities import SPEECH, Modality
from ..modalities.sounds import SoundFormatLike
from ..modalities.speech import (
    ClonedVoice,
    CloneRequest,
    SpeechOption,
    SpeechProvider,
    SpeechProviderSpec,
    SpeechRequest,
    SpeechResult,
    VoiceSpec,
)
from ..policies import Policy
from ..specs import Deadlines
from .asking_speech import AskedSpeech, VoiceChoice, account, needs_of, options_of, weight_of
from .speaking import BoundSpeech, Packing, audio_of, bind
from .speech_stream import SpeechStream

if TYPE_CHECKING:
    from ..doors import Door
    from ..loops import KeptLoop
    from ..resolution import Row
    from ..sync.speech import SyncSpeechFacade

__all__ = ["AskedClone", "AskedSpeech", "BoundSpeech", "SpeechFacade", "SpeechStream"]


@attrs.frozen(kw_only=True)
class AskedClone:
    """
    What a caller asks to be learned, as it was given.

    The attributes are the arguments of `SpeechFacade.clone`.
    """

    name: str
    samples: tuple[Audio, ...]
    consent: str
    model: ModelChoice = None
    description: str | None = None
    language: str | None = None
    options: Sequence[SpeechOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> CloneRequest:
        """Return the request for the candidate *row*."""
        return CloneRequest(
            model=row.model,
            name=self.name,
            samples=self.samples,
            consent=self.consent,
            description=self.description,
            language=self.language,
            options=options_of(self.options, row.offer),
            end_user=self.end_user,
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
        )


class SpeechFacade(Facade[BoundSpeech]):
    """Text in, a voice out."""

    modality: ClassVar[Modality[Any]] = SPEECH

    async def synthesize(
        self,
        text: str,
        *,
        voice: VoiceChoice = None,
        model: ModelChoice = None,
        format: SoundFormatLike | None = None,  # noqa: A002  # the word for it
        language: str | None = None,
        speed: float | None = None,
        instructions: str | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[SpeechOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> SpeechResult:
        """
        Say a text, and return the sound whole.

        Args:
            text: What is to be said.
            voice: A voice: `provider/voice`, or its name alone where one provider has it;
                several in order of preference; or None for the provider's usual one.
            model: A name, several in order of preference, or None for that which
                usually speaks with the voice. Several voices and as many models are
                taken in pairs.
            format: How the sound is packed: `mp3`, `wav`, `opus`, `pcm` and others, alone
                or with a rate, such as `pcm_16000`; None for the provider's usual one.
            language: BCP 47 tag of the text's language, such as `pt-BR`.
            speed: How fast, 1 being as usual.
            instructions: How to say it, in words.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            The sound, with `audio`, `format`, `seconds`, `voice` and `record`.

        Raises:
            RequestError: Nothing was sent.
            UnsupportedFeatureError: The provider does not pack sound so.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        call = self.call("synthesize", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedSpeech(
            text=text, voice=voice, model=model, format=format, language=language, speed=speed,
            instructions=instructions, options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        if not isinstance(text, str):
            msg = "text: a string is needed here; stream() takes it in pieces."
            raise e.InvalidRequestError(msg, field="text")
        return await call.through(_ask)

    def stream(
        self,
        text: str | AsyncIterable[str],
        *,
        voice: VoiceChoice = None,
        model: ModelChoice = None,
        format: SoundFormatLike | None = None,  # noqa: A002  # the word for it
        language: str | None = None,
        speed: float | None = None,
        instructions: str | None = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[SpeechOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> SpeechStream:
        """
        Say a text, piece by piece: `async with ai.speech.stream(…) as stream`.

        The arguments are those of `synthesize`. *text* may be an async iterable of
        strings too, such as `stream.text` of `client.text`: what it gives is said
        while it goes on, as it comes where the vendor takes it so, else sentence by
        sentence. The sound is bytes of one file or of bare samples, wherever they
        are cut.

        Returns:
            A stream; entering it sends the request and waits for the first sound.
        """
        call = self.call("stream", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedSpeech(
            text=text, voice=voice, model=model, format=format, language=language, speed=speed,
            instructions=instructions, options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return SpeechStream(call)

    async def voices(
        self,
        provider: str | None = None,
        *,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> tuple[VoiceSpec, ...]:
        """
        Return the voices of a provider: those that its vendor lists now, and its plugin's.

        Args:
            provider: A provider or instance; None for the default one.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, over the client's.
            tags: The caller's own words, for the record.

        Raises:
            UnknownProviderError: *provider* is none that speaks.
            VendorError: The vendor refused or failed.
        """
        call = self.call("voices", timeout=timeout, policy=policy, tags=tags)
        name = provider if provider is None or "/" in provider else f"{provider}/any"

        async def asked(call: Call) -> tuple[VoiceSpec, ...]:
            found = await call.run(name, _offer_of, _listed, bind=bind, needs_of=_nothing)
            call.account(None, None)
            return found

        return await call.through(asked)

    async def clone(
        self,
        name: str,
        samples: Audio | Sequence[Audio],
        *,
        consent: str | bool,
        model: ModelChoice = None,
        description: str | None = None,
        language: str | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[SpeechOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> ClonedVoice:
        """
        Have a provider learn somebody's voice.

        A voice is a person's. With *consent* the caller states that the person who
        speaks in *samples* knows of this and has agreed to it, or that the caller is
        that person. Nobody here checks it: it is kept in the record, as its tag
        `consent`, and told to observers; answering for it is the caller's.

        Args:
            name: What the voice will be called.
            samples: Somebody speaking, as bytes.
            consent: True, or a sentence that says who agreed, to what, and when.
            model: Whose: a provider or an instance; None for the default one.
            description: What the voice sounds like.
            language: BCP 47 tag of what is spoken in *samples*.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Raises:
            InvalidRequestError: There is no consent, or something is wrong with the
                samples; nothing was sent.
            UnsupportedFeatureError: The provider learns no voices; nothing was sent.
            OutcomeUnknownError: The voice may have been made.
            VendorError: The vendor refused or failed.
        """
        said = _consent(consent)
        call = self.call(
            "clone", timeout=timeout, policy=policy, tags={**(tags or {}), "consent": said}
        )
        call.asked = AskedClone(
            name=name, samples=(samples,) if isinstance(samples, Audio) else tuple(samples),
            consent=said, model=model, description=description, language=language,
            options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(_clone)

    def sync_face(self, loop: KeptLoop) -> SyncSpeechFacade:
        """Return the same without `await`."""
        from ..sync.speech import SyncSpeechFacade  # noqa: PLC0415  # few programs need both

        return SyncSpeechFacade(self, loop)

    def bind(self, provider: SpeechProvider) -> BoundSpeech:
        """Return *provider* with the way to speak that it lacks derived from the other."""
        return bind(provider)


def _consent(found: str | bool) -> str:  # noqa: FBT001  # what the caller gave
    if found is True:
        return "stated"
    if isinstance(found, str) and found.strip():
        return found
    msg = (
        "consent: a voice is learned only where the person whose it is has agreed. Pass "
        "consent=True, or a sentence that says so, to state that they have."
    )
    raise e.InvalidRequestError(msg, field="consent")


async def _ask(call: Call) -> SpeechResult:
    asked: AskedSpeech = call.asked
    found = await call.run(
        asked.sought,
        partial(asked.request, call),
        _speak,
        bind=bind,
        needs_of=needs_of,
        weigh=weight_of,
    )
    account(call, found)
    await call.settle()
    request: SpeechRequest = call.request
    return attrs.evolve(_packed(found, request, asked), voice=request.voice, record=call.record)


async def _speak(door: Door, request: SpeechRequest) -> SpeechResult:
    bound: BoundSpeech = door.bound
    found = await bound.synthesize(request)
    if found.audio.data is None:
        audio_of(b"", None)
    return found


def _packed(found: SpeechResult, request: SpeechRequest, asked: AskedSpeech) -> SpeechResult:
    given, data = found.format or request.format, found.audio.data or b""
    packing = Packing(given, asked.packing(given))
    data = packing.whole(packing.feed(data))
    now = packing.format
    audio = found.audio if data is found.audio.data else audio_of(data, now)
    return attrs.evolve(
        found, audio=audio, format=now, seconds=found.seconds or packing.seconds(data)
    )


def _offer_of(row: Row) -> Row:
    return row


def _nothing(_: object) -> list[str]:
    return []


async def _listed(door: Door, row: Row) -> tuple[VoiceSpec, ...]:
    bound: BoundSpeech = door.bound
    spec = row.offer.spec
    table = spec.voices if isinstance(spec, SpeechProviderSpec) else ()
    live = () if bound.voices is None else await bound.voices()
    known = {voice.id: voice for voice in table}
    for voice in live:
        known[voice.id] = _merged(voice, known.get(voice.id))
    return tuple(known.values())


def _merged(live: VoiceSpec, table: VoiceSpec | None) -> VoiceSpec:
    """Return what the vendor says of a voice now, and the table where it says nothing."""
    if table is None:
        return attrs.evolve(live, listed=False)
    return attrs.evolve(
        live,
        languages=live.languages or table.languages,
        gender=live.gender or table.gender,
        description=live.description or table.description,
        listed=True,
    )


async def _clone(call: Call) -> ClonedVoice:
    asked: AskedClone = call.asked
    found = await call.run(
        asked.model,
        partial(asked.request, call),
        _learn,
        bind=bind,
        needs_of=lambda _: ["voice_cloning"],
        is_repeatable=False,
    )
    call.account(None, found.request_id)
    return attrs.evolve(found, consent=asked.consent, record=call.record)


async def _learn(door: Door, request: CloneRequest) -> ClonedVoice:
    bound: BoundSpeech = door.bound
    if bound.clone is None:
        msg = f"{door.offer.instance} learns no voices; nothing was sent."
        raise e.UnsupportedFeatureError(msg)
    return await bound.clone(request)
