"""Chat: a conversation that is kept, and whose tools are run."""

from __future__ import annotations

import dataclasses
import json
import threading

import anyio
import pytest
from anymodal import Image, Message, TextDelta, Tool
from anymodal import errors as e
from anymodal.facades.chat import Chat
from anymodal.facades.chat_stream import ToolRan
from anymodal.facades.text_stream import PartialOutput
from anymodal.modalities.messages import ProviderState, ToolResult
from anymodal.modalities.text import Finish, ReasoningDelta, ToolCallDelta, ToolSpec

from .talking import MODEL, Scripted, asks, client_of, says

pytestmark = pytest.mark.anyio
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(params=["generate", "stream"])
def say(request):
    """Say something to a chat, at once or streamed, and return the last answer."""

    async def at_once(chat, prompt, **arguments):
        return await chat.generate(prompt, **arguments)

    async def streamed(chat, prompt, **arguments):
        async with chat.stream(prompt, **arguments) as stream:
            return await stream.result()

    return at_once if request.param == "generate" else streamed


def rate(currency: str) -> str:
    """Return the rate of a currency."""
    return f"{currency} is 2"


async def shout(word: str) -> str:
    """Say it aloud."""
    return word.upper()


ASKED = asks("rate", '{"currency":"EUR"}')
LOUD = asks("shout", '{"word":"a"}', "c-2")
OUTSIDE = ToolSpec(name="outside")


def results(chat):
    return [
        (part.id, part.content, part.is_error)
        for message in chat.messages
        for part in message.parts
        if isinstance(part, ToolResult)
    ]


def roles(chat):
    return [message.role for message in chat.messages]


# -- turns -----------------------------------------------------------------------------------------


