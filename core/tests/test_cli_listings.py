"""`plugins`, `providers`, `models` and `explain`: their columns, and that JSON is nothing else."""

import datetime as dt
import json
import re
import time

import pytest

from .distributions import ACME, Site

KEY = {"ACME_KEY": "sk-1234567890"}
OLD = """
    from datetime import date
    from anymodal import Lifecycle, ModelSpec, Price, Prices, TextProviderSpec, hookimpl
    from anymodal.errors import ServerError


    class Old:
        async def stream(self, request): ...

        async def list_models(self):
            raise ServerError("old: HTTP 500", provider="old")


    @hookimpl
    def anymodal_text_providers():
        yield TextProviderSpec(
            id="old",
            display_name="Old",
            kind="local",
            priority=7,
            models=[
                ModelSpec(
                    id="old-1",
                    lifecycle=Lifecycle(state="retired", retires_on=date(2026, 1, 31), replacement="old-2"),
                ),
                ModelSpec(
                    id="a-model-with-a-very-long-name-[red]that-nobody-may-cut-" + "x" * 200,
                    prices=Prices([Price("input_token", 0), Price("output_token", 0)], "old.example", date(2026, 11, 20)),
                ),
            ],
            connect=lambda connection: Old(),
        )
"""
SILENT = """
    from anymodal import hookimpl

    @hookimpl
    def anymodal_text_providers():
        return []
"""
LOUD = (
    SILENT
    + """
    import atexit, os, subprocess, sys

    print("printed")
    os.write(1, b"written")
    subprocess.run([sys.executable, "-c", "print('from a child')"])
    atexit.register(print, "at the end")
"""
)


@pytest.fixture
def site(tmp_path):
    """A place where acme is installed."""
    found = Site(tmp_path)
    found.install("acme", ACME)
    return found


def rows(site, *words, status=0, env=None):
    """What the command prints as JSON."""
    ended = site.run(*words, "--json", env=env)

    assert status == ended.returncode, ended.stderr
    return json.loads(ended.stdout)


# -- all of them ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["plugins"], ["providers"], ["models"], ["explain", "acme-1"], ["doctor"]]
)
def test_document_is_all_that_is_on_standard_output(site, words):
    """Whatever plugins print, by whatever way, and also after the document."""
    site.install("loud", LOUD)
    found = rows(site, *words, env=KEY)

    assert isinstance(found, list)


@pytest.mark.parametrize("words", [["plugins"], ["providers"], ["models"], ["explain", "acme"]])
def test_piped_tables_are_plain_and_whole(site, words):
    """No colours, no frames, no blanks at the end; the columns are those of JSON."""
    columns = list(rows(site, *words, env=KEY)[0])
    ended = site.run(*words, env={**KEY, "FORCE_COLOR": "1", "COLUMNS": "20"})
    head, *lines = ended.stdout.splitlines()

    assert columns == head.split()
    assert all(line == line.rstrip() and line.isprintable() for line in (head, *lines))


def test_long_ids_are_never_cut(site):
    """Nor is what looks like markup taken for it."""
    site.install("old", OLD)
    ended = site.run("models", env={"COLUMNS": "40"})

    assert "a-model-with-a-very-long-name-[red]that-nobody-may-cut-" + "x" * 200 in ended.stdout


# -- plugins ----------------------------------------------------------------------------------


def test_plugins_have_their_columns(site):
    """As the reference says."""
    (found,) = (row for row in rows(site, "plugins") if row["name"] == "anymodal-acme")

    assert found.pop("load_ms") > 0
    assert {
        "name": "anymodal-acme",
        "version": "1.0",
        "entry_point": "acme = anymodal_acme_acme",
        "state": "loaded",
        "providers": ["acme"],
        "error": None,
    } == found


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os; os._exit(3)", "it ends the program with status 3"),
        ("import os; os.kill(os.getpid(), 9)", "it ends the program by SIGKILL"),
        ("raise SystemExit(4)", "it tried to end the program"),
        ("import nothing_of_that_name", "it needs the module 'nothing_of_that_name'"),
        ("input()", "EOFError"),
    ],
)
def test_plugins_that_break_harm_themselves_alone(site, code, why):
    """The others are listed as ever; each that is broken has its sentence."""
    site.install("bad", code)
    found = {row["name"]: row for row in rows(site, "plugins")}

    assert "loaded" == found["anymodal-acme"]["state"]
    assert "broken" == found["anymodal-bad"]["state"]
    assert why in found["anymodal-bad"]["error"]
    assert [] == found["anymodal-bad"]["providers"]


