"""What media say of themselves, compared with decoders that are not ours."""

from __future__ import annotations

import base64
import io
import tracemalloc
import wave
from fractions import Fraction
from functools import cache

import av
import mutagen
import pytest
from anymodal.errors import InvalidRequestError
from anymodal.formats import Clip, Sound, extension, of_kind, sniff
from anymodal.formats import clip as clip_facts
from anymodal.formats import dimensions as picture_size
from anymodal.formats import sound as sound_facts
from anymodal.media import MAX_SHOWN_BYTES, Audio, File, Image, Video, media_from_dict
from hypothesis import given
from hypothesis import strategies as st
from mutagen.aac import AAC
from PIL import Image as Pillow

PICTURES = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "AVIF")
SOUNDS = (
    ("wav", "pcm_s16le", 22_050, "stereo", "audio/wav"),
    ("aiff", "pcm_s16be", 8_000, "mono", "audio/aiff"),
    ("flac", "flac", 44_100, "mono", "audio/flac"),
    ("mp3", "libmp3lame", 44_100, "stereo", "audio/mpeg"),
    ("mp3", "libmp3lame", 16_000, "mono", "audio/mpeg"),
    ("mp3", "libmp3lame", 8_000, "mono", "audio/mpeg"),
    ("adts", "aac", 24_000, "mono", "audio/aac"),
    ("adts", "aac", 44_100, "stereo", "audio/aac"),
    ("ogg", "libopus", 48_000, "stereo", "audio/ogg"),
    ("ogg", "flac", 44_100, "stereo", "audio/ogg"),
    ("ipod", "aac", 44_100, "stereo", "audio/mp4"),
    ("mp4", "libopus", 48_000, "stereo", "audio/mp4"),
    ("webm", "libopus", 48_000, "mono", "audio/webm"),
    ("matroska", "flac", 44_100, "stereo", "audio/x-matroska"),
)
CLIPS = (
    ("mp4", "libx264", "aac", "video/mp4"),
    ("mov", "mpeg4", "aac", "video/quicktime"),
    ("webm", "libvpx", "libopus", "video/webm"),
    ("webm", "libvpx-vp9", "libopus", "video/webm"),
    ("matroska", "mpeg4", "flac", "video/x-matroska"),
)
SECONDS = 1.5


@cache
def picture(form: str, size: tuple[int, int] = (37, 53), **options) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", size, (200, 30, 90)).save(file, form, **options)
    return file.getvalue()


def add_sound(container, codec: str, rate: int, layout: str):
    stream = container.add_stream(codec, rate=rate, layout=layout)
    frame = av.AudioFrame(format="s16", layout=layout, samples=int(rate * SECONDS))
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    resampler = av.AudioResampler(
        format=stream.format.name,
        layout=layout,
        rate=rate,
        frame_size=stream.codec_context.frame_size or None,
    )

    def encode() -> None:
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))

    return encode


@cache
def recording(form: str, codec: str, rate: int, layout: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        add_sound(container, codec, rate, layout)()
    return file.getvalue()


@cache
def film(form: str, codec: str, sound: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        encode = add_sound(container, sound, 48_000, "mono")
        for _ in range(int(10 * SECONDS)):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
        encode()
    return file.getvalue()


# -- pictures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", PICTURES)
@pytest.mark.parametrize("size", [(37, 53), (256, 1), (1, 300), (640, 480)])
def test_pictures_tell_their_size(form, size):
    """Pillow agrees."""
    image = Image(picture(form, size))

    assert image.dimensions == Pillow.open(io.BytesIO(image.read_bytes())).size == size


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0" + bytes(60_000), "icc_profile": bytes(50_000)}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0" + bytes(99)}),
    ],
)
def test_pictures_of_other_kinds_do_as_well(form, options):
    """Progressive, behind large tags, lossless, extended."""
    assert Image(picture(form, (70, 20), **options)).dimensions == (70, 20)