async def test_a_chat_remembers(say):
    """Each turn sends all turns before it."""
    provider = Scripted(says("one"), says("two"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, system="Be brief.", temperature=0.5)
        first = await say(chat, "a")
        second = await say(chat, ["b", Image(PNG)])

    assert ("one", "two") == (first.text, second.text)
    assert [1, 3] == [len(request.messages) for request in provider.requests]
    assert {("Be brief.", 0.5)} == {(r.system, r.temperature) for r in provider.requests}
    assert ["user", "assistant", "user", "assistant"] == roles(chat)
    assert [first.record, second.record] == chat.records


async def test_tools_are_run_until_the_model_has_its_answer(say):
    """All of a round together, results in the order of the calls."""
    provider = Scripted(says("Wait.", ASKED, LOUD), says(asks("shout", '{"word":"b"}')), says("2!"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate, Tool(shout)])
        reply = await say(chat, "What is the rate?")

    assert "2!" == reply.text
    assert [("c-1", "EUR is 2", False), ("c-2", "A", False), ("c-1", "B", False)] == results(chat)
    assert ["user", "assistant"] * 3 == roles(chat)
    assert ["rate", "shout"] == [tool.name for tool in provider.requests[0].tools]
    assert [1, 3, 5] == [len(request.messages) for request in provider.requests]
    assert 3 == len(chat.records)
    assert () == chat.pending


async def test_tools_of_one_round_run_at_once(say):
    """Each waits for the other; the slower comes first all the same."""
    met = anyio.Event()
    ended = []

    async def slow() -> str:
        await met.wait()
        await anyio.sleep(0.01)
        ended.append("slow")
        return "s"

    async def quick() -> str:
        met.set()
        ended.append("quick")
        return "q"

    provider = Scripted(says(asks("slow"), asks("quick", id="c-2")), says("done"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[slow, quick])
        await say(chat, "Go.")

    assert ["quick", "slow"] == ended
    assert ["s", "q"] == [content for _, content, _ in results(chat)]


async def test_what_goes_wrong_is_for_the_model_to_read(say):
    """Failures, refusals, misfits and tools that are not there; the chat goes on."""

    def fails() -> None:
        msg = "no"
        raise LookupError(msg)

    calls = [
        asks("fails", id="1"),
        asks("secret", id="2"),
        asks("rate", '{"currency":1}', id="3"),
        asks("absent", id="4"),
        asks("rate", '{"currency":"EUR"}', id="5"),
    ]
    provider = Scripted(says(*calls), says("I see."))
    async with client_of(provider) as ai:
        secret = Tool(lambda: "!", name="secret", schema={}, approve=lambda call: False)
        chat = ai.text.chat(model=MODEL, tools=[fails, secret, rate])
        assert "I see." == (await say(chat, "Go.")).text

    found = results(chat)
    assert ["1", "2", "3", "4", "5"] == [call for call, _, _ in found]
    assert [True, True, True, True, False] == [failed for _, _, failed in found]
    for word, (_, content, _) in zip(
        ["LookupError: no", "not allow", "Expected `str`", "no tool 'absent'; there are: fails"],
        found,
        strict=False,
    ):
        assert word in content


async def test_rounds_are_bounded(say):
    """The error has the conversation, and the chat can go on."""
    ran = []

    def again() -> str:
        ran.append(1)
        return "more"

    provider = Scripted(*[says(asks("again"))] * 3, says("enough"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[again], max_rounds=3)
        with pytest.raises(e.RoundsExceededError, match="3 rounds") as caught:
            await say(chat, "Go.")
        assert tuple(chat.messages) == caught.value.messages
        assert 7 == len(caught.value.messages)
        assert caught.value.record is chat.records[-1]
        assert (3, 3) == (len(ran), len(provider.requests))
        assert () == chat.pending

        assert "enough" == (await chat.step()).text


@pytest.mark.parametrize("rounds", [0, -1, 2.5, None])
async def test_no_bound_is_no_number(rounds):
    """Before anything is said."""
    async with client_of(Scripted(says("x"))) as ai:
        with pytest.raises(e.InvalidRequestError, match="max_rounds"):
            ai.text.chat(model=MODEL, max_rounds=rounds)


async def test_bad_tools_are_refused_when_the_chat_is_made():
    """Not when the model first asks."""

    def untyped(x): ...

    async with client_of(Scripted(says("x"))) as ai:
        for tools in ([untyped], [rate, rate], ["rate"]):
            with pytest.raises(e.InvalidRequestError) as caught:
                ai.text.chat(model=MODEL, tools=tools)
            assert "tools" == caught.value.field


async def test_a_forced_tool_is_forced_once_a_turn(say):
    """Else the model could never answer."""
    provider = Scripted(says(ASKED), says("2"), says(ASKED), says("again 2"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate, shout], tool_choice="rate")
        assert "2" == (await say(chat, "a")).text
        assert "again 2" == (await say(chat, "b")).text

    assert ["rate", "auto", "rate", "auto"] == [r.tool_choice for r in provider.requests]


async def test_no_tools_stays_no_tools(say):
    """`none` and `auto` hold throughout."""
    provider = Scripted(says(ASKED), says("2"))
    async with client_of(provider) as ai:
        await say(ai.text.chat(model=MODEL, tools=[rate], tool_choice="none"), "a")

    assert ["none", "none"] == [r.tool_choice for r in provider.requests]


# -- step by step ---------------------------------------------------------------------------------


async def test_a_chat_can_be_stepped():
    """Look at what is asked for, run it, go on."""
    provider = Scripted(says(ASKED), says("2"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate])
        chat.add("What is the rate?")
        assert () == chat.pending
        reply = await chat.step()
        assert (ASKED,) == chat.pending == reply.tool_calls
        with pytest.raises(e.InvalidRequestError, match="rate was asked for") as caught:
            await chat.step()
        assert "messages" == caught.value.field
        (ran,) = await chat.run_tools()
        assert ToolRan(ASKED, ToolResult("c-1", "EUR is 2", "rate")) == ran
        assert () == await chat.run_tools()
        assert "2" == (await chat.step()).text

    assert 2 == len(provider.requests)


async def test_tools_that_only_the_caller_can_run(say):
    """The rest is run; the caller's come back in `pending`, and all results stand together."""
    outside = asks("outside", id="c-0")
    provider = Scripted(says(outside, ASKED, asks("outside", id="c-9")), says("done"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate, OUTSIDE])
        reply = await say(chat, "Go.")
        assert ["c-0", "c-9"] == [call.id for call in chat.pending]
        assert 3 == len(reply.tool_calls)
        chat.add(ToolResult("c-9", "nine", "outside"))
        with pytest.raises(e.InvalidRequestError, match="outside"):
            await chat.step()
        assert "done" == (await say(chat, ToolResult("c-0", "zero", "outside"))).text

    assert ["c-0", "c-1", "c-9"] == [call for call, _, _ in results(chat)]
    assert ["user", "assistant", "user", "assistant"] == roles(chat)


async def test_what_was_never_run_is_answered_for(say):
    """No vendor takes a call without a result."""
    provider = Scripted(says(asks("outside", id="c-0"), asks("outside", id="c-1")), says("Fine."))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[OUTSIDE])
        await say(chat, "Go.")
        await say(chat, [ToolResult("c-1", "one", "outside"), "And leave the other."])

    assert [("c-0", "Error: it was not run to its end.", True), ("c-1", "one", False)] == results(
        chat
    )
    assert ["user", "assistant", "user", "user", "assistant"] == roles(chat)


async def test_cancelled_tools_leave_a_conversation_that_can_go_on(say):
    """What had a result keeps it; the rest may be run again, or passed over."""
    started = anyio.Event()

    async def quick() -> str:
        return "q"

    async def slow() -> str:
        started.set()
        await anyio.sleep_forever()
        return "never"

    provider = Scripted(says(asks("slow"), asks("quick", id="c-2")), says("Let us go on."))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[slow, quick])
        async with anyio.create_task_group() as group:
            group.start_soon(say, chat, "Go.")
            await started.wait()
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert ["slow"] == [call.name for call in chat.pending]
        assert [("c-2", "q", False)] == results(chat)

        restored = ai.text.chat(
            model=MODEL, tools=[slow], restore=json.loads(json.dumps(chat.dump()))
        )
        assert chat.pending == restored.pending

        assert "Let us go on." == (await say(chat, "Never mind.")).text

    assert ["c-1", "c-2"] == [call for call, _, _ in results(chat)]
    assert ["user", "assistant", "user", "user", "assistant"] == roles(chat)


async def test_sync_tools_that_are_cancelled_hold_nobody_up():
    """Their thread is left to itself."""
    go_on, started = threading.Event(), threading.Event()

    def stuck() -> None:
        started.set()
        go_on.wait(20)

    async with client_of(Scripted(says(asks("stuck")), says("on"))) as ai:
        chat = ai.text.chat(model=MODEL, tools=[stuck])
        async with anyio.create_task_group() as group:
            group.start_soon(chat.generate, "Go.")
            while not started.is_set():
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()
        assert not go_on.is_set()
        assert "on" == (await chat.generate("Never mind.")).text
        go_on.set()


async def test_a_failed_call_leaves_the_conversation_as_it_was(say):
    """`step` goes on from there."""
    provider = Scripted(says(ASKED), e.OverloadedError("acme: busy"), says("2"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate])
        with pytest.raises(e.OverloadedError):
            await say(chat, "Go.")
        assert ["user", "assistant", "user"] == roles(chat)
        assert "2" == (await chat.step()).text

    assert isinstance(chat.records[1].attempts[-1].error, e.OverloadedError)


# -- streams ----------------------------------------------------------------------------------------


async def test_events_of_all_rounds_and_one_finish():
    """Words, calls, `ToolRan` before the next request is sent, and the end at the end."""
    provider = Scripted(says("Wait.", ASKED), says("2"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate])
        seen = []
        async with chat.stream("What is the rate?") as stream:
            async for event in stream:
                seen.append(event)
                if isinstance(event, ToolRan):
                    assert 1 == len(provider.requests)
            reply = await stream.result()
            assert stream.record is chat.records[-1]

    assert [
        TextDelta("Wait."),
        ToolCallDelta(0, "c-1", "rate", '{"currency":"EUR"}'),
        ToolRan(ASKED, ToolResult("c-1", "EUR is 2", "rate")),
        TextDelta("2"),
        Finish("stop"),
    ] == seen
    assert "2" == reply.text
    assert 2 == provider.closed


async def test_words_of_all_rounds():
    """And nothing else."""
    async with client_of(Scripted(says("Wait. ", ASKED), says("2"))) as ai:
        async with ai.text.chat(model=MODEL, tools=[rate]).stream("Go.") as stream:
            assert ["Wait. ", "2"] == [piece async for piece in stream.text]


async def test_a_stream_left_early_keeps_what_was_said():
    """And its connection is closed."""
    provider = Scripted(
        [TextDelta("Once "), TextDelta("upon "), TextDelta("a "), Finish()], says("x")
    )
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL)
        async with chat.stream("Tell a story.") as stream:
            await anext(stream)
            await anext(stream)
        assert 1 == provider.closed
        assert Message.assistant("Once upon ") == chat.messages[-1]
        with pytest.raises(e.ConfigurationError, match="not open"):
            await anext(stream)
        await chat.generate("Stop.")

    assert ["user", "assistant", "user"] == [m.role for m in provider.requests[1].messages]


