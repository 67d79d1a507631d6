"""Acme on loopback, as a maker of pictures, clips and sound: links, jobs, and one reply at once."""

from __future__ import annotations

import base64
import math
import struct

from anymodal_emulator.app import Emulator, RefusedError, Reply
from anymodal_emulator.clips import clip
from anymodal_emulator.exchange import phrase
from anymodal_emulator.pictures import picture
from anymodal_emulator.sounds import CHARACTER_SECONDS, mp3, opus, wav

__all__ = ["app"]

REFUSALS = {"block": (400, "blocked"), "quota": (429, "no_credit")}
AREAS = {"720p": 1280 * 720, "480p": 854 * 480}


def refuse(refused):
    said = {"code": refused.code or refused.kind, "message": refused.got}
    return Reply.json({"error": said}, status=refused.status)


def fail(status):
    return Reply.json({"error": {"message": phrase(status)}}, status=status)


def admit(request):
    if request.received.path.startswith("/files/"):
        return
    if request.bearer != request.key:
        raise RefusedError(kind="bad_key" if request.bearer else "no_key")


app = Emulator(
    "acme",
    refuse=refuse,
    fail=fail,
    admit=admit,
    headers=lambda request: {"x-request-id": request.memory.id("req_")},
)


def magic(body):
    """Return the magic word of a prompt, once it is refused where it is to be."""
    word = str(body.get("prompt", "")).partition("emulator:")[2]
    if word in REFUSALS:
        status, code = REFUSALS[word]
        raise RefusedError(kind="other", got=word, status=status, code=code)
    return word


def shelf(request, data, kind):
    """Put *data* behind a link, and return that."""
    name = request.memory.id("", 12)
    request.memory.kept[name] = (data, kind)
    return f"{request.root}/files/{name}"


@app.route("GET", "/files/{name}")
def file(request):
    data, kind = request.memory.kept[request.args["name"]]
    return Reply(200, data, {"content-type": kind})


@app.route("POST", "/pictures")
def pictures(request):
    body = request.json()
    if magic(body) == "filter":
        raise RefusedError(kind="other", got="what was made is indecent", code="blocked")
    wide, high = body.get("width", 512), body.get("height", 512)
    kind = f"image/{body.get('format', 'png')}"
    words = f"{body['prompt']} {body.get('seed', '')} {len(body.get('picture', ''))}"
    made = [picture(f"{words} {n}", wide, high, media_type=kind) for n in range(body.get("n", 1))]
    return Reply.json({"links": [shelf(request, one, kind) for one in made], "counted": len(made)})


@app.route("POST", "/clips")
def clips(request):
    return job(request, clip_of, "video/mp4")


@app.route("POST", "/sounds")
def sounds(request):
    return job(request, sound_of, "audio")


@app.route("POST", "/compositions")
def composition(request):
    body = request.json()
    parts = [base64.b64decode(one) for one in body["pictures"]]
    if not body.get("sound") or not all(one.startswith(b"\x89PNG") for one in parts):
        raise RefusedError(kind="missing", param="pictures")
    made = with_sound(clip("composed", body["width"], body["height"], body["seconds"] * len(parts)))
    return Reply(200, made, {"content-type": "video/mp4"})


@app.route("POST", "/enhancements")
def enhancement(request):
    given = base64.b64decode(request.json()["sound"])
    return Reply(200, given, {"content-type": "audio/wav"})


def job(request, make, kind):
    body = request.json()
    magic(body)
    name = request.memory.id("job_", 12)
    request.memory.kept[name] = {"make": make, "kind": kind, "body": body, "asked": 0}
    return Reply.json({"id": name})


def clip_of(body):
    area = AREAS[body.get("resolution", "480p")]
    ratio = body.get("ratio", "16:9").split(":")
    shape = int(ratio[0]) / int(ratio[1])
    sides = (round(math.sqrt(area * one) / 2) * 2 for one in (shape, 1 / shape))
    words = f"{body['prompt']} {body.get('seed', '')} {len(body.get('picture', ''))}"
    return clip(words, *sides, body.get("seconds", 5))


def sound_of(body):
    length = round(body.get("seconds", 5) / CHARACTER_SECONDS)
    words = f"{body['prompt']} {body.get('loop', '')}".ljust(length)[:length]
    match body.get("format", "wav"):
        case "mp3":
            return mp3(words, 44_100, 128)
        case "opus":
            return opus(words)
        case _:
            return wav(words, 16_000)


@app.route("GET", "/jobs/{name}")
def look(request):
    found = request.memory.kept.get(request.args["name"])
    if found is None:
        raise RefusedError(kind="no_path")
    found["asked"] += 1
    word = magic(found["body"])
    if found.get("stopped"):
        return Reply.json({"state": "stopped"})
    if found["asked"] < 3 or word == "slow":
        share = min(found["asked"] * 0.4, 0.9)
        return Reply.json({"state": "working", "share": share})
    if word in {"fail", "filter"}:
        state = {"fail": "broken", "filter": "indecent"}[word]
        return Reply.json(
            {"state": state, "reason": "the machine stopped", "share": share_of(word)}
        )
    if "link" not in found:
        found["link"] = shelf(request, found["make"](found["body"]), found["kind"])
    return Reply.json({"state": "done", "share": 1.0, "link": found["link"], "counted": 5})


def share_of(word):
    return 0.9 if word == "fail" else 1.0


@app.route("DELETE", "/jobs/{name}")
def stop(request):
    request.memory.kept[request.args["name"]]["stopped"] = True
    return Reply.json({"state": "stopped"})


def with_sound(data):
    """Return an MP4 with a second track, of sound, in a head of its own at its end."""
    entry = box(
        b"mp4a", bytes(6), b"\0\1", bytes(8), struct.pack(">HHI", 1, 16, 0), b"\x3e\x80\0\0"
    )
    stsd = box(b"stsd", struct.pack(">II", 0, 1), entry)
    handler = box(b"hdlr", struct.pack(">II4s", 0, 0, b"soun"), bytes(13))
    times = box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 16_000, 32_000, 0x55C4, 0))
    track = box(b"trak", box(b"mdia", times, handler, box(b"minf", box(b"stbl", stsd))))
    at = data.index(b"moov") - 4
    size = struct.unpack_from(">I", data, at)[0]
    head = struct.pack(">I", size + len(track))
    return data[:at] + head + data[at + 4 : at + size] + track + data[at + size :]


def box(kind, *parts):
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + kind + content
