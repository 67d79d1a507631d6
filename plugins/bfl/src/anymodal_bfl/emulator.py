"""
Black Forest Labs on loopback: tasks that are pending, and then pictures that open.

Paths, fields and answers are those of https://api.bfl.ai/openapi.json, read 2026-11-20.
A task is pending when it is first asked for, and ready when it is asked for again.

Magic words of prompts: `emulator:block` is refused by the filter before it is made,
`emulator:filter` after, `emulator:fail` fails, `emulator:slow` is made for as long as it
is asked for, with a state that nobody knows, `emulator:quota` finds no credit.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qs

import attrs
from anymodal_emulator.app import Emulator, Memory, RefusedError, Reply, Request
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.exchange import phrase
from anymodal_emulator.pictures import picture

__all__ = ["app"]

_WORDS: Final = {
    "no_key": "Not authenticated",
    "bad_key": "Not authenticated - Invalid Authentication",
    "no_path": "Not Found",
    "no_method": "Method Not Allowed",
    "no_model": "Not Found",
    "media_type": "Input should be a valid dictionary or object to extract fields from",
    "not_json": "JSON decode error",
    "missing": "Field required",
    "unknown": "Extra inputs are not permitted",
    "type": "Input should be a valid {need}",
    "value": "Input should be {need}",
}
_INVALID: Final = ("media_type", "not_json", "missing", "unknown", "type", "value")


def refuse(refused: RefusedError) -> Reply:
    """Return a refusal in the vendor's words: one sentence, or a list of places."""
    words = _WORDS.get(refused.kind, "{got}").format(got=refused.got, need=refused.need)
    if refused.kind in _INVALID:
        place = ["body", *filter(None, [refused.param])]
        line = {"loc": place, "msg": words, "type": refused.kind, "input": refused.got}
        return Reply.json({"detail": [line]}, status=422)
    status = 403 if refused.status == 401 else refused.status
    return Reply.json({"detail": words}, status=status)


def fail(status: int) -> Reply:
    """Return what the vendor says with a bare status."""
    return Reply.json({"detail": phrase(status)}, status=status)


def admit(request: Request) -> None:
    """Let in who has a key. Pictures are public."""
    if request.received.path.startswith("/delivery/"):
        return
    key = request.received.headers.get("x-key", "")
    if not key:
        raise RefusedError(kind="no_key")
    if request.key and key != request.key:
        raise RefusedError(kind="bad_key")


app = Emulator("bfl", refuse=refuse, fail=fail, admit=admit)

# -- what a body may have ---------------------------------------------------------------


def _multiple_of_32(param: str, found: object) -> None:
    if isinstance(found, int) and found % 32:
        raise RefusedError(kind="value", param=param, got=str(found), need="a multiple of 32")


def _picture(param: str, found: object) -> None:
    if found is None or str(found).startswith(("http://", "https://")):
        return
    try:
        data = base64.b64decode(str(found), validate=True)
    except binascii.Error:
        data = b""
    if not data.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
        raise RefusedError(kind="value", param=param, got="", need="a picture in base64, or a URL")


def _ratio(param: str, found: object) -> None:
    if found is None:
        return
    match = re.fullmatch(r"(\d+):(\d+)", str(found))
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    if 0 in sides or max(sides) * 9 > min(sides) * 21:
        raise RefusedError(kind="value", param=param, got=str(found), need="from 21:9 to 9:21")


COMMON: Final = {
    "prompt": Field("string", required=True),
    "seed": Field("integer|null"),
    "output_format": one_of("jpeg", "png", "webp", null=True),
    "webhook_url": Field("string|null"),
    "webhook_secret": Field("string|null"),
}
_FREE: Final = Field("integer|null", least=64)
_SMALL: Final = Field("integer", least=256, most=1440, further=_multiple_of_32)
_GIVEN: Final = Field("string|null", further=_picture)
_UPSAMPLING: Final = {"prompt_upsampling": Field("boolean")}
_STEPS: Final = {"steps": Field("integer|null", least=1, most=50)}


def _tolerance(most: int) -> dict[str, Field]:
    return {"safety_tolerance": Field("integer", least=0, most=most)}


def _given(most: int) -> dict[str, Field]:
    names = ["input_image", *(f"input_image_{number}" for number in range(2, most + 1))]
    return dict.fromkeys(names, _GIVEN)


FLUX_2: Final = {**COMMON, "width": _FREE, "height": _FREE, **_tolerance(5), **_given(8)}
KLEIN: Final = {**COMMON, "width": _FREE, "height": _FREE, **_tolerance(5), **_given(4)}
FLEX: Final = {
    **FLUX_2,
    **_STEPS,
    "prompt_upsampling": Field("boolean|null"),
    "guidance": Field("number|null", least=1.5, most=10),
}
PRO: Final = {
    **COMMON,
    **_UPSAMPLING,
    **_tolerance(6),
    "width": _SMALL,
    "height": _SMALL,
    "image_prompt": _GIVEN,
}
DEV: Final = {**PRO, **_STEPS, "guidance": Field("number|null", least=1.5, most=5)}
SHAPED: Final = {
    **COMMON,
    **_UPSAMPLING,
    **_tolerance(6),
    "aspect_ratio": Field("string|null", further=_ratio),
}
KONTEXT: Final = {**SHAPED, **_given(4)}
ULTRA: Final = {
    **SHAPED,
    "raw": Field("boolean"),
    "image_prompt": _GIVEN,
    "image_prompt_strength": Field("number", least=0, most=1),
}
MODELS: Final[Mapping[str, Mapping[str, Field]]] = {
    **dict.fromkeys(("flux-2-pro", "flux-2-max", "flux-2-pro-preview"), FLUX_2),
    **dict.fromkeys(("flux-2-klein-4b", "flux-2-klein-9b", "flux-2-klein-9b-preview"), KLEIN),
    "flux-2-flex": FLEX,
    "flux-kontext-pro": KONTEXT,
    "flux-kontext-max": KONTEXT,
    "flux-pro-1.1": PRO,
    "flux-pro-1.1-ultra": ULTRA,
    "flux-dev": DEV,
}
MOST_PIXELS: Final = 4_194_304