def test_plugins_that_hang_are_given_up(tmp_path):
    """With whatever they started; the limit is told. (It is 10 s on the command line.)"""
    from anymodal.cli.probe import probe
    from anymodal.index import Distribution
    from anymodal.trust import Candidate

    found = Site(tmp_path)
    found.install(
        "slow",
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])\n",
    )
    found.install("quick", SILENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(found.packages))
        started = time.monotonic()
        slow, quick = probe(
            [
                Candidate(Distribution(name, "1.0"), f"{name}_{word}", (word,), frozenset([word]))
                for name, word in (("anymodal_slow", "slow"), ("anymodal_quick", "quick"))
            ],
            limit=3.0,
        )

    assert time.monotonic() - started < 50
    assert ("broken", "loaded") == (slow.state, quick.state)
    assert "importing it takes longer than 3 s" in slow.error
    assert 3000 == slow.milliseconds


def test_threads_left_behind_do_not_hold_the_probe_up(site):
    """Such a plugin is loaded; only its process would not end by itself."""
    site.install(
        "thread",
        SILENT
        + "    import threading, time; threading.Thread(target=time.sleep, args=[60]).start()",
    )
    found = {row["name"]: row["state"] for row in rows(site, "plugins")}

    assert "loaded" == found["anymodal-thread"]


def test_plugins_that_are_refused_are_not_imported(site):
    """They are listed with their state and the rule that keeps them out."""
    site.install("bad", "import os; os._exit(3)")
    found = {
        row["name"]: row for row in rows(site, "plugins", env={"ANYMODAL_DISABLE_PLUGINS": "bad"})
    }

    assert "blocked" == found["anymodal-bad"]["state"]
    assert "ANYMODAL_DISABLE_PLUGINS" in found["anymodal-bad"]["error"]
    assert found["anymodal-bad"]["load_ms"] is None


def test_plugin_may_use_another_plugins_modality(site):
    """Each is probed alone, and yet finds what the other brings."""
    (site.packages / "translation_hooks.py").write_text(
        "from anymodal import hookspec\n@hookspec\ndef anymodal_translation_providers(): ...\n"
    )
    site.install(
        "translation",
        """
        from anymodal import Modality, hookimpl
        from anymodal.specs import ProviderSpec


        class TranslationSpec(ProviderSpec):
            modality = "translation"


        @hookimpl
        def anymodal_modalities():
            yield Modality(
                name="translation",
                spec=f"{__name__}:TranslationSpec",
                hookspecs="translation_hooks",
            )
        """,
    )
    site.install(
        "babel",
        """
        from anymodal import hookimpl


        @hookimpl
        def anymodal_translation_providers():
            from anymodal_translation_translation import TranslationSpec

            yield TranslationSpec(id="babel", display_name="Babel", connect=print)
        """,
    )
    found = {row["name"]: row for row in rows(site, "plugins")}
    listed = rows(site, "providers", "--modality", "translation")

    assert ["babel"] == found["anymodal-babel"]["providers"], found["anymodal-babel"]["error"]
    assert [("babel", "translation")] == [(row["provider"], row["modality"]) for row in listed]


# -- providers --------------------------------------------------------------------------------


def test_providers_have_their_columns(site):
    """As the reference says."""
    (found,) = rows(site, "providers", env=KEY)

    assert {
        "provider": "acme",
        "display_name": "Acme",
        "modality": "text",
        "distribution": "anymodal-acme",
        "version": "1.0",
        "kind": "local",
        "capabilities": ["streaming"],
        "credentials": [{"name": "api_key", "variables": ["ACME_KEY"], "required": True}],
        "configured": True,
        "enabled": True,
        "priority": 0,
        "default_model": "acme-1",
    } == found


def test_providers_are_as_settings_have_them(site):
    """Instances are listed under their own names, with what is set for them."""
    site.settings(
        """
        [instances.work]
        provider = "acme"
        priority = 9
        default_models = { text = "busy" }
        [providers.acme]
        enabled = false
        """
    )
    work, acme = rows(site, "providers", env=KEY)

    assert ("work", 9, "busy", False, True) == tuple(
        work[name] for name in ("provider", "priority", "default_model", "configured", "enabled")
    )
    assert ("acme", True, False) == tuple(acme[n] for n in ("provider", "configured", "enabled"))


@pytest.mark.parametrize("command", ["providers", "models"])
def test_unknown_modalities_are_usage_errors(site, command):
    """An empty list would hide the typo."""
    ended = site.run(command, "--modality", "txet", "--json")

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "there is no kind of work 'txet'; there are text, image" in ended.stderr


def test_broken_plugins_are_told_of_beside_listings(site):
    """What is missing from a listing is not missing in silence."""
    site.install("bad", "1/0")
    ended = site.run("providers")

    assert 0 == ended.returncode
    assert "Plugins that do not serve: anymodal-bad 1.0; see anymodal doctor.\n" in ended.stderr


