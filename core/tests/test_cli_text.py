"""What `anymodal text` sends, writes, and how it ends."""

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from .distributions import ACME, COMMAND, PATIENCE, Site

KEY = {"ACME_KEY": "sk-1234567890"}


@pytest.fixture
def site(tmp_path):
    """A place where only acme is installed, and nothing is tried again."""
    found = Site(tmp_path)
    found.install("acme", ACME)
    found.settings("[policy.retry]\nattempts = 1\n")
    return found


def png():
    """The smallest picture."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


# -- what is sent -------------------------------------------------------------------------


def test_answer_is_all_that_is_written(site):
    """What the plugin prints, at import and when called, is no part of the answer."""
    ended = site.run("text", "three rivers", "-m", "acme/acme-1", env=KEY)

    assert (0, "three rivers ") == (ended.returncode, ended.stdout)
    assert "acme is imported\nacme is called\n" == ended.stderr


def test_piped_input_is_the_prompt(site):
    """`anymodal text < file` needs no PROMPT."""
    ended = site.run("text", "-m", "acme", piped=b"from a pipe", env=KEY)

    assert "from a pipe " == ended.stdout


def test_piped_input_goes_before_the_prompt(site):
    """First what it is about, then what to do with it; two parts, so no words run together."""
    ended = site.run("text", "sum it up", "-m", "acme", piped=b"a long story", env=KEY)

    assert "a long story sum it up " == ended.stdout


def test_dash_reads_standard_input(site):
    """As everywhere."""
    ended = site.run("text", "-", "-m", "acme", piped=b"dashed", env=KEY)

    assert "dashed " == ended.stdout


def test_pictures_may_be_piped_in(site):
    """What is no text is looked at, and sent as what it is."""
    ended = site.run("text", "what is it?", "-m", "acme", piped=png(), env=KEY)

    assert "<Image image/png> what is it? " == ended.stdout


def test_kinds_of_attachments_are_seen_in_their_bytes(site, tmp_path):
    """Names may lie or be missing; text that is not ASCII shows nothing but is text."""
    files = {
        "picture.txt": png(),
        "sound": b"RIFF\0\0\0\0WAVEfmt ",
        "clip": b"\0\0\0\x18ftypmp42",
        "paper": b"%PDF-1.7",
        "story": "Ärger".encode(),
    }
    words = []
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        words += ["--attach", str(tmp_path / name)]
    ended = site.run("text", "look", "-m", "acme", *words, env=KEY)

    assert (
        "<Image image/png> <Audio audio/wav> <Video video/mp4> <File application/pdf> "
        "<File text/plain> look "
    ) == ended.stdout


@pytest.mark.parametrize(("content", "why"), [(b"", "empty"), (b"\0\xff\0\xfe", "no kind")])
def test_what_cannot_be_sent_is_refused(site, tmp_path, content, why):
    """Better here than by the vendor."""
    (tmp_path / "odd").write_bytes(content)
    ended = site.run("text", "look", "--attach", str(tmp_path / "odd"), env=KEY)

    assert (1, "") == (ended.returncode, ended.stdout)
    assert why in ended.stderr


@pytest.mark.parametrize("words", [(), ("",), ("  ",)])
@pytest.mark.parametrize("piped", [None, b"", b" \n"])
def test_empty_prompt_is_a_usage_error(site, words, piped):
    """Nothing was asked, so nobody is."""
    ended = site.run("text", *words, "-m", "acme", piped=piped, env=KEY)

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "The prompt is empty" in ended.stderr


# -- whom it is sent to --------------------------------------------------------------------


def test_exact_names_load_one_plugin_only(site):
    """Another one that is broken, slow or loud does not matter."""
    site.install("loud", "print('loud is imported')")
    ended = site.run("text", "hi", "-m", "acme/acme-1", env=KEY)

    assert "hi " == ended.stdout
    assert "loud" not in ended.stderr


def test_models_are_tried_in_order(site):
    """The first is too busy."""
    ended = site.run("text", "hi", "-m", "acme/busy", "-m", "acme/acme-1", "--json", env=KEY)
    found = json.loads(ended.stdout)

    assert ["busy", "acme-1"] == [one["model"] for one in found["attempts"]]
    assert "rate_limited" == found["attempts"][0]["error"]["code"]


def test_failure_of_all_names_each(site):
    """One sentence, with the reason of every candidate."""
    ended = site.run("text", "hi", "-m", "acme/busy", "-m", "acme/busy", env=KEY)

    assert (1, "") == (ended.returncode, ended.stdout)
    reasons = "acme: HTTP 429: too busy; acme: HTTP 429: too busy"
    assert f"Error: none of 2 candidates answered: {reasons}\n" in ended.stderr


def test_one_model_brings_its_fallbacks(site):
    """What settings say of a name holds here as well."""
    site.settings('[fallbacks]\n"acme/busy" = ["acme/acme-1"]\n')
    ended = site.run("text", "hi", "-m", "acme/busy", env=KEY)

    assert "hi " == ended.stdout


def test_missing_key_is_one_sentence(site):
    """Who, what, and what now."""
    ended = site.run("text", "hi", "-m", "acme/acme-1")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert (
        "Error: acme needs an API key: set ACME_KEY, or api_key in [providers.acme].\n"
        in ended.stderr
    )


def test_model_that_needs_a_missing_plugin_names_the_plugin(site):
    """Known distributions are told of; nothing is guessed."""
    ended = site.run(
        "text", "hi", "-m", "openai-compatible/x", env={**KEY, "ANYMODAL_NO_AUTOLOAD": "1"}
    )

    assert 1 == ended.returncode
    assert "pip install anymodal-openai-compatible" in ended.stderr


# -- what is written ---------------------------------------------------------------------------


def test_json_is_one_document(site):
    """Numbers are numbers, and the cost is told with where its price is from."""
    ended = site.run("text", "hi", "-m", "acme", "--json", env=KEY)
    found = json.loads(ended.stdout)

    assert "hi " == found["text"]
    assert ("stop", "acme-1", "acme") == (found["finish_reason"], found["model"], found["provider"])
    assert {"usd": 0.000175, "source": "acme.example", "as_of": "2026-11-20"} == found["cost"]
    assert (1000, 10, 1010, None) == (
        found["usage"]["input_tokens"],
        found["usage"]["output_tokens"],
        found["usage"]["total_tokens"],
        found["usage"]["reasoning_tokens"],
    )
    assert [{"setting": "seed", "message": "acme has no seeds"}] == found["warnings"]
    assert 32 == len(found["record_id"])


def test_errors_leave_no_json(site):
    """Half a document would be worse than none."""
    ended = site.run("text", "hi", "-m", "acme/busy", "--json", env=KEY)

    assert (1, "") == (ended.returncode, ended.stdout)


def test_verbose_tells_warnings_and_cost_aside(site):
    """They are no part of the answer; the cost is written out, never as 1.75E-4."""
    ended = site.run("text", "hi", "-v", "-m", "acme", env=KEY)

    assert "hi " == ended.stdout
    assert "Warning: seed: acme has no seeds\n" in ended.stderr
    assert "acme/acme-1: cost $0.000175 (acme.example)\n" in ended.stderr


def test_no_stream_writes_the_same(site):
    """Only later."""
    ended = site.run("text", "three rivers", "--no-stream", "-m", "acme", env=KEY)

    assert "three rivers " == ended.stdout


NAMED = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.fixture
def schema(tmp_path):
    """A schema in a file, as `--schema` takes it."""
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(NAMED))
    return ("--schema", str(file))


def test_answer_that_fits_its_schema_is_written_as_json(site, schema):
    """And nothing else, in whatever letters; no matter how the model laid it out."""
    ended = site.run("text", '{"a":1, "b":"Ä"}', "-m", "acme", *schema, env=KEY)

    assert '{\n  "a": 1,\n  "b": "\\u00c4"\n}\n' == ended.stdout


def test_document_has_the_output_as_json(site, schema):
    """Beside the text as it came; without a schema there is none."""
    with_one = site.run("text", '{"a":1}', "-m", "acme", "--json", *schema, env=KEY)
    without = site.run("text", '{"a":1}', "-m", "acme", "--json", env=KEY)

    assert {"a": 1} == json.loads(with_one.stdout)["output"]
    assert '{"a":1} ' == json.loads(with_one.stdout)["text"]
    assert json.loads(without.stdout)["output"] is None


@pytest.mark.parametrize(
    "answer", ['{"a":\n"one"}', "no JSON", '{"a": 1, "b": NaN}', '{"a": 1, "b": 1e999}']
)
@pytest.mark.parametrize("option", ["--json", "--no-stream"])
def test_answer_that_does_not_fit_is_an_error(site, schema, answer, option):
    """With the text as it came, which was paid for; never half on standard output."""
    ended = site.run("text", answer, "-m", "acme", option, *schema, env=KEY)

    assert (1, "") == (ended.returncode, ended.stdout)
    assert f"{answer} \nError: acme/acme-1: the answer does not have the wanted" in ended.stderr
    assert ended.stderr.endswith("\n")
    assert 1 == ended.stderr.count("Error: ")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not JSON"),
        (b'{"type": "object",}', "is not JSON"),
        (b"\xff\xfe\xfd", "is not JSON"),
        (b"[]", "a JSON Schema is an object, not list"),
        (b'{"type": "hobby"}', "no JSON Schema to go by"),
        (b'{"$ref": "https://acme.example/schema"}', "refers to https://acme.example/schema"),
    ],
)
def test_what_is_no_schema_is_a_usage_error(site, tmp_path, content, why):
    """The file is named, and nothing was sent."""
    file = tmp_path / "odd.json"
    file.write_bytes(content)
    ended = site.run("text", "hi", "-m", "acme", "--schema", str(file), env=KEY)

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "odd.json" in ended.stderr
    assert why in " ".join(ended.stderr.split())
    assert "acme is called" not in ended.stderr


def test_late_errors_keep_what_was_written(site):
    """The words of an error that is not ours may hold a key: its name alone is told."""
    ended = site.run("text", "hi", "-m", "acme/broken", env=KEY)

    assert (1, "hi ") == (ended.returncode, ended.stdout)
    assert "unexpected ZeroDivisionError" in ended.stderr
    assert "sk-key" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_traceback_is_shown_on_request(site):
    """To find out where an error comes from."""
    ended = site.run("--traceback", "text", "hi", "-m", "acme/broken", env=KEY)

    assert 1 == ended.returncode
    assert "ZeroDivisionError: sk-key" in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_terminals_get_a_whole_line_and_no_controls(site):
    """The next prompt of the shell begins a line; a model's words do not drive the terminal."""
    ours, theirs = os.openpty()
    words = [str(COMMAND), "text", "a\x1b[31mb", "-m", "acme"]
    child = os.posix_spawn(
        COMMAND,
        words,
        site.environ(**KEY),
        file_actions=[
            (os.POSIX_SPAWN_DUP2, theirs, 1),
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        ],
    )
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # what Linux says at the end of a terminal
        while piece := os.read(ours, 1000):
            seen += piece
    os.close(ours)

    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert b"a[31mb \r\n" == seen


