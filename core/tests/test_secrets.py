"""Where keys come from, and where they never go."""

import os
import shlex
import sys
from contextlib import contextmanager

import anyio
import keyring
import keyring.backend
import keyring.errors
import pytest
from anymodal.connection import Connection
from anymodal.errors import ConfigurationError, MissingCredentialsError
from anymodal.modalities.text import TextProviderSpec
from anymodal.secrets import (
    checked_sources,
    credentials_for,
    is_ambient,
    missing,
    reference,
    variables,
)
from anymodal.specs import Credential, Secret
from hypothesis import given
from hypothesis import strategies as st

KEY = "sk-1234567890"
WHERE = "[providers.acme] api_key"


def acme(*credentials, name="acme", base_url="https://api.acme.example/v1"):
    """A provider that needs what is given, or else an API key."""
    return TextProviderSpec(
        id=name,
        display_name="Acme",
        base_url=base_url,
        credentials=credentials or [Credential(env=["ACME_KEY", "ACME_TOKEN"])],
        connect=lambda connection: connection,
    )


def found(spec, given=None, environ=None, *, ambient=True, instance="acme"):
    """The keys that a provider is given, revealed."""
    sources = credentials_for(
        spec, instance=instance, given=given or {}, environ=environ or {}, ambient=ambient
    )
    return {name: source.reveal() for name, source in sources.items()}


def error_of(cls, call):
    """The message of the error that *call* ends with; no key is in it or in what caused it."""
    with pytest.raises(cls) as caught:
        call()
    told = caught.value
    while told is not None:
        assert KEY not in str(told)
        assert KEY not in repr(told)
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    return str(caught.value)


# -- which of them ------------------------------------------------------------------------


def test_key_in_settings_beats_the_vendors_variable():
    """A key in file or code is nearer than the environment."""
    assert found(acme(), {"api_key": "given"}, {"ACME_KEY": "ambient"}) == {"api_key": "given"}


def test_variables_are_looked_up_in_the_specs_order():
    """The vendor's own name first, then its aliases, then the id's own."""
    environ = {"ACME_API_KEY": "3", "ACME_TOKEN": "2", "ACME_KEY": "1"}

    assert found(acme(), environ=environ) == {"api_key": "1"}
    del environ["ACME_KEY"]
    assert found(acme(), environ=environ) == {"api_key": "2"}
    del environ["ACME_TOKEN"]
    assert found(acme(), environ=environ) == {"api_key": "3"}


def test_variable_of_the_id_needs_no_declaration():
    """`<ID>_<NAME>` works for every provider; a hyphen is an underscore there."""
    spec = acme(Credential(name="access-token"), name="acme-cloud")
    environ = {"ACME_CLOUD_ACCESS_TOKEN": KEY}

    assert found(spec, environ=environ, instance="acme-cloud") == {"access-token": KEY}


def test_empty_variable_counts_as_unset():
    """A set and empty one does not hide the next."""
    assert found(acme(), environ={"ACME_KEY": "", "ACME_TOKEN": KEY}) == {"api_key": KEY}


def test_provider_is_given_only_what_it_declared():
    """A plugin never sees another's keys, nor settings that it did not ask for as keys."""
    spec = acme(Credential(name="id"), Credential(name="secret"))
    given = {"id": "a", "secret": "b", "api_key": "c", "region": "d"}

    assert found(spec, given, {"ACME_API_KEY": "e"}) == {"id": "a", "secret": "b"}


def test_optional_key_may_be_missing():
    """A local server takes one and needs none."""
    assert found(acme(Credential(required=False))) == {}


def test_ambient_key_is_not_used_where_it_may_not_be():
    """A named instance has its own key or none."""
    spec = acme(Credential(env=["ACME_KEY"], required=False))

    assert found(spec, environ={"ACME_KEY": KEY}, ambient=False, instance="work") == {}


def test_unset_in_code_is_unset():
    """None is not a key."""
    assert found(acme(), {"api_key": None}, {"ACME_KEY": KEY}) == {"api_key": KEY}


