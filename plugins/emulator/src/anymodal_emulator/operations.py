"""
What the tour asks of the providers of one modality.

A modality's own module (`text_visits`, `image_visits`, …) has a table of these,
which `tour.OPERATIONS` names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anymodal
import attrs
from anymodal.specs import ProviderSpec

from .visits import PROMPT, Visit

__all__ = ["Do", "Operation"]

Do = Callable[[anymodal.Client, Visit, str], Awaitable[None]]


@attrs.frozen
class Operation:
    """
    Something that is asked of a provider.

    Attributes:
        need: The capability that it needs; empty where none.
        do: Makes the call, with the client, the visit and the name `provider/model`, and
            notes what came back: `said`, and `artefact` with its `suffix` where it is
            more than words. What is wrong with an artefact it raises.
        prompt: The words.
        wanted: Words that the answer has to show besides the prompt.
        echoes: Whether it has to show the prompt.
        usual: Whether it is tried where a provider lists no models and does not
            say that it lacks the capability.
        only: Of which providers it is asked, by what their specs say besides.
    """

    need: str
    do: Do
    prompt: str = PROMPT
    wanted: tuple[str, ...] = ()
    echoes: bool = True
    usual: bool = False
    only: Callable[[ProviderSpec[Any]], bool] = lambda _: True

    def may(self, known: bool | None) -> bool:  # noqa: FBT001  # what `supports` gives
        """Whether it is asked of a model of which this much is *known*."""
        return known is True or (self.usual and known is None)

    def shows(self, visit: Visit) -> list[str]:
        """Return the words that the answer has to show."""
        return [*([visit.prompt] if self.echoes else []), *self.wanted]
