"""A vendor with batches, for tests of jobs."""

from __future__ import annotations

import datetime as dt

from anymodal import (
    Client,
    Finish,
    JobStatus,
    Message,
    ModelSpec,
    Price,
    Prices,
    Registry,
    Settings,
    TextResult,
    Usage,
)

from .clocks import FakeClock
from .once import ONCE
from .plugins_on_path import Brings

DAY = dt.date(2026, 11, 20)
PRICES = Prices([Price("input_token", 2), Price("output_token", 4)], "acme.example", DAY)
HALF = PRICES.times("0.5", "acme.example/batches", DAY)
PRICED = ModelSpec(id="m-1", prices=PRICES, batch_prices=HALF)
RUNNING = JobStatus(state="running", progress=0.5, word="busy")
DONE = JobStatus(state="succeeded", word="done")


class Acme:
    """
    A vendor with batches, and nothing but a script of what it says of them.

    Args:
        states: What it says when it is asked, one after the other; errors are raised,
            and the last of them is said again.
        outcomes: What became of lines, by id; the others are answered.
    """

    def __init__(self, *states, outcomes=(), leaves_out=()):
        self.states = list(states) or [DONE]
        self.outcomes = dict(outcomes)
        self.leaves_out = leaves_out
        self.lines = []
        self.calls = []

    async def generate(self, request):
        raise NotImplementedError

    async def submit_batch(self, lines):
        self.calls.append("submit")
        self.lines = list(lines)
        for line in lines:
            if line.request.seed is not None:
                line.request.warn("seed", "it was left out")
        return {"batch": "b-1", "ids": [line.id for line in lines]}

    async def poll_batch(self, handle):
        self.calls.append("poll")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state

    async def fetch_batch(self, handle, request):
        self.calls.append("fetch")
        self.asked = request
        found = {}
        for name in reversed(handle["ids"]):  # vendors promise no order
            if name not in self.leaves_out:
                found[name] = self.outcomes.get(name) or answer(f"answer {name}")
        return found

    async def cancel_batch(self, handle):
        self.calls.append("cancel")


def answer(text, tokens=1_000_000):
    finish = Finish(usage=Usage(tokens, tokens), request_id=f"r-{text[-1]}")
    return TextResult(Message.assistant(text), finish)


def client(provider, *, clock=None, settings=None, spec=(), model=PRICED, store=None):
    """A client of one vendor, whose name is acme."""
    brings = Brings(provider, models=[model], **dict(spec))
    found = Registry(
        Settings.from_mapping(settings or {}, environ={}), plugins=[brings], distributions=()
    )
    return Client(registry=found, policy=ONCE, clock=clock or FakeClock(), store=store)
