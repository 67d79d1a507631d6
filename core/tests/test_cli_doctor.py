"""What `anymodal doctor` finds, and that it finds nothing where nothing is wrong."""

import json
import re
import time
from pathlib import Path

import anyio
import anymodal
import pytest
from anymodal.cli.checks import VARIABLES
from anymodal.stores.sqlite import SqliteStore

from .distributions import ACME, Site

KEY = {"ACME_KEY": "sk-1234567890"}
REMOTE = ACME.replace('kind="local"', 'kind="remote", base_url="https://acme.example"')


@pytest.fixture
def site(tmp_path):
    """A place where acme is installed."""
    found = Site(tmp_path)
    found.install("acme", ACME)
    return found


def findings(site, status, env=KEY, *, level=None):
    """What the doctor says as JSON, without what it says of plugins that the tests block."""
    ended = site.run("doctor", "--json", env=env)

    assert status == ended.returncode, ended.stdout + ended.stderr
    return [
        (row["level"], row["about"], row["message"])
        for row in json.loads(ended.stdout)
        if level in {None, row["level"]}
        and "is not imported: ANYMODAL_PLUGINS" not in row["message"]
    ]


def test_nothing_is_said_where_nothing_is_wrong(site):
    """So that a script may ask."""
    site.settings('[defaults]\ntext = "acme"\n[providers.acme]\nmood = "calm"\n')
    ended = site.run("doctor", env=KEY)

    assert [] == findings(site, 0)
    assert ended.stdout.endswith("Nothing is wrong.\n")


def test_plugins_that_do_not_serve_are_faults(site):
    """One sentence each, whatever they do, and the others are examined all the same."""
    site.install("bad", "1/0")
    site.install("crash", "import os; os._exit(3)")
    site.install("acme", "", distribution="anymodal-impostor")
    found = findings(site, 1)

    assert [("fault", "plugin")] * 3 == [row[:2] for row in found]
    for who in ("anymodal-bad 1.0", "anymodal-crash 1.0", "anymodal-impostor 1.0"):
        assert 1 == sum(row[2].startswith(who) for row in found)


def test_blocked_plugins_are_information(site):
    """Somebody wanted it so."""
    site.install("bad", "1/0")
    found = findings(site, 0, {**KEY, "ANYMODAL_DISABLE_PLUGINS": "bad"})

    assert [("information", "plugin")] == [row[:2] for row in found]


def test_missing_keys_are_information(site):
    """Nobody has the keys of every vendor that is installed."""
    message = "acme needs an API key: set ACME_KEY, or api_key in [providers.acme]."

    assert [("information", "credentials", message)] == findings(site, 0, {})


def test_faulty_settings_are_told_with_their_lines(site):
    """All of them at once; plugins are examined all the same."""
    site.install("bad", "1/0")
    site.settings("[http]\nbackend = 'x'\n\n[providers.acme]\npriority = 'high'\n")
    found = findings(site, 1)
    places = [row[2].partition(": ")[0] for row in found if row[1] == "settings"]

    assert ["anymodal.toml:2", "anymodal.toml:5"] == sorted(places)
    assert 1 == sum(row[1] == "plugin" for row in found)


def test_faulty_facts_of_models_are_told(site):
    """They are read only when a plugin's table is known."""
    site.settings('[models."acme/acme-1"]\ncontext_tokens = "many"\n')

    assert any('models."acme/acme-1".context_tokens' in row[2] for row in findings(site, 1))


def test_literal_keys_are_warned_of(site):
    """They work, and they should not lie in a file; the key itself is not repeated."""
    site.settings(
        """
        [providers.acme]
        api_key = "sk-literal"
        [instances.work]
        provider = "acme"
        api_key = "env:ACME_KEY"
        """
    )
    ((level, about, message),) = findings(site, 0)

    assert ("warning", "credentials") == (level, about)
    assert message.startswith("anymodal.toml:3: providers.acme.api_key: a key lies in this file.")
    assert "sk-literal" not in message


def test_key_in_a_place_of_a_plugin_s_does_not_lie_in_the_file(site):
    """Where settings name the plugin; one that cannot act is spoken of by itself."""
    site.install(
        "vault",
        """
        from anymodal import hookimpl

        class Vault:
            scheme = "vault"
            def get(self, reference): return "sk-x"

        @hookimpl
        def anymodal_secrets():
            yield Vault()
        """,
    )
    keyed = '[providers.acme]\napi_key = "vault:acme"\n'
    site.settings(keyed + '[plugins]\nuse = ["vault"]')
    assert [] == [one for one in findings(site, 0) if one[1] == "credentials"]
    site.settings(keyed)
    assert ["warning"] == [one[0] for one in findings(site, 0) if one[1] == "credentials"]
    site.settings(keyed + '[plugins]\nuse = ["nowhere"]')
    assert {"fault", "warning"} == {one[0] for one in findings(site, 1)}


