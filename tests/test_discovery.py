"""Live lists of all that is installed, asked of emulators that answer as the vendors do."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest
from anymodal import Client, Registry, Settings
from anymodal.catalogue import is_free
from anymodal_emulator import Status, emulated
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio

EXPECTED = snapshot(
    {
        "anthropic": {"kinds": {"text": 21}, "not in the table": {}},
        "deepseek": {"kinds": {"text": 4}, "not in the table": {}},
        "groq": {"kinds": {"text": 4}, "not in the table": {}},
        "mistral": {
            "kinds": {"embedding": 2, "text": 6},
            "not in the table": {},
        },
        "ollama": {
            "kinds": {"embedding": 1, "text": 4},
            "not in the table": {
                "gemma3:4b": ("text", 131072, True),
                "gpt-oss:20b": ("text", 131072, True),
                "llama3.2:latest": ("text", 131072, True),
                "nomic-embed-text:latest": ("embedding", 2048, True),
                "qwen3:8b": ("text", 40960, True),
            },
        },
        "openai": {
            "kinds": {
                None: 1,
                "embedding": 3,
                "image": 12,
                "realtime": 1,
                "speech": 1,
                "text": 53,
                "transcription": 2,
            },
            "not in the table": {
                "gpt-4o-mini-tts": ("speech", None, False),
                "gpt-4o-transcribe": ("transcription", None, False),
                "omni-moderation-latest": (None, None, False),
                "whisper-1": ("transcription", None, False),
            },
        },
        "openai-compatible": {
            "kinds": {None: 2},
            "not in the table": {
                "emulated-large": (None, None, False),
                "emulated-small": (None, None, False),
            },
        },
        "bfl": {"kinds": {}, "not in the table": {}},
        "deepgram": {"kinds": {"transcription": 8}, "not in the table": {}},
        "elevenlabs": {
            "kinds": {None: 1, "speech": 3},
            "not in the table": {"eleven_english_sts_v2": (None, None, False)},
        },
        "fal": {"kinds": {}, "not in the table": {}},
        "qdrant": {"kinds": {}, "not in the table": {}},
        "libretranslate": {"kinds": {}, "not in the table": {}},
        "quillon": {"kinds": {"text": 1}, "not in the table": {}},
        "night-heron": {
            "kinds": {
                "audio": 1,
                "embedding": 1,
                "image": 1,
                "realtime": 1,
                "speech": 1,
                "text": 1,
                "transcription": 1,
                "video": 1,
            },
            "not in the table": {},
        },
    }
)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def registry_of(folder, *vendors):
    """A registry whose providers are the emulated *vendors*."""
    said = {
        one.provider: {"base_url": one.base_url, **({"api_key": one.key} if one.key else {})}
        for one in vendors
    }
    settings = Settings.from_mapping({"providers": said})
    return Registry(attrs.evolve(settings, environ={"ANYMODAL_CACHE_DIR": str(folder)}))


def told(found):
    """What can be told of a list at a glance."""
    return {
        "kinds": dict(Counter(one.modality for one in found.models)),
        "not in the table": {
            one.model.id: (one.modality, one.model.context_tokens, is_free(one.model))
            for one in found.models
            if not one.model.listed
        },
    }


PROVIDERS = sorted(
    {one.provider for one in Registry(Settings.from_mapping({})).offers_of("emulators")}
)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_provider_lists_its_models(tmp_path, provider):
    """Of whatever kind; those of the table as the table has them. Nothing where it has no list."""
    with emulated(provider) as vendor:
        registry = registry_of(tmp_path, vendor)
        async with Client(registry=registry) as ai:
            found = await ai.discover(provider, refresh=True)

    assert found.failures == ()
    assert told(found) == EXPECTED[provider]


async def test_one_vendor_that_fails_harms_no_other(tmp_path):
    """It is named, with what it answered."""
    with emulated("openai") as one, emulated("groq") as other:
        one.script(Status(503), path="*/models")
        async with Client(registry=registry_of(tmp_path, one, other)) as ai:
            found = await ai.discover(refresh=True)
    (failure,) = (error for error in found.failures if getattr(error, "provider", "") == "openai")

    assert failure.status == 503
    assert "groq" in {model.provider for model in found.models}