@given(
    declared=st.sets(st.sampled_from("abcd")),
    given=st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("uv"), max_size=6),
    ambient=st.booleans(),
)
def test_given_wins_and_nothing_undeclared_comes_through(declared, given, ambient):
    """Whatever is set where, a provider has its declared keys and no others."""
    spec = acme(*(Credential(name=n, required=False) for n in sorted(declared)), Credential())
    environ = {f"ACME_{name.upper()}": "ambient" for name in "abcdef"} | {"ACME_API_KEY": "x"}
    keys = found(spec, {**given, "api_key": "y"}, environ, ambient=ambient)

    assert keys.pop("api_key") == "y"
    assert keys.keys() == (declared if ambient else declared & given.keys())
    assert keys == {name: given.get(name, "ambient") for name in keys}


def test_secret_in_code_is_checked_like_a_string():
    """A host may pass what it already wrapped."""
    assert found(acme(), {"api_key": Secret(KEY)}) == {"api_key": KEY}
    told = error_of(ConfigurationError, lambda: found(acme(), {"api_key": Secret(f"{KEY}\n")}))
    assert told.startswith(WHERE)


def test_async_function_is_asked_at_every_request():
    """A token that changes by the hour; it is not called before it is needed."""
    tokens = iter(["one", "two"])

    async def token():
        return next(tokens)

    class Clock:
        now = None
        sleep = None

    credentials = credentials_for(
        acme(), instance="acme", given={"api_key": token}, environ={}, ambient=True
    )
    connection = Connection(provider="acme", credentials=credentials, clock=Clock())

    async def twice():
        return [await connection.secret(), await connection.secret()]

    assert anyio.run(twice) == ["one", "two"]


def test_what_is_neither_string_nor_function_is_refused():
    """A number from a file is most likely a typing mistake; it is not shown."""
    told = error_of(ConfigurationError, lambda: found(acme(), {"api_key": 1234}))

    assert told == f"{WHERE}: a string or an async function is needed, not int."


# -- what is missing ---------------------------------------------------------------------


def test_missing_key_names_variable_and_setting():
    """Who, what, and what to do now."""
    told = error_of(MissingCredentialsError, lambda: found(acme()))

    assert told == "acme needs an API key: set ACME_KEY, or api_key in [providers.acme]."


def test_missing_key_without_variables_names_the_ids_own():
    """As does any other credential than an API key, by its name."""
    told = error_of(MissingCredentialsError, lambda: found(acme(Credential(name="secret_key"))))

    assert told == "acme needs secret_key: set ACME_SECRET_KEY, or secret_key in [providers.acme]."


def test_missing_key_of_a_named_instance_says_that_the_ambient_one_is_not_used():
    """Else people set the variable again and again."""
    told = error_of(
        MissingCredentialsError,
        lambda: found(acme(), environ={"ACME_KEY": KEY}, ambient=False, instance="work"),
    )

    assert told == (
        'work needs an API key: set api_key in [instances.work], such as api_key = "env:ACME_KEY". '
        "The key of a named instance never comes from the environment unasked."
    )


def test_missing_key_of_a_foreign_base_url_says_that_the_ambient_one_is_not_used():
    """The provider's own instance, pointed elsewhere."""
    told = error_of(
        MissingCredentialsError,
        lambda: found(acme(), environ={"ACME_KEY": KEY}, ambient=False),
    )

    assert told == (
        'acme needs an API key: set api_key in [providers.acme], such as api_key = "env:ACME_KEY". '
        "The key of a base URL that is not the vendor's never comes from the environment unasked."
    )


