"""Translation, without `await`: `sync_client[TRANSLATION]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anymodal import Deadlines, Policy
from anymodal.call import ModelChoice
from anymodal.sync.face import Face

from .facade import TranslationFacade
from .room import Formality, TranslationOption, TranslationResult

__all__ = ["SyncTranslationFacade"]


class SyncTranslationFacade(Face[TranslationFacade]):
    """Texts in one language in, the same texts in another out."""

    __slots__ = ()

    def translate(
        self,
        texts: str | Sequence[str],
        *,
        to: str,
        source: str | None = None,
        formality: Formality | None = None,
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[TranslationOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> TranslationResult:
        """Put each text into another language; see `TranslationFacade.translate`."""
        return self._loop.run(
            self._inner.translate(
                texts, to=to, source=source, formality=formality, model=model, timeout=timeout,
                policy=policy, options=options, tags=tags, end_user=end_user, strict=strict, raw=raw,
            )
        )  # fmt: skip
