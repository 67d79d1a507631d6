"""The emulator of fal's queue, as the vendor's own SDK sees it."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request

import av
import fal_client
import fal_client.client
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import emulated

SPEC = EmulatorSpec(provider="fal", app="anymodal_fal.emulator:app", key="id:secret")
MINI = "bytedance/seedance-2.0/mini/text-to-video"


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running


@pytest.fixture
def client(vendor, monkeypatch):
    """The SDK has no setting for another host; its own constant is one."""
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{vendor.base_url}/")
    made = fal_client.SyncClient(key=vendor.key, default_timeout=10)
    yield made
    made._client.close()


def sent(vendor, method, path, body=None, key="id:secret"):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    if key:
        headers["authorization"] = f"Key {key}"
    asked = urllib.request.Request(vendor.base_url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=10) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_sdk_from_submit_to_clip(client):
    """Its handle, its statuses, and a file that plays."""
    handle = client.submit(MINI, arguments={"prompt": "waves", "duration": "4"})
    states = [handle.status(with_logs=True) for _ in range(3)]
    found = handle.get()

    assert isinstance(states[0], fal_client.Queued)
    assert 1 == states[0].position
    assert isinstance(states[1], fal_client.InProgress)
    assert ["INFO", "INFO"] == [one["level"] for one in states[1].logs]
    assert isinstance(states[2], fal_client.Completed)
    assert {"inference_time": 3.25} == states[2].metrics
    with urllib.request.urlopen(found["video"]["url"], timeout=10) as reply:
        content = reply.read()
    assert len(content) == found["video"]["file_size"]
    with av.open(io.BytesIO(content)) as file:
        assert 8 == len(list(file.decode(video=0)))


def test_sdk_comes_back_and_cancels(client):
    """By the request's id, as its resume does."""
    handle = client.submit(MINI, arguments={"prompt": "emulator:slow"})
    again = client.get_handle(MINI, handle.request_id)
    again.status()
    again.status()
    again.cancel()

    assert isinstance(again.status(), fal_client.Completed)
    with pytest.raises(fal_client.client.FalClientHTTPError) as caught:
        again.get()
    assert 499 == caught.value.status_code


def test_sdk_hears_of_refusals(client):
    """In the model's own form of them."""
    handle = client.submit(MINI, arguments={"prompt": 3})
    for _ in range(3):
        handle.status()
    with pytest.raises(fal_client.client.FalClientHTTPError) as caught:
        handle.get()

    (line,) = caught.value.response.json()["detail"]
    assert (422, ["body", "prompt"], "value_error") == (
        caught.value.status_code,
        line["loc"],
        line["type"],
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "status"),
    [
        ("POST", f"/{MINI}", {"prompt": "x"}, "", 401),
        ("POST", f"/{MINI}", {"prompt": "x"}, "id:other", 401),
        ("POST", "/fal-ai/nothing", {"prompt": "x"}, "id:secret", 404),
        ("POST", f"/{MINI}", [], "id:secret", 422),
        ("POST", f"/{MINI}", {"prompt": "emulator:quota"}, "id:secret", 403),
        ("GET", "/bytedance/seedance-2.0/requests/none/status", None, "id:secret", 404),
        ("PUT", "/bytedance/seedance-2.0/requests/none/cancel", None, "id:secret", 404),
        ("DELETE", "/bytedance/seedance-2.0/requests/none", None, "id:secret", 405),
        ("GET", "/files/none/output.mp4", None, "", 404),
    ],
)
def test_refusals(vendor, method, path, body, key, status):  # noqa: PLR0917  # a table
    """With a detail each."""
    found = sent(vendor, method, path, body, key)

    assert status == found[0]
    assert "detail" in found[1]


def test_statuses_follow_the_description(vendor):
    """202 until it has ended; the app's path is dropped from the links, which a client must use."""
    _, made = sent(vendor, "POST", f"/{MINI}", {"prompt": "waves"})
    assert (
        f"{vendor.base_url}/bytedance/seedance-2.0/requests/{made['request_id']}"
        == made["response_url"]
    )
    path = made["status_url"].removeprefix(vendor.base_url)
    early = sent(vendor, "GET", path.removesuffix("/status"))
    found = [sent(vendor, "GET", path) for _ in range(3)]

    assert 400 == early[0]
    assert [202, 202, 200] == [status for status, _ in found]
    assert ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"] == [one["status"] for _, one in found]
    assert {made["request_id"]} == {one["request_id"] for _, one in found}
    assert found[1][1]["logs"] is None
    cancelled = sent(vendor, "PUT", path.replace("/status", "/cancel"))
    assert (400, {"status": "ALREADY_COMPLETED"}) == cancelled


def test_other_prompts_other_clips(client):
    """And other sizes."""
    found = set()
    for arguments in (
        {"prompt": "waves"},
        {"prompt": "wind"},
        {"prompt": "waves", "aspect_ratio": "1:1"},
    ):
        handle = client.submit(MINI, arguments={**arguments, "duration": "4", "resolution": "480p"})
        for _ in range(3):
            handle.status()
        with urllib.request.urlopen(handle.get()["video"]["url"], timeout=10) as reply:
            found.add(reply.read())

    assert 3 == len(found)


@pytest.mark.parametrize("url", ["nonsense", "data:image/png,xx"])
def test_pictures_that_are_none(vendor, url):
    """The model says so."""
    model = "bytedance/seedance-2.0/mini/image-to-video"
    _, made = sent(vendor, "POST", f"/{model}", {"prompt": "waves", "image_url": url})
    path = made["status_url"].removeprefix(vendor.base_url)
    *_, last = (sent(vendor, "GET", path) for _ in range(3))

    assert "image_load_error" == last[1]["error_type"]
