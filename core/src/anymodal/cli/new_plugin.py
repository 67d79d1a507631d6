"""`anymodal new-plugin`: a distribution whose tests pass, for somebody to make a vendor's of."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click

from ..config import Settings
from ..index import installed, normalise
from ..registry import Registry
from .output import Json, Stdout, json_option, note
from .template import Template, fault_of

__all__ = ["new_plugin"]


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--modality", "wanted", metavar="M", multiple=True, required=True,
    help="What it does; several are joined by commas, or given one by one.",
)  # fmt: skip
@click.option(
    "--out", "parent", metavar="DIR", default=Path(),
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="Where its folder goes; the working directory if not said.",
)  # fmt: skip
@json_option
def new_plugin(*, name: str, wanted: tuple[str, ...], parent: Path, as_json: bool) -> None:
    """
    Make the plugin NAME: its code, an emulator of its vendor, tests, types and CI.

    It is complete and its tests pass, for a vendor that does not exist. What is yours to
    write is a module for each modality, and what its vendor is like.
    """
    if why := fault_of(name):
        raise click.BadParameter(why, param_hint="NAME")
    template = Template.packaged()
    modalities = _chosen(wanted, template)
    out = Stdout.taken()
    for warning in _namesakes(name):
        note(warning)
    try:
        folder = template.write(name, modalities, parent)
    except FileExistsError as error:
        msg = f"{error.filename} is there already, and nothing was changed. Name another --out."
        raise click.ClickException(msg) from error
    found = {
        str(one.relative_to(folder)): one for one in sorted(folder.rglob("*")) if one.is_file()
    }
    steps = [f"cd {folder}", "python -m pip install --editable '.[test]'", "python -m pytest -ra"]
    if as_json:
        sizes: Json = [
            {"path": path, "lines": len(one.read_text("utf-8").splitlines())}
            for path, one in found.items()
        ]
        about: Json = {
            "distribution": folder.name, "folder": str(folder), "modalities": modalities,
            "files": sizes, "next": steps,
        }  # fmt: skip
        out.document(about)
        return
    out.write(f"{folder} has {len(found)} files. Yours to write, after the emulator:\n\n")
    yours = (path for path in found if _is_work(Path(path), modalities))
    out.write("".join(f"    {path}\n" for path in yours))
    out.write("\nNext:\n\n" + "".join(f"    {step}\n" for step in steps))


def _is_work(path: Path, modalities: list[str]) -> bool:
    return path.stem in modalities and path.parent.name != "emulator"


def _chosen(wanted: tuple[str, ...], template: Template) -> list[str]:
    """
    Return the modalities, in the order of the template.

    Raises:
        UsageError: One is none, or has no template.
    """
    given = {one.strip() for words in wanted for one in words.split(",")} - {""}
    there = ", ".join(template.modalities)
    for one in sorted(given - set(template.modalities)):
        known = {kind.name: kind for kind in Registry(Settings.load()).modalities()}
        if one in known:
            msg = (
                f"--modality: {one} comes from a plugin, and there is a template only for {there}."
            )
            raise click.UsageError(msg)
        msg = f"--modality: {one!r} is none. There are {there}."
        raise click.UsageError(msg)
    if not given:
        msg = f"--modality: say at least one of {there}."
        raise click.UsageError(msg)
    return [one for one in template.modalities if one in given]


def _namesakes(name: str) -> list[str]:
    """Return what to say of distributions that have the name, or the id, already."""
    ours = normalise(f"anymodal-{name}")
    known = json.loads(files("anymodal").joinpath("known.json").read_text("utf-8"))
    found = (
        [f"{known[name]} is published already, and has the id {name!r}."] if name in known else []
    )
    return found + [
        f"{one.name} is installed here, and has the id {name!r}: of two with one id, the one that "
        f"is called {ours} keeps it."
        for one in installed()
        if one.normalised == ours or name in {entry for entry, _ in one.entry_points}
    ]
