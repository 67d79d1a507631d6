"""Translation: `client[TRANSLATION]`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

import attrs
from anymodal import Deadlines, Modality, Policy, Usage, Used
from anymodal.call import Call, ModelChoice
from anymodal.errors import BrokenPluginError, MalformedReplyError
from anymodal.facade import Facade
from anymodal.facades.awaiting import awaited
from anymodal.vendor_options import with_default

from .modality import TRANSLATION
from .room import (
    Formality,
    TranslationOption,
    TranslationProvider,
    TranslationRequest,
    TranslationResult,
)

if TYPE_CHECKING:
    from anymodal.doors import Door
    from anymodal.loops import KeptLoop
    from anymodal.resolution import Row

    from .sync import SyncTranslationFacade

__all__ = ["AskedTranslation", "BoundTranslation", "TranslationFacade"]


@attrs.frozen
class BoundTranslation:
    """A provider of translation, its method to be awaited."""

    translate: Callable[[TranslationRequest], Awaitable[TranslationResult]]


@attrs.frozen(kw_only=True)
class AskedTranslation:
    """What a caller asks for: the arguments of `TranslationFacade.translate`."""

    texts: str | Sequence[str]
    to: str
    source: str | None = None
    formality: Formality | None = None
    model: ModelChoice = None
    options: Sequence[TranslationOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> TranslationRequest:
        """
        Return the request for the candidate *row*, with what settings say laid under it.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
        """
        usual = cast("Formality | None", row.offer.options.get("formality"))
        return TranslationRequest(
            model=row.model,
            texts=(self.texts,) if isinstance(self.texts, str) else tuple(self.texts),
            to=self.to,
            source=self.source,
            formality=usual if self.formality is None else self.formality,
            options=with_default(row.offer.vendor_option, self.options, TranslationOption),
            end_user=self.end_user,
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
        )


class TranslationFacade(Facade[BoundTranslation]):
    """Texts in one language in, the same texts in another out."""

    modality: ClassVar[Modality[Any]] = TRANSLATION

    async def translate(
        self,
        texts: str | Sequence[str],
        *,
        to: str,
        source: str | None = None,
        formality: Formality | None = None,
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[TranslationOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> TranslationResult:
        """
        Put each text into another language.

        Args:
            texts: One or several, none of them empty.
            to: The language to translate into, by its tag, such as `de`.
            source: The language of the texts; None where the provider is to find out.
            formality: How the reader is addressed; None for the provider's own way.
            model: A name, several in order of preference, `best(...)`, or None for the
                default of the settings.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            The translations in the order of the texts, with `record`.

        Raises:
            RequestError: Nothing was sent. `index` is that of an empty text.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        call = self.call("translate", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedTranslation(
            texts=texts, to=to, source=source, formality=formality, model=model, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(_ask)

    def sync_face(self, loop: KeptLoop) -> SyncTranslationFacade:
        """Return the same without `await`."""
        from .sync import SyncTranslationFacade  # few programs need both

        return SyncTranslationFacade(self, loop)

    def bind(self, provider: TranslationProvider) -> BoundTranslation:
        """
        Return *provider* with its method to be awaited.

        Raises:
            BrokenPluginError: It does not translate.
        """
        return bind(provider)


def bind(provider: TranslationProvider) -> BoundTranslation:
    """
    Return *provider* with its method to be awaited.

    Raises:
        BrokenPluginError: It does not translate.
    """
    translate = getattr(provider, "translate", None)
    if translate is None:
        msg = f"{type(provider).__name__} has no translate()."
        raise BrokenPluginError(msg)
    return BoundTranslation(awaited(translate))


async def _ask(call: Call) -> TranslationResult:
    asked: AskedTranslation = call.asked
    found = await call.run(
        asked.model, partial(asked.request, call), _attempt,
        bind=bind, needs_of=_needs_of, weigh=_weight_of,
    )  # fmt: skip
    call.account(found.usage, found.request_id)
    call.record.raw = found.raw
    await call.settle()
    return attrs.evolve(found, record=call.record)


async def _attempt(door: Door, request: TranslationRequest) -> TranslationResult:
    found: TranslationResult = await door.bound.translate(request)
    if len(found.translations) != len(request.texts):
        msg = f"{len(request.texts)} texts have {len(found.translations)} translations."
        raise MalformedReplyError(msg)
    return found


def _needs_of(request: TranslationRequest) -> list[str]:
    found = [] if request.source else ["detection"]
    return found if request.formality is None else [*found, "formality"]


def _weight_of(request: TranslationRequest) -> Usage:
    return Usage(units=(Used("character", sum(map(len, request.texts))),))
