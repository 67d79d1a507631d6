"""`explain`: the decision as a table, and the ways to ask for it."""

import datetime as dt
import json

import pytest
from anymodal import Capabilities, Credential, ModelSpec, Price, Prices, best
from anymodal.cli.explain import DECISION, rows_of
from anymodal.config import Settings
from anymodal.registry import Registry
from inline_snapshot import snapshot

from .distributions import ACME, Site
from .plugins_on_path import Brings

TODAY = dt.date(2026, 11, 20)


def model(name, usd=None, **rest):
    """A model at *usd* for a million tokens."""
    items = [Price("input_token", usd or 0), Price("output_token", usd or 0)]
    prices = None if usd is None else Prices(items, "acme.example", TODAY)
    return ModelSpec(id=name, prices=prices, **rest)


SEES = Capabilities(["image_input"])
BLIND = Capabilities(no=["image_input"])
MADE_UP = Registry(
    Settings.from_mapping(
        {
            "instances": {"work": {"provider": "acme"}},
            "aliases": {"fast": ["delta/quick", "beta/mini"]},
            "providers": {"gamma": {"enabled": False}},
            "routes": {"text": {"legacy": "beta/mini"}},
            "auto_detect": {"text": ["delta", "beta"]},
        }
    ),
    plugins=[
        Brings(
            id="acme",
            models=[model("maxi", 9, capabilities=SEES), model("shared", 5), model("tie", 7)],
        ),
        Brings(id="beta", models=[model("mini", 1), model("twin")], default_model="mini"),
        Brings(id="gamma", models=[model("shared", 2)], default_model="shared"),
        Brings(
            id="delta",
            models=[model("quick", 0), model("shared")],
            default_model="quick",
            credentials=[Credential(env=["DELTA_KEY"])],
        ),
        Brings(
            id="omega",
            models=[model("Twin", capabilities=BLIND), model("twin_"), model("tie")],
            default_model="Twin",
            patterns=["new-*"],
        ),
    ],
    distributions=(),
)


class Paper:
    """Where a table is written."""

    width = None

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def document(self, found):
        self.text += json.dumps(found)


def table(decision):
    """The decision as the command prints it, and what it fails with."""
    paper = Paper()
    DECISION.write(rows_of(decision), paper, as_json=False)
    if decision.error is not None:
        paper.text += f"{decision.error.code}: {decision.error}\n"
    return paper.text


def explained(name, needs=(), modality="text"):
    return table(MADE_UP.explain(name, needs=needs, modality=modality))


def test_exact_name():
    """One row, of one plugin."""
    assert explained("work/shared") == snapshot("""\
rank  candidate    provider  model   listed  distribution  strategy  refused
1     work/shared  acme      shared  yes     host          exact
""")


def test_bare_name():
    """All who list it, and why they do not serve it."""
    assert explained("shared") == snapshot("""\
rank  candidate     provider  model   listed  distribution  strategy  refused
1     acme/shared   acme      shared  yes     host          table
      delta/shared  delta     shared  yes     host          table     delta needs an API key: set DELTA_KEY, or api_key in [providers.delta].
      gamma/shared  gamma     shared  yes     host          table     switched off by its settings or by ENABLE_PROVIDER_…
      work/shared   acme      shared  yes     host          table     acme/shared goes before it
""")


def test_bare_name_that_is_needed_for_more():
    """What is known to be missing refuses."""
    assert explained("twin", ["image_input"]) == snapshot("""\
rank  candidate  provider  model  listed  distribution  strategy  refused
1     beta/twin  beta      twin   yes     host          table
""")


def test_near_name():
    """Several that it could be; the settings have an order of providers."""
    assert explained("TWIN_") == snapshot("""\
rank  candidate    provider  model  listed  distribution  strategy                        refused
1     beta/twin    beta      twin   yes     host          table, normalised, auto_detect
      omega/Twin   omega     Twin   yes     host          table, normalised, auto_detect  beta/twin goes before it in [auto_detect]
      omega/twin_  omega     twin_  yes     host          table, normalised, auto_detect  beta/twin goes before it in [auto_detect]
""")


def test_ambiguous_name():
    """All who claim it, and what to write into the settings."""
    assert explained("tie") == snapshot("""\
rank  candidate  provider  model  listed  distribution  strategy  refused
      acme/tie   acme      tie    yes     host          table
      omega/tie  omega     tie    yes     host          table
      work/tie   acme      tie    yes     host          table
ambiguous_name: 'tie' could be acme/tie and omega/tie and work/tie. Say which, or settle it in settings: [aliases] "tie" = ["acme/tie"]
""")


def test_alias():
    """Its targets in order; the first that can serve has rank 1."""
    assert explained("fast") == snapshot("""\
rank  candidate    provider  model  listed  distribution  strategy  refused
      delta/quick  delta     quick  yes     host          alias     delta needs an API key: set DELTA_KEY, or api_key in [providers.delta].
1     beta/mini    beta      mini   yes     host          alias
""")


def test_route():
    """Where the settings' map sends it."""
    assert explained("legacy") == snapshot("""\
rank  candidate  provider  model  listed  distribution  strategy  refused
1     beta/mini  beta      mini   yes     host          override
""")


def test_default():
    """Nobody is named; the order of the settings decides."""
    assert explained(None) == snapshot("""\
rank  candidate     provider  model   listed  distribution  strategy              refused
      acme/m-1      acme      m-1     no      host          default, auto_detect  beta/mini goes before it in [auto_detect]
1     beta/mini     beta      mini    yes     host          default, auto_detect
      delta/quick   delta     quick   yes     host          default, auto_detect  delta needs an API key: set DELTA_KEY, or api_key in [providers.delta].
      gamma/shared  gamma     shared  yes     host          default, auto_detect  switched off by its settings or by ENABLE_PROVIDER_…
      omega/Twin    omega     Twin    yes     host          default, auto_detect  beta/mini goes before it in [auto_detect]
      work/m-1      acme      m-1     no      host          default, auto_detect  beta/mini goes before it in [auto_detect]
""")


