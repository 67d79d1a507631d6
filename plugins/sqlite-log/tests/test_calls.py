"""What is kept of calls: whole, left, broken, tried again, many at once, other kinds."""

from __future__ import annotations

import anyio
import attrs
import pytest
from anymodal import (
    Audio,
    Citation,
    Client,
    File,
    Finish,
    Image,
    Message,
    Reasoning,
    Settings,
    TextDelta,
    TextResult,
    ToolCall,
    ToolSpec,
    Usage,
    Used,
    WebSearch,
)
from anymodal import errors as e
from anymodal.events import CallEnded, CallStarted
from anymodal.modalities.messages import ToolResult
from anymodal.usage import Record
from anymodal_emulator import Reset, Status, emulated
from anymodal_sqlite_log import SqliteLog
from anymodal_sqlite_log.commands import logs

from .acme import Acme, call, calls, client, count, prompts, says, words_of

pytestmark = pytest.mark.anyio
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


async def test_call_is_kept_with_what_was_asked_and_answered(log, path):
    """All that is needed to see afterwards what happened and what it cost."""
    async with client(log) as ai:
        reply = await ai.text.generate(
            "Which way?", system="Be brief.", temperature=0.5, tags={"team": "harbour"}
        )
    log.flush()

    found = call(path)
    assert found["id"] == reply.record.id
    assert (found["modality"], found["operation"]) == ("text", "generate")
    assert (found["provider"], found["instance"], found["model"]) == ("acme", "acme", "m-1")
    assert (found["outcome"], found["error"], found["request_id"]) == ("ok", None, "r-1")
    assert (found["input_tokens"], found["output_tokens"]) == (1_000_000, 500_000)
    assert found["usd"] == 2.0
    assert found["seconds"] == reply.record.seconds
    assert found["tags"] == {"team": "harbour"}
    assert found["settings"] == {"temperature": 0.5}
    assert found["finish_reason"] == "stop"
    (conversation,) = found["conversations"]
    roles = [turn["role"] for turn in conversation["prompt"]]
    assert roles == ["system", "user"]
    assert [words_of(turn) for turn in conversation["prompt"]] == [["Be brief."], ["Which way?"]]
    assert words_of(conversation["answer"]) == ["yes"]


async def test_shape_of_the_answer_is_kept(log, path):
    """It is half of what was asked."""
    shape = {"type": "object", "properties": {"city": {"type": "string"}}}
    async with client(log, acme=Acme(says('{"city": "Ulm"}'))) as ai:
        await ai.text.generate("Where?", output=shape)
    log.flush()

    assert call(path)["settings"]["schema"] == shape


async def test_stream_that_was_read_is_kept_whole(log, path):
    """With the time to its first event."""
    async with client(log) as ai, ai.text.stream("Which way?") as stream:
        await stream.result()
    log.flush()

    found = call(path)
    assert found["outcome"] == "ok"
    assert found["first_event_seconds"] > 0
    assert words_of(found["conversations"][0]["answer"]) == ["yes"]


async def test_stream_that_was_left_keeps_what_had_come(log, path):
    """It is no error, and no whole answer either."""
    events = [TextDelta("one "), TextDelta("two"), Finish()]
    async with client(log, acme=Acme(events)) as ai:
        async with ai.text.stream("Count.") as stream:
            async for _ in stream:
                break
    log.flush()

    found = call(path)
    assert (found["outcome"], found["error"], found["usd"]) == ("left", None, None)
    assert words_of(found["conversations"][0]["answer"]) == ["one "]


async def test_stream_that_broke_keeps_what_had_come(log, path):
    """Beside the error that says why."""
    broken = [TextDelta("one "), e.ServerError("acme: it fell over")]
    async with client(log, acme=Acme(broken)) as ai:
        with pytest.raises(e.ServerError):
            async with ai.text.stream("Count.") as stream:
                await stream.result()
    log.flush()

    found = call(path)
    assert (found["outcome"], found["error_code"]) == ("error", "server")
    assert found["error"] == "acme: it fell over"
    assert words_of(found["conversations"][0]["answer"]) == ["one "]


