"""What `anymodal chat` answers, keeps and writes, through a pipe and at a terminal."""

import json
import signal
import stat
import sys

import pytest
from anymodal.cli.saved import save
from anymodal.cli.turns import Turn, read_turn

from .distributions import PATIENCE, Site
from .terminal import CTRL_C, CTRL_D, UP, terminal

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such thing")

PARROT = '''
"""Says its model, how many messages it got and the words of the last; some words do more."""

import asyncio
import os
from pathlib import Path

import anyio
from anymodal import Finish, ModelSpec, TextDelta, TextProviderSpec, Usage, hookimpl, streaming
from anymodal.errors import OverloadedError, ServerError


class Parrot:
    @streaming
    async def stream(self, request):
        words = " ".join(
            part if isinstance(part, str) else f"<{part.media_type}>"
            for part in request.messages[-1].parts
        )
        request.warn("seed", "parrots have no seeds")
        if words == "fail":
            raise OverloadedError("parrot: HTTP 529: tired", provider="parrot")
        if words == "once" and not (mark := Path(os.environ["HOME"], "mark")).exists():
            mark.touch()
            raise OverloadedError("parrot: HTTP 529: tired", provider="parrot")
        if words == "mute":
            print("parrot is mute")
            await anyio.sleep(60)
        yield TextDelta(f"{request.system or request.model.id} {len(request.messages)} ")
        yield TextDelta(words)
        if words == "forever":
            await anyio.sleep(60)
        if words == "break":
            raise ServerError("parrot: HTTP 500: fell off", provider="parrot")
        if words == "crash":
            raise ZeroDivisionError("sk-key")
        if words == "stubborn":
            try:
                await anyio.sleep(60)
            finally:
                asyncio.get_running_loop().call_soon(print, "parrot is stubborn")
                await anyio.sleep(60)
        yield Finish("stop", Usage(input_tokens=1, output_tokens=1))


@hookimpl
def anymodal_text_providers():
    yield TextProviderSpec(
        id="parrot",
        display_name="Parrot",
        kind="local",
        models=[ModelSpec(id="one"), ModelSpec(id="two")],
        default_model="one",
        connect=lambda connection: Parrot(),
    )
'''


@pytest.fixture
def site(tmp_path):
    """A place where only the parrot is installed, and retries are nobody's."""
    found = Site(tmp_path)
    found.install("parrot", PARROT)
    found.settings('[defaults]\ntext = "parrot"\n[policy.retry]\nattempts = 1\n')
    return found


@pytest.fixture
def piped(site):
    """Run a chat with these lines piped in; return what became of it."""

    def run(lines, *words):
        return site.run("chat", *words, piped=lines.encode())

    return run


def parts_in(file):
    """Who said what, in a saved conversation."""
    found = json.loads(file.read_text("ascii"))
    assert 1 == found["format"]
    return [(message["role"], message["parts"]) for message in found["messages"]]


# -- turns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "turn"),
    [
        ([], None),
        (["hello"], Turn("hello")),
        (["  kept "], Turn("  kept ")),
        (["a\\", "b\\", "c"], Turn("a\nb\nc")),
        (["a\\"], Turn("a\n")),
        (['"""', "a", "", "/quit", "b\\", '"""'], Turn("a\n\n/quit\nb\\")),
        (['"""/one"""'], Turn("/one")),
        (['"""a', 'b"""  '], Turn("a\nb")),
        (['"""', "a"], Turn("\na")),
        (["//etc/passwd"], Turn("/etc/passwd")),
        (["/retry"], Turn("", "retry")),
        (["/attach  my picture.png "], Turn("my picture.png", "attach")),
        (["/"], Turn("", "help")),
    ],
)
def test_turns_are_read_line_by_line(lines, turn):
    """One line, unless it says that there is more; a slash begins a command."""
    rest = iter([*lines, None])

    assert turn == read_turn(lambda _: next(rest))


def test_later_lines_of_a_turn_have_another_prompt():
    """So that one sees that the turn is not over."""
    prompts = []
    rest = iter(['"""', "a", '"""'])
    read_turn(lambda prompt: (prompts.append(prompt), next(rest))[1])

    assert ["> ", ". ", ". "] == prompts


