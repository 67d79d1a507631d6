"""A vendor that says what a test wrote for it, and a client of nothing else."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing

from anymodal import (
    Client,
    Finish,
    JobStatus,
    Message,
    ModelSpec,
    Policy,
    Price,
    Prices,
    Registry,
    Retry,
    Settings,
    TextDelta,
    TextProviderSpec,
    TextResult,
    Usage,
    hookimpl,
    streaming,
)
from anymodal_sqlite_log.reading import Narrowed, listed, searched, shown
from anymodal_sqlite_log.schema import open_to_read

DAY = dt.date(2026, 11, 20)
PRICES = Prices([Price("input_token", 1), Price("output_token", 2)], "acme.example", DAY)
USAGE = Usage(input_tokens=1_000_000, output_tokens=500_000)
AGAIN = Policy(retry=Retry(first=0.001, longest=0.001))
DONE = JobStatus(state="succeeded", word="done")


def says(text="yes", *, usage=USAGE):
    """Return an answer."""
    return TextResult(Message.assistant(text), Finish(usage=usage, request_id="r-1"))


class Acme:
    """
    A provider that gives *answers* in turn, the last of them for ever.

    An answer may be an exception to raise, or a list of events of which some may be.
    """

    def __init__(self, *answers):
        self.answers = list(answers) or [says()]
        self.ids = []

    def _next(self):
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def generate(self, request):
        return self._next()

    @streaming
    async def stream(self, request):
        answer = self._next()
        if isinstance(answer, TextResult):
            answer = [TextDelta(answer.text), answer.finish]
        for event in answer:
            if isinstance(event, BaseException):
                raise event
            yield event

    async def submit_batch(self, lines):
        self.ids = [line.id for line in lines]
        return {"batch": "b-1"}

    async def poll_batch(self, handle):
        return DONE

    async def fetch_batch(self, handle, request):
        return {one: says() for one in self.ids}

    async def cancel_batch(self, handle):
        raise NotImplementedError


class Brings:
    """A plugin that offers one provider of text."""

    def __init__(self, provider, id="acme", **spec):  # noqa: A002  # the spec's word
        self.spec = TextProviderSpec(
            id=id,
            display_name=id.title(),
            kind="local",
            models=[ModelSpec(id="m-1", prices=PRICES)],
            default_model="m-1",
            connect=lambda _: provider,
            **spec,
        )

    @hookimpl
    def anymodal_text_providers(self):
        return [self.spec]


def client(*observers, policy=AGAIN, settings=None, **providers):
    """Return a client of *providers*, by id."""
    plugins = [Brings(one, id=name) for name, one in (providers or {"acme": Acme()}).items()]
    found = Settings.from_mapping(settings or {}, environ={"ANYMODAL_STATE_DIR": "off"})
    registry = Registry(found, plugins=plugins, distributions=())
    return Client(registry=registry, observers=observers, policy=policy)


def calls(path, **narrowed):
    """Return the calls in a file, the newest first."""
    with closing(open_to_read(path)) as db:
        return listed(db, Narrowed(**{"count": 1000, **narrowed}))


def call(path, place=0):
    """Return all of one call."""
    with closing(open_to_read(path)) as db:
        return shown(db, listed(db, Narrowed())[place]["id"])


def prompts(path, *phrases, **narrowed):
    """Return what was asked in the calls that have all *phrases*."""
    with closing(open_to_read(path)) as db:
        rows, _ = searched(db, phrases, Narrowed(**narrowed))
    return [row["prompt"] for row in rows]


def words_of(turn):
    """Return the texts of a turn."""
    return [part.get("text") for part in turn["parts"]]


def count(path, table):
    """Return how many rows *table* has."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def everything(folder):
    """Return all bytes that are kept."""
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def as_json(text):
    """Return what a command printed."""
    return json.loads(text)
