"""Keys stay out of the file, wherever they come from."""

from __future__ import annotations

import pytest
from anymodal import Citation, Client, Image, Message, Settings
from anymodal import errors as e
from anymodal.events import CallEnded
from anymodal.usage import Attempt, Record
from anymodal_emulator import Status, emulated
from anymodal_openai_compatible import CompatibleOption
from anymodal_sqlite_log import SqliteLog
from anymodal_sqlite_log.secrecy import address, cleaned, cleaner, tidy

from .acme import Acme, call, client, everything, says

pytestmark = pytest.mark.anyio
SHAPED = "sk-proj-Zq83hfAA01kdUE7ssPlmQe5"
PLAIN = "correct horse battery"


async def test_no_key_is_in_the_file(log, path, monkeypatch):
    """In errors, addresses, tags, prompts, answers; known to the environment or by its shape."""
    monkeypatch.setenv("ACME_API_KEY", PLAIN)
    said = f"{SHAPED} and {PLAIN}"
    refusal = e.AuthenticationError(f"acme: wrong key {SHAPED}, or {PLAIN}; see ?key=abcdefghijkl")
    async with client(log, acme=Acme(says(said), refusal)) as ai:
        await ai.text.generate(
            [
                Message(
                    "user", [f"Is {said} good?", Image(url=f"https://u:pw1@a.b/c?sig={SHAPED}")]
                ),
                Message("assistant", [Citation(f"https://a.b/{SHAPED}?token={PLAIN}")]),
                Message("user", ["Go on."]),
            ],
            system=f"Authorization: Bearer {'x' * 30}",
            tags={"note": said, "api_key": "abcdefgh"},
            end_user=SHAPED,
            stop=[SHAPED],
        )
        with pytest.raises(e.AuthenticationError):
            await ai.text.generate("Which way?")
    log.close()

    kept = everything(path.parent)
    for key in (SHAPED, PLAIN, "abcdefgh", "x" * 30, "pw1"):
        assert key.encode() not in kept
    assert call(path)["error"] == "acme: wrong key [removed], or [removed]; see ?key=[removed]"
    assert b"Is [removed] and [removed] good?" in kept


async def test_headers_and_bodies_of_options_are_not_kept(log, path):
    """They are where keys are put that no setting has a place for."""
    option = CompatibleOption(
        extra_headers={"x-gateway": "gateway-password"}, extra_body={"hidden": "body-password"}
    )
    with emulated("openai-compatible") as vendor:
        settings = Settings.from_mapping(vendor.settings(), environ={"ANYMODAL_STATE_DIR": "off"})
        vendor.script(Status(401), times=3)
        async with Client(settings, observers=[log]) as ai:
            with pytest.raises(e.AuthenticationError):
                await ai.text.generate("Hi.", model="openai-compatible/any", options=[option])
        sent = vendor.requests[0].headers
    log.close()

    kept = everything(path.parent)
    assert sent["x-gateway"] == "gateway-password"
    for word in (b"gateway-password", b"body-password", vendor.key.encode()):
        assert word not in kept
    assert call(path)["settings"]["options"] == ["CompatibleOption"]


async def test_words_of_errors_that_are_not_ours_are_not_kept(log, path):
    """A library may print the request that it could not send."""
    record = Record("c" * 32, "text", "generate")
    record.attempts.append(Attempt("acme", "acme", "m-1", 0.1, e.ServerError("acme: fell")))
    log.on_event(CallEnded(record, None, None, RuntimeError("header: hunter2")))
    log.close()

    assert b"hunter2" not in everything(path.parent)
    assert call(path)["error_code"] == "RuntimeError"


def test_prose_is_left_alone():
    """What is removed by mistake cannot be found again."""
    clean = cleaner({"HOME": "/home/somebody", "SHORT_KEY": "true"})
    for text in (
        "The key to the sky is sk-ill.",
        "true or false, /home/somebody",
        "max_tokens: 100000000",
        "a task-force of fine-grained well-known-solutions-for-everything-everywhere",
        "https://a.b/c",
    ):
        assert tidy(text, clean) == text


@pytest.mark.parametrize(
    "key",
    [
        SHAPED,
        "gsk_abcdefghijklmnop0123",
        "AIza" + "b" * 35,
        "AKIAIOSFODNN7EXAMPLE",
        "hf_abcdefghijklmnopqrstuv",
        "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4",
    ],
)
def test_shapes_of_keys_are_known(key):
    """Also where no variable holds them."""
    assert cleaner({})(f"it is {key}.") in {"it is [removed].", "it is [removed]"}


def test_addresses_lose_what_may_give_access():
    """A signed address is a key for a while."""
    clean = cleaner({})

    assert address("https://me:pw@a.b/c.png?sig=1#x", clean) == "https://a.b/c.png?…"
    assert address("https://a.b/c.png", clean) == "https://a.b/c.png"


def test_names_of_secrets_hide_what_they_name():
    """Whatever it looks like."""
    found = {"api_key": "x", "list": [{"password": "y"}], "input_tokens": 5}

    assert cleaned(found, cleaner({})) == {
        "api_key": "[removed]",
        "list": [{"password": "[removed]"}],
        "input_tokens": 5,
    }


def test_representation_of_the_observer_is_its_file(path):
    """Clients and plugins are printed."""
    assert repr(SqliteLog(path)) == f"<SqliteLog {path}>"