def test_listings_learn_what_is_missing_without_reading_it(tmp_path):
    """A listing of thirty providers does not run thirty password managers."""
    witness = tmp_path / "ran"
    touch = shlex.join([sys.executable, "-c", f"open({str(witness)!r}, 'w')"])

    def lack(environ=None, *, ambient=True, **given):
        return missing(acme(), instance="acme", given=given, environ=environ or {}, ambient=ambient)

    assert lack(api_key=f"command:{touch}") is None
    assert not witness.exists()
    assert lack(api_key="file:/no/such/file") is None
    assert lack(api_key="keyring:no/such") is None
    assert lack(api_key="env") is None
    assert lack(api_key=Secret(KEY)) is None
    assert lack(api_key="env:MY_KEY", environ={"MY_KEY": KEY}) is None
    assert lack(environ={"ACME_TOKEN": KEY}) is None
    assert str(lack(api_key="env:MY_KEY")) == f"{WHERE}: the variable MY_KEY is not set."
    assert str(lack()).startswith("acme needs an API key: set ACME_KEY")
    assert str(lack(environ={"ACME_KEY": KEY}, ambient=False)).startswith("acme needs an API key")
    assert (
        missing(
            acme(Credential(required=False)), instance="acme", given={}, environ={}, ambient=True
        )
        is None
    )


# -- where ambient keys go ------------------------------------------------------------------


@pytest.mark.parametrize(
    "base_url",
    [
        None,
        "https://api.acme.example/v1",
        "https://api.acme.example/v1/",
        "https://API.acme.example:443/v1",
    ],
)
def test_ambient_keys_go_to_the_vendor(base_url):
    """However its address is spelled."""
    assert is_ambient(acme(), "acme", base_url)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.acme.example/v1",
        "https://api.acme.example:8443/v1",
        "https://api.acme.example.evil.example/v1",
        "https://api.acme.example@evil.example/v1",
        "https://evil.example/v1",
        "https://api.acme.example/v2",
        "https://api.acme.example/v1?to=evil",
        "http://127.0.0.1:9000/v1",
        "",
    ],
)
def test_ambient_keys_go_nowhere_else(base_url):
    """Another scheme, port, host or path is another address."""
    assert not is_ambient(acme(), "acme", base_url)


def test_ambient_keys_do_not_go_to_named_instances():
    """A named instance says which key it has, at whatever address."""
    assert not is_ambient(acme(), "work", None)
    assert not is_ambient(acme(), "work", "https://api.acme.example/v1")


def test_provider_without_an_address_of_its_own_has_no_ambient_key_elsewhere():
    """Where only the user knows the address, only the user says what goes there."""
    assert is_ambient(acme(base_url=None), "acme", None)
    assert not is_ambient(acme(base_url=None), "acme", "https://any.example")


# -- references -----------------------------------------------------------------------------


def read(value, environ=None, **more):
    return reference(value, where=WHERE, environ=environ or {}, **more)


@pytest.mark.parametrize("key", [KEY, "environment", "env", "sk:ant:1", "file", "Env:X", ":"])
def test_anything_else_is_the_key_itself(key):
    """Keys may have colons in them."""
    assert read(key) == Secret(key)


@pytest.mark.parametrize("key", ["", " ", f"{KEY}\n", f" {KEY}", f"{KEY}é", f"{KEY}\x00"])
def test_what_no_header_can_hold_is_no_key(key):
    """Said at once and by name, rather than by an HTTP library in the middle of a call."""
    assert error_of(ConfigurationError, lambda: read(key)).startswith(f"{WHERE}: the key ")


def test_ambient_key_with_a_newline_names_its_variable():
    """`export ACME_KEY="$(cat file)"` in a hurry."""
    told = error_of(ConfigurationError, lambda: found(acme(), environ={"ACME_KEY": f"{KEY}\n"}))

    assert told.startswith("ACME_KEY: ")


def test_variable():
    """One of the user's own, whatever it is called."""
    assert read("env:MY_KEY", {"MY_KEY": KEY}) == Secret(KEY)


