"""What was said stays here unless somebody asks for it."""

from __future__ import annotations

import json

import pytest
from anymodal import (
    Audio,
    Citation,
    File,
    Finish,
    Image,
    Message,
    Policy,
    Reasoning,
    Retry,
    TextDelta,
    TextResult,
    ToolCall,
    ToolResult,
)
from anymodal import errors as e
from anymodal_opentelemetry.conventions import CAPTURE_CONTENT
from inline_snapshot import snapshot

from .acme import ANSWER, Acme, Watched

pytestmark = pytest.mark.anyio
PNG = b"\x89PNG\r\n\x1a\n" + bytes(1000)
SIGNED = "https://me:secret@files.example/a.png?signature=secret#secret"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def rate(currency: str) -> str:
    """Say what it is worth."""
    return currency


def said(watched):
    """The attributes that hold content, read."""
    names = ("gen_ai.input", "gen_ai.output", "gen_ai.system", "gen_ai.tool")
    return {
        name: json.loads(value)
        for name, value in watched.facts.items()
        if name.startswith(names) and name != "gen_ai.output.type"
    }


async def ask(watched):
    async with watched.client(Acme()) as ai:
        await ai.text.generate("The secret.", system="Be discreet.", tools=[rate])


async def test_nothing_is_said_by_default():
    """Neither prompt nor answer, nor of what tools there are."""
    watched = Watched()
    await ask(watched)

    assert {} == said(watched)
    whole = watched.span.to_json()
    assert not [word for word in ("secret", "discreet", "Rhine", "rate") if word in whole]


async def test_a_conversation():
    """Each kind of part as the conventions write it."""
    watched = Watched(content=True)
    answer = TextResult(
        Message.assistant(
            Reasoning("Hm."), "Seven.", Citation("https://a.example", "A"), ToolCall("c-2", "rate")
        ),
        Finish("tool_calls"),
    )
    async with watched.client(Acme(answer)) as ai:
        await ai.text.generate(
            [
                Message.user("Rate?", Image(PNG), Image(url=SIGNED)),
                Message.assistant(ToolCall("c-1", "rate", '{"currency": "EUR"}')),
                Message.user(ToolResult("c-1", "seven")),
                Message.assistant(ToolCall("c-9", "rate", '{"curr')),
                Message.user(ToolResult("c-9", "no"), "Again, with ☂."),
                Message.user(File(b"%PDF-1.7"), Audio(b"fLaC0000")),
            ],
            system="Be brief.",
            tools=[rate],
        )

    assert said(watched) == snapshot(
        {
            "gen_ai.input.messages": [
                {
                    "role": "user",
                    "parts": [
                        {"type": "text", "content": "Rate?"},
                        {
                            "type": "media",
                            "modality": "image",
                            "mime_type": "image/png",
                            "bytes": 1008,
                        },
                        {
                            "type": "uri",
                            "modality": "image",
                            "mime_type": None,
                            "uri": "https://files.example/a.png",
                        },
                    ],
                },
                {
                    "role": "assistant",
                    "parts": [
                        {
                            "type": "tool_call",
                            "id": "c-1",
                            "name": "rate",
                            "arguments": {"currency": "EUR"},
                        }
                    ],
                },
                {
                    "role": "tool",
                    "parts": [{"type": "tool_call_response", "id": "c-1", "response": "seven"}],
                },
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "tool_call", "id": "c-9", "name": "rate", "arguments": '{"curr'}
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"type": "tool_call_response", "id": "c-9", "response": "no"},
                        {"type": "text", "content": "Again, with ☂."},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {
                            "type": "media",
                            "modality": "document",
                            "mime_type": "application/pdf",
                            "bytes": 8,
                        },
                        {
                            "type": "media",
                            "modality": "audio",
                            "mime_type": "audio/flac",
                            "bytes": 8,
                        },
                    ],
                },
            ],
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "Hm."},
                        {"type": "text", "content": "Seven."},
                        {
                            "type": "citation",
                            "url": "https://a.example",
                            "title": "A",
                            "start": None,
                            "end": None,
                        },
                        {"type": "tool_call", "id": "c-2", "name": "rate", "arguments": {}},
                    ],
                    "finish_reason": "tool_calls",
                }
            ],
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.tool.definitions": [{"type": "function", "name": "rate"}],
        }
    )
    assert "☂" in watched.facts["gen_ai.input.messages"]
    assert "secret" not in watched.span.to_json()


async def test_what_had_come_of_an_answer():
    """Of a stream that broke, with no reason to have ended."""
    watched = Watched(content=True)
    broken = Acme([TextDelta("one "), e.ServerError("acme: broke while saying: one")])
    async with watched.client(broken) as ai:
        with pytest.raises(e.ServerError):
            async with ai.text.stream("Hi") as stream:
                await stream.result()

    assert said(watched) == snapshot(
        {
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "text", "content": "Hi"}]}
            ],
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [{"type": "text", "content": "one "}],
                    "finish_reason": "error",
                }
            ],
        }
    )
    assert "acme: broke while saying: one" == watched.span.status.description


async def test_what_was_asked_where_nothing_came():
    """And the words of the error, which vendors may take from the prompt."""
    watched = Watched(content=True)
    once = Policy(retry=Retry(attempts=1))
    async with watched.client(Acme(e.BadRequestError("acme: no: Hi")), policy=once) as ai:
        with pytest.raises(e.BadRequestError):
            await ai.text.generate("Hi")

    assert said(watched) == snapshot(
        {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]}
    )
    assert "acme: no: Hi" == watched.span.status.description


async def test_what_is_no_prompt_has_no_content():
    """A batch of thousands of prompts is no attribute."""
    watched = Watched(content=True)
    async with watched.client(Acme()) as ai:
        await ai.text.batch(["one", "two"])

    assert {} == said(watched)


@pytest.mark.parametrize(
    ("word", "speaks"),
    [
        ("", False),
        ("false", False),
        ("NO_CONTENT", False),
        ("EVENT_ONLY", False),
        ("true", True),
        ("span_only", True),
        (" SPAN_AND_EVENT ", True),
    ],
)
async def test_the_environment_may_ask_for_it(word, speaks, monkeypatch):
    """With the conventions' variable, read when the first call begins."""
    watched = Watched()
    monkeypatch.setenv(CAPTURE_CONTENT, word)
    await ask(watched)

    assert speaks is bool(said(watched))


@pytest.mark.parametrize("content", [True, False])
async def test_a_word_in_code_beats_the_environment(content, monkeypatch):
    """In both directions."""
    monkeypatch.setenv(CAPTURE_CONTENT, "no_content" if content else "span_only")
    watched = Watched(content=content)
    await ask(watched)

    assert content is bool(said(watched))


async def test_no_key_is_in_a_span():
    """Nor anywhere else in what is exported."""
    watched = Watched(content=True)
    settings = {"providers": {"acme": {"api_key": "sk-very-secret"}}}
    async with watched.client(Acme(ANSWER), settings=settings) as ai:
        await ai.text.generate("Hi")

    assert "sk-very-secret" not in watched.span.to_json() + str(watched.metrics)