def test_name_of_nobody():
    """No row, and what may have been meant."""
    assert explained("minni") == snapshot("""\
rank  candidate  provider  model  listed  distribution  strategy  refused
unknown_model: No text model is called 'minni'. Did you mean 'mini'?
""")


def test_cheapest():
    """By price, those of unknown price being refused."""
    assert explained(best()) == snapshot("""\
rank  candidate     provider  model   listed  distribution  strategy        refused
1     beta/mini     beta      mini    yes     host          best, cheapest
2     acme/shared   acme      shared  yes     host          best, cheapest
3     acme/tie      acme      tie     yes     host          best, cheapest
4     acme/maxi     acme      maxi    yes     host          best, cheapest
      delta/quick   delta     quick   yes     host          best, cheapest  delta needs an API key: set DELTA_KEY, or api_key in [providers.delta].
      omega/Twin    omega     Twin    yes     host          best, cheapest  its price is not known
      beta/twin     beta      twin    yes     host          best, cheapest  its price is not known
      delta/shared  delta     shared  yes     host          best, cheapest  its price is not known
      omega/tie     omega     tie     yes     host          best, cheapest  its price is not known
      omega/twin_   omega     twin_   yes     host          best, cheapest  its price is not known
      gamma/shared  gamma     shared  yes     host          best, cheapest  switched off by its settings or by ENABLE_PROVIDER_…
      work/shared   acme      shared  yes     host          best, cheapest  acme/shared is the same
      work/tie      acme      tie     yes     host          best, cheapest  acme/tie is the same
      work/maxi     acme      maxi    yes     host          best, cheapest  acme/maxi is the same
""")


def test_best_that_is_not_there():
    """The rows say why."""
    assert explained(best(needs=["image_input"], prefer="free")) == snapshot("""\
rank  candidate     provider  model   listed  distribution  strategy    refused
      beta/mini     beta      mini    yes     host          best, free  not known to have image_input
      delta/quick   delta     quick   yes     host          best, free  not known to have image_input
      gamma/shared  gamma     shared  yes     host          best, free  not known to have image_input
      omega/Twin    omega     Twin    yes     host          best, free  known not to have image_input
      acme/maxi     acme      maxi    yes     host          best, free  not known to be free
      acme/shared   acme      shared  yes     host          best, free  not known to have image_input
      acme/tie      acme      tie     yes     host          best, free  not known to have image_input
      beta/twin     beta      twin    yes     host          best, free  not known to have image_input
      delta/shared  delta     shared  yes     host          best, free  not known to have image_input
      omega/tie     omega     tie     yes     host          best, free  not known to have image_input
      omega/twin_   omega     twin_   yes     host          best, free  not known to have image_input
      work/maxi     acme      maxi    yes     host          best, free  not known to be free
      work/shared   acme      shared  yes     host          best, free  not known to have image_input
      work/tie      acme      tie     yes     host          best, free  not known to have image_input
nothing_fits: No text model is best(needs=['image_input'], prefer='free'), of 14 that are listed. Why not: anymodal explain --best free --modality text --needs image_input
""")


def test_json_has_the_same_rows():
    """For programs."""
    paper = Paper()
    DECISION.write(rows_of(MADE_UP.explain("legacy")), paper, as_json=True)

    assert json.loads(paper.text) == snapshot(
        [
            {
                "rank": 1,
                "candidate": "beta/mini",
                "provider": "beta",
                "model": "mini",
                "listed": True,
                "distribution": "host",
                "strategy": "override",
                "refused": None,
            }
        ]
    )


# -- on the command line --------------------------------------------------------------------------

KEY = {"ACME_KEY": "sk-1234567890"}


@pytest.fixture
def site(tmp_path):
    """A place where acme is installed."""
    found = Site(tmp_path)
    found.install("acme", ACME)
    return found


def names(ended):
    assert 0 == ended.returncode, ended.stderr
    return [row["candidate"] for row in json.loads(ended.stdout) if row["rank"]]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["acme/acme-1"]),
        (["--best", "cheapest"], ["acme/acme-1"]),
        (["--best", "priority", "--among", "acme/b*, acme/s*"], ["acme/broken", "acme/busy", "acme/silent"]),
        (["--best", "priority", "--needs", "streaming", "--among", "acme/acme-1"], ["acme/acme-1"]),
    ],
)  # fmt: skip
def test_what_may_be_asked(site, words, found):
    """No name is the default; --best stands in a name's place."""
    assert found == names(site.run("explain", *words, "--json", env=KEY))


def test_nobody_is_best(site):
    """The table as far as it goes, and status 1."""
    ended = site.run("explain", "--best", "free", env=KEY)

    assert 1 == ended.returncode
    assert "not known to be free" in ended.stdout
    assert "No text model is best(prefer='free')" in ended.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["acme-1", "--best", "free"], "NAME and --best exclude each other."),
        (["acme-1", "--among", "acme"], "--among is for --best."),
        (["--best", "newest"], "'newest' is not one of"),
        (["--best", "free", "--needs", "flying"], "there is no capability 'flying'"),
    ],
)
def test_usage_errors(site, words, why):
    """Status 2, as for every command."""
    ended = site.run("explain", *words, env=KEY)

    assert 2 == ended.returncode
    assert why in ended.stderr