def test_bitmaps_of_old_and_top_first():
    """A header of 1985, and a height below zero for rows that begin at the top."""
    old = b"BM" + bytes(12) + (12).to_bytes(4, "little") + b"\x05\0\x07\0\1\0\x18\0"
    new = b"BM" + bytes(12) + (40).to_bytes(4, "little") + b"\x05\0\0\0\xf9\xff\xff\xff"

    assert Image(old).dimensions == Image(new).dimensions == (5, 7)


@pytest.mark.parametrize(
    "image",
    [
        Image(picture("TIFF")),
        Image(b"<svg width='3'/>"),
        Image(url="https://acme.example/a.png"),
        Image(picture("PNG")[:20]),
        Image(b"\xff\xd8\xff\xd9\0\0"),
        Image(b"\xff\xd8\xff\xe0\0\x04ab!"),
        Image(b"\xff\xd8\xff\xff\xd0"),
        Image(b"RIFF\0\0\0\0WEBPVP8?" + bytes(20)),
        Image(b"\x89PNG\r\n\x1a\n" + bytes(30)),
        Image(picture("AVIF")[:60]),
    ],
)
def test_what_is_not_told_is_none(image):
    """Other kinds, other places, damage."""
    assert image.dimensions is None


# -- sound ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "codec", "rate", "layout", "kind"), SOUNDS)
def test_sound_tells_length_rate_and_channels(form, codec, rate, layout, kind):
    """FFmpeg agrees; coders of frames add up to 0.1 s of silence that it takes off again."""
    data = recording(form, codec, rate, layout)
    audio = Audio(data)
    with av.open(io.BytesIO(data)) as container:
        (stream,) = container.streams.audio
        assert (audio.sample_rate_hz, audio.channels) == (stream.rate, stream.channels)

    assert audio.media_type == kind
    assert audio.seconds == pytest.approx(SECONDS, abs=0.17)
    assert audio.facts.codec == {"libmp3lame": "mp3", "libopus": "opus"}.get(
        codec, codec.partition("_")[0]
    )


@pytest.mark.parametrize(("form", "codec", "rate", "layout", "kind"), SOUNDS[:8])
def test_mutagen_agrees_on_length(form, codec, rate, layout, kind):
    """A reader of tags, that counts frames as we do."""
    data = recording(form, codec, rate, layout)
    reader = AAC if codec == "aac" else mutagen.File

    assert Audio(data).seconds == pytest.approx(reader(io.BytesIO(data)).info.length, abs=0.11)


def mp3_frames(count: int, head: bytes = b"\xff\xfb\x90\x00") -> bytes:
    """Frames of 128 kbit/s at 44.1 kHz, 417 bytes each."""
    return (head + bytes(413)) * count


@pytest.mark.parametrize(
    "data",
    [
        mp3_frames(100),
        b"ID3\4\0\0\0\0\1\x00" + bytes(128) + mp3_frames(100),
        mp3_frames(100) + b"TAG" + bytes(125),
        b"ID3\4\0\x10\0\0\0\x05" + bytes(15) + mp3_frames(100),
    ],
)
def test_mp3_of_constant_rate_is_measured_by_its_size(data):
    """With tags before it, behind it, or none."""
    assert Audio(data).facts == Sound(pytest.approx(100 * 417 * 8 / 128_000), 44_100, 2, "mp3")


def test_mp3_of_variable_rate_says_how_many_frames():
    """In either of two forms of head."""
    xing = b"\xff\xfb\x90\x00" + bytes(32) + b"Xing\0\0\0\1" + (1000).to_bytes(4, "big")
    vbri = b"\xff\xfb\x90\x00" + bytes(32) + b"VBRI" + bytes(10) + (1000).to_bytes(4, "big")

    for head in (xing, vbri):
        data = head + bytes(417 - len(head)) + mp3_frames(3)
        assert Audio(data).seconds == pytest.approx(1000 * 1152 / 44_100)


def test_mp3_heads_that_announce_nothing_are_frames():
    """A head without a count is measured by size."""
    head = b"\xff\xfb\x90\x00" + bytes(32) + b"Info\0\0\0\0" + bytes(4)
    data = head + bytes(417 - len(head)) + mp3_frames(3)

    assert Audio(data).seconds == pytest.approx(4 * 417 * 8 / 128_000)


