"""Night Heron for anymodal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec
    from anymodal.modalities.audio_spec import AudioProviderSpec  # [audio]
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec  # [embedding]
    from anymodal.modalities.image_spec import ImageProviderSpec  # [image]
    from anymodal.modalities.realtime_spec import RealtimeProviderSpec  # [realtime]
    from anymodal.modalities.retrieval_spec import RetrievalProviderSpec  # [retrieval]
    from anymodal.modalities.speech_spec import SpeechProviderSpec  # [speech]
    from anymodal.modalities.text_spec import TextProviderSpec  # [text]
    from anymodal.modalities.transcription_spec import TranscriptionProviderSpec  # [transcription]
    from anymodal.modalities.video_spec import VideoProviderSpec  # [video]

    from .audio import NightHeronSounds  # [audio]
    from .embedding import NightHeronVectors  # [embedding]
    from .image import NightHeronPictures  # [image]
    from .realtime import NightHeronTalks  # [realtime]
    from .retrieval import NightHeronStore  # [retrieval]
    from .speech import NightHeronVoices  # [speech]
    from .text import NightHeronText  # [text]
    from .transcription import NightHeronEars  # [transcription]
    from .video import NightHeronClips  # [video]


# [text]
@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer models that write."""
    from anymodal import Capabilities
    from anymodal.modalities.text_spec import TextProviderSpec

    from .answers import refined
    from .models import TEXT
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield TextProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(
            yes={"streaming"},
            no={"function_calling", "structured_output", "image_input", "file_input", "batch"},
        ),
        models=TEXT,
        default_model=TEXT[0].id,
        connect=connect_text,
        errors=refined,
    )


def connect_text(connection: Connection) -> NightHeronText:
    """Return the provider for an instance."""
    from .text import NightHeronText

    return NightHeronText(connection)


# [/text]
# [image]
@hookimpl
def anymodal_image_providers() -> Iterator[ImageProviderSpec]:
    """Offer models that draw."""
    from anymodal import Capabilities
    from anymodal.modalities.image_spec import ImageProviderSpec

    from .answers import refined
    from .models import IMAGE
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield ImageProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(yes={"image_edit"}),
        models=IMAGE,
        default_model=IMAGE[0].id,
        sizes={"pixels"},
        connect=connect_image,
        errors=refined,
    )


def connect_image(connection: Connection) -> NightHeronPictures:
    """Return the provider for an instance."""
    from .image import NightHeronPictures

    return NightHeronPictures(connection)


# [/image]
# [video]
@hookimpl
def anymodal_video_providers() -> Iterator[VideoProviderSpec]:
    """Offer models that film."""
    from anymodal import Capabilities
    from anymodal.modalities.video_spec import VideoProviderSpec

    from .answers import refined
    from .models import VIDEO
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield VideoProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(
            yes={"text_to_video", "image_to_video", "progress", "cancel"}, no={"composition"}
        ),
        models=VIDEO,
        default_model=VIDEO[0].id,
        connect=connect_video,
        errors=refined,
    )


def connect_video(connection: Connection) -> NightHeronClips:
    """Return the provider for an instance."""
    from .video import NightHeronClips

    return NightHeronClips(connection)


# [/video]
# [audio]
@hookimpl
def anymodal_audio_providers() -> Iterator[AudioProviderSpec]:
    """Offer models that make music and effects."""
    from anymodal import Capabilities
    from anymodal.modalities.audio_spec import AudioProviderSpec

    from .answers import refined
    from .models import AUDIO
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield AudioProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(yes={"text_to_audio"}, no={"enhancement", "cancel"}),
        models=AUDIO,
        default_model=AUDIO[0].id,
        connect=connect_audio,
        errors=refined,
    )


def connect_audio(connection: Connection) -> NightHeronSounds:
    """Return the provider for an instance."""
    from .audio import NightHeronSounds

    return NightHeronSounds(connection)


