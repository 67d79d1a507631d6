"""How sound is packed, and how text is cut into sentences: wherever the pieces are cut."""

import io
import itertools
import wave

import pytest
from anymodal import errors as e
from anymodal.facades.speaking import LONGEST, Packing, Sentences, audio_of, joined
from anymodal.modalities.sounds import SoundFormat, Unwrapped, wav_header
from anymodal.usage import Usage, Used
from hypothesis import given
from hypothesis import strategies as st

FORMATS = st.builds(
    SoundFormat,
    st.sampled_from(["pcm", "wav", "mp3", "opus", "flac", "aac", "ulaw", "alaw"]),
    st.sampled_from([8000, 16000, 44100]),
    st.sampled_from([None, 32, 128]),
)
SAMPLES = st.binary(min_size=2, max_size=64).map(lambda data: data[: len(data) & ~1])


def cut(data, places):
    """Return *data* in pieces."""
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[one:other] for one, other in itertools.pairwise(ends)]


@given(FORMATS)
def test_a_format_is_what_its_name_says(found):
    """Written and read again it is the same; and it fits itself."""
    assert found == SoundFormat.parse(str(found))
    assert found is SoundFormat.parse(found)
    assert found.fits(found)
    assert found is found.within([found])


def test_a_format_that_fits_is_asked_for():
    """What says less fits more; a header is made or taken away; the rest is not to be had."""
    there = [SoundFormat.parse(one) for one in ("mp3_44100_128", "pcm_8000", "pcm_16000")]

    assert there[0] == SoundFormat("mp3").within(there)
    assert there[2] == SoundFormat("wav", 16000).within(there)
    assert SoundFormat("wav") == SoundFormat("pcm").within([SoundFormat("wav")])
    assert SoundFormat("mp3", 8000).within(there) is None
    assert SoundFormat("wav", 48000).within(there) is None


def test_how_long_bare_samples_last():
    """Which is not told of what is compressed, nor without a rate."""
    assert 0.5 == SoundFormat("pcm", 8000).seconds(8000)
    assert SoundFormat("mp3", 8000).seconds(8000) is None
    assert SoundFormat("pcm").seconds(8000) is None
    assert "audio/pcm" == SoundFormat("pcm").media_type


@given(SAMPLES, st.sampled_from([8000, 22050]))
def test_a_header_is_read_by_others(samples, rate):
    """By the standard library's module."""
    with wave.open(io.BytesIO(wav_header(rate, len(samples)) + samples)) as file:
        assert (1, 2, rate, len(samples) // 2) == file.getparams()[:4]
        assert samples == file.readframes(len(samples))


@given(SAMPLES, st.lists(st.integers(0, 120)), st.booleans())
def test_samples_of_a_wav_file_wherever_it_is_cut(samples, places, is_known):
    """With chunks before them and behind."""
    head = wav_header(8000, len(samples) if is_known else None)
    whole = head[:12] + b"LIST\x03\0\0\0abc\0" + head[12:] + samples
    whole += b"cue \0\0\0\0" if is_known else b""
    reader = Unwrapped()

    assert samples == b"".join(reader.feed(piece) for piece in cut(whole, places))
    assert 8000 == reader.rate


@pytest.mark.parametrize(
    "data",
    [
        b"ID3 and so on and on",
        wav_header(8000)[:22] + b"\2" + wav_header(8000)[23:],
        wav_header(8000)[:12] + b"junk\xff\xff\xff\0" + bytes(70_000),
    ],
)
def test_no_such_wav_file(data):
    """Two channels, another kind of file, a header without an end."""
    with pytest.raises(e.MalformedReplyError, match="bare samples"):
        Unwrapped().feed(data)


@given(SAMPLES, st.lists(st.integers(0, 120)))
def test_packing_does_not_depend_on_pieces(samples, places):
    """Samples are not cut in two, and the whole is a file that opens."""
    packing = Packing(SoundFormat("pcm", 8000), SoundFormat("wav"))
    fed = [packing.feed(piece) for piece in cut(samples, places)]
    whole = packing.whole(b"".join(fed))

    assert all(len(piece) % 2 == 0 for piece in fed)
    with wave.open(io.BytesIO(whole)) as file:
        assert samples == file.readframes(len(samples))
    assert len(samples) / 16000 == packing.seconds(whole)


def test_several_files_become_one():
    """Each has a header of its own; the first says the rate."""
    packing = Packing(SoundFormat("wav"), SoundFormat("wav"), is_joined=True)
    found = b""
    for samples in (b"\1\0", b"\2\0"):
        packing.begin()
        found += packing.feed(wav_header(8000, 2) + samples)

    assert wav_header(8000, 4) + b"\1\0\2\0" == packing.whole(found)
    assert SoundFormat("wav", 8000) == packing.format


def test_what_is_not_known_is_left_as_it_is():
    """Of compressed sound, and of sound of which nothing is said."""
    for given_, wanted in ((None, None), (None, SoundFormat("mp3")), (SoundFormat("mp3"), None)):
        packing = Packing(given_, wanted)
        assert b"abc" == packing.whole(packing.feed(b"abc"))
        assert packing.seconds(b"abc") is None
        assert given_ == packing.format
    file = Packing(SoundFormat("wav", 8000), None)
    assert file.seconds(b"abc") is None


def test_samples_without_a_rate():
    """No header can be made for them."""
    with pytest.raises(e.MalformedReplyError, match="how many a second"):
        Packing(SoundFormat("pcm"), SoundFormat("wav")).feed(b"\1\0")


def test_sound_of_no_known_type():
    """Neither its bytes nor its format tell."""
    with pytest.raises(e.MalformedReplyError, match="not known"):
        audio_of(b"\0\1\2", None)
    with pytest.raises(e.MalformedReplyError, match="no sound"):
        audio_of(b"", None)


def test_what_two_requests_used():
    """Together; tokens only where both say them."""
    one, other = (Usage(1, 2, units=(Used("character", n),)) for n in (3, 4))

    assert joined(None, one) is joined(one, None) is one
    assert joined(None, None) is None
    assert (2, 4, 7) == (
        (found := joined(one, other)).input_tokens, found.output_tokens, found.amount("character")
    )  # fmt: skip
    assert joined(one, Usage()).input_tokens is None


# -- sentences --------------------------------------------------------------------------------

TEXTS = st.text(alphabet='aB .!?"\n。x', max_size=80) | st.text(max_size=3).map(lambda t: t * 300)


def sentences(pieces):
    found = Sentences()
    return [one for piece in pieces for one in found.feed(piece)] + found.end()


@given(TEXTS, st.lists(st.integers(0, 900)))
def test_sentences_do_not_depend_on_pieces(text, places):
    """They are the text, and the same ones however it came."""
    found = sentences(cut(text, places))

    assert text == "".join(found)
    assert sentences([text]) == found
    assert all(found)
    assert all(len(one) <= LONGEST for one in found[:-1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello there. How are you? ", ["Hello there. ", "How are you? "]),
        ('He said "No." Then', ['He said "No." ', "Then"]),
        ("It is 3.5 m. Dr. Who and J. Doe came, e.g. here.", ["It is 3.5 m. ", "Dr. Who and J. Doe came, e.g. here."]),
        ("你好。再见", ["你好。", "再见"]),
        ("One\nTwo", ["One\n", "Two"]),
        ("a" * 500, ["a" * 400, "a" * 100]),
        ("ab " * 200, ["ab " * 133, "ab " * 67]),
    ],
)  # fmt: skip
def test_where_sentences_end(text, found):
    """Not at abbreviations, nor within numbers; at a space where there is no end."""
    assert found == sentences([text])