def test_waves_agree_with_python():
    """`wave` of the standard library, and headers of streams whose length nobody knew."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(24_000)
        writer.writeframes(bytes(4 * 12_000))
    data = file.getvalue()
    at = data.index(b"data") + 4
    streamed = [data[:at] + size + data[at + 4 :] for size in (b"\xff" * 4, bytes(4))]

    for one in (data, *streamed):
        assert Audio(one).facts == Sound(0.5, 24_000, 2, "pcm")


def test_vorbis_is_told_from_opus():
    """The first page says which; the last, when it ends."""
    serial = b"\1\2\3\4"
    head = b"\x01vorbis" + bytes(4) + b"\2" + (44_100).to_bytes(4, "little") + bytes(13)
    first = b"OggS\0\2" + bytes(8) + serial + bytes(8) + b"\1" + bytes([len(head)]) + head
    other = b"OggS\0\4" + (7).to_bytes(8, "little") + b"zzzz" + bytes(8) + b"\0"
    unknown = b"OggS\0\0" + b"\xff" * 8 + serial + bytes(8) + b"\0"
    last = b"OggS\0\4" + (88_200).to_bytes(8, "little") + serial + bytes(8) + b"\0"

    assert Audio(first + last + unknown + other).facts == Sound(2.0, 44_100, 2, "vorbis")
    assert Audio(first).facts == Sound(None, 44_100, 2, "vorbis")


@pytest.mark.parametrize(
    "audio",
    [
        Audio(url="https://acme.example/a.wav"),
        Audio(b"x", media_type="audio/pcm"),
        Audio(b"RIFF\0\0\0\0WAVE"),
        Audio(b"FORM\0\0\0\0AIFF"),
        Audio(b"fLaC"),
        Audio(b"ID3\4\0\0\0\0\0\0" + bytes(99)),
        Audio(b"OggS" + bytes(60)),
        Audio(b"OggS" + bytes(24) + b"Speex   " + bytes(60)),
        Audio(b"OggS"),
        Audio(b"\xff\xf1\x50\0\0\0\0\0"),
        Audio(b"\xff\xf1", media_type="audio/aac"),
    ],
)
def test_sound_that_tells_nothing(audio):
    """No length is better than a wrong one."""
    assert audio.facts == Sound()
    assert (audio.seconds, audio.sample_rate_hz, audio.channels) == (None, None, None)


# -- clips ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "codec", "sound", "kind"), CLIPS)
def test_clips_tell_size_and_length(form, codec, sound, kind):
    """FFmpeg agrees."""
    data = film(form, codec, sound)
    video = Video(data)
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert video.dimensions == (stream.width, stream.height) == (64, 48)
        assert video.seconds == pytest.approx(container.duration / 1e6, abs=0.05)

    assert video.media_type == kind
    assert (video.facts.sound.sample_rate_hz, video.facts.sound.channels) == (48_000, 1)
    assert video.facts.sound.codec == sound.removeprefix("lib")


def box(name: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + name + content


def track_head(version: int, matrix: bytes) -> bytes:
    """A `tkhd` box of 40 by 30 pixels."""
    before = bytes([version]) + bytes(51 if version else 39)
    return box(
        b"tkhd", before + matrix + (40 << 16).to_bytes(4, "big") + (30 << 16).to_bytes(4, "big")
    )


UPRIGHT = (1 << 16).to_bytes(4, "big") + bytes(32)
TURNED = bytes(4) + (1 << 16).to_bytes(4, "big") + bytes(28)


@pytest.mark.parametrize("version", [0, 1])
def test_clips_that_are_turned_are_measured_as_shown(version):
    """Telephones film sideways and say so; both versions of the head."""
    start = box(b"ftyp", b"isom\0\0\0\0")
    upright, turned = (
        Video(start + box(b"moov", box(b"trak", track_head(version, matrix))))
        for matrix in (UPRIGHT, TURNED)
    )

    assert (upright.dimensions, turned.dimensions) == ((40, 30), (30, 40))


def test_large_boxes_have_large_sizes():
    """Of 64 bits; and the last may go on to the end of the file."""
    mvhd = box(b"mvhd", b"\1" + bytes(19) + (1000).to_bytes(4, "big") + (2500).to_bytes(8, "big"))
    large = b"\0\0\0\1mdat" + (16 + 5).to_bytes(8, "big") + bytes(5)
    last = b"\0\0\0\0moov" + mvhd

    assert Video(box(b"ftyp", b"isom\0\0\0\0") + large + last).seconds == 2.5


@pytest.mark.parametrize(
    "video",
    [
        Video(url="https://acme.example/a.mp4"),
        Video(b"x", media_type="video/x-flv"),
        Video(b"\x1aE\xdf\xa3"),
        Video(b"\x1aE\xdf\xa3\x80\0\0"),
        Video(box(b"ftyp", b"isom\0\0\0\0") + b"\0\0\0\2moov"),
        Video(box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", box(b"mvhd", b"\0"))),
    ],
)
def test_clips_that_tell_nothing(video):
    """Other kinds, other places, damage."""
    assert video.facts == Clip()
    assert (video.seconds, video.dimensions) == (None, None)


# -- strange bytes ----------------------------------------------------------------------------

REAL = st.sampled_from(
    [picture(form) for form in PICTURES]
    + [recording(*row[:4]) for row in SOUNDS]
    + [film(*row[:3]) for row in CLIPS[:3]]
)
KINDS = st.sampled_from(
    [f"image/{one}" for one in ("png", "jpeg", "gif", "webp", "bmp", "avif", "heic", "x")]
    + [f"audio/{one}" for one in ("wav", "aiff", "flac", "mpeg", "aac", "ogg", "mp4", "webm", "x")]
    + [f"video/{one}" for one in ("mp4", "quicktime", "webm", "x")]
)


@st.composite
def damaged(draw):
    """Real files with a piece replaced, and cut off somewhere."""
    data = bytearray(draw(REAL))
    at = draw(st.integers(0, min(len(data), 2000)))
    piece = draw(st.binary(max_size=12))
    data[at : at + len(piece)] = piece
    return bytes(data[: draw(st.integers(0, len(data)))])


@given(data=st.binary(max_size=200) | damaged(), kind=KINDS)
def test_strange_bytes_never_raise(data, kind):
    """Whatever a vendor sends: facts are numbers above zero, or None."""
    size = picture_size(io.BytesIO(data), kind)
    sound = sound_facts(io.BytesIO(data), kind)
    clip = clip_facts(io.BytesIO(data), kind)
    sniff(data)

    assert size is None or min(size) > 0
    for one in (sound, clip, clip.sound):
        assert one.seconds is None or one.seconds > 0
    for one in (sound, clip.sound):
        assert (one.sample_rate_hz or 1) > 0
        assert (one.channels or 1) > 0


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (b"RIFF\0\0\0\0WAVE" + (b"junk" + bytes(4)) * 20_000, Audio),
        (b"FORM\0\0\0\0AIFF" + (b"junk" + bytes(4)) * 20_000, Audio),
        (box(b"ftyp", b"isom\0\0\0\0") + box(b"free", b"") * 20_000, Video),
        (b"\x1aE\xdf\xa3\x80" + b"\xec\x80" * 20_000, Video),
        (b"ID3\4\0\0\0\0\0\0" * 20_000, Audio),
    ],
)
def test_endless_files_are_given_up(data, media):
    """A made-up file may have millions of pieces; what matters stands near the beginning."""
    assert media(data).facts == type(media(data).facts)()


def test_frames_of_aac_are_counted_so_far():
    """More than an hour of them is a long walk."""
    frame = b"\xff\xf1\x50\x80\x00\xff\xfc"

    assert Audio(frame * 200_001).facts == Sound(200_000 * 1024 / 44_100, 44_100, 2, "aac")


def test_large_files_are_not_loaded_to_be_measured(tmp_path):
    """A film of 64 MiB whose head stands at the end."""
    path = tmp_path / "a.mp4"
    mvhd = box(b"mvhd", bytes(12) + (10).to_bytes(4, "big") + (25).to_bytes(4, "big"))
    with path.open("wb") as file:
        file.write(box(b"ftyp", b"isom\0\0\0\0") + (1 << 26).to_bytes(4, "big") + b"mdat")
        file.seek((1 << 26) - 8, io.SEEK_CUR)
        file.write(box(b"moov", mvhd))
    tracemalloc.start()
    try:
        assert Video(path=path).seconds == 2.5
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


# -- types ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"\xff\x0a", "image/jxl"),
        (b"\0\0\0\x0cJXL ", "image/jxl"),
        (b"#!AMR\n", "audio/amr"),
        (b"RF64\xff\xff\xff\xffWAVE", "audio/wav"),
        (b"RIFF\0\0\0\0AVI ", "video/x-msvideo"),
        (b"RIFF\0\0\0\0abcd", None),
        (b"FORM\0\0\0\0AIFC", "audio/aiff"),
        (b"FORM\0\0\0\0abcd", None),
        (box(b"ftyp", b"mif1\0\0\0\0mif1avif"), "image/avif"),
        (box(b"ftyp", b"mif1\0\0\0\0mif1heic"), "image/heic"),
        (box(b"ftyp", b"mif1\0\0\0\0"), "image/heif"),
        (box(b"ftyp", b"heix\0\0\0\0"), "image/heic"),
        (box(b"ftyp", b"M4B \0\0\0\0"), "audio/mp4"),
        (box(b"ftyp", b"qt  \0\0\0\0"), "video/quicktime"),
        (box(b"ftyp", b"3gp5\0\0\0\0"), "video/3gpp"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        (b"\x1aE\xdf\xa3....webm....A_OPUS", "audio/webm"),
        (b"\x1aE\xdf\xa3....webm....V_VP9..A_OPUS", "video/webm"),
        (b"\x1aE\xdf\xa3....matroska", "video/x-matroska"),
        (b"\x1aE\xdf\xa3....matroska....A_FLAC", "audio/x-matroska"),
        (b"OggS" + bytes(24) + b"\x80theora", "video/ogg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\xff\xf9\x50\x80", "audio/aac"),
        (b"\xff\xe3\x40\xc0", "audio/mpeg"),
        (b"\xff\xfd\x40\xc0", "audio/mpeg"),
        (b"\xff\xfb\xf0\x00", None),
        (b"\xff\xfb\x9c\x00", None),
        (b"\xff\xeb\x90\x00", None),
        (b"\xff\xfeh\0i\0", None),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "image/bmp"),
        (b"BMW builds cars.", "text/plain"),
        (b"<svg xmlns='x'>", "image/svg+xml"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg\n>", "image/svg+xml"),
        (b"<html><svg>", "text/plain"),
        (b"<svgs>", "text/plain"),
    ],
)
def test_first_bytes_show_the_type_of_rarer_files(data, found):
    """Two letters are not enough for some, and too much for others."""
    assert sniff(data) == found


@pytest.mark.parametrize("row", SOUNDS, ids=lambda row: f"{row[0]}-{row[1]}-{row[2]}")
def test_types_of_real_recordings_are_seen(row):
    """What holds sound alone may look like a clip; the caller's kind decides."""
    found = sniff(recording(*row[:4]))

    assert found is not None
    assert of_kind(found, "audio") == row[4]