async def test_attempts_are_kept_each_with_its_error(log, path):
    """Retries and failover are what one asks a log about."""
    busy = Acme(e.OverloadedError("busy: come back"))
    async with client(log, busy=busy, acme=Acme()) as ai:
        await ai.text.generate("Which way?", model=["busy/m-1", "acme/m-1"])
    log.flush()

    found = call(path)
    tried = [(one["instance"], one["error"] and one["error"]["code"]) for one in found["attempts"]]
    assert tried == [("busy", "overloaded")] * 3 + [("acme", None)]
    assert found["attempts"][0]["error"]["message"] == "busy: come back"
    assert (found["outcome"], found["instance"]) == ("ok", "acme")


async def test_all_candidates_failing_is_one_call(log, path):
    """The error is the group's, and each has its own in the attempts."""
    one, two = Acme(e.OverloadedError("one: busy")), Acme(e.ServerError("two: fell"))
    async with client(log, one=one, two=two) as ai:
        with pytest.raises(e.FallbackExhaustedError):
            await ai.text.generate("Which way?", model=["one/m-1", "two/m-1"])
    log.flush()

    assert len(calls(path)) == 1
    assert call(path)["error_code"] == "fallback_exhausted"


async def test_call_that_was_cancelled_was_left(log, path):
    """Nobody failed."""

    class Slow:
        async def generate(self, request):
            await anyio.sleep_forever()

    async with client(log, acme=Slow()) as ai:
        with anyio.move_on_after(0.05):
            await ai.text.generate("Which way?")
    log.flush()

    assert call(path)["outcome"] == "left"


async def test_call_that_came_to_no_request_is_kept(log, path):
    """A name that nobody serves is a mistake worth finding."""
    async with client(log) as ai:
        with pytest.raises(e.AnymodalError):
            await ai.text.generate("Which way?", model="acme/m-1", temperature=-1)
    log.flush()

    found = call(path)
    assert (found["outcome"], found["error_code"]) == ("error", "invalid_request")
    assert found["conversations"] == []


async def test_batch_is_one_call_of_many_conversations(log, path):
    """And how its job stands."""
    async with client(log) as ai:
        job = await ai.text.batch([("a", "One?"), ("b", "Two?")])
        await job.result()
    log.flush()

    found = call(path)
    assert (found["operation"], found["job_state"]) == ("batch", "succeeded")
    assert found["job"] == job.token
    labels = [(one["label"], words_of(one["prompt"][0])) for one in found["conversations"]]
    assert labels == [("0-a", ["One?"]), ("1-b", ["Two?"])]
    assert prompts(path, "two") == ["One?"]


async def test_chat_shares_what_was_said_before(log, path):
    """A hundred turns are a hundred and one turns, not five thousand."""
    async with client(log, acme=Acme(*[says(f"answer {n}") for n in range(20)])) as ai:
        chat = ai.text.chat(system="Be brief.")
        for number in range(20):
            await chat.generate(f"question {number}")
    log.flush()

    assert count(path, "calls") == 20
    assert count(path, "turns") == count(path, "pieces") == count(path, "parts") == 41
    first = [words_of(turn)[0] for turn in call(path)["conversations"][0]["prompt"]]
    assert first[:3] == ["Be brief.", "question 0", "answer 0"]
    assert first[-1] == "question 19"
    assert len(first) == 40
    assert prompts(path, "question 3") == ["question 3"]


async def test_bytes_are_kept_once(log, path):
    """Whoever sends the same picture in ten calls sends one picture."""
    async with client(log) as ai:
        for number in range(10):
            await ai.text.generate([f"What is this? {number}", Image(PNG)])
    log.flush()

    assert count(path, "pieces") == 10 + 1 + 1
    part = call(path)["conversations"][0]["prompt"][0]["parts"][1]
    assert (part["type"], part["media_type"], part["bytes"]) == ("image", "image/png", len(PNG))
    assert part["is_kept"]