# -- through a pipe ---------------------------------------------------------------------------


def test_every_line_is_answered(piped):
    """Each with those before it; answers are all that is written, a line each."""
    ended = piped("hello\n\n  \nagain\nand 'Ärger'")

    assert (0, "one 1 hello\none 3 again\none 5 and 'Ärger'\n", "") == (
        ended.returncode,
        ended.stdout,
        ended.stderr,
    )


def test_nothing_said_is_nothing_answered(piped):
    """An empty file is no fault."""
    ended = piped("")

    assert (0, "", "") == (ended.returncode, ended.stdout, ended.stderr)


def test_whole_answers_are_the_same(piped):
    """Only later."""
    ended = piped("hello\nagain\n", "--no-stream", "-m", "parrot/two")

    assert "two 1 hello\ntwo 3 again\n" == ended.stdout


def test_cost_and_warnings_are_told_aside(piped):
    """For every answer."""
    ended = piped("hello\nagain\n", "-v")

    assert "one 1 hello\none 3 again\n" == ended.stdout
    assert 2 == ended.stderr.count("Warning: seed: parrots have no seeds\n")
    assert 2 == ended.stderr.count("parrot/one: cost unknown")


def test_system_prompt_goes_with_every_turn(piped):
    """Also after the model was changed."""
    ended = piped("hello\n/model parrot/two\nagain\n", "-s", "Sir,")

    assert "Sir, 1 hello\nSir, 3 again\n" == ended.stdout


def test_models_are_tried_in_order(piped):
    """As `text` does; one that is unknown is no more than a failure."""
    ended = piped("hello\n", "-m", "parrot", "-m", "nobody/nothing", "-m", "parrot/two")

    assert (0, "one 1 hello\n") == (ended.returncode, ended.stdout)


def test_unknown_model_is_told_before_anything_is_said(piped):
    """Nobody wants to write a page to nobody."""
    ended = piped("hello\n", "-m", "nobody/nothing")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "Error: " in ended.stderr
    assert "nobody" in ended.stderr


def test_another_model_goes_on_with_the_conversation(piped):
    """It reads what was said before; a name that is none changes nothing."""
    ended = piped("a\n/model parrot/two\nb\n/model nobody/nothing\nc\n/model\n")

    assert (1, "one 1 a\ntwo 3 b\ntwo 5 c\n") == (ended.returncode, ended.stdout)
    assert "nobody" in ended.stderr
    assert ended.stderr.endswith("parrot/two\n")


@pytest.mark.parametrize("word", ["fail", "break", "crash"])
def test_failed_call_is_told_and_the_conversation_goes_on(piped, word):
    """What failed is no part of it: the next call would fail of it as well."""
    ended = piped(f"a\n{word}\nb\n")
    answers = ended.stdout.splitlines()

    assert 1 == ended.returncode
    assert ("one 1 a", "one 3 b") == (answers[0], answers[-1])
    assert 1 == ended.stderr.count("Error: ")
    assert "sk-key" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_traceback_is_shown_on_request(site):
    """And the conversation goes on."""
    ended = site.run("--traceback", "chat", piped=b"crash\nhello\n")

    assert "ZeroDivisionError: sk-key" in ended.stderr
    assert ended.stdout.endswith("one 1 hello\n")


def test_what_failed_can_be_asked_again(piped, tmp_path):
    """With what was attached to it."""
    (tmp_path / "paper").write_bytes(b"%PDF-1.7")
    ended = piped(f"once\n/retry\n/attach {tmp_path}/paper\nfail\n/retry\n")

    assert (
        "one 1 once\none 3 <application/pdf> fail\none 3 <application/pdf> fail\n" == ended.stdout
    )


def test_what_was_answered_can_be_asked_again(piped):
    """The answer that it had is forgotten, unless there comes none."""
    ended = piped("a\n/retry\n/model parrot/two\n/retry\nb\n")

    assert "one 1 a\none 1 a\ntwo 1 a\ntwo 3 b\n" == ended.stdout


