"""Vectors: what is asked for, what is refused, and how many texts become few requests."""

import datetime as dt
import itertools
from array import array
from decimal import Decimal

import anyio
import attrs
import pytest
from anymodal import (
    Budget,
    Client,
    Limits,
    Policy,
    Registry,
    Retry,
    Settings,
    SyncClient,
    Usage,
    best,
    hookimpl,
)
from anymodal import errors as e
from anymodal.facades.embedding_parts import joined, split, tokens_of, total
from anymodal.modalities.embedding import (
    EmbeddingModelSpec,
    EmbeddingOption,
    EmbeddingProviderSpec,
    EmbeddingRequest,
    EmbeddingResult,
    SparseVector,
    dense,
)
from anymodal.specs import Capabilities, ModelSpec
from anymodal.usage import Price, Prices, Used
from hypothesis import given, settings
from hypothesis import strategies as st

from .clocks import FakeClock
from .once import ONCE

pytestmark = pytest.mark.anyio

PRICES = Prices([Price("input_token", "0.5")], "acme.example", dt.date(2026, 11, 20))
MODEL = EmbeddingModelSpec(
    id="m-1", prices=PRICES, dimensions=2, most_dimensions=4, normalised=False
)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def vector(text, dimensions=2):
    """Return numbers by which a text is known."""
    return dense([float(len(text)), *map(float, text.encode()[: dimensions - 1])])


class Embeds:
    """Makes such vectors, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.running = self.most = 0

    async def embed(self, request):
        self.asked.append(request)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            return self.made(request)
        finally:
            self.running -= 1

    def made(self, request):
        count = sum(map(len, request.texts))
        return EmbeddingResult(
            dense=tuple(vector(text, request.dimensions or 2) for text in request.texts),
            usage=Usage(input_tokens=count, output_tokens=0),
            model="m-1-large",
            request_id=f"r-{len(self.asked)}",
            raw=f"raw {len(self.asked)}" if request.raw else None,
        )

    @property
    def sent(self):
        return [request.texts for request in self.asked]


@attrs.frozen(kw_only=True)
class Embedded(EmbeddingOption):
    """An option of a vendor."""

    style: str = ""
    depth: int = 0


@attrs.frozen
class Other(EmbeddingOption):
    """Another vendor's."""


def client(provider, told=None, models=(MODEL,), clock=None, policy=ONCE, **spec):
    class Brings:
        @hookimpl
        def anymodal_embedding_providers(self):
            yield EmbeddingProviderSpec(
                id="acme",
                display_name="Acme",
                kind="local",
                models=models,
                default_model="m-1",
                connect=lambda _: provider,
                **{"capabilities": Capabilities({"dense", "dimensions"}), **spec},
            )

    found = Registry(Settings.from_mapping(told or {}), plugins=[Brings()], distributions=())
    return Client(registry=found, clock=clock, policy=policy)


# -- one request --------------------------------------------------------------------------


async def test_vectors_of_texts():
    """In their order, with what they are and what they cost."""
    provider = Embeds()
    async with client(provider) as ai:
        found = await ai.embedding.embed(
            ["a lighthouse", "the sea"],
            model="acme/m-1",
            purpose="document",
            options=[Embedded(style="oil")],
            end_user="u-1",
            raw=True,
        )

    (asked,) = provider.asked
    assert (vector("a lighthouse"), vector("the sea")) == found.vectors == found.dense
    assert vector("a lighthouse") == found.vector
    assert (2, False, "m-1-large") == (found.dimensions, found.normalised, found.model)
    assert ("document", None, "u-1") == (asked.purpose, asked.dimensions, asked.end_user)
    assert Embedded(style="oil") == asked.option(Embedded)
    assert ("embedding", "embed", "acme", "r-1") == (
        found.record.modality, found.record.operation, found.record.provider, found.record.request_id,
    )  # fmt: skip
    assert 19 == found.record.usage.input_tokens
    assert Decimal("0.0000095") == found.record.cost.usd
    assert "raw 1" == found.record.raw


