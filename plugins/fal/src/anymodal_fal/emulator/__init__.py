"""
fal's queue on loopback: jobs that stand in line, run, and end with a clip.

Shapes are those of https://fal.ai/docs/model-apis/model-endpoints/queue and of the
models' own pages (read 2026-11-20). The queue takes whatever is an object; what is
wrong with it the model says, when the result is asked for. A job is in the queue when
it is first asked for, runs when it is asked for again, and has then ended.

Magic words of prompts: `emulator:filter` is stopped by the model's filter,
`emulator:fail` by a machine, `emulator:slow` runs for as long as it is asked for,
`emulator:quota` finds no credit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs
from anymodal.modalities.sizes import CLASSES
from anymodal_emulator.app import Emulator, Memory, RefusedError, Reply, Request
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.clips import clip
from anymodal_emulator.exchange import phrase
from anymodal_emulator.text import Given

from ..models import FORMS, Form

__all__ = ["app"]

_WORDS: Final = {
    "no_key": "Cannot access application. Authentication is required to access this application.",
    "bad_key": "No user found for Key ID and Secret",
    "no_path": "Path {got} not found",
    "no_method": "Method Not Allowed",
    "no_model": "Application '{got}' not found",
    "missing": "Field required",
    "media_type": "Input should be a valid dictionary",
    "not_json": "JSON decode error",
    "type": "Input should be a valid {need}",
    "value": "Input should be {need}",
}
_TYPES: Final = {"missing": "missing", "type": "value_error", "value": "literal_error"}
_STATUSES: Final = {"media_type": 422, "not_json": 422, "missing": 422, "type": 422, "value": 422}


def refuse(refused: RefusedError) -> Reply:
    """Return a refusal in fal's words: one sentence, or one line for each field."""
    words = _WORDS.get(refused.kind, "{got}").format(got=refused.got, need=refused.need)
    status = _STATUSES.get(refused.kind, refused.status)
    if refused.kind in _TYPES or refused.code:
        kind = refused.code or _TYPES[refused.kind]
        return _fault(status, kind, words, refused.param)
    return Reply.json({"detail": words}, status=status)


def _fault(status: int, kind: str, words: str, param: str = "") -> Reply:
    line = {"loc": ["body", *filter(None, [param])], "msg": words, "type": kind}
    headers = {"x-fal-error-type": kind, "x-fal-retryable": "false"}
    return Reply.json({"detail": [line]}, status=status, headers=headers)


def fail(status: int) -> Reply:
    """Return what fal says with a bare status."""
    return Reply.json({"detail": phrase(status)}, status=status)


def admit(request: Request) -> None:
    """Let in who has a key. Files are public."""
    if request.received.path.startswith("/files/"):
        return
    scheme, _, key = request.received.headers.get("authorization", "").partition(" ")
    if scheme != "Key" or not key:
        raise RefusedError(kind="no_key")
    if request.key and key != request.key:
        raise RefusedError(kind="bad_key")


app = Emulator("fal", refuse=refuse, fail=fail, admit=admit)


@attrs.define
class _Job:
    app: str
    model: str
    body: Mapping[str, Any]
    asked: int = 0
    is_cancelled: bool = False

    @property
    def magic(self) -> str:
        """The magic word in its prompt."""
        _, _, rest = str(self.body.get("prompt", "")).partition("emulator:")
        return rest.split()[0] if rest else ""


def _jobs(memory: Memory) -> dict[str, _Job]:
    return cast("dict[str, _Job]", memory.kept.setdefault("jobs", {}))


def _links(request: Request, name: str, job: _Job) -> dict[str, object]:
    base = f"http://{request.received.headers['host']}/{job.app}/requests/{name}"
    return {
        "request_id": name,
        "response_url": base,
        "status_url": f"{base}/status",
        "cancel_url": f"{base}/cancel",
    }


def _job(request: Request) -> tuple[str, _Job]:
    name = request.args["id"]
    job = _jobs(request.memory).get(name)
    if job is None or job.app != request.args["app"] or (job.is_cancelled and job.asked < 2):
        raise RefusedError(kind="other", got=f"Request {name} not found", status=404)
    return name, job


# -- the queue --------------------------------------------------------------------------


@app.route("GET", "/{app}/requests/{id}/status")
def status(request: Request) -> Reply:
    """Tell how a job stands, which brings it on."""
    name, job = _job(request)
    job.asked += 1
    found = _links(request, name, job)
    logs = [
        {"timestamp": f"2026-11-20T12:00:0{step}.000000", "level": "INFO", "message": line}
        for step, line in enumerate(("loading the model", " 50%|#####     | 12/24"))
    ]
    if job.asked == 1:
        return Reply.json({"status": "IN_QUEUE", **found, "queue_position": 1}, status=202)
    shown = {"logs": logs if "logs=" in request.received.query else None}
    if job.asked == 2 or (job.magic == "slow" and not job.is_cancelled):
        return Reply.json({"status": "IN_PROGRESS", **found, **shown}, status=202)
    end = _end(request, name, job)
    error: dict[str, object] = {}
    if end.status >= 400:
        kind = end.headers.get("x-fal-error-type", "")
        error = {"error": _said(end), "error_type": kind}
    metrics = {"inference_time": 3.25}
    return Reply.json({"status": "COMPLETED", **found, **shown, "metrics": metrics, **error})


