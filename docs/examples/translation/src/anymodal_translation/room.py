"""
Translation: texts in one language in, the same texts in another out.

Languages are named by their BCP 47 tags, such as `de` or `pt-BR`; a provider puts
them into its vendor's own.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import ClassVar, Final, Literal, Protocol, TypeAlias, get_args

import attrs
from anymodal import ProviderSpec, Record, Usage
from anymodal.errors import InvalidRequestError
from anymodal.modalities.requests import Request, VendorOption

__all__ = [
    "Formality",
    "Translates",
    "TranslatesInThreads",
    "Translation",
    "TranslationOption",
    "TranslationOptions",
    "TranslationProvider",
    "TranslationProviderSpec",
    "TranslationRequest",
    "TranslationResult",
]

Formality: TypeAlias = Literal["formal", "informal"]

TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _check_tag(field: str, found: object) -> None:
    if not isinstance(found, str) or not TAG.fullmatch(found):
        msg = f"{field}: the tag of a language is needed, such as de or pt-BR, not {found!r}."
        raise InvalidRequestError(msg, field=field)


def _check_formality(found: object) -> None:
    if found is not None and found not in get_args(Formality):
        msg = f"formality: {found!r} is neither formal nor informal."
        raise InvalidRequestError(msg, field="formality")


class TranslationOption(VendorOption):
    """Base of a plugin's own frozen options for translation; other providers ignore them."""


@attrs.frozen(kw_only=True)
class TranslationOptions:
    """What settings may ask of every call, as `[options.translation]`."""

    formality: Formality | None = None

    def __attrs_post_init__(self) -> None:
        _check_formality(self.formality)


@attrs.frozen(kw_only=True)
class TranslationRequest(Request):
    """
    What a provider of translation is asked for; see `Request` for the rest.

    Attributes:
        texts: One or more, none of them empty.
        to: The language to translate into.
        source: The language of the texts; None where the provider is to find out.
        formality: How the reader is addressed.
    """

    option_class: ClassVar[type[VendorOption]] = TranslationOption

    texts: tuple[str, ...]
    to: str
    source: str | None = None
    formality: Formality | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.texts:
            msg = "texts: at least one is needed."
            raise InvalidRequestError(msg, field="texts")
        for index, text in enumerate(self.texts):
            if not isinstance(text, str) or not text.strip():
                msg = f"texts: number {index} is empty or no text."
                error = InvalidRequestError(msg, field="texts")
                error.index = index
                raise error
        _check_tag("to", self.to)
        if self.source is not None:
            _check_tag("source", self.source)
        _check_formality(self.formality)


@attrs.frozen(kw_only=True)
class Translation:
    """
    One text in the other language.

    Attributes:
        text: The translation.
        source: The language of the original, as it was given or found out; None where
            the vendor does not say.
    """

    text: str
    source: str | None = None


@attrs.frozen(kw_only=True)
class TranslationResult:
    """
    Translations, one for each text, in the order of the texts.

    Attributes:
        translations: Them.
        usage: What the vendor counted; most bill characters.
        request_id: The vendor's id of the request.
        raw: The vendor's answer, where the request asked for it.
        record: What is known about the call. Set by the client.
    """

    translations: tuple[Translation, ...]
    usage: Usage | None = None
    request_id: str | None = None
    raw: object = attrs.field(default=None, repr=False)
    record: Record = attrs.field(default=None, eq=False, repr=False)

    @property
    def text(self) -> str:
        """The first."""
        return self.translations[0].text

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(one.text for one in self.translations)


class Translates(Protocol):
    """What a provider of translation is."""

    async def translate(self, request: TranslationRequest, /) -> TranslationResult:
        """
        Translate each text, in their order.

        Raises:
            InvalidRequestError: Something in *request* this vendor never takes.
            VendorError: It refused or failed.
        """


class TranslatesInThreads(Protocol):
    """The same written without `async`; it runs in a thread."""

    def translate(
        self, request: TranslationRequest, /
    ) -> TranslationResult | Awaitable[TranslationResult]:
        """Translate each text; see `Translates.translate`."""


TranslationProvider: TypeAlias = Translates | TranslatesInThreads


@attrs.frozen(kw_only=True)
class TranslationProviderSpec(ProviderSpec[TranslationProvider]):
    """
    A provider of translation, before anything is connected.

    The capability `detection` says that it finds out the language of a text, and
    `formality` that it can be told how to address the reader.
    """

    modality: ClassVar[str] = "translation"
