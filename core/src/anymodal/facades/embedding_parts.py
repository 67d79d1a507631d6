"""Many texts as requests of a size that the vendor takes, and their vectors as one result."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import attrs

from .. import errors as e
from ..modalities.embedding import (
    EmbeddingModelSpec,
    EmbeddingProviderSpec,
    EmbeddingRequest,
    EmbeddingResult,
)
from ..usage import Usage

if TYPE_CHECKING:
    from ..call import Call
    from ..doors import Door

__all__ = ["BYTES_PER_TOKEN", "Parts", "joined", "limits_of", "split", "tokens_of", "total"]

T = TypeVar("T")

BYTES_PER_TOKEN: Final = 3
"""Fewer than most texts have, so that a request seldom turns out to be too long."""

Embed = Callable[[EmbeddingRequest], Awaitable[EmbeddingResult]]


def tokens_of(text: str) -> int:
    """Return a guess, rather too high, of how many tokens *text* has."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return -(-size // BYTES_PER_TOKEN)


def split(texts: Sequence[str], most: int | None, most_tokens: int | None) -> list[range]:
    """
    Return which texts go into which request, in order and without gaps.

    A text that is too long by itself goes alone.

    Args:
        texts: All of them.
        most: Most texts in one request.
        most_tokens: Most tokens in one request, as far as they can be guessed.
    """
    found: list[range] = []
    begin = tokens = 0
    for index, text in enumerate(texts):
        more = 0 if most_tokens is None else tokens_of(text)
        is_full = most is not None and index - begin >= most
        if index > begin and (is_full or (most_tokens is not None and tokens + more > most_tokens)):
            found.append(range(begin, index))
            begin, tokens = index, 0
        tokens += more
    return [*found, range(begin, len(texts))]


def limits_of(
    spec: EmbeddingProviderSpec, request: EmbeddingRequest
) -> tuple[int | None, int | None]:
    """Return the most texts and the most tokens of a request: the model's, else the provider's."""
    most, most_tokens = spec.max_inputs, spec.max_request_tokens
    model = request.model
    if isinstance(model, EmbeddingModelSpec):
        most = most if model.max_inputs is None else model.max_inputs
        own = model.max_request_tokens
        most_tokens = most_tokens if own is None else own
    return most, most_tokens


def _normalised(spec: EmbeddingProviderSpec, request: EmbeddingRequest) -> bool | None:
    model = request.model
    own = model.normalised if isinstance(model, EmbeddingModelSpec) else None
    return spec.normalised if own is None else own


