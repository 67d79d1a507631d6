"""Forms: what is sent byte for byte, and what parsers that are not ours make of it."""

from __future__ import annotations

import email
import email.policy
import io

import pytest
from anymodal.errors import InvalidRequestError
from anymodal.http import Form, FormPart
from anymodal.media import Audio, File, Image
from hypothesis import given
from hypothesis import strategies as st
from python_multipart import create_form_parser

from .calling import calling
from .loopback import Loopback, reply

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.fixture
def anyio_backend(way):
    return way[0]


def parsed(form: Form) -> list[tuple[str, str | None, str | None, bytes]]:
    """What python-multipart finds: name, file name, type, content."""
    found: list[tuple[str, str | None, str | None, bytes]] = []

    def on_field(field) -> None:
        found.append((field.field_name.decode(), None, None, field.value or b""))

    def on_file(file) -> None:
        file.file_object.seek(0)
        content = file.file_object.read()
        kind = file.content_type
        found.append((file.field_name.decode(), file.file_name.decode(), kind, content))
        file.close()

    headers = {"Content-Type": form.content_type.encode()}
    parser = create_form_parser(headers, on_field, on_file)
    parser.write(form.encoded())
    parser.finalize()
    parser.close()
    return found


def test_every_byte_of_a_form():
    """The order is the caller's; media bring their name and type."""
    form = Form(
        [
            FormPart("model", "acme-1"),
            FormPart("file", Audio(WAV, name="said.wav")),
            FormPart("mask", b"\x00\r\n", filename="m.bin"),
            FormPart("note", "{}", media_type="application/json"),
        ],
        boundary="mark",
    )

    assert form.content_type == "multipart/form-data; boundary=mark"
    assert form.encoded() == (
        b'--mark\r\nContent-Disposition: form-data; name="model"\r\n\r\nacme-1\r\n'
        b'--mark\r\nContent-Disposition: form-data; name="file"; filename="said.wav"\r\n'
        b"Content-Type: audio/wav\r\n\r\n" + WAV + b"\r\n"
        b'--mark\r\nContent-Disposition: form-data; name="mask"; filename="m.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\x00\r\n\r\n"
        b'--mark\r\nContent-Disposition: form-data; name="note"\r\n'
        b"Content-Type: application/json\r\n\r\n{}\r\n"
        b"--mark--\r\n"
    )


def test_forms_without_parts_end_at_once():
    """A parser sees an empty form, not a broken one."""
    assert Form([], boundary="mark").encoded() == b"--mark--\r\n"


@pytest.mark.parametrize(
    ("media", "filename"),
    [
        (Audio(WAV), "file.wav"),
        (Image(PNG), "file.png"),
        (Audio(WAV, media_type="audio/mpeg; x=1"), "file.mp3"),
        (File(b"\x00", media_type="application/x-acme"), "file.bin"),
        (Image(PNG, name="a.png"), "a.png"),
    ],
)
def test_media_without_a_name_are_called_after_their_type(media, filename):
    """Vendors tell the type by how the name ends, and refuse files without one."""
    assert f'filename="{filename}"\r\n'.encode() in FormPart("file", media).head()
    assert b'filename="b"' in FormPart("file", media, filename="b").head()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('a"b', 'name="a%22b"; filename="a%22b"'),
        ("a\r\nX-Evil: 1", 'name="a%0D%0AX-Evil: 1"; filename="a%0D%0AX-Evil: 1"'),
        ("a\nb", 'name="a%0D%0Ab"; filename="a%0Ab"'),
        ("a\rb", 'name="a%0D%0Ab"; filename="a%0Db"'),
        ("漢 é;\\", 'name="漢 é;\\"; filename="漢 é;\\"'),
        ("a%22", 'name="a%22"; filename="a%22"'),
    ],
)
def test_odd_names_are_quoted_as_browsers_do(name, written):
    """WHATWG: three characters are escaped; names of fields have whole line ends."""
    head = FormPart(name, b"x", filename=name).head().decode()

    assert head.splitlines()[0] == f"Content-Disposition: form-data; {written}"


