"""`python -m anymodal.testing acme`: every suite of a provider's modalities, without a test file."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .. import testing
from ..config import Settings
from ..files import write_whole
from ..registry import Registry
from .report import REPORT, Report, reached

__all__ = ["main"]

HEAD: Final = '"""Made by `python -m anymodal.testing`."""\n\nfrom anymodal import testing\n'
SUITE: Final = """

class Test{suite}(testing.{suite}):
    provider = {provider!r}
    model = {model!r}
"""


def main(words: Sequence[str] | None = None) -> int:
    """
    Run the suites and print what they found.

    Returns:
        0 where every suite reached a level and nothing was broken, else 1; 2 for
        misuse, as argparse has it.
    """
    parser = argparse.ArgumentParser(prog="python -m anymodal.testing", description=main.__doc__)
    parser.add_argument("provider", help="id of an installed provider")
    parser.add_argument("--model", default="", help="the model to call; by default its default")
    parser.add_argument("--modality", action="append", help="only this one; may be repeated")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the report there, too")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what pytest says")
    asked = parser.parse_args(words)
    suites = suites_of(asked.provider, asked.modality)
    if not suites:
        print(f"No installed plugin offers {asked.provider!r} for anything that has a suite.")  # noqa: T201  # a command
        return 1
    code = HEAD + "".join(
        SUITE.format(suite=suite, provider=asked.provider, model=asked.model) for suite in suites
    )
    report = run(code, verbose=asked.verbose)
    if asked.json:
        write_whole(asked.json, json.dumps(report.to_dict(), indent=2).encode())
    print(*report.lines(), sep="\n")  # noqa: T201  # as above
    broken = any(one.outcome == "broken" for one in report.findings)
    levels = [reached(found) for _, _, found in report.providers()]
    return 0 if levels and all(levels) and not broken else 1


def suites_of(provider: str, modalities: Sequence[str] | None) -> list[str]:
    """Return the names of the suites for what *provider* does, or for *modalities* of it."""
    offered = {
        offer.spec.modality
        for offer in Registry(Settings.empty()).providers()
        if offer.spec.id == provider
    }
    wanted = offered & set(modalities) if modalities else offered
    return [name for one in sorted(wanted) if (name := f"{one.title()}Suite") in testing.__all__]


def run(code: str, *, verbose: bool = False) -> Report:
    """Run *code*, a module of tests, in a pytest of its own and return the report."""
    with tempfile.TemporaryDirectory(prefix="anymodal-contract-") as folder:
        file, leaves = Path(folder, "test_contract.py"), Path(folder, "report.json")
        file.write_text(code, "utf-8")
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(file)]
        ran = subprocess.run(  # noqa: S603  # our own file
            [sys.executable, *words, f"--rootdir={folder}"],
            env={**os.environ, REPORT: str(leaves)},
            stdout=None if verbose else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if not leaves.exists():
            sys.stderr.buffer.write(ran.stdout or b"")
            sys.exit("pytest left no report; what it said stands above.")
        return Report.from_dict(json.loads(leaves.read_text("utf-8")))


if __name__ == "__main__":
    sys.exit(main())