async def test_one_text_is_as_good_as_a_list_of_one():
    """Its vector is at hand."""
    provider = Embeds()
    async with client(provider) as ai:
        found = await ai.embedding.embed("the sea")

    assert vector("the sea") == found.vector
    assert [("the sea",)] == provider.sent


async def test_a_provider_is_warmed():
    """By name, before it is first called."""
    provider = Embeds()
    async with client(provider) as ai:
        await ai.warm("acme")
        found = await ai.embedding.embed("the sea")

    assert 1 == len(found.dense) == len(provider.asked)


async def test_vectors_have_a_buffer_of_four_bytes_a_number():
    """So that numpy and stores read them as they are."""
    async with client(Embeds()) as ai:
        found = (await ai.embedding.embed("the sea")).dense[0]

    assert ("f", 4, 2) == (memoryview(found).format, found.itemsize, len(found))


def test_without_await():
    """The same face."""
    found = Registry(Settings.empty(), plugins=[Sparse()], distributions=())
    with SyncClient(registry=found) as ai:
        result = ai.embedding.embed("the sea", model="thin/m-1")

    assert (SparseVector([3, 7], [1.0, 0.5]),) == result.vectors == result.sparse
    assert (None, None) == (result.dimensions, result.normalised)


class Sparse:
    """A plugin whose provider makes sparse vectors, in a thread."""

    @hookimpl
    def anymodal_embedding_providers(self):
        yield EmbeddingProviderSpec(
            id="thin", display_name="Thin", kind="local", models=[MODEL], connect=lambda _: self
        )

    def embed(self, request):
        return EmbeddingResult(sparse=(SparseVector([3, 7], [1.0, 0.5]),) * len(request.texts))


def test_sparse_vectors():
    """They are pairs, as long as they have numbers that are not 0."""
    found = SparseVector([3, 7], [1.0, 0.5])

    assert [(3, 1.0), (7, 0.5)] == list(found)
    assert 2 == len(found)
    assert {"indices": [3, 7], "values": [1.0, 0.5]} == found.to_dict()
    assert SparseVector(array("I", [3, 7]), array("f", [1.0, 0.5])) == found
    with pytest.raises(ValueError, match="1 indices have 2 values"):
        SparseVector([3], [1.0, 0.5])
    with pytest.raises(OverflowError):
        SparseVector([2**32], [1.0])


async def test_dimensions():
    """The model's own number goes without saying, and more than it has is refused."""
    provider = Embeds()
    async with client(provider) as ai:
        assert 3 == (await ai.embedding.embed("the sea", dimensions=3)).dimensions
        await ai.embedding.embed("the sea", dimensions=2)
        with pytest.raises(e.InvalidRequestError, match="at most 4, not 5"):
            await ai.embedding.embed("the sea", dimensions=5)

    assert [3, None] == [request.dimensions for request in provider.asked]


async def test_dimensions_of_a_model_that_nobody_listed():
    """They are sent as they are."""
    provider = Embeds()
    async with client(provider) as ai:
        found = await ai.embedding.embed("the sea", model="acme/m-2", dimensions=5)

    assert (5, None) == (found.dimensions, found.normalised)


async def test_model_without_dimensions_to_choose():
    """It is known, so nothing is sent."""
    provider = Embeds()
    async with client(provider, capabilities=Capabilities(no={"dimensions"})) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="dimensions"):
            await ai.embedding.embed("the sea", dimensions=3)

    assert [] == provider.asked


async def test_length_that_the_answer_tells_goes_before_the_table():
    """As for vectors that were cut."""

    class Knows(Embeds):
        def made(self, request):
            return attrs.evolve(super().made(request), normalised=True)

    async with client(Knows()) as ai:
        assert (await ai.embedding.embed("the sea")).normalised is True


@pytest.mark.parametrize(("said", "wanted"), [(None, None), (True, True)])
async def test_length_of_models_that_nobody_listed(said, wanted):
    """It is what the provider says of all of its vectors."""
    async with client(Embeds(), normalised=said) as ai:
        found = await ai.embedding.embed("the sea", model="acme/m-2")

    assert found.normalised is wanted


