"""A client of fakes: everything above the vendors is real, and says what a test has given."""

import subprocess
import sys

import anyio
import anyio.lowlevel
import pytest
from anymodal import (
    Audio,
    Budget,
    Image,
    JobStatus,
    Message,
    ModelSpec,
    Policy,
    Reasoning,
    Retry,
    Settings,
    SyncClient,
    TextDelta,
    TextResult,
    ToolCall,
    Usage,
    Video,
)
from anymodal import errors as e
from anymodal.modalities.audio import AudioResult
from anymodal.modalities.embedding import EmbeddingResult, dense
from anymodal.modalities.filters import Eq
from anymodal.modalities.image import ImageResult
from anymodal.modalities.live import Partial, ResponseDone, SpeechStarted, Transcript, TurnEnded
from anymodal.modalities.realtime import AudioIn, RealtimeRequest, Respond, TextIn, TurnDetection
from anymodal.modalities.retrieval import (
    Collection,
    CountRequest,
    CreateRequest,
    Document,
    Hit,
    QueryResult,
)
from anymodal.modalities.sounds import SoundFormat
from anymodal.modalities.speech import AudioChunk, SpeechEnd, SpeechResult
from anymodal.modalities.text import Finish
from anymodal.modalities.transcription import TranscriptionEnd, TranscriptionResult
from anymodal.modalities.video import VideoResult
from anymodal.resolution.best import best
from anymodal.testing import FakeClient, FakeClock, FakeSyncClient, NoReplyLeftError
from anymodal.testing.fake_search import FakeRetrieval
from anymodal.testing.lines import Line
from anymodal.testing.payloads import clip, picture, sound
from anymodal.testing.replies import Replies, Requests

pytestmark = pytest.mark.anyio
MODEL = "acme/acme-1"
BUSY = e.RateLimitedError("busy", retry_after=7.5)
DOWN = e.ServerError("down")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


# -- names, settings, policy ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        (MODEL, "acme", "acme-1"),
        ("acme/of/many-parts", "acme", "of/many-parts"),
        ("acme-1", "fake", "acme-1"),
        ("Odd/one", "fake", "Odd/one"),
        (None, "fake", "fake"),
        ("fast", "acme", "small"),
        ("work/large", "acme", "large"),
        (best(), "fake", "fake"),
    ],
)
async def test_every_name_is_served(name, provider, model):
    """An application's own names stay in its tests, and nothing is warned of."""
    settings = {
        "aliases": {"fast": ["acme/small"]},
        "instances": {"work": {"provider": "acme", "api_key": "k", "region": "eu"}},
    }
    async with FakeClient(text=["yes"], settings=settings) as ai:
        reply = await ai.text.generate("hi", model=name)

    assert "yes" == reply.text
    assert (provider, model, []) == (reply.record.provider, reply.record.model, reply.record.warnings)  # fmt: skip


async def test_defaults_and_routes_of_the_settings_are_heeded():
    """As they are by the real client; they may come as `Settings` too."""
    settings = Settings.from_mapping(
        {"defaults": {"text": "acme/usual"}, "routes": {"text": {"short": "acme/routed"}}},
        environ={},
    )
    async with FakeClient(text=["a", "b"], settings=settings) as ai:
        usual = await ai.text.generate("hi")
        routed = await ai.text.generate("hi", model="short")

    assert ("acme", "usual") == (usual.record.provider, usual.record.model)
    assert ("acme", "routed") == (routed.record.provider, routed.record.model)


async def test_the_registry_lists_whom_it_stands_for():
    """Of each kind of work, or of all."""
    async with FakeClient() as ai:
        ai.registry.explain(MODEL)

        assert {"fake", "acme"} == {one.instance for one in ai.registry.providers("image")}
        assert 18 == len(ai.registry.providers())
        assert () == ai.registry.providers("smell")


async def test_failures_are_retried_in_no_time():
    """By the real policy: waits are those that the vendor asks for."""
    async with FakeClient(text=[BUSY, DOWN, "yes"]) as ai:
        reply = await ai.text.generate("hi", model=MODEL)

        assert "yes" == reply.text
        assert [7.75, 0.5] == pytest.approx(ai.clock.slept)
        assert 3 == len(ai.requests.text)


