"""The client: where everything is called from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from . import errors as e
from .call import Way
from .config import Settings
from .connection import Clock
from .doors import Doors, SystemClock
from .modalities import TEXT, Modality
from .registry import Registry

if TYPE_CHECKING:
    from types import TracebackType

    from .facades.jobs import Jobs
    from .facades.text import TextFacade

__all__ = ["Client"]

FacadeT = TypeVar("FacadeT")


class Client:
    """
    Calls the installed providers. Enter it once and keep it.

    It belongs to the event loop that entered it. Two clients with different
    settings live side by side.

    Args:
        settings: By default what the files and the environment say.
        plugins: Objects with hooks of the host's own.
        registry: What is installed, to share among clients; it then brings the
            settings and the plugins.
        clock: Where the time comes from; for tests.

    Example::

        async with anymodal.Client() as ai:
            reply = await ai.text.generate("Name three rivers.", model="acme/acme-1")
            print(reply.text)
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        plugins: Sequence[object] = (),
        registry: Registry | None = None,
        clock: Clock | None = None,
    ) -> None:
        if registry is not None and (settings is not None or plugins):
            msg = "A registry brings its own settings and plugins: pass these to it."
            raise e.ConfigurationError(msg)
        self.registry = registry or Registry(settings, plugins=plugins)
        ticking = clock or SystemClock()
        doors = Doors(self.registry.settings, ticking)
        doors.is_open = False  # until the client is entered
        self._way = Way(self.registry, doors, ticking)
        self._facades: dict[Modality[Any], Any] = {}

    def __getitem__(self, modality: Modality[FacadeT]) -> FacadeT:
        """
        Return what serves *modality*: `ai[TEXT]` is `ai.text`.

        Raises:
            ConfigurationError: The modality has no facade.
        """
        facade: FacadeT | None = self._facades.get(modality)
        if facade is None:
            if not modality.facade:
                msg = (
                    f"{modality.name} has no facade yet; its providers are in registry.providers()."
                )
                raise e.ConfigurationError(msg)
            cls: Any = modality.facade_class()
            facade = self._facades[modality] = cls(self._way)
        return facade

    @property
    def text(self) -> TextFacade:
        """Conversations in, words out."""
        return self[TEXT]

    @property
    def jobs(self) -> Jobs:
        """The way back to jobs that were submitted elsewhere."""
        from .facades.jobs import Jobs  # noqa: PLC0415  # few programs come back to a job

        return Jobs(self)

    async def warm(self, *names: str) -> None:
        """
        Connect providers before they are first called.

        Importing a vendor's SDK takes up to a second.

        Args:
            names: Providers, instances or models.

        Raises:
            AnymodalError: A name is served by nobody, or its provider cannot be
                connected.
        """
        for name in names:
            for modality, decision in self.registry.served(name):
                if modality.facade:
                    for row in decision.winners:
                        await self._way.doors.open(row.offer, self[modality].bind)

    def reload(self) -> None:
        """Look again at what is installed; open connections stay open."""
        self.registry.reload()
        self._way.forget()

    async def aclose(self) -> None:
        """Close all connections. Calls after this are refused."""
        await self._way.doors.aclose()

    async def __aenter__(self) -> Self:
        if self._way.doors.is_open:
            msg = "The client is open already: enter it once, and share it."
            raise e.ConfigurationError(msg)
        self._way.doors.is_open = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
