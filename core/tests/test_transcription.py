"""Transcription: what is asked for, what is heard, and what a provider need not write."""

import datetime as dt
import io
import wave
from contextlib import asynccontextmanager
from decimal import Decimal

import anyio
import attrs
import pytest
from anymodal import (
    Audio,
    Budget,
    Client,
    Policy,
    Registry,
    Settings,
    SyncClient,
    Usage,
    hookimpl,
)
from anymodal import errors as e
from anymodal.modalities.live import (
    AudioFormat,
    Partial,
    SpeechStarted,
    Transcript,
    TurnEnded,
    Word,
)
from anymodal.modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionEnd,
    TranscriptionOption,
    TranscriptionProviderSpec,
    TranscriptionRequest,
    TranscriptionResult,
)
from anymodal.specs import Capabilities, Deadlines, ModelSpec
from anymodal.usage import Price, Prices, Used

from .once import ONCE

pytestmark = pytest.mark.anyio
PRICES = Prices([Price("second", "0.01")], "acme.example", dt.date(2026, 11, 20))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def wav(data=bytes(32_000), rate=16_000, channels=1, width=2):
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return Audio(kept.getvalue())


class Writes:
    """Transcribes files, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    async def transcribe(self, request):
        self.asked.append(request)
        return TranscriptionResult(
            text="hello there",
            words=(Word("hello", 0.0, 0.5), Word("there", 0.5, 1.0)),
            usage=Usage(units=(Used("second", 1),)),
            request_id="r-1",
            raw={"it": "says"},
        )


class Session:
    """Says of each piece how long it is, and of all of them at the end."""

    def __init__(self, provider, request):
        self.provider = provider
        self.request = request
        self.put, self.got = anyio.create_memory_object_stream(1000)

    async def send(self, data):
        self.provider.heard.append(data)
        if self.provider.fault is not None:
            raise self.provider.fault
        if self.request.partials:
            await self.put.send(Partial(f"{len(data)}"))

    async def finish(self):
        sent = self.provider.heard
        await self.put.send(SpeechStarted(0.0))
        if not self.provider.stays_silent:
            text = f"{len(sent)} pieces"
            words = (Word(text, 0.0, 1.0, speaker="0"),)
            self.put.send_nowait(Transcript(text, words=words, start=0.0, end=1.0))
            self.put.send_nowait(TurnEnded(1.0))
            self.put.send_nowait(self.provider.end)
        if not self.provider.hangs:
            self.put.close()

    async def __aiter__(self):
        async for event in self.got:
            if isinstance(event, Exception):
                raise event
            yield event


class Listens:
    """One that listens live, and does nothing else."""

    def __init__(self, *, fault=None, end=None, stays_silent=False, hangs=False):
        self.asked, self.heard, self.sessions = [], [], []
        self.fault, self.stays_silent, self.hangs = fault, stays_silent, hangs
        self.end = end or TranscriptionEnd(request_id="s-1", raw={"so": "it"})
        self.closed = 0

    @asynccontextmanager
    async def live(self, request):
        self.asked.append(request)
        session = Session(self, request)
        self.sessions.append(session)
        try:
            yield session
        finally:
            self.closed += 1
            session.put.close()
            session.got.close()


class Refuses:
    """One that does not let anybody in."""

    def __init__(self, *faults):
        self.faults = list(faults)

    @asynccontextmanager
    async def live(self, _):
        if self.faults:
            raise self.faults.pop(0)
        yield


@attrs.frozen
class Tuned(TranscriptionOption):
    """An option of a vendor."""

    model_version: str = ""
    loud: bool | None = None


def brings(**providers):
    class Brings:
        @hookimpl
        def anymodal_transcription_providers(self):
            for name, (provider, spec) in providers.items():
                given = {"default_model": f"{name}-1"} | spec
                yield TranscriptionProviderSpec(
                    id=name,
                    display_name=name,
                    kind="local",
                    models=given.pop("models", [ModelSpec(id=f"{name}-1", prices=PRICES)]),
                    connect=lambda _, provider=provider: provider,
                    **given,
                )

    return Brings()


def client(provider, settings=None, face=Client, observers=(), **spec):
    plugin = brings(acme=(provider, spec))
    found = Registry(Settings.from_mapping(settings or {}), plugins=[plugin], distributions=())
    return face(registry=found, policy=ONCE, observers=observers)


# -- files --------------------------------------------------------------------------------


async def test_a_file_is_transcribed():
    """The result says what was said, and the record what that cost."""
    provider = Writes()
    async with client(provider) as ai:
        found = await ai.transcription.transcribe(
            wav(), model="acme/acme-1", language="en", diarize=True, words=True, prompt="ships",
            keywords="keel", options=[Tuned("2")], raw=True,
        )  # fmt: skip

    (asked,) = provider.asked
    assert "hello there" == found.text
    assert ("en", True, True, "ships", ("keel",)) == (
        asked.language, asked.diarize, asked.words, asked.prompt, asked.keywords,
    )  # fmt: skip
    assert Tuned("2") == asked.option(Tuned)
    assert Decimal("0.01") == found.record.cost.usd
    assert ("transcription", "transcribe", "r-1") == (
        found.record.modality, found.record.operation, found.record.request_id,
    )  # fmt: skip
    assert {"it": "says"} == found.record.raw
    assert "2 words" in repr(found)


async def test_a_path_is_as_good_as_sound(tmp_path):
    """It is read when its bytes are asked for."""
    provider = Writes()
    (tmp_path / "a.wav").write_bytes(wav().data)
    async with client(provider) as ai:
        await ai.transcription.transcribe(tmp_path / "a.wav")
        await ai.transcription.transcribe(str(tmp_path / "a.wav"))
        with pytest.raises(e.InvalidRequestError, match="cannot be read"):
            await ai.transcription.transcribe(tmp_path / "b.wav")

    assert ["a.wav", "a.wav"] == [asked.audio.name for asked in provider.asked]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"audio": b"sound"}, "audio"),
        ({"language": " "}, "language"),
        ({"prompt": ""}, "prompt"),
        ({"words": 1}, "words"),
        ({"diarize": None}, "diarize"),
        ({"keywords": ["a", ""]}, "keywords"),
        ({"keywords": ["a"] * 1001}, "keywords"),
        ({"options": [object()]}, "options"),
    ],
)
async def test_what_no_provider_could_serve(arguments, field):
    """It is refused by name, before anything is sent."""
    provider = Writes()
    async with client(provider) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.transcription.transcribe(**({"audio": wav()} | arguments))

    assert field == caught.value.field
    assert [] == provider.asked


@pytest.mark.parametrize(
    ("arguments", "need"),
    [({"diarize": True}, "diarization"), ({"words": True}, "word_timestamps")],
)
async def test_what_a_model_is_known_not_to_do_is_refused(arguments, need):
    """Before anything is sent."""
    provider = Writes()
    async with client(provider, capabilities=Capabilities(no=[need])) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match=need):
            await ai.transcription.transcribe(wav(), **arguments)

    assert [] == provider.asked


async def test_options_of_the_settings_lie_beneath_those_of_a_call():
    """Field by field; those of other vendors go along untouched."""

    @attrs.frozen
    class Other(TranscriptionOption):
        """Of another vendor."""

    provider = Writes()
    settings = {
        "instances": {
            "work": {"provider": "acme", "vendor_options": {"transcription": {"loud": True}}}
        }
    }
    async with client(provider, settings, options=Tuned) as ai:
        await ai.transcription.transcribe(wav(), model="work/acme-1")
        await ai.transcription.transcribe(wav(), model="work/acme-1", options=[Tuned("2"), Other()])

    assert [(Tuned(loud=True),), (Tuned("2", loud=True), Other())] == [
        asked.options for asked in provider.asked
    ]


async def test_provider_without_any_way():
    """That is a fault of the plugin's."""
    async with client(object()) as ai:
        with pytest.raises(e.BrokenPluginError, match=r"neither transcribe\(\) nor live"):
            await ai.transcription.transcribe(wav())


