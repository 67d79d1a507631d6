"""Clients that change while they are open: other files, instances, defaults and keys."""

import threading

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs
import pytest
from anymodal import (
    Client,
    Credential,
    Finish,
    Message,
    ModelSpec,
    Registry,
    Secret,
    Settings,
    SyncClient,
    TextDelta,
    TextResult,
    hookimpl,
    streaming,
)
from anymodal import errors as e

from .plugins_on_path import Brings, offers

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Says:
    """A provider that answers with its key and address; its streams wait in the middle."""

    def __init__(self, connection):
        self.connection = connection
        self.go_on = anyio.Event()
        self.is_closed = False

    async def generate(self, request):
        assert not self.is_closed
        return TextResult(Message.assistant(await self._words()), Finish())

    @streaming
    async def stream(self, request):
        yield TextDelta(await self._words())
        await self.go_on.wait()
        assert not self.is_closed
        yield TextDelta(" and " + await self._words())
        yield Finish()

    async def _words(self):
        key = await self.connection.secret()
        return f"{key} at {self.connection.base_url}"

    async def aclose(self):
        self.is_closed = True


class Acme(Brings):
    """A plugin whose connected providers are in `made`."""

    def __init__(self, **spec):
        self.made = []
        super().__init__(
            lambda connection: self.made.append(Says(connection)) or self.made[-1],
            kind="remote",
            base_url="https://acme.example/v1",
            credentials=[Credential()],
            settings={"region"},
            models=[ModelSpec(id="m-1"), ModelSpec(id="m-2")],
            **spec,
        )


def client_of(*plugins, settings=None, environ=None, **more):
    settings = Settings.from_mapping(settings or {}, environ=environ)
    return Client(registry=Registry(settings, plugins=plugins, distributions=()), **more)


async def said(ai, model="acme"):
    return (await ai.text.generate("Hi", model=model)).text


KEYED = {"ACME_API_KEY": "sk-one"}


# -- instances -----------------------------------------------------------------------------------


async def test_registered_instance_is_one_like_those_of_the_file():
    """The same keys; the provider's own instance is as before."""
    acme = Acme()
    async with client_of(acme, environ=KEYED) as ai:
        ai.register(
            "work", provider="acme", api_key="sk-work", base_url="http://127.0.0.1:1/v1/",
            settings={"region": "north", "timeout": 3},
        )  # fmt: skip

        assert "sk-work at http://127.0.0.1:1/v1" == await said(ai, "work/m-1")
        assert "sk-one at https://acme.example/v1" == await said(ai, "acme/m-1")
        assert "north" == acme.made[0].connection.settings["region"]
        assert 3 == acme.made[0].connection.deadlines.total
        assert {"acme", "work"} == {one.instance for one in ai.registry.providers("text")}


async def test_keys_that_are_registered_refer_to_nothing():
    """Whoever types one into a form may not have the server run a command for it."""
    async with client_of(Acme()) as ai:
        with pytest.raises(e.ConfigurationError, match="a key itself is needed here"):
            ai.register("work", provider="acme", api_key="command:touch /tmp/x")


async def test_references_in_further_settings_count():
    """They are the host's own words, as in a file."""
    async with client_of(Acme(), environ={"WORK": "sk-of-env"}) as ai:
        ai.register("work", provider="acme", settings={"api_key": "env:WORK"})

        assert (await said(ai, "work")).startswith("sk-of-env at")


async def test_async_sources_and_secrets_can_be_registered():
    """Whatever a key may be elsewhere."""

    async def vault():
        return "sk-vault"

    async with client_of(Acme()) as ai:
        ai.register("work", provider="acme", api_key=vault)
        ai.register("home", provider="acme", api_key=Secret("sk-secret"))

        assert (await said(ai, "work")).startswith("sk-vault at")
        assert (await said(ai, "home")).startswith("sk-secret at")


