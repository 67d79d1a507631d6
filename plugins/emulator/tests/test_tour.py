"""The tour: its rows, and what becomes of them."""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from pathlib import Path

import anyio
import anymodal
import attrs
import pytest
from anymodal import Capabilities, ModelSpec, TextProviderSpec, hookimpl
from anymodal.errors import ContextLengthError
from anymodal.specs import EmulatorSpec, ProviderSpec
from anymodal_emulator import commands, page, samples
from anymodal_emulator.operations import Operation
from anymodal_emulator.text_visits import MORNING, SIZE
from anymodal_emulator.tour import Row, Visit, operations_of, rows_of, travel
from anymodal_emulator.visits import PROMPT

from . import conftest

ALONE = anymodal.Settings.from_mapping({}, environ={"ANYMODAL_NO_AUTOLOAD": "1"})


def connect(connection):
    return AcmeText(connection)


class AcmeText:
    """Asks a vendor that answers in words what it hears."""

    def __init__(self, connection) -> None:
        self.http = connection.http

    async def generate(self, request):
        from anymodal import Finish, Message, TextResult

        parts = request.messages[-1].parts
        said = " ".join(part if isinstance(part, str) else part.media_type for part in parts)
        heard = await self.http.json("POST", "/json", body={"said": said})
        return TextResult(Message.assistant(heard["said"]), Finish())

    async def list_models(self):
        await self.http.json("GET", "/jobs/all/models")
        return [ModelSpec(id="acme-live")]


def text(**changes) -> TextProviderSpec:
    given = {
        "id": "acme",
        "display_name": "Acme",
        "base_url": "https://acme.example/v1",
        "models": [ModelSpec(id="acme-1")],
        "default_model": "acme-1",
        "connect": connect,
    }
    return TextProviderSpec(**{**given, **changes})


class SmellSpec(ProviderSpec):
    """Of a modality that somebody else thought of."""

    modality = "smell"


class Plugin:
    """Offers what it was given."""

    def __init__(self, *specs) -> None:
        self.specs = specs

    @hookimpl
    def anymodal_text_providers(self):
        return [spec for spec in self.specs if spec.modality == "text"]


def go(tmp_path, *specs, emulators=()) -> list[Visit]:
    return anyio.run(travel, specs, emulators, tmp_path, ALONE, [Plugin(*specs)])


@pytest.fixture
def acme() -> EmulatorSpec:
    """Names the tests' own vendor, as a plugin would."""
    return EmulatorSpec(provider="acme", app=f"{conftest.__name__}:app", base_path="/v1")


@pytest.mark.parametrize(
    ("changes", "operations"),
    [
        ({}, ["generate", "models"]),
        ({"kind": "local"}, ["generate"]),
        ({"capabilities": Capabilities(yes={"streaming"})}, ["generate", "stream", "models"]),
        (
            {"capabilities": Capabilities(yes={"streaming", "image_input", "file_input"})},
            ["generate", "stream", "image", "file", "models"],
        ),
        (
            {"capabilities": Capabilities(yes={"batch", "citations"})},
            ["generate", "citations", "batch", "models"],
        ),
        (
            {
                "models": [ModelSpec(id="acme-1", capabilities=Capabilities(no={"image_input"}))],
                "capabilities": Capabilities(yes={"image_input"}),
            },
            ["generate", "models"],
        ),
        (
            {"models": [], "default_model": None, "capabilities": Capabilities(yes={"streaming"})},
            ["generate", "stream", "tools", "structured", "models"],
        ),
        (
            {
                "models": [],
                "default_model": None,
                "capabilities": Capabilities(no={"function_calling", "structured_output"}),
            },
            ["generate", "models"],
        ),
    ],
)
def test_rows_are_the_declared_operations(changes, operations):
    """
    What a model is known not to do is no row; what one of them does is.

    A provider without a table may do what is usual, unless it says that it does not.
    """
    assert [row.operation for row in rows_of([text(**changes)])] == operations


