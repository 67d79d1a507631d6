"""A modality from outside is as typed as the nine; for type checkers alone, nothing here is run."""

from __future__ import annotations

from typing import assert_type

from anymodal import TEXT, Client, SyncClient
from anymodal.facades.text import TextFacade
from anymodal.sync.text import SyncTextFacade
from anymodal_translation import (
    TRANSLATION,
    SyncTranslationFacade,
    Translation,
    TranslationFacade,
    TranslationResult,
)


async def calls(ai: Client) -> None:
    """By its key, without a cast or an `Any`."""
    assert_type(ai[TRANSLATION], TranslationFacade)
    found = await ai[TRANSLATION].translate(["Good morning."], to="de", formality="formal")
    assert_type(found, TranslationResult)
    assert_type(found.text, str)
    assert_type(found.texts, tuple[str, ...])
    assert_type(found.translations, tuple[Translation, ...])
    assert_type(found.translations[0].source, str | None)
    tenant = ai.scoped("tenant")
    assert_type((await tenant[TRANSLATION].translate("Thank you.", to="fr")).text, str)


def calls_without_await(ai: SyncClient) -> None:
    """By the same key."""
    assert_type(ai[TRANSLATION], SyncTranslationFacade)
    assert_type(ai[TRANSLATION].translate("Good morning.", to="de"), TranslationResult)
    assert_type(ai.run(lambda one: one[TRANSLATION].translate("a", to="de")), TranslationResult)


async def the_nine_go_the_same_way(ai: Client, sync: SyncClient) -> None:
    """`ai.text` is `ai[TEXT]`."""
    assert_type(ai[TEXT], TextFacade)
    assert_type(sync[TEXT], SyncTextFacade)
