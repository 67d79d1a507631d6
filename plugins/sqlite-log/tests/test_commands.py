"""`anymodal logs`, and the plugin as settings name it."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import anymodal
import anymodal_sqlite_log as plugin
import pytest
from anymodal import (
    Client,
    Message,
    ModelSpec,
    Policy,
    Registry,
    Retry,
    Settings,
    TextRequest,
)
from anymodal import errors as e
from anymodal.events import CallEnded
from anymodal.usage import Record
from anymodal_sqlite_log import SqliteLog
from anymodal_sqlite_log.commands import logs
from anymodal_sqlite_log.variables import days_of, file_of, keeps_content

from .acme import Acme, Brings, as_json, calls, client, count, prompts, says

ODD = [
    '"', "''", '"quoted', "AND", "OR NOT", "a AND b", "NEAR(a b, 3)", "(", ")", "*", "**", "a*b",
    "^a", "text:yes", "col:", "-yes", "+", "%", "_", "\\", "{a b}", 'a"b', "; DROP TABLE calls",
    "\u6771\u4eac", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\U0001f600", "\u202e", "e\u0301", "\udcff", "\0", "x" * 10_000,
]  # fmt: skip


@pytest.fixture
async def kept(anyio_backend, path):
    """Three calls: one that went well, one in another language, one that failed."""
    answers = [
        says("To the harbour."),
        says("Größe: 東京都は大きい"),
        e.ServerError("acme: it fell"),
    ]
    with SqliteLog(path) as log:
        async with client(log, acme=Acme(*answers), policy=Policy(retry=Retry(attempts=1))) as ai:
            await ai.text.generate("Which way?")
            await ai.text.generate('How "large" is it?')
            with pytest.raises(e.ServerError):
                await ai.text.generate("\x1b[31mRed\x1b[0m 100% alert")
    return path


def run(capsys, path, *words):
    """Return status, output and errors of the command."""
    status = logs(["--file", str(path), *words])
    found = capsys.readouterr()
    return status, found.out, found.err


@pytest.mark.anyio
async def test_list_is_the_newest_first(kept, capsys):
    """As a table for people."""
    status, out, err = run(capsys, kept, "list")

    head, *lines = out.splitlines()
    assert (status, err) == (0, "")
    assert head.split()[:4] == ["id", "started", "operation", "model"]
    assert [line.split()[5] for line in lines] == ["server", "ok", "ok"]
    assert "acme/m-1" in lines[2] and "1000000+500000" in lines[2] and "2.000000" in lines[2]
    assert "\x1b" not in out


@pytest.mark.anyio
async def test_list_as_json_is_one_document(kept, capsys):
    """With every column in every row."""
    status, out, err = run(capsys, kept, "list", "--json")

    rows = as_json(out)
    assert (status, err) == (0, "")
    assert [row["outcome"] for row in rows] == ["error", "ok", "ok"]
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert rows[2]["prompt"] == "Which way?"
    assert rows[2]["usd"] == 2.0


@pytest.mark.anyio
async def test_list_is_narrowed(kept, capsys):
    """By time, provider, outcome and number."""

    def listed(*words):
        return len(as_json(run(capsys, kept, "list", "--json", *words)[1]))

    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    assert [listed(), listed("-n", "2"), listed("--errors")] == [3, 2, 1]
    assert [listed("--provider", "acme"), listed("--provider", "other")] == [3, 0]
    assert [listed("--since", "1h"), listed("--since", tomorrow)] == [3, 0]
    assert listed("--since", f"{dt.datetime.now().astimezone():%Y-%m-%d}") in {
        0,
        3,
    }  # around midnight


@pytest.mark.anyio
async def test_show_takes_the_beginning_of_an_id(kept, capsys):
    """Nobody types thirty-two digits."""
    (row, *_) = calls(kept)[2:]
    status, out, _ = run(capsys, kept, "show", row["id"][:10])

    assert status == 0
    assert "-- user\nWhich way?\n" in out
    assert "-- assistant\nTo the harbour.\n" in out
    assert row["id"] in out


@pytest.mark.anyio
async def test_show_as_json_has_everything(kept, capsys):
    """A list of one."""
    (found,) = as_json(run(capsys, kept, "show", calls(kept)[0]["id"], "--json")[1])

    assert found["error"] == "acme: it fell"
    assert found["attempts"][0]["error"]["code"] == "server"
    assert found["conversations"][0]["answer"] is None


@pytest.mark.anyio
async def test_terminals_are_not_driven_by_prompts(kept, capsys):
    """A prompt may be a stranger's."""
    out = run(capsys, kept, "show", calls(kept)[0]["id"])[1]

    assert "\x1b" not in out
    assert "?[31mRed" in out


@pytest.mark.anyio
async def test_show_of_nothing_or_of_several_is_an_error(kept, capsys):
    """With what to do."""
    status, out, err = run(capsys, kept, "show", "zz%")

    assert (status, out) == (1, "")
    assert "anymodal logs list" in err
    status, out, err = run(capsys, kept, "show", "")
    assert (status, out) == (1, "")
    assert "Several calls begin with" in err