# -- files through a live session ---------------------------------------------------------


async def test_a_file_is_read_out_to_one_that_only_listens():
    """In pieces of a quarter of a second, without partials; the seconds are counted here."""
    provider = Listens()
    async with client(provider) as ai:
        found = await ai.transcription.transcribe(wav(), language="en", words=True)

    (asked,) = provider.asked
    assert "4 pieces" == found.text
    assert [8000] * 4 == [len(piece) for piece in provider.heard]
    assert (False, "en", True) == (asked.partials, asked.language, asked.words)
    assert AudioFormat("pcm_s16le", rate=16_000) == asked.format
    assert ("en", 1.0, "s-1") == (found.language, found.duration, found.request_id)
    assert Decimal("0.01") == found.record.cost.usd
    assert "0" == found.segments[0].speaker
    assert 1 == provider.closed


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (wav(bytes(100), width=1), "has 8 bits"),
        (Audio(b"ID3" + bytes(20)), "is audio/mpeg"),
        (Audio(b"RIFF" + bytes(8), media_type="audio/wav"), "is audio/wav"),
    ],
)
async def test_only_plain_files_can_be_read_out(sound, why):
    """The core decodes nothing; the error says what would do."""
    provider = Listens()
    async with client(provider) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match=why):
            await ai.transcription.transcribe(sound)

    assert [] == provider.asked


