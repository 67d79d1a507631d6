"""
Writes the sync faces, `anymodal.sync`, from the async ones, `anymodal.facades`.

    python tools/make_sync.py           writes them
    python tools/make_sync.py --check   fails where they are not what would be written

What `Client` gives gets a twin, and so does what that returns, as far as there is
something to await: the same signatures without `async`, each method running its
namesake on the client's kept loop.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypeGuard

CORE: Final = Path(__file__).parents[1] / "core" / "src" / "anymodal"
HAND_WRITTEN: Final = {"__init__.py", "client.py", "face.py"}
WIDTH: Final = 100
DUNDERS: Final = {
    "aclose": "close",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}
LEFT_OUT: Final = {"bind", "call", "sync_face", "take", "turns"}
"""What facades have for the core, not for callers; and turns, which are heard while one answers."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """A module of the async face: its classes that get twins, and where its names are from."""

    def __init__(self, path: Path) -> None:
        self.module = path.stem
        self.tree = ast.parse(path.read_text("utf-8"))
        self.imports: dict[str, str] = {}
        self.typing_only: set[str] = set()
        self._read_imports(self.tree.body, typing_only=False)
        self.classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef)]
        self.imports |= dict.fromkeys(_defined(self.tree), f"..facades.{self.module}")

    def _read_imports(self, body: Iterable[ast.stmt], *, typing_only: bool) -> None:
        for node in body:
            if isinstance(node, ast.ImportFrom):
                level = node.level + (node.level == 1)  # siblings there are cousins here
                room = "facades." if node.level == 1 else ""
                module = "." * level + room + (node.module or "")
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = module
                    if typing_only:
                        self.typing_only.add(alias.name)
            elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                self._read_imports(node.body, typing_only=True)


def _defined(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def with_twins(client: ast.Module, sources: list[Source]) -> list[Source]:
    """Return *sources* with those of their classes that get twins, and those that have any."""
    every = {one.name: one for source in sources for one in source.classes}
    found = _returned(one for one in client.body if isinstance(one, ast.ClassDef)) & every.keys()
    seen: set[str] = set()
    while found != seen:
        seen, found = found, found | (_returned(every[name] for name in found) & every.keys())
    kept: set[str] = set()
    needed = {name for name in found if any(_is_awaited(node) for node in every[name].body)}
    while needed != kept:
        kept, needed = needed, needed | {one for one in found if _returned([every[one]]) & needed}
    for source in sources:
        source.classes = [one for one in source.classes if one.name in kept]
    return [source for source in sources if source.classes]


def _returned(classes: Iterable[ast.ClassDef]) -> set[str]:
    """Return the names in what public methods and properties return."""
    methods = [node for one in classes for node in one.body if _is_public(node)]
    return {word for node in methods for word in _words(node.returns)}


def _is_public(node: ast.stmt) -> TypeGuard[Function]:
    return isinstance(node, Function) and not (node.name[0] == "_" or node.name in LEFT_OUT)


def _is_awaited(node: ast.stmt) -> bool:
    return _is_public(node) and isinstance(node, ast.AsyncFunctionDef)


def _words(node: ast.expr | None) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", ast.unparse(node))) if node else set()


class Writer:
    """Writes the twins of one source's classes."""

    def __init__(self, source: Source, homes: dict[str, str]) -> None:
        self.source = source
        self.homes = homes
        self.used: set[str] = set()
        self.words = re.compile(rf"\b({'|'.join(sorted(homes))})\b")

    def module(self) -> str:
        """Return the module's text."""
        bodies = [line for one in self.source.classes for line in ("", "", *self.twin(one))]
        exported = ", ".join(f'"Sync{one.name}"' for one in self.source.classes)
        said = ast.get_docstring(self.source.tree) or ""
        lines = [
            '"""',
            f"{said.splitlines()[0].rstrip('.')}, without `await`.",
            "",
            f"Written by tools/make_sync.py, from facades/{self.source.module}.py.",
            '"""',
            "",
            "from __future__ import annotations",
            "",
            *self.import_lines(),
            "",
            f"__all__ = [{exported}]",
            *bodies,
        ]
        return "\n".join(lines) + "\n"

    def prose(self, text: str) -> str:
        """Return documentation as it reads without `await`."""
        text = text.replace("async with", "with").replace("async for", "for")
        text = re.sub(r"\bawait (?=\w+[(.])", "", text)
        return self.words.sub(r"Sync\1", text)

    def annotation(self, node: ast.expr | None) -> str:
        """Return a type as it is in the sync face."""
        text = ast.unparse(node) if node else "None"
        text = self.words.sub(r"Sync\1", text.replace("AsyncIterator", "Iterator"))
        self.used |= set(re.findall(r"[A-Za-z_]\w*", text))
        return text.replace("'", '"')

    # -- classes ------------------------------------------------------------------------

    def twin(self, one: ast.ClassDef) -> Iterator[str]:
        """Give the lines of the twin of *one*."""
        self.used |= {one.name, "Face"}
        generic = next((text for base in one.bases if "Generic" in (text := ast.unparse(base))), "")
        self.used |= set(re.findall(r"\w+", generic))
        inner = one.name + generic.removeprefix("Generic")
        bases = f"Face[{inner}], {generic}" if generic else f"Face[{inner}]"
        yield f"class Sync{one.name}({bases}):"
        yield from _indented(_quoted(self.prose(ast.get_docstring(one) or "")))
        yield ""
        yield "    __slots__ = ()"
        for node in one.body:
            if isinstance(node, Function):
                if node.name == "__init__":
                    yield from self.attributes(one, node)
                elif node.name in DUNDERS or _is_public(node):
                    yield ""
                    yield from _indented(self.member(node))

    def attributes(self, one: ast.ClassDef, init: Function) -> Iterator[str]:
        """Give properties for what `__init__` sets for everybody."""
        given = {arg.arg: arg.annotation for arg in (*init.args.args, *init.args.kwonlyargs)}
        said = dict(re.findall(r"^    (\w+): (.+)$", ast.get_docstring(one) or "", re.MULTILINE))
        for node in init.body:
            if not isinstance(node, ast.Assign | ast.AnnAssign):
                continue
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            match = re.fullmatch(r"self\.([a-z]\w*)", ast.unparse(target))
            if match is None:
                continue
            name = match[1]
            kind = given.get(name) if isinstance(node, ast.Assign) else node.annotation
            if kind is None and isinstance(node.value, ast.Call):
                kind = node.value.func
            yield from _indented(self.attribute(name, self.annotation(kind), said.get(name)))

    def attribute(self, name: str, kind: str, said: str | None) -> Iterator[str]:
        """Give the lines of a property that can be set."""
        doc = said or f"The argument *{name}*."
        yield from ("", "@property", f"def {name}(self) -> {kind}:")
        yield from _indented([f'"""{doc}"""', f"return self._inner.{name}"])
        yield from ("", f"@{name}.setter", f"def {name}(self, value: {kind}) -> None:")
        yield f"    self._inner.{name} = value"

    def member(self, node: Function) -> Iterator[str]:
        """Give the lines of one method or property."""
        is_property = any(ast.unparse(line) == "property" for line in node.decorator_list)
        returns = self.annotation(node.returns)
        if is_property:
            yield "@property"
        name = DUNDERS.get(node.name, node.name)
        arguments = [*self.parameters(node.args)]
        yield from _laid_out(f"def {name}(", arguments, f") -> {returns}:", 4)
        doc = ast.get_docstring(node)
        if doc:
            yield from _indented(_quoted(self.prose(doc)))
        yield from _indented(self.body(node, returns, is_property=is_property))

    def body(self, node: Function, returns: str, *, is_property: bool) -> Iterator[str]:
        """Give what a method does: its namesake, on the loop where that has to be awaited."""
        own = f"self._inner.{node.name}"
        call = own if is_property else f"{own}({', '.join(_passed_on(node.args))})"
        if node.name == "__aiter__":
            yield "return self"
            return
        if node.name == "__anext__":
            yield "found = self._inner.take()"
            yield "return self._loop.next(self._inner) if found is None else found"
            return
        lead = "" if returns in {"None", "Self"} else "return "
        around = "{}"
        if isinstance(node, ast.AsyncFunctionDef):
            around = "self._loop.run({})"
        elif returns.startswith("Iterator"):
            around = "self._loop.each({})"
        if twin := re.match(r"Sync\w+", returns):
            around = f"{twin[0]}({around}, self._loop)"
        if len(lead + around.format(call)) <= WIDTH - 8:
            yield lead + around.format(call)
        elif around == "{}":
            yield from _wrapped(lead, call)
        else:
            yield from _wrapped("inner = ", call)
            yield lead + around.format("inner")
        if returns == "Self":
            yield "return self"

    def parameters(self, args: ast.arguments) -> Iterator[str]:
        """Give the parameters of a signature."""
        plain = [None] * (len(args.args) - len(args.defaults)) + list(args.defaults)
        for arg, default in zip(args.args, plain, strict=True):
            yield self.parameter(arg, default)
        if args.kwonlyargs:
            yield "*"
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            yield self.parameter(arg, default)

    def parameter(self, arg: ast.arg, default: ast.expr | None) -> str:
        """Return one parameter with its type and its default."""
        if arg.annotation is None:
            return arg.arg
        value = "" if default is None else f" = {ast.unparse(default)}".replace("'", '"')
        return f"{arg.arg}: {self.annotation(arg.annotation)}{value}"

    # -- imports ------------------------------------------------------------------------

    def import_lines(self) -> Iterator[str]:
        """Give the imports of all names that were used."""
        known = dict(self.source.imports)
        known |= {one.name: f"..facades.{self.source.module}" for one in self.source.classes}
        known |= {"Face": ".face", "Iterator": "collections.abc"}
        here = {f"Sync{one.name}" for one in self.source.classes}
        known |= {f"Sync{name}": f".{home}" for name, home in self.homes.items()}
        run_time: dict[str, set[str]] = {}
        typing: dict[str, set[str]] = {}
        for name in self.used & known.keys() - here:
            kind = typing if name in self.source.typing_only else run_time
            kind.setdefault(known[name], set()).add(name)
        if typing:
            run_time.setdefault("typing", set()).add("TYPE_CHECKING")
        yield from _imports(run_time)
        if typing:
            yield from ("", "if TYPE_CHECKING:", *_indented(_imports(typing)))


