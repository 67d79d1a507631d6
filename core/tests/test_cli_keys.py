"""`anymodal keys`: what is kept, what is shown, and that a kept key is found."""

import json

import pytest

from .distributions import ACME, Site
from .terminal import terminal

KEY = "sk-kept-0123456789"
DRAWER = """
import json, os
from pathlib import Path
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

PLACE = Path(os.environ["HOME"], "drawer.json")


class Drawer(KeyringBackend):
    priority = 1

    def _found(self):
        if os.environ.get("LOCKED"):
            raise KeyringLocked
        return json.loads(PLACE.read_text()) if PLACE.exists() else {}

    def get_password(self, service, username):
        return self._found().get(f"{service} {username}")

    def set_password(self, service, username, password):
        PLACE.write_text(json.dumps({**self._found(), f"{service} {username}": password}))

    def delete_password(self, service, username):
        found = self._found()
        if found.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError
        PLACE.write_text(json.dumps(found))
"""
IN_DRAWER = {"PYTHON_KEYRING_BACKEND": "drawer.Drawer"}


@pytest.fixture
def site(tmp_path):
    """A place with a plugin that needs a key, and with a keyring."""
    found = Site(tmp_path)
    found.install("acme", ACME)
    (found.packages / "drawer.py").write_text(DRAWER)
    return found


def kept(site):
    """What lies in the keyring."""
    file = site.home / "drawer.json"
    return json.loads(file.read_text()) if file.exists() else {}


def run(site, *words, status=0, **more):
    """Run `anymodal keys`, and see that it never shows a key."""
    env = {**IN_DRAWER, **more.pop("env", {})}
    ended = site.run("keys", *words, env=env, **more)

    assert status == ended.returncode, ended.stderr
    assert KEY not in ended.stdout + ended.stderr
    return ended


def test_kept_key_is_found_by_itself(site):
    """No line of settings is needed, and no variable."""
    assert 1 == site.run("text", "Hi", env=IN_DRAWER).returncode
    ended = run(site, "set", "acme", piped=f"{KEY}\n".encode())

    assert "acme/api_key is kept.\n" in ended.stderr
    assert {"anymodal acme/api_key": KEY} == kept(site)
    assert "Hi" in site.run("text", "Hi", env=IN_DRAWER).stdout


def test_names_are_listed_and_nothing_else(site):
    """By instance and credential."""
    assert [] == json.loads(run(site, "list", "--json").stdout)
    site.settings('[instances.work]\nprovider = "acme"')
    run(site, "set", "work", piped=KEY.encode())
    run(site, "set", "acme", piped=KEY.encode())

    rows = [{"instance": name, "credential": "api_key"} for name in ("acme", "work")]
    assert rows == json.loads(run(site, "list", "--json").stdout)
    assert "instance  credential" in run(site, "list").stdout


def test_removed_key_is_gone(site):
    """From the keyring and from the list."""
    run(site, "set", "acme", piped=KEY.encode())
    ended = run(site, "remove", "acme")

    assert "acme/api_key is kept no more.\n" == ended.stderr
    assert {} == kept(site)
    assert [] == json.loads(run(site, "list", "--json").stdout)
    assert 1 == site.run("text", "Hi", env=IN_DRAWER).returncode


def test_key_that_is_gone_already_can_be_removed(site):
    """Somebody took it out with another program."""
    run(site, "set", "acme", piped=KEY.encode())
    (site.home / "drawer.json").unlink()
    run(site, "remove", "acme")

    assert [] == json.loads(run(site, "list", "--json").stdout)


def test_key_is_typed_without_being_shown(site):
    """On a terminal it is asked for."""
    with terminal(site, "keys", "set", "acme", env=IN_DRAWER) as somebody:
        somebody.wait_for("acme/api_key: ")
        somebody.type(f"{KEY}\r")
        assert 0 == somebody.ended()

    assert KEY not in somebody.seen
    assert {"anymodal acme/api_key": KEY} == kept(site)


@pytest.mark.parametrize(
    ("words", "piped", "told"),
    [
        (["set", "acmee"], KEY, "There is no provider or instance 'acmee'. Did you mean 'acme'?"),
        (["set", "qqq"], KEY, "There is no provider or instance 'qqq'; there is acme."),
        (
            ["set", "acme", "--credential", "x"],
            KEY,
            "There is no key of acme 'x'; there is api_key.",
        ),
        (["set", "acme"], "", "acme/api_key: the key is empty."),
        (["set", "acme"], "two\nlines", "acme/api_key: the key has a newline"),
        (["remove", "acme"], "", "There is no key 'acme/api_key'; there is none."),
    ],
)
def test_what_cannot_be_done_is_told(site, words, piped, told):
    """In a sentence, with status 1."""
    assert told in run(site, *words, piped=piped.encode(), status=1).stderr
    assert {} == kept(site)


def test_settings_that_go_before_it_are_told(site):
    """Otherwise the new key would be kept, and the old one used, without a word."""
    site.settings('[providers.acme]\napi_key = "env:OLD"')
    ended = run(site, "set", "acme", piped=KEY.encode())

    assert "[providers.acme] has api_key as well, which goes before it.\n" in ended.stderr


def test_variable_goes_before_it(site):
    """Whoever sets one means this run."""
    run(site, "set", "acme", piped=KEY.encode())

    assert 0 == site.run("text", "Hi", env={**IN_DRAWER, "LOCKED": "1", "ACME_KEY": "x"}).returncode
    assert "cannot be read" in site.run("text", "Hi", env={**IN_DRAWER, "LOCKED": "1"}).stderr


@pytest.mark.parametrize("words", [["set", "acme"], ["remove", "acme"]])
def test_locked_keyring_is_told(site, words):
    """By the kind of error alone; the list stays as it was."""
    if words[0] == "remove":
        run(site, "set", "acme", piped=KEY.encode())
    before = run(site, "list", "--json").stdout
    ended = run(site, *words, piped=KEY.encode(), status=1, env={"LOCKED": "1"})

    assert "acme/api_key: the keyring cannot be written to (KeyringLocked)." in ended.stderr
    assert before == run(site, "list", "--json").stdout


def test_without_a_keyring_it_says_what_to_install(site):
    """Before anybody types a key."""
    (site.packages / "keyring.py").write_text("raise ImportError(name='keyring')")
    ended = run(site, "set", "acme", piped=KEY.encode(), status=1)

    assert 'keyring is not installed; run pip install "anymodal[keyring]".' in ended.stderr


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[3]"])
def test_damaged_list_is_told(site, content):
    """Rather than being taken for an empty one."""
    run(site, "set", "acme", piped=KEY.encode())
    (names,) = site.home.rglob("keys.json")
    names.write_text(content)

    assert f"{names}: it is no list of names." in run(site, "list", status=1).stderr


def test_list_holds_no_key(site):
    """Names alone lie in a file."""
    run(site, "set", "acme", piped=KEY.encode())
    (names,) = site.home.rglob("keys.json")

    assert '[\n  "acme/api_key"\n]\n' == names.read_text()
    assert [names.name] == [one.name for one in names.parent.iterdir()]
