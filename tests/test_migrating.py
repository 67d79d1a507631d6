"""The guide for those who come from elsewhere says what is so: every row, every name in it."""

import ast
import functools
import importlib
import importlib.metadata
import inspect
import re
import subprocess
import sys
import tomllib
import types
import typing
from pathlib import Path

import anymodal
import attrs
import pytest
from anymodal import Client, Registry, Settings, errors, hookspecs
from anymodal.facades.conversing import RealtimeSession
from anymodal.facades.text_stream import TextStream
from anymodal.modalities import BUILT_IN
from anymodal.resolution import Offer

DOCS = Path(__file__).parent.parent / "docs"
SO_FAR = "There already:"

ROWS = {
    f"{section}.{number}"
    for section, last in enumerate((78, 38, 41, 23, 33))
    for number in range(1, last + 1)
}
"""Frozen: what the five systems had. A row may change its words and its status, never be lost."""


@attrs.frozen
class Row:
    number: str
    theirs: str
    here: str
    status: str

    @property
    def promised(self):
        """What is said of the time to come; all of it where nothing is there already."""
        return "" if self.status == "built" else self.here.partition(SO_FAR)[0]

    @property
    def claimed(self):
        """What is said to be there."""
        return self.here if self.status == "built" else self.here.partition(SO_FAR)[2]


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


TABLE = [
    Row(*cells(line))
    for line in (DOCS / "migrating.md").read_text("utf-8").splitlines()
    if re.match(r"\| \d+\.\d+ \|", line)
]
EVERY = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.number)


def spans(text):
    return re.findall(r"`([^`]+)`", text)


# -- whether something that is written is there ----------------------------------------------------


class MissingError(Exception):
    """What a page names and nobody has."""


@attrs.frozen
class Typed:
    """Some object of a class; None where nothing more is known of it."""

    cls: type | None


CLIENT = Client(Settings.empty())
REGISTRY = CLIENT.registry
OBJECTS = {
    "client": CLIENT,
    "registry": REGISTRY,
    "reply": Typed(anymodal.TextResult),
    "stream": Typed(TextStream),
    "session": Typed(RealtimeSession),
    "job": Typed(anymodal.Job),
    "offer": Typed(Offer),
    "model": Typed(anymodal.ModelSpec),
    "health": Typed(anymodal.Health),
    "anymodal": anymodal,
}
KINDS = {modality.name for modality in BUILT_IN}
REFERENCE = "".join(page.read_text("utf-8") for page in sorted(DOCS.glob("reference/*.md")))
WORDS = {
    *spans(re.sub(r"```.*?```", "", REFERENCE, flags=re.DOTALL)),
    *(one for modality in BUILT_IN for one in modality.capabilities),
}
"""Settings, variables, codes and abilities: what is documented is what is there."""


def check(span):
    """Raise `MissingError` where *span*, of whatever shape, names what is not there."""
    if span.startswith("["):
        check_settings(span)
    elif span.startswith("anymodal "):
        check_command(span)
    elif span.startswith("anymodal-"):
        check_distribution(span)
    elif span.startswith("anymodal_") and span.isidentifier():
        need(hasattr(hookspecs, span), f"no hook {span}")
    elif span not in WORDS and not any(span == one.model.id for one in models()):
        check_expression(span.removeprefix("async with "))


def need(is_there, what):
    if not is_there:
        raise MissingError(what)


@functools.cache
def models():
    return REGISTRY.models()


@functools.cache
def providers(kind):
    return REGISTRY.providers(kind)


def check_settings(span):
    found = tomllib.loads(span.replace("] ", "]\n", 1))
    for instance in found.get("instances", {}).values():
        need("provider" in instance, "an instance without its provider")
    try:
        Registry(Settings.from_mapping(found)).providers()
    except errors.SettingsError as error:
        raise MissingError(str(error)) from error


