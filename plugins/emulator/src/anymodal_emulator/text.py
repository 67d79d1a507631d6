"""
The model behind every text emulator: deterministic, and it says what it was asked.

It answers `openai (gpt-6.1-sol) heard: <the last user turn>`, and adds what else
it was given: the system prompt, each picture or file with type and size, each
tool's result, how many turns there were. So a test can see from the answer alone
that everything arrived.

Magic words in the last user turn:

=================== ===========================================================
`emulator:refuse`   the model declines, in the vendor's form of a refusal
`emulator:filter`   the vendor's filter stops the answer half-way
`emulator:block`    the vendor's filter refuses the prompt
`emulator:context`  the prompt is too long for the model
`emulator:quota`    the account has no credit left
`emulator:fail`     the vendor fails while answering, after it said 200
`emulator:long`     an answer of 200 words
`emulator:cite`     the answer names a source
=================== ===========================================================

A tool is called where it has to be (tool_choice) and where the last user turn
names it, once: when its result is there the model answers in words. Arguments
and structured answers fit their schemas; free strings in them are the user's words.

Tokens are counted by a plain rule, so that usage is plausible and repeatable: a
run of letters, digits and underscores is one, and so is any other character that
is no white space. A picture or file counts 85. Of a prompt cache key seen
before, as many tokens are cached as the shorter of the two prompts has.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Final, Literal

import attrs

from .app import Memory
from .schemas import instance

__all__ = ["Answer", "Ask", "Call", "Given", "answer", "count", "tokens", "word"]

MEDIA_TOKENS: Final = 85
LONG: Final = " ".join(f"word{number}" for number in range(1, 201))
SOURCE: Final = ("https://example.com/source", "An example")
TOKEN: Final = re.compile(r"\s*(?:\w+|[^\w\s])")
EDGE: Final = 0.5
"""Where the filter stops an answer: half-way."""

Word = Literal["refuse", "filter", "block", "context", "quota", "fail", "long", "cite"]
End = Literal["stop", "length", "tool_calls", "content_filter"]


def tokens(text: str) -> list[str]:
    """Return *text* in pieces of one token each; joined they are *text* again."""
    found = TOKEN.findall(text)
    rest = text[sum(map(len, found)) :]
    if rest:
        found[-1:] = [found[-1] + rest] if found else [rest]
    return found


def count(text: str) -> int:
    """Return how many tokens *text* has, by the rule above."""
    return len(TOKEN.findall(text))


@attrs.frozen
class Given:
    """A picture, sound or file of the prompt: bytes, or a URL."""

    kind: str
    media_type: str = ""
    data: bytes = attrs.field(default=b"", repr=lambda data: f"{len(data)} bytes")
    url: str = ""
    name: str = ""

    @classmethod
    def of_uri(cls, kind: str, uri: str, *, name: str = "") -> Given:
        """
        Read a `data:` URI, or take any other as a URL.

        Raises:
            ValueError: It is neither a URL nor a `data:` URI in base64.
        """
        if uri.startswith(("http://", "https://")):
            return cls(kind, url=uri, name=name)
        head, _, data = uri.partition(",")
        if not (head.startswith("data:") and head.endswith(";base64")):
            msg = "neither a URL nor a data: URI in base64"
            raise ValueError(msg)
        try:
            found = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            msg = "not base64"
            raise ValueError(msg) from error
        return cls(kind, head[5:-7], found, name=name)

    def __str__(self) -> str:
        if self.url:
            return f"{self.kind} at {self.url}"
        size = _png_size(self.data)
        what = [self.media_type or self.kind, f"{len(self.data)} bytes"]
        what += [f"{size[0]}x{size[1]} pixels"] if size else []
        what += [self.name] if self.name else []
        return ", ".join(what)


def _png_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR":
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


@attrs.frozen(kw_only=True)
class Ask:
    """
    What a text model is asked, whatever the protocol.

    Attributes:
        provider: Id of the provider.
        model: The model's id.
        prompt: The text of the last user turn.
        system: The system prompt.
        history: All text of the conversation, for counting.
        turns: How many turns the user had.
        given: Pictures and files, all turns'.
        results: Names and results of tools since the last user turn.
        tools: Names and parameter schemas of the tools offered.
        tool_choice: `auto`, `none`, `required` or a tool's name.
        schema: What a structured answer has to fit; None for words. Empty: any object.
        max_tokens: Longest answer, reasoning included.
        stop: Strings that end the answer.
        effort: How hard to think; empty or `none` for not at all.
        cache_key: The caller's key for a prompt cache.
        search: Whether the model may search the web, and then names a source.
    """

    provider: str
    model: str
    prompt: str
    system: str = ""
    history: str = ""
    turns: int = 1
    given: tuple[Given, ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    tools: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)
    tool_choice: str = "auto"
    schema: Mapping[str, object] | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    effort: str = ""
    cache_key: str = ""
    search: bool = False


@attrs.frozen
class Call:
    """A tool that the model asks for; the arguments are JSON."""

    id: str
    name: str
    arguments: str


@attrs.frozen(kw_only=True)
class Answer:
    """
    What the model answers, whatever the protocol.

    Attributes:
        text: The words; of a refusal they stand in *refusal*.
        refusal: Why the model declines.
        reasoning: What can be seen of its reasoning.
        calls: Tools that it asks for.
        end: Why it ended.
        word: The magic word that the prompt had.
        cited: URL and title of a source.
        input_tokens: Of the whole prompt.
        cached_tokens: Of these, how many were cached.
        output_tokens: Of the answer, reasoning included.
        reasoning_tokens: Of the reasoning.
    """

    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    end: End = "stop"
    word: Word | None = None
    cited: tuple[str, str] | None = None
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def pieces(self) -> list[str]:
        """The words, token by token, as they are streamed."""
        return tokens(self.text)


def word(prompt: str) -> Word | None:
    """Return the magic word in *prompt*, or None."""
    found = re.search(r"emulator:(refuse|filter|block|context|quota|fail|long|cite)\b", prompt)
    return found[1] if found else None  # type: ignore[return-value]  # the pattern has the same eight


def answer(ask: Ask, memory: Memory, *, call_id: str = "call_") -> Answer:
    """Answer *ask*; ids of tool calls come from *memory* and begin with *call_id*."""
    magic = word(ask.prompt)
    thought = ""
    if ask.effort not in {"", "none"}:
        thought = f"Thinking with {ask.effort} effort about: {ask.prompt}"
    room = None if ask.max_tokens is None else max(ask.max_tokens - count(thought), 0)
    used = count(ask.system) + count(ask.history) + MEDIA_TOKENS * len(ask.given)
    made = Answer(
        reasoning=thought,
        word=magic,
        input_tokens=used,
        cached_tokens=_cached(ask.cache_key, used, memory),
        reasoning_tokens=count(thought),
    )
    if magic == "refuse":
        made = attrs.evolve(made, refusal=f"{ask.provider} ({ask.model}) will not answer that.")
    elif names := _to_call(ask):
        calls = tuple(
            Call(memory.id(call_id), name, json.dumps(instance(ask.tools[name], ask.prompt)))
            for name in names
        )
        made = attrs.evolve(made, calls=calls, end="tool_calls")
    else:
        text, end = _words(ask, magic, room)
        cited = SOURCE if magic == "cite" or ask.search else None
        made = attrs.evolve(made, text=text, end=end, cited=cited)
    said = count(made.text + made.refusal) + sum(count(c.name + c.arguments) for c in made.calls)
    return attrs.evolve(made, output_tokens=said + made.reasoning_tokens)


def _to_call(ask: Ask) -> list[str]:
    """Return the names of the tools that are called now."""
    if ask.tool_choice in ask.tools:
        return [ask.tool_choice]
    if not ask.tools or ask.tool_choice == "none":
        return []
    done = {name for name, _ in ask.results}
    named = [name for name in ask.tools if name in ask.prompt and name not in done]
    if ask.tool_choice == "required":
        return named or [next(iter(ask.tools))]
    return named


def _words(ask: Ask, magic: Word | None, room: int | None) -> tuple[str, End]:
    """Return the text of an answer, and why it ends where it ends."""
    heard = f"{ask.provider} ({ask.model}) heard: {ask.prompt}"
    if ask.schema is not None:
        text = json.dumps(instance(ask.schema or {"type": "object"}, heard), ensure_ascii=False)
    else:
        parts = [LONG if magic == "long" else heard]
        parts += [f"system: {ask.system}"] if ask.system else []
        parts += [str(given) for given in ask.given]
        parts += [f"{name} returned: {result}" for name, result in ask.results]
        parts += [f"turn {ask.turns}"] if ask.turns > 1 else []
        text = " | ".join(parts)
    end: End = "stop"
    for mark in ask.stop:
        text = text.partition(mark)[0]
    pieces = tokens(text)
    if magic == "filter":
        pieces, end = pieces[: int(len(pieces) * EDGE)], "content_filter"
    if room is not None and len(pieces) > room:
        pieces, end = pieces[:room], "length"
    return "".join(pieces), end


def _cached(key: str, used: int, memory: Memory) -> int:
    if not key:
        return 0
    place = f"cached under {key}"
    before = memory.kept.get(place, 0)
    memory.kept[place] = used
    return min(before, used) if isinstance(before, int) else 0
