"""Many prompts as one job: what goes into a batch, and what its results are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, cast

import attrs

from .. import errors as e
from ..call import Call, Way
from ..jobs import Handle, JobStatus, JobToken, Polling
from ..ledger import Submission, fingerprint
from ..modalities.batches import BatchesText, BatchLine, Outcome, TextBatch
from ..modalities.messages import Prompt, messages_of
from ..modalities.text import TextRequest, TextResult
from ..pricing import Used
from ..shapes import Output, Shape, shape_of
from ..specs import Deadlines, ModelSpec
from ..usage import CallWarning, Cost, Record, Usage, cost_of
from .answers import bind
from .asking import Asked, finished, needs_of, weight_of
from .jobs import Job
from .returning import RUNNING, found_again

if TYPE_CHECKING:
    from pathlib import Path

    from ..doors import Door
    from ..resolution import Offer, Row

__all__ = ["BatchPrompt", "resumed", "submitted"]

BatchPrompt: TypeAlias = Prompt | tuple[str, Prompt]

Keyed: TypeAlias = tuple[int, tuple[str, Prompt]]
"""A prompt with its place and its own key."""

Lines: TypeAlias = tuple[BatchLine, ...]

OPERATION: Final = "batch"
"""Also the capability that it needs."""

POLLING: Final = Polling(longest=60.0)
"""Vendors take from minutes to a day, and their examples ask once a minute."""

KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,48}")
"""With the place of the line before it, what every vendor takes for an id; see `BatchLine`."""

MOST_LINES: Final = 1_000_000
"""What the most generous vendor takes; a token may say what it likes."""

FAILED: Final = Cost(None, "the line failed")


# -- from prompts to a job --------------------------------------------------------------


async def submitted(
    way: Way, call: Call, prompts: Iterable[BatchPrompt], key: str | None
) -> Job[TextBatch]:
    """
    Make a batch of *prompts* and return its job, or the one that was made with *key* before.

    Raises:
        KeyReusedError: *key* was used for something else.
        RequestError: Nothing was sent.
        OutcomeUnknownError: It may have been made.
        VendorError: The vendor refused or failed.
    """
    asked: Asked = call.asked
    keyed = list(enumerate(_keyed(prompts)))
    if not keyed:
        msg = "prompts: there are none."
        raise e.InvalidRequestError(msg, field="prompts")
    async with Submission(way.jobs, call.record, key) as submission:
        there = await submission.claimed(lambda: _fingerprint(keyed, asked))
        if there is not None:
            return resumed(way, there, asked.output)
        return await _made(way, call, keyed, asked, submission)


async def _made(
    way: Way, call: Call, keyed: list[Keyed], asked: Asked, submission: Submission
) -> Job[TextBatch]:
    tried: list[tuple[Row, Lines]] = []

    def lines_for(row: Row) -> Lines:
        lines = tuple(_line(one, asked, call, row) for one in keyed)
        tried.append((row, lines))
        return lines

    submit = submission.sending(_submit)
    handle = await call.run(
        asked.model,
        lines_for,
        submit,
        bind=bind,
        needs_of=_needs_of,
        weigh=_weight_of,
        is_repeatable=False,
    )
    row, lines = tried[-1]
    record = call.record
    call.account(None, None)
    record.cost = RUNNING
    record.warnings += _distinct(line.request.warnings for line in lines)
    token = JobToken(
        provider=record.provider,
        instance=record.instance,
        model=record.model,
        modality=record.modality,
        operation=OPERATION,
        call=record.id,
        handle=handle,
        kept={"lines": len(lines), "raw": asked.raw, **submission.kept},
    )
    await submission.keep(token)
    work = _BatchWork(way, token, row.model, record, asked.shape, lines)
    return _job(way, row.offer, token, work, call.deadlines)


def _fingerprint(keyed: list[Keyed], asked: Asked) -> str:
    """Return what tells this batch from others; what changes no answer is left out."""
    prompts = [(number, key, messages_of(prompt)) for number, (key, prompt) in keyed]
    schema = None if asked.shape is None else asked.shape.schema
    settings = {
        field.name: getattr(asked, field.name)
        for field in attrs.fields(Asked)
        if field.name not in {"output", "raw", "strict", "tools"}
    }
    return fingerprint("text", OPERATION, prompts, settings, asked.specs, schema)


def _keyed(prompts: Iterable[BatchPrompt]) -> Iterator[tuple[str, Prompt]]:
    if isinstance(prompts, str) or not isinstance(prompts, Iterable):
        msg = "prompts: several are needed, each a prompt or a pair of a key and a prompt."
        raise e.InvalidRequestError(msg, field="prompts")
    seen: set[str] = set()
    for number, one in enumerate(prompts):
        if not isinstance(one, tuple):
            yield "", one
            continue
        key = one[0] if len(one) == 2 else None
        if not isinstance(key, str) or not KEY.fullmatch(key):
            msg = (
                f"prompts[{number}]: a tuple is a key and a prompt, and a key is of up to 48 "
                "letters, digits, hyphens and underscores. Put the parts of a prompt into a list."
            )
            raise e.InvalidRequestError(msg, field="prompts")
        if key in seen:
            msg = f"prompts[{number}]: the key {key!r} was given before."
            raise e.InvalidRequestError(msg, field="prompts")
        seen.add(key)
        yield key, cast("Prompt", one[1])


def _line(one: Keyed, asked: Asked, call: Call, row: Row) -> BatchLine:
    number, (key, prompt) = one
    try:
        request = asked.request(call, row, prompt)
    except e.InvalidRequestError as error:
        msg = f"prompts[{number}]: {error}"
        raise e.InvalidRequestError(msg, field=error.field) from error
    return BatchLine(f"{number}-{key}" if key else str(number), attrs.evolve(request, warnings=[]))


def _needs_of(lines: Lines) -> list[str]:
    needs = (need for line in lines for need in needs_of(line.request))
    return list(dict.fromkeys([OPERATION, *needs]))


def _weight_of(lines: Lines) -> Usage:
    weights = [weight_of(line.request) for line in lines]
    return Usage(
        sum(one.input_tokens or 0 for one in weights),
        sum(one.output_tokens or 0 for one in weights),
    )


def _distinct(warnings: Iterable[Sequence[CallWarning]]) -> list[CallWarning]:
    return list(dict.fromkeys(one for some in warnings for one in some))


def _batches(door: Door) -> BatchesText:
    # A spec that says no was refused before; this is for one that says nothing.
    if getattr(door.provider, "submit_batch", None) is None:
        msg = f"{door.offer.instance} has no batches of text; nothing was sent."
        raise e.UnsupportedFeatureError(msg)
    return cast("BatchesText", door.provider)


async def _submit(door: Door, lines: Lines) -> Handle:
    return await _batches(door).submit_batch(lines)


# -- the way back -----------------------------------------------------------------------


def resumed(way: Way, text: str, output: Output | None) -> Job[TextBatch]:
    """
    Return the job that the token *text* leads to.

    Raises:
        InvalidRequestError: It is no token of a batch of text.
        ConfigurationError: Nobody here serves the instance that it names.
    """
    token = JobToken.parse(text)
    count = token.kept.get("lines")
    is_ours = (token.modality, token.operation) == ("text", OPERATION)
    if not is_ours or not isinstance(count, int) or not 0 < count <= MOST_LINES:
        msg = "token: it is not that of a batch of text; see client.jobs.resume()."
        raise e.InvalidRequestError(msg, field="token")
    row, record = found_again(way, token)
    shape = None if output is None else shape_of(output)
    work = _BatchWork(way, token, row.model, record, shape)
    return _job(way, row.offer, token, work, row.offer.deadlines)


def _job(
    way: Way, offer: Offer, token: JobToken, work: _BatchWork, deadlines: Deadlines
) -> Job[TextBatch]:
    return Job(
        way,
        offer,
        bind,
        token=token,
        work=work,
        record=work.record,
        deadlines=deadlines,
        polling=POLLING,
    )


# -- from a job to results ----------------------------------------------------------------


@attrs.frozen(eq=False)
class _BatchWork:
    """What a batch's requests are; see `Work`."""

    has_files: ClassVar[bool] = False

    way: Way
    token: JobToken
    model: ModelSpec
    record: Record
    shape: Shape | None = None
    lines: Lines = ()

    async def poll(self, door: Door) -> JobStatus:
        return await _batches(door).poll_batch(self.token.handle)

    async def cancel(self, door: Door) -> None:
        await _batches(door).cancel_batch(self.token.handle)

    async def fetch(self, door: Door, status: JobStatus, into: Path | None) -> TextBatch:
        del into  # it has no files
        request = TextRequest(
            model=self.model,
            messages=(),
            deadlines=door.offer.deadlines,
            raw=self.token.kept.get("raw") is True,
        )
        found = await _batches(door).fetch_batch(self.token.handle, request)
        return self._told(found, status)

    def _told(self, found: Mapping[str, Outcome], status: JobStatus) -> TextBatch:
        """Return the outcomes in the order asked, and note what they used."""
        count = cast("int", self.token.kept["lines"])
        keys = [""] * count
        outcomes: list[Outcome | None] = [None] * count
        for number, line in enumerate(self.lines):
            keys[number] = line.id.partition("-")[2]
        for name, outcome in found.items():
            place, _, key = name.partition("-")
            if place.isdecimal() and int(place) < count:
                keys[int(place)] = key
                outcomes[int(place)] = outcome
        lines = tuple(
            self._line(number, outcome or self._unanswered(number, status))
            for number, outcome in enumerate(outcomes)
        )
        batch = TextBatch(lines, tuple(keys), self.record)
        self.record.usage = _together([answer.usage for answer in batch.answers])
        self.record.cost = _sum([answer.record.cost for answer in batch.answers])
        return batch

    def _unanswered(self, number: int, status: JobStatus) -> e.AnymodalError:
        token = self.token
        where = f"{token.instance}/{token.model}"
        msg = f"{where}: line {number} got no answer; the batch ended as {status.state}."
        return e.JobFailedError(msg, provider=token.provider, vendor_code=status.word or None)

    def _line(self, number: int, outcome: Outcome) -> Outcome:
        """Return *outcome* with a record of its own, and in the shape that was asked for."""
        token, batch = self.token, self.record
        record = attrs.evolve(
            batch,
            id=f"{token.call}-{number}",
            request_id=None,
            seconds=None,
            attempts=[],
            usage=None,
            cost=FAILED,
            warnings=list(self.lines[number].request.warnings) if self.lines else [],
        )
        if isinstance(outcome, TextResult):
            finish = outcome.finish
            record.usage, record.request_id = finish.usage, finish.request_id
            record.cost = _cost(finish.usage, self.model)
            record.raw = finish.raw
            call = Call(self.way, token.modality, OPERATION)
            call.record = record
            try:
                return finished(call, outcome.message, finish, self.shape)
            except e.InvalidOutputError as error:
                return error
        outcome.record = record
        if isinstance(outcome, e.VendorError):
            outcome.provider = outcome.provider or token.provider
            record.request_id = outcome.request_id
        return outcome