async def test_url_cannot_be_read_out():
    """Nobody fetches it."""
    async with client(Listens()) as ai:
        with pytest.raises(e.InvalidRequestError, match="only a URL"):
            await ai.transcription.transcribe(Audio(url="https://a.example/a.wav"))


@pytest.mark.parametrize(
    ("settings", "expected", "match"),
    [
        ({"stays_silent": True}, e.IncompleteError, "before all of it was heard"),
        ({"fault": ZeroDivisionError("bug")}, ZeroDivisionError, "bug"),
        ({"fault": e.IncompleteError("gone"), "hangs": True}, e.IncompleteError, "gone"),
    ],
)
async def test_what_goes_wrong_while_a_file_is_read_out(settings, expected, match):
    """It is raised bare, not in a group, and the session is closed."""
    provider = Listens(**settings)

    class Breaks(Session):
        async def send(self, data):
            try:
                await super().send(data)
            except e.VendorError as error:
                await self.put.send(error)
                raise

    @asynccontextmanager
    async def live(request):
        session = Breaks(provider, request)
        with session.put, session.got:
            yield session

    provider.live = live
    async with client(provider) as ai:
        with pytest.raises(expected, match=match):
            await ai.transcription.transcribe(wav())


async def test_session_that_says_nothing_at_all():
    """Then nothing was heard, and another may be asked."""

    class Mute:
        @asynccontextmanager
        async def live(self, request):
            session = Session(Listens(), request)
            session.put.close()
            with session.got:
                yield session

    async with client(Mute()) as ai:
        with pytest.raises(e.ConnectionFailedError, match="before anything was heard"):
            await ai.transcription.transcribe(wav(bytes(2)))


# -- live ---------------------------------------------------------------------------------


async def test_what_is_said_is_heard_while_it_is_said():
    """One task sends and another reads; afterwards there is the whole, and a record."""
    provider = Listens(end=TranscriptionEnd(duration=2.0, language="fr"))
    seen = []
    async with client(provider) as ai:
        async with (
            ai.transcription.live(format="pcm_s16le_8000", model="acme/acme-1") as session,
            anyio.create_task_group() as tasks,
        ):

            async def read():
                seen.extend([event async for event in session])

            tasks.start_soon(read)
            await session.send(bytes(3))
            await session.send(bytearray(3))
            await session.send(b"")
            await session.finish()
            await session.finish()
        found = await session.result()

    assert [2, 4] == [len(piece) for piece in provider.heard]
    assert [Partial, Partial, SpeechStarted, Transcript, TurnEnded] == [type(one) for one in seen]
    assert "2 pieces" == found.text == session.text
    assert ("fr", 2.0) == (found.language, found.duration)
    assert Decimal("0.02") == session.record.cost.usd
    assert session.record.first_event_seconds is not None
    assert "live" == session.record.operation
    assert AudioFormat(rate=8000) == session.format
    assert 1 == provider.closed


