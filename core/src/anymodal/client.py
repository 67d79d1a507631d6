"""The client: where everything is called from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from . import errors as e
from .changes import Changeable
from .config import Settings
from .connection import Clock
from .doors import Doors, SystemClock
from .events import Observer
from .modalities import (
    AUDIO,
    EMBEDDING,
    IMAGE,
    REALTIME,
    RETRIEVAL,
    SPEECH,
    TEXT,
    TRANSCRIPTION,
    VIDEO,
    Modality,
)
from .policies import Policy
from .registry import Registry
from .resolution import Offer
from .scopes import Key, narrowed
from .secrets import SecretSource
from .storage import Storage
from .way import Middleware, Way

if TYPE_CHECKING:
    from types import TracebackType

    from .discovery import Discovery
    from .facades.audio import AudioFacade
    from .facades.embedding import EmbeddingFacade
    from .facades.image import ImageFacade
    from .facades.jobs import Jobs
    from .facades.realtime import RealtimeFacade
    from .facades.retrieval import RetrievalFacade
    from .facades.speech import SpeechFacade
    from .facades.text import TextFacade
    from .facades.transcription import TranscriptionFacade
    from .facades.video import VideoFacade
    from .policy.standing import Health
    from .stores import Store

__all__ = ["Client"]

FacadeT = TypeVar("FacadeT")


class Client(Changeable):
    """
    Calls the installed providers. Enter it once and keep it.

    It belongs to the event loop that entered it. Two clients with different
    settings live side by side.

    Args:
        settings: By default what the files and the environment say.
        plugins: Objects with hooks of the host's own.
        registry: What is installed, to share among clients; it then brings the
            settings and the plugins.
        policy: What to do about failures, limits and money, over what the settings
            say for all; what they say for an instance or a modality goes before it.
        observers: Told of every call, after those that the settings name.
        middleware: Around every call, within that which the settings name.
        store: Where jobs, budgets and limits are kept; by default a file of the
            user's, or what the settings say. It closes with the client.
        secrets: Places where keys are kept, before those that the settings name.
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
        policy: Policy | None = None,
        observers: Sequence[Observer] = (),
        middleware: Sequence[Middleware] = (),
        store: Store | None = None,
        secrets: Sequence[SecretSource] = (),
        clock: Clock | None = None,
    ) -> None:
        if registry is not None and (settings is not None or plugins):
            msg = "A registry brings its own settings and plugins: pass these to it."
            raise e.ConfigurationError(msg)
        self.registry = registry or Registry(settings, plugins=plugins)
        ticking = clock or SystemClock()
        doors = Doors(self.registry.settings, ticking, self.registry.scope)
        doors.is_open = False  # until the client is entered
        self._storage = Storage(self.registry, store)
        self._way = Way(
            self.registry, doors, ticking, policy=policy, observers=observers,
            middleware=middleware, store=lambda: self._storage.store,
        )  # fmt: skip
        super().__init__(self.registry, self._way, secrets)
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
    def image(self) -> ImageFacade:
        """Pictures from words, and from other pictures."""
        return self[IMAGE]

    @property
    def video(self) -> VideoFacade:
        """Clips from words and pictures, and from other clips."""
        return self[VIDEO]

    @property
    def audio(self) -> AudioFacade:
        """Music and effects from words, and sound made better."""
        return self[AUDIO]

    @property
    def transcription(self) -> TranscriptionFacade:
        """Text from speech: of files, and while somebody speaks."""
        return self[TRANSCRIPTION]

    @property
    def realtime(self) -> RealtimeFacade:
        """Conversations by voice, both ways at once."""
        return self[REALTIME]

    @property
    def embedding(self) -> EmbeddingFacade:
        """Texts in, vectors out."""
        return self[EMBEDDING]

    @property
    def retrieval(self) -> RetrievalFacade:
        """Documents in, and out again those that are near a query."""
        return self[RETRIEVAL]

    @property
    def speech(self) -> SpeechFacade:
        """Text in, a voice out."""
        return self[SPEECH]

    @property
    def jobs(self) -> Jobs:
        """The way back to jobs that were submitted elsewhere."""
        from .facades.jobs import Jobs  # noqa: PLC0415  # few programs come back to a job

        return Jobs(self, self._way.jobs)

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

    async def discover(
        self, provider: str | None = None, *, modality: str | None = None, refresh: bool = False
    ) -> Discovery:
        """
        Ask the providers which models they have now.

        What they say is kept in the user's cache folder, and found there the next
        time. All are asked at once; one that fails harms no other.

        Args:
            provider: Only this provider, or this instance.
            modality: Only models for this kind of work.
            refresh: Ask again also where something is kept.

        Raises:
            UnknownProviderError: *provider* is none.
        """
        from .discovery import discovered  # noqa: PLC0415  # few programs look around

        doors = self._way.doors
        doors.check_open()
        return await discovered(
            self.registry, doors, self._bind_of, provider, modality=modality, refresh=refresh
        )

    def _bind_of(self, offer: Offer) -> Callable[[Any], object]:
        kinds = {one.name: one for one in self.registry.modalities()}
        kind = kinds[offer.spec.modality]
        return self[kind].bind if kind.facade else _itself

    def status(self, provider: str | None = None) -> tuple[Health, ...]:
        """
        Return how well the providers are, as far as this client's calls have shown.

        Nothing is sent. Providers without a key are among them only where settings
        speak of them.

        Args:
            provider: Only this provider or instance, configured or not.

        Raises:
            UnknownProviderError: *provider* is none.
        """
        from .checkup import seen  # noqa: PLC0415  # few programs look

        return seen(self._way, provider)

    async def health(self, provider: str | None = None) -> tuple[Health, ...]:
        """
        Ask the providers how they are, all at once, in a way that costs nothing.

        What comes of it counts for their circuits like a call.

        Args:
            provider: Only this provider or instance, configured or not.

        Raises:
            UnknownProviderError: *provider* is none.
            ConfigurationError: The client is not open.
        """
        from .checkup import asked  # noqa: PLC0415  # as above

        self._way.doors.check_open()
        return await asked(self._way, self._bind_of, provider)

    def scoped(
        self,
        name: str,
        *,
        keys: Mapping[str, Key | Mapping[str, Key]] | None = None,
        settings: Mapping[str, object] | None = None,
        policy: Policy | None = None,
        tags: Mapping[str, str] | None = None,
        observers: Sequence[Observer] = (),
        allow: Iterable[str] | None = None,
    ) -> Client:
        """
        Return a client for one tenant: the same plugins, connections of its own.

        It is open at once. It closes with this one, or alone: by `aclose`, or by
        being entered and left.

        Args:
            name: Of the tenant, for `Record.scope`.
            keys: By provider or instance, its `api_key` or several credentials by
                name: a string, a `Secret`, or an async function. A string is the key
                itself and never refers to one. Given, though empty, they and those in
                *settings* are the only ones; no key of this client or of the
                environment is used. None leaves this client's in use.
            settings: In the shape of the file; laid over this client's.
            policy: Over this client's. Limits and circuits are the tenant's own; its
                budgets come on top of this client's, under which its calls stay.
            tags: Added to those of every call.
            observers: Told of its calls, after those of this client.
            allow: The only ones that it may use, as patterns: `work` and `w*` are
                instances, or providers by their ids; `work/*-mini` are models. None
                is all that this client may use.

        Raises:
            ConfigurationError: This client is not open; an argument is wrong; or
                *settings* would send a key of this client's to another address.
        """
        doors, registry = self._way.doors, self.registry
        doors.check_open()
        narrow_down = partial(
            narrowed, name=name, keys=keys, over=settings or {}, tags=tags or {},
            allow=allow if allow is None or isinstance(allow, str) else tuple(allow),
        )  # fmt: skip
        narrow, scope = narrow_down(registry.settings, registry.scope)
        child = Client(
            registry=registry.under(narrow, scope), clock=self._way.clock, policy=policy,
            observers=observers,
        )  # fmt: skip
        child._storage = self._storage
        child._way.doors.tls = doors.tls
        child._narrowed = narrow_down
        child._way.descend(self._way)
        child._engage(self)
        child._way.doors.is_open = True
        child._parent = self
        self._children.add(child)
        return child

    async def aclose(self) -> None:
        """Close all connections, those of scoped clients too. Calls after this are refused."""
        self._is_entered = self._way.doors.is_open = False
        if self._parent is not None:
            self._parent._children.discard(self)  # noqa: SLF001  # as above
        async with AsyncExitStack() as stack:
            if self._parent is None:
                stack.push_async_callback(self._storage.aclose)
            stack.push_async_callback(self._way.doors.aclose)
            for child in tuple(self._children):
                stack.push_async_callback(child.aclose)

    async def __aenter__(self) -> Self:
        if self._is_entered:
            msg = "The client is open already: enter it once, and share it."
            raise e.ConfigurationError(msg)
        if self._parent is not None:
            self._parent._way.doors.check_open()  # noqa: SLF001  # as above
            self._parent._children.add(self)  # noqa: SLF001  # as above
        self._engage(self._parent)
        self._is_entered = self._way.doors.is_open = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _itself(provider: Any) -> object:
    return provider