@pytest.mark.parametrize("environ", [{}, {"MY_KEY": ""}])
def test_variable_that_is_not_set_is_a_missing_key(environ):
    """So that a call may go on to the next provider."""
    told = error_of(MissingCredentialsError, lambda: read("env:MY_KEY", environ))

    assert told == f"{WHERE}: the variable MY_KEY is not set."


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_file(tmp_path, end):
    """The end of the line that editors add is no part of the key."""
    path = tmp_path / "key"
    path.write_bytes(KEY.encode() + end.encode())

    assert read(f"file:{path}") == Secret(KEY)


def test_file_in_the_home_folder(tmp_path, monkeypatch):
    """A tilde is the home folder, as in a shell."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "key").write_text(KEY, encoding="utf-8")

    assert read("file:~/key") == Secret(KEY)


def test_file_that_is_not_there_is_a_missing_key(tmp_path):
    """The path is named."""
    told = error_of(MissingCredentialsError, lambda: read(f"file:{tmp_path / 'key'}"))

    assert told == f"{WHERE}: there is no file {tmp_path / 'key'}."


@pytest.mark.parametrize(
    "path", ["", ".", "\0", "~nobody-of-that-name-is-here/key"], ids=["none", "dir", "nul", "user"]
)
def test_path_that_cannot_be_read_is_told(path):
    """Whatever the operating system holds against it."""
    told = error_of(ConfigurationError, lambda: read(f"file:{path}"))

    assert "cannot be read (" in told


def test_file_too_long_for_a_key_is_not_read_whole(tmp_path):
    """A wrong path may be a disk image, or a device without an end."""
    path = tmp_path / "image"
    path.write_bytes(b"x" * 65_537)

    assert error_of(ConfigurationError, lambda: read(f"file:{path}")).endswith(
        "too long for a key."
    )


@pytest.mark.parametrize("content", [b"\xff\xfe", f"{KEY}\n\n".encode(), b""])
def test_file_that_holds_no_key_is_told(tmp_path, content):
    """Two lines, another encoding, nothing: each is named by the setting."""
    path = tmp_path / "key"
    path.write_bytes(content)

    assert error_of(ConfigurationError, lambda: read(f"file:{path}")).startswith(WHERE)


def python(code):
    return "command:" + shlex.join([sys.executable, "-c", code])


def test_command():
    """What it prints, without the blanks around it."""
    assert read(python(f"print('  {KEY} ')")) == Secret(KEY)


def test_command_has_no_shell(tmp_path):
    """Words are words: nothing in them is expanded, piped or run after."""
    read(python("import sys; print('-'.join(sys.argv[1:]))") + f" a; touch {tmp_path / 'ran'}")

    assert list(tmp_path.iterdir()) == []


def test_command_has_no_input():
    """One that asks a question gets no answer, and does not wait for it."""
    told = error_of(ConfigurationError, lambda: read(python("input()")))

    assert told == f"{WHERE}: {sys.executable} ended with status 1."


def test_command_that_fails_is_told_without_its_words():
    """Words may hold a token, and so may what it printed."""
    code = f"import sys; print({KEY!r}); print({KEY!r}, file=sys.stderr); sys.exit(3)"
    told = error_of(ConfigurationError, lambda: read(python(code)))

    assert told == f"{WHERE}: {sys.executable} ended with status 3."


def test_command_that_does_not_end_is_stopped():
    """A password manager that waits for a finger on a key; its words are not told."""
    code = f"import time; print({KEY!r}, flush=True); time.sleep(60)"
    told = error_of(ConfigurationError, lambda: read(python(code), command_seconds=0.5))

    assert told == f"{WHERE}: {sys.executable} took longer than 0.5 s."


@pytest.mark.parametrize("words", ["", "   ", f"'{KEY}", f"no-such-program-here {KEY}", os.curdir])
def test_command_that_cannot_be_run_is_told(words):
    """Nothing, an open quotation, no program, no file."""
    told = error_of(ConfigurationError, lambda: read(f"command:{words}"))

    assert told.startswith(f"{WHERE}: the command cannot be run (")


@pytest.mark.parametrize("code", ["pass", "print('ä')", "print('a\\nb')"])
def test_command_that_prints_no_key_is_told(code):
    """Nothing, a character that no header takes, two lines."""
    assert error_of(ConfigurationError, lambda: read(python(code))).startswith(f"{WHERE}: the key ")


class Drawer(keyring.backend.KeyringBackend):
    """A keyring with one key in it."""

    priority = 1

    def __init__(self, found):
        super().__init__()
        self.found = found

    def get_password(self, service, username):
        if self.found is None:
            raise keyring.errors.KeyringLocked
        return self.found.get((service, username))

    def set_password(self, service, username, password):
        raise NotImplementedError


@contextmanager
def drawer(found):
    """Until the block ends, the keyring is one that holds *found*; None is locked."""
    before = keyring.get_keyring()
    keyring.set_keyring(Drawer(found))
    try:
        yield
    finally:
        keyring.set_keyring(before)


def test_keyring():
    """The last slash parts the two, because services are often addresses."""
    with drawer({("https://acme.example/x", "me"): KEY}):
        assert read("keyring:https://acme.example/x/me") == Secret(KEY)


def test_keyring_without_the_key_is_a_missing_key():
    """Both names are told."""
    with drawer({}):
        told = error_of(MissingCredentialsError, lambda: read("keyring:acme/me"))

    assert told == f"{WHERE}: the keyring has no me of acme."


def test_keyring_that_is_locked_is_told():
    """By the kind of error alone."""
    with drawer(None):
        told = error_of(ConfigurationError, lambda: read("keyring:acme/me"))

    assert told == f"{WHERE}: the keyring cannot be read (KeyringLocked)."


@pytest.mark.parametrize("path", ["", "acme", "/me", "acme/"])
def test_keyring_needs_both_names(path):
    """Half of it would ask for something else."""
    told = error_of(ConfigurationError, lambda: read(f"keyring:{path}"))

    assert told == f"{WHERE}: keyring:SERVICE/NAME is needed."


def test_keyring_that_is_not_installed_names_the_extra(monkeypatch):
    """What to do now."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    told = error_of(ConfigurationError, lambda: read("keyring:acme/me"))

    assert told == f'{WHERE}: keyring is not installed; run pip install "anymodal[keyring]".'