def test_containers_are_of_the_kind_they_are_asked_for_as():
    """What cannot hold it stays what it is."""
    assert of_kind("video/mp4", "audio") == "audio/mp4"
    assert of_kind("audio/webm", "video") == "video/webm"
    assert of_kind("image/png", "audio") == "image/png"
    assert of_kind("audio/mpeg", "video") == "audio/mpeg"
    assert of_kind("video/mp4", "file") == "video/mp4"


def test_names_of_files_end_after_their_type():
    """Whatever follows the type, and in whatever letters."""
    assert extension("audio/MPEG; rate=1") == ".mp3"
    assert extension("image/svg+xml") == ".svg"
    assert extension("application/x-acme") == extension("") == ".bin"


# -- files ------------------------------------------------------------------------------------


def test_files_are_read_when_they_are_asked_for(tmp_path):
    """Everything that bytes do, a file does; its name goes along."""
    path = tmp_path / "a.png"
    path.write_bytes(picture("PNG"))
    held, image = Image(picture("PNG"), name="a.png"), Image(path=path)

    assert (image.data, image.name, image.media_type) == (None, "a.png", "image/png")
    assert image.size == held.size == len(picture("PNG"))
    assert image.read_bytes() == held.read_bytes()
    assert image.to_base64() == held.to_base64()
    assert image.to_data_uri() == held.to_data_uri()
    assert image.to_dict() == held.to_dict()
    assert image.dimensions == held.dimensions == (37, 53)
    assert media_from_dict(image.to_dict()) == held
    assert image == Image(path=str(path))
    assert repr(image) == f"Image(image/png, {path})"
    assert Image(path=path, name="b").name == "b"
    assert image.save(tmp_path / "b.png").read_bytes() == picture("PNG")