async def test_dimensions_that_a_vendor_passes_over():
    """They are warned of; where the caller is strict that is an error."""

    class Deaf(Embeds):
        def made(self, request):
            return super().made(attrs.evolve(request, dimensions=2))

    async with client(Deaf()) as ai:
        found = await ai.embedding.embed("the sea", dimensions=3)
        with pytest.raises(e.UnsupportedFeatureError, match="have 2"):
            await ai.embedding.embed("the sea", dimensions=3, strict=True)

    assert ["dimensions"] == [one.setting for one in found.record.warnings]


@pytest.mark.parametrize(
    ("arguments", "field", "index"),
    [
        ({"texts": []}, "texts", None),
        ({"texts": ""}, "texts", 0),
        ({"texts": ["a", "b", " \n"]}, "texts", 2),
        ({"texts": ["a", 3]}, "texts", 1),
        ({"purpose": "search"}, "purpose", None),
        ({"dimensions": 0}, "dimensions", None),
        ({"dimensions": True}, "dimensions", None),
        ({"dimensions": 1.5}, "dimensions", None),
        ({"options": [object()]}, "options", None),
    ],
)
async def test_what_no_provider_could_serve(arguments, field, index):
    """It is refused by name and place, before anything is sent."""
    provider = Embeds()
    async with client(provider) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.embedding.embed(**{"texts": "a lighthouse", **arguments})

    assert (field, index) == (caught.value.field, caught.value.index)
    assert [] == provider.asked


async def test_provider_without_embed_is_broken():
    """It says so when it is connected."""
    async with client(object()) as ai:
        with pytest.raises(e.BrokenPluginError, match="no embed"):
            await ai.embedding.embed("a lighthouse")


async def test_options_of_the_settings():
    """They count where the call says nothing; another vendor's stay beside them."""
    provider = Embeds()
    told = {"providers": {"acme": {"vendor_options": {"embedding": {"style": "oil", "depth": 2}}}}}
    async with client(provider, told, options=Embedded) as ai:
        await ai.embedding.embed("the sea")
        await ai.embedding.embed("the sea", options=[Embedded(depth=3), Other()])

    assert [
        (Embedded(style="oil", depth=2),),
        (Embedded(style="oil", depth=3), Other()),
    ] == [request.options for request in provider.asked]


async def test_cheapest_model():
    """`best` knows the modality."""
    provider = Embeds()
    async with client(provider) as ai:
        found = await ai.embedding.embed("the sea", model=best(needs=["dense"]))

    assert "m-1" == found.record.model


# -- many requests ------------------------------------------------------------------------

TEXTS = [f"{'abc' * (n % 4)} {n}" for n in range(23)]


async def test_many_texts_go_out_in_parts():
    """Several at once, never more than the spec allows; one result, one record."""
    provider = Embeds()
    async with client(provider, max_inputs=4, requests_at_once=3) as ai:
        found = await ai.embedding.embed(TEXTS, raw=True)

    assert tuple(map(vector, TEXTS)) == found.dense
    assert sorted(tuple(TEXTS[at : at + 4]) for at in range(0, 23, 4)) == sorted(provider.sent)
    assert 3 == provider.most
    assert sum(map(len, TEXTS)) == found.usage.input_tokens
    assert 1 == len(found.record.attempts)
    assert 6 == len(found.record.raw)
    assert "m-1-large" == found.model


@pytest.mark.parametrize(
    ("spec", "model", "count"),
    [
        ({"max_inputs": 10}, {}, 3),
        ({"max_inputs": 10}, {"max_inputs": 23}, 1),
        ({"max_request_tokens": 20}, {}, 3),
        ({"max_request_tokens": 20}, {"max_request_tokens": 3000}, 1),
        ({}, {}, 1),
    ],
)
async def test_the_models_limits_go_before_the_providers(spec, model, count):
    """Both in texts and in tokens."""
    provider = Embeds()
    async with client(provider, models=[attrs.evolve(MODEL, **model)], **spec) as ai:
        await ai.embedding.embed(TEXTS)

    assert count == len(provider.asked)


async def test_limits_of_a_model_that_nobody_listed():
    """They are the provider's."""
    provider = Embeds()
    async with client(provider, models=[ModelSpec(id="m-1")], max_inputs=12) as ai:
        await ai.embedding.embed(TEXTS)

    assert [12, 11] == sorted(map(len, provider.sent), reverse=True)


