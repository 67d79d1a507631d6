"""What a plugin says of a provider, as data: printable, comparable, free of vendor code."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Literal, TypeAlias, TypeVar

import attrs

from .comparing import Compared
from .errors import VendorError
from .places import class_at, class_or_place
from .pricing import Prices

if TYPE_CHECKING:
    from .connection import Connection

__all__ = [
    "Capabilities",
    "CommandSpec",
    "Credential",
    "Deadlines",
    "EmulatorSpec",
    "Lifecycle",
    "ModelSpec",
    "ProviderSpec",
    "Secret",
    "supports",
]

ItemT = TypeVar("ItemT")
ProviderT = TypeVar("ProviderT")
ErrorRefinement: TypeAlias = Callable[[int, Mapping[str, str], object], type[VendorError] | None]

ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""Ids of providers, instances and plugins: lower-case words joined by hyphens."""


def is_id(text: str) -> bool:
    """Whether *text* may name a provider, an instance or a plugin."""
    return ID.fullmatch(text) is not None


def names(found: Iterable[str]) -> frozenset[str]:
    """Return *found* as a set that does not change."""
    return frozenset(found)


def words(found: Iterable[str]) -> tuple[str, ...]:
    """Return *found* as a tuple; one string alone is most likely a mistake."""
    if isinstance(found, str):
        msg = f"a list of strings is needed, not the string {found!r}"
        raise TypeError(msg)
    given = tuple(found)
    if not all(isinstance(word, str) for word in given):
        msg = "a list of strings is needed"
        raise TypeError(msg)
    return given


