"""The faults of text: each is Acme with one thing changed."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import logging

import acme_http
import acme_thread
import anyio
import attrs
from acme import KEY, PAGE, Acme, Plugin, refined, spec
from anymodal import (
    Audio,
    Capabilities,
    Citation,
    Credential,
    File,
    Finish,
    Image,
    Lifecycle,
    Message,
    ModelSpec,
    Price,
    Prices,
    TextDelta,
    TextResult,
    ToolCallDelta,
    Usage,
    Video,
    streaming,
)
from anymodal import errors as e
from anymodal.modalities.messages import Reasoning, ToolResult

PLANTED = {}
"""By the fault's id, the plugin that has it."""


def plant(name, connect=Acme, **changes):
    """Plant a fault by a `connect` or by fields of the spec."""
    fields = {"backends": {"asyncio"}, **changes, "id": f"acme-{name}"}
    PLANTED[name] = Plugin(lambda: spec(connect, **fields))
    return connect


def planted(name, **changes):
    """Plant the decorated provider."""
    return lambda cls: plant(name, cls, **changes)


# -- what is declared ---------------------------------------------------------------------

FACTS = {"context_tokens": 64_000, "source": PAGE}
TODAY = dt.date(2026, 11, 2)


def only(**facts):
    """Return a table of one model."""
    able = Capabilities(yes={"streaming"})
    return [ModelSpec(**{"id": "acme-2", "capabilities": able, **FACTS, **facts})]


def priced(usd, source, day):
    return only(prices=Prices([Price("input_token", usd), Price("output_token", usd)], source, day))


plant("speaks-no-contract", lambda connection: object())
plant("cites-nothing", models=only(source=""))
plant("free-for-unknown", models=priced("0", "", TODAY))
plant("undated-price", models=priced("1", PAGE, dt.date(1970, 1, 1)))
plant("lost-default", default_model="acme-9")
plant("retired-default", models=only(lifecycle=Lifecycle(state="retired", replacement="x")))
plant("own-words", models=only(capabilities=Capabilities(yes={"telepathy"})))
plant(
    "retires-in-silence",
    models=[*only(), ModelSpec(id="acme-1", lifecycle=Lifecycle(state="retired"))],
)


class Sly(Capabilities):
    def over(self, other):
        return Capabilities(self.yes, self.no)

    def get(self, name):
        return None


plant("yes-and-no", models=only(capabilities=Sly(yes={"streaming"}, no={"image_input"})))

calls = itertools.count()


def counted():
    return spec(id="acme-counts-its-calls", priority=next(calls), backends={"asyncio"})


PLANTED["counts-its-calls"] = Plugin(counted)


@planted("opens-in-connect")
class OpensInConnect(Acme):
    def __init__(self, connection):
        import socket
        from urllib.parse import urlsplit

        super().__init__(connection)
        place = urlsplit(connection.base_url)
        self.socket = socket.create_connection((place.hostname, place.port))

    async def aclose(self):
        self.socket.close()


# -- calls --------------------------------------------------------------------------------


@planted("answers-nothing")
class AnswersNothing(Acme):
    def answered(self, result):
        return TextResult(Message.assistant(""), result.finish)


@planted("never-asks")
class NeverAsks(Acme):
    async def generate(self, request):
        return TextResult(Message.assistant("I know."), Finish())


@planted("one-answer")
class OneAnswer(Acme):
    def sent(self, request):
        return attrs.evolve(request, messages=(Message.user("Hello."),))


class ChangesFinish(Acme):
    def changed(self, finish):
        raise NotImplementedError

    def told(self, event):
        return [self.changed(event) if isinstance(event, Finish) else event]

    def answered(self, result):
        return attrs.evolve(result, finish=self.changed(result.finish))


@planted("keeps-usage")
class KeepsUsage(ChangesFinish):
    def changed(self, finish):
        return attrs.evolve(finish, usage=None)


@planted("counts-zero")
class CountsZero(ChangesFinish):
    def changed(self, finish):
        return attrs.evolve(finish, usage=Usage(input_tokens=0, output_tokens=0))


@planted("loses-request-id")
class LosesRequestId(ChangesFinish):
    def changed(self, finish):
        return attrs.evolve(finish, request_id=None)


@planted("shares-state")
class SharesState(Acme):
    async def generate(self, request):
        self.request = request
        await anyio.sleep(0.01)
        return await self.inner.generate(self.request)


@planted("leaks-a-task")
class LeaksATask(Acme):
    async def generate(self, request):
        import asyncio

        self.task = asyncio.create_task(asyncio.sleep(20))
        return await self.inner.generate(request)


@planted("leaks-a-socket")
class LeaksASocket(Acme):
    async def generate(self, request):
        from urllib.parse import urlsplit

        place = urlsplit(self.connection.base_url)
        LEAKED.append(await anyio.connect_tcp(place.hostname, place.port))
        return await self.inner.generate(request)


