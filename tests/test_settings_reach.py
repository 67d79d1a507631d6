"""What settings say goes over the wire of real plugins."""

from __future__ import annotations

import json

import anymodal
import pytest
from anymodal import TextOption, errors
from anymodal_emulator import emulated

WANTED = {
    "openai": ("service_tier", "flex"),
    "anthropic": ("service_tier", "standard_only"),
    "mistral": ("safe_prompt", True),
    "groq": ("service_tier", "flex"),
    "deepseek": ("presence_penalty", 1.5),
}


@pytest.mark.anyio
@pytest.mark.parametrize("provider", WANTED)
async def test_options_of_settings_go_over_the_wire(provider):
    """The portable ones and the vendor's own, through an SDK or without one."""
    name, value = WANTED[provider]
    with emulated(provider) as vendor:
        settings = vendor.settings()
        settings["providers"][provider] |= {
            "options": {"text": {"max_tokens": 77}},
            "vendor_options": {"text": {name: value}},
        }
        async with anymodal.Client(anymodal.Settings.from_mapping(settings)) as ai:
            await ai.text.generate("Hi", model=provider)
        body = json.loads(vendor.requests[-1].body)

    assert value == body[name]
    assert 77 in body.values()


def test_options_of_plugins_are_their_own():
    """What a spec names is a class of options for that provider, and for no other."""
    registry = anymodal.Registry(anymodal.Settings.empty())
    found = {one.spec.id: one.spec.options_class() for one in registry.providers("text")}

    assert WANTED.keys() <= found.keys()
    for provider, cls in found.items():
        if cls is not None:
            assert issubclass(cls, TextOption)
            assert provider == cls.provider


@pytest.mark.anyio
@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral"])
async def test_clients_of_sdks_go_through_the_proxy_of_the_settings(provider):
    """Nobody listens there; without it the emulator would answer."""
    with emulated(provider) as vendor:
        settings = {**vendor.settings(), "http": {"proxy": "http://127.0.0.1:9"}}
        settings["policy"] = {"retry": {"attempts": 1}}
        async with anymodal.Client(anymodal.Settings.from_mapping(settings)) as ai:
            with pytest.raises(errors.ConnectionFailedError):
                await ai.text.generate("Hi", model=provider)

        assert () == vendor.requests


@pytest.mark.anyio
@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral"])
async def test_clients_of_sdks_use_the_certificates_of_the_settings(provider, tmp_path):
    """A file that is none is told before anything is sent."""
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    with emulated(provider) as vendor:
        settings = {**vendor.settings(), "http": {"ca_file": str(file)}}
        async with anymodal.Client(anymodal.Settings.from_mapping(settings)) as ai:
            with pytest.raises(errors.ConfigurationError, match=r"http\.ca_file"):
                await ai.text.generate("Hi", model=provider)

        assert () == vendor.requests
