"""Clips of OpenAI: there are none any more, and who asks hears so before anything is sent."""

from __future__ import annotations

import anymodal
import pytest
from anymodal import errors as e
from anymodal_emulator import emulated

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated("openai") as running:
        yield running


@pytest.mark.parametrize("model", ["openai/sora-2", "openai/sora-2-pro", "sora-2"])
async def test_sora_is_gone(vendor, model):
    """The error names the day, and what takes its place."""
    settings = {**vendor.settings(), "store": {"path": "off"}}
    async with anymodal.Client(anymodal.Settings.from_mapping(settings, environ={})) as ai:
        with pytest.raises(
            e.RetiredModelError, match=r"2026-09-24; use fal/bytedance/seedance-2\.0"
        ):
            await ai.video.generate("waves", model=model)

    assert () == vendor.requests


async def test_other_names(vendor):
    """Whatever they may come to be called, this plugin has no way to ask for them."""
    import anymodal_openai
    from anymodal.modalities.video import VideoRequest
    from anymodal.specs import ModelSpec

    settings = {**vendor.settings(), "store": {"path": "off"}}
    async with anymodal.Client(anymodal.Settings.from_mapping(settings, environ={})) as ai:
        with pytest.raises(e.UnsupportedFeatureError):
            await ai.video.generate("waves", model="openai/sora-9")
    provider = anymodal_openai.connect_video(None)
    with pytest.raises(e.UnsupportedFeatureError, match="shut down"):
        await provider.generate(VideoRequest(model=ModelSpec(id="sora-9"), prompt="waves"))

    assert () == vendor.requests