@functools.cache
def helped(*words):
    """Return what `--help` says of a command."""
    command = [sys.executable, "-m", "anymodal", *words, "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    need(done.returncode == 0, f"no command {' '.join(words)}")
    return done.stdout


def check_command(span):
    words = span.split()[1:]
    options = [word for word in words if word.startswith("--")]
    text = helped(*words[: words.index(options[0])] if options else words)
    for option in options:
        need(option in text, f"no option {option}")


def check_distribution(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingError(name) from error


def check_expression(span):
    if re.match(r"\w+=", span):  # an argument of calls
        span = f"client.text.generate({span})"
    try:
        tree = ast.parse(span, mode="eval").body
    except SyntaxError as error:
        msg = f"{span!r} is of no known shape"
        raise MissingError(msg) from error
    value_of(tree)


def value_of(node):
    """Return what *node* stands for; arguments are looked into for calls alone."""
    match node:
        case ast.Name(id=name):
            return named(name)
        case ast.Attribute(value=base, attr=name):
            return attribute(value_of(base), name)
        case ast.Call(func=func, args=args, keywords=keywords):
            called = value_of(func)
            check_arguments(called, keywords)
            check_names(ast.unparse(func), keywords)
            for argument in [*args, *(keyword.value for keyword in keywords)]:
                for inner in ast.walk(argument):
                    if isinstance(inner, ast.Call):
                        value_of(inner)
            return returned(called)
    msg = f"{ast.unparse(node)!r} is of no known shape"
    raise MissingError(msg)


def named(name):
    if name in OBJECTS:
        return OBJECTS[name]
    if name.startswith("anymodal_"):
        return module(name)
    need(name in anymodal.__all__ or name in errors.__all__, f"nothing is called {name}")
    return getattr(anymodal if name in anymodal.__all__ else errors, name)


def attribute(base, name):
    if base is CLIENT and name in KINDS:
        need(providers(name), f"nobody serves {name}")
    if not isinstance(base, Typed):
        if isinstance(base, types.ModuleType) and not hasattr(base, name):
            return module(f"{base.__name__}.{name}")
        if not hasattr(base, name) and isinstance(base, type):
            need(name in inspect.signature(base).parameters, f"{base!r} has no {name}")
            return Typed(None)
        need(hasattr(base, name), f"{base!r} has no {name}")
        return getattr(base, name)
    need(base.cls is not None, f"nothing is known of what has {name}")
    need(hasattr(base.cls, name) or name in hints(base.cls), f"{base.cls.__name__} has no {name}")
    found = getattr(base.cls, name, None)
    if callable(found):
        return found
    getter = getattr(found, "fget", None)
    return typed(hints(getter).get("return") if getter else hints(base.cls).get(name))


def module(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingError(name) from error


PUBLIC = {name: getattr(anymodal, name) for name in anymodal.__all__}
"""What modules may import for type checkers alone."""


def hints(what):
    try:
        return typing.get_type_hints(what, localns=PUBLIC)
    except (NameError, TypeError):  # names that only type checkers see; objects without hints
        return {}


def typed(hint):
    """Return an object of the first class that *hint* has."""
    for one in (hint, *typing.get_args(hint)):
        cls = typing.get_origin(one) or one
        if isinstance(cls, type) and cls not in {type(None), types.UnionType}:
            return Typed(cls)
    return Typed(None)


def returned(called):
    if isinstance(called, type):
        return Typed(called)
    return typed(hints(called).get("return"))


def check_arguments(called, keywords):
    taken = inspect.signature(called).parameters
    for keyword in keywords:
        need(keyword.arg in taken, f"{called!r} takes no {keyword.arg}")


def check_names(func, keywords):
    """Names of models, voices and providers have to be somebody's."""
    found = re.match(r"client\.(\w+)\.", func)
    kind = found[1] if found and found[1] in KINDS else None
    for keyword in keywords:
        if kind and keyword.arg in {"model", "voice", "embedding", "sparse"}:
            for one in ast.walk(keyword.value):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    check_named(keyword.arg, one.value, kind)
        if keyword.arg == "provider" and isinstance(keyword.value, ast.Constant):
            ids = {offer.spec.id for offer in providers(None)}
            need(keyword.value.value in ids, f"no provider {keyword.value.value}")


def check_named(argument, name, kind):
    if argument == "voice":
        check_voice(name)
    else:
        check_name(name, kind if argument == "model" else "embedding")


def check_name(name, kind):
    for row in rows_of(REGISTRY.explain(name, modality=kind)):
        need(row.model.listed or not row.offer.models, f"no table has {name}")


def check_voice(name):
    for row in rows_of(REGISTRY.explain(None, modality="speech", voice=name)):
        word = name.removeprefix(f"{row.offer.instance}/")
        known = {one for voice in row.offer.spec.voices for one in (voice.id, voice.name)}
        need(word in known, f"no table has the voice {name}")


def rows_of(decision):
    unknown = errors.UnknownProviderError | errors.UnknownModelError
    need(not isinstance(decision.error, unknown), str(decision.error))
    return decision.rows


# -- the page ------------------------------------------------------------------------------------


def test_every_row_is_there_once():
    """Nothing that somebody relied on is lost on the way."""
    numbers = [row.number for row in TABLE]

    assert len(numbers) == len(set(numbers))
    assert set(numbers) == ROWS


def test_rows_stand_in_their_sections_in_order():
    """Readers look a row up by its number."""
    sections = re.split(
        r"^## (\d)\.", (DOCS / "migrating.md").read_text("utf-8"), flags=re.MULTILINE
    )[1:]

    for section, text in zip(sections[::2], sections[1::2], strict=True):
        found = [int(n) for n in re.findall(rf"^\| {section}\.(\d+) \|", text, flags=re.MULTILINE)]
        assert found == sorted(found)
        assert len(found) == sum(one.startswith(f"{section}.") for one in ROWS)


@EVERY
def test_row_is_complete(row):
    """Theirs, ours, and one of two words; what is built promises nothing."""
    assert row.theirs
    assert row.here
    assert row.status in {"built", "not yet"}
    assert row.status == "not yet" or SO_FAR not in row.here


@EVERY
def test_what_is_claimed_is_there(row):
    """Names, methods, arguments, models, settings, hooks and commands, looked up as written."""
    for span in spans(row.claimed):
        check(span)


@EVERY
def test_what_is_promised_is_not_there_yet(row):
    """Once it is there the row says so: change it to `built`, or move it to what is already."""
    for span in spans(row.promised):
        with pytest.raises(MissingError):
            check(span)
        for kind, name in re.findall(r'client\.(\w+)\..*?(?:model|voice)="([\w-]+)', span):
            assert name not in {offer.spec.id for offer in providers(kind)}  # whatever its models


@pytest.mark.parametrize(
    "span",
    [
        "client.nonsense()",
        "client.text.nonsense(prompt)",
        'client.text.generate(prompt, nonsense="high")',
        'client.text.generate(prompt, model="nobody/nothing")',
        'client.text.generate(prompt, model="openai/gpt-0")',
        "client.text.generate(prompt, options=[Nonsense()])",
        'model=["openai", "nobody"]',
        'client.speech.synthesize(words, voice="elevenlabs/Nobody")',
        'client.speech.synthesize(words, voice="nobody/Rachel")',
        'client.retrieval.create("notes", embedding="openai/text-embedding-0")',
        'client.retrieval.create("notes", sparse="lexical/nonsense")',
        "session.nonsense()",
        "reply.nonsense",
        "reply.record.nonsense",
        "reply.record.cost.nonsense",
        "Nonsense",
        "ModelSpec(nonsense=1)",
        "anymodal.nonsense.Class",
        "anymodal_nonsense_providers",
        "anymodal-nonsense",
        "anymodal nonsense",
        "anymodal models --nonsense",
        "[nonsense] key = 1",
        "[providers.openai] rate_limit = 'many'",
        "nonsense",
        "no shape",
    ],
)
def test_the_look_up_finds_what_is_missing(span):
    """Else the tests above could not fail."""
    with pytest.raises(MissingError):
        check(span)