TOO_LONG = e.ContextLengthError("acme: too long", provider="acme")
BROKEN = e.ServerError("acme: broken", provider="acme")


class Narrow(Embeds):
    """Takes fewer letters at once than anybody guesses."""

    def __init__(self, most):
        super().__init__()
        self.letters = most

    async def embed(self, request):
        if sum(map(len, request.texts)) > self.letters:
            self.asked.append(request)
            raise TOO_LONG.again()
        return await super().embed(request)


async def test_what_is_too_long_for_the_vendor_is_halved():
    """The guess of tokens is only a guess."""
    provider = Narrow(40)
    async with client(provider) as ai:
        found = await ai.embedding.embed(TEXTS)

    assert tuple(map(vector, TEXTS)) == found.dense
    assert TEXTS == list(provider.sent[0])
    assert 1 == len(found.record.attempts)


class Few(Embeds):
    """Takes fewer texts at once than its plugin knows."""

    async def embed(self, request):
        if len(request.texts) > 3:
            self.asked.append(request)
            raise TOO_MANY.again()
        return await super().embed(request)


TOO_MANY = e.TooLargeError("acme: too many", provider="acme", status=413)


@pytest.mark.parametrize("at_once", [1, 4])
async def test_what_was_too_much_is_not_tried_again(at_once):
    """What is left of the same size is made smaller with it."""
    provider = Few()
    async with client(provider, max_inputs=6, requests_at_once=at_once) as ai:
        found = await ai.embedding.embed(TEXTS)

    assert tuple(map(vector, TEXTS)) == found.dense
    assert 1 <= sum(len(texts) > 3 for texts in provider.sent) <= at_once


async def test_one_text_that_is_too_large():
    """There is nothing left to halve."""

    class Refuses(Embeds):
        def made(self, request):
            raise TOO_MANY.again()

    async with client(Refuses()) as ai:
        with pytest.raises(e.TooLargeError) as caught:
            await ai.embedding.embed(["a", "b"])

    assert 0 == caught.value.index


@pytest.mark.parametrize("at", [0, 7, 22])
async def test_a_text_that_is_too_long_is_found(at):
    """Its place is in the error, among all texts."""
    texts = [*TEXTS[:at], "x" * 100, *TEXTS[at + 1 :]]
    async with client(Narrow(60), max_inputs=5) as ai:
        with pytest.raises(e.ContextLengthError) as caught:
            await ai.embedding.embed(texts)

    assert at == caught.value.index


@pytest.mark.parametrize(("most", "told", "index"), [(5, 2, 17), (1, None, 17), (5, None, None)])
async def test_the_vendors_place_of_a_bad_text(most, told, index):
    """It counts within a request; for callers it counts among all."""

    class Refuses(Embeds):
        def made(self, request):
            if TEXTS[17] in request.texts:
                error = e.BadRequestError("acme: bad", provider="acme")
                error.index = told
                raise error
            return super().made(request)

    async with client(Refuses(), max_inputs=most) as ai:
        with pytest.raises(e.BadRequestError) as caught:
            await ai.embedding.embed(TEXTS)

    assert index == caught.value.index
    assert caught.value.record.attempts


class Stumbles(Embeds):
    """Fails once, at a given request."""

    def __init__(self, at, error):
        super().__init__()
        self.at = at
        self.error = error

    def made(self, request):
        if len(self.asked) >= self.at and self.error is not None:
            error, self.error = self.error, None
            raise error
        return super().made(request)


@pytest.mark.parametrize("at_once", [1, 3])
async def test_what_was_answered_is_not_asked_again(at_once):
    """A retry sends what is missing."""
    provider = Stumbles(3, e.OverloadedError("acme: busy", provider="acme"))
    clock = FakeClock()
    async with client(
        provider, clock=clock, policy=None, max_inputs=4, requests_at_once=at_once
    ) as ai:
        found = await ai.embedding.embed(TEXTS)

    assert tuple(map(vector, TEXTS)) == found.dense
    assert 2 == len(found.record.attempts)
    assert 7 == len(provider.asked)
    assert sum(map(len, TEXTS)) == found.usage.input_tokens


