"""The client, without `await`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..client import Client
from ..config import Settings
from ..connection import Clock
from ..errors import ConfigurationError
from ..events import Observer
from ..loops import KeptLoop
from ..modalities import (
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
from ..policies import Policy
from ..registry import Registry
from ..scopes import Key
from ..secrets import SecretSource
from .face import HasFace

if TYPE_CHECKING:
    from types import TracebackType

    from ..discovery import Discovery
    from ..policy.standing import Health
    from ..stores import Store
    from ..way import Middleware
    from .audio import SyncAudioFacade
    from .embedding import SyncEmbeddingFacade
    from .image import SyncImageFacade
    from .jobs import SyncJobs
    from .realtime import SyncRealtimeFacade
    from .retrieval import SyncRetrievalFacade
    from .speech import SyncSpeechFacade
    from .text import SyncTextFacade
    from .transcription import SyncTranscriptionFacade
    from .video import SyncVideoFacade

__all__ = ["SyncClient"]

T = TypeVar("T")
FaceT = TypeVar("FaceT")


class SyncClient:
    """
    Calls the installed providers from plain functions: `Client` without `await`.

    One client serves any number of threads, also where an event loop is running,
    as in a notebook; that loop then waits with its caller. Ctrl-C cancels the call
    and leaves the client as it was. It opens with its first use; close it, or use
    `with`.

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

        with anymodal.SyncClient() as ai:
            reply = ai.text.generate("Name three rivers.", model="acme/acme-1")
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
        client = Client(
            settings, plugins=plugins, registry=registry, policy=policy, observers=observers,
            middleware=middleware, store=store, secrets=secrets, clock=clock,
        )  # fmt: skip
        self._start(client, KeptLoop())

    def _start(self, client: Client, loop: KeptLoop) -> None:
        self._client = client
        self._loop = loop
        self._guard = threading.Lock()
        self._faces: dict[Modality[Any], Any] = {}
        self._is_open = self._is_child = False

    @property
    def registry(self) -> Registry:
        """What is installed and configured."""
        return self._client.registry

    def __getitem__(self, modality: Modality[HasFace[FaceT]]) -> FaceT:
        """
        Return what serves *modality*: `ai[TEXT]` is `ai.text`.

        Raises:
            ConfigurationError: The modality has no facade, or none without `await`.
        """
        found: FaceT | None = self._faces.get(modality)
        if found is None:
            facade = self._opened()[modality]
            if getattr(facade, "sync_face", None) is None:
                msg = f"{modality.name} has no face without `await`; use SyncClient.run()."
                raise ConfigurationError(msg)
            found = self._faces[modality] = facade.sync_face(self._loop)
        return found

    @cached_property
    def text(self) -> SyncTextFacade:
        """Conversations in, words out."""
        return self[TEXT]

    @cached_property
    def speech(self) -> SyncSpeechFacade:
        """Text in, a voice out."""
        return self[SPEECH]

    @cached_property
    def retrieval(self) -> SyncRetrievalFacade:
        """Documents in, and out again those that are near a query."""
        return self[RETRIEVAL]

    @cached_property
    def image(self) -> SyncImageFacade:
        """Pictures from words, and from other pictures."""
        return self[IMAGE]

    @cached_property
    def video(self) -> SyncVideoFacade:
        """Clips from words and pictures, and from other clips."""
        return self[VIDEO]

    @cached_property
    def audio(self) -> SyncAudioFacade:
        """Music and effects from words, and sound made better."""
        return self[AUDIO]

    @cached_property
    def transcription(self) -> SyncTranscriptionFacade:
        """Text from speech: of files, and while somebody speaks."""
        return self[TRANSCRIPTION]

    @cached_property
    def realtime(self) -> SyncRealtimeFacade:
        """Conversations by voice, both ways at once."""
        return self[REALTIME]

    @cached_property
    def embedding(self) -> SyncEmbeddingFacade:
        """Texts in, vectors out."""
        return self[EMBEDDING]

    @property
    def jobs(self) -> SyncJobs:
        """The way back to jobs that were submitted elsewhere."""
        from .jobs import SyncJobs  # noqa: PLC0415  # few programs come back to a job

        return SyncJobs(self._opened().jobs, self._loop)

    def run(self, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        """
        Run *work* with the async client, and return what it returns.

        For what has no face without `await`: several calls at once, and modalities whose
        plugins bring none.

        Example::

            ai.run(lambda client: client[TRANSLATION].translate("Guten Tag", to="en"))
        """
        return self._loop.run(work(self._opened()))

    def warm(self, *names: str) -> None:
        """
        Connect providers before they are first called.

        Importing a vendor's SDK takes up to a second.

        Args:
            names: Providers, instances or models.

        Raises:
            AnymodalError: A name is served by nobody, or its provider cannot be
                connected.
        """
        self._loop.run(self._opened().warm(*names))

    def discover(
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
        client = self._opened()
        return self._loop.run(client.discover(provider, modality=modality, refresh=refresh))

    def status(self, provider: str | None = None) -> tuple[Health, ...]:
        """
        Return how well the providers are, as far as this client's calls have shown.

        Nothing is sent; see `Client.status`.

        Args:
            provider: Only this provider or instance, configured or not.

        Raises:
            UnknownProviderError: *provider* is none.
        """
        return self._opened().status(provider)

    def health(self, provider: str | None = None) -> tuple[Health, ...]:
        """
        Ask the providers how they are, all at once, in a way that costs nothing.

        Args:
            provider: Only this provider or instance, configured or not.

        Raises:
            UnknownProviderError: *provider* is none.
        """
        return self._loop.run(self._opened().health(provider))

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
    ) -> SyncClient:
        """
        Return a client for one tenant: the same plugins, connections of its own.

        It is open at once. It closes with this one, or alone: by `close`, or by
        being entered and left. The arguments are those of `Client.scoped`.

        Raises:
            ConfigurationError: This client is not open; an argument is wrong; or
                *settings* would send a key of this client's to another address.
        """
        client = self._opened().scoped(
            name, keys=keys, settings=settings, policy=policy, tags=tags, observers=observers,
            allow=allow,
        )  # fmt: skip
        child = SyncClient.__new__(SyncClient)
        child._start(client, self._loop)  # noqa: SLF001  # its own class
        child._is_open = child._is_child = True  # noqa: SLF001  # as above
        return child

    def register(
        self,
        name: str,
        *,
        provider: str,
        api_key: Key | None = None,
        base_url: str | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """
        Add an instance: a further door to a provider. The arguments are those of `Client.register`.

        Raises:
            UnknownProviderError: No installed plugin offers *provider*.
            ConfigurationError: There is such an instance; a key is missing; or a setting
                is wrong.
        """
        self._change(
            lambda client: client.register(
                name, provider=provider, api_key=api_key, base_url=base_url, settings=settings
            )
        )

    def unregister(self, name: str) -> None:
        """
        Take an instance that was registered away; calls under way end as they would.

        Raises:
            ConfigurationError: It was not registered.
        """
        self._change(lambda client: client.unregister(name))

    def set_default(self, modality: Modality[Any] | str, name: str | None) -> None:
        """
        Set what calls use that name no model; None is what the settings say.

        Raises:
            AnymodalError: Nobody serves *name*; the error says why and what to do.
        """
        self._change(lambda client: client.set_default(modality, name))

    def reload(self) -> None:
        """
        Read settings again where they were read from, and look again at what is installed.

        Raises:
            SettingsError: Something in the files is wrong; nothing has changed then.
            PluginError: A plugin that the settings name cannot act; likewise.
        """
        self._change(lambda client: client.reload())

    def rotate(self, *names: str) -> frozenset[str]:
        """
        Look keys up again, and use the new ones from now on; see `Client.rotate`.

        Returns:
            The instances whose keys are others than before.
        """
        return self._loop.run(self._opened().rotate(*names))

    def _change(self, change: Callable[[Client], None]) -> None:
        """Change something where calls are running, so that none sees half of it."""
        client = self._opened()

        async def changed() -> None:
            change(client)

        self._loop.run(changed())

    def close(self) -> None:
        """
        Close all connections, and leave no thread. Calls after this are refused.

        Calls of other threads that are still under way end with a ConfigurationError.
        """
        if not self._is_child:
            self._loop.close(self._client.aclose)
        elif not self._loop.is_closed:
            self._loop.run(self._client.aclose())

    def _opened(self) -> Client:
        """Return the client, entered at its first use."""
        self._loop.check_open()
        with self._guard:
            if not self._is_open:
                self._loop.run(self._client.__aenter__())
                self._is_open = True
        return self._client

    def __enter__(self) -> Self:
        self._opened()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