def _id(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not is_id(value):
        msg = f"{attribute.name}: {value!r} is not lower-case words joined by hyphens"
        raise ValueError(msg)


_A_STRING: Final = attrs.validators.instance_of(str)
_A_STRING_OR_NONE: Final = attrs.validators.instance_of((str, NoneType))
_A_NUMBER: Final = attrs.validators.instance_of(int)
_A_NUMBER_OR_NONE: Final = attrs.validators.instance_of((int, NoneType))
"""Specs are strangers' data: what has a wrong type is refused here, and harms no listing."""


@attrs.frozen(repr=False)
class Secret:
    """A value that does not print. `reveal()` gives it."""

    _value: str

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


@attrs.frozen
class Capabilities:
    """
    What is known of abilities: yes, no, or unknown for the names in neither set.

    Only a known no refuses a request.
    """

    yes: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    no: frozenset[str] = attrs.field(default=frozenset(), converter=names)

    def __attrs_post_init__(self) -> None:
        if both := self.yes & self.no:
            msg = f"capabilities: both yes and no: {', '.join(sorted(both))}"
            raise ValueError(msg)

    def get(self, name: str) -> bool | None:
        """Return True, False, or None for unknown."""
        if name in self.yes:
            return True
        return False if name in self.no else None

    def over(self, other: Capabilities) -> Capabilities:
        """Return what is known here, and else what *other* knows."""
        return Capabilities(self.yes | (other.yes - self.no), self.no | (other.no - self.yes))


@attrs.frozen(kw_only=True)
class Credential:
    """
    A secret that a provider needs.

    Args:
        name: Its key in settings, such as `api_key`.
        env: Environment variables that may hold it, the vendor's own first.
        required: Whether the provider is useless without it.
    """

    name: str = attrs.field(default="api_key", validator=_A_STRING)
    env: tuple[str, ...] = attrs.field(default=(), converter=words)
    required: bool = True


@attrs.frozen(kw_only=True)
class Deadlines:
    """
    How long things may take, in seconds; `None` is for ever.

    Args:
        total: The whole call, all attempts included.
        connect: Making a connection.
        first: Until the first event of an attempt.
        between: From one event to the next. Comments and pings do not count.
    """

    total: float | None = 600.0
    connect: float | None = 10.0
    first: float | None = 300.0
    between: float | None = 120.0

    def __attrs_post_init__(self) -> None:
        for name in ("total", "connect", "first", "between"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and value > 0):
                msg = f"timeout: {name} is a number of seconds above 0, not {value!r}"
                raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Lifecycle:
    """
    Where a model stands in its life.

    Args:
        state: `active`, `deprecated` (still served) or `retired` (refused).
        retires_on: The day it stops, or stopped, being served.
        replacement: Model id that the vendor names instead.
    """

    state: Literal["active", "deprecated", "retired"] = attrs.field(
        default="active",
        validator=attrs.validators.in_(("active", "deprecated", "retired")),
    )
    retires_on: dt.date | None = None
    replacement: str | None = None


ACTIVE: Final = Lifecycle()


@attrs.frozen(kw_only=True)
class ModelSpec:
    """
    A model that a provider offers.

    Args:
        id: The vendor's own id.
        aliases: Other names that mean the same model.
        capabilities: Known abilities; they win over the provider's.
        context_tokens: Longest prompt, in the vendor's tokens.
        max_output_tokens: Longest answer, in the vendor's tokens.
        prices: What it costs; `None` is unknown.
        batch_prices: What it costs in a batch; `None` is unknown.
        lifecycle: Active, deprecated or retired.
        temperature_max: Highest temperature it takes; `None` is unknown.
        api: Which of the vendor's protocols serves it, where there are several.
        listed: Whether it stands in the plugin's table. A name outside the
            table is sent as it is.
        source: Page that these facts are from.
    """

    id: str = attrs.field(validator=(_A_STRING, attrs.validators.min_len(1)))
    aliases: tuple[str, ...] = attrs.field(default=(), converter=words)
    capabilities: Capabilities = attrs.field(
        default=Capabilities(), validator=attrs.validators.instance_of(Capabilities)
    )
    context_tokens: int | None = attrs.field(default=None, validator=_A_NUMBER_OR_NONE)
    max_output_tokens: int | None = attrs.field(default=None, validator=_A_NUMBER_OR_NONE)
    prices: Prices | None = attrs.field(
        default=None, validator=attrs.validators.instance_of((Prices, NoneType))
    )
    batch_prices: Prices | None = attrs.field(
        default=None, validator=attrs.validators.instance_of((Prices, NoneType))
    )
    lifecycle: Lifecycle = attrs.field(
        default=ACTIVE, validator=attrs.validators.instance_of(Lifecycle)
    )
    api: str = attrs.field(default="", validator=_A_STRING)
    listed: bool = True
    source: str = attrs.field(default="", validator=_A_STRING)
    temperature_max: float | None = attrs.field(
        default=None, validator=attrs.validators.instance_of((int, float, NoneType))
    )


def _credentials(found: Iterable[Credential]) -> tuple[Credential, ...]:
    return _all(Credential, found)


def _models(found: Iterable[ModelSpec]) -> tuple[ModelSpec, ...]:
    return _all(ModelSpec, found)


def _all(cls: type[ItemT], found: Iterable[ItemT]) -> tuple[ItemT, ...]:
    given = tuple(found)
    for item in given:
        if not isinstance(item, cls):
            msg = f"a list of {cls.__name__} is needed, and {type(item).__name__} is in it"
            raise TypeError(msg)
    return given


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ProviderSpec(Compared, Generic[ProviderT]):
    """
    A provider of one modality, before anything is connected.

    Each modality has its own subclass, which names the modality.

    Args:
        id: One of the entry-point names of the plugin's distribution.
        display_name: For people.
        kind: `remote`, or `local` where no request leaves the machine.
        docs: The vendor's documentation.
        connect: A module-level function that imports the SDK, does no I/O and
            returns the provider. Run once, in a worker thread.
        credentials: The secrets it needs. It is given no others.
        base_url: What the vendor's SDK would be given; `None` where the user
            has to say.
        url_env: Environment variables that may name another base URL, for services
            that people run themselves.
        deadlines: Default timeouts.
        requests_per_minute: The vendor's limit, where there is a general one.
        concurrency: Calls at once, where the vendor limits them.
        priority: Orders listings, highest first; routes nothing.
        flag: Feature flag; the id's own where empty.
        capabilities: What is true of every model, unless the model says otherwise.
        backends: Event loops it runs on.
        models: The models known.
        patterns: Globs of further model ids.
        default_model: Used where the caller names none.
        settings: Keys of its own that an instance's settings may have, beside
            the credentials' names and the keys that every instance has.
        former_ids: Ids that it used to have and still answers to; like its id they
            are names of entry points.
        options: Class of the vendor's own options, a frozen attrs class whose fields all
            have defaults, or `module:Class` of it, which spares listings its making; with
            it, settings may give them. None where there are none.
        errors: Refines the table of HTTP statuses: takes status, headers and
            body, returns the class to raise, or None for the table's.
    """

    modality: ClassVar[str] = ""
    has_models: ClassVar[bool] = True
    """Whether its providers have models to choose from; a store has none."""

    id: str = attrs.field(validator=_id)
    display_name: str = attrs.field(validator=_A_STRING)
    kind: Literal["remote", "local"] = attrs.field(
        default="remote", validator=attrs.validators.in_(("remote", "local"))
    )
    docs: str = attrs.field(default="", validator=_A_STRING)
    connect: Callable[[Connection], ProviderT] = attrs.field(
        repr=False, validator=attrs.validators.is_callable()
    )
    credentials: tuple[Credential, ...] = attrs.field(default=(), converter=_credentials)
    base_url: str | None = attrs.field(default=None, validator=_A_STRING_OR_NONE)
    url_env: tuple[str, ...] = attrs.field(default=(), converter=words)
    deadlines: Deadlines = attrs.field(
        default=Deadlines(), validator=attrs.validators.instance_of(Deadlines)
    )
    requests_per_minute: int | None = attrs.field(default=None, validator=_A_NUMBER_OR_NONE)
    concurrency: int | None = attrs.field(default=None, validator=_A_NUMBER_OR_NONE)
    priority: int = attrs.field(default=0, validator=_A_NUMBER)
    flag: str = attrs.field(default="", validator=_A_STRING)
    capabilities: Capabilities = attrs.field(
        default=Capabilities(), validator=attrs.validators.instance_of(Capabilities)
    )
    backends: frozenset[str] = attrs.field(default=frozenset({"asyncio", "trio"}), converter=names)
    models: tuple[ModelSpec, ...] = attrs.field(
        default=(), converter=_models, repr=lambda found: f"{len(found)} models"
    )
    patterns: tuple[str, ...] = attrs.field(default=(), converter=words)
    default_model: str | None = attrs.field(default=None, validator=_A_STRING_OR_NONE)
    settings: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    former_ids: tuple[str, ...] = attrs.field(default=(), converter=words)
    options: type | str | None = attrs.field(default=None, validator=class_or_place)
    errors: ErrorRefinement | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if not type(self).modality:
            msg = f"{self.id}: use the spec class of a modality, not ProviderSpec"
            raise TypeError(msg)
        names: set[str] = set()
        for model in self.models:
            for name in (model.id, *model.aliases):
                if name in names:
                    msg = f"{self.id}: two models are called {name!r}"
                    raise ValueError(msg)
                names.add(name)

    def goes_by(self, name: str) -> bool:
        """Whether *name* is its id, or was."""
        return name == self.id or name in self.former_ids

    def options_class(self) -> type | None:
        """
        Return the class of the vendor's own options, imported if only its place is said.

        Raises:
            BrokenPluginError: There is no such class.
        """
        return class_at(self.options, self.id) if isinstance(self.options, str) else self.options

    def model(self, name: str) -> ModelSpec | None:
        """Return the model called *name*, by id or alias."""
        for model in self.models:
            if name == model.id or name in model.aliases:
                return model
        return None


def supports(provider: ProviderSpec[ProviderT], model: ModelSpec, capability: str) -> bool | None:
    """Return what is known: the model's word, else the provider's, else None."""
    known = model.capabilities.get(capability)
    return provider.capabilities.get(capability) if known is None else known


@attrs.frozen(kw_only=True)
class EmulatorSpec:
    """
    A module that speaks a provider's wire protocol on loopback.

    Args:
        provider: Id of the provider it stands in for.
        app: `module:app` of an ASGI application, imported only when served.
        key: A key it accepts, shaped like the vendor's; empty where none is needed.
        base_path: What follows the host in the provider's base URL, such as `/v1`.
    """

    provider: str = attrs.field(validator=_id)
    app: str = attrs.field(validator=attrs.validators.matches_re(r"[\w.]+:\w+"))
    key: str = attrs.field(default="", repr=False)
    base_path: str = ""


@attrs.frozen(kw_only=True)
class CommandSpec:
    """
    A sub-command of `anymodal`.

    Args:
        name: The word on the command line.
        help: One line for `anymodal --help`.
        run: A module-level function that takes the words after the name and
            returns the exit status. It imports what it needs in its body.
    """

    name: str = attrs.field(validator=_id)
    help: str
    run: Callable[[Sequence[str]], int] = attrs.field(
        repr=False, validator=attrs.validators.is_callable()
    )