async def test_one_error_may_be_given_many_times():
    """Each is raised as a new one, with the record of its call."""
    async with FakeClient(text=[DOWN] * 4, policy=Policy(retry=Retry(attempts=2))) as ai:
        errors = []
        for _ in range(2):
            with pytest.raises(e.ServerError) as caught:
                await ai.text.generate("hi", model=MODEL)
            errors.append(caught.value)

    assert errors[0] is not errors[1]
    assert 2 == len({id(one.record) for one in errors})


async def test_failover_goes_on_to_the_next():
    """Replies are given in the order of requests, whoever is asked."""
    once = Policy(retry=Retry(attempts=1))
    async with FakeClient(text=[e.OverloadedError("full"), "from b"], policy=once) as ai:
        reply = await ai.text.generate("hi", model=["a/one", "b/two"])

    assert ("from b", "b") == (reply.text, reply.record.provider)


async def test_a_deadline_ends_what_hangs():
    """In no time, and at the moment it is due."""
    clock = FakeClock()

    async def late(request):
        await clock.sleep(60)

    once = Policy(retry=Retry(attempts=1))
    async with FakeClient(text=late, clock=clock, policy=once) as ai:
        with pytest.raises(e.DeadlineExceededError):
            await ai.text.generate("hi", model=MODEL, timeout=20)

    assert 20 == clock.now()


async def test_budgets_are_kept():
    """It counts words for tokens."""
    policy = Policy(budgets=Budget(tokens=2000))
    async with FakeClient(text=["one two three", "never"], policy=policy) as ai:
        reply = await ai.text.generate("four words are here", model=MODEL, system="and two")
        with pytest.raises(e.BudgetExceededError):
            await ai.text.generate("x", model=MODEL, max_tokens=3000)

    assert Usage(input_tokens=6, output_tokens=3) == reply.usage
    assert 1 == len(ai.requests.text)


async def test_tenants_are_served_by_the_same_fakes():
    """A scoped client takes the next reply."""
    async with FakeClient(text=["one", "two"]) as ai:
        first = await ai.text.generate("hi", model=MODEL)
        second = await ai.scoped("ann").text.generate("hi", model=MODEL)

        assert ("one", "two") == (first.text, second.text)
        assert 2 == len(ai.requests.text)


def test_nothing_is_read(tmp_path, monkeypatch):
    """No file, no variable; and the fakes cost nobody anything who does not use them."""
    (tmp_path / "anymodal.toml").write_text("[defaults]\ntext = 'broken")
    script = (
        "import sys, anymodal; assert 'anymodal.testing' not in sys.modules\n"
        "from anymodal.testing import FakeSyncClient\n"
        "with FakeSyncClient(text=['yes']) as ai: print(ai.text.generate('hi').text)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=tmp_path, capture_output=True, text=True,
        check=False, env={"ANYMODAL_CONFIG": "/nowhere", "ANYMODAL_PLUGINS": "!!"},
    )  # fmt: skip

    assert ("yes\n", "") == (done.stdout, done.stderr)


# -- replies ----------------------------------------------------------------------------------


async def test_when_replies_run_out_it_is_said_what_was_asked():
    """And how many there were."""
    async with FakeClient(text=["one"]) as ai:
        await ai.text.generate("hi", model=MODEL)
        with pytest.raises(NoReplyLeftError) as caught:
            await ai.text.generate("and now?", model=MODEL, temperature=0.5)
        with pytest.raises(NoReplyLeftError, match="image was given no replies"):
            await ai.image.generate("a lighthouse " * 50, model=MODEL)

    said = str(caught.value)
    assert "text was given 1 reply, all used" in said
    assert "and now?" in said
    assert "temperature=0.5" in said
    assert "ModelSpec" not in said
    assert "no_reply_left" == caught.value.code


async def test_functions_are_asked():
    """Plain or async; one for all requests, or one for its turn."""

    async def slowly(request):
        await anyio.lowlevel.checkpoint()
        return request.messages[-1].text.upper()

    async with FakeClient(text=[lambda request: request.model.id, slowly]) as ai:
        assert "acme-1" == (await ai.text.generate("hi", model=MODEL)).text
        assert "HI" == (await ai.text.generate("hi", model=MODEL)).text
    async with FakeClient(text=slowly) as ai:
        assert ["A", "B"] == [(await ai.text.generate(one, model=MODEL)).text for one in "ab"]