# -- tasks ------------------------------------------------------------------------------


@attrs.define
class _Task:
    model: str
    body: Mapping[str, Any]
    width: int
    height: int
    asked: int = 0

    def has(self, word: str) -> bool:
        return f"emulator:{word}" in str(self.body["prompt"])

    @property
    def form(self) -> str:
        usual = "png" if "kontext" in self.model else "jpeg"
        return str(self.body.get("output_format") or usual)

    def draw(self) -> Reply:
        given = [name for name in self.body if name.startswith("input_image")]
        words = f"bfl {self.model}: {self.body['prompt']} ({self.width}x{self.height}"
        words += "".join(f"; {name} {_seen(str(self.body[name]))}" for name in given)
        words += f"; seed {self.body['seed']})" if self.body.get("seed") is not None else ")"
        data = picture(words, self.width, self.height, media_type=f"image/{self.form}")
        return Reply(200, data, {"content-type": f"image/{self.form}"})


def _seen(given: str) -> str:
    if given.startswith("http"):
        return given
    data = base64.b64decode(given)
    if not data.startswith(b"\x89PNG"):
        return "image"
    wide, high = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return f"image/png {wide}x{high}"


def _tasks(memory: Memory) -> dict[str, _Task]:
    return cast("dict[str, _Task]", memory.kept.setdefault("tasks", {}))


@app.route("POST", "/v1/{model}")
def submit(request: Request) -> Reply:
    """Take a task."""
    model = request.args["model"]
    if model not in MODELS:
        raise RefusedError(kind="no_model", got=model)
    body = request.json()
    check(body, MODELS[model])
    if "emulator:quota" in str(body["prompt"]):
        raise RefusedError(kind="other", got="Insufficient credits", status=402)
    wide, high = _size(model, body)
    if wide * high > MOST_PIXELS:
        raise RefusedError(kind="value", param="width", got=str(wide), need="within 4 megapixels")
    name = request.memory.id("", 32)
    _tasks(request.memory)[name] = _Task(model, body, wide, high)
    area = round(wide * high / 1_000_000, 2)
    return Reply.json(
        {
            "id": name,
            "polling_url": f"{request.root}/v1/get_result?id={name}",
            "cost": 3.0 if area <= 1.1 else 4.5,
            "input_mp": 0.0,
            "output_mp": area,
        }
    )


def _size(model: str, body: Mapping[str, Any]) -> tuple[int, int]:
    if "aspect_ratio" in MODELS[model]:
        ratio = str(body.get("aspect_ratio") or "1:1").split(":")
        across, down = map(int, ratio)
        scale = (1_048_576 / (across * down)) ** 0.5
        return round(across * scale / 16) * 16, round(down * scale / 16) * 16
    wide, high = body.get("width") or 1024, body.get("height") or 768
    if model.startswith("flux-2"):
        return wide // 16 * 16, high // 16 * 16
    return wide, high


@app.route("GET", "/v1/get_result")
def result(request: Request) -> Reply:
    """Tell how a task stands, which brings it on."""
    name = parse_qs(request.received.query).get("id", [""])[0]
    task = _tasks(request.memory).get(name)
    if task is None:
        return _status(name, "Task not found")
    task.asked += 1
    if task.has("block"):
        return _status(name, "Request Moderated", {"Moderation Reasons": ["Derivative Works"]})
    if task.has("slow") or task.asked == 1:
        return _status(name, "Dreaming" if task.has("slow") else "Pending")
    if task.has("filter"):
        return _status(name, "Content Moderated", {"Moderation Reasons": ["Safety Filter"]})
    if task.has("fail"):
        return _status(name, "Error", {"error": "the machine stopped"})
    made = {
        "sample": f"{request.root}/delivery/{name}/sample.{task.form}",
        "prompt": task.body["prompt"],
        "seed": task.body.get("seed") or 42,
    }
    return _status(name, "Ready", made=made)


def _status(name: str, word: str, details: object = None, made: object = None) -> Reply:
    found = {"id": name, "status": word, "result": made, "progress": None}
    return Reply.json({**found, "details": details, "preview": None})


@app.route("GET", "/delivery/{id}/{name}")
def deliver(request: Request) -> Reply:
    """Send a picture."""
    task = _tasks(request.memory).get(request.args["id"])
    if task is None:
        raise RefusedError(kind="no_path")
    return task.draw()


@app.route("GET", "/v1/credits")
def credit(request: Request) -> Reply:
    """Tell what is left."""
    del request
    return Reply.json({"credits": 1000.0})
