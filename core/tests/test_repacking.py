"""Live sound in another packing: what is exact is done, and nothing else is."""

import struct

import av
import pytest
from anymodal.modalities.live import AudioFormat
from anymodal.modalities.repacking import Repacking, is_lossless, source_for, target_of

BYTES = bytes(range(256))


@pytest.mark.parametrize(("encoding", "codec"), [("mulaw", "pcm_mulaw"), ("alaw", "pcm_alaw")])
def test_telephones_are_decoded_as_others_do(encoding, codec):
    """Each of the 256 samples, as FFmpeg has it."""
    decoder = av.CodecContext.create(codec, "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    (frame,) = decoder.decode(av.Packet(BYTES))
    theirs = bytes(frame.planes[0])[:512]
    ours = Repacking(AudioFormat(encoding), AudioFormat("pcm_s16le")).feed(BYTES)

    assert theirs == ours


@pytest.mark.parametrize("encoding", ["pcm_s16le", "mulaw", "alaw"])
def test_floats_are_exact(encoding):
    """They go back to the same samples, wherever the sound was cut."""
    given = AudioFormat(encoding)
    whole = Repacking(given, AudioFormat("pcm_s16le")).feed(BYTES)
    turned = Repacking(given, AudioFormat("pcm_f32le"))
    found = b"".join(turned.feed(BYTES[at : at + 7]) for at in range(0, 256, 7))
    floats = struct.unpack(f"<{len(found) // 4}f", found)

    assert all(-1 <= one < 1 for one in floats)
    assert whole == struct.pack(f"<{len(floats)}h", *(int(one * 32768) for one in floats))


def test_what_is_alike_is_not_touched():
    """Nor looked at."""
    data = b"abc"
    assert data is Repacking(AudioFormat("opus"), AudioFormat("opus")).feed(data)


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        (AudioFormat("opus"), AudioFormat("opus"), True),
        (AudioFormat("mulaw"), AudioFormat("pcm_s16le"), True),
        (AudioFormat("pcm_s16le"), AudioFormat("mulaw"), False),
        (AudioFormat("pcm_f32le"), AudioFormat("pcm_s16le"), False),
        (AudioFormat("mulaw", rate=8_000), AudioFormat("pcm_s16le", rate=16_000), False),
        (AudioFormat("alaw", channels=2), AudioFormat("pcm_s16le"), False),
        (AudioFormat("flac"), AudioFormat("pcm_s16le"), False),
    ],
    ids=str,
)
def test_what_can_be_done(given, wanted, expected):
    """Neither another rate, nor other channels, nor fewer bits."""
    assert expected is is_lossless(given, wanted)


def test_what_is_there_is_chosen_first():
    """In the order in which it is offered."""
    mulaw, whole, floats = (AudioFormat(one) for one in ("mulaw", "pcm_s16le", "pcm_f32le"))

    assert mulaw == target_of(mulaw, [whole, mulaw])
    assert floats == target_of(mulaw, [floats, whole])
    assert target_of(floats, [mulaw, whole]) is None
    assert floats == source_for(floats, [whole, floats])
    assert mulaw == source_for(whole, [mulaw])
    assert source_for(mulaw, [whole, floats]) is None