def test_options_of_no_kind_of_work_are_told(site):
    """Nobody would ever ask for them."""
    site.settings(
        """
        [options.txt]
        temperature = 1
        [providers.acme]
        api_key = "env:ACME_KEY"
        vendor_options = { texts = { a = 1 } }
        """
    )
    told = [message for _, _, message in findings(site, 1)]

    assert "options: no modality is called 'txt'. Did you mean text?" in told
    assert (
        "providers.acme.vendor_options: no modality is called 'texts'. Did you mean text?" in told
    )


def test_settings_that_a_plugin_does_not_have_are_faults(site):
    """A call would end with them; here they have a line."""
    site.settings("[providers.acme]\nmoood = 'calm'\n")
    ((level, _, message),) = findings(site, 1)

    assert "fault" == level
    assert message.startswith("anymodal.toml:2: providers.acme.moood: acme has no such setting")
    assert message.endswith("Did you mean mood?")


def test_settings_for_what_is_not_installed(site):
    """An instance of it can never be called; what is set for a provider may wait for it."""
    site.settings('[providers.acmee]\npriority = 1\n[instances.work]\nprovider = "gone"\n')
    fault, warning = findings(site, 1)

    assert fault[2].startswith("anymodal.toml:3: instances.work: no provider 'gone' is installed")
    assert "warning" == warning[0]
    assert warning[2].endswith("Did you mean acme?")


def test_settings_of_a_broken_plugin_are_left_alone(site):
    """What it would have understood nobody knows, and its fault is told already."""
    site.install("bad", "1/0")
    site.settings('[providers.bad]\nodd = 1\n[aliases]\nfast = "bad/x"\n')

    assert ["plugin"] == [row[1] for row in findings(site, 1)]


def test_names_that_lead_nowhere_are_faults(site):
    """A part of an alias may: the rest still serves."""
    site.settings(
        """
        [defaults]
        text = "nobody/x"
        summary = "gone"
        [aliases]
        fast = ["acme/acme-1", "lost"]
        slow = "nowhere"
        [fallbacks]
        "acme/acme-1" = ["missing/x"]
        """
    )
    found = [(level, message.partition(":")[0]) for level, _, message in findings(site, 1)]

    assert [
        ("fault", "defaults.text"),
        ("fault", "defaults.summary"),
        ("fault", "aliases.slow"),
        ("fault", 'fallbacks."acme/acme-1"'),
        ("warning", "aliases.fast"),
    ] == found


def test_names_whose_key_is_missing_lead_somewhere(site):
    """That the key is missing is said once."""
    site.settings('[defaults]\ntext = "acme"\n[aliases]\nfast = "acme-1"\n')

    assert ["credentials"] == [row[1] for row in findings(site, 0, {})]


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        (
            "ANYMODAL_CONFG",
            "x",
            "There is no variable ANYMODAL_CONFG. Did you mean ANYMODAL_CONFIG?",
        ),
        ("ANYMODAL_DISABLE_PLUGINS", "acmee", "no plugin 'acmee' is installed. Did you mean acme?"),
        ("ANYMODAL_PLUGINS", "anymodal-acme,zzz", "no plugin 'zzz' is installed."),
        ("ANYMODAL_CONFIG", "gone.toml", "gone.toml: it cannot be read"),
    ],
)
def test_variables_that_name_nothing_are_faults(site, variable, value, why):
    """They do nothing, and somebody thinks that they do."""
    (found,) = findings(site, 1, {**KEY, variable: value}, level="fault")

    assert why in found[2]


def test_rules_about_plugins_that_name_nothing_are_faults(site):
    """As in variables, so in files."""
    site.settings('[plugins]\nuse = ["zzz"]\nprefer = { acme = "anymodal-yyy" }\n')
    found = findings(site, 1, level="fault")

    assert ["[plugins] use", "[plugins] prefer"] == [row[2].partition(":")[0] for row in found]


def test_every_variable_of_ours_is_known():
    """Else the doctor would call it unknown."""
    source = Path(anymodal.__file__).parent
    named = {
        name
        for file in source.rglob("*.py")
        for name in re.findall(r"\bANYMODAL_[A-Z_]+\b", file.read_text("utf-8"))
    }

    assert set(VARIABLES) == named


def test_missing_http_library_is_a_fault(tmp_path):
    """Where a provider is remote; a local one needs none."""
    far, near = Site(tmp_path), Site(tmp_path / "home")
    far.install("acme", REMOTE)
    near.install("acme", ACME)
    for place in (far, near):
        place.settings("[http]\nbackend = 'httpx'\n")
        # what Python itself takes for a module that cannot be found
        (place.packages / "sitecustomize.py").write_text("import sys; sys.modules['httpx'] = None")
    ((_, about, message),) = findings(far, 1)

    assert ("http", "httpx is not installed. Try: pip install 'anymodal[httpx]'") == (
        about,
        message,
    )
    assert [] == findings(near, 0)


