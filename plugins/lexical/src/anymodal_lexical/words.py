"""Texts as counts of words, each word as a number."""

from __future__ import annotations

import re
import threading
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from importlib import import_module
from typing import Final

from .models import LANGUAGES
from .stopwords import STOPWORDS

__all__ = ["Lexicon", "index_of", "lexicon_of"]

WORD: Final = re.compile(r"[^\W_]+")
UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Letters of scripts that put no spaces between words: Thai, Khmer, Chinese, Japanese …"""

REMEMBERED: Final = 200_000
"""Words whose numbers are kept; in a large library that is nearly all of them."""
LONGEST: Final = 64
"""Letters of a word that is kept; longer ones are keys, links and other chance."""


def index_of(term: str) -> int:
    """
    Return the number of a word that has been stemmed: 31 bits of it, on every machine the same.

    Of a million words, one in two thousand shares its number with another.
    """
    return zlib.crc32(term.encode("utf-8", "replace")) & 0x7FFF_FFFF


class Lexicon:
    """
    The words of one language. Shared by threads.

    Args:
        stem: Takes the ending off a word; None leaves it.
        stopwords: Words that are left out.
    """

    def __init__(self, stem: Callable[[str], str] | None, stopwords: AbstractSet[str]) -> None:
        self._stem = stem
        self._stopwords = stopwords
        self._known: dict[str, tuple[int, ...]] = {}
        self._guard = threading.Lock()  # a stemmer works on itself

    def counts(self, text: str) -> Counter[int]:
        """
        Return how often each word of *text* stands there, by its number.

        Stop words are left out, unless there is nothing else: whoever looks for "to
        be or not to be" finds it among what is as empty.
        """
        plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
        words = Counter(WORD.findall(plain.lower()))
        known, found = self._known, Counter[int]()
        for word, times in words.items():
            indices = known.get(word)
            if indices is None:
                indices = self._learnt(word)
            for index in indices:
                found[index] += times
        if not found and words:
            for word, times in words.items():
                found[index_of(word)] += times
        return found

    def _learnt(self, word: str) -> tuple[int, ...]:
        """Return the numbers of a word that was not seen yet: one, none or several."""
        if word in self._stopwords:
            indices: tuple[int, ...] = ()
        elif not word.isascii() and UNSPACED.search(word):
            indices = tuple(map(index_of, _pieces(word)))
        elif self._stem is None or len(word) > LONGEST:
            indices = (index_of(word),)
        else:
            with self._guard:
                indices = (index_of(self._stem(word)),)
        if len(word) <= LONGEST:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[word] = indices
        return indices


def _pieces(word: str) -> list[str]:
    """Return a run of letters without spaces as overlapping pairs, and what is between as it is."""
    found: list[str] = []
    at = 0
    for run in UNSPACED.finditer(word):
        if run.start() > at:
            found.append(word[at : run.start()])
        letters = run[0]
        found += [letters[i : i + 2] for i in range(max(len(letters) - 1, 1))]
        at = run.end()
    return [*found, word[at:]] if at < len(word) else found


def lexicon_of(code: str, *, stemming: bool, stopwords: bool) -> Lexicon:
    """Return the lexicon of the language *code*; empty for none in particular."""
    stem: Callable[[str], str] | None = None
    if code and stemming:
        # by its module: `snowballstemmer.stemmer` takes another library where there is
        # one, whose stems may be those of another version
        name = LANGUAGES[code]
        module = import_module(f"snowballstemmer.{name}_stemmer")
        stem = getattr(module, f"{name.capitalize()}Stemmer")().stemWord
    left_out = STOPWORDS.get(code, frozenset()) if stopwords else frozenset()
    return Lexicon(stem, left_out)
