"""Edges of the lower floors that no other test comes to."""

from __future__ import annotations

import base64
import json

import anymodal
import pytest
from anymodal import Credential, ModelSpec, TextRequest, WebSearch, errors
from anymodal.jobs import JobToken
from anymodal.modalities.messages import messages_of
from anymodal.shapes import arguments_of, partial_json, shape_of, strict
from anymodal.streams import Whole

MODEL = ModelSpec(id="acme-1")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def test_one_string_is_no_list_of_variables():
    """It would be taken for one variable a letter."""
    with pytest.raises(TypeError, match="not the string 'ACME_API_KEY'"):
        Credential(env="ACME_API_KEY")


def test_domains_are_strings():
    """A number would go over the wire as one."""
    with pytest.raises(TypeError, match="a list of strings"):
        WebSearch(domains=[1])


@pytest.mark.anyio
async def test_what_is_whole_is_read_one_by_one_or_at_once():
    """With the face of `Batches`."""
    events = Whole([1, 2, 3])

    assert 1 == await anext(events)
    assert [2, 3] == await events.batch()
    assert [] == await events.batch()
    assert [] == [event async for event in events]


def test_an_unknown_part_of_a_prompt_is_not_cached():
    """The vendors know two."""
    with pytest.raises(errors.InvalidRequestError, match="cache: 'everything'"):
        TextRequest(model=MODEL, messages=messages_of("Hi"), cache="everything")


@pytest.mark.parametrize("schema", [{}, {"type": "number"}])
@pytest.mark.parametrize("text", ["1e999", "NaN", "-Infinity"])
def test_numbers_that_json_has_not_are_refused(schema, text):
    """They could not be written down again."""
    with pytest.raises(ValueError, match="number"):
        shape_of(schema).read(text)


def test_a_function_that_does_not_say_what_it_takes_is_no_tool():
    """Some that are written in C do not."""
    with pytest.raises(errors.InvalidRequestError, match="does not say what it takes"):
        arguments_of(max)


def test_a_token_of_another_shape_is_refused():
    """JSON it is, but no object."""
    packed = base64.urlsafe_b64encode(json.dumps([1]).encode()).decode().rstrip("=")
    with pytest.raises(errors.InvalidRequestError, match="token"):
        JobToken.parse(f"job1.{packed}")


@pytest.mark.parametrize(("text", "value"), [("[1 2, 3]", [1]), ('{"a": 1 2', {"a": 1})])
def test_what_is_no_json_says_what_it_said_until_then(text, value):
    """A model may write nonsense in the middle."""
    assert value == partial_json(text)


def test_parts_that_contradict_their_whole_are_not_merged():
    """Taking either would change what fits; the loss is said."""
    odd = {"allOf": [{"type": "string"}], "type": "number"}
    made = strict({"type": "object", "properties": {"a": odd}, "required": ["a"]})

    assert {"type": "number"} == made.schema["properties"]["a"]
    assert ["/properties/a/allOf cannot be held to"] == made.lost


def test_names_that_are_imported_when_used_are_listed():
    """For those who explore in a shell."""
    assert sorted(anymodal.__all__) == sorted(dir(anymodal))
