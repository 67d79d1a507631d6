"""Settings: layers, faults with their places, and the algebra of merging."""

import math
import os
import subprocess
import sys

import platformdirs
import pytest
from anymodal.config import HttpSettings, InstanceSettings, PluginSettings, Settings, places
from anymodal.errors import SettingsError
from anymodal.specs import Deadlines
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def file(tmp_path):
    """A settings file, written by calling it."""

    def write(text, name="anymodal.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def usual(tmp_path, monkeypatch):
    """The two usual places, both of them empty folders: the user's and the working directory."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    user = platformdirs.user_config_path("anymodal")
    user.mkdir(parents=True)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return user / "anymodal.toml", work / "anymodal.toml"


def faults_of(path, **more):
    """What is wrong with the file, without the folder that it is in."""
    with pytest.raises(SettingsError) as caught:
        Settings.load(path=path, environ={}, **more)
    return [fault.replace(f"{path.parent}{os.sep}", "") for fault in caught.value.faults]


def mapping_faults(found, **environ):
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping(found, environ=environ)
    return list(caught.value.faults)


EVERYTHING = """
[defaults]
text = "anthropic/claude-sonnet-5-5"

[providers.openai]
rate_limit = 600
timeout = 30

[instances.work]
provider = "openai"
enabled = true
api_key = "env:WORK_OPENAI_KEY"
base_url = "http://127.0.0.1:9000/v1/"
concurrency = 4
priority = -1
options = { text = { max_tokens = 1000, stop = "END" } }
vendor_options = { text = { service_tier = "flex" } }
http = { proxy = false }
timeout = { connect = 5, first = inf }
default_models = { text = "gpt-6.1-sol" }
organization = "org-1"

[aliases]
fast = ["groq/llama-4", "openai/gpt-6.1-mini"]
slow = "openai/gpt-6.1-sol"

[fallbacks]
"openai/gpt-6.1-sol" = ["anthropic/claude-sonnet-5-5"]

[plugins]
use = ["sqlite-log"]
prefer = { acme = "acme-for-anymodal" }
allow = ["openai"]
disable = ["groq"]
autoload = false

[models."openai/gpt-6.1-sol"]
context_tokens = 1000

[options.text]
temperature = 0.2
reasoning = "low"

[options.acme-translation]
formality = "high"

[http]
backend = "aiohttp"
proxy = "env:WORK_PROXY"
ca_file = "work-ca.pem"
cert_file = "me.pem"
key_file = "me.key"
"""


def test_every_setting_of_the_file_is_read(file):
    """The file in the documentation means what it says."""
    path = file(EVERYTHING)

    assert Settings.load(path=path, environ={}) == Settings(
        defaults={"text": "anthropic/claude-sonnet-5-5"},
        providers={"openai": InstanceSettings(rate_limit=600, timeout={"total": 30})},
        instances={
            "work": InstanceSettings(
                provider="openai",
                enabled=True,
                base_url="http://127.0.0.1:9000/v1",
                concurrency=4,
                priority=-1,
                options={"text": {"max_tokens": 1000, "stop": ("END",)}},
                vendor_options={"text": {"service_tier": "flex"}},
                http=HttpSettings(proxy=""),
                timeout={"connect": 5, "first": None},
                default_models={"text": "gpt-6.1-sol"},
                rest={"api_key": "env:WORK_OPENAI_KEY", "organization": "org-1"},
            )
        },
        aliases={
            "fast": ("groq/llama-4", "openai/gpt-6.1-mini"),
            "slow": ("openai/gpt-6.1-sol",),
        },
        fallbacks={"openai/gpt-6.1-sol": ("anthropic/claude-sonnet-5-5",)},
        plugins=PluginSettings(
            use=("sqlite-log",),
            prefer={"acme": "acme-for-anymodal"},
            allow=frozenset({"openai"}),
            disable=frozenset({"groq"}),
            autoload=False,
        ),
        models={"openai/gpt-6.1-sol": {"context_tokens": 1000}},
        options={
            "text": {"temperature": 0.2, "reasoning": "low"},
            "acme-translation": {"formality": "high"},
        },
        http=HttpSettings(
            backend="aiohttp",
            proxy="env:WORK_PROXY",
            ca_file="work-ca.pem",
            cert_file="me.pem",
            key_file="me.key",
        ),
        sources=(str(path),),
    )


def test_nothing_set_means_the_defaults():
    """What nobody set is told apart from what somebody set to the same."""
    settings = Settings.empty()

    assert settings == Settings()
    assert settings.http_backend == "httpx2"
    assert settings.plugins.use == ()
    assert settings.plugins.autoload
    assert settings.plugins.allow is None


def test_importing_the_module_reads_nothing():
    """No file, no folder of the user's and no platformdirs: importing is free of I/O."""
    check = "import sys, anymodal.config as c; c.Settings.empty(); sys.exit('platformdirs' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


# -- which layers, and in which order -----------------------------------------------------


@pytest.mark.parametrize("platform", ["linux", "another"])
@pytest.mark.parametrize("said", [None, "", " ", "/etc/xdg/mine"])
def test_users_folder_is_that_of_platformdirs(monkeypatch, platform, said):
    """Wherever that is not known without asking it."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if said is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", said)
    expected = platformdirs.user_config_path("anymodal") / "anymodal.toml"
    monkeypatch.setattr(sys, "platform", platform)

    assert expected == places(None)[0]


def test_working_directory_wins_over_the_users_folder(usual):
    """Key by key: what only the user's own file sets still holds."""
    users, works = usual
    users.write_text('[defaults]\ntext = "a/b"\nimage = "c/d"\n', encoding="utf-8")
    works.write_text('[defaults]\ntext = "e/f"\n', encoding="utf-8")
    settings = Settings.load(environ={})

    assert settings.defaults == {"text": "e/f", "image": "c/d"}
    assert (str(users), "anymodal.toml") == settings.sources


def test_no_file_at_all_is_fine(usual):
    """Most people never write one."""
    assert Settings(environ={"A": "b"}) == Settings.load(environ={"A": "b"})


def test_named_file_replaces_the_usual_ones(usual, file):
    """`ANYMODAL_CONFIG` and `path` say which file, not one more; `path` is nearer to the code."""
    usual[1].write_text('[defaults]\ntext = "usual/one"\n', encoding="utf-8")
    one, two = (file(f'[defaults]\ntext = "{n}/x"\n', f"{n}.toml") for n in ("one", "two"))
    environ = {"ANYMODAL_CONFIG": str(one)}

    assert Settings.load(environ=environ).defaults == {"text": "one/x"}
    assert Settings.load(environ=environ, path=two).defaults == {"text": "two/x"}


def test_environment_wins_over_files_and_code_over_both(file):
    """Later wins."""
    path = file('[defaults]\ntext = "file/x"\nimage = "file/x"\nvideo = "file/x"\n')
    environ = {"PROVIDER_DEFAULTS_JSON": '{"text": "variable", "image": "variable/x"}'}
    settings = Settings.load(path=path, environ=environ, overrides={"defaults": {"text": "code"}})

    assert settings.defaults == {"text": "code", "image": "variable/x", "video": "file/x"}
    assert (str(path), "PROVIDER_DEFAULTS_JSON", "code") == settings.sources


def test_variables_are_looked_up_when_they_are_needed(file, monkeypatch):
    """A key that was rotated in the environment is found; what settings say stands until a reload."""
    monkeypatch.setenv("ANYMODAL_TEST_KEY", "one")
    monkeypatch.setenv("ENABLE_PROVIDER_ACME", "0")
    settings = Settings.load(path=file(""))
    monkeypatch.setenv("ANYMODAL_TEST_KEY", "two")
    monkeypatch.setenv("ENABLE_PROVIDER_ACME", "1")

    assert settings.merged(Settings.empty()).environ["ANYMODAL_TEST_KEY"] == "two"
    assert settings.flags == {"acme": False}
    assert settings.reloaded().flags == {"acme": True}


def test_reloading_reads_the_same_places_again(usual, file):
    """Files, variables and what the host said, as `load` was told."""
    path, environ = file("[providers.acme]\nrate_limit = 1"), {"PROVIDER_DEFAULTS_JSON": "{}"}
    settings = Settings.load(path=path, environ=environ, overrides={"aliases": {"a": "acme"}})
    path.write_text("[providers.acme]\nrate_limit = 2")
    environ["PROVIDER_DEFAULTS_JSON"] = '{"text": "acme"}'
    again = settings.reloaded()

    assert again.providers["acme"].rate_limit == 2
    assert again.defaults == {"text": "acme"}
    assert again.aliases == {"a": ("acme",)}
    assert settings.providers["acme"].rate_limit == 1


def test_damaged_names_of_stored_keys_are_a_fault_like_others(usual):
    """Told together with those of the files."""
    names = usual[0].parent / "keys.json"
    names.write_text("{")
    usual[1].write_text("[defaults]\ntext = 3")
    with pytest.raises(SettingsError) as caught:
        Settings.load(environ={})

    assert list(caught.value.faults) == [
        "anymodal.toml:2: defaults.text: a string is needed, not 3.",
        f"{names}: it is no list of names. Remove it, and set the keys again.",
    ]


def test_settings_from_code_are_not_reloaded(usual):
    """There is nothing to read again."""
    usual[1].write_text('[defaults]\ntext = "acme"')
    settings = Settings.from_mapping({"defaults": {"text": "other"}})

    assert settings.reloaded() is settings


def test_names_of_stored_keys_are_read_beside_the_users_settings(usual):
    """Names alone; the keys are in the keyring."""
    (usual[0].parent / "keys.json").write_text('["acme/api_key"]')

    assert Settings.load(environ={}).stored == {"acme/api_key"}
    assert Settings.load(environ={"ANYMODAL_CONFIG": os.devnull}).stored == {"acme/api_key"}
    assert Settings.load(environ={}, path=os.devnull).stored == frozenset()


def test_mapping_reads_neither_process_nor_file(usual, monkeypatch):
    """What a host builds in code depends on its arguments alone."""
    usual[1].write_text("nonsense", encoding="utf-8")
    monkeypatch.setenv("ENABLE_PROVIDER_ACME", "0")
    settings = Settings.from_mapping({"http": {"backend": "httpx"}})

    assert Settings(http=HttpSettings(backend="httpx"), sources=("code",)) == settings


def test_none_in_code_is_not_set():
    """A host passes on what it may not have."""
    found = {
        "providers": {"acme": {"timeout": None, "api_key": None, "enabled": None}},
        "defaults": None,
    }

    assert {"acme": InstanceSettings()} == Settings.from_mapping(found).providers


# -- variables ----------------------------------------------------------------------------


def test_plugin_variables():
    """Lists are split at commas and blanks."""
    environ = {
        "ANYMODAL_PLUGINS": "openai, groq,acme",
        "ANYMODAL_DISABLE_PLUGINS": "x y",
        "ANYMODAL_NO_AUTOLOAD": "1",
    }
    settings = Settings.from_mapping({}, environ=environ)

    assert settings.plugins == PluginSettings(
        allow=frozenset({"openai", "groq", "acme"}), disable=frozenset({"x", "y"}), autoload=False
    )
    assert (*sorted(environ, key=list(settings.sources).index), "code") == settings.sources


@pytest.mark.parametrize("word", ["0", "false", "No", " off "])
def test_flag_switches_a_provider_off(word):
    """Systems before this one set these flags; an underscore stands for a hyphen."""
    settings = Settings.from_mapping({}, environ={"ENABLE_PROVIDER_GOOGLE_VERTEX": word})

    assert settings.flags == {"google-vertex": False}


@pytest.mark.parametrize("word", ["1", "TRUE", "yes", "on"])
def test_flag_switches_a_provider_on(word):
    """And is named among the sources, for whoever wonders."""
    settings = Settings.from_mapping({}, environ={"ENABLE_PROVIDER_ACME": word})

    assert settings.flags == {"acme": True}
    assert "ENABLE_PROVIDER_ACME" in settings.sources


def test_empty_variables_count_as_unset():
    """`docker run -e NAME=` and the like set them by the dozen."""
    names = (
        "ENABLE_PROVIDER_ACME",
        "ANYMODAL_PLUGINS",
        "ANYMODAL_DISABLE_PLUGINS",
        "ANYMODAL_NO_AUTOLOAD",
        "PROVIDER_DEFAULTS_JSON",
    )
    environ = dict.fromkeys(names, "")

    assert Settings(environ=environ, sources=("code",)) == Settings.from_mapping(
        {}, environ=environ
    )


def test_wrong_variables_are_named_and_not_quoted():
    """A variable may hold anything; what it holds is not shown."""
    environ = {
        "ENABLE_PROVIDER_ACME": "sk-secret",
        "ANYMODAL_NO_AUTOLOAD": "sk-secret",
        "ANYMODAL_PLUGINS": "SK!secret",
        "PROVIDER_DEFAULTS_JSON": "{sk-secret",
    }

    assert mapping_faults({}, **environ) == [
        'PROVIDER_DEFAULTS_JSON: a JSON object is needed, such as {"text": "provider/model"}.',
        "ANYMODAL_PLUGINS: plugins.allow: an id is needed: lower-case words joined by hyphens.",
        "ANYMODAL_NO_AUTOLOAD: 1 or 0 is needed.",
        "ENABLE_PROVIDER_ACME: 1 or 0 is needed.",
    ]


def test_defaults_variable_has_to_be_an_object_of_strings():
    """A list would be read as something nobody meant."""
    assert mapping_faults({}, PROVIDER_DEFAULTS_JSON='["openai"]') == [
        "PROVIDER_DEFAULTS_JSON: defaults: a table is needed, not a list."
    ]
    assert mapping_faults({}, PROVIDER_DEFAULTS_JSON='{"text": 3}') == [
        "PROVIDER_DEFAULTS_JSON: defaults.text: a string is needed, not 3."
    ]


# -- faults and their places ----------------------------------------------------------------


def test_every_fault_is_told_at_once_with_its_line(file):
    """Nobody wants to mend a file one error a run."""
    path = file(
        """\
[default]
text = "x"
[providers.openai]
timeout = -3
rate_limit = 1.5
enabled = "yes"
base_url = "sk-secret"
[providers.groq.timeout]
conect = 1
first = true
[instances.work]
base_url = "http://127.0.0.1"
[aliases]
fast = [
    "a/b",
    3,
]
none = []
[models."openai/gpt-6.1-sol"]
contxt_tokens = 1
[models.gpt]
[plugins]
prefer = { acme = " " }
[http]
backend = "requests"
"""
    )

    assert faults_of(path) == [
        "anymodal.toml:1: default: there is no such table. Did you mean defaults?",
        (
            'anymodal.toml:20: models."openai/gpt-6.1-sol".contxt_tokens: there is no such fact of a '
            "model. Did you mean context_tokens?"
        ),
        "anymodal.toml:21: models.gpt: a name such as provider/model is needed.",
        "anymodal.toml:6: providers.openai.enabled: true or false is needed, not a string.",
        (
            "anymodal.toml:7: providers.openai.base_url: a whole URL is needed, such as "
            '"https://api.example.com/v1".'
        ),
        "anymodal.toml:5: providers.openai.rate_limit: a whole number is needed, not 1.5.",
        "anymodal.toml:4: providers.openai.timeout: a number of seconds above 0 is needed, not -3.",
        (
            "anymodal.toml:9: providers.groq.timeout.conect: there is no such setting. "
            "Did you mean connect?"
        ),
        (
            "anymodal.toml:10: providers.groq.timeout.first: a number of seconds above 0 is needed, "
            "not true."
        ),
        "anymodal.toml:14: aliases.fast: a string is needed, not 3.",
        "anymodal.toml:18: aliases.none: it is empty.",
        "anymodal.toml:23: plugins.prefer.acme: it is empty.",
        "anymodal.toml:25: http.backend: one of httpx2, httpx, aiohttp is needed.",
        'anymodal.toml:11: instances.work: provider = "…" is needed.',
    ]


def test_faults_of_all_layers_are_told_together(file):
    """Each with the layer it is from; what stands in code has no line."""
    path = file("[http]\nbackend = 3\n")

    assert faults_of(path, overrides={"http": {"backnd": "httpx"}}) == [
        "anymodal.toml:2: http.backend: a string is needed, not 3.",
        "code: http.backnd: there is no such setting. Did you mean backend?",
    ]


def test_line_is_that_of_the_key_and_not_of_text_that_looks_like_it(file):
    """A prompt in a string may well contain settings; values may span lines."""
    path = file('[providers.a]\nnote = """\ntimeout = -1\n"""\n\n# timeout\ntimeout = -2\n')

    assert faults_of(path) == [
        "anymodal.toml:7: providers.a.timeout: a number of seconds above 0 is needed, not -2."
    ]


@given(before=st.lists(st.sampled_from(["", "# x", "x = 1", 'y = """\n"""', "z = [\n1,\n]"])))
def test_line_is_found_whatever_stands_before(tmp_path_factory, before):
    """Lines are counted as an editor counts them."""
    keys = [line.replace(" =", f"{n} =") for n, line in enumerate(before)]
    text = "\n".join(["[providers.acme]", *keys, "priority = 1.5", "w = 1"])
    path = tmp_path_factory.mktemp("line") / "anymodal.toml"
    path.write_text(text, encoding="utf-8")
    line = text.split("\n").index("priority = 1.5") + 1

    assert [
        f"anymodal.toml:{line}: providers.acme.priority: a whole number is needed, not 1.5."
    ] == faults_of(path)


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path):
    """Editors on Windows write both."""
    path = tmp_path / "anymodal.toml"
    path.write_bytes(b"\xef\xbb\xbf[http]\r\n\r\nbackend = 3\r\n")

    assert faults_of(path) == ["anymodal.toml:3: http.backend: a string is needed, not 3."]


