# [text image video audio speech transcription realtime embedding]
"""Night Heron's models: what is known of them, from where, and as of when."""

from __future__ import annotations

import datetime as dt

import anymodal
from anymodal.modalities.embedding_spec import EmbeddingModelSpec  # [embedding]
from anymodal.modalities.speech_spec import VoiceSpec  # [speech]

DOCS = "https://docs.night-heron.example/models"
READ_ON = dt.date(2026, 11, 20)

# [text]
TEXT = (
    anymodal.ModelSpec(
        id="quill-2",
        context_tokens=64_000,
        prices=anymodal.Prices(
            [anymodal.Price("input_token", "0.50"), anymodal.Price("output_token", "2")],
            DOCS,
            READ_ON,
        ),
        source=DOCS,
    ),
    anymodal.ModelSpec(
        id="quill-1",
        lifecycle=anymodal.Lifecycle(state="retired", replacement="quill-2"),
        source=DOCS,
    ),
)
# [/text]
# [image]
IMAGE = (
    anymodal.ModelSpec(
        id="etch-1",
        prices=anymodal.Prices([anymodal.Price("image", "0.04")], DOCS, READ_ON),
        source=DOCS,
    ),
)
# [/image]
# [video]
VIDEO = (
    anymodal.ModelSpec(
        id="reel-1",
        prices=anymodal.Prices([anymodal.Price("second", "0.10")], DOCS, READ_ON),
        source=DOCS,
    ),
)
# [/video]
# [audio]
AUDIO = (
    anymodal.ModelSpec(
        id="reed-1",
        prices=anymodal.Prices([anymodal.Price("second", "0.002")], DOCS, READ_ON),
        source=DOCS,
    ),
)
# [/audio]
# [speech]
SPEECH = (
    anymodal.ModelSpec(
        id="lark-1",
        prices=anymodal.Prices([anymodal.Price("character", "15")], DOCS, READ_ON),
        source=DOCS,
    ),
)
VOICES = (
    VoiceSpec(id="ada", name="Ada", languages=["en"]),
    VoiceSpec(id="bert", name="Bert", languages=["en"]),
)
# [/speech]
# [transcription]
TRANSCRIPTION = (
    anymodal.ModelSpec(
        id="owl-1",
        prices=anymodal.Prices([anymodal.Price("second", "0.0001")], DOCS, READ_ON),
        source=DOCS,
    ),
)
# [/transcription]
# [realtime]
REALTIME = (
    anymodal.ModelSpec(
        id="parley-1",
        prices=anymodal.Prices(
            [anymodal.Price("input_token", "4"), anymodal.Price("output_token", "16")],
            DOCS,
            READ_ON,
        ),
        source=DOCS,
    ),
)
# [/realtime]
# [embedding]
EMBEDDING = (
    EmbeddingModelSpec(
        id="compass-1",
        dimensions=256,
        most_dimensions=1024,
        prices=anymodal.Prices([anymodal.Price("input_token", "0.02")], DOCS, READ_ON),
        source=DOCS,
    ),
)
# [/embedding]
# [/text image video audio speech transcription realtime embedding]