# -- how it ends --------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("option", ["--json", None])
def test_signals_close_the_connection(site, tmp_path, number, status, option):
    """And nobody wants to see a traceback, or half a document."""
    marker = tmp_path / "closed"
    words = ["text", "hi", "-m", "acme/silent", *([option] if option else [])]
    with site.started(*words, env={**KEY, "CLOSED": str(marker)}) as process:
        while b"acme is called" not in process.stderr.readline():
            assert process.poll() is None
        if option is None:
            assert b"hi " == process.stdout.read(3)
        process.send_signal(number)
        process.wait(PATIENCE)
        rest = process.stdout.read()
        told = process.stderr.read()

    assert status == process.returncode
    assert b"" == rest
    assert b"" == told.strip()
    assert marker.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
def test_sigterm_closes_the_connection_in_the_background(site, tmp_path):
    """There Ctrl-C is ignored, being meant for somebody else."""
    marker = tmp_path / "closed"
    script = 'trap "" INT; exec "$0" text hi -m acme/silent'
    with site.started_by("sh", "-c", script, env={**KEY, "CLOSED": str(marker)}) as process:
        while b"acme is called" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        told = process.stderr.read()

    assert (143, b"") == (process.returncode, told.strip())
    assert marker.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_broken_pipe_ends_quietly(site, tmp_path):
    """`anymodal text … | head -c 1` is nothing to complain of; the vendor is not left writing."""
    marker = tmp_path / "closed"
    words = ["text", "hi", "-m", "acme/endless"]
    with site.started(*words, env={**KEY, "CLOSED": str(marker)}) as process:
        assert b"h" == process.stdout.read(1)
        process.stdout.close()
        told = process.stderr.read()
        process.wait(PATIENCE)

    assert 141 == process.returncode
    assert b"acme is imported\nacme is called\n" == told
    assert marker.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has such a file")
def test_full_disk_is_told_of(site):
    """An answer that nobody gets was no success."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [COMMAND, "text", "hi", "-m", "acme"],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=site.environ(**KEY),
            cwd=site.home,
            timeout=PATIENCE,
            check=False,
        )

    assert 1 == ended.returncode
    assert b"Error: No space left on device\n" in ended.stderr
    assert b"Traceback" not in ended.stderr
