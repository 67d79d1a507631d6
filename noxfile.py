"""``nox -l`` lists what can be checked; ``nox`` alone checks what CI checks."""

from __future__ import annotations

import os
import random
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True
nox.options.sessions = ["lint", "types", "core", "plugin", "together", "docs", "resolve"]

os.environ["UV_PYTHON_DOWNLOADS"] = "never"
os.environ["UV_COMPILE_BYTECODE"] = "1"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# other orders of sets in each run, and the same ones in all processes of a run
os.environ.setdefault("PYTHONHASHSEED", str(random.randint(1, 2**32 - 1)))  # noqa: S311  # no secret

ROOT = Path(__file__).parent
PYTHON = "3.11"
FURTHER_PYTHONS = ["3.12", "3.13"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TEST_TOOLS = [tool for tool in PROJECT["dependency-groups"]["test"] if isinstance(tool, str)]
CORE = tomllib.loads((ROOT / "core" / "pyproject.toml").read_text("utf-8"))["project"]
TYPE_CHECKERS = ["mypy>=2.4", "basedpyright>=1.40"]  # pyright itself fetches Node.js when run
CORE_EXTRAS = ",".join(sorted(CORE["optional-dependencies"]))
PARALLEL = ("--numprocesses=auto", "--dist=loadfile")
"""A file's tests share servers, so they stay in one process."""


def plugin_folders() -> dict[str, dict[str, object]]:
    """Return the pyproject of each plugin, by folder."""
    found: dict[str, dict[str, object]] = {}
    for folder in sorted((ROOT / "plugins").iterdir()):
        if not folder.is_dir() or folder.name.startswith((".", "_")):
            continue
        file = folder / "pyproject.toml"
        if not file.exists():
            message = f"plugins/{folder.name} has no pyproject.toml, so it is no plugin."
            raise FileNotFoundError(message)
        found[folder.name] = tomllib.loads(file.read_text("utf-8"))["project"]
    return found


PLUGINS = plugin_folders()
FOLDER_OF = {project["name"]: folder for folder, project in PLUGINS.items()}
EXAMPLES = sorted(file.parent for file in ROOT.glob("docs/examples/*/pyproject.toml"))


def requirement_names(project: dict[str, object]) -> list[str]:
    """Return the names of all distributions that *project* may need, extras included."""
    listed = list(project.get("dependencies", []))
    for extra in project.get("optional-dependencies", {}).values():
        listed += extra
    return [
        "".join(c if c.isalnum() or c in "-_." else " " for c in one).split()[0] for one in listed
    ]


def local(folder: str, seen: tuple[str, ...] = ()) -> list[str]:
    """Return the paths of the plugin in *folder*, with every extra, and of those it needs."""
    project = PLUGINS[folder]
    extras = ",".join(sorted(project.get("optional-dependencies", {})))
    paths = [f"./plugins/{folder}" + (f"[{extras}]" if extras else "")]
    for name in requirement_names(project):
        if name in FOLDER_OF and FOLDER_OF[name] not in {*seen, folder}:
            paths += local(FOLDER_OF[name], (*seen, folder))
    return list(dict.fromkeys(paths))


def install(session: nox.Session, *what: str) -> None:
    """Install from paths as users get it: built, not linked."""
    session.install("--no-sources", *what)


def everything() -> list[str]:
    """Return the paths of the core and of all plugins."""
    paths = [path for folder in PLUGINS for path in local(folder)]
    return [f"./core[{CORE_EXTRAS}]", *dict.fromkeys(paths)]


def examples() -> list[str]:
    """Return the paths of the distributions that the documentation shows, with every extra."""
    paths = []
    for folder in EXAMPLES:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        extras = ",".join(sorted(project.get("optional-dependencies", {})))
        path = f"./{folder.relative_to(ROOT).as_posix()}"
        paths.append(path + (f"[{extras}]" if extras else ""))
    return paths


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Format and lint everything."""
    session.install("ruff>=0.17")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session(python=PYTHON)
def types(session: nox.Session) -> None:
    """Check types of the core and of every plugin, as installed, and of those who call them."""
    install(session, *everything(), *examples(), *TYPE_CHECKERS)
    with_module = [folder for folder in PLUGINS if (ROOT / "plugins" / folder / "src").is_dir()]
    packages = ["anymodal", *(f"anymodal_{folder.replace('-', '_')}" for folder in with_module)]
    packages += [path.name for one in EXAMPLES for path in sorted(one.glob("src/*"))]
    for package in packages:
        session.run("mypy", "-p", package)
    session.run("mypy", "tests/typing", "tools")
    session.run("basedpyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session(python=PYTHON)
def core(session: nox.Session) -> None:
    """Test the core as users get it: installed, and without any plugin."""
    install(session, f"./core[{CORE_EXTRAS}]", *TEST_TOOLS)
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "core/tests", *PARALLEL, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session(python=PYTHON)
@nox.parametrize("name", list(PLUGINS))
def plugin(session: nox.Session, name: str) -> None:
    """Test one plugin in its own environment, so that it cannot lean on others."""
    install(session, f"./core[{CORE_EXTRAS}]", *local(name), *TEST_TOOLS)
    session.run("pytest", f"plugins/{name}/tests", *PARALLEL, *session.posargs)


@nox.session(python=PYTHON)
def together(session: nox.Session) -> None:
    """Test what no distribution can show alone, with everything installed, examples too."""
    install(session, *everything(), *examples(), *TEST_TOOLS)
    session.run("uv", "pip", "check", external=True)
    session.run("pytest", "tests", *PARALLEL, *session.posargs)
    for folder in EXAMPLES:
        session.run("pytest", str(folder / "tests"), *PARALLEL, *session.posargs)


@nox.session(python=FURTHER_PYTHONS)
def pythons(session: nox.Session) -> None:
    """Test everything together on the other Pythons."""
    install(session, *everything(), *examples(), *TEST_TOOLS)
    session.run("pytest", "core/tests", *PARALLEL, *session.posargs)
    for name in PLUGINS:
        session.run("pytest", f"plugins/{name}/tests", *session.posargs)
    session.run("pytest", "tests", *PARALLEL, *session.posargs)


@nox.session(python=PYTHON)
def resolve(session: nox.Session) -> None:
    """Check that everything can be installed together on each Python."""
    wanted = Path(session.create_tmp()) / "requirements.in"
    paths = [path.replace("./", f"{ROOT}/") for path in (*everything(), *examples())]
    wanted.write_text("\n".join(paths), "utf-8")
    for version in [PYTHON, *FURTHER_PYTHONS]:
        session.run(
            "uv", "pip", "compile", "--quiet", "--no-sources", "--no-header", "--no-annotate",
            "--python-version", version, str(wanted), "-o", os.devnull, external=True,
        )  # fmt: skip


@nox.session(python=PYTHON)
def docs(session: nox.Session) -> None:
    """Build `site/`: every page in its place, every link and anchor leading somewhere."""
    session.install(*PROJECT["dependency-groups"]["docs"])
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # see docs/decisions/0036-a-site.md
    session.run("mkdocs", "build", "--quiet", *session.posargs)


@nox.session(python=PYTHON)
def tour(session: nox.Session) -> None:
    """Call every provider's emulator through its real SDK; needs no key and no network."""
    install(session, *everything())
    session.run("anymodal", "tour", *(session.posargs or ["--out", "tour"]))


@nox.session(python=PYTHON)
def bench(session: nox.Session) -> None:
    """Measure against the bare transport, the vendor's SDK and the peers."""
    install(session, *everything(), "trio")
    session.run("python", "tests/bench/run.py", *session.posargs)


@nox.session(python=False)
def dev(session: nox.Session) -> None:
    """Make `.venv` a working tree: everything linked, with all tools."""
    session.run("uv", "venv", "--clear", "--python", PYTHON, ".venv-dev", external=True)
    paths = [part for path in (*everything(), *examples()) for part in ("--editable", path)]
    tools = [*TEST_TOOLS, *TYPE_CHECKERS, "ruff>=0.17", "nox[uv]>=2026.10"]
    session.run(
        "uv", "pip", "install", "--no-sources", "--python", ".venv-dev", *paths, *tools,
        external=True,
    )  # fmt: skip