# -- models -----------------------------------------------------------------------------------


def test_models_have_their_columns(site):
    """Prices are numbers with their unit; dates are ISO; unknown is null and never 0."""
    site.install("old", OLD)
    found = {row["id"]: row for row in rows(site, "models")}

    assert {
        "id": "acme-1",
        "provider": "acme",
        "modality": "text",
        "capabilities": ["streaming"],
        "context_tokens": 1000,
        "prices": [
            {
                "unit": unit,
                "usd": usd,
                "per": 1_000_000,
                "source": "acme.example",
                "as_of": "2026-11-20",
            }
            for unit, usd in (("input_token", 0.15), ("output_token", 2.5))
        ],
        "lifecycle": "active",
        "retires_on": None,
        "source": "acme.example",
    } == found["acme-1"]
    assert ("retired", "2026-01-31", None, None) == tuple(
        found["old-1"][name] for name in ("lifecycle", "retires_on", "prices", "context_tokens")
    )


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--provider", "old", "--free"], ["a-model"]),
        (["--free"], ["a-model"]),
        (["--provider", "old"], ["old-1", "a-model"]),
        (["--supports", "streaming"], ["acme-1", "busy", "endless", "silent", "broken"]),
        (["--supports", "web_search"], []),
        (["--modality", "image"], []),
    ],
)
def test_models_are_filtered(site, words, ids):
    """By what is known; unknown is neither free nor able."""
    site.install("old", OLD)

    found = [row["id"].partition("-with-")[0] for row in rows(site, "models", *words)]

    assert ids == found


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["--supports", "flying"], 2, "no capability 'flying'"),
        (["--provider", "nobody"], 1, "No text provider is called 'nobody'"),
        (["--provider", "bad"], 1, "anymodal-bad 1.0 cannot be loaded: ZeroDivisionError"),
    ],
)
def test_names_of_nothing_are_errors(site, words, status, why):
    """An empty list would hide the typo; what a broken plugin would have given names that plugin."""
    site.install("bad", "1/0")
    ended = site.run("models", *words, "--json")

    assert (status, "") == (ended.returncode, ended.stdout)
    assert why in ended.stderr


def test_refresh_asks_the_providers(site):
    """What no table has is listed as live; who fails is told of, and the rest still listed."""
    site.install("old", OLD)
    ended = site.run("models", "--refresh", "--json", env=KEY)
    found = {row["id"]: row["source"] for row in json.loads(ended.stdout)}

    assert 1 == ended.returncode
    assert ("acme.example", "live, just now") == (found["acme-1"], found["acme-live"])
    assert "old-1" in found
    assert "old: HTTP 500\n" in ended.stderr


def test_refresh_asks_nobody_without_a_key(site):
    """Unless it is asked for by name: then its absence is the answer."""
    silent = site.run("models", "--refresh", "--json")
    named = site.run("models", "--refresh", "--json", "--provider", "acme")

    assert (0, 1) == (silent.returncode, named.returncode)
    assert "acme-live" not in silent.stdout
    assert "acme needs an API key: set ACME_KEY" in named.stderr


def test_refreshed_models_are_filtered_too(site):
    """Little is known of them, so little fits."""
    free = rows(site, "models", "--refresh", "--free", env=KEY)
    able = rows(site, "models", "--refresh", "--supports", "streaming", env=KEY)

    assert [] == free
    assert "acme-live" in [row["id"] for row in able]


LISTS = """
    from datetime import date
    from anymodal import Capabilities, LiveModel, ModelSpec, Price, Prices, TextProviderSpec, hookimpl

    FREE = Prices([Price("input_token", 0), Price("output_token", 0)], "the list", date(2026, 11, 20))


    class Lists:
        async def generate(self, request): ...

        async def list_models(self):
            return [
                ModelSpec(id="lists-1"),
                ModelSpec(id="gratis", prices=FREE),
                LiveModel(id="painter", modality="image", capabilities=Capabilities(["image_edit"])),
                LiveModel(id="riddle", modality=None),
            ]


    @hookimpl
    def anymodal_text_providers():
        yield TextProviderSpec(
            id="lists",
            display_name="Lists",
            kind="local",
            capabilities=Capabilities(["streaming"]),
            models=[ModelSpec(id="lists-1", source="lists.example")],
            connect=lambda connection: Lists(),
        )
"""


def aged(site, **by):
    """Make what is kept look older."""
    for file in (site.home / "cache").glob("models-*.json"):
        found = json.loads(file.read_text())
        found["found_at"] = (dt.datetime.now(dt.UTC) - dt.timedelta(**by)).isoformat()
        file.write_text(json.dumps(found))


