"""How sound is packed: names with their rates, and the header of WAV files."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ..errors import InvalidRequestError, MalformedReplyError

__all__ = ["SoundFormat", "SoundFormatLike", "Unwrapped", "wav_header"]

if TYPE_CHECKING:
    from .live import AudioFormat

SoundFormatLike: TypeAlias = "str | SoundFormat | AudioFormat"
"""
`mp3`, `wav`, `pcm_16000`, `opus_48000_64`: a codec, its rate in Hz, kilobits per second; or
how live sound is packed, such as a speaker's `format`.
"""

CODECS: Final = {
    "pcm": "audio/pcm",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "ulaw": "audio/basic",
    "alaw": "audio/x-alaw-basic",
}
"""
Codecs and their media types. `pcm` is bare samples of 16 bits, signed, the low byte first,
one channel; `wav` is the same behind a header; `opus` comes in Ogg.
"""

_NAME: Final = re.compile(r"([a-z]+3?)(?:_(\d{4,6})(?:_(\d{1,4}))?)?")
_UNKNOWN_SIZE: Final = 0xFFFFFFFF
SAMPLE_BYTES: Final = 2
MAX_HEADER_BYTES: Final = 65_536


@attrs.frozen
class SoundFormat:
    """
    How sound is packed.

    Attributes:
        codec: Such as `mp3`.
        rate: Samples per second; None is whichever the vendor has.
        kbps: Kilobits per second, of what is compressed; None is the vendor's choice.
    """

    codec: str
    rate: int | None = None
    kbps: int | None = None

    @classmethod
    def parse(cls, said: SoundFormatLike, *, field: str = "format") -> SoundFormat:
        """
        Return what *said* means.

        Raises:
            InvalidRequestError: It is no such name.
        """
        if isinstance(said, SoundFormat):
            return said
        if not isinstance(said, str):
            said = getattr(said, "sound_name", said)  # of the live room, which is not needed here
        found = _NAME.fullmatch(said) if isinstance(said, str) else None
        if found is None or found[1] not in CODECS:
            msg = (
                f"{field}: {said!r} is no format. There are {', '.join(CODECS)}, each alone or "
                "with a rate, such as pcm_16000, and one that is compressed with kilobits too."
            )
            raise InvalidRequestError(msg, field=field)
        return cls(found[1], *(None if one is None else int(one) for one in found.groups()[1:]))

    def __str__(self) -> str:
        return "_".join(str(one) for one in (self.codec, self.rate, self.kbps) if one is not None)

    @property
    def media_type(self) -> str:
        """Its media type; that of bare samples says their rate."""
        found = CODECS[self.codec]
        return f"{found};rate={self.rate}" if self.codec == "pcm" and self.rate else found

    def fits(self, wanted: SoundFormat) -> bool:
        """Whether it is what *wanted* asks for, as far as that says."""
        return (
            self.codec == wanted.codec
            and wanted.rate in {None, self.rate}
            and wanted.kbps in {None, self.kbps}
        )

    def within(self, offered: Iterable[SoundFormat]) -> SoundFormat | None:
        """
        Return which of *offered* to ask a provider for, to have this one made of it.

        A header is put before bare samples, or taken away from them.
        """
        there = tuple(offered)
        twin = {"wav": "pcm", "pcm": "wav"}.get(self.codec)
        direct = next((one for one in there if one.fits(self)), None)
        if direct is not None or twin is None:
            return direct
        other = attrs.evolve(self, codec=twin)
        return next((one for one in there if one.fits(other)), None)

    def seconds(self, size: int) -> float | None:
        """Return how long *size* bytes of bare samples last; None of what is compressed."""
        if self.codec != "pcm" or not self.rate:
            return None
        return size / SAMPLE_BYTES / self.rate


def wav_header(rate: int, size: int | None = None) -> bytes:
    """
    Return what stands before *size* bytes of bare samples in a WAV file.

    Args:
        rate: Samples per second.
        size: None while it is not known, as in a stream; programs then read to the end.
    """
    length = _UNKNOWN_SIZE if size is None else size
    whole = _UNKNOWN_SIZE if size is None else min(36 + size, _UNKNOWN_SIZE)
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * SAMPLE_BYTES, SAMPLE_BYTES, 16)
    return b"RIFF%bWAVEfmt %b%bdata%b" % (
        struct.pack("<I", whole),
        struct.pack("<I", len(form)),
        form,
        struct.pack("<I", length),
    )


class Unwrapped:
    """
    Bare samples of a WAV file that arrives in pieces.

    Attributes:
        rate: Samples per second; None until the header was read.
    """

    def __init__(self) -> None:
        self.rate: int | None = None
        self._head: bytearray | None = bytearray()
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """
        Return the samples in *data*.

        Raises:
            MalformedReplyError: It is no WAV file of such samples.
        """
        if self._head is None:
            found = data[: self._left]
            self._left -= len(found)
            return found
        self._head += data
        start = self._start(self._head)
        if start is None:
            if len(self._head) > MAX_HEADER_BYTES:
                head = "none within its first 64 kB"
                raise _strange(head)
            return b""
        rest, self._head = bytes(self._head[start:]), None
        return self.feed(rest)

    def _start(self, head: bytearray) -> int | None:
        """Return where the samples begin; None while that has not come."""
        if len(head) < 12:
            return None
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            kind = "none"
            raise _strange(kind)
        at = 12
        while at + 8 <= len(head):
            name, size = bytes(head[at : at + 4]), int.from_bytes(head[at + 4 : at + 8], "little")
            at += 8
            if name == b"data":
                # a stream's header does not know the size, and says 0 or the largest
                self._left = size if 0 < size < 0x7FFFF000 else 1 << 62
                return at
            if name == b"fmt " and at + 16 <= len(head):
                kind, channels, self.rate, _, _, bits = struct.unpack_from("<HHIIHH", head, at)
                if (kind in {1, 0xFFFE}, channels, bits) != (True, 1, 16):
                    what = f"one of {channels} channels and {bits} bits, not of 1 and 16"
                    raise _strange(what)
            at += size + size % 2
        return None


def _strange(found: str) -> MalformedReplyError:
    return MalformedReplyError(f"bare samples are wanted of a WAV file, and this is {found}")