@pytest.mark.parametrize(
    ("name", "arguments", "error", "words"),
    [
        ("work", {"provider": "nobody", "api_key": "k"}, e.UnknownProviderError, "'nobody'"),
        ("work", {"provider": "acme"}, e.MissingCredentialsError, "work needs an API key"),
        ("Work!", {"provider": "acme", "api_key": "k"}, e.SettingsError, "lower-case words"),
        ("there", {"provider": "acme", "api_key": "k"}, e.ConfigurationError, "already"),
        ("acme", {"provider": "acme", "api_key": "k"}, e.SettingsError, "a provider's own name"),
        (
            "work",
            {"provider": "acme", "api_key": "k", "settings": {"concurrency": 0}},
            e.SettingsError,
            "instances.work.concurrency: a whole number above 0",
        ),
        ("work", {"provider": "acme", "api_key": "k", "base_url": "x"}, e.SettingsError, "URL"),
    ],
)
async def test_what_cannot_be_registered(name, arguments, error, words):
    """The error says why, and nothing has changed."""
    there = {"instances": {"there": {"provider": "acme", "api_key": "k"}}}
    async with client_of(Acme(), settings=there, environ=KEYED) as ai:
        with pytest.raises(error) as caught:
            ai.register(name, **arguments)

        assert words in str(caught.value)
        assert {"acme", "there"} == {one.instance for one in ai.registry.providers()}


async def test_unregistered_instance_is_gone():
    """Its connection closes; a name of the settings' stays."""
    acme = Acme()
    there = {"instances": {"there": {"provider": "acme", "api_key": "k"}}}
    async with client_of(acme, settings=there) as ai:
        ai.register("work", provider="acme", api_key="sk-work")
        await said(ai, "work")
        ai.unregister("work")
        with pytest.raises(e.UnknownProviderError):
            await said(ai, "work/m-1")
        with pytest.raises(e.ConfigurationError, match="stands in the settings"):
            ai.unregister("there")
        with pytest.raises(e.ConfigurationError, match="is not there"):
            ai.unregister("work")
        await said(ai, "there")

        assert acme.made[0].is_closed
        assert not acme.made[1].is_closed


async def test_instance_can_be_registered_before_the_client_is_entered():
    """Applications set up first and open later."""
    ai = client_of(Acme())
    ai.register("work", provider="acme", api_key="sk-work")
    async with ai:
        assert (await said(ai, "work")).startswith("sk-work at")


# -- defaults ------------------------------------------------------------------------------------


async def test_default_can_be_set_and_unset():
    """It is the one of the settings again."""
    settings = {"defaults": {"text": "acme/m-1"}}
    async with client_of(Acme(), settings=settings, environ=KEYED) as ai:
        from anymodal import TEXT

        ai.set_default(TEXT, "acme/m-2")
        assert "m-2" == (await ai.text.generate("Hi")).record.model
        ai.set_default("text", None)
        assert "m-1" == (await ai.text.generate("Hi")).record.model


async def test_default_that_nobody_serves_is_refused():
    """Now, and not when the next call is made."""
    async with client_of(Acme(), environ=KEYED) as ai:
        with pytest.raises(e.UnknownModelError):
            ai.set_default("text", "nothing")
        for name in ("acme", None):
            with pytest.raises(e.InvalidRequestError, match="No modality is called 'txt'"):
                ai.set_default("txt", name)
        assert {} == ai.registry.settings.defaults


async def test_default_whose_instance_is_gone_can_be_unset():
    """It led nowhere; the way back may not depend on that."""
    async with client_of(Acme(), environ=KEYED) as ai:
        ai.register("work", provider="acme", api_key="sk-work")
        ai.set_default("text", "work/m-2")
        ai.unregister("work")
        with pytest.raises(e.UnknownProviderError):
            await ai.text.generate("Hi")
        ai.set_default("text", None)
        assert "m-1" == (await ai.text.generate("Hi")).record.model


# -- tenants -------------------------------------------------------------------------------------


async def test_tenants_have_what_is_registered_but_not_its_key():
    """Where they have keys of their own; else they have the client's."""
    async with client_of(Acme(), environ=KEYED) as ai:
        keyed = ai.scoped("keyed", keys={"acme": "sk-theirs"})
        plain = ai.scoped("plain")
        ai.register("work", provider="acme", api_key="sk-work")

        assert (await said(plain, "work")).startswith("sk-work at")
        with pytest.raises(e.MissingCredentialsError):
            await said(keyed, "work")


