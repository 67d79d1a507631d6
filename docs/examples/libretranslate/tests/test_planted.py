"""What the suite of translation can tell by what a vendor was sent alone."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

PLANTED = """
    import attrs
    from anymodal import Capabilities, Credential, EmulatorSpec, ModelSpec, hookimpl
    from anymodal_libretranslate import LibreTranslate
    from anymodal_translation import TranslationProviderSpec
    from anymodal_translation.suite import TranslationSuite

    class Provider(LibreTranslate):
        async def translate(self, request):
            return await super().translate({request})

    class Plugin:
        @hookimpl
        def anymodal_translation_providers(self):
            yield TranslationProviderSpec(
                id="acme", display_name="Acme", docs="https://acme.example", default_model="a-1",
                models=[ModelSpec(id="a-1")], connect=Provider, base_url="https://acme.example",
                credentials=[Credential()],
                capabilities=Capabilities(yes={{"detection", "formality"}}),
            )

        @hookimpl
        def anymodal_emulators(self):
            yield EmulatorSpec(
                provider="acme", app="anymodal_libretranslate.emulator:app", key="acme-key"
            )

    class TestAcme(TranslationSuite):
        provider = "acme"
        plugins = (Plugin(),)
"""


@pytest.mark.parametrize(
    ("sends", "failed"),
    [
        ("attrs.evolve(request, end_user=request.formality)", {"test_formality_is_told"}),
        (
            'attrs.evolve(request, to="de", source=request.source and "en")',
            {"test_formality_is_told", "test_the_languages_are_sent"},
        ),
    ],
    ids=["formality", "languages"],
)
def test_what_is_planted_is_found(tmp_path, sends, failed):
    """LibreTranslate has no word for formality, so who declares it tells nobody."""
    (tmp_path / "test_acme.py").write_text(
        dedent(PLANTED).replace("{request}", sends).replace("{{", "{").replace("}}", "}")
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfp", "-p", "no:cacheprovider",
         "-k", "asyncio and (formality or languages or order or found_out)", "test_acme.py"],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    found = {line.partition("::")[2].partition("::")[2].partition("[")[0] for line in lines}

    assert failed == found
    assert "PASSED" in done.stdout