def test_file_that_is_no_toml_keeps_the_line(file):
    """The parser's own place, and none of the file's text beyond it."""
    path = file('[providers.openai]\napi_key = "sk-secret\n')
    (fault,) = faults_of(path)

    assert fault.startswith("anymodal.toml:2: it is not TOML: ")
    assert "secret" not in fault


def test_file_that_ends_too_early_says_so(file):
    """The parser has no line for the end of a document."""
    (fault,) = faults_of(file('x = """\n'))

    assert fault.startswith("anymodal.toml: it is not TOML: ")
    assert "end of document" in fault


def test_file_that_cannot_be_read_is_a_fault(tmp_path):
    """A file that is asked for by name has to be there, and to be a text file."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")

    assert faults_of(tmp_path / "missing.toml") == [
        "missing.toml: it cannot be read (No such file or directory)."
    ]
    assert faults_of(binary) == ["binary.toml: it is not UTF-8."]


def test_unknown_name_without_a_near_one_lists_what_there_is():
    """When there is nothing to guess, the choice helps."""
    assert mapping_faults({"http": {"qqq": 1}}) == [
        (
            "code: http.qqq: there is no such setting. "
            "Known: backend, ca_file, cert_file, key_file, proxy."
        )
    ]


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ({"providers": 3}, "providers: a table is needed, not 3."),
        ({"providers": {"acme": []}}, "providers.acme: a table is needed, not a list."),
        ({"providers": {3: {}}}, "providers: a table is needed, not a table."),
        (
            {"providers": {"Acme!": {}}},
            'providers."Acme!": a name of lower-case words joined by hyphens is needed.',
        ),
        (
            {"instances": {"a b": {"provider": "acme"}}},
            'instances."a b": a name of lower-case words joined by hyphens is needed.',
        ),
        (
            {"plugins": {"prefer": {"A": "x"}}},
            "plugins.prefer.A: a name of lower-case words joined by hyphens is needed.",
        ),
        (
            {"providers": {"acme": {"concurrency": 0}}},
            "providers.acme.concurrency: a whole number above 0 is needed, not 0.",
        ),
        (
            {"providers": {"acme": {"priority": True}}},
            "providers.acme.priority: a whole number is needed, not true.",
        ),
        (
            {"providers": {"acme": {"timeout": math.nan}}},
            "providers.acme.timeout: a number of seconds above 0 is needed, not nan.",
        ),
        (
            {"providers": {"acme": {"timeout": object()}}},
            "providers.acme.timeout: a number of seconds above 0 is needed, not object.",
        ),
        (
            {"providers": {"acme": {"default_models": "x"}}},
            "providers.acme.default_models: a table is needed, not a string.",
        ),
        (
            {"providers": {"acme": {"provider": "other"}}},
            "providers.acme.provider: only an instance names another provider; use [instances.…].",
        ),
        (
            {"instances": {"work": {"provider": "OpenAI"}}},
            "instances.work.provider: an id is needed: lower-case words joined by hyphens.",
        ),
        ({"instances": {"work": None}}, 'instances.work: provider = "…" is needed.'),
        (
            {"instances": {"acme": {"provider": "acme"}}},
            "instances.acme: this is a provider's own name; give the instance another.",
        ),
        (
            {"instances": {"acme": {"provider": "x"}}, "providers": {"acme": {}}},
            "instances.acme: this is a provider's own name; give the instance another.",
        ),
        ({"plugins": {"use": {"x": 1}}}, "plugins.use: a list of strings is needed, not a table."),
        ({"defaults": {"text": {}}}, "defaults.text: a string is needed, not a table."),
        (
            {"options": {"text": {"temprature": 1}}},
            (
                "options.text.temprature: there is no such option of calls for text. "
                "Did you mean temperature?"
            ),
        ),
        (
            {"options": {"image": {"qqq": 1}}},
            "options.image.qqq: there is no such option of calls for image. Known: none.",
        ),
        (
            {"instances": {"work": {"provider": "x", "options": {"text": {"temperature": -1}}}}},
            "instances.work.options.text.temperature: a number from 0 up is needed, not -1.",
        ),
        (
            {"providers": {"acme": {"options": {"text": {"reasoning": 3}}}}},
            (
                "providers.acme.options.text.reasoning: 3 is none of none, minimal, low, medium, high, "
                "xhigh, max."
            ),
        ),
        (
            {"options": {"text": {"stop": [1]}}},
            "options.text.stop: a list of strings is needed.",
        ),
        ({"options": {"text": {"stop": 1}}}, "options.text.stop: a list of strings is needed."),
        (
            {"providers": {"acme": {"vendor_options": {"text": 3}}}},
            "providers.acme.vendor_options.text: a table is needed, not 3.",
        ),
        (
            {"providers": {"acme": {"http": {"backend": "requests"}}}},
            "providers.acme.http.backend: one of httpx2, httpx, aiohttp is needed.",
        ),
        ({"http": {"ca_file": 3}}, "http.ca_file: a string is needed, not 3."),
    ],
)
def test_wrong_value_is_a_fault(found, fault):
    """One fault each, which says what is needed."""
    assert [f"code: {fault}"] == mapping_faults(found)


@pytest.mark.parametrize(
    "url",
    ["sk-secret", "localhost:9000", "http://", "http://[secret", "http://h:secret", "http://a b"],
)
def test_base_url_that_is_no_url_is_not_quoted(url):
    """It may be a key on the wrong line."""
    (fault,) = mapping_faults({"providers": {"acme": {"base_url": url}}})

    assert fault.endswith('a whole URL is needed, such as "https://api.example.com/v1".')
    assert "secret" not in fault


@pytest.mark.parametrize(
    "proxy",
    [
        "sk-secret",
        "secret:3128",
        "ftp://secret",
        "http://[secret",
        "http://h:secret",
        "http://a secret",
    ],
)
def test_proxy_that_is_no_address_is_not_quoted(proxy):
    """It may hold a password."""
    (fault,) = mapping_faults({"http": {"proxy": proxy}})

    assert fault.startswith("code: http.proxy: the address of a proxy is needed")
    assert "secret" not in fault


@pytest.mark.parametrize(
    "proxy",
    ["http://u:hush@proxy.example:3128", "socks5://127.0.0.1:1080", "env:PROXY", "file:~/proxy"],
)
def test_proxy_is_an_address_or_a_reference_and_not_shown(proxy):
    """One with a password is a secret like a key."""
    settings = Settings.from_mapping({"http": {"proxy": proxy}})

    assert proxy == settings.http.proxy
    assert "proxy='" not in repr(settings)
    assert "hush" not in repr(settings)


def test_base_url_takes_no_password():
    """Base URLs are printed; a password in one would be too."""
    (fault,) = mapping_faults({"providers": {"acme": {"base_url": "https://u:hush@acme.example"}}})

    assert "without user and password" in fault
    assert "hush" not in fault


def test_settings_do_not_print_what_may_be_a_key():
    """Only the spec knows which of the other keys are secret, so all are taken for it."""
    found = {"providers": {"acme": {"api_key": "sk-secret", "region": "eu"}}}
    settings = Settings.from_mapping(found, environ={"ACME_API_KEY": "sk-secret"})

    assert "rest={api_key: …, region: …}" in repr(settings)
    assert "secret" not in repr(settings)


# -- an instance over layers, and deadlines --------------------------------------------------


def test_instance_may_be_put_together_from_layers(file):
    """Its provider need not stand in each of them."""
    path = file('[instances.work]\nprovider = "acme"\nrate_limit = 5\napi_key = "a"\n')
    overrides = {"instances": {"work": {"rate_limit": 6}}}

    assert {
        "work": InstanceSettings(provider="acme", rate_limit=6, rest={"api_key": "a"})
    } == Settings.load(path=path, environ={}, overrides=overrides).instances


def test_deadlines_that_are_set_replace_the_providers():
    """The rest stay what the provider's spec says; `inf` is for ever."""
    found = {"providers": {"acme": {"timeout": {"connect": 1, "first": math.inf}}}}
    default = Deadlines(total=100, connect=10, first=50, between=5)
    settings = Settings.from_mapping(found).providers["acme"]

    assert Deadlines(total=100, connect=1, first=None, between=5) == settings.deadlines(default)


