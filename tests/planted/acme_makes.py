"""Acme, a good maker of pictures, clips and sound: what is planted is a change of one thing in it."""

from __future__ import annotations

import base64
import datetime as dt

from anymodal import errors as e
from anymodal import hookimpl

PAGE = "https://acme.example/making"
KEY = "sk-acme-0123456789abcdef"
MOST = 32 * 1024 * 1024
STATES = {
    "working": "running",
    "done": "succeeded",
    "broken": "failed",
    "indecent": "filtered",
    "stopped": "cancelled",
}
RATIOS = ("16:9", "9:16", "1:1")


def packed(media):
    return base64.b64encode(media.read_bytes()).decode()


def warn(request, *names):
    """Warn of the settings that Acme has no field for."""
    for name in names:
        if getattr(request, name) is not None:
            request.warn(name, "acme has none")


def kept(**fields):
    return {name: value for name, value in fields.items() if value is not None}


class Acme:
    """The road to Acme. What a fault changes is a method of its own."""

    def __init__(self, connection):
        self.connection = connection

    async def call(self, method, path, body=None):
        """Return the answer, JSON, with its id of the request."""
        from anymodal.http import parse_json, read

        headers = {"authorization": f"Bearer {await self.connection.required()}"}
        reply = await self.connection.http.send(method, path, body=body, headers=headers)
        found = parse_json(await read(reply, self.connection.provider, self.most), self.name)
        if not isinstance(found, dict):
            msg = f"{self.name}: no object"
            raise e.MalformedReplyError(msg, provider=self.name)
        return found, reply.headers.get("x-request-id")

    async def took(self, path, body):
        """Return the bytes that are the whole of an answer."""
        headers = {"authorization": f"Bearer {await self.connection.required()}"}
        return await self.connection.http.bytes(
            "POST", path, body=body, headers=headers, limit=MOST
        )

    most = MOST

    @property
    def name(self):
        return self.connection.provider

    def sent(self, body):
        """Return what goes out."""
        return body

    async def fetched(self, link, kind, into=None):
        """Return what a link leads to."""
        if not isinstance(link, str):
            msg = f"{self.name}: no link"
            raise e.MalformedReplyError(msg, provider=self.name)
        return await self.connection.http.download(link, kind, into=into, limit=self.most)


# -- pictures -----------------------------------------------------------------------------


class Pictures(Acme):
    async def generate(self, request):
        from anymodal.jobs import submitting
        from anymodal.media import Image
        from anymodal.modalities.image import ImageResult
        from anymodal.usage import Usage, Used

        body = self.sent(self.body(request))
        with submitting(self.name):
            found, named = await self.call("POST", "/pictures", body)
        links = found.get("links")
        if not isinstance(links, list):
            msg = f"{self.name}: no links"
            raise e.MalformedReplyError(msg, provider=self.name)
        images = tuple([await self.fetched(link, Image) for link in links])
        return self.answered(
            ImageResult(
                images=images,
                usage=Usage(units=(Used("image", found["counted"]),)),
                request_id=named,
            )
        )

    async def edit(self, request):
        return await self.generate(request)

    def body(self, request):
        warn(request, "quality", "background", "negative_prompt", "end_user")
        wide, high = self.pixels(request) or (None, None)
        return kept(
            prompt=request.prompt,
            width=wide,
            height=high,
            n=request.count,
            seed=request.seed,
            format=request.format,
            picture=packed(request.images[0]) if request.images else None,
        )

    def pixels(self, request):
        from anymodal.modalities.sizes import PixelLimits

        return request.pixels(PixelLimits(area=512 * 512, multiple=16, longest=2048))

    def answered(self, result):
        """Return what comes of an answer."""
        return result


# -- jobs ---------------------------------------------------------------------------------


