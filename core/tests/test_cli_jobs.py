"""`anymodal jobs`: jobs of programs that have ended, from the command line."""

import json
import subprocess
import sys

import click
import pytest
from anymodal.cli.jobs import _document

from .distributions import PATIENCE, Site
from .terminal import terminal

BATCHY = """
    from pathlib import Path

    from anymodal import (
        Capabilities, Finish, JobStatus, Message, ModelSpec, TextProviderSpec, TextResult, hookimpl,
    )
    from anymodal.errors import BadRequestError, OutcomeUnknownError

    CANCELLED, ASKED = Path("cancelled"), Path("asked")


    class Batchy:
        async def generate(self, request): ...

        async def submit_batch(self, lines):
            if lines[0].request.model.id == "lost":
                raise OutcomeUnknownError("batchy: no answer")
            return {"ids": [line.id for line in lines], "model": lines[0].request.model.id}

        async def poll_batch(self, handle):
            if CANCELLED.exists():
                return JobStatus(state="cancelled", word="halted")
            if handle["model"] == "endless":
                return JobStatus(state="running")
            if handle["model"] == "fails":
                return JobStatus(state="failed", word="oops", message="the dog ate it")
            ASKED.touch()
            with ASKED.open("a") as file:
                file.write(".")
            if ASKED.stat().st_size == 1:
                return JobStatus(state="running", progress=0.25, word="busy")
            return JobStatus(state="succeeded", word="done")

        async def fetch_batch(self, handle, request):
            first, *others = handle["ids"]
            answer = TextResult(Message.assistant("Oslo."), Finish())
            return {first: answer, **{one: BadRequestError("batchy: no") for one in others}}

        async def cancel_batch(self, handle):
            CANCELLED.touch()


    @hookimpl
    def anymodal_text_providers():
        yield TextProviderSpec(
            id="batchy", display_name="Batchy", kind="local", default_model="b-1",
            capabilities=Capabilities(["batch"]),
            models=[ModelSpec(id=name) for name in ("b-1", "endless", "lost", "fails")],
            connect=lambda connection: Batchy(),
        )
"""
SUBMITS = """
import sys
import anymodal

async def main(ai, model, key):
    prompts = [("norway", "Capital of Norway?"), "And of Atlantis?"]
    print((await ai.text.batch(prompts, model=model, key=key)).token)

with anymodal.SyncClient() as ai:
    ai.run(lambda client: main(client, *sys.argv[1:]))
"""


@pytest.fixture
def site(tmp_path):
    """A place where a vendor with batches is installed."""
    found = Site(tmp_path)
    found.install("batchy", BATCHY)
    return found


