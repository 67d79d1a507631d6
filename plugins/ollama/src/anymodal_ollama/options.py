"""What only Ollama can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import attrs
from anymodal.modalities.embedding import EmbeddingOption
from anymodal.modalities.text import TextOption

__all__ = ["OllamaEmbedding", "OllamaText"]

_MODEL_OPTIONS: Final = (
    "num_ctx",
    "num_gpu",
    "num_thread",
    "num_keep",
    "top_k",
    "min_p",
    "repeat_penalty",
    "repeat_last_n",
    "presence_penalty",
    "frequency_penalty",
)


@attrs.frozen(kw_only=True)
class OllamaText(TextOption):
    """
    Options for text from Ollama. `None` means the server's or the model's default.

    Source: https://docs.ollama.com/api/chat and https://docs.ollama.com/modelfile,
    read 2026-11-20.

    Args:
        num_ctx: Tokens of context to make room for. A longer conversation loses
            its beginning, without a word from the server.
        num_gpu: Layers to put on the graphics card.
        num_thread: Processor threads to compute with.
        num_keep: Tokens at the beginning that a full context does not lose.
        top_k: How many tokens to sample from.
        min_p: Share of the likeliest token below which none is sampled.
        repeat_penalty: Above 1 to discourage repetition.
        repeat_last_n: How many tokens back repetition is looked for; -1 for all.
        presence_penalty: From -2 to 2.
        frequency_penalty: From -2 to 2.
        keep_alive: How long the model stays loaded: seconds, or such as `10m`;
            0 unloads it at once, -1 never.
        think: A model's own word for how hard to think, as `/api/show` lists
            them, or True or False; goes before `reasoning`.
        extra_body: Fields of the body, sent unchecked. Objects such as `options`
            are merged with what is there, lists are joined, all else is replaced.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "ollama"

    num_ctx: int | None = None
    num_gpu: int | None = None
    num_thread: int | None = None
    num_keep: int | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    keep_alive: float | str | None = None
    think: bool | str | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def model_options(self) -> dict[str, object]:
        """Return the fields of the body's `options` that were given."""
        found = {name: getattr(self, name) for name in _MODEL_OPTIONS}
        return {name: value for name, value in found.items() if value is not None}


@attrs.frozen(kw_only=True)
class OllamaEmbedding(EmbeddingOption):
    """
    Options for vectors from Ollama. `None` means the server's or the model's default.

    Source: https://docs.ollama.com/api/embed, read 2026-11-20.

    Args:
        truncate: Whether a text that is too long loses its end, without a word from
            the server. By default it is refused.
        prefixes: Whether a purpose is told to models that are known to want it
            told, in words of their own before the text; see `PREFIXES`.
        num_ctx: Tokens of context to make room for.
        num_gpu: Layers to put on the graphics card.
        num_thread: Processor threads to compute with.
        keep_alive: How long the model stays loaded: seconds, or such as `10m`;
            0 unloads it at once, -1 never.
        extra_body: Fields of the body, sent unchecked; `options` is merged with what
            is there.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "ollama"

    truncate: bool = False
    prefixes: bool = True
    num_ctx: int | None = None
    num_gpu: int | None = None
    num_thread: int | None = None
    keep_alive: float | str | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def model_options(self) -> dict[str, object]:
        """Return the fields of the body's `options` that were given."""
        found = {name: getattr(self, name) for name in ("num_ctx", "num_gpu", "num_thread")}
        return {name: value for name, value in found.items() if value is not None}
