"""What users see: public names, hooks, errors, settings and variables, all documented."""

import inspect
import re
from pathlib import Path

import anymodal
import pytest
from anymodal import errors, hookspecs
from inline_snapshot import snapshot

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("anymodal_"))


def test_public_names():
    """Adding or removing a name is a decision, so it shows up in the diff."""
    assert anymodal.__all__ == snapshot(
        [
            "TEXT",
            "Attempt",
            "Audio",
            "AudioOption",
            "AudioProviderSpec",
            "AudioRequest",
            "AudioResult",
            "Best",
            "Breaker",
            "Budget",
            "CallWarning",
            "Capabilities",
            "Chat",
            "ChatStream",
            "Citation",
            "Client",
            "Clip",
            "CommandSpec",
            "Connection",
            "Cost",
            "Credential",
            "Deadlines",
            "DiscoveredModel",
            "Discovery",
            "EmulatorSpec",
            "Estimate",
            "Fetching",
            "File",
            "Finish",
            "Health",
            "Image",
            "ImageOption",
            "ImageProviderSpec",
            "ImageRequest",
            "ImageResult",
            "Job",
            "JobStatus",
            "KeptJob",
            "Lifecycle",
            "Limits",
            "LiveModel",
            "Media",
            "Message",
            "Modality",
            "ModelSpec",
            "Overlay",
            "PartialOutput",
            "Policy",
            "Price",
            "Prices",
            "ProviderSpec",
            "ProviderState",
            "Query",
            "Reasoning",
            "ReasoningDelta",
            "Record",
            "Registry",
            "Retry",
            "Secret",
            "Settings",
            "Size",
            "SyncChat",
            "SyncChatStream",
            "SyncClient",
            "SyncJob",
            "SyncTextStream",
            "TextBatch",
            "TextDelta",
            "TextOption",
            "TextProviderSpec",
            "TextRequest",
            "TextResult",
            "TextStream",
            "Tool",
            "ToolCall",
            "ToolCallDelta",
            "ToolRan",
            "ToolResult",
            "ToolSpec",
            "Track",
            "Usage",
            "Used",
            "Video",
            "VideoOption",
            "VideoProviderSpec",
            "VideoRequest",
            "VideoResult",
            "WebSearch",
            "__version__",
            "best",
            "hookimpl",
            "hookspec",
            "plugin_manager",
            "streaming",
        ]
    )


def test_every_public_name_is_there():
    """Names are imported when used; none may lead nowhere."""
    assert [] == [name for name in anymodal.__all__ if not hasattr(anymodal, name)]
    assert set(anymodal.__all__) <= set(dir(anymodal))


def test_an_unknown_name_is_an_attribute_error():
    """As for every module."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        anymodal.nonsense  # noqa: B018


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook):
    """A hook that the reference does not mention does not exist."""
    signature = f"{hook}{inspect.signature(getattr(hookspecs, hook))}".partition(" ->")[0]

    assert f"## `{signature}`" in (REFERENCE / "hooks.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(errors.__all__))
def test_every_error_is_documented(name):
    """With the code by which programs know it."""
    page = (REFERENCE / "errors.md").read_text("utf-8")

    assert re.search(rf"`{name}` \| `{getattr(errors, name).code}`", page)


def test_every_error_stands_in_the_drawn_tree():
    """The tree at the top of the module is what people read."""
    assert [] == [name for name in errors.__all__ if name not in errors.__doc__]


def test_codes_are_unique():
    """Programs tell errors apart by them."""
    codes = [getattr(errors, name).code for name in errors.__all__]

    assert len(codes) == len(set(codes))


def test_every_variable_is_documented():
    """Variables that the sources read, by their names."""
    page = (REFERENCE / "settings.md").read_text("utf-8")
    sources = [*ROOT.glob("core/src/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    found = {
        name
        for source in sources
        for name in re.findall(
            r'"(ANYMODAL_[A-Z_]+|PROVIDER_DEFAULTS_JSON)"', source.read_text("utf-8")
        )
    }

    assert "ANYMODAL_CONFIG" in found
    assert [] == sorted(name for name in found if f"`{name}`" not in page)


def test_every_setting_is_documented():
    """Keys of the file, by table."""
    page = (REFERENCE / "settings.md").read_text("utf-8")
    from anymodal.config import HttpSettings, InstanceSettings, PluginSettings, Settings

    tables = {name.lstrip("_") for name in Settings.__annotations__} - {
        "flags",
        "environ",
        "how",
        "sources",
        "stored",
    }
    keys = {
        name.lstrip("_")
        for cls in (HttpSettings, InstanceSettings, PluginSettings)
        for name in cls.__annotations__
    }

    assert [] == sorted(name for name in tables if f"[{name}" not in page)
    assert [] == sorted(name for name in keys - {"rest"} if f"`{name}`" not in page)