async def test_a_stream_left_between_rounds_keeps_results():
    """What had been run is not run again, and nothing is said twice."""
    async with client_of(Scripted(says("Wait.", ASKED), says("2"))) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate])
        async with chat.stream("Go.") as stream:
            async for event in stream:
                if isinstance(event, ToolRan):
                    break
        assert ["user", "assistant", "user"] == roles(chat)
        assert () == chat.pending
        assert "2" == (await chat.step()).text


async def test_a_stream_that_was_never_entered_says_nothing():
    """Nor does one that cannot be opened take anything back."""
    async with client_of(Scripted(says("x"))) as ai:
        chat = ai.text.chat(model=MODEL)
        stream = chat.stream("Hello.")
        for ask in (stream.result, lambda: anext(stream)):
            with pytest.raises(e.ConfigurationError, match="not open"):
                await ask()
        with pytest.raises(e.ConfigurationError, match="not open"):
            _ = stream.record
        await stream.aclose()

    assert [] == chat.messages


async def test_a_stream_that_breaks_keeps_what_was_before_it():
    """The half answer is in the error; `step` asks again. The fault stays."""
    broken = [TextDelta("Ha"), e.ConnectionFailedError("acme: gone")]
    async with client_of(Scripted(says(ASKED), broken, says("2"))) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate])
        with pytest.raises(e.IncompleteError) as caught:
            async with chat.stream("Go.") as stream:
                try:
                    async for _ in stream:
                        pass
                finally:
                    with pytest.raises(e.IncompleteError):
                        await stream.result()
        assert "Ha" == caught.value.partial
        assert ["user", "assistant", "user"] == roles(chat)
        assert "2" == (await chat.step()).text