async def test_tenant_s_own_instance_is_its_own():
    """With its key, where it has none but its own; it stays when the client changes."""
    async with client_of(Acme(), environ=KEYED) as ai:
        tenant = ai.scoped("tenant", keys={"acme": "sk-theirs"})
        tenant.register("mine", provider="acme", api_key="sk-mine")
        ai.register("work", provider="acme", api_key="sk-work")

        assert (await said(tenant, "mine")).startswith("sk-mine at")
        assert (await said(tenant, "acme")).startswith("sk-theirs at")
        with pytest.raises(e.UnknownProviderError):
            await said(ai, "mine/m-1")


async def test_change_that_would_send_a_key_astray_is_none():
    """A tenant gave that name another address; the client's new key would go there."""
    mine = {"instances": {"work": {"provider": "acme", "base_url": "http://127.0.0.1:1"}}}
    async with client_of(Acme()) as ai:
        tenant = ai.scoped("tenant", settings=mine)
        with pytest.raises(e.ConfigurationError, match="the client's keys stay with the client"):
            ai.register("work", provider="acme", api_key="sk-work")

        assert {} == ai.registry.settings.instances
        assert ["work"] == list(tenant.registry.settings.instances)


# -- reloading -----------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    """A settings file, written by calling it."""

    def write(text):
        path = tmp_path / "anymodal.toml"
        path.write_text(text)
        return path

    return write


def loaded(path, *plugins, environ=None):
    settings = Settings.load(path=path, environ=environ if environ is not None else dict(KEYED))
    return Client(registry=Registry(settings, plugins=plugins, distributions=()))


async def test_reload_reads_the_file_again(file):
    """Without a restart; an instance whose settings have not changed keeps its connection."""
    acme = Acme()
    path = file('[instances.work]\nprovider = "acme"\napi_key = "sk-a"')
    async with loaded(path, acme) as ai:
        await said(ai, "work")
        await said(ai, "acme")
        file('[instances.work]\nprovider = "acme"\napi_key = "sk-b"\n[defaults]\ntext = "acme/m-2"')
        ai.reload()

        assert "sk-b at https://acme.example/v1" == await said(ai, "work")
        assert "m-2" == (await ai.text.generate("Hi")).record.model
        assert [True, False, False] == [one.is_closed for one in acme.made]


async def test_reload_before_the_client_is_entered(file):
    """It opens with what the file says by then."""
    ai = loaded(file('[defaults]\ntext = "acme/m-1"'), Acme())
    file('[defaults]\ntext = "acme/m-2"')
    ai.reload()
    async with ai:
        assert "m-2" == (await ai.text.generate("Hi")).record.model


async def test_faulty_file_changes_nothing(file):
    """The old settings stay in force, and every fault is told."""
    async with loaded(file('[defaults]\ntext = "acme/m-2"'), Acme()) as ai:
        file("[defaults]\ntext = 3\n[http]\nbackend = 4")
        with pytest.raises(e.SettingsError) as caught:
            ai.reload()

        assert 2 == len(caught.value.faults)
        assert "m-2" == (await ai.text.generate("Hi")).record.model


async def test_plugin_that_cannot_act_changes_nothing(file):
    """What settings name has to be there, also later."""
    async with loaded(file('[defaults]\ntext = "acme/m-2"'), Acme()) as ai:
        file('[plugins]\nuse = ["nowhere"]')
        with pytest.raises(e.SettingsError, match="no plugin is called 'nowhere'"):
            ai.reload()

        assert "m-2" == (await ai.text.generate("Hi")).record.model


async def test_plugin_that_is_named_later_acts_from_then_on(site, file):
    """For the client and for its tenants."""
    site.install(
        "anymodal-vault",
        """
        from anymodal import hookimpl

        class Vault:
            scheme = "vault"
            def get(self, reference): return "sk-of-plugin"

        @hookimpl
        def anymodal_secrets():
            yield Vault()
        """,
    )
    keyed = '[providers.acme]\napi_key = "vault:x"\n'
    settings = Settings.load(path=file(keyed), environ={})
    registry = Registry(settings, plugins=[Acme()], distributions=site.found())
    async with Client(registry=registry) as ai:
        tenant = ai.scoped("tenant")
        assert (await said(ai)).startswith("vault:x at")
        file(keyed + '[plugins]\nuse = ["vault"]')
        ai.reload()
        await ai.rotate()

        assert (await said(ai)).startswith("sk-of-plugin at")
        assert (await said(tenant)).startswith("sk-of-plugin at")