def test_row_goes_to_a_model_that_can():
    """The default model where it can; else the first of the table that can."""
    sees = ModelSpec(id="acme-eye", capabilities=Capabilities(yes={"image_input"}))
    rows = rows_of([text(models=[ModelSpec(id="acme-1"), sees])])

    assert rows == [
        Row("text", "acme", "generate", "acme-1"),
        Row("text", "acme", "image", "acme-eye"),
        Row("text", "acme", "models"),
    ]


def test_rows_are_in_order_and_none_is_left_out():
    """Every spec has one at least, those of unknown modalities too."""
    smell = SmellSpec(id="acme", display_name="Acme", connect=connect)

    assert rows_of([text(id="b"), smell, text(id="a", kind="local")]) == [
        Row("text", "a", "generate", "acme-1"),
        Row("text", "b", "generate", "acme-1"),
        Row("text", "b", "models"),
        Row("smell", "acme", "call"),
    ]


async def sniff(client, visit, name):
    """Never called."""


SNIFFS = {"sniff": Operation("", sniff), "live": Operation("live", sniff)}


def test_store_that_may_be_a_server_is_asked_as_one():
    """It may where settings or a variable can name an address; others have no such row."""
    from anymodal.modalities.retrieval import RetrievalProviderSpec

    def rows(**changes):
        given = {"id": "acme", "display_name": "Acme", "connect": connect, **changes}
        return [row.operation for row in rows_of([RetrievalProviderSpec(**given)])]

    assert ["hybrid", "remote"] == rows(kind="local", url_env=("ACME_URL",))
    assert ["hybrid"] == rows(kind="local")
    assert ["hybrid"] == rows(kind="remote", base_url="https://acme.example")


def test_a_modality_brings_what_is_asked_of_it():
    """One that names nothing, or what is not there, has a row that fails."""
    smell = SmellSpec(id="acme", display_name="Acme", connect=connect)
    kind = anymodal.Modality(name="smell", spec="acme:Smell", visits=f"{__name__}:SNIFFS")
    lost = attrs.evolve(kind, visits="acme_that_is_not_there:SNIFFS")
    mine = attrs.evolve(kind, name="text")

    def rows(*modalities):
        return [row.operation for row in rows_of([smell], operations_of(modalities))]

    assert ["sniff"] == rows(kind)
    assert ["call"] == rows(lost)
    assert ["call"] == rows(attrs.evolve(kind, visits=""))
    assert "sniff" not in operations_of([mine])["text"]


def test_calls_are_made_and_shown(tmp_path, acme):
    """Each artefact is what the vendor answered, and the log says who called."""
    visits = go(tmp_path, text(), emulators=[acme])

    assert [visit.outcome for visit in visits] == ["ok", "ok"]
    assert (tmp_path / "text/acme-generate.txt").read_text() == visits[0].prompt
    assert (tmp_path / "text/acme-models.txt").read_text() == "acme-live"
    assert visits[0].client.startswith("anymodal/")
    assert visits[0].size == len(visits[0].prompt)
    html = (tmp_path / "index.html").read_text()
    assert visits[0].prompt in html
    assert "all is well" in html
    assert [thread.name for thread in threading.enumerate() if "emulator" in thread.name] == []


def test_model_that_nobody_names_is_asked_for(tmp_path, acme):
    """An endpoint of one's own has no table."""
    alone = Capabilities(no={"function_calling", "structured_output"})
    spec = text(models=[], default_model=None, capabilities=alone)
    visits = go(tmp_path, spec, emulators=[acme])

    assert [(visit.model, visit.outcome) for visit in visits] == [("acme-live", "ok"), ("", "ok")]


def test_answer_that_does_not_show_what_was_sent_is_no_success(tmp_path, acme):
    """This vendor says nothing of the picture's size."""
    sees = text(capabilities=Capabilities(yes={"image_input"}))
    visit = next(v for v in go(tmp_path, sees, emulators=[acme]) if v.row.operation == "image")

    assert visit.outcome == f"the answer does not show {SIZE[0]}x{SIZE[1]}"
    assert not (tmp_path / "text/acme-image.txt").exists()


def test_provider_without_an_emulator_fails_and_is_not_called(tmp_path):
    """A tour never leaves the machine."""

    def never(connection):
        raise AssertionError(connection)

    visits = go(tmp_path, text(connect=never))

    assert [v.outcome for v in visits] == ["its plugin has no emulator"] * 2
    assert "2 failed" in (tmp_path / "index.html").read_text()


