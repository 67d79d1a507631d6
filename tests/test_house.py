"""The rules that keep the core a house: floors, vendors' names, what importing costs."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import anymodal
import pytest

SOURCE = Path(anymodal.__file__).parent

FLOORS = [
    {
        "_version",
        "markers",
        "comparing",
        "errors",
        "files",
        "formats",
        "media",
        "places",
        "pricing",
        "usage",
        "specs",
    },
    {
        "failures",
        "tls",
        "shapes",
        "streams",
        "connection",
        "events",
        "http",
        "policies",
        "shielding",
        "taps",
        "sockets",
        "jobs",
        "stores",
    },
    {"modalities", "hookspecs"},
    {
        "index",
        "instances",
        "vendor_options",
        "keyrings",
        "overlay",
        "layers",
        "policy_settings",
        "sections",
        "config",
        "secrets",
        "lock",
        "trust",
        "isolation",
        "catalogue",
        "resolution",
        "scopes",
        "storage",
    }
    | {"quarantine", "registry", "known"},
    {"policy"},
    {"alarms", "checkup", "discovery", "doors", "ledger", "way", "stake", "call", "facade"},
    {"client", "changes", "interrupts", "loops", "sync", "facades", "cli", "testing", "devices"}
    | {"__main__"},
]
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names}
MODULES = sorted(SOURCE.rglob("*.py"))
VENDORS = {
    "anthropic", "bfl", "chatterbox", "deepgram", "deepseek", "elevenlabs", "espeak", "fal",
    "featherless", "ffmpeg", "fireworks", "garmin", "gemini", "google", "groq", "huggingface",
    "kling", "klingai", "mistral", "ollama", "openai", "openrouter", "perplexity", "qdrant",
    "replicate", "sora", "stability", "vertex", "withings", "xai",
}  # fmt: skip


def first_part(module: Path) -> str:
    return module.relative_to(SOURCE).with_suffix("").parts[0]


def runtime_imports(module: Path) -> set[str]:
    """Return the parts of the core that *module* imports, annotations' imports left out."""
    tree = ast.parse(module.read_text("utf-8"))
    package = list(module.relative_to(SOURCE).parent.parts)
    found: set[str] = set()
    for node in walk_runtime(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            path = base + (node.module.split(".") if node.module else [])
            found |= {path[0]} if path else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("anymodal."):
            found.add(node.module.split(".")[1])
    return found


def walk_runtime(node: ast.AST):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from walk_runtime(child)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(module):
    """A module may use its own floor and those below, never one above."""
    name = first_part(module)
    if name == "__init__":
        return
    above = {used for used in runtime_imports(module) if FLOOR_OF.get(used, -1) > FLOOR_OF[name]}

    assert set() == above


def test_every_module_has_a_floor():
    """A new module is put somewhere on purpose."""
    assert set() == {first_part(module) for module in MODULES} - FLOOR_OF.keys() - {"__init__"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_core_names_no_vendor(module):
    """What varies by vendor is a field of a spec or a method of its plugin."""
    tree = ast.parse(module.read_text("utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    names |= {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert set() == {name for name in names if name.lower() in VENDORS}


def modules_after(code: str) -> list[str]:
    """Return `sys.modules` of a fresh interpreter that ran *code*."""
    script = (
        f"{code}\nimport sys; found = sorted(sys.modules); import json; print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def test_importing_the_core_is_cheap():
    """At most 150 modules, and nothing that talks, parses or paints."""
    found = modules_after("import anymodal")

    assert len(found) <= 150
    heavy = {"importlib.metadata", "importlib_metadata", "asyncio", "anyio", "ssl", "httpx2"}
    heavy |= {"httpx", "aiohttp", "pydantic", "click", "rich", "numpy", "json", "packaging"}
    assert set() == heavy & set(found)


PLUGIN_MODULES = sorted(
    {
        module
        for one in __import__("anymodal.index").index.installed()
        for _, module in one.entry_points
    }
)


@pytest.mark.parametrize("module", PLUGIN_MODULES)
def test_importing_a_plugin_is_cheap(module):
    """At most 40 modules beyond the core, no SDK, and no room of another modality."""
    before = set(modules_after("import anymodal"))
    found = set(modules_after(f"import anymodal, {module}")) - before

    assert len(found) <= 40
    heavy = {"asyncio", "anyio", "ssl", "httpx2", "httpx", "aiohttp", "pydantic", "openai", "click"}
    assert set() == heavy & found
    rooms = {name for name in found if name.startswith("anymodal.modalities.")}
    assert rooms <= {"anymodal.modalities.text", "anymodal.modalities.messages"}


LISTING = """
import os, sys
sys.argv = ["anymodal", "providers", "--json"]
os.environ["ANYMODAL_CACHE_DIR"] = {folder!r}
kept = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
from anymodal.cli import main
assert main() == 0
sys.stdout.flush()
os.dup2(kept, 1)
"""


def test_a_listing_makes_what_is_offered_and_no_more(tmp_path):
    """Each attrs class costs half a millisecond, and there are nine rooms full of them."""
    script = LISTING.format(folder=str(tmp_path))
    modules_after(script)  # writes the index
    found = modules_after(script)

    ours = [name for name in found if name.startswith("anymodal")]
    core = [name for name in ours if name.split(".")[0] == "anymodal"]
    rooms = {name.removeprefix("anymodal.modalities.") for name in core if ".modalities." in name}
    assert {"text_spec", "image_spec", "speech_spec"} <= rooms
    assert set() == {one for one in rooms if not one.endswith("_spec")} - {
        "packing",
        "requests",  # of the modality that an example brings
        "sizes",
        "sounds",
    }
    assert len(core) <= 60
    heavy = {"asyncio", "anyio", "hashlib", "http", "httpx2", "logging", "platformdirs", "ssl"}
    assert set() == heavy & set(found)


@pytest.mark.parametrize("module", PLUGIN_MODULES)
def test_a_plugin_says_what_it_offers_cheaply(module, tmp_path):
    """Its tables and no more: options, protocols and what errors mean are imported when used."""
    found = modules_after(LISTING.format(folder=str(tmp_path)))

    own = [name for name in found if name.split(".")[0] == module]
    assert 1 <= len(own) <= 6
    kept = ("options", "quirks", "settings", "carrier", "body")
    assert [] == [name for name in own if name.endswith(kept)]


def test_there_are_plugins():
    """The parametrised tests above would pass with none installed."""
    assert {"anymodal_emulator", "anymodal_openai", "anymodal_openai_compatible"} <= set(
        PLUGIN_MODULES
    )


def test_importing_reads_no_environment_and_opens_nothing():
    """Importing is free of I/O beyond the modules' own files."""
    code = """
import sys
seen = []
def hook(event, args):
    if event.startswith(("socket.", "subprocess.", "os.putenv", "threading")):
        seen.append(event)
    if event == "open" and not str(args[0]).endswith((".py", ".pyc", ".pth", ".so")):
        seen.append(f"open {args[0]}")
import anymodal.markers
sys.addaudithook(hook)
import anymodal, anymodal_openai, anymodal_openai_compatible, anymodal_emulator
assert not seen, seen
"""
    modules_after(code)


def test_nothing_is_editable():
    """Tests say what users get only if they run against what was built."""
    from importlib.metadata import distributions

    ours = [one for one in distributions() if re.match("anymodal", one.metadata["Name"] or "")]
    linked = [
        one.metadata["Name"]
        for one in ours
        if '"editable": true' in (one.read_text("direct_url.json") or "").replace(":true", ": true")
    ]

    assert len(ours) >= 4
    assert [] == linked
