"""What authors of emulators write with."""

from __future__ import annotations

import json
from typing import ClassVar

import attrs
import pytest
from anymodal_emulator import gaps
from anymodal_emulator.app import EPOCH, Memory, RefusedError, sse
from anymodal_emulator.checking import Field, check, one_of

from .wire import body_of, last, post


@pytest.mark.parametrize(
    ("request_", "status", "wrong"),
    [
        (last("/v1/nowhere"), 404, "no_path"),
        (last("/v1/echo"), 405, "no_method"),
        (post("/v1/json", b"{}", headers={"content-type": "text/plain"}), 415, "media_type"),
        (post("/v1/json", b"{"), 400, "not_json"),
        (post("/v1/json", b"[]"), 400, "not_json"),
    ],
)
def test_wrong_requests_are_refused_in_the_vendors_words(wire, request_, status, wrong):
    """The toolkit knows what is wrong; how it is said is the vendor's."""
    found = wire(request_)

    assert status == int(found.split()[1])
    assert wrong == body_of(found)["wrong"]


def test_json_with_a_charset_is_json(wire):
    """Some clients declare one."""
    sent = post("/v1/json", b'{"a":1}', headers={"content-type": "application/json; charset=utf-8"})

    assert body_of(wire(sent)) == {"a": 1}


FIELDS = {
    "model": Field("string", required=True),
    "heat": Field("number|null", least=0, most=2),
    "count": Field("integer"),
    "size": one_of("s", "m"),
    "parts": Field("array", items=Field("object", fields={"text": Field("string", required=True)})),
}


@pytest.mark.parametrize(
    ("body", "kind", "param"),
    [
        ({}, "missing", "model"),
        ({"model": 1}, "type", "model"),
        ({"model": "a", "heat": "warm"}, "type", "heat"),
        ({"model": "a", "heat": True}, "type", "heat"),
        ({"model": "a", "heat": -1}, "value", "heat"),
        ({"model": "a", "heat": 2.5}, "value", "heat"),
        ({"model": "a", "count": 1.5}, "type", "count"),
        ({"model": "a", "size": "l"}, "value", "size"),
        ({"model": "a", "hat": 1}, "unknown", "hat"),
        ({"model": "a", "parts": [{"text": "x"}, {}]}, "missing", "parts[1].text"),
        ({"model": "a", "parts": [{"text": "x", "y": 1}]}, "unknown", "parts[0].y"),
        ({"model": "a", "parts": ["x"]}, "type", "parts[0]"),
    ],
)
def test_body_is_held_to_its_fields(body, kind, param):
    """Whatever a strict vendor would refuse, with the place."""
    with pytest.raises(RefusedError) as caught:
        check(body, FIELDS)

    assert (kind, param) == (caught.value.kind, caught.value.param)


@pytest.mark.parametrize(
    ("body", "lenient"),
    [
        ({"model": "a"}, False),
        ({"model": "a", "heat": None, "count": 3, "size": "m", "parts": [{"text": ""}]}, False),
        ({"model": "a", "hat": 1, "parts": [{"text": "x", "y": 1}]}, True),
    ],
)
def test_good_body_passes(body, lenient):
    """Null where null may be; unknown fields where they are passed over."""
    check(body, FIELDS, lenient=lenient)


def test_memory_repeats():
    """Ids look like a vendor's and are the same in every run."""
    one, two = Memory(), Memory()

    assert [one.id("a_"), one.id("a_"), one.id("b_", 90)] == [
        two.id("a_"),
        two.id("a_"),
        two.id("b_", 90),
    ]
    assert one.id("a_") != one.id("a_")
    assert (one.now(), one.now()) == (EPOCH, EPOCH + 1)
    assert len("c_") + 50 == len(one.id("c_", 50))


def test_sse():
    """Strings as they are, all else as JSON, with a name where there is one."""
    assert sse("[DONE]") == b"data: [DONE]\n\n"
    assert sse({"a": 1}, event="x") == b'event: x\ndata: {"a":1}\n\n'


class Info:
    """Stands in for pydantic's description of a field."""

    def __init__(self, *, required: bool) -> None:
        self.required = required

    def is_required(self) -> bool:
        return self.required


@attrs.define
class Model:
    """Stands in for a model that an SDK built without validating."""

    model_fields: ClassVar = {"id": Info(required=True), "inner": Info(required=False)}
    set_: dict[str, object]
    model_extra: dict[str, object] = attrs.field(factory=dict)

    @property
    def model_fields_set(self) -> set[str]:
        return set(self.set_)

    def __getattr__(self, name: str) -> object:
        try:
            return self.set_[name]
        except KeyError:
            raise AttributeError(name) from None

    def model_dump(
        self, *, by_alias: bool, exclude_unset: bool, warnings: bool
    ) -> dict[str, object]:
        return self.set_

    @classmethod
    def model_validate(cls, found: dict[str, object]) -> None:
        if not isinstance(found["id"], str):
            raise ValueError(found)  # noqa: TRY004  # as pydantic does


def test_gaps_finds_none_in_a_good_model():
    """Fields that need not be set may be missing."""
    assert gaps(Model({"id": "1", "inner": [Model({"id": "2"})]})) == []


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (Model({}), "Model.id: missing"),
        (Model({"id": "1"}, {"odd": 1}), "Model.odd: left over"),
        (Model({"id": "1", "inner": [Model({})]}), "Model.inner[0].id: missing"),
        (Model({"id": "1", "inner": {"a": Model({})}}), "Model.inner['a'].id: missing"),
        (Model({"id": 1}), "Model: {'id': 1}"),
    ],
)
def test_gaps_finds(model, found):
    """At any depth: missing, left over, or of another type."""
    assert [found] == gaps(model)


def test_gaps_passes_over_what_the_sdk_adds_itself():
    """openai keeps the id of the request under such a name."""
    assert gaps(Model({"id": "1"}, {"_request_id": "x"})) == []


def test_refusal_without_routes_is_json(vendor, wire):
    """A module that is no `Emulator` can be served and scripted as well."""
    from anymodal_emulator import Status

    async def plain(scope, receive, send):
        raise NotImplementedError

    vendor._server.app = plain
    vendor.script(Status(503))

    assert body_of(wire(last("/"))) == {"error": {"message": "Service Unavailable"}}


def test_json_of_a_request_is_its_body(vendor, wire):
    """What tests look at most."""
    wire(post("/v1/echo", json.dumps({"a": [1]}).encode()))

    (request,) = vendor.requests
    assert request.json == {"a": [1]}
    assert (request.method, request.path, request.query) == ("POST", "/v1/echo", "")