def test_emulator_that_does_not_start_fails_its_rows_alone(tmp_path, acme):
    """The other provider is visited all the same."""
    broken = EmulatorSpec(provider="other", app="nowhere:app")
    visits = go(tmp_path, text(), text(id="other"), emulators=[acme, broken])

    assert [visit.outcome for visit in visits[:2]] == ["ok", "ok"]
    for visit in visits[2:]:
        assert visit.outcome == (
            "its emulator does not start: ModuleNotFoundError: No module named 'nowhere'"
        )


def test_closed_port_fails_each_row(tmp_path, acme):
    """Nobody listens there; the table says so for every row."""

    def connect_elsewhere(connection):
        return AcmeText(attrs.evolve(connection, base_url="http://127.0.0.1:9"))

    visits = go(tmp_path, text(connect=connect_elsewhere), emulators=[acme])

    assert [v.outcome.partition(": ")[0] for v in visits] == ["ConnectionFailedError"] * 2


def test_local_provider_is_called_for_real(tmp_path):
    """It needs no emulator, and its answer need not carry the question."""
    from anymodal import Finish, Message, TextResult

    class Here:
        async def generate(self, request):
            return TextResult(Message.assistant("I am here."), Finish())

    (visit,) = go(tmp_path, text(kind="local", base_url=None, connect=lambda _: Here()))

    assert (visit.outcome, visit.said, visit.client) == ("ok", "I am here.", "")


class Batches:
    """Answers two prompts as one job; what it says of them is given."""

    def __init__(self, *outcomes) -> None:
        self.outcomes = outcomes
        self.states = [
            anymodal.JobStatus(state="queued"),
            anymodal.JobStatus(state="running", progress=0.5),
            anymodal.JobStatus(state="succeeded", progress=1),
        ]

    async def generate(self, request):
        from anymodal import Message, TextResult

        return TextResult(Message.assistant("I am here."))

    async def submit_batch(self, lines):
        return {"ids": [line.id for line in lines]}

    async def poll_batch(self, handle):
        return self.states.pop(0)

    async def fetch_batch(self, handle, request):
        from anymodal import Message, TextResult

        made = [
            TextResult(Message.assistant(one)) if isinstance(one, str) else one
            for one in self.outcomes
        ]
        return dict(zip(handle["ids"], made, strict=True))


def batched(tmp_path, *outcomes) -> Visit:
    """Return what becomes of a batch with these outcomes, here on this machine."""
    provider = Batches(*outcomes)
    able = Capabilities(yes={"batch"})
    spec = text(kind="local", base_url=None, connect=lambda _: provider, capabilities=able)
    (_, visit) = go(tmp_path, spec)
    assert visit.row.operation == "batch"
    return visit


def test_batch_shows_answers_and_how_it_went_on(tmp_path):
    """It is asked for until it has ended, without the waits of a real job."""
    visit = batched(tmp_path, "The stars.", "The sea.")

    assert visit.outcome == "ok"
    assert visit.said == (
        "night: The stars.\nmorning: The sea.\nqueued > running 50% > succeeded 100%"
    )


def test_batch_with_a_line_that_failed_is_no_success(tmp_path):
    """The row has the line's own error."""
    visit = batched(tmp_path, "The stars.", ContextLengthError("acme: too long"))

    assert visit.outcome == "ContextLengthError: acme: too long"


def test_batch_with_answers_in_each_others_places_is_no_success(tmp_path):
    """Each of the words is there all the same."""
    visit = batched(tmp_path, f"You said: {MORNING}", f"You said: {PROMPT}")

    assert visit.outcome == "LookupError: an answer stands in the other's place"


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        (["So says Pliny.", ("https://a.example", "Pliny")], "ok"),
        (["So say I."], "LookupError: the stream named 0 sources and the whole answer 0"),
    ],
)
def test_citations_are_seen_in_the_stream_and_in_the_whole(tmp_path, events, outcome):
    """An answer without a source is none, where the spec promises sources."""

    class Cites:
        @anymodal.streaming
        async def stream(self, request):
            from anymodal import Citation, Finish, TextDelta

            for one in events:
                yield TextDelta(one) if isinstance(one, str) else Citation(*one)
            yield Finish()

    able = Capabilities(yes={"citations"})
    spec = text(kind="local", base_url=None, connect=lambda _: Cites(), capabilities=able)
    (_, visit) = go(tmp_path, spec)

    assert (visit.row.operation, visit.outcome) == ("citations", outcome)
    assert outcome != "ok" or visit.said.endswith("Pliny: https://a.example")


