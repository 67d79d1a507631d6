"""The faults of pictures, and of what is made altogether: each is Acme with one thing changed."""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs
from acme_makes import Pictures, Planted, refined
from anymodal import errors as e
from anymodal.media import Image

PLANTED = Planted("image")
plant, planted = PLANTED.plant, PLANTED


def changed(change):
    """Return a provider whose pictures are changed."""

    class Changed(Pictures):
        def answered(self, result):
            return attrs.evolve(result, images=tuple(change(one) for one in result.images))

    return Changed


plant("not-a-picture", changed(lambda _: Image(b"<svg>a lamp</svg>", media_type="image/png")))
plant("half-a-picture", changed(lambda one: Image(one.data[: len(one.data) // 2])))
plant("gives-links", changed(lambda _: Image(url="https://acme.example/lamp.png")))
plant("wrong-type", changed(lambda one: Image(one.data, media_type="image/jpeg")))


@planted("no-bounds")
class NoBounds(Pictures):
    most = 1 << 62


@planted("follows-anything")
class FollowsAnything(Pictures):
    async def fetched(self, link, kind, into=None):
        place = urlsplit(link)
        http = attrs.evolve(self.connection.http, base_url=f"http://{place.netloc}")
        return kind(await http.bytes("GET", place.path))


def rewritten(change):
    """Return a provider whose requests are changed."""

    class Rewritten(Pictures):
        def sent(self, body):
            return change(body)

    return Rewritten


def without(*names):
    return rewritten(lambda body: {k: v for k, v in body.items() if k not in names})


plant("short-prompt", rewritten(lambda body: {**body, "prompt": body["prompt"][:16]}))
plant("drops-seed", without("seed"))
plant("any-size", without("width", "height"))
plant("one-of-two", without("n"))
plant("one-format", without("format"))
plant("edits-nothing", without("picture"))
plant(
    "turned",
    rewritten(
        lambda body: (
            {**body, "width": body["height"], "height": body["width"]} if "width" in body else body
        )
    ),
)


@planted("ratios-alone")
class RatiosAlone(Pictures):
    def pixels(self, request):
        side = 512
        request.ratio(["1:1"])
        return (side, side)


@planted("lenient")
class Lenient(Pictures):
    def body(self, request):
        return super().body(attrs.evolve(request, strict=False))


def instead(*classes, other):
    """Return a table of errors that takes *classes* for another."""

    def table(status, headers, body):
        found = refined(status, headers, body)
        return other if found in classes else found

    return table


plant("filter-is-bad", errors=instead(e.ContentFilteredError, other=e.BadRequestError))
plant("quota-is-rate", errors=instead(e.QuotaExceededError, other=e.RateLimitedError))


@planted("pays-twice")
class PaysTwice(Pictures):
    async def call(self, method, path, body=None):
        try:
            return await super().call(method, path, body)
        except (e.ConnectionFailedError, e.IncompleteError):
            return await super().call(method, path, body)