def test_deadlines_from_code_count_as_a_whole():
    """A `Deadlines` says all four."""
    wanted = Deadlines(total=1, connect=2, first=3, between=None)
    settings = Settings.from_mapping({"providers": {"acme": {"timeout": wanted}}})

    assert wanted == settings.providers["acme"].deadlines(Deadlines())


# -- the algebra ------------------------------------------------------------------------------

WORDS = st.sampled_from(["a", "b", "c"])
NAMES = st.lists(WORDS, max_size=2).map(tuple)


def maybe(strategy):
    return st.none() | strategy


TABLES = st.dictionaries(WORDS, st.dictionaries(WORDS, WORDS, max_size=2), max_size=2)
HTTP = st.builds(
    HttpSettings,
    backend=maybe(WORDS),
    proxy=maybe(st.sampled_from(["", "a", "b"])),
    ca_file=maybe(WORDS),
    cert_file=maybe(WORDS),
    key_file=maybe(WORDS),
)
INSTANCES = st.builds(
    InstanceSettings,
    provider=maybe(WORDS),
    enabled=maybe(st.booleans()),
    base_url=maybe(WORDS),
    rate_limit=maybe(st.integers(1, 3)),
    concurrency=maybe(st.integers(1, 3)),
    timeout=st.dictionaries(WORDS, maybe(st.floats(1, 2)), max_size=2),
    default_models=st.dictionaries(WORDS, WORDS, max_size=2),
    priority=maybe(st.integers(0, 2)),
    options=TABLES,
    vendor_options=TABLES,
    http=HTTP,
    rest=st.dictionaries(WORDS, WORDS, max_size=2),
)
SETTINGS = st.builds(
    Settings,
    defaults=st.dictionaries(WORDS, WORDS, max_size=2),
    providers=st.dictionaries(WORDS, INSTANCES, max_size=2),
    instances=st.dictionaries(WORDS, INSTANCES, max_size=2),
    aliases=st.dictionaries(WORDS, NAMES, max_size=2),
    fallbacks=st.dictionaries(WORDS, NAMES, max_size=2),
    plugins=st.builds(
        PluginSettings,
        use=maybe(NAMES),
        prefer=st.dictionaries(WORDS, WORDS, max_size=2),
        allow=maybe(st.frozensets(WORDS)),
        disable=st.frozensets(WORDS),
        autoload=maybe(st.booleans()),
    ),
    models=st.dictionaries(WORDS, st.dictionaries(WORDS, WORDS, max_size=2), max_size=2),
    http=HTTP,
    options=TABLES,
    routes=TABLES,
    auto_detect=st.dictionaries(WORDS, NAMES, max_size=2),
    store=maybe(WORDS),
    flags=st.dictionaries(WORDS, st.booleans(), max_size=2),
    stored=st.frozensets(WORDS),
    environ=st.dictionaries(WORDS, WORDS, max_size=2),
    sources=NAMES,
)