@pytest.mark.parametrize("given", ["yes", b"yes", 7])
def test_replies_are_several_or_a_function(given):
    """A string alone is a mistake that would show up as letters."""
    with pytest.raises(e.ConfigurationError, match="a list of replies"):
        FakeClient(text=given)


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        ("text", lambda ai: ai.text.generate("hi")),
        ("image", lambda ai: ai.image.generate("hi")),
        ("video", lambda ai: ai.video.generate("hi")),
        ("audio", lambda ai: ai.audio.generate("hi")),
        ("speech", lambda ai: ai.speech.synthesize("hi")),
        ("transcription", lambda ai: ai.transcription.transcribe(Audio(sound("hi")))),
        ("embedding", lambda ai: ai.embedding.embed(["hi"])),
    ],
)
async def test_what_is_no_reply_is_refused(kind, ask):
    """With what would be one."""
    async with FakeClient(**{kind: [object()]}) as ai:
        with pytest.raises(e.ConfigurationError, match=f"{kind} cannot reply a object; "):
            await ask(ai)


# -- text -------------------------------------------------------------------------------------


async def test_text_comes_word_by_word():
    """And whole."""
    async with FakeClient(text=["Rhine, Rhone,\n Po ", ""]) as ai:
        async with ai.text.stream("Three rivers?", model=MODEL) as stream:
            pieces = [event.text async for event in stream if isinstance(event, TextDelta)]
            result = await stream.result()
        empty = await ai.text.generate("hi", model=MODEL)

    assert ["Rhine,", " Rhone,", "\n Po "] == pieces
    assert "Rhine, Rhone,\n Po " == result.text
    assert "" == empty.text


async def test_results_parts_and_mappings_are_replies():
    """Whatever a model may say."""
    whole = TextResult(Message.assistant("whole"), Finish("length"))
    thought = [Reasoning("hm"), "and ", "so"]
    async with FakeClient(text=[whole, thought, {"total": 3}]) as ai:
        assert "length" == (await ai.text.generate("hi", model=MODEL)).finish_reason
        reply = await ai.text.generate("hi", model=MODEL)
        told = await ai.text.generate(
            "hi", model=MODEL, output={"type": "object", "properties": {"total": {"type": "integer"}}}
        )  # fmt: skip

    assert ("hm", "and so") == (reply.reasoning, reply.text)
    assert {"total": 3} == told.output


async def test_events_are_given_as_they_are():
    """Also where an answer breaks half-way."""
    broken = [TextDelta("half"), e.IncompleteError("gone")]
    async with FakeClient(text=[broken, (TextDelta("all"), Finish())]) as ai:
        seen = []
        with pytest.raises(e.IncompleteError):
            async with ai.text.stream("hi", model=MODEL) as stream:
                seen += [event async for event in stream]
        reply = await ai.text.generate("hi", model=MODEL)

    assert "all" == reply.text


async def test_tools_are_run():
    """By the chat itself; the model is then asked again, with what they gave."""

    def weather(city: str) -> str:
        """Look out of the window."""
        return f"sunny in {city}"

    async with FakeClient(text=[ToolCall("c-1", "weather", '{"city": "Rome"}'), "Sunny!"]) as ai:
        chat = ai.text.chat(model=MODEL, tools=[weather])
        reply = await chat.generate("And in Rome?")

        assert "Sunny!" == reply.text
        first, second = ai.requests.text
        assert "sunny in Rome" in repr(second.messages[-1])
        assert ["weather"] == [one.name for one in first.tools]


async def test_batches_are_answered_line_by_line():
    """An error is that of its line."""
    async with FakeClient(text=["one", e.ContentFilteredError("no"), "three"]) as ai:
        job = await ai.text.batch(["a", "b", "c"], model=MODEL)
        await job.cancel()
        batch = await job.result()

    assert ["one", "three"] == [one.text for one in batch.answers]
    assert [1] == list(batch.errors)


# -- pictures, clips, sound -------------------------------------------------------------------