async def test_strange_errors_pass_as_they_are():
    """Not in a group, though several requests were under way."""
    async with client(Stumbles(2, RuntimeError("odd")), max_inputs=4) as ai:
        with pytest.raises(RuntimeError, match="odd"):
            await ai.embedding.embed(TEXTS)


async def test_another_candidate_begins_anew():
    """Its vectors are others, so none of the first one's are kept."""

    class Two(Embeds):
        def made(self, request):
            if request.model.id == "m-1" and len(self.asked) > 2:
                raise BROKEN.again()
            return attrs.evolve(super().made(request), model=request.model.id)

    provider = Two()
    models = [MODEL, attrs.evolve(MODEL, id="m-2")]
    async with client(provider, models=models, max_inputs=4) as ai:
        found = await ai.embedding.embed(TEXTS, model=["acme/m-1", "acme/m-2"])

    assert "m-2" == found.model
    assert 6 == sum(request.model.id == "m-2" for request in provider.asked)


@pytest.mark.parametrize("made", [0, 1, 3])
async def test_a_vector_for_each_text_or_none_at_all(made):
    """A vendor that merges texts would put all further ones in wrong places."""

    class Merges(Embeds):
        def made(self, request):
            return EmbeddingResult(dense=(dense([1, 2]),) * made)

    async with client(Merges()) as ai:
        with pytest.raises(e.MalformedReplyError, match="vectors for 2 texts"):
            await ai.embedding.embed(["a", "b"])


async def test_vectors_of_different_lengths_are_no_answer():
    """Nobody could compare them."""

    class Frays(Embeds):
        def made(self, request):
            return EmbeddingResult(dense=(dense([1]), dense([1, 2])))

    async with client(Frays()) as ai:
        with pytest.raises(e.MalformedReplyError, match="differ in length"):
            await ai.embedding.embed(["a", "b"])


async def test_cancelling_stops_all_requests():
    """None is left under way."""
    provider = Embeds()

    async def ever(request):
        provider.asked.append(request)
        provider.running += 1
        try:
            await anyio.sleep_forever()
        finally:
            provider.running -= 1

    provider.embed = ever
    async with client(provider, max_inputs=4) as ai:
        with anyio.move_on_after(0.05) as scope:
            await ai.embedding.embed(TEXTS)

    assert scope.cancelled_caught
    assert (4, 0) == (len(provider.asked), provider.running)


# -- limits of the caller's own -----------------------------------------------------------


async def test_requests_of_one_call_count_for_the_rate():
    """Six of them take three minutes at two a minute."""
    provider, clock = Embeds(), FakeClock()
    policy = Policy(retry=Retry(attempts=1), limits=Limits(requests=2))
    async with client(provider, clock=clock, policy=policy, max_inputs=4) as ai:
        await ai.embedding.embed(TEXTS)

    assert 6 == len(provider.asked)
    assert 120.0 == clock.time


async def test_a_rate_that_takes_too_long_is_an_error():
    """At once, and with the wait."""
    policy = Policy(retry=Retry(attempts=1), limits=Limits(requests=2))
    async with client(Embeds(), clock=FakeClock(), policy=policy, max_inputs=4) as ai:
        with pytest.raises(e.RateLimitedError, match="longer") as caught:
            await ai.embedding.embed(TEXTS, timeout=30)

    assert 60.0 == caught.value.retry_after


async def test_a_limit_of_calls_at_once_holds_for_requests():
    """A call holds one place, and sends one request after the other."""
    provider = Embeds()
    policy = Policy(limits=Limits(concurrency=2))
    async with client(provider, policy=policy, max_inputs=4) as ai:
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(ai.embedding.embed, TEXTS)

    assert (24, 2) == (len(provider.asked), provider.most)


