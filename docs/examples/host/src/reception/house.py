"""What the host adds to anymodal: a provider, a name for everybody, and a wrapper."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from typing import Any

import attrs
from anymodal import (
    Finish,
    Message,
    ModelSpec,
    Query,
    TextProviderSpec,
    TextRequest,
    TextResult,
    hookimpl,
)

__all__ = ["House", "Shown"]


class Notices:
    """Answers from what hangs on the wall; it costs nothing and needs nobody."""

    def __init__(self, notices: Mapping[str, str]) -> None:
        self._notices = notices

    async def generate(self, request: TextRequest) -> TextResult:
        """Return the notice that has a word of the question."""
        asked = request.messages[-1].text.lower()
        found = [notice for word, notice in self._notices.items() if word in asked]
        return TextResult(Message.assistant(found[0] if found else "Please ask inside."), Finish())


class House:
    """
    The host's own plugin, with the same hooks as any distribution's.

    Args:
        notices: What hangs on the wall, by a word of the question.
        usual: Where the name `usual` leads, for everybody.
    """

    def __init__(self, notices: Mapping[str, str], usual: str) -> None:
        self._notices = notices
        self._usual = usual

    @hookimpl
    def anymodal_text_providers(self) -> Iterator[TextProviderSpec]:
        """Offer the notices, as a local provider."""
        yield TextProviderSpec(
            id="notices",
            display_name="Notices",
            kind="local",
            models=[ModelSpec(id="wall")],
            default_model="wall",
            connect=lambda _: Notices(self._notices),
        )

    @hookimpl
    def anymodal_resolve(self, query: Query) -> str | None:
        """Send everybody's usual name to one place."""
        return self._usual if query.name == "usual" else None


class Shown:
    """
    A wrapper around every plugin's offers of text: only these are shown.

    Args:
        providers: Ids.
    """

    def __init__(self, providers: Collection[str]) -> None:
        self._providers = providers

    @hookimpl(wrapper=True)
    def anymodal_text_providers(self) -> Generator[None, Any, list[list[TextProviderSpec]]]:
        """Leave out what is not to be shown, and put what is local first."""
        offered: Iterable[Iterable[TextProviderSpec]] = yield
        return [
            [
                attrs.evolve(one, priority=one.priority + (one.kind == "local"))
                for one in some
                if one.id in self._providers
            ]
            for some in offered
        ]
