"""Speech: text in, a voice out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Final, Protocol, TypeAlias

import attrs

from ..errors import InvalidRequestError
from ..media import Audio
from ..usage import Record, Usage
from .requests import Request, VendorOption
from .sounds import SoundFormat
from .speech_spec import SpeechProviderSpec, VoiceSpec

__all__ = [
    "AudioChunk",
    "CloneRequest",
    "ClonedVoice",
    "LiveSpeech",
    "SpeaksLive",
    "SpeechEnd",
    "SpeechEvent",
    "SpeechOption",
    "SpeechProvider",
    "SpeechProviderSpec",
    "SpeechRequest",
    "SpeechResult",
    "StreamsSpeech",
    "SynthesizesSpeech",
    "VoiceSpec",
]

SLOWEST: Final = 0.25
FASTEST: Final = 4.0
"""Of what is usual. Vendors' own ranges are narrower; providers warn of what they cannot do."""


# -- what is asked for ------------------------------------------------------------


class SpeechOption(VendorOption):
    """Base of a plugin's own frozen options for speech; other providers ignore them."""


@attrs.frozen(kw_only=True)
class SpeechRequest(Request):
    """
    What a provider of speech is asked for; see `Request` for the rest.

    Attributes:
        text: What is to be said; empty for `SpeaksLive.live`, which is told it in pieces.
        voice: Who says it: the caller's choice, else the provider's default; None
            where neither is known.
        format: How the sound is to be packed: one of those that the spec offers, with
            its rate; None where the spec offers none and the caller named none.
        language: BCP 47 tag of the text's language.
        speed: How fast, 1 being as usual.
        instructions: How to say it, in words.
    """

    option_class: ClassVar[type[VendorOption]] = SpeechOption

    text: str = ""
    voice: VoiceSpec | None = None
    format: SoundFormat | None = None
    language: str | None = None
    speed: float | None = None
    instructions: str | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not isinstance(self.text, str):
            msg = f"text: words are needed, not {type(self.text).__name__}."
            raise InvalidRequestError(msg, field="text")
        for name in ("language", "instructions"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and value.strip()):
                msg = f"{name}: words are needed, not {value!r}."
                raise InvalidRequestError(msg, field=name)
        speed = self.speed
        if speed is not None and not (_is_number(speed) and SLOWEST <= speed <= FASTEST):
            msg = f"speed: a number from {SLOWEST} to {FASTEST} is needed, not {speed!r}."
            raise InvalidRequestError(msg, field="speed")

    def required_voice(self) -> VoiceSpec:
        """
        Return the voice.

        Raises:
            InvalidRequestError: There is none.
        """
        if self.voice is None:
            msg = f"voice: {self.model.id} needs one, and none was named."
            raise InvalidRequestError(msg, field="voice")
        return self.voice


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@attrs.frozen(kw_only=True)
class CloneRequest(Request):
    """
    What a provider is asked for that is to learn a voice; see `Request` for the rest.

    Attributes:
        name: What the voice will be called.
        samples: Somebody speaking; their bytes are at hand.
        consent: What the caller says of that person's consent; never empty.
        description: What the voice sounds like.
        language: BCP 47 tag of what is spoken in the samples.
    """

    option_class: ClassVar[type[VendorOption]] = SpeechOption

    name: str
    samples: tuple[Audio, ...]
    consent: str
    description: str | None = None
    language: str | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not (isinstance(self.name, str) and self.name.strip()):
            msg = "name: words are needed."
            raise InvalidRequestError(msg, field="name")
        if not self.samples or not all(isinstance(one, Audio) for one in self.samples):
            msg = "samples: at least one Audio is needed, and nothing else."
            raise InvalidRequestError(msg, field="samples")
        if any(one.data is None for one in self.samples):
            msg = "samples: their bytes are needed, not a URL."
            raise InvalidRequestError(msg, field="samples")


# -- what comes back --------------------------------------------------------------