def _said(end: Reply) -> str:
    import json  # noqa: PLC0415  # for failures alone

    detail = json.loads(end.body)["detail"]
    return detail if isinstance(detail, str) else str(detail[0]["msg"])


@app.route("GET", "/{app}/requests/{id}")
def result(request: Request) -> Reply:
    """Give what a job has made."""
    name, job = _job(request)
    if job.asked < 3:
        return Reply.json({"detail": "Request is still in progress"}, status=400)
    return _end(request, name, job)


@app.route("PUT", "/{app}/requests/{id}/cancel")
def cancel(request: Request) -> Reply:
    """Stop a job."""
    _, job = _job(request)
    if job.asked >= 3 and job.magic != "slow":
        return Reply.json({"status": "ALREADY_COMPLETED"}, status=400)
    job.is_cancelled = True
    return Reply.json({"status": "CANCELLATION_REQUESTED"}, status=202)


@app.route("POST", "/{app}")
def submit(request: Request) -> Reply:
    """Take a job."""
    model = request.args["app"]
    if model not in FORMS:
        raise RefusedError(kind="no_model", got=model)
    job = _Job("/".join(model.split("/")[:2]), model, request.json())
    if job.magic == "quota":
        words = "User is locked. Reason: Exhausted balance."
        raise RefusedError(kind="other", got=words, status=403)
    name = request.memory.id("", 32)
    _jobs(request.memory)[name] = job
    return Reply.json({"status": "IN_QUEUE", **_links(request, name, job), "queue_position": 1})


# -- what comes of it -------------------------------------------------------------------


def _fields(model: str, form: Form) -> dict[str, Field]:
    whole = one_of("auto", *map(str, range(form.least, form.most + 1)))
    from_picture = model.endswith("image-to-video")
    fields = {
        "prompt": Field("string", required=True),
        "duration": whole if form.in_words else Field("integer", least=form.least, most=form.most),
        "resolution": one_of(*form.resolutions),
        "aspect_ratio": one_of("auto", *form.ratios),
        "generate_audio": Field("boolean"),
    }
    if form.seeded:
        fields["seed"] = Field("integer")
    if from_picture:
        fields["image_url"] = Field("string", required=True, further=_picture)
        fields["end_image_url"] = Field("string|null", further=_picture)
    return fields


def _picture(at: str, found: object) -> None:
    try:
        Given.of_uri("image", str(found))
    except ValueError as error:
        words = "Failed to load the image. Please ensure the image file is not corrupted"
        raise RefusedError(
            kind="other", param=at, got=words, code="image_load_error", status=422
        ) from error


def _end(request: Request, name: str, job: _Job) -> Reply:
    """Return what the model says to a job's input."""
    if job.is_cancelled:
        return _fault(499, "request_cancelled", "Request was cancelled")
    if job.magic == "filter":
        words = "The content could not be processed because it contained material flagged."
        return _fault(422, "content_policy_violation", words, "prompt")
    if job.magic == "fail":
        words = "Runner disconnected while processing the request"
        headers = {"x-fal-error-type": "runner_disconnected", "x-fal-retryable": "true"}
        return Reply.json(
            {"detail": words, "error_type": "runner_disconnected"}, status=503, headers=headers
        )
    try:
        check(job.body, _fields(job.model, FORMS[job.model]), lenient=True)
    except RefusedError as refused:
        return refuse(refused)
    content = _clip(job)
    host = request.received.headers["host"]
    video = {
        "url": f"http://{host}/files/{name}/output.mp4",
        "content_type": "video/mp4",
        "file_name": "output.mp4",
        "file_size": len(content),
    }
    return Reply.json({"video": video, "seed": job.body.get("seed", 42)})


@app.route("GET", "/files/{id}/output.mp4")
def file(request: Request) -> Reply:
    """Give a clip; who has its link needs no key."""
    job = _jobs(request.memory).get(request.args["id"])
    if job is None:
        raise RefusedError(kind="other", got="Not Found", status=404)
    return Reply(200, _clip(job), {"content-type": "video/mp4"})


def _clip(job: _Job) -> bytes:
    form, body = FORMS[job.model], job.body
    resolution = str(body.get("resolution", form.resolutions[0]))
    ratio = str(body.get("aspect_ratio", "auto")).replace("auto", "16:9")
    wide, _, high = ratio.partition(":")
    shape = int(wide) / int(high)
    area = CLASSES[resolution]
    width, height = (round(math.sqrt(area * s) / 2) * 2 for s in (shape, 1 / shape))
    said = body.get("duration", form.usual)
    seconds = int(said) if isinstance(said, int) or str(said).isdecimal() else 5
    given = ""
    if "image_url" in body:
        given = f" from {Given.of_uri('image', str(body['image_url']))}"
    words = f"fal ({job.model}) made: {body['prompt']}{given}, {width}x{height}, {seconds} s"
    return clip(words, width, height, seconds)
