"""Providers that say what a test wrote for them, and a client of nothing else."""

from __future__ import annotations

from anymodal import Client, Registry, Settings, TextResult, streaming
from anymodal.modalities.messages import Message, ToolCall
from anymodal.modalities.text import Finish, events_of

from .once import ONCE
from .plugins_on_path import Brings

MODEL = "acme/m-1"


def says(*parts, **finish):
    """Return an answer of *parts*; it ends as its calls of tools suggest."""
    called = any(isinstance(part, ToolCall) for part in parts)
    finish = {"reason": "tool_calls" if called else "stop", **finish}
    return TextResult(Message.assistant(*(parts or ("",))), Finish(**finish))


def asks(name, arguments="{}", id="c-1"):  # noqa: A002  # the field's name
    """Return a call of a tool."""
    return ToolCall(id, name, arguments)


class Scripted:
    """
    A provider that gives *answers* in turn, the last of them for ever.

    An answer may be an exception, and a stream's a list of events. `requests` has
    what it was asked.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.closed = 0

    def _next(self, request):
        self.requests.append(request)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def generate(self, request):
        return self._next(request)

    @streaming
    async def stream(self, request):
        answer = self._next(request)
        try:
            for event in answer if isinstance(answer, list) else events_of(answer):
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            self.closed += 1


def client_of(provider, **spec):
    """Return a client of *provider* alone, as `acme`."""
    registry = Registry(Settings.empty(), plugins=(Brings(provider, **spec),), distributions=())
    return Client(registry=registry, policy=ONCE)