def test_line_ends_in_texts_stay():
    """A browser would make them CRLF; a prompt means what it says."""
    assert FormPart("prompt", "a\nb\rc\r\n").body() == b"a\nb\rc\r\n"


NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\r\n%\\'), min_size=1)
PARTS = st.lists(st.tuples(NAMES, st.none() | NAMES, st.binary()), max_size=5)


@given(PARTS)
def test_another_parser_finds_what_was_put_in(parts):
    """python-multipart, which stands behind most servers in Python."""
    form = Form([FormPart(n, c if f else c.hex(), filename=f) for n, f, c in parts])

    assert sorted(parsed(form), key=repr) == sorted(
        [
            (n, f, "application/octet-stream" if f else None, c if f else c.hex().encode())
            for n, f, c in parts
        ],
        key=repr,
    )


def test_the_mail_parser_of_python_agrees():
    """A second opinion, on order and types."""
    form = Form([FormPart("a", "x"), FormPart("file", Image(PNG)), FormPart("a", "ü")])
    head = f"Content-Type: {form.content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    message = email.message_from_bytes(head + form.encoded(), policy=email.policy.HTTP)
    found = [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]

    assert not message.defects
    assert found == [
        ("a", None, b"x"),
        ("file", "file.png", PNG),
        ("a", None, "ü".encode()),
    ]


@pytest.mark.parametrize(
    ("make", "message", "field"),
    [
        (
            lambda: FormPart("file", Image(url="https://acme.example/a.png")),
            "file: bytes are needed, not a URL.",
            "file",
        ),
        (
            lambda: FormPart("a", "x", media_type="text/plain\r\nx: 1"),
            "a: 'text/plain\\r\\nx: 1' is no media type.",
            "a",
        ),
        (
            lambda: Form([FormPart("a", "\ud800")]).encoded(),
            "'a': the text has half a character in it, which cannot be sent.",
            "a",
        ),
        (
            lambda: Form([FormPart("a", "x"), FormPart("b", b"xyz")], limit=3).encoded(),
            "b: the form would have 4 bytes; 3 are allowed.",
            "b",
        ),
    ],
)
def test_what_no_form_can_hold_is_refused(make, message, field):
    """Before a byte is sent, by the name of the field."""
    with pytest.raises(InvalidRequestError) as caught:
        make()

    assert (str(caught.value), caught.value.field) == (message, field)


def test_forms_up_to_the_limit_pass():
    """The limit is of what the parts hold, and itself allowed."""
    assert Form([FormPart("b", "é")], limit=2).encoded()


def test_contents_stay_out_of_logs():
    """A recording in a log helps nobody."""
    assert (
        repr(FormPart("file", b"secret")) == "FormPart(name='file', filename=None, media_type='')"
    )


def test_boundaries_cannot_be_guessed():
    """Who could would write parts of their own into a prompt."""
    assert Form([]).boundary != Form([]).boundary
    assert len(Form([]).boundary) == 32


@pytest.mark.anyio
@pytest.mark.usefixtures("no_proxies", "nothing_dropped")
async def test_forms_travel_whole(way):
    """Through each library; a form beats what the headers say of the body."""
    large = bytes(range(256)) * 8192
    with Loopback(reply(b'{"text":"hi"}')) as server:
        async with calling(server.url, way) as http:
            found = await http.multipart(
                "POST", "/a", [FormPart("f", large, filename="x")], headers={"x-key": "k"}
            )
            raw = await http.bytes(
                "POST", "/b", body=Form([FormPart("f", "1")]), headers={"content-type": "x/y"}
            )

    first, second = server.received
    assert (found, raw) == ({"text": "hi"}, b'{"text":"hi"}')
    assert first.headers["x-key"] == "k"
    assert large in first.body
    for request in server.received:
        mark = request.headers["content-type"].removeprefix("multipart/form-data; boundary=")
        assert request.body.startswith(f"--{mark}\r\n".encode())
        assert request.body.endswith(f"--{mark}--\r\n".encode())
    assert io.BytesIO(second.body).read(2) == b"--"
