"""What a listing costs where 120 plugins are installed, 20 of them broken; and of all that is installed here."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

HEALTHY, BROKEN = 100, 20
ROUNDS = 7
PROVIDERS_MS = 120.0
"""The most CPU that `anymodal providers --json` may take with everything installed, compiled and warm."""

OFFERS = """
from anymodal import ModelSpec, TextProviderSpec, hookimpl

@hookimpl
def anymodal_text_providers():
    models = [ModelSpec(id=f"m-{n}") for n in range(10)]
    yield TextProviderSpec(
        id=__name__.replace("_", "-"), display_name=__name__, kind="local", models=models,
        default_model="m-0", connect=lambda connection: None,
    )
"""
FAULTS = ["1 / 0", "import no_such_module", "raise SystemExit", "def (", "x = 1"]
ASKS = """
import json, sys, time
before = len(sys.modules)
started, cpu = time.perf_counter(), time.process_time()
from anymodal import Registry, Settings
from anymodal.index import installed
registry = Registry(Settings.empty(), distributions=installed([sys.argv[1]]))
found = registry.providers()
wall, cpu = time.perf_counter() - started, time.process_time() - cpu
core = [name for name in sys.modules if not name.startswith(("healthy_", "broken_"))]
print(json.dumps([len(found), wall * 1000, cpu * 1000, len(core) - before]))
"""

Figures = dict[str, list[float]]


def measured() -> dict[str, Figures]:
    """Return wall and CPU time in ms, and modules imported beside the plugins', cold and warm."""
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name) / "site", Path(name) / "cache"
        folder.mkdir()
        for number in range(HEALTHY + BROKEN):
            is_well = number < HEALTHY
            plugin = f"{'healthy' if is_well else 'broken'}_{number}"
            code = OFFERS if is_well else FAULTS[number % len(FAULTS)]
            (folder / f"{plugin}.py").write_text(code)
            info = folder / f"{plugin}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {plugin}\nVersion: 1.0\n")
            points = f"[anymodal]\n{plugin.replace('_', '-')} = {plugin}\n"
            (info / "entry_points.txt").write_text(points)
        environ = _environ(PYTHONPATH=str(folder), ANYMODAL_CACHE_DIR=str(cache))
        _ask(folder, environ)  # compiles
        os.utime(folder, (time.time() - 60,) * 2)
        found: dict[str, Figures] = {}
        for _ in range(ROUNDS):
            for kind in ("cold", "warm"):
                if kind == "cold":
                    for file in cache.glob("*"):
                        file.unlink()
                wall, cpu, modules = _ask(folder, environ)
                figures = found.setdefault(kind, {"wall": [], "cpu": [], "modules": []})
                for what, value in (("wall", wall), ("cpu", cpu), ("modules", modules)):
                    figures[what].append(value)
        return found


def _environ(**more: str) -> Mapping[str, str]:
    kept = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **more}


def _ask(folder: Path, environ: Mapping[str, str]) -> tuple[float, float, float]:
    command = [sys.executable, "-c", ASKS, str(folder)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    count, wall, cpu, modules = json.loads(done.stdout.splitlines()[-1])
    assert count == HEALTHY, done.stderr
    return wall, cpu, modules


def providers_cpu(rounds: int = 2 * ROUNDS) -> list[float]:
    """Return CPU ms of `anymodal providers --json` with all that is installed, compiled and warm."""
    command = [str(Path(sysconfig.get_path("scripts")) / "anymodal"), "providers", "--json"]
    found: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        environ = _environ(ANYMODAL_CACHE_DIR=name)
        for _ in range(rounds + 2):  # the first ones compile and write the index
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, env=environ, cwd=name, capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found.append(used * 1000)
    return found[2:]


def print_listings() -> None:
    """Print both."""
    print(f"\nlisting {HEALTHY} healthy and {BROKEN} broken plugins, in a new process")
    for kind, figures in measured().items():
        wall, cpu, modules = (statistics.median(figures[n]) for n in ("wall", "cpu", "modules"))
        print(
            f"  {kind:6} {wall:7.0f} ms, {cpu:.0f} ms of CPU, {modules:.0f} modules beside theirs"
        )
    found = providers_cpu()
    middle = statistics.median(found)
    verdict = "ok" if middle <= PROVIDERS_MS else "over"
    print("\nanymodal providers --json, with everything installed, compiled and warm")
    print(
        f"  {middle:.0f} ms of CPU ({min(found):.0f} at best); bound {PROVIDERS_MS:.0f}: {verdict}"
    )


if __name__ == "__main__":
    print_listings()
