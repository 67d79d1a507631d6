"""LibreTranslate's wire, by the provider and by hand, and a modality from outside on all tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import httpx2
import pytest
from anymodal import Client, Policy, Retry, Settings
from anymodal import errors as e
from anymodal_emulator import Cut, Rewrite, Status
from anymodal_libretranslate import LibreTranslateOption
from anymodal_translation import TRANSLATION

HELLO = "Good morning."

# -- the provider ---------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_texts_go_out_in_one_request(ai, server):
    """In the fields that the server has."""
    found = await ai[TRANSLATION].translate([HELLO, "Ahoy!"], to="de", source="en")
    (request,) = server.requests

    assert ("Guten Morgen.", "libretranslate (en > de) heard: Ahoy!") == found.texts
    assert ["en", "en"] == [one.source for one in found.translations]
    assert ("POST", "/translate") == (request.method, request.path)
    assert {
        "q": [HELLO, "Ahoy!"], "source": "en", "target": "de", "api_key": server.key,
    } == request.json  # fmt: skip


@pytest.mark.anyio
async def test_the_language_is_found_out(ai, server):
    """Of each text by itself."""
    found = await ai[TRANSLATION].translate(
        ["Danke.", "le chat et le chien"], to="en", options=[LibreTranslateOption(markup="html")],
        raw=True,
    )  # fmt: skip

    assert ["de", "fr"] == [one.source for one in found.translations]
    assert "Thank you." == found.text
    assert ("auto", "html") == tuple(server.requests[0].json[key] for key in ("source", "format"))
    assert "detectedLanguage" in found.record.raw


@pytest.mark.anyio
async def test_options_of_its_own_come_from_settings_too(server):
    """As `[providers.libretranslate] vendor_options`."""
    settings = server.settings()
    said = settings["providers"]["libretranslate"]
    said["vendor_options"] = {"translation": {"markup": "html"}}
    async with Client(Settings.from_mapping(settings)) as ai:
        await ai[TRANSLATION].translate(HELLO, to="de")

    assert "html" == server.requests[0].json["format"]


@pytest.mark.anyio
async def test_formality_is_refused_before_anything_is_sent(ai, server):
    """The server has no word for it."""
    with pytest.raises(e.UnsupportedFeatureError, match="formality"):
        await ai[TRANSLATION].translate(HELLO, to="de", formality="formal")

    assert not server.requests


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Status(403), e.PermissionDeniedError),
        (Status(400), e.BadRequestError),
        (Status(429, retry_after=3), e.RateLimitedError),
        (Status(500), e.ServerError),
        (Cut(after_bytes=10), e.IncompleteError),
        (Rewrite(lambda _, data: b'{"translatedText": 7}'), e.MalformedReplyError),
        (Rewrite(lambda _, data: b'{"translatedText": ["a"]}'), e.MalformedReplyError),
        (Rewrite(lambda _, data: b"{}"), e.MalformedReplyError),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
async def test_what_goes_wrong_has_a_name(ai, server, said, error):
    """And never a key in its words."""
    server.script(said)
    with pytest.raises(error) as raised:
        await ai[TRANSLATION].translate([HELLO, "b"], to="de")

    assert server.key not in str(raised.value)
    assert "libretranslate" == raised.value.provider


@pytest.mark.anyio
async def test_a_busy_server_is_asked_again(server):
    """As its Retry-After says."""
    server.script(Status(429, retry_after=0), times=2)
    quick = Policy(retry=Retry(attempts=3, first=0.001))
    async with Client(Settings.from_mapping(server.settings()), policy=quick) as ai:
        found = await ai[TRANSLATION].translate(HELLO, to="fr")

    assert "Bonjour." == found.text
    assert 3 == len(server.requests) == len(found.record.attempts)


@pytest.mark.anyio
async def test_a_server_may_want_no_key(server, monkeypatch):
    """Its address comes from a variable; what it then says is its own business."""
    monkeypatch.setenv("LIBRETRANSLATE_URL", server.base_url)
    async with Client(Settings.load()) as ai:
        with pytest.raises(e.BadRequestError, match="get an API key"):
            await ai[TRANSLATION].translate("Thank you.", to="de")

    assert "api_key" not in server.requests[0].json


@pytest.mark.anyio
async def test_its_health_is_asked_for_free(ai, server):
    """And counts for its circuit, as for the nine."""
    (well,) = await ai.health("libretranslate")
    server.script(Status(500), times=9)
    (ill,) = await ai.health("libretranslate")

    assert ("translation", "healthy") == (well.modality, well.state)
    assert "healthy" != ill.state
    assert {"/languages"} == {one.path for one in server.requests}


# -- the emulator, by hand ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"api_key": "wrong"}, 403, "Invalid API key"),
        ({"api_key": None}, 400, "Visit https://portal.libretranslate.com to get an API key"),
        ({"q": ""}, 400, "Invalid request: missing q parameter"),
        ({"source": None}, 400, "Invalid request: missing source parameter"),
        ({"target": None}, 400, "Invalid request: missing target parameter"),
        ({"source": "xx"}, 400, "xx is not supported"),
        ({"target": "xx"}, 400, "xx is not supported"),
        ({"format": "pdf"}, 400, "pdf format is not supported"),
        ({"q": "emulator:fail"}, 500, "Cannot translate text: emulator:fail"),
    ],
    ids=str,
)
def test_the_emulator_refuses_what_the_server_would(server, changes, status, words):
    """In its words; read off its source."""
    body = {"q": HELLO, "source": "en", "target": "de", "api_key": server.key, **changes}
    answer = httpx2.post(f"{server.base_url}/translate", json=body)

    assert (status, {"error": words}) == (answer.status_code, answer.json())


def test_the_emulator_answers_one_text_with_one(server):
    """A list only where a list was sent; the language only where it was to be found out."""
    body = {"q": HELLO, "source": "en", "target": "es", "api_key": server.key}
    one = httpx2.post(f"{server.base_url}/translate", json=body).json()
    found = httpx2.post(f"{server.base_url}/translate", json={**body, "source": "auto"}).json()
    known = httpx2.get(f"{server.base_url}/languages").json()

    assert {"translatedText": "Buenos días."} == one
    assert {"confidence": 99.0, "language": "en"} == found["detectedLanguage"]
    assert {"code", "name", "targets"} == set(known[0])
    assert 405 == httpx2.get(f"{server.base_url}/translate").status_code
    assert 404 == httpx2.get(f"{server.base_url}/nothing").status_code
    for wrong in (
        {"content": b"{", "headers": {"content-type": "application/json"}},
        {"content": b""},
    ):
        assert 400 == httpx2.post(f"{server.base_url}/translate", **wrong).status_code


# -- the command line -----------------------------------------------------------------------------


def anymodal(*words, settings=None, folder=None, **environ):
    """What the command says, in a process of its own."""
    if settings is not None:
        said = settings["providers"]["libretranslate"]
        lines = ["[providers.libretranslate]", *(f"{k} = {json.dumps(v)}" for k, v in said.items())]
        (folder / "anymodal.toml").write_text("\n".join(lines))
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "anymodal", *words], cwd=folder, timeout=120,
        env={**os.environ, **environ}, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip


def test_translate_is_a_command(server, tmp_path):
    """Of the modality's distribution, served by another one."""
    plain = anymodal("translate", HELLO, "--to", "de", settings=server.settings(), folder=tmp_path)
    found = anymodal("translate", HELLO, "--to", "de", "--from", "en", "--json", folder=tmp_path)
    loud = anymodal("translate", HELLO, "--to", "de", "-v", folder=tmp_path)

    assert ("Guten Morgen.", "", 0) == (plain.stdout, plain.stderr, plain.returncode)
    assert {
        "text": "Guten Morgen.", "source": "en", "to": "de", "provider": "libretranslate",
        "model": "argos",
    } == json.loads(found.stdout)  # fmt: skip
    assert "libretranslate/argos: cost unknown" in loud.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["translate", HELLO], 2, "Missing option '--to'"),
        (["translate", "", "--to", "de"], 2, "There is no text"),
        (["translate", HELLO, "--to", "in German"], 1, "the tag of a language is needed"),
        (["translate", HELLO, "--to", "xx"], 1, "xx is not supported"),
        (["translate", HELLO, "--to", "de", "--formality", "formal"], 1, "not to have formality"),
        (["translate", HELLO, "--to", "de", "-m", "mystery"], 1, "No translation model"),
    ],
)
def test_what_is_wrong_is_one_sentence(server, tmp_path, words, status, said):
    """On standard error, with the usual exit status."""
    done = anymodal(*words, settings=server.settings(), folder=tmp_path)

    assert (status, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_it_stands_on_every_table(server, tmp_path):
    """`providers`, `models`, `explain`, `plugins`, `doctor` and the page of help."""

    def rows(*words):
        done = anymodal(*words, "--json", settings=server.settings(), folder=tmp_path)
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)

    (provider,) = rows("providers", "--modality", "translation")
    (model,) = rows("models", "--modality", "translation", "--supports", "detection")
    (way,) = rows("explain", "argos", "--modality", "translation", "--needs", "detection")
    plugins = {row["name"]: row for row in rows("plugins")}

    assert ("libretranslate", ["detection"], True) == (
        provider["provider"], provider["capabilities"], provider["configured"],
    )  # fmt: skip
    assert ("argos", "translation") == (model["id"], model["modality"])
    assert (1, "libretranslate/argos", "table") == (way["rank"], way["candidate"], way["strategy"])
    assert {"loaded"} == {
        plugins[name]["state"] for name in ("anymodal-translation", "anymodal-libretranslate")
    }
    wrong = anymodal("doctor", folder=tmp_path, ENABLE_PROVIDER_LIBRETRANSLATE="1")
    assert 0 == wrong.returncode, wrong.stdout + wrong.stderr
    assert "translate" in anymodal("--help", folder=tmp_path).stdout


def test_doctor_sees_what_is_wrong_with_it(server, tmp_path):
    """Names that lead nowhere and options that there are not, as for the nine."""
    settings = server.settings()
    settings["providers"]["libretranslate"]["colour"] = "red"
    anymodal("doctor", settings=settings, folder=tmp_path)
    file = tmp_path / "anymodal.toml"
    file.write_text(f'defaults.translation = "libretranslte"\n{file.read_text()}')
    done = anymodal("doctor", folder=tmp_path)

    assert 1 == done.returncode
    assert "defaults.translation" in done.stdout
    assert "libretranslate has no such setting" in done.stdout


def test_it_is_nothing_without_the_modality():
    """It is broken alone, and says what is missing; everything else serves."""
    code = (
        "import anymodal\n"
        "from anymodal.index import installed\n"
        "found = [one for one in installed() if one.name != 'anymodal-translation']\n"
        "plugins = anymodal.Registry(anymodal.Settings.empty(), distributions=found).plugins()\n"
        "print(*[(one.error, one.state) for one in plugins if one.state != 'loaded'])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert 1 == done.stdout.count("broken")
    assert "anymodal-libretranslate 0.1.0 cannot be loaded" in done.stdout
    assert "anymodal_translation_providers" in done.stdout
