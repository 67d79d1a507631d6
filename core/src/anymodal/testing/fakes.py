"""
A client without vendors: everything above them is the real thing.

Facades, policy, jobs, tools and sessions are those of `Client`; below them are
providers in the process that say what a test has given them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from ..client import Client
from ..config import Settings
from ..connection import Clock, Connection
from ..errors import UnknownModelError, UnknownProviderError
from ..loops import KeptLoop
from ..modalities import BUILT_IN
from ..registry import Registry
from ..resolution import Decision, Offer
from ..resolution.best import Best
from ..resolution.facts import Facts
from ..specs import Capabilities, Credential, ProviderSpec, is_id
from ..stores import MemoryStore
from ..sync.client import SyncClient
from .clock import FakeClock
from .fake_media import FakeAudio, FakeImage, FakeVideo
from .fake_search import FakeEmbedding, FakeRetrieval
from .fake_text import FakeText
from .fake_voice import FakeRealtime, FakeSpeech, FakeTranscription
from .replies import Replies, RepliesLike, Requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..events import Observer
    from ..policies import Policy
    from ..stores import Store
    from ..way import Middleware

__all__ = ["FakeClient", "FakeSyncClient"]

FAKE: Final = "fake"
"""The provider of names that name no provider."""

ADDRESS: Final = "https://fake.invalid"
"""RFC 6761: it leads nowhere."""

_MADE_BY: Final[Mapping[str, Callable[[Replies], object]]] = {
    "text": FakeText,
    "image": FakeImage,
    "video": FakeVideo,
    "audio": FakeAudio,
    "speech": FakeSpeech,
    "transcription": FakeTranscription,
    "realtime": FakeRealtime,
    "embedding": FakeEmbedding,
    "retrieval": FakeRetrieval,
}
_ABLE: Final[Mapping[str, frozenset[str]]] = {
    "speech": frozenset({"live"}),
    "transcription": frozenset({"live"}),
    "embedding": frozenset({"dense", "sparse", "dimensions"}),
    "retrieval": frozenset({"dense", "sparse"}),
}
_DOOR: Final = re.compile(r"([a-z0-9-]+)/")

AnySpec: TypeAlias = ProviderSpec[Any]


class _Fakes:
    """The providers, one of each kind, and the ids under which they are known."""

    def __init__(self, given: Mapping[str, RepliesLike], settings: Settings) -> None:
        self.requests = Requests()
        self.replies = {name: Replies(name, some, self.requests) for name, some in given.items()}
        self._providers = {name: made(self.replies[name]) for name, made in _MADE_BY.items()}
        said = (*settings.providers.items(), *settings.instances.items())
        self._keys = frozenset(key for _, one in said for key in one.rest)
        self.ids: dict[str, None] = {FAKE: None}
        for name, one in said:
            self.know(f"{one.provider or name}/")

    def know(self, name: str) -> None:
        """Stand for the provider that *name* begins with, if it names one."""
        found = _DOOR.match(name)
        if found is not None and is_id(found[1]):
            self.ids.setdefault(found[1])

    def spec(self, name: str, modality: str) -> AnySpec:
        """Return a spec of *name*."""
        return _spec_class(modality)(
            id=name,
            display_name=f"a fake of {name}",
            connect=partial(_connected, self._providers[modality]),
            credentials=[Credential(required=False)],
            base_url=ADDRESS,
            settings=self._keys,
            capabilities=Capabilities(_ABLE.get(modality, ())),
        )


def _connected(provider: object, _connection: Connection) -> object:
    return provider


@cache
def _spec_class(modality: str) -> type[AnySpec]:
    """Return a class of specs without models, so that each is as good as listed."""
    base = next(one for one in BUILT_IN if one.name == modality).spec_class()
    return type(f"Fake{base.__name__}", (base,), {"has_models": False})


@attrs.frozen
class _FakeFacts(Facts):
    """Facts in which there is a provider of every name that was asked for."""

    fakes: _Fakes

    def claimed(self, name: str) -> bool:
        return name in self.fakes.ids

    def providers(self, modality: str | None = None) -> tuple[Offer, ...]:
        kinds = [one for one in _MADE_BY if modality in {None, one}]
        return tuple(
            offer
            for kind in kinds
            for name in self.fakes.ids
            for offer in self._doors(self.fakes.spec(name, kind), FAKE)
        )

    def _spec(self, name: str, modality: str) -> tuple[AnySpec, str]:
        provider = name
        if name in self.settings.instances:
            provider = self.settings.instances[name].provider or name
        return self.fakes.spec(provider, modality), FAKE


class FakeRegistry(Registry):
    """A registry in which everything is installed, and fake."""

    def __init__(self, settings: Settings, fakes: _Fakes, plugins: Sequence[object]) -> None:
        super().__init__(settings, plugins=plugins, distributions=())
        self._fakes = fakes

    @property
    def _facts(self) -> Facts:
        return _FakeFacts(self._plugins, self.settings, self.scope, self._fakes)

    def explain(
        self,
        name: str | Best | None,
        *,
        modality: str = "text",
        needs: Iterable[str] = (),
        action: str = "",
        voice: str = "",
    ) -> Decision:
        """Return how *name* is routed; one that nobody has goes to the provider `fake`."""
        settings = self.settings
        if isinstance(name, Best):  # there are no facts to choose by
            name = FAKE
        if not name and not voice and not settings.defaults.get(modality):
            name = FAKE
        for one in _names(name, voice, settings, modality):
            self._fakes.know(one)
        found = partial(
            super().explain, modality=modality, needs=tuple(needs), action=action, voice=voice
        )
        decision = found(name)
        if not isinstance(decision.error, UnknownModelError | UnknownProviderError):
            return decision
        return found(f"{FAKE}/{name}" if name else FAKE)


def _names(name: str | None, voice: str, settings: Settings, modality: str) -> Iterator[str]:
    """Give what the names may lead to that are looked for."""
    yield voice
    yield settings.defaults.get(modality, "")
    yield from settings.routes.get(modality, {}).values()
    if name:
        yield name
        yield from settings.aliases.get(name, ())


class FakeClient(Client):
    """
    A `Client` that gives the replies of a test, whatever model it is asked for.

    Nothing is read and nothing is reached: no file, no environment, no network, no
    installed plugin. A name such as `acme/acme-1` is served by a fake of acme's, a name
    without a provider by one called `fake`; settings, aliases, fallbacks, limits, budgets
    and retries are as real as those of `Client`. It goes by a `FakeClock`, so that waits
    end at once.

    A reply is a string, bytes, media, or whatever the table of `docs/testing.md` has for
    the kind of work; a result; an exception to be raised; or a function of the request,
    plain or async, that returns one of these. In place of a list, one function may be
    given that is asked each time. Embedding and retrieval work without replies.

    Args:
        text: Replies to conversations, in the order in which they are asked for.
        image: Pictures.
        video: Clips.
        audio: Sound.
        speech: What is to be heard.
        transcription: What was said.
        realtime: What the other side says, turn by turn.
        embedding: Vectors, in place of those that are made of the words.
        retrieval: What queries find, in place of what was kept.
        settings: As a mapping they are of the shape of the file.
        plugins: Objects with hooks of the host's own.
        policy: As for `Client`.
        observers: As for `Client`.
        middleware: As for `Client`.
        store: Where jobs and budgets are kept; by default in memory.
        clock: Where the time comes from; by default a `FakeClock` of its own.

    Attributes:
        requests: What was asked.
        clock: The clock.

    Raises:
        ConfigurationError: Replies are neither several nor a function.

    Example::

        async with FakeClient(text=["Rhine, Rhone, Po"]) as ai:
            assert "Po" in (await ai.text.generate("Three rivers?", model="acme/acme-1")).text
            assert ai.requests.text[0].messages[0].text == "Three rivers?"
    """

    def __init__(
        self,
        *,
        text: RepliesLike = None,
        image: RepliesLike = None,
        video: RepliesLike = None,
        audio: RepliesLike = None,
        speech: RepliesLike = None,
        transcription: RepliesLike = None,
        realtime: RepliesLike = None,
        embedding: RepliesLike = None,
        retrieval: RepliesLike = None,
        settings: Settings | Mapping[str, object] | None = None,
        plugins: Sequence[object] = (),
        policy: Policy | None = None,
        observers: Sequence[Observer] = (),
        middleware: Sequence[Middleware] = (),
        store: Store | None = None,
        clock: Clock | None = None,
    ) -> None:
        given = {
            "text": text, "image": image, "video": video, "audio": audio, "speech": speech,
            "transcription": transcription, "realtime": realtime, "embedding": embedding,
            "retrieval": retrieval,
        }  # fmt: skip
        if settings is None:
            settings = Settings.empty()
        elif not isinstance(settings, Settings):
            settings = Settings.from_mapping(settings, environ={})
        fakes = _Fakes(given, settings)
        self.requests: Requests = fakes.requests
        self.clock: Clock = clock or FakeClock()
        super().__init__(
            registry=FakeRegistry(settings, fakes, plugins), policy=policy, observers=observers,
            middleware=middleware, store=store or MemoryStore(), clock=self.clock,
        )  # fmt: skip
        self._way.chance = _even


def _even() -> float:
    """Return what spreads retries no way or the other."""
    return 0.5


class FakeSyncClient(SyncClient):
    """
    A `SyncClient` that gives the replies of a test; see `FakeClient`.

    Attributes:
        requests: What was asked.
        clock: The clock.
    """

    def __init__(
        self,
        *,
        text: RepliesLike = None,
        image: RepliesLike = None,
        video: RepliesLike = None,
        audio: RepliesLike = None,
        speech: RepliesLike = None,
        transcription: RepliesLike = None,
        realtime: RepliesLike = None,
        embedding: RepliesLike = None,
        retrieval: RepliesLike = None,
        settings: Settings | Mapping[str, object] | None = None,
        plugins: Sequence[object] = (),
        policy: Policy | None = None,
        observers: Sequence[Observer] = (),
        middleware: Sequence[Middleware] = (),
        store: Store | None = None,
        clock: Clock | None = None,
    ) -> None:
        client = FakeClient(
            text=text, image=image, video=video, audio=audio, speech=speech,
            transcription=transcription, realtime=realtime, embedding=embedding,
            retrieval=retrieval, settings=settings, plugins=plugins, policy=policy,
            observers=observers, middleware=middleware, store=store, clock=clock,
        )  # fmt: skip
        self.requests: Requests = client.requests
        self.clock: Clock = client.clock
        self._start(client, KeptLoop())