@pytest.mark.parametrize(("most", "is_kept"), [(12, True), (23, False)])
async def test_what_may_have_been_billed_is_kept_from_a_budget(most, is_kept):
    """A call whose second request is refused has paid for its first."""

    class Refuses(Embeds):
        def made(self, request):
            if TEXTS[22] in request.texts and len(self.asked) <= 2:
                raise BUSY.again()
            return super().made(request)

    weight = sum(map(tokens_of, TEXTS))
    policy = Policy(retry=Retry(attempts=1), budgets=[Budget(tokens=weight * 3 // 2)])
    async with client(Refuses(), policy=policy, max_inputs=most, requests_at_once=1) as ai:
        with pytest.raises(e.RateLimitedError):
            await ai.embedding.embed(TEXTS)
        if is_kept:
            with pytest.raises(e.BudgetExceededError):
                await ai.embedding.embed(TEXTS[:22])
        else:
            await ai.embedding.embed(TEXTS[:22])


BUSY = e.RateLimitedError("acme: busy", provider="acme")


# -- algebra ------------------------------------------------------------------------------

MANY = st.lists(st.text(min_size=1, max_size=30).filter(str.strip), min_size=1, max_size=30)
MOST = st.none() | st.integers(1, 12)
MOST_TOKENS = st.none() | st.integers(1, 40)


@given(MANY, MOST, MOST_TOKENS)
def test_splitting_changes_neither_order_nor_content(texts, most, most_tokens):
    """Parts in a row are all texts, each within the limits as far as one text is."""
    parts = split(texts, most, most_tokens)

    assert list(range(len(texts))) == [index for part in parts for index in part]
    for part in parts:
        assert len(part) >= 1
        assert most is None or len(part) <= most
        tokens = sum(tokens_of(texts[index]) for index in part)
        assert most_tokens is None or tokens <= most_tokens or len(part) == 1


@given(MANY, MOST, MOST_TOKENS)
def test_splitting_makes_no_more_parts_than_it_has_to(texts, most, most_tokens):
    """A part ends only where the next text had no room in it."""
    parts = split(texts, most, most_tokens)

    for part, following in itertools.pairwise(parts):
        tokens = sum(tokens_of(texts[index]) for index in (*part, following[0]))
        assert len(part) == most or (most_tokens is not None and tokens > most_tokens)


def embedded(texts, **spec):
    """Return the result of a call."""

    async def call():
        async with client(Embeds(), **spec) as ai:
            return await ai.embedding.embed(texts)

    return anyio.run(call)


@given(MANY, MANY, st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_vectors_of_all_are_those_of_each(some, others, most):
    """embed(a + b) = embed(a) + embed(b), in vectors and in tokens."""
    whole = embedded(some + others, max_inputs=most)
    first, second = embedded(some), embedded(others)

    assert first.dense + second.dense == whole.dense
    assert total([first.usage, second.usage]) == whole.usage


def test_what_is_not_told_of_one_request_is_not_known_of_all():
    """A sum with a hole would be too small."""
    known = Usage(1, 0, units=(Used("request", 1),))

    assert Usage(2, 0, units=(Used("request", 1),) * 2) == total([known, known])
    assert total([known, None]) is None
    assert Usage(None, 0) == total([Usage(1, 0), Usage(None, 0)])
    assert Usage(2, 0, usd=Decimal(3)) == total(
        [Usage(1, 0, usd=Decimal(1)), Usage(1, 0, usd=Decimal(2))]
    )


def test_what_requests_do_not_agree_on_is_not_known():
    """As for a vendor that changes the model between two."""
    one = EmbeddingResult(dense=(dense([1]),), model="a", normalised=True, raw=(1, 2))
    two = EmbeddingResult(dense=(dense([2]),), model="b", normalised=True)
    found = joined([one, two])

    assert (None, True, (1, 2)) == (found.model, found.normalised, found.raw)


def test_a_request_by_hand_needs_texts():
    """For authors of providers."""
    with pytest.raises(e.InvalidRequestError, match="at least one"):
        EmbeddingRequest(model=MODEL, texts=())


@pytest.mark.parametrize("field", ["max_inputs", "requests_at_once", "max_request_tokens"])
def test_limits_are_whole_numbers(field):
    """A plugin that says otherwise is refused when it is loaded."""
    for wrong in (0, "4"):
        with pytest.raises((ValueError, TypeError)):
            EmbeddingProviderSpec(id="acme", display_name="A", connect=print, **{field: wrong})
