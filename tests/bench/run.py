"""
Prints what a call, an event and a start cost, beside the bare transport and the peers; what
speech and live transcription cost beside the vendors' SDKs; and how many words are misheard.

    nox -s bench                     everything; takes about five minutes
    nox -s bench -- --no-peers       without installing the peers

CPU time of the calling process, pinned to one core; the server has the other.
Every figure is the median over rounds, with the spread of the rounds behind it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from listing import print_listings

HERE = Path(__file__).parent
PEERS = {"litellm": ["litellm"], "any-llm": ["any-llm-sdk[openai]"]}
ROUNDS = 5

FIRST = {"speech": "first sound of streamed speech", "listening": "first live transcript"}

PAIRS = [
    ["httpx2 + json", "anymodal over httpx2"],
    ["aiohttp + json", "anymodal over aiohttp"],
    ["httpx2 + json (responses)", "openai", "anymodal over openai"],
]


@contextmanager
def served(script: str = "server.py") -> Iterator[list[int]]:
    """Run a server on the other core, and give its ports."""
    core = [str(os.cpu_count() - 1)] if (os.cpu_count() or 1) > 1 else []
    command = [sys.executable, str(HERE / script), *core]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield [int(port) for port in server.stdout.readline().split()]
        finally:
            server.stdin.close()


def child(python: str, *words: str, script: str = "subjects.py") -> Any:
    """Run a script of subjects and return what it prints."""
    done = subprocess.run(
        [python, str(HERE / script), *words], check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def environment(name: str) -> str:
    """Return the interpreter of the peer's own environment, made where need be."""
    folder = (
        Path(os.environ.get("NOX_PEERS", Path(tempfile.gettempdir()) / "anymodal-peers")) / name
    )
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "-q", "-p", sys.executable, str(folder)], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "-p", str(python), *PEERS[name]], check=True)
    return str(python)


def median(values: list[float]) -> str:
    """Return the median and the spread."""
    return f"{statistics.median(values):8.1f}  {min(values):7.1f} - {max(values):7.1f}"


def calls_and_events(port: int, *, peers: bool) -> dict[str, dict[str, list[float]]]:
    """Measure every subject, pairs in turns, over all rounds."""
    found: dict[str, dict[str, list[float]]] = {}
    jobs = [(sys.executable, pair) for pair in PAIRS]
    jobs += [(environment(name), [name]) for name in PEERS if peers]
    for _ in range(ROUNDS):
        for python, names in jobs:
            for name, figures in child(python, *names, str(port)).items():
                for key, value in figures.items():
                    found.setdefault(name, {}).setdefault(key, []).append(value)
    return found


def print_calls(found: dict[str, dict[str, list[float]]]) -> None:
    """Print the table of calls and events, and the bounds on them."""
    for key, unit in (("call", "one call"), ("event", "one streamed event")):
        print(f"\n{unit}, us of CPU: median and spread of {ROUNDS} rounds")
        for name, figures in found.items():
            print(f"  {name:28} {median(figures[key])}")
    print("\nbounds")
    for key, bound, over in (("call", 40.0, "us a call"), ("event", 3.0, "us an event")):
        for bare, full in (PAIRS[0], PAIRS[1]):
            gaps = [b - a for a, b in zip(found[bare][key], found[full][key], strict=True)]
            report(f"{full} over {bare}", statistics.median(gaps), bound, over)
    for key, bound in (("call", 0.65), ("event", 0.25)):
        ratios = [
            b / a
            for a, b in zip(found["openai"][key], found["anymodal over openai"][key], strict=True)
        ]
        report(f"anymodal over openai : openai, a {key}", statistics.median(ratios), bound, "x")
    for peer in PEERS:
        if peer in found:
            for key in ("call", "event"):
                ours = statistics.median(found["anymodal over openai"][key])
                ratio = statistics.median(found[peer][key]) / ours
                print(f"  {peer + ' : anymodal over openai, a ' + key:58} {ratio:6.1f} x")


def report(what: str, value: float, bound: float, unit: str) -> None:
    """Print a figure beside its bound."""
    verdict = "met" if value <= bound else "MISSED"
    print(f"  {what:58} {value:6.2f} {unit:12} bound {bound:g}: {verdict}")


def starts(*, peers: bool) -> None:
    """Print what importing costs."""
    print("\nimport, CPU ms in a fresh process (median of 7), and modules")
    subjects = [(sys.executable, "pass"), (sys.executable, "import anymodal")]
    subjects += [(sys.executable, f"import anymodal, {name}") for name in plugin_modules()]
    subjects.append((sys.executable, "import openai"))
    if peers:
        subjects += [
            (environment("litellm"), "import litellm"),
            (environment("any-llm"), "import any_llm"),
        ]
    for python, code in subjects:
        script = f"{code}\nimport sys, time; print(time.process_time() * 1000, len(sys.modules))"
        runs = [
            subprocess.run(
                [python, "-c", script], check=True, capture_output=True, text=True
            ).stdout
            for _ in range(7)
        ]
        times = [float(run.split()[-2]) for run in runs]
        print(f"  {code:44} {statistics.median(times):8.1f}  {runs[0].split()[-1]:>5} modules")