def test_retry_that_fails_keeps_the_answer(site, tmp_path):
    """It is all there is."""
    file = tmp_path / "saved.json"
    said = [{"role": "user", "parts": ["fail"]}, {"role": "assistant", "parts": ["never mind"]}]
    file.write_text(json.dumps({"format": 1, "messages": said}))
    ended = site.run("chat", "--resume", str(file), piped=b"/retry\n/retry\nhello\n")

    assert "one 3 hello\n" == ended.stdout
    assert 2 == ended.stderr.count("HTTP 529")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/retry", "Nothing was said yet."),
        ("/attach", "Say what: /attach FILE."),
        ("/attach nowhere.png", "nowhere.png: No such file"),
        ("/attach .", "Is a directory"),
        ("/save", "Say where: /save FILE."),
        ("/save nowhere/at/all", "No such file or directory"),
        ("/etc/passwd, what is it?", "There is no /etc/passwd,; see /help."),
        ("\udcff", "it is not UTF-8"),
    ],
)
def test_commands_that_cannot_be_done_are_told_of(site, line, words):
    """In a sentence, and the conversation goes on; a script finds out by the status."""
    ended = site.run("chat", piped=line.encode("utf-8", "surrogateescape") + b"\nhello\n")

    assert (1, "one 1 hello\n") == (ended.returncode, ended.stdout)
    assert words in ended.stderr
    assert 1 == ended.stderr.count("Error: ")


def test_help_names_every_command(piped):
    """On standard error, where no answers are."""
    ended = piped("/help\n")

    assert (0, "") == (ended.returncode, ended.stdout)
    for name in ("/attach FILE", "/model NAME", "/retry", "/save FILE", "/help", "/quit"):
        assert name in ended.stderr


def test_quit_ends(piped):
    """Whatever would come after it."""
    ended = piped("a\n/quit\nb\n")

    assert (0, "one 1 a\n") == (ended.returncode, ended.stdout)


def test_attachments_go_with_what_is_said_next(site, tmp_path):
    """Once."""
    (tmp_path / "paper").write_bytes(b"%PDF-1.7")
    (tmp_path / "tune").write_bytes(b"fLaC")
    lines = f"/attach {tmp_path}/tune\nread\nagain\n"
    ended = site.run("chat", "--attach", str(tmp_path / "paper"), piped=lines.encode())

    assert "one 1 <application/pdf> <audio/flac> read\none 3 again\n" == ended.stdout


# -- kept in files --------------------------------------------------------------------------


def test_conversation_is_saved_after_every_answer_and_resumed(piped, tmp_path):
    """What a program's `Chat.dump` gives, and takes, is what the command keeps."""
    file = tmp_path / "saved.json"
    piped("a\nfail\n", "--save", str(file))

    assert [("user", ["a"]), ("assistant", ["one 1 a"])] == parts_in(file)

    ended = piped("b\n", "--resume", str(file), "-m", "parrot/two")
    assert "two 3 b\n" == ended.stdout
    assert 2 == len(parts_in(file))

    piped("c\n", "--resume", str(file), "--save", str(file))
    assert [["a"], ["one 1 a"], ["c"], ["one 3 c"]] == [parts for _, parts in parts_in(file)]


def test_save_saves_at_once_and_from_then_on(piped, tmp_path):
    """A name may hold spaces."""
    file = tmp_path / "my talk.json"
    ended = piped(f"a\n/save {file}\nb\n")

    assert 4 == len(parts_in(file))
    assert ended.stderr.startswith("Saved in ")


@on_posix
def test_saved_conversations_are_private_unless_they_were_not(tmp_path):
    """What people say to models is nobody else's business."""
    file = tmp_path / "saved.json"
    save({"format": 1}, file)
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)

    file.chmod(0o644)
    save({"format": 2}, file)
    assert 0o644 == stat.S_IMODE(file.stat().st_mode)