LEAKED = []


@planted("swallows-cancel")
class SwallowsCancel(Acme):
    async def generate(self, request):
        try:
            return await self.inner.generate(request)
        except anyio.get_cancelled_exc_class():
            msg = "acme-swallows-cancel: it went wrong"
            raise e.ServerError(msg, provider="acme-swallows-cancel") from None


@planted("cancelled-socket")
class CancelledSocket(Acme):
    async def generate(self, request):
        import asyncio

        self.task = asyncio.ensure_future(self.inner.generate(request))
        return await asyncio.shield(self.task)


@planted("dies-of-cancel")
class DiesOfCancel(Acme):
    dead = False

    async def generate(self, request):
        if self.dead:
            msg = "acme-dies-of-cancel: busy"
            raise e.OverloadedError(msg, provider="acme-dies-of-cancel")
        self.dead = True
        result = await self.inner.generate(request)
        self.dead = False
        return result


@planted("shields-itself")
class ShieldsItself(Acme):
    async def generate(self, request):
        with anyio.CancelScope(shield=True):
            return await self.inner.generate(request)


# -- errors and keys ----------------------------------------------------------------------


def as_server(status, headers, body):
    return e.ServerError if status == 429 else refined(status, headers, body)


plant("rate-is-server", errors=as_server)


class Repeats(Acme):
    """Does something about the errors of its vendor's."""

    async def generate(self, request):
        try:
            return await self.inner.generate(request)
        except e.VendorError as error:
            return await self.after(error, request)

    async def after(self, error, request):
        raise NotImplementedError


@planted("raw-error")
class RawError(Repeats):
    async def after(self, error, request):
        raise OSError(str(error)) from None


@planted("wait-is-lost")
class WaitIsLost(Repeats):
    async def after(self, error, request):
        error.retry_after = None
        raise error


@planted("tries-again")
class TriesAgain(Repeats):
    async def after(self, error, request):
        return await self.inner.generate(request)


@planted("broken-is-answer")
class BrokenIsAnswer(Repeats):
    async def after(self, error, request):
        return TextResult(Message.assistant(error.partial or "…"), Finish())


@planted("nonsense-is-answer")
class NonsenseIsAnswer(Repeats):
    async def after(self, error, request):
        return TextResult(Message.assistant("Welcome"), Finish())


@planted("nameless-error")
class NamelessError(Repeats):
    async def after(self, error, request):
        msg = "it went wrong"
        raise type(error)(msg) from None


@planted("sends-no-key")
class SendsNoKey(Acme):
    def __init__(self, connection):
        from anymodal import Secret

        connection.credentials = {"api_key": Secret(KEY)}
        super().__init__(connection)


plant("asks-without-key", credentials=[Credential(required=False)])


@planted("key-in-repr")
class KeyInRepr(Acme):
    def __repr__(self):
        return f"<Acme {self.connection.credentials['api_key'].reveal()}>"


@planted("key-in-error")
class KeyInError(Repeats):
    async def after(self, error, request):
        msg = f"acme-key-in-error: {KEY} was refused"
        raise type(error)(msg, provider="acme-key-in-error") from None


@planted("key-in-log")
class KeyInLog(Acme):
    async def generate(self, request):
        logging.getLogger("acme").debug("with %s", await self.connection.required())
        return await self.inner.generate(request)


@planted("key-in-cause")
class KeyInCause(Repeats):
    async def after(self, error, request):
        raise error from ValueError(f"authorization: {KEY}")


# -- streams ------------------------------------------------------------------------------


@planted("no-finish")
class NoFinish(Acme):
    def told(self, event):
        return [] if isinstance(event, Finish) else [event]


@planted("after-finish")
class AfterFinish(Acme):
    def told(self, event):
        return [event, TextDelta("P.S.")] if isinstance(event, Finish) else [event]


@planted("two-finishes")
class TwoFinishes(Acme):
    def told(self, event):
        return [event, event] if isinstance(event, Finish) else [event]


@planted("empty-piece")
class EmptyPiece(Acme):
    def told(self, event):
        return [TextDelta(""), event] if isinstance(event, TextDelta) else [event]


class Gathers(Acme):
    """Reads the whole stream before it gives any of it."""

    whole = False

    @streaming
    async def stream(self, request):
        async with self.inner.stream(request) as events:
            found = [event async for event in events]
        if self.whole:
            said = "".join(event.text for event in found if isinstance(event, TextDelta))
            found = [TextDelta(said), found[-1]]
        for event in found:
            yield event


plant("holds-back", Gathers)


@planted("one-piece")
class OnePiece(Gathers):
    whole = True


@planted("streams-other")
class StreamsOther(Acme):
    def told(self, event):
        return [TextDelta(event.text.upper())] if isinstance(event, TextDelta) else [event]


HELD = []