async def test_seconds_are_counted_where_the_vendor_does_not():
    """From what was sent, as the format says."""
    async with client(Listens()) as ai, ai.transcription.live() as session:
        await session.send(bytes(32_000))
        found = await session.result()
        assert [] != [session.take()]
        await session.result()

    assert 1.0 == found.duration
    assert Decimal("0.01") == found.record.cost.usd


async def test_compressed_sound_goes_on_as_it_is():
    """Nobody knows how long it lasts."""
    provider = Listens()
    async with client(provider) as ai:
        async with ai.transcription.live(format=AudioFormat("opus", rate=48_000)) as session:
            await session.send(bytes(3))
            found = await session.result()
        async with ai.transcription.live(format=AudioFormat("opus", rate=48_000)) as session:
            await session.send(bytes(3))

    assert [3, 3] == [len(piece) for piece in provider.heard]
    assert (None, None) == (found.duration, found.record.cost.usd)
    assert session.record.cost.usd is None


async def test_sound_is_made_what_the_provider_takes():
    """Where nothing is lost of it; the length is that of what was sent."""
    provider = Listens()
    async with client(provider, encodings=["opus", "pcm_s16le"]) as ai:
        async with ai.transcription.live(format="mulaw_8000", partials=False) as session:
            assert "mulaw at 8000 Hz" == str(session.format)
            await session.send(b"\xff\x80" * 4_000)
            found = await session.result()

    assert AudioFormat(rate=8_000) == provider.asked[0].format
    assert [b"\x00\x00\x7c\x7d" * 4_000] == provider.heard
    assert 1.0 == found.duration


async def test_sound_that_the_provider_does_not_take():
    """Nothing is sent, and it says what would be taken."""
    provider = Listens()
    async with client(provider, encodings=["mulaw"]) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="takes mulaw"):
            await ai.transcription.live().start()
    assert [] == provider.asked
    with pytest.raises(ValueError, match="encodings"):
        TranscriptionProviderSpec(
            id="acme", display_name="Acme", kind="local", connect=print, encodings=["mp3"]
        )


async def test_sound_that_was_sent_is_paid_for_by_those_who_leave():
    """The vendor heard it, though nobody waited for the end."""
    provider = Listens()
    async with client(provider) as ai:
        async with ai.transcription.live() as session:
            await session.send(bytes(32_000))

    assert Decimal("0.01") == session.record.cost.usd
    assert 1 == provider.closed


async def test_live_goes_to_one_that_does_live():
    """Of those who serve a name, and where none is named."""
    files, ears = Writes(), Listens()
    models = [ModelSpec(id="ear-1")]
    plugin = brings(
        files=(files, {"models": models, "capabilities": Capabilities(no=["live"])}),
        ears=(ears, {"models": models, "capabilities": Capabilities(["live"])}),
    )
    found = Registry(Settings.empty(), plugins=[plugin], distributions=())
    async with Client(registry=found, policy=ONCE) as ai:
        async with ai.transcription.live(model="ear-1") as session:
            assert "ears" == session.record.provider
        async with ai.transcription.live(model=["ears/ear-1"]) as session:
            await session.send(bytes(2))
        with pytest.raises(e.UnsupportedFeatureError, match="live"):
            await ai.transcription.live(model="files/ear-1").start()


async def test_provider_that_only_transcribes_files():
    """Where nothing is known of it, it is asked, and the error says why not."""
    async with client(Writes()) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="does not listen live"):
            await ai.transcription.live(model="acme/acme-1").start()


async def test_session_that_cannot_be_opened_fails_over():
    """As long as nothing was sent, another may be asked."""
    ears = Listens()
    plugin = brings(deaf=(Refuses(e.OverloadedError("busy")), {}), ears=(ears, {}))
    found = Registry(Settings.empty(), plugins=[plugin], distributions=())
    async with Client(registry=found, policy=ONCE) as ai:
        async with ai.transcription.live(model=["deaf/deaf-1", "ears/ears-1"]) as session:
            await session.start()
            assert "ears" == session.record.provider
    assert [e.OverloadedError, type(None)] == [type(one.error) for one in session.record.attempts]


async def test_listener_that_leaves_without_a_fault_never_was_open():
    """That is a connection that failed."""

    class Leaves:
        @asynccontextmanager
        async def live(self, _):
            raise anyio.EndOfStream
            yield

    async with client(Leaves()) as ai:
        with pytest.raises(anyio.EndOfStream):
            await ai.transcription.live(model="acme/acme-1").start()