def submit(site, key="run7", model="batchy/b-1", status=0):
    """Submit a batch by a program of its own, and return the token."""
    ended = subprocess.run(
        [sys.executable, "-c", SUBMITS, model, key],
        env=site.environ(), cwd=site.home, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip

    assert status == ended.returncode, ended.stderr
    return ended.stdout.strip()


def document(site, *words, status=0):
    """What the command prints as JSON."""
    ended = site.run("jobs", *words)

    assert status == ended.returncode, ended.stderr
    return json.loads(ended.stdout)


def test_nothing_was_submitted(site):
    """An empty list is a list."""
    assert [] == document(site, "list", "--json")


def test_jobs_are_listed(site):
    """The oldest first, with all that the way back needs; in a table the key will do."""
    tokens = [submit(site, key) for key in ("run7", "run8")]
    first, second = document(site, "list", "--json")

    assert tokens == [first["token"], second["token"]]
    assert {"key": "run7", "state": "queued", "modality": "text", "operation": "batch"} == {
        name: first[name] for name in ("key", "state", "modality", "operation")
    }
    assert ("batchy", "b-1") == (first["instance"], first["model"])
    table = site.run("jobs", "list").stdout
    assert "run8" in table
    assert tokens[0] not in table


@pytest.mark.parametrize("by", ["key", "token"])
def test_job_is_shown(site, by):
    """The vendor is asked, and what it says is kept."""
    token = submit(site)
    (shown,) = document(site, "show", token if by == "token" else "run7", "--json")

    assert ("run7", "running", 0.25, "busy", None, token) == tuple(
        shown[name] for name in ("key", "state", "progress", "word", "message", "token")
    )
    assert ["running"] == [row["state"] for row in document(site, "list", "--json")]


def test_job_of_elsewhere_is_shown(site):
    """Its token came from another machine."""
    token = submit(site)
    assert 0 == site.run("jobs", "forget", "run7").returncode
    (shown,) = document(site, "show", token, "--json")

    assert (None, "running", None, token) == tuple(
        shown[name] for name in ("key", "state", "submitted_at", "token")
    )


def test_job_is_waited_for(site):
    """Its result is the document, a line that failed being its error."""
    submit(site)
    found = document(site, "resume", "run7")
    norway, atlantis = found["lines"]

    assert ("batchy", "b-1", None) == (found["provider"], found["model"], found["usage"])
    assert ("norway", "Oslo.", None) == (norway["key"], norway["answer"]["text"], norway["error"])
    assert (None, None) == (atlantis["key"], atlantis["answer"])
    assert {"code": "bad_request", "message": "batchy: no"} == atlantis["error"]


def test_wait_has_an_end(site):
    """The job goes on, and so may the caller."""
    submit(site, model="batchy/endless")
    ended = site.run("jobs", "resume", "run7", "--timeout", "0.01")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "has not ended in time" in ended.stderr


def test_failed_job_is_a_sentence(site):
    """In the vendor's words."""
    submit(site, model="batchy/fails")
    ended = site.run("jobs", "resume", "run7")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "the dog ate it" in ended.stderr
    assert 1 == ended.stderr.count("\n")


def test_progress_is_seen_on_a_terminal(site):
    """And is gone when the result is there."""
    submit(site)
    with terminal(site, "jobs", "resume", "run7") as screen:
        screen.wait_for("25%")
        screen.wait_for('"lines"')
        assert 0 == screen.ended()


def test_job_is_cancelled(site):
    """And how it then stands is told."""
    submit(site)
    (row,) = document(site, "cancel", "run7", "--json")

    assert ("cancelled", "halted") == (row["state"], row["word"])
    assert ["cancelled"] == [row["state"] for row in document(site, "list", "--json")]


def test_outcome_that_is_unknown_is_listed_and_forgotten(site):
    """That frees the key, once somebody has looked."""
    submit(site, model="batchy/lost", status=1)
    (row,) = document(site, "list", "--json")
    assert ("run7", "submitting", None, None) == (
        row["key"],
        row["state"],
        row["instance"],
        row["token"],
    )
    ended = site.run("jobs", "resume", "run7")
    assert 1 == ended.returncode
    assert "may exist" in ended.stderr

    assert 0 == site.run("jobs", "forget", "run7").returncode
    assert [] == document(site, "list", "--json")


@pytest.mark.parametrize("words", [["show", "run9"], ["resume", "run9"], ["forget", "run9"]])
def test_unknown_key_is_a_sentence(site, words):
    """With a hint at the list."""
    ended = site.run("jobs", *words)

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "list" in ended.stderr


@pytest.mark.parametrize("words", [["show", "job1.nonsense"], ["cancel", "job1."]])
def test_damaged_token_is_a_sentence(site, words):
    """Shells cut what is pasted."""
    ended = site.run("jobs", *words)

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "token" in ended.stderr


def test_result_of_another_kind_is_a_sentence():
    """Modalities that plugins bring have results of their own."""
    with pytest.raises(click.ClickException, match="not written as JSON"):
        _document(object())


def test_damaged_store_is_a_sentence(site):
    """Which says where it is, and what to do."""
    folder = site.home / ".local" / "state" / "anymodal"
    folder.mkdir(parents=True)
    (folder / "anymodal.sqlite").write_text("shopping list" * 100)
    ended = site.run("jobs", "list")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "anymodal.sqlite" in ended.stderr
    assert "move it away" in ended.stderr
