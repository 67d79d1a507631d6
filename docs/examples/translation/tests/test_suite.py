"""The suite of translation finds what is wrong: a suite that cannot fail shows nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

import pytest

PLANTED = """
    from anymodal import Capabilities, ModelSpec, hookimpl
    from anymodal_translation import Translation, TranslationProviderSpec, TranslationResult
    from anymodal_translation.suite import TranslationSuite

    class Provider:
        async def translate(self, request):
            {body}

    def connect(connection):
        return Provider()

    def said(request):
        return [Translation(text=f"{{request.to}} {{one}}", source="en") for one in request.texts]

    class Plugin:
        @hookimpl
        def anymodal_translation_providers(self):
            yield TranslationProviderSpec(
                id="acme", display_name="Acme", kind="local", default_model="a-1",
                models=[ModelSpec(id="a-1")], connect=connect,
                capabilities=Capabilities(yes={{"detection"}}, no={{"formality"}}),
            )

    class TestAcme(TranslationSuite):
        provider = "acme"
        plugins = (Plugin(),)
"""
WELL = "return TranslationResult(translations=tuple(said(request)))"


@pytest.mark.parametrize(
    ("body", "failed"),
    [
        (WELL, set()),
        (WELL.replace("said(request)", "reversed(said(request))"), {"test_the_order_is_kept"}),
        (
            WELL.replace("said(request)", "(Translation(text=one.text) for one in said(request))"),
            {"test_the_language_is_found_out"},
        ),
        (
            WELL.replace("said(request)", "(Translation(text='Hm') for one in request.texts)"),
            {"test_other_questions_have_other_answers", "test_the_language_is_found_out"},
        ),
    ],
    ids=["well", "order", "language", "deaf"],
)
def test_what_is_planted_is_found(tmp_path, body, failed):
    """And nothing else."""
    (tmp_path / "test_acme.py").write_text(dedent(PLANTED).format(body=body))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfp", "-p", "no:cacheprovider", "-k", "asyncio", "test_acme.py"],
        cwd=tmp_path, env=os.environ, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    found = {line.partition("::")[2].partition("::")[2].partition("[")[0] for line in lines}
    found.discard("test_its_top_module_is_light")  # a module of tests is not

    assert failed == found
    assert "PASSED" in done.stdout