async def test_of_large_pieces_the_hash_is_kept(path):
    """A file that is searched should not grow by a film a call."""
    with SqliteLog(path, max_bytes=100) as log:
        async with client(log) as ai:
            await ai.text.generate(["Look. " * 50, Image(PNG)])

    text, picture = call(path)["conversations"][0]["prompt"][0]["parts"]
    assert (text["is_kept"], text["bytes"], "text" in text) == (False, 300, False)
    assert (picture["is_kept"], picture["bytes"]) == (False, len(PNG))
    assert len(picture["sha256"]) == 64
    assert path.stat().st_size < 200_000


async def test_without_content_only_facts_are_kept(path):
    """Nor what a vendor said of the prompt."""
    refusal = e.BadRequestError("acme: 'my secret wish' is refused")
    with SqliteLog(path, content=False) as log:
        async with client(log, acme=Acme(says(), refusal)) as ai:
            await ai.text.generate("My secret wish.", stop=["wish"])
            with pytest.raises(e.BadRequestError):
                await ai.text.generate("My secret wish.")

    assert [row["error_code"] for row in calls(path)] == ["bad_request", None]
    assert count(path, "pieces") == count(path, "turns") == count(path, "conversations") == 0
    assert b"wish" not in path.read_bytes()
    assert call(path, 1)["usd"] == 2.0


async def test_tools_are_kept_by_name(log, path):
    """And what was called and what came of it is part of the conversation."""
    messages = [
        Message.user("What is a pound?"),
        Message.assistant(ToolCall("c-1", "rate", '{"of": "gbp"}')),
        Message.user(ToolResult("c-1", "1.31", "rate")),
    ]
    async with client(log) as ai:
        await ai.text.generate(messages)
    log.flush()

    _, asks, result = call(path)["conversations"][0]["prompt"]
    assert asks["parts"][0]["name"] == "rate"
    assert words_of(asks) == ['{"of": "gbp"}']
    assert words_of(result) == ["1.31"]
    assert prompts(path, "pound") == prompts(path, "1.31") == ["1.31"]


async def test_through_an_emulator_with_retries(log, path):
    """Over a real connection, with a vendor's real errors."""
    with emulated("openai-compatible") as vendor:
        settings = Settings.from_mapping(vendor.settings(), environ={"ANYMODAL_STATE_DIR": "off"})
        vendor.script(Status(503), Reset())
        async with Client(settings, observers=[log]) as ai:
            reply = await ai.text.generate("Which way?", model="openai-compatible/any")
            async with ai.text.stream("And then?", model="openai-compatible/any") as stream:
                whole = await stream.result()
    log.flush()

    assert call(path)["outcome"] == "ok"
    assert words_of(call(path)["conversations"][0]["answer"]) == [whole.text]
    found = call(path, 1)
    codes = [one["error"] and one["error"]["code"] for one in found["attempts"]]
    assert codes == ["overloaded", "connection_failed", None]
    assert words_of(found["conversations"][0]["answer"]) == [reply.text]
    assert prompts(path, "way") == ["Which way?"]


async def test_tenants_and_clients_together_keep_a_call_once(log, path):
    """Both observers are told of a tenant's call."""
    async with client(log) as ai, ai.scoped("north", observers=[log]) as tenant:
        await tenant.text.generate("Which way?")
    log.flush()

    assert [row["scope"] for row in calls(path)] == ["north"]


@attrs.frozen
class Asked:
    """A request of a kind of work that was not there when this was written."""

    prompt: str
    size: str
    image: Image
    vector: tuple[float, ...] = (1.0, 2.0)


@attrs.frozen
class Made:
    """What came of it."""

    images: tuple[Image, ...]
    caption: str
    record: Record = attrs.field(repr=False)