# -- further places ----------------------------------------------------------------------------


class Vault:
    """A place for keys, which counts what it is asked."""

    scheme = "acme-vault"

    def __init__(self, found=None, error=None):
        self.found = found or {}
        self.error = error
        self.asked = []

    def get(self, reference):
        self.asked.append(reference)
        if self.error:
            raise self.error
        return self.found.get(reference)


class SlowVault(Vault):
    """One that has to be awaited."""

    async def get(self, reference):
        return super().get(reference)


def from_source(source, value="acme-vault:team/acme"):
    given = {"api_key": value}
    return credentials_for(
        acme(), instance="acme", given=given, environ={}, ambient=True, sources=[source]
    )["api_key"]


def test_source_is_asked_for_its_own_scheme():
    """Everything after the colon is the source's own business."""
    vault = Vault({"team/acme": KEY})

    assert Secret(KEY) == from_source(vault)
    assert Secret("other:x") == from_source(vault, "other:x")
    assert ["team/acme"] == vault.asked


def test_first_source_of_a_scheme_is_asked():
    """The host's come before those of plugins."""
    one, two = Vault({"x": "sk-one"}), Vault({"x": "sk-two"})
    found = credentials_for(
        acme(), instance="acme", given={"api_key": "acme-vault:x"}, environ={}, ambient=True,
        sources=[one, two],
    )  # fmt: skip

    assert {"api_key": Secret("sk-one")} == found
    assert [] == two.asked