# -- structured answers -------------------------------------------------------------------------------


@dataclasses.dataclass
class Answer:
    rate: int


async def test_output_together_with_tools(say):
    """Only the last answer has to have the shape."""
    provider = Scripted(says("Looking.", ASKED), says('{"rate":2}'))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate], output=Answer)
        reply = await say(chat, "Go.")

    assert Answer(2) == reply.output
    assert ["rate"] == [*provider.requests[1].schema["properties"]]


async def test_output_of_one_turn(say):
    """Over that of the chat, and for that turn alone."""
    provider = Scripted(says('{"rate":2}'), says("words"))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL)
        assert Answer(2) == (await say(chat, "a", output=Answer)).output
        assert (await say(chat, "b")).output is None


async def test_output_that_does_not_fit(say):
    """Its text is in the error, and not in the conversation: `step` asks again."""
    provider = Scripted(says('{"rate":"x"}'), says('{"rate":2}'))
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, output=Answer)
        with pytest.raises(e.InvalidOutputError, match="Expected `int`") as caught:
            await say(chat, "a")
        assert '{"rate":"x"}' == caught.value.partial
        assert ["user"] == roles(chat)
        assert Answer(2) == (await chat.step()).output


async def test_partial_output_while_streaming():
    """Of the round that answers; what was said of tools is no JSON."""
    last = [TextDelta('{"ra'), TextDelta('te":2'), TextDelta("}"), Finish()]
    async with client_of(Scripted(says("Looking.", ASKED), last)) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate], output=Answer)
        async with chat.stream("Go.") as stream:
            seen = [event.value async for event in stream if isinstance(event, PartialOutput)]
            assert Answer(2) == (await stream.result()).output

    assert [{}, {"rate": 2}] == seen


