"""Plugin distributions in a folder, and the command run where they alone are installed."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

COMMAND = Path(sysconfig.get_path("scripts")) / "anymodal"
PATIENCE = 60.0
"""Seconds until a command is given up. No test that passes comes near it."""

ACME = '''
"""Answers with what it was asked, word by word; what the variables say goes before."""

import contextlib
import os
from pathlib import Path

import anyio
from anymodal import (
    Capabilities, Credential, Finish, ModelSpec, Price, Prices, TextDelta, TextProviderSpec,
    Usage, hookimpl, streaming,
)
from anymodal.errors import RateLimitedError
from datetime import date

print("acme is imported")


class Acme:
    @streaming
    async def stream(self, request):
        request.warn("seed", "acme has no seeds")
        if request.model.id == "busy":
            raise RateLimitedError("acme: HTTP 429: too busy", provider="acme")
        print("acme is called")
        try:
            for part in request.messages[-1].parts:
                said = part if isinstance(part, str) else f"<{type(part).__name__} {part.media_type}>"
                for word in said.split(" "):
                    yield TextDelta(word + " ")
            while request.model.id == "endless":
                yield TextDelta("on and ")
                await anyio.sleep(0)
            if request.model.id == "silent":
                await anyio.sleep(30)
            if request.model.id == "broken":
                raise ZeroDivisionError("sk-key")
        finally:
            if marker := os.environ.get("CLOSED"):
                Path(marker).touch()
        yield Finish("stop", Usage(input_tokens=1000, output_tokens=10))

    async def list_models(self):
        return [ModelSpec(id="acme-1"), ModelSpec(id="acme-live")]


PRICES = Prices([Price("input_token", "0.15"), Price("output_token", "2.5")], "acme.example", date(2026, 11, 20))


@hookimpl
def anymodal_text_providers():
    yield TextProviderSpec(
        id="acme",
        display_name="Acme",
        kind="local",
        credentials=[Credential(env=["ACME_KEY"])],
        capabilities=Capabilities(["streaming"]),
        models=[
            ModelSpec(id="acme-1", context_tokens=1000, prices=PRICES, source="acme.example"),
            *(ModelSpec(id=name) for name in ("busy", "endless", "silent", "broken")),
        ],
        default_model="acme-1",
        settings={"mood"},
        connect=lambda connection: Acme(),
    )
'''


class Site:
    """
    A folder of distributions, a home, and the command in it.

    Only the distributions of this folder are plugins there: others, of the
    environment that the tests run in, are kept from being looked at.
    """

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "packages"
        self.home = folder / "home"
        self.packages.mkdir()
        self.home.mkdir()
        self._names: list[str] = []

    def install(
        self, name: str, code: str, *, distribution: str = "", version: str = "1.0"
    ) -> None:
        """Install a distribution whose plugin *name* is a module with *code*."""
        distribution = distribution or f"anymodal-{name}"
        module = f"{distribution.replace('-', '_')}_{name.replace('-', '_')}"
        (self.packages / f"{module}.py").write_text(dedent(code), "utf-8")
        metadata = self.packages / f"{distribution.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir(exist_ok=True)
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", "utf-8"
        )
        with (metadata / "entry_points.txt").open("a", encoding="utf-8") as file:
            if not file.tell():
                file.write("[anymodal]\n")
            file.write(f"{name} = {module}\n")
        self._names.append(distribution)

    def settings(self, text: str) -> Path:
        """Write the settings of the working directory."""
        file = self.home / "anymodal.toml"
        file.write_text(dedent(text), "utf-8")
        return file

    def environ(self, **more: str) -> dict[str, str]:
        """Return the variables of the command, *more* among them."""
        plugins = {"ANYMODAL_PLUGINS": ",".join(self._names)} if self._names else {}
        kept = ("PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "HOME": str(self.home),
            "PYTHONPATH": str(self.packages),
            "PYTHONWARNINGS": "error",
            "ANYMODAL_CACHE_DIR": str(self.home / "cache"),
            **(plugins or {"ANYMODAL_NO_AUTOLOAD": "1"}),
            **more,
        }

    @contextmanager
    def started(
        self, *words: str, env: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start the command with pipes from it, and let nothing of it be left."""
        with self.started_by(str(COMMAND), *words, env=env) as process:
            yield process

    @contextmanager
    def started_by(
        self, program: str, *words: str, env: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a *program* that starts the command, such as a shell whose `$0` it is."""
        if words[:1] == ("-c",):
            words = (*words, str(COMMAND))
        with subprocess.Popen(
            [program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environ(**(env or {})),
            cwd=self.home,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(
        self, *words: str, piped: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command; standard input is empty unless something is *piped* in."""
        ended = subprocess.run(
            [COMMAND, *words],
            input=piped,
            stdin=subprocess.DEVNULL if piped is None else None,
            capture_output=True,
            env=self.environ(**(env or {})),
            cwd=self.home,
            timeout=PATIENCE,
            check=False,
        )
        return subprocess.CompletedProcess(
            ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode()
        )
