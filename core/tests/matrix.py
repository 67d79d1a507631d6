"""Kinds of broken plugins, as data: what is installed, what becomes of it, and what is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Final

import attrs
from anymodal._version import __version__

__all__ = ["CASES", "HEALTHY", "PAGE", "WRITE", "Case", "install", "page"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "isolation.md"
WRITE: Final = "ISOLATION_PAGE"
"""Variable of the environment that has the page written instead of compared."""

HEALTHY: Final = """
from anymodal import Finish, ModelSpec, TextDelta, TextProviderSpec, Usage, hookimpl, streaming

class Healthy:
    @streaming
    async def stream(self, request):
        yield TextDelta("Hello from ID.")
        yield Finish("stop", Usage(input_tokens=1, output_tokens=1))

@hookimpl
def anymodal_text_providers():
    yield TextProviderSpec(
        id="ID", display_name="ID", kind="local", models=[ModelSpec(id="m-1")], default_model="m-1",
        connect=lambda connection: Healthy(),
    )
"""

_HEAD: Final = """
from anymodal import *
from anymodal import Capabilities, Modality, ProviderSpec

def spec(id="ID", **fields):
    fields = {"display_name": "ID", "kind": "local", "connect": print, **fields}
    return TextProviderSpec(id=id, **fields)