def _cost(usage: Usage | None, model: ModelSpec) -> Cost:
    if model.batch_prices is None and (usage is None or usage.usd is None):
        return Cost(None, "no price in a batch is known for this model")
    return cost_of(usage, model.batch_prices)


def _together(counted: Sequence[Usage | None]) -> Usage | None:
    """Return the sum, each count as far as some line has it; None where no line has any."""
    known = [one for one in counted if one is not None]
    if not known:
        return None
    sums: dict[str, Any] = {}
    for field in attrs.fields_dict(Usage).keys() - {"units"}:
        values = [value for one in known if (value := getattr(one, field)) is not None]
        sums[field] = sum(values) if values else None
    units: dict[Used, Decimal] = {}
    for used in (used for one in known for used in one.units):
        kind = attrs.evolve(used, amount=0)
        units[kind] = units.get(kind, Decimal(0)) + used.amount
    return Usage(**sums, units=tuple(attrs.evolve(k, amount=n) for k, n in units.items()))


def _sum(costs: Sequence[Cost]) -> Cost:
    """Return what all together cost; one that is unknown makes the whole unknown."""
    unknown = next((cost for cost in costs if cost.usd is None), None)
    if unknown is not None or not costs:
        return unknown or Cost(None, "no line was answered")
    usd = sum((cost.usd for cost in costs if cost.usd is not None), Decimal(0))
    return Cost(usd, costs[0].source, costs[0].as_of)