def test_cache_that_cannot_be_kept_is_a_fault(site, tmp_path):
    """It would only be slow, silently, at every start."""
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "cache"
    ((_, about, message),) = findings(site, 1, {**KEY, "ANYMODAL_CACHE_DIR": str(folder)})

    assert "cache" == about
    assert f"Nothing can be kept in {folder} (Not a directory)" in message
    assert [] == findings(site, 0, {**KEY, "ANYMODAL_CACHE_DIR": "off"})


def test_commands_that_are_never_run_are_faults(site):
    """One has a built-in's name, two have each other's."""
    code = """
        from anymodal import CommandSpec, hookimpl

        @hookimpl
        def anymodal_commands():
            yield CommandSpec(name="NAME", help="Help.", run=print)
        """
    site.install("one", code.replace("NAME", "models"))
    site.install("two", code.replace("NAME", "logs"))
    site.install("three", code.replace("NAME", "logs"))
    told = findings(site, 1)
    found = [message for _, _, message in told]

    assert [("fault", "command")] * 2 == [row[:2] for row in told], told
    assert any("'models' of anymodal-one is never run" in message for message in found)
    assert any(
        "'logs' is offered by anymodal-three and anymodal-two" in message for message in found
    )


def test_slow_plugins_are_named(site):
    """Every listing waits for them."""
    site.install("slow", ACME.replace('"acme"', '"slow"') + "\n\nimport time\ntime.sleep(1.2)\n")
    (found,) = [row for row in findings(site, 0) if row[1] == "time"]

    assert "warning" == found[0]
    assert re.match(r"anymodal-slow takes \d{4,} ms to import", found[2])


def test_what_is_used_of_budgets_that_are_kept(site):
    """By tag, where each value has its own; what is gone with its window is not counted."""
    site.settings(
        """
        [[policy.budgets]]
        usd = 10
        per = 86400
        name = "the-day"
        [[policies.text.budgets]]
        tokens = 500
        tag = "team"
        name = "teams"
        [[providers.acme.policy.budgets]]
        usd = 1
        """
    )
    day = int(time.time() // 86_400)
    store = SqliteStore(site.home / ".local" / "state" / "anymodal" / "anymodal.sqlite")

    async def spend():
        await store.add("budgets", f"the-day:{day}:", {"nanos": 2_500_000_000, "tokens": 7})
        await store.add("budgets", f"the-day:{day - 1}:", {"nanos": 9_000_000_000, "tokens": 7})
        await store.add("budgets", "teams:0:harbour", {"nanos": 1, "tokens": 70})
        await store.aclose()

    anyio.run(spend)
    found = [row for row in findings(site, 0) if row[1] == "money"]

    assert ["information"] * 2 == [row[0] for row in found]
    assert "Budget 'teams', team 'harbour': 70 of 500 tokens used." == found[0][2]
    assert re.match(
        r"Budget 'the-day': \$2\.5000 of \$10 used; full again in [\d.]+ h\.", found[1][2]
    )


def test_a_store_that_cannot_be_read_is_a_fault(site):
    """Jobs and budgets would fail."""
    file = site.home / "store"
    file.write_bytes(b"no database at all" * 100)
    site.settings(f'[store]\npath = "{file}"\n[[policy.budgets]]\nusd = 1\nname = "all"\n')

    assert [("fault", "store")] == [row[:2] for row in findings(site, 1)]


def test_variables_of_plugins_are_their_own(site):
    """What they mean is not known here, and those of no plugin are misspelt."""
    assert [] == findings(site, 0, {**KEY, "ANYMODAL_ACME_PATH": "x"})
    assert [("fault", "variable")] == [
        row[:2] for row in findings(site, 1, {**KEY, "ANYMODAL_ACNE_PATH": "x"})
    ]


def test_names_that_nothing_goes_by_are_told_of(site):
    """Nothing else would: a plugin may bring a modality, and a model may be new."""
    site.settings(
        """
        [policies.texxt]
        on_filtered = "next"
        [routes.texxt]
        [auto_detect]
        text = ["acmee", "acme"]
        [models."acme/something-else"]
        context_tokens = 1
        """
    )
    found = [row[2] for row in findings(site, 0) if row[:2] == ("warning", "settings")]

    assert [
        "auto_detect.text: no provider 'acmee' is installed. Did you mean acme?",
        "policies.texxt: no modality is called 'texxt'. Did you mean text?",
        "routes.texxt: no modality is called 'texxt'. Did you mean text?",
    ] == sorted(found)


def test_models_that_are_spelt_almost_like_one_are_told_of(site):
    """What is set for them would go nowhere."""
    known = re.search(r'ModelSpec\(id="([^"]+)"', ACME)[1]
    site.settings(f'[models."acme/{known}x"]\ncontext_tokens = 1\n')
    found = [row[2] for row in findings(site, 0) if row[:2] == ("warning", "settings")]

    assert [f'models."acme/{known}x": acme lists no such model. Did you mean {known}?'] == found
