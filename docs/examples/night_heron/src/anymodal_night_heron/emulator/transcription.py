"""Transcription of sound that spells its words; see `anymodal_emulator.sounds`."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Iterator
from typing import Any

from anymodal_emulator.app import RefusedError, Reply, Request, Talk
from anymodal_emulator.checking import Field, check
from anymodal_emulator.sounds import CHARACTER_SECONDS, heard

from .app import MODELS, app, asked

MODELS["owl-1"] = "transcription"
HOW = {
    "model": Field("string", required=True),
    "language": Field("string"),
    "words": Field("boolean"),
}
FILE = {**HOW, "sound": Field("string", required=True)}
LIVE = {
    **HOW,
    "rate": Field("integer", required=True, least=4_000),
    "partials": Field("boolean"),
}


@app.route("POST", "/v1/transcriptions")
def transcribe(request: Request) -> Reply:
    """Write down what is said in a WAV file."""
    body = asked(request, FILE, "owl-1")
    try:
        with wave.open(io.BytesIO(base64.b64decode(body["sound"], validate=True))) as file:
            rate, samples = file.getframerate(), file.readframes(file.getnframes())
    except (ValueError, EOFError, wave.Error) as error:
        raise RefusedError(kind="value", param="sound", need="a WAV file in base64") from error
    text = heard(samples, rate).strip("\x00 ")
    return Reply.json(
        {
            "id": request.memory.id("o-"),
            "text": text,
            "language": body.get("language", "en"),
            "seconds": len(samples) / 2 / rate,
            "words": timed(text, 0),
        }
    )


@app.talk("/v1/transcriptions/live")
async def listen(request: Request, talk: Talk) -> None:
    """Listen, and say what is heard: first as it seems, and each sentence when it is over."""
    begin = await received(talk)
    if begin is None:
        return
    check(begin, LIVE)
    heard_so_far = Heard(begin["rate"], begin.get("partials", True))
    while (message := await talk.receive()) is not None:
        is_over = isinstance(message, str)
        for one in heard_so_far.more(message if isinstance(message, bytes) else b"", is_over):
            await talk.send_json(one)
        if is_over:
            await talk.send_json({"id": request.memory.id("o-"), "seconds": heard_so_far.seconds})
            return


class Heard:
    """What was heard of a session."""

    def __init__(self, rate: int, has_partials: bool) -> None:
        self.rate, self.has_partials = rate, has_partials
        self.sound, self.told, self.began = bytearray(), 0, False

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.sound) / 2 / self.rate

    def more(self, sound: bytes, is_over: bool) -> Iterator[dict[str, object]]:
        """Hear more, and give what there is to say."""
        self.sound += sound
        text = heard(bytes(self.sound), self.rate)
        while words := text[self.told :].strip("\x00 "):
            at = text.index(words, self.told)
            if not self.began:
                self.began = True
                yield {"begins": at * CHARACTER_SECONDS}
            sentence, stop, _ = words.partition(". ")
            if not (stop or is_over):
                if self.has_partials:
                    yield {"partial": words}
                return
            yield final(sentence + stop.rstrip(), at)
            self.told, self.began = at + len(sentence + stop), False


async def received(talk: Talk) -> dict[str, Any] | None:
    """Return the first message, or None where nobody is there."""
    message = await talk.receive()
    if message is None:
        return None
    found = json.loads(message)
    if not isinstance(found, dict):
        raise RefusedError(kind="type", need="object")
    return found


def final(text: str, at: int) -> dict[str, object]:
    """Return what was said, with its times."""
    start = at * CHARACTER_SECONDS
    end = start + len(text) * CHARACTER_SECONDS
    return {"final": text, "start": start, "end": end, "words": timed(text, at)}


def timed(text: str, at: int) -> list[dict[str, object]]:
    """Return the words of a text that begins at a character, with their times."""
    found = []
    for word in text.split():
        place = at + text.index(word)
        start, end = place * CHARACTER_SECONDS, (place + len(word)) * CHARACTER_SECONDS
        found.append({"text": word, "start": start, "end": end})
        at, text = place + len(word), text[text.index(word) + len(word) :]
    return found