@pytest.mark.parametrize("is_kept", [True, False])
async def test_media_that_lie_in_files_are_known_by_their_hash(path, tmp_path, is_kept):
    """As if they had been held; what is too large to be kept is not loaded either."""
    film = tmp_path / "a.png"
    film.write_bytes(PNG)
    made = []
    for media in (Image(PNG), Image(path=film, media_type="image/png"), Image(path=film)):
        record = Record(f"{len(made)}" * 32, "image", "generate", provider="acme")
        made.append(CallEnded(record, "no class", media))
    with SqliteLog(path, max_bytes=len(PNG) if is_kept else len(PNG) - 1) as log:
        for event in made:
            log.on_event(event)

    assert count(path, "pieces") == 1


async def test_other_kinds_of_work_are_kept_too(log, path):
    """By the words and media that their classes hold, whatever these are."""
    record = Record("c" * 32, "image", "generate", provider="acme")
    asked = Asked("A lighthouse.", "16:9", Image(PNG))
    log.on_event(CallStarted(record))
    log.on_event(CallEnded(record, asked, Made((Image(PNG), Image(PNG + b"2")), "x", record)))
    other = Record("d" * 32, "speech", "synthesize")
    log.on_event(CallEnded(other, "no class", Audio(b"RIFF....WAVE", media_type="audio/wav")))
    log.flush()

    found = call(path, 1)
    assert [one["type"] for one in found["conversations"][0]["prompt"][0]["parts"]] == [
        "text", "image",
    ]  # fmt: skip
    assert len(found["conversations"][0]["answer"]["parts"]) == 2
    assert found["settings"]["size"] == "16:9"
    assert count(path, "pieces") == 4
    assert call(path)["conversations"][0]["answer"]["parts"][0]["type"] == "audio"


async def test_call_that_cannot_be_read_is_told_and_others_are_kept(log, path, caplog):
    """A stranger's class may raise whatever it likes."""

    class Odd(dict):
        def items(self):
            raise ZeroDivisionError

    log.on_event(CallEnded(Record("c" * 32, "odd", "do", tags=Odd()), None))
    async with client(log) as ai:
        await ai.text.generate("Which way?")
    log.flush()

    assert [row["prompt"] for row in calls(path)] == ["Which way?"]
    assert any("ZeroDivisionError" in one.getMessage() for one in caplog.records)


async def test_every_kind_of_part_and_setting_is_kept(log, path):
    """What a chat came to, and what it was asked for, is seen as it was."""
    thought = Message.assistant(Reasoning("Hm."), Citation("https://a.b/c"), "Yes.")
    used = Usage(3, 4, units=[Used("search", 2)])
    answer = TextResult(thought, Finish(usage=used))
    tool = ToolSpec(name="rate", description="Tells a rate.")
    async with client(log, acme=Acme(answer)) as ai:
        asked = ["Look.", File(b"%PDF-1.7", name="a.pdf"), Image(url="https://a.b/c.png")]
        await ai.text.generate(
            asked, tools=[tool], web_search=WebSearch(max_uses=2), stop=["."], timeout=5
        )
    log.flush()

    found = call(path)
    assert found["settings"] == {"tools": ["rate"], "web_search": {"max_uses": 2}, "stop": ["."]}
    assert found["usage"]["units"] == [{"unit": "search", "amount": "2", "size": ""}]
    (conversation,) = found["conversations"]
    _, document, picture = conversation["prompt"][0]["parts"]
    assert (document["type"], document["name"]) == ("file", "a.pdf")
    assert picture == {"type": "image", "media_type": "", "url": "https://a.b/c.png"}
    kinds = [part["type"] for part in conversation["answer"]["parts"]]
    assert kinds == ["reasoning", "citation", "text"]
    assert prompts(path, "hm") == ["Look."]
    assert logs(["--file", str(path), "show", found["id"]]) == 0