async def test_pictures():
    """Words become one that is described by them."""
    png = picture("bytes")
    given = ["a lighthouse", png, Image(png), [png, png], ImageResult(images=(Image(png),), seed=7)]
    async with FakeClient(image=given) as ai:
        made = [await ai.image.generate("hi", model=MODEL) for _ in given[:4]]
        edited = await ai.image.edit("red", images=[Image(png)], model=MODEL)
    async with FakeClient(image=["twice"]) as ai:
        twice = await ai.image.generate("hi", model=MODEL, count=2)

    assert (1, 1) == made[0].image.dimensions
    assert b"a lighthouse" in made[0].image.data
    assert [1, 1, 1, 2] == [len(one.images) for one in made]
    assert 7 == edited.seed
    assert 2 == len(twice.images)


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_jobs_run_their_course(kind, tmp_path):
    """Submitted, half done, done; and come back to by their token."""
    async with FakeClient(**{kind: ["the sea", "again", DOWN]}, policy=Policy(retry=Retry(attempts=1))) as ai:  # fmt: skip
        facade = getattr(ai, kind)
        job = await facade.submit("waves", model=MODEL, key="k-1")
        states = [status.state async for status in job.progress()]
        result = await job.result(into=tmp_path / f"waves.{'mp4' if kind == 'video' else 'wav'}")
        again = await ai.jobs.resume(job.token).result()
        whole = await facade.generate("waves", model=MODEL)
        with pytest.raises(e.ServerError):
            await facade.submit("waves", model=MODEL)

        assert ["running", "succeeded"] == states
        assert 2 <= len(ai.clock.slept)
    for made in (result, again, whole):
        assert made.media.read_bytes()
    assert b"the sea" in again.media.read_bytes()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ([JobStatus(state="failed", message="no")], e.JobFailedError),
        ([JobStatus(state="queued"), JobStatus(state="filtered")], e.ContentFilteredError),
    ],
)
async def test_jobs_may_fail(reply, error):
    """As they are told to."""
    async with FakeClient(video=[reply]) as ai:
        job = await ai.video.submit("waves", model=MODEL)
        with pytest.raises(error):
            await job.result()


async def test_states_of_a_job_may_be_given():
    """And its result last."""
    quarter, done = JobStatus(state="running", progress=0.25), JobStatus(state="succeeded")
    film = VideoResult(video=Video(clip("film")), seed=7)
    async with FakeClient(video=[[quarter, quarter, film], [quarter, done, "clip"]]) as ai:
        job = await ai.video.submit("waves", model=MODEL)
        assert [0.25, 0.25, None] == [
            None if one.state == "succeeded" else one.progress async for one in job.progress()
        ]
        assert 7 == (await job.result()).seed
        assert (await ai.video.generate("waves", model=MODEL)).video.size


@pytest.mark.parametrize("reply", [[], ["a", "b"], [7], [JobStatus(state="succeeded")]])
async def test_what_no_job_can_be_is_refused(reply):
    """When it is submitted, and not when it is fetched."""
    async with FakeClient(video=[reply]) as ai:
        with pytest.raises(e.ConfigurationError, match="video cannot reply"):
            await ai.video.submit("waves", model=MODEL)


async def test_jobs_can_be_stopped():
    """And then have nothing."""
    async with FakeClient(audio=["sea"]) as ai:
        job = await ai.audio.submit("waves", model=MODEL)
        await job.cancel()
        with pytest.raises(e.JobFailedError):
            await job.result()


async def test_clips_are_composed_and_sound_is_enhanced():
    """At once."""
    wav = Audio(sound("noise"))
    given = [b"".join([sound("x")]), wav, AudioResult(audio=wav, seed=3)]
    async with FakeClient(video=[Video(clip("film"))], audio=given) as ai:
        film = await ai.video.compose([Video(clip("a")), Video(clip("b"))], model=MODEL)
        made = [await ai.audio.enhance(wav, model=MODEL) for _ in given]

        assert "CompositionRequest" == type(ai.requests.video[0]).__name__
    assert b"film" in film.video.data
    assert 3 == made[2].seed


# -- voices -----------------------------------------------------------------------------------


