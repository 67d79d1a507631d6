"""What the emulator hears: words with their times, out of sound that spells them."""

from __future__ import annotations

import array
import io
import struct
import sys
import wave
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
from anymodal.formats import sniff
from anymodal_emulator.app import Memory, RefusedError
from anymodal_emulator.sounds import CHARACTER_SECONDS, heard

from .asked import Query

__all__ = ["ENDS", "Hearing", "Spoken", "of_file", "samples_of", "spelled", "utterances"]

ENDS: Final = (".", "?", "!")
SWITCH: Final = "/"
SURE: Final = 0.98
_TITLES: Final = (b"TIT2", b"TITLE=")


@attrs.frozen
class Spoken:
    """A word, and when and by whom it was spoken."""

    text: str
    start: float
    end: float
    speaker: int = 0

    def to_dict(self, query: Query, *, is_batch: bool = True) -> dict[str, object]:
        """Return it in Deepgram's words."""
        found: dict[str, object] = {
            "word": plain(self.text),
            "start": self.start,
            "end": self.end,
            "confidence": SURE,
        }
        if query.is_formatted:
            found["punctuated_word"] = self.text
        if query.is_diarized:
            found["speaker"] = self.speaker
            if is_batch:
                found["speaker_confidence"] = SURE
        return found

    def written(self, query: Query) -> str:
        """Return it as it stands in the text."""
        return self.text if query.is_formatted else plain(self.text)


def plain(word: str) -> str:
    """Return a word without what formatting adds."""
    return word.strip(".,;:?!\"'").lower()


@attrs.frozen
class Hearing:
    """What one channel says."""

    words: tuple[Spoken, ...]
    seconds: float

    @classmethod
    def of_text(cls, text: str) -> Hearing:
        """Return how *text* is spoken."""
        return cls(tuple(_words(text, 0.0)), len(text) * CHARACTER_SECONDS)

    def alternative(self, query: Query) -> dict[str, object]:
        """Return it in Deepgram's words."""
        return {
            "transcript": " ".join(one.written(query) for one in self.words),
            "confidence": SURE if self.words else 0.0,
            "words": [one.to_dict(query) for one in self.words],
        }


def _words(text: str, start: float, speaker: int = 0) -> Iterator[Spoken]:
    at = 0
    for word in text.split():
        at = text.index(word, at)
        if word == SWITCH:
            speaker = 1 - speaker
        else:
            first, last = (
                start + at * CHARACTER_SECONDS,
                start + (at + len(word)) * CHARACTER_SECONDS,
            )
            yield Spoken(word, round(first, 3), round(last, 3), speaker)
        at += len(word)


def spelled(samples: bytes, rate: int) -> str:
    """Return a character for each tone; a space where there is none."""
    step = int(rate * CHARACTER_SECONDS) * 2
    tones = (samples[at : at + step] for at in range(0, len(samples) - step + 1, step))
    return "".join(_character(heard(tone, rate)) for tone in tones)


def _character(found: str) -> str:
    return found if len(found) == 1 and found.isprintable() and found != "\ufffd" else " "


def of_file(data: bytes, query: Query) -> list[Hearing]:
    """
    Return what each channel of a file says.

    Raises:
        RefusedError: It is no sound.
    """
    if query.text("encoding"):
        rate, channels = query.number("sample_rate", 0), query.number("channels", 1)
        return _channels(samples_of(data, query), rate or 8000, channels)
    kind = sniff(data) or ""
    if kind == "audio/wav":
        try:
            with wave.open(io.BytesIO(data)) as file:
                found, rate, channels = (
                    file.readframes(file.getnframes()),
                    file.getframerate(),
                    file.getnchannels(),
                )
        except (wave.Error, EOFError) as error:
            raise RefusedError(kind="media_type", got=kind) from error
        return _channels(found, rate, channels)
    if not kind.startswith(("audio/", "video/")):
        raise RefusedError(kind="media_type", got=kind, status=400)
    return [Hearing.of_text(_title(data))]


def _title(data: bytes) -> str:
    """Return the words in the tags of a file."""
    at = data.find(b"TIT2")
    if at >= 0:
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        return data[at + 11 : at + 10 + size].decode("utf-8", "replace")
    at = data.find(b"TITLE=")
    if at >= 0:
        size = int.from_bytes(data[at - 4 : at], "little")
        return data[at + 6 : at + size].decode("utf-8", "replace")
    return ""


def _channels(samples: bytes, rate: int, channels: int) -> list[Hearing]:
    frames = array.array("h", samples[: len(samples) // 2 * 2])
    found = []
    for number in range(channels):
        mine = frames[number::channels].tobytes()
        words = tuple(_words(spelled(mine, rate), 0.0))
        found.append(Hearing(words, round(len(mine) / 2 / rate, 3)))
    return found


def samples_of(data: bytes, query: Query) -> bytes:
    """Return bare samples of 16 bits; silence for what only a decoder could read."""
    match query.text("encoding"):
        case "linear16":
            return data
        case "linear32":
            floats = struct.unpack(f"<{len(data) // 4}f", data[: len(data) // 4 * 4])
            samples = array.array("h", (round(one * 32768) for one in floats))
            if sys.byteorder == "big":
                samples.byteswap()
            return samples.tobytes()
    return bytes(2 * len(data))


def utterances(channels: Sequence[Hearing], query: Query, memory: Memory) -> list[dict[str, Any]]:
    """Return sentences and turns."""
    found: list[dict[str, Any]] = []
    for number, channel in enumerate(channels):
        for words in _sentences(channel.words, query):
            one: dict[str, Any] = {
                "start": words[0].start,
                "end": words[-1].end,
                "confidence": SURE,
                "channel": number,
                "transcript": " ".join(word.written(query) for word in words),
                "words": [word.to_dict(query) for word in words],
                "id": memory.id("", 8) + "-0000-4000-8000-000000000000",
            }
            if query.is_diarized:
                one["speaker"] = words[0].speaker
            found.append(one)
    return sorted(found, key=lambda one: one["start"])


def _sentences(words: Sequence[Spoken], query: Query) -> Iterator[list[Spoken]]:
    kept: list[Spoken] = []
    for word in words:
        if kept and query.is_diarized and kept[-1].speaker != word.speaker:
            yield kept
            kept = []
        kept.append(word)
        if word.text.endswith(ENDS):
            yield kept
            kept = []
    if kept:
        yield kept
