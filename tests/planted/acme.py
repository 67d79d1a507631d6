"""Acme, a good provider of text: what is planted is a change of one thing in it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from anymodal import hookimpl, streaming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anymodal import Connection, EmulatorSpec, TextProviderSpec, TextRequest, TextResult
    from anymodal.modalities.text import TextEvent

PAGE = "https://acme.example/models"
KEY = "sk-acme-0123456789abcdef"
ABLE = "function_calling structured_output reasoning citations web_search batch streaming"
INPUTS = "image_input file_input audio_input video_input"


class Acme:
    """Acme's models, by the shared protocol. What a fault changes is a method of its own."""

    def __init__(self, connection: Connection) -> None:
        from anymodal.media import Video
        from anymodal_openai_compatible import Quirks, batching_text

        self.connection = connection
        self.inner = batching_text(
            connection,
            Quirks(
                web_search={"web_search_options": {}},
                media_forms={Video: lambda clip: {
                    "type": "video_url", "video_url": {"url": clip.to_data_uri()},
                }},
                dropped={"top_p": "acme has none"},
            ),
        )  # fmt: skip
        self.submit_batch = self.inner.submit_batch
        self.poll_batch = self.inner.poll_batch
        self.fetch_batch = self.inner.fetch_batch
        self.cancel_batch = self.inner.cancel_batch

    @streaming
    async def stream(self, request: TextRequest) -> AsyncIterator[TextEvent]:
        async with self.inner.stream(self.sent(request)) as events:
            async for event in events:
                for one in self.told(event):
                    yield one

    async def generate(self, request: TextRequest) -> TextResult:
        return self.answered(await self.inner.generate(self.sent(request)))

    async def list_models(self):
        return await self.inner.list_models()

    def sent(self, request: TextRequest) -> TextRequest:
        """Return what goes out."""
        return request

    def told(self, event: TextEvent) -> list[TextEvent]:
        """Return what comes of an event."""
        return [event]

    def answered(self, result: TextResult) -> TextResult:
        """Return what comes of an answer."""
        return result


def spec(connect: Callable[[Connection], object] = Acme, **changes: object) -> TextProviderSpec:
    """Return the spec of Acme, changed."""
    from anymodal import (
        Capabilities,
        Credential,
        Lifecycle,
        ModelSpec,
        Price,
        Prices,
        TextProviderSpec,
    )

    prices = Prices(
        [Price("input_token", "1"), Price("output_token", "2")], PAGE, dt.date(2026, 11, 2)
    )
    able = Capabilities(yes=f"{ABLE} {INPUTS}".split(), no={"audio_output"})
    fields = {
        "id": "acme",
        "display_name": "Acme",
        "docs": PAGE,
        "base_url": "https://api.acme.example/v1",
        "credentials": [Credential(env=["ACME_API_KEY"])],
        "capabilities": Capabilities(yes={"streaming"}, no={"audio_output"}),
        "models": [
            ModelSpec(id="acme-2", capabilities=able, context_tokens=64_000, prices=prices, source=PAGE),
            ModelSpec(id="acme-1", lifecycle=Lifecycle(state="retired", replacement="acme-2")),
            ModelSpec(id="acme-0", capabilities=Capabilities(no={"image_input"}), source=PAGE),
        ],
        "default_model": "acme-2",
        "errors": refined,
        "connect": connect,
    }  # fmt: skip
    return TextProviderSpec(**{**fields, **changes})


def refined(status, headers, body):
    """Return what Acme's own codes mean, which are those of the shared protocol."""
    from anymodal_openai_compatible import Quirks

    return Quirks().refine(status, headers, body)


class Plugin:
    """The hooks, as a module would have them."""

    def __init__(self, made: Callable[[], TextProviderSpec] = spec) -> None:
        self.made = made

    @hookimpl
    def anymodal_text_providers(self) -> list[TextProviderSpec]:
        return [self.made()]

    @hookimpl
    def anymodal_emulators(self) -> list[EmulatorSpec]:
        from anymodal import EmulatorSpec

        return [
            EmulatorSpec(provider=self.made().id, app="acme_emulator:app", key=KEY, base_path="/v1")
        ]