class Jobs(Acme):
    path = ""

    async def submit(self, request):
        from anymodal.jobs import submitting

        body = self.sent(self.body(request))
        with submitting(self.name):
            found, _ = await self.call("POST", self.path, body)
        if not isinstance(found.get("id"), str):
            msg = f"{self.name}: no id"
            raise e.MalformedReplyError(msg, provider=self.name)
        return self.handle({"id": found["id"]})

    def handle(self, known):
        """Return what a job is known by."""
        return known

    def id(self, handle):
        return handle["id"]

    async def poll(self, handle):
        try:
            found, named = await self.call("GET", f"/jobs/{self.id(handle)}")
        except e.NotFoundError:
            return self.status(state="expired", word="gone")
        return self.told(found, named)

    def told(self, found, named=None):
        """Return how a job stands."""
        from anymodal.jobs import state_of

        return self.status(
            state=state_of(found["state"], STATES),
            progress=found.get("share"),
            word=found["state"],
            message=found.get("reason", ""),
            request_id=named,
        )

    def status(self, **fields):
        from anymodal.jobs import JobStatus

        return JobStatus(**fields)

    async def fetch(self, handle, wanted):
        from anymodal.usage import Usage, Used

        found, named = await self.call("GET", f"/jobs/{self.id(handle)}")
        media = await self.fetched(found.get("link"), self.kind(), wanted.into)
        usage = Usage(units=(Used("second", found["counted"]),))
        return self.answered(self.result(media, usage, named))

    async def cancel(self, handle):
        await self.call("DELETE", f"/jobs/{self.id(handle)}")

    def kind(self):
        raise NotImplementedError

    def result(self, media, usage, named):
        raise NotImplementedError

    def answered(self, result):
        """Return what comes of an answer."""
        return result


class Clips(Jobs):
    path = "/clips"

    def body(self, request):
        warn(request, "negative_prompt", "end_user", "sound")
        return kept(
            prompt=request.prompt,
            seed=request.seed,
            seconds=None if request.seconds is None else self.length(request),
            picture=None if request.image is None else packed(request.image),
            **({} if request.size is None else self.shape(request, request.size)),
        )

    def length(self, request):
        seconds = min(max(round(request.seconds), 1), 10)
        if seconds != request.seconds:
            request.warn("seconds", f"{seconds} here")
        return seconds

    def shape(self, request, size):
        ratio, is_exact = size.nearest(RATIOS)
        is_known = size.name == "720p" or (size.width, size.height) in {(1280, 720), (720, 1280)}
        if not is_exact and size.form != "class":
            request.warn("size", f"{ratio} here")
        elif size.form == "pixels" and not is_known:
            request.warn("size", "480p here")
        return {"ratio": ratio, "resolution": "720p" if is_known else "480p"}

    def kind(self):
        from anymodal.media import Video

        return Video

    def result(self, media, usage, named):
        from anymodal.modalities.video import VideoResult

        return VideoResult(video=media, usage=usage, request_id=named)

    async def compose(self, request):
        from anymodal.media import Video

        wide, high = request.size.pixels(1)
        data = await self.took(
            "/compositions",
            {
                "pictures": [packed(one.media) for one in self.parts(request)],
                "sound": packed(request.tracks[0].audio) if request.tracks else None,
                "seconds": request.clips[0].seconds,
                "width": wide,
                "height": high,
            },
        )
        return self.result(Video(data), None, None)

    def parts(self, request):
        return request.clips


class Sounds(Jobs):
    path = "/sounds"

    def body(self, request):
        warn(request, "seed", "end_user", "instrumental")
        form = request.format
        if form is not None and form.codec not in {"wav", "mp3", "opus"}:
            request.warn("format", "wav here")
            form = None
        return kept(
            prompt=request.prompt,
            seconds=request.seconds,
            loop=request.loop,
            format=None if form is None else form.codec,
        )

    def kind(self):
        from anymodal.media import Audio

        return Audio

    def result(self, media, usage, named):
        from anymodal.modalities.audio import AudioResult

        return AudioResult(audio=media, usage=usage, request_id=named)

    async def enhance(self, request):
        from anymodal.media import Audio

        data = await self.took("/enhancements", {"sound": packed(request.audio)})
        return self.result(Audio(self.better(data)), None, None)

    def better(self, data):
        return data