def test_unknown_modality_fails_by_name(tmp_path):
    """A green tour that passed it over would be a lie."""
    spec = SmellSpec(id="acme", display_name="Acme", kind="local", connect=connect)
    (visit,) = go(tmp_path, spec)

    assert visit.outcome == "LookupError: the tour knows no operation of smell"


def test_page_escapes_what_vendors_say():
    """It is opened in a browser."""
    row = Row("text", "acme", "generate", "<m>")
    visit = Visit(row=row, model="<m>", said="<script>", outcome="<b>", client="<i>")

    html = page.render([visit])
    assert not {"<m>", "<script>", "<b>", "<i>"} & set(html.partition("</h2>")[2].split(">"))
    assert "&lt;script&gt;" in html


def test_table_has_all_columns():
    """Times with a thousandth, nothing as a dash."""
    visit = Visit(row=Row("text", "acme", "generate"), model="m", seconds=0.5, outcome="ok")

    head, line = commands.table([visit]).splitlines()
    assert head.split() == [
        "modality", "provider", "operation", "model", "seconds", "first", "event", "bytes",
        "usd", "client", "outcome",
    ]  # fmt: skip
    assert line.split() == ["text", "acme", "generate", "m", "0.500", "-", "0", "-", "ok"]


def test_it_says_where_time_and_money_went():
    """The costliest first; what is not known is no zero, and is not counted."""
    visits = [
        Visit(row=Row("text", "acme", "generate"), seconds=0.5, usd=Decimal("0.001")),
        Visit(row=Row("text", "acme", "tools"), seconds=2.0, usd=Decimal("0.002")),
        Visit(row=Row("text", "other", "generate"), seconds=0.25, usd=Decimal("0.1")),
        Visit(row=Row("text", "local", "generate")),
    ]

    assert (
        "4 rows, 2.8 s of calls, 2.0 s of them acme's tools; at the vendors' prices $0.1030 "
        "(other $0.1000, acme $0.0030)"
    ) == commands.spent(visits)
    assert "1 rows, 0.0 s of calls, 0.0 s of them local's generate" == commands.spent(visits[3:])


def test_samples_are_what_they_say():
    """Their types are read from their first bytes; sizes from their headers."""
    from anymodal.media import sniff
    from anymodal_emulator.text import Given

    assert sniff(samples.png(7, 5)) == "image/png"
    assert "7x5 pixels" in str(Given("image", "image/png", samples.png(7, 5)))
    assert sniff(samples.pdf("a (b)")) == "application/pdf"
    start = samples.pdf("a").rpartition(b"startxref\n")[2].partition(b"\n")[0]
    assert samples.pdf("a")[int(start) :].startswith(b"xref")


@pytest.mark.parametrize(("found", "status"), [(["ok"], 0), (["ok", "bad"], 1), (["bad"], 1)])
def test_report_is_a_success_only_if_every_row_is_ok(found, status):
    """As JSON it is one document with the columns of the table."""
    visits = [Visit(row=Row("text", "acme", "generate"), outcome=one) for one in found]
    said, ended = commands.report(visits, Path("tour"), as_json=True)

    rows = json.loads(said)["rows"]
    assert ended == status == commands.report(visits, Path("tour"), as_json=False)[1]
    assert [row["outcome"] for row in rows] == found
    assert list(rows[0]) == [
        "modality", "provider", "operation", "model", "seconds", "first_event", "bytes",
        "usd", "client", "outcome",
    ]  # fmt: skip


def test_command_says_what_is_wrong_with_its_words(capsys):
    """On standard error, with the status for usage."""
    assert commands.tour(["--wibble"]) == 2
    assert "--wibble" in capsys.readouterr().err
