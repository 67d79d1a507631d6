"""
Pictures of OpenAI on loopback: `POST /images/generations` and `/images/edits`.

Fields are those of openai 3.52, `types/image_generate_params.py` and
`image_edit_params.py`, without GIF, SVG and streams, which nobody here asks for.
Words of refusals are as quoted in https://github.com/jezweb/claude-skills/pull/91
and https://github.com/ucx0204/CarrotMangaTranslator/issues/122; read 2026-11-20.

The pictures open, and show provider, model, prompt and size, and which pictures were
given. A prompt with `emulator:block` is refused by the filter, one with
`emulator:filter` when the picture is made.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Final, NoReturn, cast

import attrs
from anymodal_emulator.app import Emulator, RefusedError, Reply, Request
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.pictures import picture
from anymodal_emulator.text import count, word
from anymodal_openai_compatible.emulator.refusals import object_to_word

from .image_models import MODELS

__all__ = ["SERVED", "serve_images"]

SERVED: Final = tuple(model.id for model in MODELS if model.lifecycle.state != "retired")

FIXED: Final = ("gpt-image-1", "chatgpt-image-latest")
SIZES: Final = ("1024x1024", "1536x1024", "1024x1536")
LONGEST_SIDE: Final = 3840
LEAST_PIXELS: Final = 655_360
MOST_PIXELS: Final = 8_294_400
FINEST: Final = ("gpt-image-2.5", "gpt-image-2.6")
QUALITIES: Final = ("low", "medium", "high", "xhigh", "max", "auto")
LONGEST_PROMPT: Final = 32_000

FIELDS: Final[Mapping[str, Field]] = {
    "prompt": Field("string", required=True),
    "model": Field("string", required=True),
    "background": one_of("transparent", "opaque", "auto", null=True),
    "complexity": one_of("low", "medium", "high", null=True),
    "n": Field("integer|null", least=1, most=10),
    "output_compression": Field("integer|null", least=0, most=100),
    "output_format": one_of("png", "webp", "jpeg", null=True),
    "quality": one_of(*QUALITIES, null=True),
    "safety_identifier": Field("string|null"),
    "size": Field("string|null"),
    "user": Field("string"),
}
GENERATE: Final = {**FIELDS, "moderation": one_of("low", "auto", null=True)}
EDIT: Final = {**FIELDS, "input_fidelity": one_of("high", "low", null=True)}
NUMBERS: Final = ("n", "output_compression")
FILES: Final = ("image", "image[]", "mask")

MAGIC: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"RIFF": "image/webp",
}


@attrs.frozen
class Given:
    """A file of a form."""

    name: str
    filename: str
    media_type: str
    data: bytes = attrs.field(repr=False)

    @property
    def size(self) -> str:
        """Of a PNG, width and height."""
        if not self.data.startswith(b"\x89PNG"):
            return "of some size"
        wide, high = (int.from_bytes(self.data[at : at + 4], "big") for at in (16, 20))
        return f"{wide}x{high}"


def serve_images(emulator: Emulator, base_path: str) -> None:
    """Add the routes to *emulator*."""
    emulator.route("POST", f"{base_path}/images/generations")(_generate)
    emulator.route("POST", f"{base_path}/images/edits")(_edit)


def _generate(request: Request) -> Reply:
    body = request.json()
    check(body, GENERATE)
    return _answer(request, body, ())


def _edit(request: Request) -> Reply:
    fields, files = _form(request)
    check(fields, EDIT)
    images = [file for file in files if file.name != "mask"]
    if not images:
        raise RefusedError(kind="missing", param="image")
    if len(images) > 16:
        _refuse("image", f"Invalid 'image': at most 16 images, but got {len(images)} instead.")
    for file in files:
        if not any(file.data.startswith(start) for start in MAGIC):
            _refuse(file.name, "Invalid image file or mode for image.", "invalid_image_file")
        if file.media_type not in MAGIC.values():
            words = f"Invalid file '{file.name}': unsupported mimetype ('{file.media_type}')."
            _refuse(file.name, words, "unsupported_file_mimetype")
        if file.name == "mask" and file.media_type != "image/png":
            _refuse("mask", "Invalid mask: a PNG is needed.", "invalid_image_file")
    return _answer(request, fields, files)


def _form(request: Request) -> tuple[dict[str, object], list[Given]]:
    declared = request.received.headers.get("content-type", "")
    found = re.fullmatch(r'multipart/form-data; boundary="?([^";]+)"?', declared)
    if found is None:
        raise RefusedError(kind="media_type", got=declared)
    fields: dict[str, object] = {}
    files: list[Given] = []
    for part in request.received.body.split(b"--" + found[1].encode())[1:-1]:
        head, _, rest = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content, lines = rest.removesuffix(b"\r\n"), head.decode()
        words = dict(re.findall(r'\b(name|filename)="([^"]*)"', lines))
        name = words["name"]
        if "filename" in words:
            if name not in FILES:
                raise RefusedError(kind="unknown", param=name)
            kind = re.search(r"(?i)^content-type: *(\S+)", lines, re.MULTILINE)
            files.append(Given(name, words["filename"], kind[1] if kind else "", content))
        else:
            text = content.decode()
            fields[name] = int(text) if name in NUMBERS and text.isdecimal() else text
    return fields, files


def _answer(
    request: Request, body: Mapping[str, object], given: tuple[Given, ...] | list[Given]
) -> Reply:
    model, prompt = cast("str", body["model"]), cast("str", body["prompt"])
    if model not in SERVED:
        raise RefusedError(kind="no_model", param="model", got=model)
    if not prompt or len(prompt) > LONGEST_PROMPT:
        _refuse("prompt", "Invalid 'prompt': it is empty or too long.")
    said = word(prompt)
    if said in {"block", "filter"}:
        return _moderated(request, "input" if said == "block" else "output")
    if (blocked := object_to_word(said)) is not None:
        return blocked
    form, quality = str(body.get("output_format") or "png"), str(body.get("quality") or "auto")
    transparent = body.get("background") == "transparent"
    if transparent and form == "jpeg":
        _refuse("background", "Transparent background is not supported for JPEG output format.")
    if quality in {"xhigh", "max"} and not model.startswith(FINEST):
        raise RefusedError(
            kind="value", param="quality", got=quality, need="'low', 'medium', 'high'"
        )
    size = _size(model, body.get("size"))
    wide, high = (int(length) for length in size.split("x"))
    shown = f"openai {model}: {prompt} ({size}"
    shown += "".join(f"; {file.name} {file.media_type} {file.size}" for file in given) + ")"
    number = cast("int", body.get("n") or 1)
    made = [
        picture(
            shown if number == 1 else f"{shown} {index} of {number}",
            wide,
            high,
            media_type=f"image/{form}",
            transparent=transparent,
        )
        for index in range(1, number + 1)
    ]
    seen, drawn = 256 * len(given), 1024 * number
    text = count(prompt)
    found: dict[str, object] = {
        "created": request.memory.now(),
        "background": "transparent" if transparent else "opaque",
        "data": [{"b64_json": base64.b64encode(one).decode()} for one in made],
        "output_format": form,
        "quality": "medium" if quality == "auto" else quality,
        "size": size,
        "usage": {
            "input_tokens": text + seen,
            "input_tokens_details": {"image_tokens": seen, "text_tokens": text},
            "output_tokens": drawn,
            "output_tokens_details": {"image_tokens": drawn, "text_tokens": 0},
            "total_tokens": text + seen + drawn,
        },
    }
    if body.get("safety_identifier"):
        found["safety_identifier"] = body["safety_identifier"]
    return Reply.json(found)


def _size(model: str, wanted: object) -> str:
    if wanted in {None, "auto"}:
        return "1024x1024"
    size = str(wanted)
    if model.startswith(FIXED):
        if size not in SIZES:
            need = ", ".join(f"'{one}'" for one in (*SIZES, "auto"))
            raise RefusedError(kind="value", param="size", got=size, need=need)
        return size
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if found is None:
        _refuse("size", f"Invalid size '{size}'. Expected WIDTHxHEIGHT or 'auto'.", "invalid_value")
    wide, high = int(found[1]), int(found[2])
    if wide % 16 or high % 16:
        words = f"Invalid size '{size}'. Width and height must both be divisible by 16."
        _refuse("size", words, "invalid_value")
    is_long = max(wide, high) > min(LONGEST_SIDE, 3 * min(wide, high))
    if is_long or not LEAST_PIXELS <= wide * high <= MOST_PIXELS:
        _refuse(
            "size", f"Invalid size '{size}'. It is out of this model's bounds.", "invalid_value"
        )
    return size


def _refuse(param: str, words: str, code: str = "invalid_value") -> NoReturn:
    raise RefusedError(kind="other", param=param, got=words, code=code)


def _moderated(request: Request, stage: str) -> Reply:
    words = (
        "Your request was rejected by the safety system. If you believe this is an error, "
        "contact us at help.openai.com and include the request ID "
        f"{request.memory.id('')}. safety_violations=[violence]."
    )
    error = {
        "message": words,
        "type": "image_generation_user_error",
        "param": None,
        "code": "moderation_blocked",
        "moderation_details": {"moderation_stage": stage, "categories": ["violence"]},
    }
    return Reply.json({"error": error}, status=400)