# -- what is offered ----------------------------------------------------------------------


def refined(status, headers, body):
    error = body.get("error") if isinstance(body, dict) else None
    known = {"blocked": e.ContentFilteredError, "no_credit": e.QuotaExceededError}
    return known.get(error.get("code")) if isinstance(error, dict) else None


ABLE = {
    "image": ("image_edit",),
    "video": ("text_to_video", "image_to_video", "composition", "cancel", "progress"),
    "audio": ("text_to_audio", "enhancement", "cancel", "progress"),
}
UNIT = {"image": "image", "video": "second", "audio": "second"}
MAKES = {"image": Pictures, "video": Clips, "audio": Sounds}


def spec(modality, connect=None, **changes):
    """Return Acme's spec of *modality*, changed."""
    from anymodal import Capabilities, Credential, Lifecycle, ModelSpec, Price, Prices
    from anymodal.modalities.audio import AudioProviderSpec
    from anymodal.modalities.image import ImageProviderSpec
    from anymodal.modalities.video import VideoProviderSpec

    cls = {"image": ImageProviderSpec, "video": VideoProviderSpec, "audio": AudioProviderSpec}
    prices = Prices([Price(UNIT[modality], "0.02")], PAGE, dt.date(2026, 11, 2))
    lacks = ABLE[modality][-1] if modality == "image" else ABLE[modality][1]
    fields = {
        "id": "acme",
        "display_name": "Acme",
        "docs": PAGE,
        "base_url": "https://api.acme.example",
        "credentials": [Credential(env=["ACME_API_KEY"])],
        "capabilities": Capabilities(yes=ABLE[modality]),
        "models": [
            ModelSpec(id="acme-2", prices=prices, source=PAGE),
            ModelSpec(id="acme-1", lifecycle=Lifecycle(state="retired", replacement="acme-2")),
            ModelSpec(id="acme-0", capabilities=Capabilities(no={lacks}), source=PAGE),
        ],
        "default_model": "acme-2",
        "errors": refined,
        "connect": connect or MAKES[modality],
    }  # fmt: skip
    if modality == "image":
        fields["sizes"] = {"pixels", "ratio", "class"}
    return cls[modality](**{**fields, **changes})


class Plugin:
    """The hooks of one modality, as a module would have them."""

    def __init__(self, made):
        self.made = made

    @hookimpl
    def anymodal_emulators(self):
        from anymodal import EmulatorSpec

        return [EmulatorSpec(provider=self.made().id, app="acme_makes_emulator:app", key=KEY)]


class ImagePlugin(Plugin):
    @hookimpl
    def anymodal_image_providers(self):
        return [self.made()]


class VideoPlugin(Plugin):
    @hookimpl
    def anymodal_video_providers(self):
        return [self.made()]


class AudioPlugin(Plugin):
    @hookimpl
    def anymodal_audio_providers(self):
        return [self.made()]


PLUGINS = {"image": ImagePlugin, "video": VideoPlugin, "audio": AudioPlugin}


def plugin(modality, made=None):
    """Return a plugin that offers *made*, or the good provider of *modality*."""
    return PLUGINS[modality](made or (lambda: spec(modality)))


class Planted(dict):
    """Plugins by the ids of the faults that they have, of one modality."""

    def __init__(self, modality):
        super().__init__()
        self.modality = modality

    def plant(self, name, connect=None, **changes):
        """Plant a fault by a `connect` or by fields of the spec."""
        fields = {"backends": {"asyncio"}, **changes, "id": f"acme-{name}"}
        self[name] = plugin(self.modality, lambda: spec(self.modality, connect, **fields))
        return connect

    def __call__(self, name, **changes):
        """Plant the decorated provider."""
        return lambda cls: self.plant(name, cls, **changes)