def plugin_modules() -> list[str]:
    """Return the modules of the installed plugins."""
    from anymodal.index import installed  # after the interpreter was measured

    return sorted({module for one in installed() for _, module in one.entry_points})


def index() -> None:
    """Print what the index costs, cold and warm, with 20 plugins among 100 distributions."""
    from anymodal.index import installed  # after the interpreter was measured

    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name) / "site", Path(name) / "cache"
        for number in range(100):
            info = folder / f"dist_{number}-1.0.dist-info"
            info.mkdir(parents=True)
            text = f"Metadata-Version: 2.4\nName: dist-{number}\nVersion: 1.0\nRequires-Dist: anymodal>=0.1\n"
            (info / "METADATA").write_text(text)
            group = "anymodal" if number < 20 else "other"
            (info / "entry_points.txt").write_text(f"[{group}]\np{number} = p{number}\n")
        os.utime(folder, (time.time() - 60,) * 2)
        figures: dict[str, list[float]] = {"cold": [], "warm": []}
        for _ in range(7):
            for kind, times in figures.items():
                if kind == "cold":
                    for file in cache.glob("*"):
                        file.unlink()
                started = time.perf_counter()
                found = installed([str(folder)], environ={"ANYMODAL_CACHE_DIR": str(cache)})
                times.append((time.perf_counter() - started) * 1000)
                assert len(found) == 20
    print("\nindex of 20 plugins among 100 distributions, ms")
    report("warm", statistics.median(figures["warm"]), 1.0, "ms")
    report("cold, modules imported before", statistics.median(figures["cold"]), 40.0, "ms")


def alone() -> None:
    """Print what the core itself costs, and what a plain function adds."""
    rounds = [child(sys.executable, "--alone", "0") for _ in range(ROUNDS)]
    print("\nthe core alone, us of CPU a call")
    print(f"  awaited                      {median([one['awaited'] for one in rounds])}")
    print(f"  with everything on           {median([one['everything'] for one in rounds])}")
    print(f"  from a plain function        {median([one['plain'] for one in rounds])}")
    report(
        "policy at its defaults",
        statistics.median(one["awaited"] for one in rounds),
        40.0,
        "us a call",
    )
    report(
        "with everything on",
        statistics.median(one["everything"] for one in rounds),
        80.0,
        "us a call",
    )
    gaps = [one["plain"] - one["awaited"] for one in rounds]
    report("SyncClient over Client", statistics.median(gaps), 15.0, "us a call")


def voices() -> None:
    """Print what speech and live transcription cost beside the vendors' own SDKs."""
    with served("voice_server.py") as ports:
        rounds = [
            child(sys.executable, *map(str, ports), script="voices.py") for _ in range(ROUNDS)
        ]
    for kind, (bare, sdk, *ours) in {
        kind: list(names) for kind, names in rounds[0].items()
    }.items():
        for key, what, bound in (
            ("first", f"{FIRST[kind]}, ms", 1.0),
            ("piece", f"{kind}, us of CPU a piece of sound", 0.5),
        ):
            print(f"\n{what}: median and spread of {ROUNDS} rounds")
            found = {name: [one[kind][name][key] for one in rounds] for name in (bare, sdk, *ours)}
            for name, values in found.items():
                print(f"  {name:28} {median(values)}")
            for name in ours:
                ratios = [b / a for a, b in zip(found[sdk], found[name], strict=True)]
                report(f"{name} : {sdk}", statistics.median(ratios), bound, "x")
                print(f"  {'spread of it':58} {min(ratios):6.2f} - {max(ratios):.2f}")
        beyond = {
            name: statistics.median(
                one[kind][name]["piece"] - one[kind][bare]["piece"] for one in rounds
            )
            for name in (sdk, *ours)
        }
        for name, value in beyond.items():
            print(f"  {name + ' over ' + bare + ', a piece':58} {value:6.1f} us")


def words() -> None:
    """Print how many words are misheard on this machine."""
    import anyio  # after the interpreter was measured
    from wer import hearing, rates

    async def heard() -> dict[str, float]:
        return rates([one async for one in hearing()])

    print("\nwords of ten sentences misheard, spoken by eSpeak NG, heard by PocketSphinx")
    found = anyio.run(heard)
    print(f"  {'as it is':58} {found['as it is']:6.2f}")
    report("with a grammar of orders", found["grammar"], 0.1, "of the words")


def main() -> None:
    """Print everything."""
    peers = "--no-peers" not in sys.argv
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    starts(peers=peers)
    index()
    print_listings()
    alone()
    voices()
    words()
    with served() as (port,):
        print_calls(calls_and_events(port, peers=peers))
        growth = child(sys.executable, "--grow", "anymodal over openai", str(port))
        print("\nmemory over 10 000 calls, KiB per 1000 of the second half")
        report("anymodal over openai", growth, 50.0, "KiB")


if __name__ == "__main__":
    main()