async def test_speech_is_as_long_as_its_words():
    """In the format that is asked for, as far as silence can be."""
    async with FakeClient(speech=["hello, all"] * 3) as ai:
        plain = await ai.speech.synthesize("x", voice="acme/Ann")
        bare = await ai.speech.synthesize("x", model=MODEL, format="pcm_8000")
        wav = await ai.speech.synthesize("x", model=MODEL, format="wav_16000")

    assert "Ann" == plain.voice.id
    assert 0.5 == pytest.approx(plain.audio.seconds)
    assert 8000 == len(bare.audio.data)
    assert 16_000 == wav.audio.sample_rate_hz


async def test_speech_as_it_is_given():
    """Bytes, media, chunks and results."""
    mp3 = b"ID3 sound"
    given = [
        mp3,
        Audio(mp3, media_type="audio/mpeg"),
        [AudioChunk(b"ID3 "), AudioChunk(b"sound")],
        [AudioChunk(mp3), SpeechEnd(request_id="r-1")],
        SpeechResult(
            audio=Audio(mp3, media_type="audio/mpeg"), request_id="r-2", format=SoundFormat("mp3")
        ),
        [AudioChunk(b"ID3"), DOWN],
    ]
    once = Policy(retry=Retry(attempts=1))
    async with FakeClient(speech=given, policy=once) as ai:
        said = [await ai.speech.synthesize("x", model=MODEL, format="mp3") for _ in given[:5]]
        with pytest.raises(e.ServerError):
            await ai.speech.synthesize("x", model=MODEL, format="mp3")

    assert {mp3} == {one.audio.data for one in said}
    assert ["r-1", "r-2"] == [one.record.request_id for one in said[3:]]


async def test_speech_of_text_that_comes_in_pieces():
    """Each piece has some sound."""

    async def words():
        for word in ("one ", "two ", "three"):
            yield word

    async with FakeClient(speech=["one two three"]) as ai:
        async with ai.speech.stream(words(), model=MODEL, format="pcm_24000") as stream:
            size = sum([len(chunk.data) async for chunk in stream])

    assert 2 * 24_000 * 13 // 20 == size


async def test_voices_are_learned():
    """And known from then on."""
    async with FakeClient() as ai:
        learned = await ai.speech.clone(
            "Ann", [Audio(sound("me"))], consent="Ann said yes on 2026-11-20", model=MODEL
        )
        voices = await ai.speech.voices(provider="acme")

    assert "Ann" == learned.voice.name
    assert "Ann" in repr(voices)


async def test_files_are_transcribed():
    """With the times of words, where they are asked for."""
    wav = Audio(sound("hi"))
    known = TranscriptionResult(text="known", confidence=0.5)
    async with FakeClient(transcription=["good morning", "good morning", known]) as ai:
        plain = await ai.transcription.transcribe(wav, model=MODEL)
        timed = await ai.transcription.transcribe(wav, model=MODEL, words=True)
        whole = await ai.transcription.transcribe(wav, model=MODEL)

    assert ("good morning", ()) == (plain.text, plain.words)
    assert [("good", 0.0), ("morning", 0.4)] == [(one.text, one.start) for one in timed.words]
    assert 0.5 == whole.confidence


async def heard(ai, pieces=1, **settings):
    async with ai.transcription.live(format="pcm_s16le_16000", model=MODEL, **settings) as ear:
        for _ in range(pieces):
            await ear.send(bytes(3200))
        await ear.finish()
        return [event async for event in ear]


async def test_what_is_being_said_is_transcribed():
    """A word for each piece of sound, and all when it has ended."""
    whole = TranscriptionResult(text="known")
    given = ["to all", "to all", whole, [SpeechStarted(0.1), Transcript("as given")], [DOWN]]
    given.append([Transcript("x"), TranscriptionEnd(duration=2.0)])
    async with FakeClient(transcription=given) as ai:
        assert [Partial("to"), Partial("to all"), Transcript("to all")] == await heard(ai, 9)
        (said,) = await heard(ai, partials=False, words=True)
        assert ("to all", 2) == (said.text, len(said.words))
        assert [Partial("known"), Transcript("known")] == await heard(ai)
        assert [SpeechStarted(0.1), Transcript("as given")] == await heard(ai)
        with pytest.raises(e.ServerError):
            await heard(ai)
        assert [Transcript("x")] == await heard(ai)
    async with FakeClient(transcription=[7]) as ai:
        with pytest.raises(e.ConfigurationError, match="transcription cannot reply"):
            await heard(ai)