# -- keeping it --------------------------------------------------------------------------------------


async def test_a_chat_survives_json(say):
    """State, media, calls, results and failures; another chat goes on from there."""
    state = ProviderState("acme", [{"index": 0, "item": {"seal": "s"}}])
    first = says("Wait.", ASKED)
    provider = Scripted(
        type(first)(Message("assistant", first.message.parts, [state]), Finish("tool_calls")),
        says("2"),
        says("3"),
    )
    async with client_of(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate])
        await say(chat, ["Look.", Image(PNG)])
        text = json.dumps(chat.dump())
        again = ai.text.chat(model=MODEL, tools=[rate], restore=json.loads(text))
        assert chat.messages == again.messages
        assert json.loads(text) == again.dump()
        assert "3" == (await say(again, "And now?")).text

    assert (state,) == provider.requests[2].messages[1].state
    assert [] == chat.records[2:]


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"format": 2, "messages": []},
        {"format": 1},
        {"format": 1, "messages": "x"},
        {"format": 1, "messages": [{"role": "robot", "parts": ["x"]}]},
        {"format": 1, "messages": [3]},
        [],
        "x",
    ],
    ids=str,
)
async def test_what_was_never_dumped_is_refused(found):
    """Files get mixed up."""
    async with client_of(Scripted(says("x"))) as ai:
        with pytest.raises(e.InvalidRequestError):
            ai.text.chat(model=MODEL, restore=found)


async def test_reasoning_is_streamed_and_kept():
    """It goes back where the vendor wants it."""
    events = [ReasoningDelta("Hm."), TextDelta("2"), Finish()]
    async with client_of(Scripted(events)) as ai:
        chat = ai.text.chat(model=MODEL)
        async with chat.stream("Go.") as stream:
            reply = await stream.result()

    assert "Hm." == reply.reasoning
    assert reply.message is chat.messages[-1]


async def test_two_chats_do_not_mix():
    """A chat belongs to whoever made it."""
    async with client_of(Scripted(says("x"))) as ai:
        one, other = ai.text.chat(model=MODEL), ai.text.chat(model=MODEL)
        await one.generate("a")

    assert isinstance(other, Chat)
    assert [] == other.messages


async def test_calls_without_an_id_are_told_apart():
    """Some servers give none."""
    calls = [asks("outside", id=""), asks("outside", '{"n":1}', id="")]
    async with client_of(Scripted(says(*calls))) as ai:
        chat = ai.text.chat(model=MODEL, tools=[OUTSIDE])
        await chat.generate("Go.")
        assert tuple(calls) == chat.pending
        chat.add(ToolResult("", "one", "outside"))
        assert (calls[1],) == chat.pending