class Parts:
    """
    The requests of one call, as far as they have been answered.

    What has been answered is kept while the same provider is tried again, so that
    nothing is paid for twice.

    Args:
        call: Whose requests they are.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._request: EmbeddingRequest | None = None
        self._open: deque[range] = deque()
        self._done: dict[range, EmbeddingResult] = {}
        self._is_first = True

    async def attempt(self, door: Door, request: EmbeddingRequest) -> EmbeddingResult:
        """
        Send what is not answered yet; return all vectors together.

        Raises:
            VendorError: One of the requests failed; those under way were waited for.
        """
        spec: Any = door.offer.spec
        if request is not self._request:
            self._request = request
            self._open = deque(split(request.texts, *limits_of(spec, request)))
            self._done.clear()
        self._is_first = True
        embed: Embed = door.bound.embed
        workers = self._call.at_once(min(spec.requests_at_once, len(self._open)))
        if workers == 1:
            await self._work(embed, request, [])
        else:
            await self._together(workers, embed, request)
        found = joined([self._done[part] for part in sorted(self._done, key=lambda one: one.start)])
        if request.dimensions not in {None, found.dimensions}:
            request.warn("dimensions", f"the vectors have {found.dimensions}")
        if found.normalised is None and found.dense:
            return attrs.evolve(found, normalised=_normalised(spec, request))
        return found

    async def _together(self, workers: int, embed: Embed, request: EmbeddingRequest) -> None:
        failures: list[Exception] = []

        async def work() -> None:
            try:
                await self._work(embed, request, failures)
            except Exception as error:  # noqa: BLE001  # raised below, alone and not in a group
                failures.append(error)

        async with anyio.create_task_group() as tasks:
            for _ in range(workers):
                tasks.start_soon(work)
        if failures:
            raise failures[0]

    async def _work(
        self, embed: Embed, request: EmbeddingRequest, failures: Sequence[Exception]
    ) -> None:
        """Send part after part, until none is left or another worker has failed."""
        while self._open and not failures:
            part = self._open.popleft()
            try:
                if not self._is_first:
                    await self._call.again()
                self._is_first = False
                texts = request.texts[part.start : part.stop]
                is_whole = len(texts) == len(request.texts)
                asked = request if is_whole else attrs.evolve(request, texts=texts)
                self._done[part] = _checked(await embed(asked), len(part), self._call)
            except (e.ContextLengthError, e.TooLargeError) as error:
                if len(part) == 1:
                    self._open.appendleft(part)
                    _locate(error, part)
                    raise
                self._shorten(part)
            except BaseException as error:
                self._open.appendleft(part)
                if isinstance(error, e.AnymodalError):
                    _locate(error, part)
                raise

    def _shorten(self, part: range) -> None:
        """Halve *part*, and whatever is open and longer than that: it would be too long as well."""
        most = -(-len(part) // 2)
        self._open = deque(
            one[at : at + most] for one in (part, *self._open) for at in range(0, len(one), most)
        )


OF_A_TEXT: Final = (e.BadRequestError, e.ContextLengthError, e.TooLargeError)
"""Errors that may be one text's fault."""


def _locate(error: e.AnymodalError, part: range) -> None:
    """Note in *error* which of all texts is at fault, where that is known."""
    if error.index is not None:
        error.index += part.start
    elif len(part) == 1 and isinstance(error, OF_A_TEXT):
        error.index = part.start


def _checked(found: EmbeddingResult, count: int, call: Call) -> EmbeddingResult:
    """
    Return *found* where it has a vector for each text.

    Raises:
        MalformedReplyError: It has not.
    """
    lengths = {len(one) for one in (found.dense, found.sparse) if one}
    widths = {len(one) for one in found.dense}
    if lengths != {count} or len(widths) > 1:
        record = call.record
        made = " and ".join(str(one) for one in sorted(lengths)) or "no"
        msg = f"{record.instance}/{record.model}: {made} vectors for {count} texts"
        if lengths == {count}:
            msg = f"{record.instance}/{record.model}: the vectors differ in length"
        raise e.MalformedReplyError(msg, provider=record.provider, request_id=found.request_id)
    return found


def joined(found: Sequence[EmbeddingResult]) -> EmbeddingResult:
    """Return the results of parts, in order, as one."""
    if len(found) == 1:
        return found[0]
    last = found[-1]
    raws = tuple(raw for one in found for raw in _raws(one.raw))
    return EmbeddingResult(
        dense=tuple(vector for one in found for vector in one.dense),
        sparse=tuple(vector for one in found for vector in one.sparse),
        normalised=_agreed(one.normalised for one in found),
        usage=total([one.usage for one in found]),
        model=_agreed(one.model for one in found),
        request_id=last.request_id,
        raw=raws or None,
    )


def _raws(raw: object) -> tuple[object, ...]:
    if isinstance(raw, tuple):
        return raw
    return () if raw is None else (raw,)


def _agreed(found: Iterable[T]) -> T | None:
    """Return what all say, or None where they do not agree."""
    said = set(found)
    return said.pop() if len(said) == 1 else None


def total(found: Sequence[Usage | None]) -> Usage | None:
    """Return what was used in all; what one of them does not say is not known."""
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    sums = {
        name: sum(values) if None not in values else None
        for name in _ADDED
        if (values := [getattr(one, name) for one in known])
    }
    return Usage(**sums, units=tuple(unit for one in known for unit in one.units))


_ADDED: Final = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usd",
)