async def until_done(session):
    found = []
    async for event in session:
        found.append(event)
        if isinstance(event, ResponseDone):
            break
    return found


async def test_conversations():
    """In writing and aloud; what the session was told is among the requests."""
    async with FakeClient(realtime=["Good day.", "Fine."]) as ai:
        async with ai.realtime.open(model=MODEL) as session:
            await session.send_text("Hello")
            written = await until_done(session)
            await session.send_audio(b"\1\0" * 1600)
            await session.send_audio(b"\1\0" * 1600)
            await session.send_audio(bytes(1600))
            await session.send_audio(bytes(16_000))
            spoken = await until_done(session)
        asked = ai.requests.realtime

    names = [type(event).__name__ for event in written]
    assert ["AudioOut", "Partial", "Transcript", "ResponseDone"] == names
    assert 0.45 == pytest.approx(len(written[0].data) / 2 / 16_000)
    assert [SpeechStarted(), TurnEnded()] == spoken[:2]
    assert "Fine." == spoken[-2].text
    assert [RealtimeRequest, TextIn, Respond, AudioIn] == [type(one) for one in asked[:4]]


async def test_silence_before_anybody_spoke_is_no_turn():
    """Nor is anything, where the caller says when they have finished."""
    turns = [None, TurnDetection("caller"), TurnDetection(responds=False, silence=0.1)]
    async with FakeClient(realtime=["yes"] * 3) as ai:
        for one in turns:
            async with ai.realtime.open(model=MODEL, turns=one, answers="text") as session:
                await session.send_audio(bytes(16_000))
                if one is not None:
                    await session.send_audio(b"\1\0" * 1600)
                    await session.send_audio(bytes(32_000))
                await session.respond()
                found = await until_done(session)
                names = [type(event).__name__ for event in found]

                begun = ["SpeechStarted", "TurnEnded"] if one is turns[2] else []
                assert [*begun, "Partial", "Transcript", "ResponseDone"] == names


async def test_tools_of_a_conversation_are_run():
    """And the model goes on with what they gave."""

    def weather(city: str) -> str:
        """Look out of the window."""
        return f"sunny in {city}"

    call = ToolCall("c-1", "weather", '{"city": "Rome"}')
    async with FakeClient(realtime=[["One moment.", call], "Sunny!"]) as ai:
        async with ai.realtime.open(model=MODEL, tools=[weather]) as session:
            await session.send_text("And in Rome?")
            found = await until_done(session)
            found += await until_done(session)

    assert ["tool_calls", "stop"] == [one.reason for one in found if isinstance(one, ResponseDone)]


async def test_events_of_a_conversation_are_given_as_they_are():
    """Or it breaks, or cannot be had."""
    failed = ResponseDone(reason="failed", error=DOWN)
    async with FakeClient(realtime=[[Partial("he"), failed], [DOWN], 7]) as ai:
        async with ai.realtime.open(model=MODEL) as session:
            await session.send_text("Hello")
            assert [Partial("he"), failed] == await until_done(session)
            await session.respond()
            with pytest.raises(e.ServerError):
                await until_done(session)
        async with ai.realtime.open(model=MODEL) as session:
            with pytest.raises(e.ConfigurationError, match="realtime cannot reply"):
                await session.respond()


# -- search -----------------------------------------------------------------------------------


async def test_vectors_are_near_where_words_are_shared():
    """Always the same ones, dense and sparse, of whatever size."""
    async with FakeClient() as ai:
        texts = ["the deep sea", "sea, deep", "taxes", "!?"]
        found = await ai.embedding.embed(texts, model=MODEL)
        again = await ai.embedding.embed(texts, model=MODEL, dimensions=8)

        assert 4 == len(ai.requests.embedding[0].texts)
    near, far = (
        sum(a * b for a, b in zip(found.dense[0], found.dense[n], strict=True)) for n in (1, 2)
    )
    assert near > far
    assert (64, 8) == (found.dimensions, again.dimensions)
    assert 3 == len(found.sparse[0])


async def test_vectors_may_be_given():
    """As numbers or results."""
    given = [[(1.0, 0.0)], EmbeddingResult(dense=(dense([0, 1]),), request_id="r-1")]
    async with FakeClient(embedding=given) as ai:
        first = await ai.embedding.embed(["x"], model=MODEL)
        second = await ai.embedding.embed(["x"], model=MODEL)

    assert [1.0, 0.0] == first.vector.tolist()
    assert "r-1" == second.request_id


