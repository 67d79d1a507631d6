"""The decoder: sound in, words with their times out. All of it blocks, and belongs in threads."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pocketsphinx  # type: ignore[import-untyped]  # it ships without types
from anymodal.errors import InvalidRequestError
from anymodal.modalities.live import Transcript, Word
from anymodal.modalities.transcription import TranscriptionSettings

from .options import PocketsphinxTranscription
from .sound import RATE, Noise

__all__ = ["Decoding", "checked"]

FRAMES_PER_SECOND: Final = 100
_NO_WORD: Final = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+|\(NULL\)")
_VARIANT: Final = re.compile(r"\(\d+\)$")
NAME: Final = "wanted"
THRESHOLD: Final = "1e-20"
"""How much likelier than anything else a phrase has to be; PocketSphinx's documentation."""


def checked(request: TranscriptionSettings) -> None:
    """
    Refuse, or warn of, what PocketSphinx cannot be asked for.

    Raises:
        InvalidRequestError: The language is not English, or the options contradict one another.
    """
    language = (request.language or "en").lower()
    if language.partition("-")[0] != "en":
        msg = f"language: this model hears English, not {request.language}."
        raise InvalidRequestError(msg, field="language")
    if request.keywords:
        request.warn(
            "keywords", "this model cannot be biased; a grammar or keyphrases can be given"
        )
    if request.prompt is not None:
        request.warn("prompt", "PocketSphinx takes none")
    option = request.option(PocketsphinxTranscription)
    if option and option.grammar is not None and option.keyphrases is not None:
        msg = "options: give PocketSphinx a grammar or keyphrases, not both."
        raise InvalidRequestError(msg, field="options")


class Decoding:
    """
    A decoder of one call: it is not to be shared, and what it heard before colours what it hears.

    Args:
        request: What is asked for.

    Raises:
        InvalidRequestError: The grammar or a phrase is none that it can hear.
    """

    def __init__(self, request: TranscriptionSettings) -> None:
        option = request.option(PocketsphinxTranscription) or PocketsphinxTranscription()
        settings: dict[str, Any] = {"samprate": RATE, "loglevel": "FATAL"}
        self._is_bound = option.grammar is not None or option.keyphrases is not None
        if self._is_bound:
            settings["lm"] = None
        self._decoder = pocketsphinx.Decoder(**settings)
        if self._is_bound:
            self._bind(option)
        self._wants_words = request.words
        self._noise = Noise()

    def _bind(self, option: PocketsphinxTranscription) -> None:
        decoder, field = self._decoder, "grammar"
        try:
            if option.grammar is not None:
                decoder.add_jsgf_string(NAME, option.grammar)
            else:
                field = "keyphrases"
                self._listen_for(option.keyphrases or ())
            decoder.activate_search(NAME)
        except (ValueError, RuntimeError, KeyError) as error:
            msg = f"{field}: PocketSphinx cannot use it ({error}). Its words are those of the CMU dictionary."
            raise InvalidRequestError(msg, field="options") from error

    def _listen_for(self, phrases: tuple[str, ...]) -> None:
        decoder = self._decoder
        for word in " ".join(phrases).split():
            if decoder.lookup_word(word) is None:
                msg = f"{word!r} is not in its dictionary"
                raise ValueError(msg)
        with TemporaryDirectory() as folder:  # it takes several phrases from a file alone
            file = Path(folder, "phrases")
            file.write_text("".join(f"{phrase} /{THRESHOLD}/\n" for phrase in phrases))
            decoder.add_kws(NAME, str(file))

    def whole(self, samples: bytes, start: float) -> Transcript | None:
        """Return what *samples* say, which begin at *start* seconds; None where nothing is heard."""
        self.begin()
        self._decoder.process_raw(self._noise.feed(samples), no_search=False, full_utt=True)
        return self.end(start, start + len(samples) / 2 / RATE)

    def begin(self) -> None:
        """Begin to hear a sentence."""
        self._decoder.start_utt()

    def more(self, samples: bytes) -> str:
        """Hear more of it; return what is understood so far."""
        self._decoder.process_raw(self._noise.feed(samples), no_search=False, full_utt=False)
        found = self._decoder.hyp()
        return "" if found is None else _plain(found.hypstr)

    def end(self, start: float, end: float) -> Transcript | None:
        """Return what the sentence was; None where nothing was understood."""
        self._decoder.end_utt()
        found = self._decoder.hyp()
        text = "" if found is None else _plain(found.hypstr)
        if not text:
            return None
        words = self._words(start) if self._wants_words else ()
        return Transcript(text, words=words, start=start, end=end, language="en-US")

    def _words(self, start: float) -> tuple[Word, ...]:
        found = []
        for one in self._decoder.seg() or ():
            text = _VARIANT.sub("", one.word)
            if not _NO_WORD.fullmatch(text):
                first = start + one.start_frame / FRAMES_PER_SECOND
                last = start + (one.end_frame + 1) / FRAMES_PER_SECOND
                sure = min(max(float(one.prob), 0.0), 1.0)
                found.append(Word(text, round(first, 2), round(last, 2), None, sure))
        return tuple(found)


def _plain(found: str) -> str:
    words = (_VARIANT.sub("", word) for word in found.split())
    return " ".join(word for word in words if not _NO_WORD.fullmatch(word))
