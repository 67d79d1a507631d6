"""Media: bytes or a URL with their type, in and out of JSON and files."""

import base64
import json

import pytest
from anymodal.errors import InvalidRequestError
from anymodal.media import Audio, File, Image, Media, Video, media_from_dict, sniff
from hypothesis import given
from hypothesis import strategies as st

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
URL = "https://acme.example/picture"


def refusal(call):
    """The message and field of the refusal that *call* ends with."""
    with pytest.raises(InvalidRequestError) as caught:
        call()
    return str(caught.value), caught.value.field


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (b"\x00\x00\x00\x1cftypheic", "image/heic"),
        (b"%PDF-1.7", "application/pdf"),
        (WAV, "audio/wav"),
        (b"fLaC\x00", "audio/flac"),
        (b"OggS\x00", "audio/ogg"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"\xff\xf3\x90", "audio/mpeg"),
        (b"\x00\x00\x00\x1cftypM4A ", "audio/mp4"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"\x00\x00\x00\x1cftypisom", "video/mp4"),
        (b"a,b\n1,2\n", "text/plain"),
        (b"\x00\x01\x02", None),
        (b"\xfe\xff\x00", None),
        (b"", None),
    ],
)
def test_first_bytes_show_the_type(data, media_type):
    """Nobody has to say what the bytes say themselves."""
    assert sniff(data) == media_type


def test_type_is_read_from_the_bytes_and_can_be_said():
    """What is said wins: a caller may know better."""
    assert Image(PNG).media_type == "image/png"
    assert Image(PNG, media_type="image/apng").media_type == "image/apng"
    assert Image(url=URL).media_type == ""
    assert Image(url=URL, media_type="image/webp").media_type == "image/webp"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Image, "image: give either bytes or a URL, or the path of a file."),
        (lambda: Image(PNG, url=URL), "image: give either bytes or a URL, or the path of a file."),
        (lambda: Image("x.png"), "image: bytes are needed, not str."),
        (lambda: Audio(bytearray(WAV)), "audio: bytes are needed, not bytearray."),
        (lambda: Video(b""), "video: it is empty."),
        (lambda: File(url="file:///etc/passwd"), "file: a URL starts with http:// or https://."),
        (
            lambda: File(b"\x00\x01"),
            "file: the type of these bytes is unknown; pass media_type=.",
        ),
        (lambda: Image(WAV), "image: audio/wav is not of the kind image."),
        (
            lambda: Audio(url=URL, media_type="image/png"),
            "audio: image/png is not of the kind audio.",
        ),
    ],
)
def test_nonsense_is_refused_before_anything_is_sent(make, message):
    """By the name of the kind, which is also the field."""
    assert refusal(make) == (message, message.partition(":")[0])


def test_file_takes_every_type():
    """A document is whatever a model can read."""
    assert File(PNG).media_type == "image/png"
    assert File(b"\x00\x01", media_type="application/x-acme").media_type == "application/x-acme"


def test_read_and_save(tmp_path):
    """The name goes along; the bytes are the same."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    image = Image.read(path)

    assert image == Image(PNG, name="a.png")
    assert image.save(str(tmp_path / "b.png")) == tmp_path / "b.png"
    assert (tmp_path / "b.png").read_bytes() == PNG
    assert Audio.read(path, media_type="audio/x").media_type == "audio/x"


def test_save_replaces_what_was_there(tmp_path):
    """Whole, and without a trace of the way there."""
    path = tmp_path / "a.png"
    path.write_text("before", encoding="utf-8")
    Image(PNG).save(path)

    assert path.read_bytes() == PNG
    assert list(tmp_path.iterdir()) == [path]


def test_save_that_fails_leaves_everything_as_it_was(tmp_path):
    """The file is complete or as it was; no temporary one stays behind."""
    path = tmp_path / "folder"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        Image(PNG).save(path)

    assert list(tmp_path.iterdir()) == [path]
    assert [found.name for found in path.iterdir()] == ["inside"]


def test_url_has_nothing_to_save(tmp_path):
    """Fetching is not saving."""
    assert refusal(lambda: Image(url=URL).save(tmp_path / "a.png")) == (
        "image: there are no bytes to save, only a URL.",
        "image",
    )


def test_data_uri():
    """What many vendors take in place of a URL."""
    assert Image(PNG).to_data_uri() == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert Image(url=URL).to_data_uri() == URL
    assert Image(url=URL).to_base64() == ""


def test_repr_shows_size_and_not_content():
    """A log with a megabyte of picture in it helps nobody."""
    assert repr(Image(PNG)) == "Image(image/png, 16 bytes)"
    assert repr(Video(url=URL)) == f"Video(?, {URL})"


def test_media_are_values():
    """Equal when their bytes are, and different kinds are different."""
    assert Image(PNG) == Image(bytes(PNG))
    assert hash(Image(PNG)) == hash(Image(PNG))
    assert Image(PNG) != File(PNG)


KINDS = st.sampled_from([(Image, "image"), (Audio, "audio"), (Video, "video"), (File, "x")])


@given(kind=KINDS, data=st.none() | st.binary(min_size=1), name=st.none() | st.text(min_size=1))
def test_json_keeps_everything(kind, data, name):
    """Conversations are stored as JSON, pictures included."""
    cls, family = kind
    url = URL if data is None else None
    media = cls(data, url=url, media_type=f"{family}/x", name=name)

    assert media_from_dict(json.loads(json.dumps(media.to_dict()))) == media


def test_json_has_no_empty_fields():
    """A URL of unknown type is a type of media and a URL."""
    assert Image(url=URL).to_dict() == {"type": "image", "url": URL}
    assert media_from_dict({"type": "image", "url": URL}) == Image(url=URL)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, ("part: None is not a kind of media.", "parts")),
        ({"type": "hologram"}, ("part: 'hologram' is not a kind of media.", "parts")),
        ({"type": "image", "data": 3}, ("image: data is a string, not int.", "image")),
        ({"type": "image", "url": None}, ("image: url is a string, not NoneType.", "image")),
        ({"type": "audio", "data": "a*b"}, ("audio: data is not base64.", "audio")),
        ({"type": "video"}, ("video: give either bytes or a URL, or the path of a file.", "video")),
    ],
)
def test_what_is_no_media_is_refused(found, told):
    """Stored JSON may have been written by somebody else."""
    assert refusal(lambda: media_from_dict(found)) == told


def test_every_kind_is_media():
    """One check takes them all."""
    assert all(issubclass(cls, Media) for cls in (Image, Audio, Video, File))
