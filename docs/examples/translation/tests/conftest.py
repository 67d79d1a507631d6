"""Providers of translation that are made in the test."""

from __future__ import annotations

import datetime as dt

import pytest
from anymodal import (
    Capabilities,
    ModelSpec,
    Price,
    Prices,
    Registry,
    Settings,
    Usage,
    Used,
    hookimpl,
)
from anymodal_translation import Translation, TranslationProviderSpec, TranslationResult

PRICES = Prices([Price("character", 20)], "acme.example", dt.date(2026, 11, 20))


class Scripted:
    """Answers each request with the next of *answers*; the last one answers all that follow."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.requests = []

    async def translate(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        said = [f"{answer} {request.to}: {text}" for text in request.texts]
        return TranslationResult(
            translations=tuple(Translation(text=one, source=request.source) for one in said),
            usage=Usage(units=(Used("character", sum(map(len, request.texts))),)),
            raw={"said": said} if request.raw else None,
        )


class Offers:
    """A plugin of the host's own with one provider."""

    def __init__(self, provider, name="acme", **spec):
        self.provider, self.spec = provider, {"id": name, **spec}

    @hookimpl
    def anymodal_translation_providers(self):
        given = {
            "display_name": "Acme", "kind": "local", "connect": lambda connection: self.provider,
            "models": [ModelSpec(id=f"{self.spec['id']}-1", prices=PRICES)],
            "default_model": f"{self.spec['id']}-1",
            "capabilities": Capabilities(yes={"detection", "formality"}),
        }  # fmt: skip
        yield TranslationProviderSpec(**given | self.spec)


@pytest.fixture
def registry():
    """Makes a registry of plugins of the host's, beside what is installed."""

    def made(*plugins, **settings):
        return Registry(Settings.from_mapping(settings, environ={}), plugins=plugins)

    return made


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both event loops."""
    return request.param


@pytest.fixture(autouse=True)
def nothing_of_the_machine(monkeypatch, tmp_path):
    """No cache or state of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("LIBRETRANSLATE_URL", raising=False)
