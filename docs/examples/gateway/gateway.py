"""A chat gateway over HTTP: the routes that such gateways have, each a call of the client."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

import attrs
from anymodal import Client, Message, errors

__all__ = ["Gateway", "app"]

Json: TypeAlias = Mapping[str, Any]
Said: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Said]]
Send: TypeAlias = Callable[[Said], Awaitable[None]]

LARGEST_BODY: Final = 4_000_000
OPTIONS: Final = ("temperature", "top_p", "max_tokens", "seed")
SETTINGS: Final = ("enabled", "rate_limit", "timeout")
"""What strangers may set. Do not pass on all they send: settings name files and commands too."""

log = logging.getLogger("gateway")


def app() -> Gateway:
    """Make the application, for servers that take a factory."""
    return Gateway(Client())


class Gateway:
    """
    An ASGI application around *client*, which it opens and closes with the server.

    It knows nobody: put it behind what does, because whoever registers a provider
    names an address to which this machine then talks.
    """

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        """Serve one connection, or the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            status, found = await self._answer(scope["method"], scope["path"], receive)
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(found).encode()})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.client:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, method: str, path: str, receive: Receive) -> tuple[int, Json]:
        try:
            found = await self._routed(method, path.strip("/").split("/"), await _body(receive))
        except errors.AnymodalError as error:
            return _status(error), {"code": error.code, "detail": str(error)}
        return (200, found) if found else (404, {"code": "no_route", "detail": "Nothing is here."})

    async def _routed(self, method: str, path: list[str], body: Json) -> Json | None:
        found: Json | None = None
        match method, path:
            case "GET", ["api", "providers"]:
                found = self.providers()
            case "GET", ["api", "providers", "health"]:
                found = {"health": await self.health()}
            case "GET", ["api", "providers", "models"]:
                found = {"models": await self.models()}
            case "GET", ["api", "providers", name, "models"]:
                found = {"models": (await self.models(name)).get(name, [])}
            case "POST", ["api", "providers", "register"]:
                found = self.register(body)
            case "POST", ["api", "providers", name, "default"]:
                self.client.set_default("text", name)
                found = {"default": name}
            case "POST", ["api", "chat", "multi"]:
                found = await self.chat(body)
        return found

    def providers(self) -> Json:
        """How the providers are, as far as calls have shown, and which is the default."""
        default = [row.name for row in self.client.registry.explain(None).winners]
        rows = {
            one.instance: attrs.asdict(one)
            for one in self.client.status()
            if one.modality == "text"
        }
        return {"default": next(iter(default), None), "providers": rows}

    async def health(self) -> dict[str, bool]:
        """Ask all providers how they are."""
        found = [one for one in await self.client.health() if one.modality == "text"]
        return {one.instance: one.state == "healthy" for one in found}

    async def models(self, name: str | None = None) -> dict[str, list[str]]:
        """Ask the providers which models of text they have."""
        found: dict[str, list[str]] = {}
        for one in (await self.client.discover(name)).models:
            if one.modality in {"text", None}:  # None: the vendor does not say
                found.setdefault(one.instance, []).append(one.model.id)
        return found

    def register(self, body: Json) -> Json:
        """Add an instance of an installed provider."""
        name, provider = str(body.get("name", "")), str(body.get("provider_type", ""))
        settings = {key: body[key] for key in SETTINGS if key in body}
        if "default_model" in body:
            settings["default_models"] = {"text": body["default_model"]}
        key = str(body["api_key"]) if body.get("api_key") else None
        url = str(body["base_url"]) if body.get("base_url") else None
        try:
            self.client.register(
                name, provider=provider, api_key=key, base_url=url, settings=settings
            )
        except errors.AnymodalError as error:
            log.warning("%r was not registered: %s", name, error)
            raise errors.InvalidRequestError(str(error), field="provider") from error
        log.info("%s was registered: %s at %s", name, provider, url or "its vendor")
        return {"registered": name}

    async def chat(self, body: Json) -> Json:
        """Answer a conversation by the provider and model named, or the default."""
        try:
            said = [(one["role"], str(one["content"])) for one in body["messages"]]
        except (KeyError, TypeError) as error:
            msg = "messages: a list of objects with role and content is needed."
            raise errors.InvalidRequestError(msg, field="messages") from error
        turns = [Message(role, content) for role, content in said if role != "system"]
        system = "\n".join(content for role, content in said if role == "system")
        model = "/".join(str(body[key]) for key in ("provider", "model") if body.get(key))
        options = {key: body[key] for key in OPTIONS if key in body}
        reply = await self.client.text.generate(
            turns, model=model or None, system=system or None, **options
        )
        return {
            "content": reply.text,
            "model": reply.record.model,
            "provider": reply.record.instance,
            "tokens_used": reply.usage.total_tokens if reply.usage else None,
            "finish_reason": reply.finish_reason,
            "latency_ms": round((reply.record.seconds or 0) * 1000),
        }


async def _body(receive: Receive) -> Json:
    """Return what was sent, an object or nothing."""
    data, is_more = b"", True
    while is_more:
        said = await receive()
        data, is_more = data + said.get("body", b""), said.get("more_body", False)
        if len(data) > LARGEST_BODY:
            msg = "body: it is too long."
            raise errors.InvalidRequestError(msg, field="body")
    try:
        found: object = json.loads(data or b"{}")
    except ValueError as error:
        msg = "body: it is no JSON."
        raise errors.InvalidRequestError(msg, field="body") from error
    if not isinstance(found, dict):
        msg = "body: an object is needed."
        raise errors.InvalidRequestError(msg, field="body")
    return found


def _status(error: errors.AnymodalError) -> int:
    """Return what HTTP says for *error*."""
    match error:
        case errors.UnknownProviderError() | errors.UnknownModelError():
            return 404
        case errors.RequestError() | errors.ConfigurationError() | errors.BadRequestError():
            return 400
        case errors.RateLimitedError() | errors.BudgetExceededError():
            return 429
        case errors.TimedOutError() | errors.DeadlineExceededError():
            return 504
    return 502
