"""Several emulators behind one port, each under the name of its provider."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, cast

from .exchange import Application, Receive, Reply, Send

if TYPE_CHECKING:
    from anymodal.specs import EmulatorSpec

__all__ = ["Prefixes"]


class Prefixes:
    """An ASGI application that hands `/openai/v1/…` as `/v1/…` to the emulator of openai."""

    def __init__(self) -> None:
        self.specs: dict[str, EmulatorSpec] = {}
        self._apps: dict[str, Application] = {}
        self._states: dict[str, dict[str, object]] = {}

    def add(self, spec: EmulatorSpec, app: Application) -> None:
        """Serve *app* under the provider's name."""
        self.specs[spec.provider] = spec
        self._apps[spec.provider] = app
        self._states[spec.provider] = {"key": spec.key}

    def settings(self, root: str) -> dict[str, dict[str, dict[str, object]]]:
        """Return settings that point at all of them, in the shape of `anymodal.toml`."""
        found: dict[str, dict[str, object]] = {}
        for provider, spec in self.specs.items():
            found[provider] = {"base_url": f"{root}/{provider}{spec.base_path}"}
            if spec.key:
                found[provider]["api_key"] = spec.key
        return {"providers": found}

    async def __call__(
        self, scope: MutableMapping[str, object], receive: Receive, send: Send
    ) -> None:
        """Answer, as ASGI has it."""
        provider, _, rest = cast("str", scope["path"]).removeprefix("/").partition("/")
        if provider in self._apps:
            inner = {
                **scope,
                "root_path": f"/{provider}",
                "path": f"/{rest}",
                "raw_path": f"/{rest}".encode(),
                "state": self._states[provider],
            }
            await self._apps[provider](inner, receive, send)
            return
        have = ", ".join(f"/{name}" for name in self.specs)
        reply = Reply.json({"error": {"message": f"nothing is here; there is {have}"}}, status=404)
        headers = [(b"content-type", b"application/json")]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})