def test_files_are_complete_or_as_they_were(tmp_path):
    """A conversation that cannot be written takes the one before with it no more than itself."""
    file = tmp_path / "saved.json"
    save({"format": 1}, file)
    with pytest.raises(TypeError):
        save({"format": 1, "messages": [object()]}, file)

    assert {"format": 1} == json.loads(file.read_text())
    assert [file] == list(tmp_path.iterdir())


@on_posix
def test_links_to_saved_conversations_stay_links(tmp_path):
    """It is the file that is replaced."""
    (tmp_path / "link").symlink_to(tmp_path / "file")
    save({"format": 1}, tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert {"format": 1} == json.loads((tmp_path / "file").read_text())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is not JSON"),
        ("[]", "not what Chat.dump() returned"),
        ('{"format": 9, "messages": []}', "not what Chat.dump() returned"),
        ('{"format": 1, "messages": [{"role": "cook", "parts": ["x"]}]}', "'cook' is neither"),
    ],
)
def test_what_is_no_conversation_is_not_resumed(piped, tmp_path, content, why):
    """The file is named."""
    file = tmp_path / "saved.json"
    file.write_text(content)
    ended = piped("hello\n", "--resume", str(file))

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "saved.json" in ended.stderr
    assert why in " ".join(ended.stderr.split())


def test_no_place_to_save_is_a_usage_error(piped, tmp_path):
    """Better now than after an hour of talk."""
    ended = piped("hello\n", "--save", str(tmp_path / "nowhere" / "saved.json"))

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "there is no such directory" in ended.stderr


# -- how it ends --------------------------------------------------------------------------------


@on_posix
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_what_is_piped(site, tmp_path, number, status):
    """Nobody is there to go on; what was said until then is kept."""
    file = tmp_path / "saved.json"
    (tmp_path / "lines").write_text("hello\nforever\nlater\n")
    script = f'exec "$0" chat --save {file} < {tmp_path}/lines'
    with site.started_by("sh", "-c", script) as process:
        assert b"one 1 hello\n" == process.stdout.readline()
        assert b"one 3 forever" == process.stdout.read(13)
        process.send_signal(number)
        process.wait(PATIENCE)
        rest = process.stdout.read()
        told = process.stderr.read()

    assert (status, b"\n", b"") == (process.returncode, rest, told.strip())
    assert ("assistant", ["one 3 forever"]) == parts_in(file)[-1]


@on_posix
def test_broken_pipe_ends_quietly(site, tmp_path):
    """The lines that are left are asked of nobody."""
    (tmp_path / "lines").write_text("hello\n" * 100)
    with site.started_by("sh", "-c", f'exec "$0" chat < {tmp_path}/lines') as process:
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        process.wait(PATIENCE)

    assert (141, b"") == (process.returncode, told)


@on_posix
def test_closed_standard_input_is_told_of(site):
    """There is nobody to talk to."""
    with site.started_by("sh", "-c", 'exec "$0" chat <&-') as process:
        told = process.stderr.read()
        process.wait(PATIENCE)

    assert (1, b"Error: Standard input is closed.\n") == (process.returncode, told)


# -- at a terminal ------------------------------------------------------------------------------


@on_posix
def test_terminal_has_a_prompt_and_whole_lines(site):
    """Ctrl-D ends, and the shell's prompt begins a line."""
    with terminal(site, "chat") as screen:
        screen.wait_for("Ctrl-D ends.")
        screen.wait_for("\n> ")
        screen.type("hello\n")
        screen.wait_for("one 1 hello\r\n> ")
        screen.type("a\\\n")
        screen.wait_for("\n. ")
        screen.type("b\n")
        screen.wait_for("one 3 a\r\nb\r\n> ")
        screen.type(CTRL_D)

        assert 0 == screen.ended()
        assert screen.seen.endswith("> \r\n")


