"""One page for each plugin of this repository, and the table of all; see generate.py."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import attrs
from anymodal import Credential, Deadlines, Price, Prices, ProviderSpec, Registry, Settings
from anymodal.isolation import Plugin
from anymodal.modalities import BUILT_IN
from anymodal.specs import Capabilities, ModelSpec

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / "docs" / "reference" / "plugins"
MODALITIES: Final = [one.name for one in BUILT_IN]
COMMON: Final = set(attrs.fields_dict(ProviderSpec))
UNLISTED: Final = {"voices", "connect", "errors"}
MOST_VOICES: Final = 40

AnySpec = ProviderSpec[Any]


def pages() -> Iterator[tuple[Path, str]]:
    """Give each file with its content."""
    folders = sorted(file.parent for file in ROOT.glob("plugins/*/pyproject.toml"))
    yield FOLDER / "index.md", _index(folders)
    for folder in folders:
        yield FOLDER / f"{folder.name}.md", _page(folder)


@cache
def _plugins() -> dict[str, list[Plugin]]:
    """Return what is installed, by distribution; a plugin that does not load is a fault here."""
    found: dict[str, list[Plugin]] = {}
    for plugin in Registry(Settings.empty()).plugins():
        if plugin.state != "loaded":
            message = f"{plugin.label} is {plugin.state}: {plugin.error}"
            raise SystemExit(message)
        found.setdefault(plugin.candidate.distribution.normalised, []).append(plugin)
    return found


def _project(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    return found["project"]


def _specs(folder: Path) -> list[tuple[str, AnySpec]]:
    """Return the specs of a distribution, with their modalities, in the usual order."""
    project = _project(folder)
    found = [
        (modality, spec)
        for plugin in _plugins().get(project["name"], ())
        for modality, specs in plugin.offers.providers.items()
        for spec in specs
    ]
    if project.get("entry-points", {}).get("anymodal") and project["name"] not in _plugins():
        message = f"{project['name']} is not installed; the pages show what is."
        raise SystemExit(message)
    return sorted(found, key=lambda one: (MODALITIES.index(one[0]), one[1].id))


# -- the table of all ---------------------------------------------------------------------


def _index(folders: Sequence[Path]) -> str:
    lines = [
        "# Plugins",
        "",
        "What the plugins of this repository offer, as their specs say it. A dot is a provider; the number",
        "beside it is how many models its table lists, where it has one. A ring: all of them are retired.",
        "",
        f"| provider | where | {' | '.join(MODALITIES)} |",
        f"|---|---|{'---|' * len(MODALITIES)}",
    ]
    others: list[str] = []
    for folder in folders:
        specs = _specs(folder)
        if not specs:
            project = _project(folder)
            others.append(f"| [{project['name']}]({folder.name}.md) | {project['description']} |")
        for name in dict.fromkeys(spec.id for _, spec in specs):
            own = {modality: spec for modality, spec in specs if spec.id == name}
            kinds = {spec.kind for spec in own.values()}
            cells = [_dot(own.get(modality)) for modality in MODALITIES]
            link = f"[{name}]({folder.name}.md)"
            lines.append(f"| {link} | {', '.join(sorted(kinds))} | {' | '.join(cells)} |")
    lines += ["", "Beside them, plugins that are no providers:", "", "| plugin | is |", "|---|---|"]
    return "\n".join([*lines, *others]) + "\n"


def _dot(spec: AnySpec | None) -> str:
    if spec is None:
        return ""
    served = [model for model in spec.models if model.lifecycle.state != "retired"]
    if spec.models and not served:
        return "○"
    return f"● {len(served)}" if served else "●"


# -- a page -------------------------------------------------------------------------------


def _page(folder: Path) -> str:
    project = _project(folder)
    specs = _specs(folder)
    plugins = _plugins().get(project["name"], [])
    titles = list(dict.fromkeys(spec.display_name for _, spec in specs)) or [project["name"]]
    lines = [f"# {', '.join(titles)}", "", project["description"], ""]
    lines += [f"```\npip install {project['name']}\n```", ""]
    if (folder / "README.md").exists():
        lines += [f"How to use it: [its README](../../../plugins/{folder.name}/README.md).", ""]
    lines += _installed(project)
    for modality, spec in specs:
        lines += _spec(modality, spec)
    lines += _options(spec for _, spec in specs)
    for plugin in plugins:
        lines += _beside(plugin)
    lines += _licences(folder)
    return "\n".join(lines).rstrip() + "\n"


def _installed(project: dict[str, Any]) -> list[str]:
    """Return what is installed with it, and what may be."""
    points = project.get("entry-points", {}).get("anymodal", {})
    lines = ["| | |", "|---|---|"]
    if points:
        said = ", ".join(f"`{name}` = `{module}`" for name, module in points.items())
        lines.append(f"| entry points | {said} |")
    lines.append(f"| Python | {_code([project['requires-python']])} |")
    lines.append(f"| requires | {_code(project.get('dependencies', ()))} |")
    for extra, wanted in sorted(project.get("optional-dependencies", {}).items()):
        if extra != "test":
            lines.append(f"| extra `{extra}` | {_code(wanted)} |")
    lines.append(f"| licence | {project.get('license', '')} |")
    return [*lines, ""]


def _spec(modality: str, spec: AnySpec) -> list[str]:
    lines = [f"## `{spec.id}`: {modality}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in _facts(spec) if value]
    lines.append("")
    lines += _models(spec)
    return [*lines, *_voices(spec)]


def _facts(spec: AnySpec) -> Iterator[tuple[str, str]]:
    yield "name", spec.display_name
    yield "where", spec.kind
    yield "documentation", f"<{spec.docs}>" if spec.docs else ""
    yield "base URL", _code([spec.base_url]) if spec.base_url else ""
    yield "its address may stand in", _code(spec.url_env)
    yield "credentials", "; ".join(_credential(spec, one) for one in spec.credentials) or "none"
    yield "settings of its own", _code(sorted(spec.settings))
    yield "switched off by", _code([f"ENABLE_PROVIDER_{_variable(spec.flag or spec.id)}=0"])
    yield "default model", _code([spec.default_model]) if spec.default_model else ""
    yield "further models", _code(spec.patterns)
    yield "former ids", _code(spec.former_ids)
    yield "event loops", ", ".join(sorted(spec.backends))
    yield "requests per minute", str(spec.requests_per_minute or "")
    yield "calls at once", str(spec.concurrency or "")
    yield "time limits", _deadlines(spec.deadlines)
    yield "priority", str(spec.priority or "")
    yield "can", _code(sorted(spec.capabilities.yes))
    yield "cannot", _code(sorted(spec.capabilities.no))
    for field in attrs.fields(type(spec)):
        if field.name not in COMMON | UNLISTED and (value := getattr(spec, field.name)):
            yield field.name.replace("_", " "), _shown(value)
    options = spec.options_class()
    yield "options", _code([options.__name__]) if options else ""


def _credential(spec: AnySpec, one: Credential) -> str:
    own = f"{_variable(spec.id)}_{one.name.upper()}"
    variables = list(one.env)
    if one.name == "api_key" and own not in variables:
        variables.append(own)
    needed = "" if one.required else ", not required"
    return f"`{one.name}`{needed}: {_code(variables)}"


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _deadlines(found: Deadlines) -> str:
    said = ", ".join(
        f"{field.name} {'none' if (value := getattr(found, field.name)) is None else f'{value:g} s'}"
        for field in attrs.fields(Deadlines)
    )
    return "" if found == Deadlines() else said


def _shown(value: object) -> str:
    if isinstance(value, str | int | float | bool):
        return f"`{value}`"
    if isinstance(value, dict):
        return _code(sorted(f"{key} = {one}" for key, one in value.items()))
    assert isinstance(value, Iterable)  # all that specs have beside
    words = [getattr(one, "name", "") or str(one) for one in value]
    return _code(sorted(words) if isinstance(value, frozenset) else words)


def _code(words: Iterable[object]) -> str:
    return " ".join(f"`{word}`" for word in words)


# -- models and voices --------------------------------------------------------------------


def _models(spec: AnySpec) -> list[str]:
    if not spec.models:
        return []
    sources: dict[str, int] = {}
    has_context = any(one.context_tokens for one in spec.models)
    head = [
        "model",
        *(["context", "longest answer"] if has_context else []),
        "dollars",
        "abilities",
    ]
    lines = [f"| {' | '.join(head)} | source |", f"|{'---|' * (len(head) + 1)}"]
    for model in spec.models:
        numbers = [
            sources.setdefault(source, len(sources) + 1)
            for source in dict.fromkeys(_sources(model))
        ]
        cells = [_named(model)]
        if has_context:
            cells += [_count(model.context_tokens), _count(model.max_output_tokens)]
        cells += [_prices(model), _abilities(model.capabilities)]
        lines.append(f"| {' | '.join(cells)} | {', '.join(map(str, numbers))} |")
    lines += ["", "Sources:", ""]
    return [*lines, *(f"{number}. {_linked(source)}" for source, number in sources.items()), ""]


def _named(model: ModelSpec) -> str:
    said = f"`{model.id}`"
    if model.aliases:
        said += f" ({_code(model.aliases)})"
    life = model.lifecycle
    if life.state != "active":
        said += f", {life.state}"
        said += f" {life.retires_on}" if life.retires_on else ""
        said += f", use `{life.replacement}`" if life.replacement else ""
    elif life.retires_on:
        said += f", until {life.retires_on}"
    return said


def _sources(model: ModelSpec) -> Iterator[str]:
    if model.source:
        yield model.source
    for prices in (model.prices, model.batch_prices):
        if prices is not None:
            yield f"prices, read {prices.as_of}: {prices.source}"


def _linked(source: str) -> str:
    return re.sub(r"(https?://[^\s,;:)]+(?:[:.][^\s,;:)]+)*)", r"<\1>", source)


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}".replace(",", " ")


def _prices(model: ModelSpec) -> str:
    said = "unknown" if model.prices is None else _listed(model.prices)
    if model.batch_prices is not None:
        said += f"; in a batch {_listed(model.batch_prices)}"
    return said


def _listed(prices: Prices) -> str:
    if not prices.items:
        return "unknown"
    if all(price.usd == 0 for price in prices.items):
        return "free"
    return ", ".join(map(_price, prices.items))


def _price(price: Price) -> str:
    per = {1: "", 1_000_000: "M "}.get(price.per, f"{price.per} ")
    what = " ".join(filter(None, (price.size, price.quality)))
    return f"{price.usd.normalize():f}/{per}{price.unit}" + (f" ({what})" if what else "")


def _abilities(known: Capabilities) -> str:
    return ", ".join([*sorted(known.yes), *(f"no {name}" for name in sorted(known.no))])


def _voices(spec: AnySpec) -> list[str]:
    voices = list(getattr(spec, "voices", ()))
    if not voices:
        return []
    names = [getattr(one, "name", "") or getattr(one, "id", one) for one in voices]
    more = "" if len(names) <= MOST_VOICES else f" and {len(names) - MOST_VOICES} more"
    return [f"Voices: {_code(names[:MOST_VOICES])}{more}", ""]


# -- what is beside -----------------------------------------------------------------------


def _options(specs: Iterable[AnySpec]) -> list[str]:
    classes = dict.fromkeys(found for spec in specs if (found := spec.options_class()) is not None)
    lines: list[str] = []
    for cls in classes:
        fields = [
            f"| `{field.name}` | `{_type(field.type)}` | {_default(field.default)} |"
            for field in attrs.fields(cls)
        ]
        summary = (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")
        lines += [
            f"## `{cls.__name__}`",
            "",
            f"`from {cls.__module__.partition('.')[0]} import {cls.__name__}`",
            "",
        ]
        lines += [summary, "", "| field | type | default |", "|---|---|---|", *fields, ""]
        lines += _arguments(cls)
    return lines


def _default(said: object) -> str:
    """Return a default as code; what is made anew for each is empty."""
    return "empty" if isinstance(said, attrs.Factory) else f"`{said!r}`"  # type: ignore[arg-type]  # it is a class


def _type(said: object) -> str:
    return str(getattr(said, "__name__", said) if isinstance(said, type) else said).replace(
        "|", "\\|"
    )


def _arguments(cls: type) -> list[str]:
    """Return what the docstring says of each field, as a list."""
    told = (inspect.getdoc(cls) or "").partition("Args:\n")[2].partition("\n\n")[0]
    found: list[str] = []
    for line in told.splitlines():
        if match := re.match(r"    (\w+): (.*)", line):
            found.append(f"- `{match[1]}`: {match[2]}")
        elif found:
            found[-1] += f" {line.strip()}"
    return [*found, ""] if found else []


def _beside(plugin: Plugin) -> list[str]:
    lines: list[str] = []
    for one in plugin.offers.emulators:
        lines += [
            f"## Emulator of `{one.provider}`",
            "",
            f'`{one.app}`, behind the extra `emulator`. In a test: `with emulated("{one.provider}") as vendor:`.',
            "",
        ]
    if plugin.offers.commands:
        lines += ["## Commands", "", "| command | does |", "|---|---|"]
        lines += [f"| `anymodal {one.name}` | {one.help} |" for one in plugin.offers.commands]
        lines.append("")
    if plugin.offers.acting:
        hooks = _code(sorted(plugin.offers.acting))
        name = plugin.candidate.names[0]
        lines += [
            "## Acts",
            "",
            f'By {hooks}, where settings say `[plugins] use = ["{name}"]`.',
            "",
        ]
    names = getattr(plugin.module, "__all__", ())
    if names:
        lines += ["## Names", "", f"`{plugin.candidate.module}` has {_code(names)}.", ""]
    return lines


def _licences(folder: Path) -> list[str]:
    """Return the paragraphs of the README that speak of licences."""
    file = folder / "README.md"
    text = file.read_text("utf-8") if file.exists() else ""
    found = [
        part.strip()
        for part in re.sub(r"```.*?```", "", text, flags=re.DOTALL).split("\n\n")
        if re.search(r"\blicen[cs]e|\bGPL\b", part, re.IGNORECASE) and not part.startswith("#")
    ]
    return ["## Licences", "", "\n\n".join(found), ""] if found else []