async def test_deadline_while_a_session_is_opened():
    """What was begun is closed."""

    class Slow:
        closed = 0

        @asynccontextmanager
        async def live(self, _):
            try:
                await anyio.sleep_forever()
                yield
            finally:
                self.closed += 1

    provider = Slow()
    async with client(provider) as ai:
        with pytest.raises(e.DeadlineExceededError):
            await ai.transcription.live(timeout=0.05).start()

    assert 1 == provider.closed


@pytest.mark.parametrize("data", ["words", None, [1]])
async def test_only_bytes_are_sound(data):
    """The field is named."""
    async with client(Listens()) as ai, ai.transcription.live() as session:
        with pytest.raises(e.InvalidRequestError) as caught:
            await session.send(data)
    assert "data" == caught.value.field


async def test_nothing_may_follow_the_end():
    """It would not be heard."""
    async with client(Listens()) as ai, ai.transcription.live() as session:
        await session.finish()
        with pytest.raises(e.InvalidRequestError, match=r"after finish\(\)"):
            await session.send(bytes(2))


async def test_session_that_is_not_open():
    """The error says how to open one."""
    async with client(Listens()) as ai:
        session = ai.transcription.live()
        for use in (session.send(bytes(2)), session.finish(), session.__anext__()):
            with pytest.raises(e.ConfigurationError, match="not open"):
                await use


async def test_vendor_that_ends_the_session_by_itself():
    """What was heard stands; what is sent then is refused by one clear error."""
    provider = Listens()
    async with client(provider) as ai, ai.transcription.live() as session:
        await provider.sessions[0].put.send(Transcript("so far"))
        await provider.sessions[0].put.send(TranscriptionEnd())
        assert ["so far"] == [event.text async for event in session]
        with pytest.raises(e.IncompleteError) as caught:
            await session.send(bytes(2))
        with pytest.raises(e.IncompleteError):
            await session.send(bytes(2))
        await session.finish()

    assert "so far" == caught.value.partial
    assert 1 == len(session.record.attempts)


async def test_session_that_just_ends():
    """Without its last event it is not known whether all of it was heard."""
    async with client(Listens(stays_silent=True)) as ai, ai.transcription.live() as session:
        await session.send(bytes(2))
        with pytest.raises(e.IncompleteError, match="before all of it was heard"):
            await session.result()


async def test_listener_whose_events_are_no_generator():
    """Any async iterator will do, and any error of it is raised where events are awaited."""

    class Iterates:
        def __init__(self):
            self.left = [Transcript("a"), TranscriptionEnd()]

        async def send(self, _):
            msg = "gone"
            raise e.ConnectionFailedError(msg)

        async def finish(self):
            return

        def __aiter__(self):
            return self

        async def __anext__(self):
            return self.left.pop(0)

    class Gives:
        @asynccontextmanager
        async def live(self, _):
            yield Iterates()

    async with client(Gives()) as ai:
        assert "a" == (await ai.transcription.transcribe(wav())).text
        async with ai.transcription.live() as session:
            assert ["a"] == [event.text async for event in session]
        assert ai.transcription.bind(Gives()).live is not None


@pytest.mark.parametrize("sent", [False, True])
async def test_broken_session_says_what_was_heard(sent):
    """What was heard before it broke is in the error, and every use raises the same."""
    provider = Listens()
    async with client(provider) as ai:
        async with ai.transcription.live() as session:
            if sent:
                await session.send(bytes(2))
            await provider.sessions[0].put.send(Transcript("so far"))
            await provider.sessions[0].put.send(e.ConnectionFailedError("gone"))
            with pytest.raises(e.VendorError, match="gone") as caught:
                async for _ in session:
                    pass
            with pytest.raises(e.VendorError, match="gone"):
                await session.send(bytes(2))
            with pytest.raises(e.VendorError, match="gone"):
                await session.result()

    assert (e.IncompleteError if sent else e.ConnectionFailedError) is type(caught.value)
    assert not sent or "so far" == caught.value.partial
    assert session.record is caught.value.record
    assert 1 == provider.closed