@pytest.mark.anyio
async def test_search_finds_prompts_and_answers(kept):
    """All words have to be there, in whatever part of the call; those in quotes in a row."""
    assert prompts(kept, "harbour") == ["Which way?"]
    assert prompts(kept, "HARBOUR", "which") == ["Which way?"]
    assert prompts(kept, "harbour", "large") == []
    assert prompts(kept, "to the harbour") == ["Which way?"]
    assert prompts(kept, "the to harbour") == []
    assert prompts(kept, "harb*") == ["Which way?"]
    assert prompts(kept, "harb") == []
    assert prompts(kept, '"large"') == ['How "large" is it?']


@pytest.mark.anyio
async def test_search_knows_accents_and_scripts_without_spaces(kept):
    """Who searches types what the keyboard has."""
    large = ['How "large" is it?']
    assert prompts(kept, "grosse") == []
    assert prompts(kept, "größe") == prompts(kept, "GROßE") == prompts(kept, "東京") == large
    assert len(prompts(kept, "100%")) == 1


@pytest.mark.anyio
async def test_search_shows_what_was_found(kept, capsys):
    """One knows at once whether it is the one."""
    rows = as_json(run(capsys, kept, "search", "harbour", "--json")[1])

    assert [row["found"] for row in rows] == ["To the harbour."]
    assert "To the harbour." in run(capsys, kept, "search", "harbour")[1]


@pytest.mark.parametrize("words", ODD)
@pytest.mark.anyio
async def test_odd_searches_are_only_words(kept, capsys, words):
    """Nothing that is typed is an operator, and none is an error of SQLite's."""
    status, out, err = run(capsys, kept, "search", "--json", "--", words)

    if words.strip():
        assert (status, err) == (0, "")
        assert isinstance(as_json(out), list)
    else:
        assert status == 2
    assert count(kept, "calls") == 3


@pytest.mark.anyio
async def test_searches_without_words_are_refused(kept, capsys):
    """With the status of wrong usage."""
    assert run(capsys, kept, "search")[0] == 2
    assert run(capsys, kept, "search", " ")[0] == 2
    assert run(capsys, kept, "list", "--since", "soon")[0] == 2
    assert run(capsys, kept, "list", "--since", "99999999999w")[0] == 2
    assert run(capsys, kept, "list", "-n", "0")[0] == 2
    assert run(capsys, kept, "nonsense")[0] == 2
    assert run(capsys, kept, "prune", "--days", "1e300")[0] == 2
    assert run(capsys, kept, "--help")[0] == 0


@pytest.mark.anyio
async def test_prune_drops_what_is_old(kept, capsys):
    """And says how much."""
    assert run(capsys, kept, "prune", "--days", "1") == (0, "", "0 calls dropped.\n")
    before = kept.stat().st_size
    assert run(capsys, kept, "prune", "--days", "0.0000001") == (0, "", "3 calls dropped.\n")
    assert calls(kept) == []
    assert count(kept, "pieces") == count(kept, "turns") == count(kept, "said") == 0
    assert kept.stat().st_size <= before


@pytest.mark.parametrize(
    "command", [["list"], ["show", "x"], ["search", "x"], ["prune", "--days=1"]]
)
@pytest.mark.anyio
async def test_missing_file_is_a_sentence(path, capsys, command):
    """With what to set."""
    status, out, err = run(capsys, path, *command)

    assert (status, out) == (1, "")
    assert "No call is logged yet" in err and str(path) in err and "sqlite-log" in err
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"no database" * 500])
@pytest.mark.anyio
async def test_damaged_file_is_a_sentence(path, capsys, content):
    """And stays as it is."""
    path.parent.mkdir()
    path.write_bytes(content)
    status, out, err = run(capsys, path, "list")

    assert (status, out) == (1, "")
    assert str(path) in err and "Traceback" not in err
    assert path.read_bytes() == content


@pytest.mark.anyio
async def test_file_that_is_off_is_a_sentence(monkeypatch, capsys):
    """Nobody should look for it."""
    monkeypatch.setenv("ANYMODAL_SQLITE_LOG", "off")

    assert logs(["path"]) == 1
    assert "ANYMODAL_SQLITE_LOG or ANYMODAL_STATE_DIR is off" in capsys.readouterr().err


def test_command_through_anymodal(log, path):
    """As it is typed; the status and both streams are the command's."""
    record = Record("c" * 32, "text", "generate")
    request = TextRequest(model=ModelSpec(id="m-1"), messages=(Message.user("Which way?"),))
    log.on_event(CallEnded(record, request, says("To the harbour.")))
    log.close()
    found = anymodal_logs("--file", str(path), "search", "harbour")
    gone = anymodal_logs("--file", str(path), "show", "zz")

    assert (found.returncode, found.stderr) == (0, "")
    assert "To the harbour." in found.stdout
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.startswith("Error: No call 'zz'")