def _passed_on(args: ast.arguments) -> Iterator[str]:
    yield from (arg.arg for arg in args.args if arg.arg != "self")
    yield from (f"{arg.arg}={arg.arg}" for arg in args.kwonlyargs)


def _imports(modules: dict[str, set[str]]) -> Iterator[str]:
    """Give import statements as the linter sorts them."""
    section = None
    for module in sorted(modules, key=lambda one: (-one.count("..") if one[0] == "." else -9, one)):
        if section not in {None, module[0] == "."}:
            yield ""
        section = module[0] == "."
        names = sorted(modules[module], key=lambda one: (not (one.isupper() and len(one) > 1), one))
        yield from _laid_out(f"from {module} import ", names, "", 0, parenthesised=False)


def _laid_out(
    start: str, parts: list[str], end: str, indent: int, *, parenthesised: bool = True
) -> Iterator[str]:
    """Give a list on one line, on one of its own, or on one each, as the formatter does."""
    on_one = ", ".join(parts)
    if len(start) + len(on_one) + len(end) + indent <= WIDTH:
        yield f"{start}{on_one}{end}"
        return
    yield start if parenthesised else f"{start}("
    if parenthesised and len(on_one) + indent + 4 <= WIDTH:
        yield f"    {on_one}"
    else:
        yield from (f"    {part}," for part in parts)
    yield end if parenthesised else ")"


