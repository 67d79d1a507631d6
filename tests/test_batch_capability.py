"""Who has batches, by word and by deed: over everything that is installed."""

from __future__ import annotations

import anyio
import anymodal
import pytest
from anymodal import Client, Settings
from anymodal import errors as e
from anymodal.specs import supports
from anymodal_emulator import emulated


def specs():
    registry = anymodal.Registry(anymodal.Settings.empty())
    found = registry.providers(modality="text")
    return {one.spec.id: one.spec for one in found if one.instance == one.spec.id}


@pytest.mark.parametrize("name", sorted(specs()))
def test_spec_and_provider_agree_on_batches(name):
    """A spec of ours says yes or no, and the provider has the methods or has not."""
    spec = specs()[name]
    known = spec.capabilities.get("batch")

    async def has_methods(vendor):
        settings = Settings.from_mapping(vendor.settings(), environ={})
        async with Client(settings) as ai:
            await ai.warm(name)
            provider = ai._way.doors._open["text", name].provider
            return hasattr(provider, "submit_batch")

    with emulated(name) as vendor:
        assert known is anyio.run(has_methods, vendor)
    assert {known} == {known, *(supports(spec, model, "batch") for model in spec.models)}


@pytest.mark.parametrize("name", sorted(specs()))
def test_known_lack_is_refused_and_nothing_is_sent(name):
    """Where there are batches, the same call sends something."""

    async def go(vendor):
        settings = Settings.from_mapping(vendor.settings(), environ={})
        async with Client(settings) as ai:
            model = specs()[name].default_model or "any"
            return await ai.text.batch(["One?"], model=f"{name}/{model}")

    with emulated(name) as vendor:
        if specs()[name].capabilities.get("batch"):
            assert anyio.run(go, vendor).token
            assert vendor.requests
            return
        with pytest.raises(e.UnsupportedFeatureError, match="known not to have batch"):
            anyio.run(go, vendor)
        assert vendor.requests == ()
