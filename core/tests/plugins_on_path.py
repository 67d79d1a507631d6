"""Real distributions in a folder on `sys.path`: metadata beside a module, as installers leave them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from anymodal import ModelSpec, TextProviderSpec, hookimpl
from anymodal.config import Settings
from anymodal.index import Distribution, installed
from anymodal.registry import Registry

NO_CACHE = {"ANYMODAL_CACHE_DIR": "off"}
LONG_AGO = 1_000_000_000


def offers(
    *ids: str, models: Iterable[str] = ("m-1",), hook: str = "anymodal_text_providers"
) -> str:
    """Return the code of a healthy plugin that offers *ids*, each with *models*."""
    models = list(models)
    return f"""
from anymodal import ModelSpec, TextProviderSpec, hookimpl

@hookimpl
def {hook}():
    for id in {list(ids)!r}:
        yield TextProviderSpec(
            id=id,
            display_name=id.title(),
            kind="local",
            models=[ModelSpec(id=name) for name in {models!r}],
            default_model={models[0]!r},
            connect=lambda connection: None,
        )
"""


class Site:
    """A folder on `sys.path`, and what is installed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def install(
        self,
        distribution: str,
        code: str | None = None,
        *,
        ids: Iterable[str] | None = None,
        module: str = "",
        points: str | bytes = "",
        requires: Iterable[str] = (),
        version: str = "1.0",
    ) -> Path:
        """
        Install *distribution* with a module of *code*; return its folder of metadata.

        Args:
            distribution: Its name.
            code: The module's; none is written where there is none.
            ids: Names of the entry points; what follows `anymodal-` by default.
            module: The module's name; the distribution's by default.
            points: The whole of `entry_points.txt`, instead of *ids*.
            requires: Requirements.
            version: Its version.
        """
        module = module or distribution.lower().replace("-", "_")
        self.modules.append(module)
        if code is not None:
            (self.folder / f"{module}.py").write_text(dedent(code), "utf-8")
        ids = [distribution.removeprefix("anymodal-")] if ids is None else ids
        points = points or "[anymodal]\n" + "".join(f"{name} = {module}\n" for name in ids)
        metadata = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        fields = [f"Metadata-Version: 2.4\nName: {distribution}\nVersion: {version}\n"]
        fields += [f"Requires-Dist: {one}\n" for one in requires]
        (metadata / "METADATA").write_text("".join(fields), "utf-8")
        content = points if isinstance(points, bytes) else points.encode()
        (metadata / "entry_points.txt").write_bytes(content)
        return metadata

    def settle(self, when: int = LONG_AGO) -> None:
        """Make the folder look as if nothing had changed for long."""
        os.utime(self.folder, (when, when))

    def found(self) -> tuple[Distribution, ...]:
        """Return the distributions in the folder."""
        return installed([str(self.folder)], environ=NO_CACHE)

    def registry(
        self, settings: Mapping[str, object] | None = None, *, plugins: Iterable[object] = ()
    ) -> Registry:
        """Return a registry of what is installed here and nowhere else."""
        return Registry(
            Settings.from_mapping(settings or {}),
            plugins=tuple(plugins),
            distributions=self.found(),
        )

    def imported(self) -> set[str]:
        """Return which of the modules here are imported."""
        return {name for name in self.modules if name in sys.modules}

    def leave(self) -> None:
        """Forget the modules that were imported from here."""
        for name in self.modules:  # first: one of them may be an object without attributes
            sys.modules.pop(name, None)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__dict__", {}).get("__file__") or ""
            if str(file).startswith(str(self.folder)):
                del sys.modules[name]


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An empty folder on `sys.path`."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Site(folder)
    yield made
    made.leave()


class Brings:
    """
    A plugin object that offers one provider of text.

    Args:
        provider: What `connect` returns, or a function that makes it.
        id: The provider's id.
        spec: Fields of its spec.
    """

    def __init__(self, provider: object = None, id: str = "acme", **spec: object) -> None:  # noqa: A002  # the spec's word
        connect = provider if callable(provider) else lambda _: provider
        defaults = {"kind": "local", "models": [ModelSpec(id="m-1")], "default_model": "m-1"}
        fields = {"display_name": id.title(), **defaults, **spec, "connect": connect}
        self.spec = TextProviderSpec(id=id, **fields)

    @hookimpl
    def anymodal_text_providers(self) -> list[TextProviderSpec]:
        return [self.spec]