@on_posix
def test_ctrl_c_stops_the_answer_and_keeps_what_was_said(site, tmp_path):
    """The model reads next time what it said until then."""
    file = tmp_path / "saved.json"
    with terminal(site, "chat", "--save", str(file)) as screen:
        screen.wait_for("> ")
        screen.type("forever\n")
        screen.wait_for("one 1 forever")
        screen.type(CTRL_C)
        screen.wait_for("\nStopped.")
        screen.wait_for("\n> ")
        kept = parts_in(file)
        screen.type("hello\n")
        screen.wait_for("one 3 hello\r\n> ")
        screen.type("/quit\n")

        assert 0 == screen.ended()
    assert [("user", ["forever"]), ("assistant", ["one 1 forever"])] == kept


@on_posix
def test_ctrl_c_before_the_first_word_keeps_the_conversation(site):
    """There is nothing of an answer to keep."""
    with terminal(site, "chat") as screen:
        screen.wait_for("> ")
        screen.type("mute\n")
        screen.wait_for("parrot is mute")
        screen.type(CTRL_C)
        screen.wait_for("\nStopped.")
        screen.wait_for("\n> ")
        screen.type("hello\n")
        screen.wait_for("one 2 hello\r\n> ")
        screen.type(CTRL_D)

        assert 0 == screen.ended()


@on_posix
def test_ctrl_c_twice_ends_what_does_not_stop(site):
    """A plugin that does not let itself be cancelled keeps nobody."""
    with terminal(site, "chat") as screen:
        screen.wait_for("> ")
        screen.type("stubborn\n")
        screen.wait_for("one 1 stubborn")
        screen.type(CTRL_C)
        screen.wait_for("parrot is stubborn")
        screen.type(CTRL_C)

        assert 130 == screen.ended()
    assert "Traceback" not in screen.seen


@on_posix
def test_ctrl_c_at_the_prompt_forgets_the_line(site):
    """As in a shell; also one of several lines."""
    with terminal(site, "chat") as screen:
        screen.wait_for("> ")
        screen.type("never mind")
        screen.wait_for("mind")
        screen.interrupt("\n> ")
        screen.type('"""\n')
        screen.wait_for("\n. ")
        screen.type("nor this")
        screen.wait_for("this")
        screen.interrupt("\n> ")
        screen.type("hello\n")
        screen.wait_for("one 1 hello\r\n> ")
        screen.type(CTRL_D)

        assert 0 == screen.ended()


@on_posix
def test_failures_do_not_end_a_conversation_at_a_terminal(site):
    """Who saw the sentence needs no status."""
    with terminal(site, "chat") as screen:
        screen.wait_for("> ")
        screen.type("once\n")
        screen.wait_for("Error: parrot: HTTP 529: tired\r\n> ")
        screen.type("/retry\n")
        screen.wait_for("one 1 once\r\n> ")
        screen.type(CTRL_D)

        assert 0 == screen.ended()


@on_posix
def test_lines_can_be_edited_and_called_back(site):
    """By whatever Python reads lines with."""
    with terminal(site, "chat") as screen:
        screen.wait_for("> ")
        screen.type("hello\n")
        screen.wait_for("one 1 hello\r\n> ")
        screen.type(UP + "!\n")
        screen.wait_for("one 3 hello!\r\n> ")
        screen.type(CTRL_D)

        assert 0 == screen.ended()


@on_posix
def test_answers_go_elsewhere_without_prompts(site, tmp_path):
    """`anymodal chat > file` is a terminal to type at, and a file with answers alone."""
    with (tmp_path / "answers").open("wb") as file, terminal(site, "chat", stdout=file) as screen:
        screen.wait_for("> ")
        screen.type("hello\n")
        screen.wait_for("\n> ")
        screen.type(CTRL_D)

        assert 0 == screen.ended()
    assert b"one 1 hello\n" == (tmp_path / "answers").read_bytes()


@on_posix
@pytest.mark.parametrize("said", ["", "forever\n", "mute\n"])
def test_sigterm_ends_a_conversation_at_a_terminal(site, said):
    """Whether somebody is asked just now, or nobody."""
    with terminal(site, "chat") as screen:
        screen.wait_for("> ")
        screen.type(said or "hello\n")
        screen.wait_for({"": "one 1 hello\r\n> ", "mute\n": "is mute"}.get(said, "one 1 forever"))

        assert 143 == screen.terminated()
    assert "Traceback" not in screen.seen
