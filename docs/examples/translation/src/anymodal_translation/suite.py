"""
What every provider of translation is held to.

    class TestTranslation(TranslationSuite):
        provider = "acme"

The clauses of all modalities come from `ProviderSuite`; those of this one follow here.
The emulator is expected to answer with what it was asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from anymodal import Client
from anymodal.specs import supports
from anymodal.testing import ProviderSuite
from anymodal.testing.asking import NOTHING, Way
from anymodal.testing.clauses import clause, not_applicable
from anymodal.testing.stage import Stage

from .modality import TRANSLATION
from .room import TranslationResult

__all__ = ["TranslationSuite"]

TO: Final = "de"
FROM: Final = "en"


class TranslationSuite(ProviderSuite):
    """The contract of a provider of translation."""

    modality: ClassVar[str] = "translation"
    methods: ClassVar[Sequence[Sequence[str]]] = (("translate",),)

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> TranslationResult:
        """Return the question in another language."""
        given: dict[str, Any] = {"to": TO, "source": FROM, **more}
        return await ai[TRANSLATION].translate(question, model=name, timeout=timeout, **given)

    def content(self, result: TranslationResult) -> object:
        """Return the translations."""
        return result.texts

    def refusable(self) -> Mapping[str, Way]:
        """Return what a provider may lack, with how it is asked for."""
        return {
            "detection": partial(self.ask, more={"source": None}),
            "formality": partial(self.ask, more={"formality": "formal"}),
        }

    @clause("translation.keeps-the-order", "works")
    async def test_the_order_is_kept(self, stage: Stage, ai: Client) -> None:
        """Each text has its translation, in the order of the texts."""
        alone = [(await self.ask(ai, stage.name, words)).text for words in self.questions]
        found = await ai[TRANSLATION].translate(
            self.questions, to=TO, source=FROM, model=stage.name
        )
        assert list(found.texts) == alone, (
            f"{stage.id} gave {list(found.texts)} for {list(self.questions)}, and {alone} for "
            "each alone. Answer in the order of the texts."
        )

    @clause("translation.sends-the-languages", "works", needs_vendor=True)
    async def test_the_languages_are_sent(self, stage: Stage, ai: Client) -> None:
        """The vendor is told both languages, in whatever spelling it has for them."""
        asked = {(TO, FROM), (FROM, TO)}
        bodies = set()
        for to, source in sorted(asked):
            await ai[TRANSLATION].translate("a b", to=to, source=source, model=stage.name)
            bodies.add(stage.requests[-1].body)
        assert len(bodies) == len(asked), f"{stage.id} sent the same for other languages."

    @clause("translation.finds-the-language", "complete")
    async def test_the_language_is_found_out(self, stage: Stage, ai: Client) -> None:
        """A provider that finds out the language of a text says which it is."""
        if not supports(stage.spec, stage.model_spec, "detection"):
            not_applicable(f"{stage.id} does not say that it finds out languages")
        found = await ai[TRANSLATION].translate(self.questions[0], to=TO, model=stage.name)
        assert [one.source for one in found.translations] == [FROM], (
            f"{stage.id} declares detection and says {found.translations[0].source!r} of English."
        )

    @clause("translation.tells-formality", "complete", needs_vendor=True)
    async def test_formality_is_told(self, stage: Stage, ai: Client) -> None:
        """A provider that can be told how to address the reader tells its vendor."""
        name = stage.able("formality")
        for formality in ("formal", "informal"):
            await self.ask(ai, name, self.questions[0], more={"formality": formality})
        bodies = {one.body for one in stage.requests}
        assert len(bodies) == 2, f"{stage.id} sent the same for both. Tell the vendor."