def _wrapped(start: str, call: str) -> Iterator[str]:
    """Give a call with many arguments on few lines, which the formatter leaves alone."""
    opening, _, arguments = call.partition("(")
    yield f"{start}{opening}("
    yield from textwrap.wrap(
        f"{arguments.removesuffix(')')},",
        WIDTH - 12,
        initial_indent="    ",
        subsequent_indent="    ",
    )
    yield ")  # fmt: skip"


def _quoted(text: str) -> Iterator[str]:
    lines = text.splitlines()
    if len(lines) == 1:
        yield f'"""{text}"""'
    else:
        yield from ('"""', *lines, '"""')


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" if line else "" for line in lines)


def modules() -> dict[Path, str]:
    """Return the text of each module to be written."""
    paths = sorted((CORE / "facades").glob("*.py"))
    client = ast.parse((CORE / "client.py").read_text("utf-8"))
    sources = with_twins(client, [Source(path) for path in paths])
    homes = {one.name: source.module for source in sources for one in source.classes}
    return {
        CORE / "sync" / f"{source.module}.py": Writer(source, homes).module() for source in sources
    }


def main() -> int:
    """Write or check the modules."""
    wanted = modules()
    stale = [path for path, text in wanted.items() if _content(path) != text]
    left = {path for path in (CORE / "sync").glob("*.py") if path.name not in HAND_WRITTEN}
    gone = sorted(left - wanted.keys())
    if "--check" not in sys.argv[1:]:
        for path in stale:
            path.write_text(wanted[path], "utf-8")
        for path in gone:
            path.unlink()
        return 0
    if stale or gone:
        names = ", ".join(path.name for path in (*stale, *gone))
        sys.stderr.write(f"stale: {names}. Run: python tools/make_sync.py\n")
    return 1 if stale or gone else 0


def _content(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