def anymodal_logs(*words):
    return subprocess.run(
        [sys.executable, "-m", "anymodal", "logs", *words],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_ctrl_c_is_raised(monkeypatch, path):
    """The command knows by which signal it ends, and with which status."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("anymodal_sqlite_log.commands.file_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        logs(["path"])


# -- the plugin -------------------------------------------------------------------------


def used(monkeypatch, **settings):
    """Return a client whose settings may name the plugin."""
    found = Settings.from_mapping(settings, environ={"ANYMODAL_STATE_DIR": "off"})
    return Client(registry=Registry(found, plugins=[Brings(Acme())]))


@pytest.mark.parametrize("use", [["sqlite-log"], ["anymodal-sqlite-log"], []])
@pytest.mark.anyio
async def test_plugin_acts_only_where_settings_name_it(monkeypatch, tmp_path, use):
    """Installing it keeps nothing."""
    async with used(monkeypatch, plugins={"use": use}) as ai:
        await ai.text.generate("Which way?", model="acme/m-1")
        for observer in ai.registry.acting("anymodal_observers"):
            observer.close()

    file = tmp_path / "state" / "calls.sqlite"
    assert file.exists() is bool(use)
    assert not use or len(calls(file)) == 1


@pytest.mark.anyio
async def test_plugin_does_what_the_environment_says(monkeypatch, tmp_path):
    """For programs that nobody can change."""
    monkeypatch.setenv("ANYMODAL_SQLITE_LOG", str(tmp_path / "mine.sqlite"))
    monkeypatch.setenv("ANYMODAL_SQLITE_LOG_CONTENT", "0")
    async with used(monkeypatch, plugins={"use": ["sqlite-log"]}) as ai:
        await ai.text.generate("Which way?", model="acme/m-1")
        (observer,) = ai.registry.acting("anymodal_observers")
        observer.close()

    assert len(calls(tmp_path / "mine.sqlite")) == 1
    assert count(tmp_path / "mine.sqlite", "pieces") == 0


@pytest.mark.anyio
async def test_plugin_that_is_off_keeps_nothing(monkeypatch, tmp_path):
    """One variable is enough, whatever the settings say."""
    monkeypatch.setenv("ANYMODAL_SQLITE_LOG", "off")
    async with used(monkeypatch, plugins={"use": ["sqlite-log"]}) as ai:
        for _ in range(3):
            await ai.text.generate("Which way?", model="acme/m-1")
            (observer,) = ai.registry.acting("anymodal_observers")
            observer.flush()
        observer.close()

    assert not (tmp_path / "state").exists()
    assert "None" in repr(observer)


def test_variables_say_where_and_how_much(tmp_path):
    """The folder is the one in which jobs are kept."""
    assert file_of({"ANYMODAL_SQLITE_LOG": "/a/b"}).as_posix() == "/a/b"
    assert file_of({"ANYMODAL_STATE_DIR": "/a"}).as_posix() == "/a/calls.sqlite"
    assert file_of({"ANYMODAL_STATE_DIR": "off"}) is None
    assert file_of({"ANYMODAL_SQLITE_LOG": "/a/b", "ANYMODAL_STATE_DIR": "off"}) is not None
    assert file_of({}).parts[-2:] == ("anymodal", "calls.sqlite")
    assert [keeps_content({"ANYMODAL_SQLITE_LOG_CONTENT": said}) for said in ("0", "no", "1", "")] == [
        False, False, True, True,
    ]  # fmt: skip
    assert [days_of({}), days_of({"ANYMODAL_SQLITE_LOG_DAYS": "2.5"})] == [None, 2.5]
    with pytest.raises(ValueError):
        days_of({"ANYMODAL_SQLITE_LOG_DAYS": "-1"})


def test_plugin_offers_an_observer_and_a_command():
    """By the hooks that any plugin has."""
    manager = anymodal.plugin_manager(autoload=False)
    manager.register(plugin)
    (commands,) = manager.hook.anymodal_commands()
    (observers,) = manager.hook.anymodal_observers()

    assert [one.name for one in commands] == ["logs"]
    assert [type(one) for one in observers] == [SqliteLog]
    with pytest.raises(AttributeError):
        plugin.nothing  # noqa: B018


def test_top_module_is_cheap():
    """Every listing of plugins imports it."""
    check = (
        "import sys, anymodal_sqlite_log; "
        "sys.exit(bool({'sqlite3', 'click', 'json', 'platformdirs', 'concurrent.futures'}"
        " & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_observer_brings_no_database_before_it_acts():
    """Loading all plugins makes one, named or not."""
    check = (
        "import sys; from anymodal_sqlite_log import SqliteLog; SqliteLog(); "
        "sys.exit(bool({'sqlite3', 'click', 'concurrent.futures'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