async def test_broken_connection_is_seen_by_the_sender_too():
    """Whoever sees it first; both raise the same."""
    provider = Listens(fault=e.ConnectionFailedError("gone"))
    async with client(provider) as ai, ai.transcription.live() as session:
        with pytest.raises(e.ConnectionFailedError, match="gone"):
            await session.send(bytes(2))
        with pytest.raises(e.ConnectionFailedError, match="gone"):
            await anext(session)


@pytest.mark.parametrize("fault", [e.OverloadedError("busy"), ZeroDivisionError("bug")])
async def test_sender_is_told_why_the_listener_left(fault):
    """That is what went wrong; that nobody takes the sound any more follows from it."""
    provider = Listens()
    async with client(provider) as ai, ai.transcription.live() as session:
        await provider.sessions[0].put.send(fault)
        await anyio.wait_all_tasks_blocked()
        expected = type(fault) if isinstance(fault, e.VendorError) else anyio.ClosedResourceError
        with pytest.raises(expected):
            await session.send(bytes(2))


async def test_provider_that_refuses_what_is_sent():
    """That ends the session too; such an error has no room for the text so far."""
    provider = Listens(fault=e.InvalidRequestError("too loud", field="data"))
    async with client(provider) as ai, ai.transcription.live() as session:
        with pytest.raises(e.InvalidRequestError, match="too loud") as caught:
            await session.send(bytes(2))

    assert session.record is caught.value.record


async def test_two_tasks_see_one_fault():
    """A sender who waits while the reader is told of a fault raises the same, once counted."""
    provider = Listens()
    found = []

    class Waits(Session):
        async def send(self, data):
            await super().send(data)
            await self.left.wait()
            msg = "gone"
            raise e.ConnectionFailedError(msg)

    @asynccontextmanager
    async def live(request):
        session = Waits(provider, request)
        session.left = anyio.Event()
        provider.sessions.append(session)
        with session.put, session.got:
            yield session

    provider.live = live
    async with client(provider) as ai, ai.transcription.live(partials=False) as session:
        async with anyio.create_task_group() as tasks:

            async def send():
                with pytest.raises(e.OverloadedError) as caught:
                    await session.send(bytes(2))
                found.append(caught.value)

            tasks.start_soon(send)
            await anyio.wait_all_tasks_blocked()
            await provider.sessions[0].put.send(e.OverloadedError("busy"))
            with pytest.raises(e.OverloadedError) as caught:
                await anext(session)
            provider.sessions[0].left.set()

    assert [caught.value] == found
    assert 1 == len(session.record.attempts)


async def test_vendor_that_never_ends_is_not_awaited_for_ever():
    """While people speak nothing is bounded; after the last sound, the wait is."""
    provider = Listens(stays_silent=True, hangs=True)
    limits = Deadlines(total=60, connect=1, first=5, between=0.05)
    async with client(provider, deadlines=limits) as ai, ai.transcription.live() as session:
        with anyio.move_on_after(0.2):
            await anext(session)
        with pytest.raises(e.TimedOutError, match="after all was sent"):
            await session.result()


async def test_wait_that_began_before_the_end_is_bounded_too():
    """A reader that waits already is told of the end."""
    provider = Listens(stays_silent=True, hangs=True)
    limits = Deadlines(total=60, connect=1, first=5, between=0.05)
    seen = []
    async with client(provider, deadlines=limits) as ai, ai.transcription.live() as session:
        async with anyio.create_task_group() as tasks:

            async def read():
                with pytest.raises(e.TimedOutError):
                    seen.extend([event async for event in session])

            tasks.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            await session.finish()


async def test_timeout_of_the_caller_bounds_all_of_it():
    """Where one was given; else speaking may last for hours."""
    async with client(Listens()) as ai:
        async with ai.transcription.live(timeout=0.05) as session:
            with pytest.raises(e.DeadlineExceededError):
                await anext(session)


async def test_sender_is_held_back():
    """Where nobody reads, the vendor is not read either, and its session fills up."""
    provider = Listens()
    async with client(provider) as ai, ai.transcription.live() as session:
        async with anyio.create_task_group() as tasks:

            async def send():
                for _ in range(3000):
                    await session.send(bytes(2))

            tasks.start_soon(send)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()

    assert 1000 <= len(provider.heard) <= 1100