@pytest.mark.parametrize("distance", ["cosine", "dot"])
async def test_a_store_keeps_and_finds(distance):
    """By dense vectors, by sparse ones, and by both."""
    documents = [
        Document(id="1", text="the sea is deep", payload={"about": "water"}),
        Document(id="2", text="taxes are due", payload={"about": "money"}),
    ]
    async with FakeClient() as ai:
        await ai.retrieval.create(
            "notes", model="shelf/x", embedding=MODEL, sparse="acme/words", distance=distance
        )
        with pytest.raises(e.InvalidRequestError, match="already"):
            await ai.retrieval.create("notes", model="shelf/x", embedding=MODEL)
        await ai.retrieval.upsert("notes", documents, model="shelf/x")
        for mode in ("dense", "sparse", "hybrid"):
            found = await ai.retrieval.query("notes", "deep sea", model="shelf/x", mode=mode)
            assert "1" == found.hits[0].id
        money = await ai.retrieval.query(
            "notes", "deep sea", model="shelf/x", filter=Eq("about", "money")
        )
        assert ["2"] == [one.id for one in money]
        assert 2 == (await ai.retrieval.count("notes", model="shelf/x")).count
        one = await ai.retrieval.count("notes", model="shelf/x", filter=Eq("about", "money"))
        assert 1 == one.count
        gone = await ai.retrieval.delete("notes", filter=Eq("about", "money"), model="shelf/x")
        assert 1 == gone.count
        assert 1 == (await ai.retrieval.delete("notes", ids=["1", "9"], model="shelf/x")).count
        assert ["notes"] == [one.name for one in await ai.retrieval.collections(model="shelf/x")]
        await ai.retrieval.drop("notes", model="shelf/x")
        with pytest.raises(e.NotFoundError):
            await ai.retrieval.count("notes", model="shelf/x")


async def test_a_store_refuses_as_stores_do():
    """What the core asks first in most cases, and others may not."""
    store = FakeRetrieval(Replies("retrieval", None, Requests()))
    model, notes = ModelSpec(id="shelf"), Collection(name="notes", dimensions=2)
    await store.create(CreateRequest(model=model, collection=notes))
    with pytest.raises(e.BadRequestError, match="'notes'"):
        await store.create(CreateRequest(model=model, collection=notes))
    with pytest.raises(e.NotFoundError, match="'other'"):
        await store.count(CountRequest(model=model, collection=Collection(name="other")))


async def test_who_reads_first_waits():
    """For what another task gives, or for the end."""
    line, got = Line(), []

    async def read():
        got.extend([event async for event in line])

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        line.put("one")
        await anyio.wait_all_tasks_blocked()
        line.close()

    assert ["one"] == got


async def test_what_a_query_finds_may_be_given():
    """Hits or results; errors too."""
    hit = Hit(id="1", score=1.0, text="given")
    given = [[hit], QueryResult(hits=(hit, hit)), e.BadRequestError("no"), 7]
    async with FakeClient(retrieval=given) as ai:
        await ai.retrieval.create("notes", model="shelf/x", embedding=MODEL)
        for many in (1, 2):
            found = await ai.retrieval.query("notes", "x", model="shelf/x")
            assert many == len(found)
        for error in (e.BadRequestError, e.ConfigurationError):
            with pytest.raises(error):
                await ai.retrieval.query("notes", "x", model="shelf/x")


# -- without await ----------------------------------------------------------------------------


def test_the_same_without_await():
    """For applications that do not wait."""
    with FakeSyncClient(text=["yes", BUSY, "and yes"], video=["sea"]) as ai:
        assert isinstance(ai, SyncClient)
        assert "yes" == ai.text.generate("hi", model=MODEL).text
        with ai.text.stream("hi", model=MODEL) as stream:
            assert ["and", " yes"] == [one.text for one in stream if isinstance(one, TextDelta)]
        assert ai.video.generate("waves", model=MODEL).video.size
        assert 3 == len(ai.requests.text)
        assert 7.75 in ai.clock.slept
        assert 4 == len(ai.requests.all)
