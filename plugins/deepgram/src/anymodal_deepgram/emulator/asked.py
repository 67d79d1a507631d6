"""What is asked of the emulator, as far as Deepgram would take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

import attrs
from anymodal_emulator.app import RefusedError, Request

__all__ = ["MODELS", "Query", "asked_file", "asked_live"]

_NAMES: Final = (
    ("nova-3-general", True),
    ("nova-3-medical", True),
    ("nova-2-general", True),
    ("nova-2-meeting", True),
    ("nova-2-phonecall", True),
    ("nova-2-conversationalai", True),
    ("nova-2-medical", True),
    ("whisper-large", False),
)
_SHORT: Final = {
    "nova-3": "nova-3-general",
    "nova-2": "nova-2-general",
    "whisper": "whisper-large",
}

MODELS: Final[Sequence[Mapping[str, object]]] = tuple(
    {
        "name": name.rpartition("-")[2],
        "canonical_name": name,
        "architecture": name.rpartition("-")[0],
        "languages": ["en", "fr"],
        "version": "2026-10-01.0",
        "uuid": f"{number:08d}-0000-4000-8000-000000000000",
        "batch": True,
        "streaming": streams,
        "formatted_output": True,
    }
    for number, (name, streams) in enumerate(_NAMES)
)

_FLAGS: Final = frozenset(
    [
        "detect_language",
        "diarize",
        "filler_words",
        "interim_results",
        "mip_opt_out",
        "multichannel",
        "numerals",
        "profanity_filter",
        "punctuate",
        "smart_format",
        "utterances",
        "vad_events",
    ]
)
_ENCODINGS: Final = frozenset(
    [
        "linear16",
        "linear32",
        "flac",
        "alaw",
        "mulaw",
        "amr-nb",
        "amr-wb",
        "opus",
        "ogg-opus",
        "speex",
        "g729",
    ]
)


@attrs.frozen
class Query:
    """The parameters of an address."""

    pairs: Mapping[str, Sequence[str]]

    def __attrs_post_init__(self) -> None:
        for name in _FLAGS & self.pairs.keys():
            if self.text(name) not in {"true", "false"}:
                raise RefusedError(kind="value", param=name, got=self.text(name))
        if self.model not in {one["canonical_name"] for one in MODELS}:
            raise RefusedError(kind="no_model", got=self.model)
        if self.text("diarize_model") not in {"", "latest", "v1", "v2"}:
            raise RefusedError(kind="value", param="diarize_model", got=self.text("diarize_model"))
        if "keyterm" in self.pairs and not self.model.startswith("nova-3"):
            raise RefusedError(kind="value", param="keyterm", got="only nova-3 takes it")

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter."""
        return self.pairs.get(name, [default])[-1]

    def flag(self, name: str) -> bool:
        """Return a parameter that is true or false."""
        return self.text(name) == "true"

    def number(self, name: str, default: int) -> int:
        """Return a parameter that is a number."""
        value = self.text(name, str(default))
        if not value.isdigit():
            raise RefusedError(kind="value", param=name, got=value)
        return int(value)

    @property
    def model(self) -> str:
        """The whole name of the model."""
        name = self.text("model", "nova-2")
        return _SHORT.get(name, name)

    @property
    def model_uuid(self) -> str:
        """The model's id."""
        return str(next(one["uuid"] for one in MODELS if one["canonical_name"] == self.model))

    @property
    def is_formatted(self) -> bool:
        """Whether sentences are written as people do."""
        return self.flag("smart_format") or self.flag("punctuate")

    @property
    def is_diarized(self) -> bool:
        """Whether speakers are told apart."""
        return self.flag("diarize") or bool(self.text("diarize_model"))

    def language_found(self) -> dict[str, str]:
        """Return the language that was found out, where that was asked for."""
        return {"detected_language": "en"} if self.flag("detect_language") else {}


def asked_file(request: Request) -> Query:
    """Return what is asked about a file."""
    return Query(parse_qs(request.received.query, keep_blank_values=True))


def asked_live(request: Request) -> Query:
    """Return what is asked about live sound."""
    query = asked_file(request)
    encoding = query.text("encoding")
    if encoding and encoding not in _ENCODINGS:
        raise RefusedError(kind="value", param="encoding", got=encoding)
    if encoding and "sample_rate" not in query.pairs:
        raise RefusedError(kind="value", param="sample_rate", got="it is needed with encoding")
    if query.text("diarize_model") == "v2":
        raise RefusedError(kind="value", param="diarize_model", got="v2")
    if query.model == "whisper-large":
        raise RefusedError(kind="no_model", got=query.model)
    silence = query.number("utterance_end_ms", 1000)
    if silence < 1000 or ("utterance_end_ms" in query.pairs and not query.flag("interim_results")):
        got = "it is too short, or there are no interim_results"
        raise RefusedError(kind="value", param="utterance_end_ms", got=got)
    return query
