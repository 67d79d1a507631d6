"""LibreTranslate keeps the contract of translation, clause by clause."""

import pytest
from anymodal_translation.suite import TranslationSuite


class TestLibreTranslate(TranslationSuite):
    """As every provider of it does."""

    provider = "libretranslate"

    @pytest.mark.xfail(reason="LibreTranslate's answers carry no id of the request", strict=True)
    async def test_the_request_id_is_kept(self, stage, ai):
        await super().test_the_request_id_is_kept(stage, ai)

    @pytest.mark.xfail(reason="a wrong key is a 403 there, like a ban, and no code tells the two")
    async def test_the_key_is_sent(self, stage, ai):
        await super().test_the_key_is_sent(stage)

    @pytest.mark.xfail(reason="most servers want no key; one that does says so itself", strict=True)
    async def test_a_missing_key_is_asked_for(self, stage):
        await super().test_a_missing_key_is_asked_for(stage)