@attrs.define
class AudioChunk:
    """A piece of sound, to be played after those before it."""

    data: bytes = attrs.field(repr=lambda data: f"{len(data)} bytes")


@attrs.define(kw_only=True)
class SpeechEnd:
    """
    The last event of a stream: all has been said.

    Attributes:
        usage: What the vendor counted.
        request_id: The vendor's id of the request.
        format: How the sound is packed, where that is not what was asked for.
        raw: The vendor's answer, where the request asked for it.
    """

    usage: Usage | None = None
    request_id: str | None = None
    format: SoundFormat | None = None
    raw: object = attrs.field(default=None, repr=False)


SpeechEvent: TypeAlias = AudioChunk | SpeechEnd


@attrs.frozen(kw_only=True)
class SpeechResult:
    """
    Speech.

    Attributes:
        audio: The sound, its bytes at hand.
        format: How it is packed, where that is known.
        seconds: How long it lasts, where its size says so; `audio.seconds` reads headers too.
        voice: Who says it. Set by the client.
        usage: What the vendor counted.
        request_id: The vendor's id of the request.
        raw: The vendor's answer, where the request asked for it.
        record: What is known about the call. Set by the client.
    """

    audio: Audio
    format: SoundFormat | None = None
    seconds: float | None = None
    voice: VoiceSpec | None = None
    usage: Usage | None = None
    request_id: str | None = None
    raw: object = attrs.field(default=None, repr=False)
    record: Record = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class ClonedVoice:
    """
    A voice that was learned.

    Attributes:
        voice: The voice; its id is a name for `voice=`.
        needs_verification: Whether the vendor wants proof before it may speak.
        consent: What the caller said of the person's consent. Set by the client.
        request_id: The vendor's id of the request.
        record: What is known about the call. Set by the client.
    """

    voice: VoiceSpec
    needs_verification: bool = False
    consent: str = ""
    request_id: str | None = None
    record: Record = attrs.field(default=None, eq=False, repr=False)


# -- what an author writes --------------------------------------------------------


class SynthesizesSpeech(Protocol):
    """A provider that returns speech whole. The core makes streams of it."""

    async def synthesize(self, request: SpeechRequest, /) -> SpeechResult:
        """
        Say `request.text`.

        Raises:
            InvalidRequestError: Something in *request* this vendor never takes.
            VendorError: It refused or failed.
        """


class StreamsSpeech(Protocol):
    """
    A provider that speaks while it thinks. The core makes the whole of it.

    Besides, it may have `voices()`, an async method that lists the account's voices
    as `VoiceSpec`s; `clone(request)`, which takes a `CloneRequest` and returns a
    `ClonedVoice`; and what `SpeaksLive` has.
    """

    def stream(
        self, request: SpeechRequest, /
    ) -> AbstractAsyncContextManager[AsyncIterator[SpeechEvent]]:
        """
        Say `request.text`, piece by piece: `AudioChunk`s, and one `SpeechEnd`.

        An async generator under `@anymodal.streaming` is one. A stream that ends
        without its `SpeechEnd` is taken for broken.
        """


class LiveSpeech(Protocol):
    """A voice that is told its text while it speaks."""

    async def send(self, text: str, /) -> None:
        """Have *text* said after what came before."""

    async def end(self) -> None:
        """Say that no more text will come."""

    def __aiter__(self) -> AsyncIterator[SpeechEvent]:
        """Iterate over the sound, to its `SpeechEnd`. Another task sends meanwhile."""


class SpeaksLive(Protocol):
    """What a provider has besides, whose vendor takes text in pieces."""

    def live(self, request: SpeechRequest, /) -> AbstractAsyncContextManager[LiveSpeech]:
        """Open a voice. It is entered, read and left in one task."""


SpeechProvider: TypeAlias = SynthesizesSpeech | StreamsSpeech


# -- the spec ---------------------------------------------------------------------