@given(one=SETTINGS, two=SETTINGS, three=SETTINGS)
def test_merging_is_associative(one, two, three):
    """Layers may be put together in any grouping."""
    assert one.merged(two).merged(three) == one.merged(two.merged(three))


@given(settings=SETTINGS)
def test_nothing_is_the_identity_of_merging(settings):
    """Nothing over something, or under it, changes nothing."""
    assert settings == settings.merged(Settings.empty()) == Settings.empty().merged(settings)


@given(one=SETTINGS, two=SETTINGS)
def test_later_wins(one, two):
    """Whatever the later one sets stands, and whatever it leaves open is the earlier one's."""
    both = one.merged(two)

    assert {**one.defaults, **two.defaults} == both.defaults
    assert {**one.flags, **two.flags} == both.flags
    for name, said in two.instances.items():
        before, after = one.instances.get(name, InstanceSettings()), both.instances[name]
        assert after.base_url == (before.base_url if said.base_url is None else said.base_url)
        assert after.enabled == (before.enabled if said.enabled is None else said.enabled)
        assert after.rest == {**before.rest, **said.rest}
        for kind, options in said.options.items():
            assert after.options[kind] == {**before.options.get(kind, {}), **options}
    assert both.http.proxy == (one.http.proxy if two.http.proxy is None else two.http.proxy)
    assert one.plugins.disable | two.plugins.disable == both.plugins.disable


def test_plugins_in_use_can_be_set_to_none_at_all():
    """An empty list is something that is set, unlike no list."""
    users, works = PluginSettings(use=("sqlite-log",)), PluginSettings(use=())

    assert users.merged(works).use == ()
    assert works.merged(users).use == ("sqlite-log",)
    assert users.merged(PluginSettings()).use == ("sqlite-log",)


def test_facts_of_models_are_checked_with_the_rest(tmp_path):
    """Whether or not a plugin offers the model, and each with its line."""
    file = tmp_path / "anymodal.toml"
    file.write_text(
        '[models."acme/m-1"]\ncontext_tokens = "many"\nprices = { inputt_token = 1 }\nnonsense = 1\n'
    )
    with pytest.raises(SettingsError) as caught:
        Settings.load(path=file, environ={})

    places = [fault.removeprefix(f"{file}:").partition(": ")[0] for fault in caught.value.faults]
    assert ["2", "3", "4"] == sorted(places)