@planted("leaves-open")
class LeavesOpen(Acme):
    @streaming
    async def stream(self, request):
        opened = self.inner.stream(request)
        HELD.append(opened)
        events = await opened.__aenter__()
        async for event in events:
            yield event


class EndsWell(Acme):
    @streaming
    async def stream(self, request):
        with contextlib.suppress(e.VendorError):
            async with self.inner.stream(request) as events:
                async for event in events:
                    yield event
                return
        yield Finish()


plant("whole-if-cut", EndsWell)
plant("late-is-whole", EndsWell)


# -- what goes out and comes back ---------------------------------------------------------


def rewritten(request, change):
    """Return *request* with its messages' parts changed; None leaves one out."""
    messages = tuple(
        attrs.evolve(m, parts=tuple(p for p in map(change, m.parts) if p is not None))
        for m in request.messages
    )
    return attrs.evolve(request, messages=messages)


def without(*kinds):
    """Return a provider that does not send what is of *kinds*."""

    class Without(Acme):
        def sent(self, request):
            return rewritten(request, lambda p: None if isinstance(p, kinds) else p)

    return Without


plant("blind", without(Image))
plant("illiterate", without(File))
plant("deaf", without(Audio))
plant("unseeing", without(Video))


@planted("ascii-only")
class AsciiOnly(Acme):
    def sent(self, request):
        return rewritten(
            request,
            lambda p: p.encode("ascii", "ignore").decode() if isinstance(p, str) else p,
        )


@planted("breaks-runes")
class BreaksRunes(Acme):
    def told(self, event):
        if not isinstance(event, TextDelta):
            return [event]
        said = event.text.encode()
        return [TextDelta(said[at : at + 1].decode(errors="replace")) for at in range(len(said))]


@planted("last-turn-only")
class LastTurnOnly(Acme):
    def sent(self, request):
        return attrs.evolve(request, messages=request.messages[-1:])


def unsaid(**fields):
    """Return a provider that leaves out fields of requests."""

    class Unsaid(Acme):
        def sent(self, request):
            return attrs.evolve(request, **fields)

    return Unsaid


plant("no-system", unsaid(system=None))
plant("drops-max", unsaid(max_tokens=None))
plant("lenient", unsaid(strict=False))
plant("shapeless", unsaid(schema=None))
plant("thoughtless", unsaid(reasoning=None))
plant("no-search", unsaid(web_search=None))


@planted("stop-for-length")
class StopForLength(ChangesFinish):
    def changed(self, finish):
        return attrs.evolve(finish, reason="stop")


@planted("filter-is-stop")
class FilterIsStop(Acme):
    async def generate(self, request):
        try:
            return await self.inner.generate(request)
        except e.ContentFilteredError as error:
            return TextResult(Message.assistant(error.partial), Finish())


def bad(*classes, instead):
    """Return a table of errors that takes *classes* for another."""

    def table(status, headers, body):
        found = refined(status, headers, body)
        return instead if found in classes else found

    return table


plant("long-is-bad", errors=bad(e.ContextLengthError, instead=e.BadRequestError))
plant("quota-is-rate", errors=bad(e.QuotaExceededError, instead=e.RateLimitedError))
plant("filter-is-bad", errors=bad(e.ContentFilteredError, instead=e.BadRequestError))


# -- abilities ----------------------------------------------------------------------------


@planted("no-arguments")
class NoArguments(Acme):
    def told(self, event):
        lost = isinstance(event, ToolCallDelta)
        return [attrs.evolve(event, arguments="") if lost else event]

    def answered(self, result):
        parts = tuple(
            attrs.evolve(p, arguments='{"colour": ""}') if hasattr(p, "arguments") else p
            for p in result.message.parts
        )
        return attrs.evolve(result, message=attrs.evolve(result.message, parts=parts))


@planted("no-result")
class NoResult(Acme):
    def sent(self, request):
        return rewritten(
            request, lambda p: attrs.evolve(p, content="ok") if isinstance(p, ToolResult) else p
        )


@planted("uncited")
class Uncited(Acme):
    def told(self, event):
        return [] if isinstance(event, Citation) else [event]

    def answered(self, result):
        kept = tuple(p for p in result.message.parts if not isinstance(p, Citation | Reasoning))
        return attrs.evolve(result, message=attrs.evolve(result.message, parts=kept))


@planted("mixed-batch")
class MixedBatch(Acme):
    def __init__(self, connection):
        super().__init__(connection)
        self.submit_batch = self.submit

    async def submit(self, lines):
        turned = reversed([line.messages for line in lines])
        mixed = [attrs.evolve(line, messages=m) for line, m in zip(lines, turned, strict=True)]
        return await self.inner.submit_batch(mixed)


@planted("no-models")
class NoModels(Acme):
    async def list_models(self):
        return [ModelSpec(id="acme-9000")]


PLANTED["imports-http"] = acme_http.Plugin()
PLANTED["starts-a-thread"] = acme_thread.Plugin()