def test_what_was_found_is_listed_with_its_age_and_asks_nobody(site):
    """Of whatever kind; what the table has stands there once."""
    site.install("lists", LISTS)
    words = ("models", "--provider", "lists")
    before = rows(site, *words)
    rows(site, *words, "--refresh")
    aged(site, hours=3, minutes=5)
    found = [(row["id"], row["modality"], row["source"]) for row in rows(site, *words)]

    assert ["lists-1"] == [row["id"] for row in before]
    assert [
        ("lists-1", "text", "lists.example"),
        ("riddle", None, "live, 3 h ago"),
        ("painter", "image", "live, 3 h ago"),
        ("gratis", "text", "live, 3 h ago"),
    ] == found


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--free"], ["gratis"]),
        (["--supports", "streaming"], ["lists-1", "gratis"]),
        (["--supports", "image_edit"], ["painter"]),
        (["--modality", "image"], ["painter"]),
        (["--modality", "text"], ["lists-1", "gratis"]),
        (["--modality", "text", "--free"], ["gratis"]),
    ],
)
def test_what_was_found_is_filtered_as_the_rest_is(site, words, ids):
    """What the provider says of all its models counts for those of its kind alone."""
    site.install("lists", LISTS)
    rows(site, "models", "--refresh", "--provider", "lists")

    assert ids == [row["id"] for row in rows(site, "models", "--provider", "lists", *words)]


def test_listing_what_is_kept_is_cheap(tmp_path):
    """Nothing that talks and nothing that paints is imported for it."""
    site = Site(tmp_path)
    site.install("lists", LISTS)
    rows(site, "models", "--refresh")
    telling = "import sys, atexit; atexit.register(lambda: sys.stderr.write(' '.join(sys.modules)))"
    site.install("telling", telling)
    ended = site.run("models", "--json")

    assert "gratis" in ended.stdout
    assert "anymodal.discovery" in ended.stderr.split()
    assert set() == {"anyio", "anymodal.doors", "httpx2", "rich.console", "trio"} & set(
        ended.stderr.split()
    )


# -- explain ----------------------------------------------------------------------------------


def test_explain_shows_who_serves_a_name(site):
    """And that a model outside the table is sent as it is."""
    (found,) = rows(site, "explain", "acme/new", env=KEY)

    assert {
        "rank": 1,
        "candidate": "acme/new",
        "provider": "acme",
        "model": "new",
        "listed": False,
        "distribution": "anymodal-acme 1.0",
        "strategy": "exact",
        "refused": None,
    } == found


def test_explain_shows_why_nobody_does(site):
    """The table as far as it goes, and the error that a call would end with."""
    ended = site.run("explain", "acme-1", "--json")
    (found,) = json.loads(ended.stdout)

    assert (1, None) == (ended.returncode, found["rank"])
    assert "acme needs an API key" in found["refused"]
    assert "acme needs an API key" in ended.stderr


def test_explain_counts_what_is_needed(site):
    """A known no refuses; a word that is no capability is a usage error."""
    fine = rows(site, "explain", "acme-1", "--needs", "streaming, web_search", env=KEY)
    odd = site.run("explain", "acme-1", "--needs", "streaming,flying", env=KEY)

    assert 1 == fine[0]["rank"]
    assert 2 == odd.returncode
    assert "there is no capability 'flying'" in odd.stderr


def test_explaining_an_exact_name_loads_one_plugin_only(site):
    """As calling it does."""
    site.install("loud", LOUD)

    assert "printed" not in site.run("explain", "acme/acme-1", env=KEY).stderr
    assert "printed" in site.run("explain", "acme-1", env=KEY).stderr


# -- tables -----------------------------------------------------------------------------------


def test_tables_too_wide_for_a_terminal_are_turned():
    """Words broken over four characters each cannot be read."""
    from anymodal.cli.tables import table

    columns = ["provider", "distribution"]
    cells = [["acme", "anymodal-acme"], ["[red]x", "anymodal-x"]]
    wide, tall = table(columns, cells, width=40), table(columns, cells, width=20)

    assert ["acme", "anymodal-acme"] == wide.splitlines()[1].split()
    assert ["provider", "acme"] == plain(tall).splitlines()[0].split()
    assert ["distribution", "anymod"] == plain(tall).splitlines()[1].split()
    assert 1 == plain(tall).splitlines().count("")
    assert "[red]x" in wide
    assert table(columns, cells, width=None) == (
        "provider  distribution\nacme      anymodal-acme\n[red]x    anymodal-x\n"
    )


def test_empty_tables_have_their_head():
    """There is nothing to turn."""
    from anymodal.cli.tables import table

    assert "provider  distribution\n" == table(["provider", "distribution"], [], width=None)
    assert "provider" in plain(table(["provider", "distribution"], [], width=20))


def plain(text):
    """What is left of *text* without the terminal's codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