# [/audio]
# [speech]
@hookimpl
def anymodal_speech_providers() -> Iterator[SpeechProviderSpec]:
    """Offer models that speak."""
    from anymodal import Capabilities
    from anymodal.modalities.speech_spec import SpeechProviderSpec

    from .answers import refined
    from .models import SPEECH, VOICES
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield SpeechProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(yes={"streaming"}, no={"live", "voice_cloning"}),
        models=SPEECH,
        default_model=SPEECH[0].id,
        voices=VOICES,
        default_voice=VOICES[0].id,
        formats=["pcm_24000"],
        connect=connect_speech,
        errors=refined,
    )


def connect_speech(connection: Connection) -> NightHeronVoices:
    """Return the provider for an instance."""
    from .speech import NightHeronVoices

    return NightHeronVoices(connection)


# [/speech]
# [transcription]
@hookimpl
def anymodal_transcription_providers() -> Iterator[TranscriptionProviderSpec]:
    """Offer models that listen."""
    from anymodal import Capabilities
    from anymodal.modalities.transcription_spec import TranscriptionProviderSpec

    from .answers import refined
    from .models import TRANSCRIPTION
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield TranscriptionProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(yes={"live", "word_timestamps"}, no={"diarization"}),
        models=TRANSCRIPTION,
        default_model=TRANSCRIPTION[0].id,
        encodings=["pcm_s16le"],
        connect=connect_transcription,
        errors=refined,
    )


def connect_transcription(connection: Connection) -> NightHeronEars:
    """Return the provider for an instance."""
    from .transcription import NightHeronEars

    return NightHeronEars(connection)


# [/transcription]
# [realtime]
@hookimpl
def anymodal_realtime_providers() -> Iterator[RealtimeProviderSpec]:
    """Offer models that talk."""
    from anymodal import Capabilities
    from anymodal.modalities.realtime_spec import RealtimeProviderSpec

    from .answers import refined
    from .models import REALTIME
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield RealtimeProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(yes={"live", "audio_input", "audio_output", "function_calling"}),
        models=REALTIME,
        default_model=REALTIME[0].id,
        input_formats=["pcm_s16le_24000"],
        output_formats=["pcm_s16le_24000"],
        voices=["ada", "bert"],
        connect=connect_realtime,
        errors=refined,
    )


def connect_realtime(connection: Connection) -> NightHeronTalks:
    """Return the provider for an instance."""
    from .realtime import NightHeronTalks

    return NightHeronTalks(connection)


# [/realtime]
# [embedding]
@hookimpl
def anymodal_embedding_providers() -> Iterator[EmbeddingProviderSpec]:
    """Offer models that make vectors."""
    from anymodal import Capabilities
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec

    from .answers import refined
    from .models import EMBEDDING
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield EmbeddingProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(yes={"dense", "dimensions"}, no={"sparse"}),
        models=EMBEDDING,
        default_model=EMBEDDING[0].id,
        max_inputs=64,
        normalised=True,
        connect=connect_embedding,
        errors=refined,
    )


def connect_embedding(connection: Connection) -> NightHeronVectors:
    """Return the provider for an instance."""
    from .embedding import NightHeronVectors

    return NightHeronVectors(connection)


# [/embedding]
# [retrieval]
@hookimpl
def anymodal_retrieval_providers() -> Iterator[RetrievalProviderSpec]:
    """Offer a store."""
    from anymodal import Capabilities
    from anymodal.modalities.retrieval_spec import RetrievalProviderSpec

    from .answers import refined
    from .vendor import BASE_URL, CREDENTIALS, DOCS

    yield RetrievalProviderSpec(
        id="night-heron",
        display_name="Night Heron",
        docs=DOCS,
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        capabilities=Capabilities(yes={"dense"}, no={"sparse", "hybrid"}),
        max_documents=100,
        connect=connect_retrieval,
        errors=refined,
    )


def connect_retrieval(connection: Connection) -> NightHeronStore:
    """Return the provider for an instance."""
    from .retrieval import NightHeronStore

    return NightHeronStore(connection)


# [/retrieval]
@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for Night Heron."""
    from anymodal import EmulatorSpec

    yield EmulatorSpec(
        provider="night-heron",
        app="anymodal_night_heron.emulator:app",
        key="night-heron-emulated",
        base_path="/v1",
    )