async def test_reload_finds_what_was_installed(site, file):
    """And forgets where names went."""
    path = file("")
    settings = Settings.load(path=path, environ={"ANYMODAL_CACHE_DIR": "off"})
    registry = Registry(settings, distributions=site.found())
    async with Client(registry=registry) as ai:
        with pytest.raises(e.UnknownProviderError):
            ai.registry.resolve("beta/m-1", "text")
        site.install("anymodal-beta", offers("beta"))
        ai.registry._distributions = site.found()
        ai.reload()
        assert ai.registry.resolve("beta/m-1", "text").winners


async def test_what_was_registered_outlives_a_reload(file):
    """The host said it after the file."""
    path = file("")
    async with loaded(path, Acme()) as ai:
        ai.register("work", provider="acme", api_key="sk-work")
        ai.set_default("text", "work/m-2")
        file('[defaults]\ntext = "acme/m-1"')
        ai.reload()

        assert (await ai.text.generate("Hi")).text.startswith("sk-work at")


async def test_file_that_takes_a_registered_name_is_merged_with_it(file):
    """Key by key, like every layer; the host's is the later."""
    path = file("")
    async with loaded(path, Acme()) as ai:
        ai.register("work", provider="acme", api_key="sk-work")
        file('[instances.work]\nprovider = "acme"\napi_key = "sk-file"\nregion = "north"')
        ai.reload()

        assert (await said(ai, "work")).startswith("sk-work at")
        assert "north" == ai.registry.settings.instances["work"].rest["region"]


async def test_tenants_are_reloaded_with_their_client(file):
    """What the file says now is under what their own settings say; whoever asks for it."""
    path = file('[instances.work]\nprovider = "acme"\napi_key = "sk-a"')
    async with loaded(path, Acme()) as ai:
        tenant = ai.scoped("tenant", settings={"defaults": {"text": "work/m-2"}})
        inner = tenant.scoped("inner")
        await said(inner, None)
        file('[instances.work]\nprovider = "acme"\napi_key = "sk-b"')
        inner.reload()

        assert (await said(inner, None)).startswith("sk-b at")
        assert (await said(ai, "work")).startswith("sk-b at")


@pytest.mark.parametrize("reference", ["env:WORK", None])
async def test_variables_are_read_anew(file, reference):
    """Those that a key came from; an instance with another key keeps its connection."""
    acme, environ = Acme(), {"WORK": "sk-1", "ACME_API_KEY": "sk-1"}
    own = f'[providers.acme]\napi_key = "{reference}"\n' if reference else ""
    path = file(own + '[instances.other]\nprovider = "acme"\napi_key = "sk-other"')
    async with loaded(path, acme, environ=environ) as ai:
        await said(ai, "acme")
        await said(ai, "other")
        environ["WORK" if reference else "ACME_API_KEY"] = "sk-2"
        ai.reload()

        assert (await said(ai, "acme")).startswith("sk-2 at")
        assert [True, False, False] == [one.is_closed for one in acme.made]


