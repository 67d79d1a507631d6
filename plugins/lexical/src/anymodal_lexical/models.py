"""The models: one for each language, and one for texts of any."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from anymodal.modalities.embedding_spec import EmbeddingModelSpec
from anymodal.pricing import Price, Prices

__all__ = ["ANY", "DEFAULT_MODEL", "DOCS", "LANGUAGES", "MODELS"]

DOCS: Final = "https://snowballstem.org/algorithms/"
DEFAULT_MODEL: Final = "bm25-en"
ANY: Final = "bm25"
"""No stemmer and no stop words."""

LANGUAGES: Final[Mapping[str, str]] = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""Codes of ISO 639 and the stemmers of snowballstemmer 3.1.1, `algorithms()`; read 2026-11-20."""

_FREE: Final = Prices(
    [Price("input_token", 0), Price("output_token", 0)],
    source="it runs on this machine",
    as_of=dt.date(2026, 11, 20),
)

MODELS: Final = tuple(
    EmbeddingModelSpec(id=name, prices=_FREE, source=DOCS)
    for name in (DEFAULT_MODEL, ANY, *(f"bm25-{code}" for code in LANGUAGES if code != "en"))
)
"""Nothing bounds the length of a text."""