"""


@attrs.frozen(kw_only=True)
class Case:
    """
    A distribution, and what becomes of it.

    Attributes:
        id: Name of its entry point; it is called `anymodal-<id>`.
        is_when: What is wrong, in words.
        code: Of its module; None where there is none.
        state: What `anymodal plugins` shows.
        what: What is said of it, between its name and the remedy; or, of other states
            than broken and where `whole`, all that is said.
        points: The lines of its entry points; its own by default.
        requires: Its requirement.
        metadata: The content of `METADATA`, if not what installers write.
        rival: Name of a second distribution that declares the same entry point.
        in_child: It hangs or ends the process that imports it, so that only a child may.
        unix: It needs what only Unix has.
    """

    id: str
    is_when: str
    code: str | None = ""
    state: str = "broken"
    what: str = ""
    whole: bool = False
    points: str | bytes = ""
    requires: str = ""
    metadata: bytes | None = b""
    rival: str = ""
    in_child: bool = False

    @property
    def distribution(self) -> str:
        """Its name, as far as its metadata can be read."""
        return (
            f"anymodal-{self.id}" if self.is_readable else f"anymodal_{self.id.replace('-', '_')}"
        )

    @property
    def is_readable(self) -> bool:
        """Whether its metadata say its name."""
        return not isinstance(self.points, bytes) and self.metadata == b""

    @property
    def module(self) -> str:
        """Its module."""
        return f"anymodal_{self.id.replace('-', '_')}"

    @property
    def sentence(self) -> str | None:
        """What is said of it, word by word."""
        if self.state == "loaded":
            return None
        if self.whole or self.state != "broken":
            return self.what
        name = self.distribution
        remedy = "" if ". " in self.what else f". Try: pip install -U {name}"
        return f"{name} 1.0 cannot be loaded: {self.what}{remedy}; or set ANYMODAL_DISABLE_PLUGINS={name}"


def install(folder: Path, case: Case) -> None:
    """Put *case* into *folder*, as an installer would."""
    if case.code is not None:
        code = dedent(case.code).replace("ID", case.id)
        (folder / f"{case.module}.py").write_text(code, "utf-8")
    for name in filter(None, (f"anymodal-{case.id}", case.rival)):
        metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
        metadata.mkdir()
        usual = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
        usual += f"Requires-Dist: {case.requires}\n" if case.requires else ""
        if case.metadata is not None:
            (metadata / "METADATA").write_bytes(case.metadata or usual.encode())
        points = case.points or f"{case.id} = {case.module}"
        points = points if isinstance(points, bytes) else points.encode()
        (metadata / "entry_points.txt").write_bytes(b"[anymodal]\n" + points + b"\n")


def _hook(body: str, name: str = "anymodal_text_providers", arguments: str = "") -> str:
    return f"{_HEAD}\n@hookimpl\ndef {name}({arguments}):\n{indent(dedent(body), '    ')}\n"


def _object(members: str) -> str:
    """Return the code of a module that puts an object with *members* in its place."""
    return (
        f"{_HEAD}\nimport sys\n\nclass Plugin:\n{indent(dedent(members), '    ')}\n"
        "    @hookimpl\n    def anymodal_text_providers(self):\n        return [spec(connect=print)]\n"
        "\nsys.modules[__name__] = Plugin()\n"
    )


_HARMLESS: Final = _hook("return [spec()]")

IMPORTING: Final = (
    Case(id="missing-module", is_when="imports a module that is not installed", code="import no_such_module", what="it needs the module 'no_such_module', which is not installed"),
    Case(id="missing-library", is_when="loads a C library that the system does not have", code="import ctypes; ctypes.CDLL('libno_such.so.1')", what="it needs the library libno_such.so.1, which this system does not have. Install that"),
    Case(id="missing-library-of-extension", is_when="has an extension in C whose library is not there", code="raise ImportError('libno_such.so.1: cannot open shared object file: No such file or directory')", what="it needs the library libno_such.so.1, which this system does not have. Install that"),
    Case(id="missing-name", is_when="imports a name that its library no longer has", code="from anymodal import nothing", what="ImportError: cannot import name 'nothing' from 'anymodal' (CORE)"),
    Case(id="syntax", is_when="has a syntax error", code="def broken(:", what="SyntaxError: invalid syntax (anymodal_syntax.py, line 1)"),
    Case(id="encoding", is_when="is in an encoding that Python does not know", code="# coding: no-such\n", what="SyntaxError: unknown encoding: no-such (anymodal_encoding.py, line 0)"),
    Case(id="raises", is_when="raises", code="1 / 0", what="ZeroDivisionError: division by zero"),
    Case(id="exits", is_when="calls `sys.exit`", code="import sys; sys.exit(3)", what="it tried to end the program (SystemExit: 3)"),
    Case(id="base-exception", is_when="raises a BaseException", code="raise BaseException('no')", what="BaseException: no"),
    Case(id="own-interrupt", is_when="raises KeyboardInterrupt, when nobody pressed Ctrl-C", code="raise KeyboardInterrupt", what="KeyboardInterrupt"),
    Case(id="recursion", is_when="recurses without end", code="def f(): f()\nf()", what="RecursionError: maximum recursion depth exceeded"),
    Case(id="speechless", is_when="raises an exception that exits when it is printed", code="class Mute(Exception):\n    def __str__(self): raise SystemExit\nraise Mute", what="Mute"),
    Case(id="never-returns", is_when="never returns", code="import time\nwhile True: time.sleep(1)", what="importing it takes longer than 10 s", in_child=True),
    Case(id="ends-process", is_when="ends the process without a word (`os._exit`)", code="import os; os._exit(3)", what="it ends the program with status 3", in_child=True),
    Case(id="crashes", is_when="crashes Python", code="import faulthandler; faulthandler.disable(); faulthandler._sigsegv()", what="it ends the program by SIGSEGV", in_child=True),
)  # fmt: skip

DOING: Final = (
    Case(id="prints", is_when="prints, by `print` and past Python", state="loaded", code="import os, sys\nprint('printed')\nos.write(1, b'written')\nsys.stdout.write('said')\n" + _HARMLESS),
    Case(id="prints-at-exit", is_when="prints when Python ends", state="loaded", code="import atexit\natexit.register(print, 'at the end')\n" + _HARMLESS),
    Case(id="starts-a-thread", is_when="starts a thread that never ends", state="loaded", code="import threading\nthreading.Thread(target=threading.Event().wait).start()\n" + _HARMLESS, in_child=True),
    Case(id="starts-a-daemon", is_when="starts a thread that prints on and on", state="loaded", code="import threading, time\ndef talk():\n    while True: print('on'); time.sleep(0.01)\nthreading.Thread(target=talk, daemon=True).start()\n" + _HARMLESS, in_child=True),
    Case(id="opens-a-socket", is_when="opens a socket and keeps it", state="loaded", code="import socket\nkept = socket.socket()\nkept.bind(('127.0.0.1', 0))\nkept.listen()\n" + _HARMLESS, in_child=True),
    Case(id="sleeps", is_when="sleeps", state="loaded", code="import time\ntime.sleep(0.3)\n" + _HARMLESS),
    Case(id="takes-signals", is_when="ignores Ctrl-C from then on", state="loaded", code="import signal, threading\nif threading.current_thread() is threading.main_thread():\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + _HARMLESS),
)  # fmt: skip

DECLARING: Final = (
    Case(id="no-such-module", is_when="names a module that is not there", code=None, what="there is no module 'anymodal_no_such_module', which its entry point names"),
    Case(id="object", is_when="names an object instead of a module", points="object = anymodal_object:plugin", code=_HARMLESS, whole=True, what="anymodal-object 1.0: an entry point in the group anymodal names a module, not 'anymodal_object:plugin'."),
    Case(id="twice", is_when="names two modules for one id", points="twice = one\ntwice = two", whole=True, what="anymodal-twice 1.0: it declares 'twice' twice, as one and two."),
    Case(id="capital", is_when="declares an id with a capital", points="Openai = anymodal_capital", code=_HARMLESS, whole=True, what="anymodal-capital 1.0: 'Openai' is no id; ids are lower-case words joined by hyphens."),
    Case(id="confusable", is_when="declares an id with a look-alike letter (a Cyrillic one)", points="\u043epenai = anymodal_confusable", code=_HARMLESS, whole=True, what="anymodal-confusable 1.0: '\u043epenai' is no id; ids are lower-case words joined by hyphens."),
    Case(id="path", is_when="declares a path as its id", points="../openai = anymodal_path", code=_HARMLESS, whole=True, what="anymodal-path 1.0: '../openai' is no id; ids are lower-case words joined by hyphens."),
    Case(id="dots", is_when="declares an id with dots", points="open.ai = anymodal_dots", code=_HARMLESS, whole=True, what="anymodal-dots 1.0: 'open.ai' is no id; ids are lower-case words joined by hyphens."),
    Case(id="undecodable", is_when="has entry points that cannot be decoded", points=b"undecodable = \xff", whole=True, what="anymodal_undecodable: its metadata cannot be read (UnicodeDecodeError). Try: pip install --force-reinstall anymodal_undecodable"),
    Case(id="no-metadata", is_when="has lost its METADATA", metadata=None, code=_HARMLESS, whole=True, what="anymodal_no_metadata: its metadata cannot be read (MetadataNotFound). Try: pip install --force-reinstall anymodal_no_metadata"),
    Case(id="damaged-metadata", is_when="has a damaged METADATA", metadata=b"\xff\xfe", code=_HARMLESS, whole=True, what="anymodal_damaged_metadata: its metadata cannot be read (UnicodeDecodeError). Try: pip install --force-reinstall anymodal_damaged_metadata"),
    Case(id="newer", is_when="is for a newer core", requires="anymodal>=99", code="1 / 0", state="incompatible", what=f"anymodal-newer 1.0 needs anymodal>=99, and this is {__version__}. Try: pip install -U anymodal-newer anymodal"),
    Case(id="older", is_when="is for an older core", requires="anymodal<0.0.1", code="1 / 0", state="incompatible", what=f"anymodal-older 1.0 needs anymodal<0.0.1, and this is {__version__}. Try: pip install -U anymodal-older anymodal"),
    Case(id="rival", is_when="is one of two that declare an id; the other is not called after it", rival="our-fork", state="loaded", code=_HARMLESS),
)  # fmt: skip

HOOKS: Final = (
    Case(id="no-hooks", is_when="has no hooks, as a folder that was left behind has none", code="", what="it has no hooks, so it offers nothing; its code may be gone"),
    Case(id="misspelt", is_when="misspells a hook", code=_hook("return []", "anymodal_txt_providers"), what="PluginValidationError: unknown hook 'anymodal_txt_providers' in plugin ITSELF"),
    Case(id="unmarked", is_when="does not mark a hook", code=_HEAD + "def anymodal_text_providers(): return [spec()]", what="TypeError: anymodal_text_providers is not marked with @anymodal.hookimpl"),
    Case(id="arguments", is_when="has a hook with arguments that nobody gives", code=_hook("return []", arguments="client"), what="PluginValidationError: Plugin 'it' for hook 'anymodal_text_providers' hookimpl definition: anymodal_text_providers(client) Argument(s) {'client'} are declared in the hookimpl but can not be found in the hookspec"),
    Case(id="hook-raises", is_when="has a hook that raises", code=_hook("raise OSError('no')"), what="OSError: no"),
    Case(id="raises-late", is_when="has a hook that raises after its first spec", code=_hook("yield spec()\nraise OSError('late')"), what="OSError: late"),
    Case(id="none", is_when="has a hook that returns None", code=_hook("pass"), what="TypeError: anymodal_text_providers: an iterable of TextProviderSpec is needed, not NoneType"),
    Case(id="int", is_when="has a hook that returns a number", code=_hook("return 7"), what="TypeError: anymodal_text_providers: an iterable of TextProviderSpec is needed, not int"),
    Case(id="coroutine", is_when="has an asynchronous hook", code=_hook("return []").replace("def any", "async def any"), what="TypeError: anymodal_text_providers: an iterable of TextProviderSpec is needed, not coroutine"),
    Case(id="endless", is_when="gives specs without end", code=_hook("while True: yield spec()"), what="ValueError: anymodal_text_providers: it gives more than 1000 items"),
    Case(id="wrong-class", is_when="gives specs of another class", code=_hook("return [ModelSpec(id='m-1')]"), what="TypeError: anymodal_text_providers: TextProviderSpec is needed, not ModelSpec"),
    Case(id="anothers-id", is_when="gives a spec with another's id", code=_hook("return [spec('aaa')]"), what="ValueError: anymodal_text_providers: the id 'aaa' is not its own; it declares anothers-id"),
    Case(id="id-is-a-path", is_when="gives a spec whose id is a path", code=_hook("return [spec('../aaa')]"), what="ValueError: id: '../aaa' is not lower-case words joined by hyphens"),
    Case(id="id-looks-alike", is_when="gives a spec whose id looks like another's", code=_hook("return [spec('\u0430\u0430\u0430')]"), what="ValueError: id: '\u0430\u0430\u0430' is not lower-case words joined by hyphens"),
    Case(id="id-in-capitals", is_when="gives a spec with another's id in capitals", code=_hook("return [spec('AAA')]"), what="ValueError: id: 'AAA' is not lower-case words joined by hyphens"),
    Case(id="anothers-emulator", is_when="gives an emulator for another's provider", code=_hook("return [EmulatorSpec(provider='aaa', app='a:b')]", "anymodal_emulators"), what="ValueError: anymodal_emulators: the id 'aaa' is not its own; it declares anothers-emulator"),
    Case(id="wrapper", is_when="wraps a registration hook of all plugins", code=_hook("return (yield)").replace("@hookimpl", "@hookimpl(wrapper=True)"), what="TypeError: anymodal_text_providers: only a host may wrap it"),
    Case(id="unhashable", is_when="is an object that cannot be hashed", state="loaded", code=_object("__hash__ = None")),
    Case(id="equal-to-all", is_when="is an object that is equal to everything", state="loaded", code=_object("def __eq__(self, other): return True")),
    Case(id="compares-badly", is_when="is an object whose comparison raises", state="loaded", code=_object("def __eq__(self, other): raise OSError('no')")),
    Case(id="attributes-raise", is_when="is an object whose attributes raise", code=_object("def __getattribute__(self, name): raise OSError(name)"), what="OSError: __dict__"),
    Case(id="module-getattr", is_when="is a module whose `__getattr__` raises", state="loaded", code="def __getattr__(name): raise OSError(name)\n" + _HARMLESS),
    Case(id="dir-raises", is_when="is a module that cannot be listed", code="def __dir__(): raise OSError('no')\n" + _HARMLESS, what="OSError: no"),
)  # fmt: skip

SECTIONS: Final = {
    "When it is imported": IMPORTING,
    "What it does beside that": DOING,
    "What it declares": DECLARING,
    "What its hooks are and give": HOOKS,
}
CASES: Final = {case.id: case for cases in SECTIONS.values() for case in cases}

_TOP: Final = """\
# Broken plugins, and what you see of them

