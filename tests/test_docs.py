"""What the documentation says runs, as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import anymodal
import pytest
from anymodal_emulator import emulated
from anymodal_emulator.samples import png
from anymodal_emulator.sounds import wav

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("how-to/*.md")),
    *sorted((ROOT / "docs").glob("explanation/*.md")),
]
"""Those whose blocks stand alone. The tutorial's are files of docs/examples/quillon."""
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    )
]
VENDORS = ["openai", "openai-compatible", "bfl", "deepgram", "elevenlabs", "fal"]


@pytest.fixture(scope="module")
def vendors():
    """The providers that the pages speak of."""
    with ExitStack() as stack:
        yield [stack.enter_context(emulated(name)) for name in VENDORS]


@pytest.fixture
def folder(tmp_path, vendors):
    """A folder with a settings file, a picture and a sound."""
    models = {"text": "openai/gpt-6.1-sol", "transcription": "deepgram/nova-3"}
    models["speech"] = "elevenlabs/eleven_flash_v2_5"
    lines = ["[defaults]", *(f'{kind} = "{model}"' for kind, model in models.items())]
    lines += [
        f'[providers.{one.provider}]\nbase_url = "{one.base_url}"\napi_key = "{one.key}"'
        for one in vendors
    ]
    lines.append('[providers.qdrant]\npath = ":memory:"')
    (tmp_path / "anymodal.toml").write_text("\n\n".join(lines))
    (tmp_path / "lighthouse.png").write_bytes(png(64, 48))
    (tmp_path / "waves.wav").write_bytes(wav("the sea, from afar", 16_000))
    return tmp_path


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_run(folder, block):
    """A reader pastes them, so they have to work."""
    file = folder / "example.py"
    file.write_text(block)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(file)],
        cwd=folder, check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, "ANYMODAL_CACHE_DIR": str(folder / "cache")},
    )  # fmt: skip

    assert "" == done.stderr
    assert 0 == done.returncode


def test_every_public_name_has_an_example():
    """In a block that runs."""
    shown = "\n".join(param.values[0] for param in BLOCKS)
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    missing = [name for name in anymodal.__all__ if not re.search(rf"\b{name}\b", shown)]

    assert [] == [name for name in missing if name not in {"__version__", "hookspec"}]
    assert "anymodal.__version__" in text
    assert "anymodal.hookspec" in text


def test_generated_pages_are_current():
    """The reference says what the sources say."""
    script = ROOT / "docs" / "generate.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], check=False, capture_output=True, text=True
    )

    assert "" == done.stderr
    assert 0 == done.returncode


def test_links_lead_somewhere():
    """Between pages of this repository."""
    broken = [
        f"{page.name}: {link}"
        for page in [
            *ROOT.glob("*.md"),
            *ROOT.glob("docs/**/*.md"),
            *ROOT.glob("plugins/*/README.md"),
        ]
        for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]

    assert [] == broken