async def test_what_a_call_may_cost_is_kept_back():
    """Before it is known: a minute of sound."""
    for ask in ("transcribe", "live"):
        async with client(Writes() if ask == "transcribe" else Listens()) as ai:
            policy = Policy(budgets=[Budget(usd="0.01")])
            with pytest.raises(e.BudgetExceededError):
                if ask == "live":
                    await ai.transcription.live(policy=policy).start()
                else:
                    await ai.transcription.transcribe(wav(), policy=policy)


async def test_observers_see_the_whole():
    """Or that it was left, or broke."""
    seen = []

    class Sees:
        def on_event(self, event):
            seen.append((type(event).__name__, getattr(event, "answer", None)))

    async with client(Listens(), observers=[Sees()]) as ai:
        async with ai.transcription.live() as session:
            await session.result()
        async with ai.transcription.live():
            pass

    assert ["CallStarted", "FirstEvent", "CallEnded", "CallStarted", "CallEnded"] == [
        name for name, _ in seen
    ]
    assert "0 pieces" == seen[2][1].text


async def test_middleware_may_answer_in_its_place():
    """And what it raises closes what was opened."""
    provider = Listens()

    class Instead:
        async def around(self, call, proceed):
            return "instead"

    class Fails:
        async def around(self, call, proceed):
            await proceed(call)
            raise ZeroDivisionError

    plugin = brings(acme=(provider, {}))
    for middleware, expected in ((Instead(), None), (Fails(), ZeroDivisionError)):
        found = Registry(Settings.empty(), plugins=[plugin], distributions=())
        async with Client(registry=found, middleware=[middleware]) as ai:
            session = ai.transcription.live()
            if expected is None:
                assert "instead" == await session.start()
                await session.aclose()
            else:
                with pytest.raises(expected):
                    await session.start()
    assert 1 == provider.closed


# -- without await ------------------------------------------------------------------------


def test_both_ways_without_await():
    """A session outlives the calls that drive it."""
    with client(Writes(), face=SyncClient) as ai:
        assert "hello there" == ai.transcription.transcribe(wav()).text
    provider = Listens()
    with client(provider, face=SyncClient) as ai:
        with ai.transcription.live() as session:
            session.send(bytes(32_000))
            session.finish()
            kinds = [type(event) for event in session]
            assert "1 pieces" == session.result().text

    assert [Partial, SpeechStarted, Transcript, TurnEnded] == kinds
    assert 1 == provider.closed


# -- formats ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        lambda: AudioFormat("mp3"),
        lambda: AudioFormat(rate=100),
        lambda: AudioFormat(rate=16_000.0),
        lambda: AudioFormat(channels=0),
        lambda: AudioFormat.parse("PCM"),
        lambda: AudioFormat.parse(""),
        lambda: LiveTranscriptionRequest(model=ModelSpec(id="m"), format="pcm_s16le"),
    ],
)
def test_what_is_no_format(given):
    """It is refused before anything is opened."""
    with pytest.raises(e.InvalidRequestError) as caught:
        given()
    assert "format" == caught.value.field


def test_request_without_sound():
    """What a facade checks before, somebody who calls a provider may get wrong."""
    with pytest.raises(e.InvalidRequestError) as caught:
        TranscriptionRequest(model=ModelSpec(id="m"), audio=b"sound")
    assert "audio" == caught.value.field


def test_formats_by_name():
    """With their rate, or the usual one."""
    assert AudioFormat(rate=24_000) == AudioFormat.parse("pcm_s16le_24000")
    assert AudioFormat("mulaw") == AudioFormat.parse("mulaw")
    stereo = AudioFormat("pcm_f32le", rate=48_000, channels=2)
    assert stereo is AudioFormat.parse(stereo)
    assert "pcm_f32le at 48000 Hz, 2 channels" == str(stereo)
    assert (8, 0.5) == (stereo.frame_bytes, stereo.seconds(8 * 24_000))
    assert AudioFormat("opus").seconds(100) is None