Each row is a real distribution, installed beside healthy ones: alone in a registry, and all of them at once under the `anymodal` command. In every case the healthy ones
are listed and answer, in the same process; whoever asks for what the broken one would have given is told the sentence; `anymodal plugins` shows the sentence, and `anymodal doctor` as a fault;
and what `--json` prints is one JSON document, whatever plugins print. A Ctrl-C while a plugin is imported is yours, even where the plugin swallows it.

A plugin that hangs or ends its process can do so only to who imports it: `plugins` and `doctor` import each in a process of its own, and a call by an exact name, `provider/model`, imports that
one plugin. A listing, or a bare name, imports all; take a plugin that hangs out with `ANYMODAL_DISABLE_PLUGINS`. A damaged index is ignored and written anew.

This page is written by

    ISOLATION_PAGE=1 pytest core/tests/test_matrix.py

and compared whenever that runs without the variable.
"""


def page() -> str:
    """Return the table as a page."""
    return _TOP + "".join(_section(title, cases) for title, cases in SECTIONS.items())


def _section(title: str, cases: tuple[Case, ...]) -> str:
    rows = "".join(f"| {case.is_when} | {case.state} | {_shown(case)} |\n" for case in cases)
    return f"\n## {title}\n\n| the plugin | state | what is said |\n|---|---|---|\n{rows}"


def _shown(case: Case) -> str:
    said = (case.sentence or "").replace(__version__, "this version")
    return said.replace("|", "\\|").replace(" (CORE)", "").replace(" in plugin ITSELF", "")


def expected(case: Case, found: str | None) -> Iterator[tuple[str | None, str | None]]:
    """Give what is to be said of *case* and what was, without what differs among machines."""
    said = case.sentence
    for mark in (" (CORE)", " in plugin ITSELF"):
        if said and found and mark in said:
            before, after = said.split(mark)
            yield before, found[: len(before)]
            yield after, found[len(found) - len(after) :]
            return
    yield said, found