async def test_connection_that_was_being_made_meanwhile_is_not_kept(file):
    """It was made with what held before; the call that waited for it ends on it."""
    entered, go_on = anyio.Event(), threading.Event()
    token = []

    class Slow(Acme):
        @hookimpl
        def anymodal_text_providers(self):
            def connect(connection):
                anyio.from_thread.run_sync(entered.set, token=token[0])
                go_on.wait(10)
                self.made.append(Says(connection))
                return self.made[-1]

            return [attrs.evolve(self.spec, connect=connect)]

    slow, answers = Slow(), []
    async with loaded(file('[providers.acme]\napi_key = "sk-a"'), slow) as ai:
        token.append(anyio.lowlevel.current_token())

        async def ask():
            answers.append(await said(ai, "acme"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await entered.wait()
            file('[providers.acme]\napi_key = "sk-b"')
            ai.reload()
            go_on.set()

        assert ["sk-a at https://acme.example/v1"] == answers
        assert (await said(ai, "acme")).startswith("sk-b at")
        assert slow.made[0].is_closed


# -- keys that rotate -----------------------------------------------------------------------------


async def test_rotated_key_is_used_from_now_on():
    """Only what has another key is connected anew."""
    acme, environ = Acme(), dict(KEYED)
    work = {"instances": {"work": {"provider": "acme", "api_key": "sk-work"}}}
    async with client_of(acme, settings=work, environ=environ) as ai:
        await said(ai, "acme")
        await said(ai, "work")
        environ["ACME_API_KEY"] = "sk-two"

        assert {"acme"} == await ai.rotate()
        assert (await said(ai, "acme")).startswith("sk-two at")
        assert [True, False, False] == [one.is_closed for one in acme.made]


async def test_only_the_named_keys_are_looked_up():
    """Others may cost a prompt of a password manager."""
    acme, environ = Acme(), dict(KEYED)
    async with client_of(acme, environ=environ) as ai:
        await said(ai, "acme")
        environ["ACME_API_KEY"] = "sk-two"

        assert frozenset() == await ai.rotate("work")
        assert (await said(ai, "acme")).startswith("sk-one at")


async def test_tenants_keys_rotate_too():
    """Theirs are the client's where they brought none."""
    environ = dict(KEYED)
    async with client_of(Acme(), environ=environ) as ai:
        tenant = ai.scoped("tenant")
        await said(tenant, "acme")
        environ["ACME_API_KEY"] = "sk-two"

        assert {"acme"} == await ai.rotate()
        assert (await said(tenant, "acme")).startswith("sk-two at")


async def test_calls_under_way_end_on_the_old_connection():
    """It closes when the last of them has ended, and not before."""
    acme, environ = Acme(), dict(KEYED)
    async with client_of(acme, environ=environ) as ai:
        async with ai.text.stream("Hi", model="acme") as stream:
            environ["ACME_API_KEY"] = "sk-two"
            await ai.rotate()
            assert (await said(ai, "acme")).startswith("sk-two at")
            assert not acme.made[0].is_closed
            acme.made[0].go_on.set()
            result = await stream.result()
        assert result.text.count("sk-one") == 2
        del stream, result
        await ai.rotate()

        assert [True, False] == [one.is_closed for one in acme.made]


async def test_closing_the_client_closes_what_was_given_up():
    """Also while a call still holds it."""
    acme, environ = Acme(), dict(KEYED)
    ai = client_of(acme, environ=environ)
    async with ai:
        stream = await ai.text.stream("Hi", model="acme").start()
        environ["ACME_API_KEY"] = "sk-two"
        await ai.rotate()
        await stream.aclose()

    assert acme.made[0].is_closed


class Strict(Acme):
    """A vendor that refuses the keys in `refused`; `calls` has those that it was sent."""

    def __init__(self):
        super().__init__()
        self.refused, self.calls = set(), []
        strict = self

        class Checks(Says):
            async def generate(self, request):
                key = await self.connection.secret()
                strict.calls.append(key)
                if key in strict.refused:
                    msg = "acme: HTTP 401"
                    raise e.AuthenticationError(msg, provider="acme")
                return await super().generate(request)

        def connect(connection):
            self.made.append(Checks(connection))
            return self.made[-1]

        self.spec = attrs.evolve(self.spec, connect=connect)


async def test_refused_key_is_looked_up_again_by_itself():
    """It was rotated at the vendor and in the environment; the caller sees nothing of it."""
    acme, environ = Strict(), dict(KEYED)
    async with client_of(acme, environ=environ) as ai:
        await said(ai)
        acme.refused.add("sk-one")
        environ["ACME_API_KEY"] = "sk-two"

        assert (await said(ai)).startswith("sk-two at")
        assert ["sk-one", "sk-one", "sk-two"] == acme.calls


async def test_other_key_is_tried_once():
    """Two that are refused are enough."""
    acme, environ = Strict(), dict(KEYED)
    async with client_of(acme, environ=environ) as ai:
        await said(ai)
        acme.refused |= {"sk-one", "sk-two"}
        environ["ACME_API_KEY"] = "sk-two"
        with pytest.raises(e.AuthenticationError):
            await said(ai)

        assert ["sk-one", "sk-one", "sk-two"] == acme.calls


async def test_refused_key_that_is_the_same_is_sent_once():
    """The vendor has said what it thinks of it."""
    acme = Strict()
    acme.refused.add("sk-one")
    async with client_of(acme, environ=KEYED) as ai:
        with pytest.raises(e.AuthenticationError):
            await said(ai)

    assert ["sk-one"] == acme.calls


async def door_of(ai, model="acme"):
    """Return the open door that serves *model*."""
    await said(ai, model)
    (winner,) = ai.registry.resolve(model, "text").winners
    return ai._way.doors.get(winner.offer)


async def test_refused_key_that_has_not_changed_is_not_tried_again():
    """The vendor's word stands."""
    async with client_of(Acme(), environ=KEYED) as ai:
        door = await door_of(ai)

        assert not await ai._way.doors.refreshed(door)
        assert door is ai._way.doors.get(door.offer)


async def test_many_calls_look_a_refused_key_up_once(tmp_path):
    """They were refused together; a command would run for each of them."""
    counter = tmp_path / "count"
    command = f"command:sh -c 'echo x >> {counter}; echo sk-$(wc -l < {counter} | tr -d \" \")'"
    settings = {"providers": {"acme": {"api_key": command}}}
    async with client_of(Acme(), settings=settings) as ai:
        door = await door_of(ai)
        found = []

        async def look():
            found.append(await ai._way.doors.refreshed(door))

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(look)

        assert [True] * 10 == found
        assert "x\nx\n" == counter.read_text()
        assert await ai._way.doors.refreshed(door)
        assert "x\nx\n" == counter.read_text()


async def test_key_that_is_gone_is_not_another_one():
    """What the vendor said tells more."""
    environ = dict(KEYED)
    async with client_of(Acme(), environ=environ) as ai:
        door = await door_of(ai)
        del environ["ACME_API_KEY"]

        assert not await ai._way.doors.refreshed(door)
        assert (await said(ai)).startswith("sk-one at")


async def test_async_source_is_asked_whether_it_has_another():
    """It is asked at every request anyway, so nothing is connected anew."""
    acme, keys = Acme(), ["sk-a", "sk-b", "sk-b", "sk-b"]

    async def vault():
        return keys.pop(0)

    async with client_of(acme, settings={"providers": {"acme": {"api_key": vault}}}) as ai:
        door = await door_of(ai)

        assert await ai._way.doors.refreshed(door)
        assert (await said(ai)).startswith("sk-b at")
        assert not await ai._way.doors.refreshed(door)
        assert 1 == len(acme.made)


async def test_source_that_fails_has_no_other_key():
    """The refused call's own error is what the caller hears."""
    fails = []

    async def vault():
        if fails:
            raise ZeroDivisionError
        return "sk-a"

    async with client_of(Acme(), settings={"providers": {"acme": {"api_key": vault}}}) as ai:
        door = await door_of(ai)
        fails.append(1)

        assert not await ai._way.doors.refreshed(door)


async def test_closing_waits_for_keys_that_are_being_looked_up():
    """No thread is left behind."""
    asked, go_on, keys = threading.Event(), threading.Event(), ["sk-a"]

    class Vault:
        scheme = "vault"

        def get(self, reference):
            if keys:
                return keys.pop()
            asked.set()
            go_on.wait(10)
            return "sk-b"

    settings = {"providers": {"acme": {"api_key": "vault:x"}}}
    async with client_of(Acme(), settings=settings, secrets=[Vault()]) as ai:
        door = await door_of(ai)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ai._way.doors.refreshed, door)
            await anyio.to_thread.run_sync(asked.wait, 10)
            tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ai.aclose)
            await anyio.lowlevel.checkpoint()
            go_on.set()

    assert [] == [one.name for one in threading.enumerate() if "looks up" in one.name]


async def test_after_closing_no_key_is_another():
    """There is nothing to try again with."""
    async with client_of(Acme(), environ=KEYED) as ai:
        door = await door_of(ai)

    assert not await ai._way.doors.refreshed(door)


# -- without await -------------------------------------------------------------------------------


def test_all_of_it_without_await(file):
    """The same face."""
    environ = dict(KEYED)
    settings = Settings.load(path=file(""), environ=environ)
    with SyncClient(registry=Registry(settings, plugins=[Acme()], distributions=())) as ai:
        ai.register("work", provider="acme", api_key="sk-work")
        ai.set_default("text", "work/m-2")
        assert "work" == ai.text.generate("Hi").record.instance
        ai.set_default("text", None)
        ai.unregister("work")
        file('[defaults]\ntext = "acme/m-2"')
        ai.reload()
        assert "m-2" == ai.text.generate("Hi").record.model
        environ["ACME_API_KEY"] = "sk-two"
        assert {"acme"} == ai.rotate("acme")
