"""What users see: public names, hooks, errors, settings and variables, all documented."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import anymodal
import attrs
import pytest
from anymodal import (
    Breaker,
    Budget,
    Deadlines,
    Limits,
    Policy,
    Registry,
    Retry,
    Settings,
    config,
    errors,
    hookspecs,
    sections,
)
from anymodal.cli.app import BUILT_IN as COMMANDS
from anymodal.modalities import BUILT_IN
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


def constants(trees):
    """Strings that have a name, of all modules of a package."""
    return {
        target.id: node.value.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def variables(package):
    """Every variable that the modules of *package* look up in the environment; `?` of no name."""
    trees = [ast.parse(file.read_text("utf-8")) for file in package.glob("**/*.py")]
    known = constants(trees)
    for node in (one for tree in trees for one in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            reads = node.func.attr == "get" and ast.unparse(node.func.value).endswith("environ")
            if not reads and node.func.attr != "getenv":
                continue
            key = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            key = node.slice
        else:
            continue
        if isinstance(key, ast.Constant):
            yield key.value
        else:
            yield known.get(ast.unparse(key), f"?{package.name}")
    yield from (name for name in known.values() if re.fullmatch(r"ANYMODAL_[A-Z_]+", name))


PACKAGES = sorted(
    [ROOT / "core" / "src" / "anymodal", *ROOT.glob("plugins/*/src/anymodal_*")],
    key=lambda folder: folder.name,
)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda folder: folder.name)
def test_every_variable_is_documented(package):
    """In the reference, or in the README of the plugin that reads it."""
    readme = package.parent.parent / "README.md"
    pages = [REFERENCE / "settings.md", *([readme] if readme.exists() else [])]
    text = "".join(page.read_text("utf-8") for page in pages)
    found = {name for name in variables(package) if not name.startswith("?")}

    assert [] == sorted(name for name in found if f"`{name}`" not in text)


def test_only_the_core_looks_up_variables_by_computed_names():
    """Those of credentials and addresses, which specs name; plugins are given what they declared."""
    computed = {name for package in PACKAGES for name in variables(package) if name.startswith("?")}

    assert {"?anymodal"} == computed


def test_variables_of_the_file_are_documented():
    """Those that set what the file may set, and those that switch providers."""
    from anymodal.layers import _VARIABLES, FLAG_PREFIX

    page = (REFERENCE / "settings.md").read_text("utf-8")
    assert [] == [name for name in _VARIABLES if f"`{name}`" not in page]
    assert f"`{FLAG_PREFIX}<ID>`" in page


def our_plugins():
    """Those of this repository; examples and strangers are installed too."""
    found = Registry(Settings.empty()).plugins()
    names = {one: one.candidate.distribution.name.removeprefix("anymodal-") for one in found}
    return [one for one, name in names.items() if (ROOT / "plugins" / name).is_dir()]


def test_every_variable_of_a_provider_is_documented():
    """On the page of its plugin: keys, addresses, switches."""
    pages = "".join(page.read_text("utf-8") for page in REFERENCE.glob("plugins/*.md"))
    offers = [
        spec
        for plugin in Registry(Settings.empty()).plugins()
        if (
            ROOT / "plugins" / plugin.candidate.distribution.name.removeprefix("anymodal-")
        ).is_dir()
        for specs in plugin.offers.providers.values()
        for spec in specs
    ]
    said = {name for spec in offers for one in spec.credentials for name in one.env}
    said |= {name for spec in offers for name in spec.url_env}
    said |= {name for spec in offers for name in spec.settings}

    assert "OPENAI_API_KEY" in said
    assert [] == sorted(name for name in said if f"`{name}`" not in pages)


def section(page, title):
    """Return the part of a page under a heading, or under a heading that begins so."""
    return page.partition(f"## {title}")[2].partition("\n## ")[0]


def keys_of(cls):
    """Names of the fields of a class, as a file has them."""
    return {field.alias for field in attrs.fields(cls)}


SECTIONS = [
    ("Tables", lambda: set(config._TABLES) - {"instances", "providers"}),
    ("Tables", lambda: set(config._FACTS)),
    ("Keys of `[providers.X]`", lambda: keys_of(sections.InstanceSettings) - {"rest"}),
    ("Keys of `[providers.X]`", lambda: keys_of(Deadlines)),
    ("Keys of `[http]`", lambda: keys_of(sections.HttpSettings)),
    ("Keys of `[plugins]`", lambda: keys_of(sections.PluginSettings)),
    ("Policies", lambda: keys_of(Retry) | keys_of(Breaker) | keys_of(Limits) | keys_of(Budget)),
    ("Policies", lambda: keys_of(Policy) - {"timeout"}),
]


@pytest.mark.parametrize(("title", "keys"), SECTIONS)
def test_every_setting_is_documented(title, keys):
    """Every key that the file may have, where the reference speaks of its table."""
    found = section((REFERENCE / "settings.md").read_text("utf-8"), title)
    words = set(re.findall(r"`\[?([a-z_]+)", found)) | set(re.findall(r"[a-z_]+", found))

    assert found
    assert [] == sorted(keys() - words)


@pytest.mark.parametrize("modality", BUILT_IN, ids=lambda modality: modality.name)
def test_every_option_of_calls_is_documented(modality):
    """What `[options.M]` may ask for."""
    page = (REFERENCE / "settings.md").read_text("utf-8")
    cls = modality.options_class()
    names = keys_of(cls) if cls else set()

    assert [] == sorted(name for name in names if f"`{name}`" not in section(page, "Options of"))


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_tells_what_it_gives(hook):
    """What for, in a line, and what it returns."""
    text = section((REFERENCE / "hooks.md").read_text("utf-8"), f"`{hook}(")

    assert "**Returns**" in text


def test_every_public_name_has_its_place_in_the_reference():
    """Those of the package, of its testing, and the options of every plugin."""
    for module, page in (("anymodal", "names.md"), ("anymodal.testing", "names-of-testing.md")):
        text = (REFERENCE / page).read_text("utf-8")
        names = set(importlib.import_module(module).__all__) - {"__version__"}
        assert [] == sorted(name for name in names if f"\n## `{name}`\n" not in text)


def test_every_command_has_its_place_in_the_reference():
    """Built in, and of the plugins of this repository."""
    text = (REFERENCE / "commands.md").read_text("utf-8")
    offered = {one.name for plugin in our_plugins() for one in plugin.offers.commands}

    assert [] == sorted(
        one for one in {*COMMANDS, *offered} if f"\n## `anymodal {one}`\n" not in text
    )
