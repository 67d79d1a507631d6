"""Clips: jobs that move on whenever they are asked for."""

from __future__ import annotations

from typing import Any, cast

from anymodal_emulator.app import Memory, RefusedError, Reply, Request
from anymodal_emulator.checking import Field, one_of
from anymodal_emulator.clips import clip

from .app import MODELS, app, asked, magic, sized

MODELS["reel-1"] = "video"
FIELDS = {
    "model": Field("string", required=True),
    "prompt": Field("string", required=True),
    "picture": Field("string|null"),
    "ratio": one_of("16:9", "9:16", "1:1"),
    "seconds": Field("number", least=1, most=30),
    "seed": Field("integer"),
}
SIZES = {"16:9": (640, 360), "9:16": (360, 640), "1:1": (480, 480)}
ENDS = {"fail": "broken", "filter": "filtered"}


def jobs(memory: Memory) -> dict[str, dict[str, Any]]:
    """Return the jobs of a server."""
    return cast("dict[str, dict[str, Any]]", memory.kept.setdefault("clips", {}))


def job(request: Request) -> dict[str, Any]:
    """Return the job that a path names."""
    found = jobs(request.memory).get(request.args["name"])
    if found is None:
        raise RefusedError(kind="no_path", got=request.args["name"])
    return found


@app.route("POST", "/v1/clips")
def film(request: Request) -> Reply:
    """Take a job."""
    body = asked(request, FIELDS, "reel-1")
    word = magic(body["prompt"])
    seen = sized(body["picture"]) if body["picture"] else ""
    name = request.memory.id("c-")
    jobs(request.memory)[name] = {"body": body, "word": word, "seen": seen, "looks": 0, "end": ""}
    return Reply.json({"id": name})


@app.route("GET", "/v1/clips/{name}")
def tell(request: Request) -> Reply:
    """Say how a job stands, which brings it on."""
    found, name = job(request), request.args["name"]
    if not found["end"]:
        found["looks"] += 1
        if found["looks"] > 2 and found["word"] != "slow":
            found["end"] = ENDS.get(found["word"], "done")
    state = found["end"] or ("waiting" if found["looks"] == 1 else "filming")
    if found["word"] == "slow" and not found["end"]:
        state = "developing"
    said: dict[str, object] = {
        "id": name,
        "state": state,
        "progress": {"waiting": 0.0, "done": 1.0}.get(state, 0.5),
        "why": "The lamp of the projector broke." if state == "broken" else "",
    }
    if state == "done":
        said["url"] = f"{request.root}/files/{name}.mp4"
        said["seconds"] = found["body"].get("seconds", 5)
    return Reply.json(said)


@app.route("DELETE", "/v1/clips/{name}")
def stop(request: Request) -> Reply:
    """Stop a job."""
    found = job(request)
    found["end"] = found["end"] or "stopped"
    return Reply.json({"id": request.args["name"]})


@app.route("GET", "/files/{name}.mp4")
def send(request: Request) -> Reply:
    """Send a clip."""
    found = job(request)
    body, (width, height) = found["body"], SIZES[found["body"]["ratio"]]
    words = f"night-heron reel-1: {body['prompt']} ({width}x{height} pixels; {found['seen']})"
    data = clip(words, width, height, body.get("seconds", 5))
    return Reply(200, data, {"content-type": "video/mp4"})
