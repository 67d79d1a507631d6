"""An ASGI application that serves several tenants through one client."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

import pluggy
from anymodal import Budget, Client, Policy, errors
from anymodal.events import CallEnded, Event

from .tenants import tenants_of

__all__ = ["Reception"]

Json: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY: Final = 100_000
STATUSES: Final[tuple[tuple[type[errors.AnymodalError], int], ...]] = (
    (errors.BudgetExceededError, 402),
    (errors.MissingCredentialsError, 403),
    (errors.UnknownProviderError, 404),
    (errors.UnknownModelError, 404),
    (errors.RequestError, 400),
    (errors.ConfigurationError, 403),
    (errors.RateLimitedError, 429),
)


class Bill:
    """An observer: what each tenant has spent."""

    def __init__(self) -> None:
        self.usd: dict[str, Decimal] = defaultdict(Decimal)
        self.calls: dict[str, int] = defaultdict(int)

    def on_event(self, event: Event) -> None:
        """Count a call that has ended."""
        if isinstance(event, CallEnded):
            self.calls[event.record.scope] += 1
            self.usd[event.record.scope] += event.record.cost.usd or 0


class Reception:
    """
    Serves the tenants whom plugins of the host's name.

    Args:
        client: It is opened and closed with the server. Give it `plugins=[House(…)]`.
        manager: The host's own, from `tenancy`.
    """

    def __init__(self, client: Client, manager: pluggy.PluginManager) -> None:
        self.client = client
        self.bill = Bill()
        self._manager = manager
        self._served: dict[str, Client] = {}

    def open(self) -> None:
        """Make a client for each tenant: its own keys, budget, tags and models; one registry."""
        for token, tenant in tenants_of(self._manager).items():
            self._served[token] = self.client.scoped(
                tenant.name,
                keys=tenant.keys,
                policy=Policy(budgets=[Budget(usd=tenant.usd, unknown="allow")]),
                tags={"plan": tenant.plan},
                observers=[self.bill],
                allow=tenant.allow,
            )

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the server."""
        if scope["type"] == "lifespan":
            await receive()
            async with self.client:
                self.open()
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "http":
            status, found = await self._answer(scope, receive)
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(found).encode()})

    async def _answer(self, scope: Json, receive: Receive) -> tuple[int, Json]:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        token = headers.get(b"authorization", "").removeprefix("Bearer ")
        tenant = self._served.get(token)
        if tenant is None:
            return 401, {"code": "unknown_tenant"}
        try:
            match scope["method"], scope["path"]:
                case "POST", "/ask":
                    return 200, await self.ask(tenant, await _body(receive))
                case "GET", "/offers":
                    return 200, {"providers": self.offers(tenant)}
                case "GET", "/bill":
                    return 200, self.billed(tenant)
        except errors.AnymodalError as error:
            return _status(error), {"code": error.code, "detail": str(error)}
        return 404, {"code": "no_route"}

    async def ask(self, tenant: Client, body: Json) -> Json:
        """Answer by the model named, or by everybody's usual one."""
        reply = await tenant.text.generate(
            str(body.get("prompt", "")), model=str(body.get("model") or "usual")
        )
        return {"text": reply.text, "by": f"{reply.record.instance}/{reply.record.model}"}

    def offers(self, tenant: Client) -> Json:
        """Return what there is, straight from the hooks, and whether *tenant* may use it."""
        hook = tenant.registry.manager.hook
        return {
            one.id: tenant.registry.explain(one.id).error is None
            for some in hook.anymodal_text_providers()
            for one in some
        }

    def billed(self, tenant: Client) -> Json:
        """Return what *tenant* has spent."""
        name = tenant.registry.scope.name
        return {"tenant": name, "calls": self.bill.calls[name], "usd": str(self.bill.usd[name])}


async def _body(receive: Receive) -> Json:
    data, is_more = b"", True
    while is_more and len(data) <= LARGEST_BODY:
        said = await receive()
        data, is_more = data + said.get("body", b""), said.get("more_body", False)
    try:
        found = json.loads(data) if len(data) <= LARGEST_BODY else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        msg = "body: a JSON object is needed, and no long one."
        raise errors.InvalidRequestError(msg, field="body")
    return found


def _status(error: errors.AnymodalError) -> int:
    """Return what HTTP says for *error*."""
    return next((status for cls, status in STATUSES if isinstance(error, cls)), 502)
