"""
What kind of work a model does, by what its vendor says and else by its name.

Vendors' lists have models of all kinds, and most say little more than ids. What
they do say decides. Else the first of `RULES` does that has a word of the id;
where none has, the kind is unknown and stays so. The words are those that
families of models go by, whoever serves them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import attrs

from ..specs import Capabilities, ModelSpec

__all__ = ["KINDS", "RULES", "TRAITS", "Category", "LiveModel", "Rule", "Trait", "category"]


@attrs.frozen(kw_only=True)
class LiveModel(ModelSpec):
    """
    A model as its vendor's own list has it.

    Args:
        modality: The kind of work it does; `None` is unknown, or none of ours.
    """

    modality: str | None
    listed: bool = False


@attrs.frozen
class Category:
    """What is known of a model's work: the kind, or None for unknown, and abilities."""

    modality: str | None
    capabilities: Capabilities = Capabilities()


def _split(found: str) -> tuple[str, ...]:
    return tuple(found.split())


@attrs.frozen
class Rule:
    """
    Ids with one of *words* do this kind of work; None for none of ours.

    A word counts where one of the id begins with it; one of up to three letters
    has to be the whole of it, digits aside.
    """

    modality: str | None
    words: tuple[str, ...] = attrs.field(converter=_split)


@attrs.frozen
class Trait:
    """Ids of models of *modality* with one of *words* have *capability*."""

    modality: str
    capability: str
    words: tuple[str, ...] = attrs.field(converter=_split)


KINDS: Final[Mapping[str, str | None]] = {
    word: kind
    for kind, words in (
        ("text", "chat code completion language llm text text-generation text-to-text"),
        ("image", "image image-to-image text-to-image"),
        ("video", "image-to-video text-to-video video video-to-video"),
        ("audio", "audio audio-to-audio music text-to-audio text-to-music"),
        ("speech", "speech text-to-speech tts"),
        ("transcription", "asr audio-to-text automatic-speech-recognition speech-to-text stt transcribe transcription"),
        ("realtime", "realtime"),
        ("embedding", "embedding embeddings feature-extraction"),
        (None, "moderation rerank"),
    )
    for word in words.split()
}  # fmt: skip
"""What vendors call kinds of models, and what a model gives."""

RULES: Final = (
    Rule(None, "moderation ocr rerank reward"),
    Rule("transcription", "asr parakeet scribe speech-to-text stt transcri whisper"),
    Rule("speech", "orpheus speech text-to-speech tts voice"),
    Rule("realtime", "realtime"),
    Rule("embedding", "bge e5 embed gte"),
    Rule("video", "animat hailuo hunyuanvideo i2v kling ltx pika seedance sora t2v veo video wan"),
    Rule(
        "image",
        "dall-e diffusion dreamshaper flux ideogram image imagine kandinsky nano-banana recraft "
        "sd3 sdxl seedream stable-diffusion",
    ),
    Rule("text", "gpt"),
    Rule("audio", "audio lyria music sonic sound"),
    Rule(
        "text",
        "chat claude codellama coder codestral command deepseek devstral gemini gemma glm granite "
        "grok hermes instruct kimi llama llm magistral minimax ministral mistral mixtral nemotron "
        "o1 o3 o4 olmo phi pixtral qwen qwq sonar text-generation voxtral",
    ),
)

TRAITS: Final = (
    Trait("text", "image_input", "vision vl"),
    Trait("text", "audio_input", "audio"),
    Trait("text", "reasoning", "reasoner reasoning thinking"),
    Trait("image", "image_edit", "edit inpaint kontext"),
    Trait("video", "image_to_video", "animat i2v image-to-video"),
)

_INPUTS: Final = {
    "audio": "audio_input",
    "file": "file_input",
    "image": "image_input",
    "video": "video_input",
}


def category(
    name: str, *, kind: str = "", inputs: Iterable[str] = (), outputs: Iterable[str] = ()
) -> Category:
    """
    Return what kind of work the model called *name* does, and what it can.

    Args:
        name: The vendor's id.
        kind: What the vendor calls its kind, such as `chat`; see `KINDS`.
        inputs: What the vendor says it takes, such as `image`: all of it, so that
            the others are known to be missing.
        outputs: What the vendor says it gives, likewise; pictures and videos
            count for more than words, and words for more than sound.
    """
    modality = _modality(name.lower(), kind.lower(), {one.lower() for one in outputs})
    traits = [one for one in TRAITS if one.modality == modality]
    yes = {one.capability for one in traits if _in(name, one.words)}
    taken = {one.lower() for one in inputs}
    if modality != "text" or not taken:
        return Category(modality, Capabilities(yes))
    takes = {capability for word, capability in _INPUTS.items() if word in taken}
    lacks = set(_INPUTS.values()) - takes
    return Category(modality, Capabilities(yes - lacks | takes, lacks))


def _modality(name: str, kind: str, outputs: set[str]) -> str | None:
    if kind in KINDS:
        return KINDS[kind]
    gives = {KINDS[word] for word in outputs if word in KINDS}
    if gives:
        order = ("image", "video", "text")
        return next((one for one in order if one in gives), min(gives, key=str))
    return next((rule.modality for rule in RULES if _in(name, rule.words)), None)


def _in(name: str, words: tuple[str, ...]) -> bool:
    return _pattern(words).search(name.lower()) is not None


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    endings = (re.escape(word) + ("(?![a-z])" if len(word) <= 3 else "") for word in words)
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(endings)})")