def test_async_source_is_asked_at_every_request():
    """It cannot be asked in the thread that connects; what it gives is checked like any other."""
    vault = SlowVault({"team/acme": KEY})
    source = from_source(vault)

    async def twice():
        connection = Connection(provider="acme", credentials={"api_key": source}, clock=None)
        return [await connection.secret(), await connection.secret()]

    assert [] == vault.asked
    assert [KEY, KEY] == anyio.run(twice)
    assert source == from_source(vault)
    assert source != from_source(vault, "acme-vault:x")
    assert KEY not in repr(source)


@pytest.mark.parametrize("cls", [Vault, SlowVault])
def test_key_that_a_source_has_not_is_missing(cls):
    """Both are told: who was asked, and for what."""
    told = error_of(MissingCredentialsError, lambda: anyio.run(_asked, from_source_of(cls())))

    assert told == f"{WHERE}: acme-vault has no team/acme."


def from_source_of(vault):
    return lambda: from_source(vault)


async def _asked(make):
    source = make()
    return source if isinstance(source, Secret) else await source()


def test_source_that_fails_is_told_without_its_words():
    """They may have the key in them."""
    vault = Vault(error=RuntimeError(KEY))
    told = error_of(ConfigurationError, lambda: from_source(vault))

    assert told == f"{WHERE}: acme-vault cannot be asked (RuntimeError)."


def test_source_may_say_itself_what_is_wrong():
    """In an error of our tree, for which it answers itself."""
    vault = Vault(error=ConfigurationError("The vault is sealed; run vault unseal."))

    assert "The vault is sealed; run vault unseal." == error_of(
        ConfigurationError, lambda: from_source(vault)
    )


def test_source_that_gives_no_string_is_told():
    """By the kind of what it gave."""
    vault = Vault({"team/acme": 3})

    assert f"{WHERE}: acme-vault gave int and not a string." == error_of(
        ConfigurationError, lambda: from_source(vault)
    )


@pytest.mark.parametrize(
    "scheme", ["env", "file", "keyring", "command", "", "Vault", "a:b", 3, None]
)
def test_source_stands_for_nothing_of_ours(scheme):
    """A plugin may not read the variables' references, nor be one that nothing can refer to."""
    vault = Vault()
    vault.scheme = scheme
    with pytest.raises(ConfigurationError, match="keeps no keys under the scheme"):
        checked_sources([vault])


# -- kept keys ---------------------------------------------------------------------------------


def test_kept_key_is_the_last_resort():
    """Settings and variables go before it."""

    def key(given=None, environ=None, *, ambient=True):
        return credentials_for(
            acme(), instance="acme", given=given or {}, environ=environ or {}, ambient=ambient,
            stored={"api_key"},
        )["api_key"].reveal()  # fmt: skip

    with drawer({("anymodal", "acme/api_key"): KEY}):
        assert KEY == key()
        assert "sk-env" == key(environ={"ACME_KEY": "sk-env"})
        assert KEY == key(environ={"ACME_KEY": "sk-env"}, ambient=False)
        assert "sk-given" == key({"api_key": "sk-given"}, {"ACME_KEY": "sk-env"})


def test_listings_do_not_ask_the_keyring_for_kept_keys():
    """It might ask the user for a password."""
    with drawer(None):
        assert (
            missing(
                acme(), instance="acme", given={}, environ={}, ambient=False, stored={"api_key"}
            )
            is None
        )


# -- their variables -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "ambient", "names"),
    [
        ({}, True, ["ACME_KEY", "ACME_TOKEN", "ACME_API_KEY"]),
        ({}, False, []),
        ({"api_key": "env:OTHER"}, True, ["OTHER"]),
        ({"api_key": "sk-x"}, True, []),
        ({"api_key": Secret("sk-x")}, True, []),
    ],
)
def test_variables_that_have_a_say(given, ambient, names):
    """A change of another one is none of the key's."""
    found = variables(acme(), given=given, environ={"OTHER": "x", "ACME_KEY": "y"}, ambient=ambient)

    assert names == list(found)
    assert {"OTHER": "x", "ACME_KEY": "y"}.items() >= {k: v for k, v in found.items() if v}.items()