def test_files_that_are_gone_are_refused(tmp_path):
    """By their path, which the caller gave."""
    path = tmp_path / "a.png"
    for make in (
        lambda: Image(path=path),
        lambda: Image(path=path, media_type="image/png").read_bytes(),
        lambda: Image(path=path, media_type="image/png").to_base64(),
        lambda: Image(path=path, media_type="image/png").save(tmp_path / "b.png"),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            make()
        assert str(caught.value) == f"image: {path} cannot be read (No such file or directory)."
        assert caught.value.field == "image"
    path.touch()
    with pytest.raises(InvalidRequestError, match="is empty"):
        Image(path=path)

    assert [found.name for found in tmp_path.iterdir()] == ["a.png"]


def test_files_that_are_gone_have_no_facts(tmp_path):
    """A listing of results should not fail of one that was moved."""
    path = tmp_path / "a"
    image = Image(path=path, media_type="image/png")

    assert (image.size, image.dimensions) == (None, None)
    assert Audio(path=path, media_type="audio/wav").facts == Sound()
    assert Video(path=path, media_type="video/mp4").facts == Clip()


def test_urls_have_no_bytes():
    """Fetching is not reading."""
    image = Image(url="https://acme.example/a.png")
    with pytest.raises(InvalidRequestError, match="image: there are no bytes, only a URL"):
        image.read_bytes()

    assert image.size is None


# -- notebooks --------------------------------------------------------------------------------


def test_notebooks_show_media():
    """Pictures by themselves where they can, the rest as a page would."""
    png = picture("PNG")
    sound = recording(*SOUNDS[0][:4])
    clip = film(*CLIPS[0][:3])

    assert Image(png)._repr_mimebundle_() == {
        "text/plain": repr(Image(png)),
        "image/png": base64.b64encode(png).decode(),
    }
    for media, tag in (
        (Image(picture("WEBP")), '<img src="{}">'),
        (Audio(sound), '<audio controls src="{}"></audio>'),
        (Video(clip), '<video controls src="{}"></video>'),
    ):
        shown = media._repr_mimebundle_(include=None, exclude=None)
        assert shown == {"text/plain": repr(media), "text/html": tag.format(media.to_data_uri())}


@pytest.mark.parametrize(
    "media",
    [
        Image(url="https://acme.example/a.png"),
        Image(b"x" * (MAX_SHOWN_BYTES + 1), media_type="image/png"),
        File(b"%PDF-1.7"),
    ],
)
def test_notebooks_show_no_more_than_words_of_others(media):
    """Nobody's server is called by looking, and no notebook grows by hundreds of megabytes."""
    assert media._repr_mimebundle_() == {"text/plain": repr(media)}


def test_types_cannot_break_out_of_the_page():
    """A type is what somebody said."""
    media = Audio(b"x", media_type='audio/"><script>')

    assert "<script>" not in media._repr_mimebundle_()["text/html"]


def test_notebooks_survive_files_that_are_gone_meanwhile(tmp_path):
    """Between looking at the size and reading."""
    path = tmp_path / "folder"
    path.mkdir()

    assert set(Image(path=path, media_type="image/png")._repr_mimebundle_()) == {"text/plain"}
