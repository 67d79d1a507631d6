"""Sound, made better."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

import anyio
import anyio.to_thread
import attrs
from anymodal.errors import InvalidRequestError, MalformedReplyError
from anymodal.media import Audio
from anymodal.modalities.audio import AudioResult, EnhancementRequest
from anymodal.modalities.sounds import SoundFormat
from anymodal.usage import Usage

from .graphs import number
from .options import FFmpegAudio
from .running import Input, Workshop, workshop

__all__ = ["FFmpegSound"]

PACKED: Final[Mapping[str, tuple[str, ...]]] = {
    "pcm": ("-f", "s16le", "-c:a", "pcm_s16le", "-ac", "1"),
    "wav": ("-f", "wav", "-c:a", "pcm_s16le"),
    "mp3": ("-f", "mp3", "-c:a", "libmp3lame"),
    "opus": ("-f", "ogg", "-c:a", "libopus"),
    "flac": ("-f", "flac", "-c:a", "flac"),
    "aac": ("-f", "adts", "-c:a", "aac"),
    "ulaw": ("-f", "mulaw", "-c:a", "pcm_mulaw", "-ac", "1"),
    "alaw": ("-f", "alaw", "-c:a", "pcm_alaw", "-ac", "1"),
}
COMPRESSED: Final = frozenset({"mp3", "opus", "aac"})
OPUS_RATES: Final = frozenset({8000, 12000, 16000, 24000, 48000})
TELEPHONE: Final = frozenset({"ulaw", "alaw"})
USUAL: Final = {
    "audio/mpeg": "mp3",
    "audio/ogg": "opus",
    "audio/flac": "flac",
    "audio/aac": "aac",
}
"""What sound of a type is packed as again; all else as WAV."""

RANGE: Final = 11.0
"""Loudness range in LU that is left to sound, as FFmpeg's page on loudnorm has it."""

_MEASURED: Final = re.compile(r"\{[^{}]*\"input_i\"[^{}]*\}")


@attrs.frozen(eq=False)
class FFmpegSound:
    """
    FFmpeg, making sound better.

    Args:
        binary: The program.
    """

    binary: str

    async def enhance(self, request: EnhancementRequest, /) -> AudioResult:
        """
        Cut, clean, level and pack sound, in this order.

        Loudness is measured first and then set by one gain, as far as peaks allow.

        Raises:
            InvalidRequestError: It is a URL, or nothing is heard or left of it.
            BadRequestError: FFmpeg cannot read it.
        """
        option = request.option(FFmpegAudio) or FFmpegAudio()
        async with workshop(self.binary) as shop:
            taken = await shop.take(request.audio, "audio")
            seconds = _left(request, taken)
            filters = _filters(request, option)
            if request.loudness is not None:
                level = await _level(shop, taken, filters, request, option)
                filters += [level] if level else []
            packed = request.format or SoundFormat(USUAL.get(request.audio.media_type, "wav"))
            made = shop.folder / "made"
            await shop.run(
                [
                    *taken.arguments, "-map", "0:a:0", "-af", ",".join(filters) or "anull",
                    "-map_metadata", "-1", *_packing(packed, taken.probe.rate), f"file:{made}",
                ],
                seconds,
                lambda share: request.progress(share if request.loudness is None else 0.5 + share / 2),
            )  # fmt: skip
            media_type, into = packed.media_type, request.into
            if into is None:
                audio = Audio(await anyio.Path(made).read_bytes(), media_type=media_type)
            else:
                found = Audio(path=made, media_type=media_type)
                await anyio.to_thread.run_sync(found.save, into)
                audio = Audio(path=into, media_type=media_type)
        known = None if request.trim_silence else seconds
        return AudioResult(audio=audio, seconds=known, usage=Usage(), model="local")


def _left(request: EnhancementRequest, taken: Input) -> float:
    """Return how long what is kept lasts."""
    if not taken.probe.rate:
        msg = "audio: nothing is to be heard in it."
        raise InvalidRequestError(msg, field="audio")
    end = taken.probe.seconds if request.end is None else min(request.end, taken.probe.seconds)
    if end <= request.start:
        msg = f"trim: it lasts {taken.probe.seconds:g} s, and nothing is left of it."
        raise InvalidRequestError(msg, field="trim")
    return end - request.start


def _filters(request: EnhancementRequest, option: FFmpegAudio) -> list[str]:
    found = []
    if request.start or request.end is not None:
        end = "" if request.end is None else f":end={number(request.end)}"
        found.append(f"atrim=start={number(request.start)}{end},asetpts=PTS-STARTPTS")
    if request.denoise:
        # its own tracking of the floor takes nearly nothing out
        reduced, floor = number(option.noise_reduction), number(option.noise_floor)
        found.append(f"afftdn=nr={reduced}:nf={floor}")
    if request.trim_silence:
        cut = f"silenceremove=start_periods=1:start_threshold={number(option.silence)}dB"
        found.append(f"{cut},areverse,{cut},areverse")
    if option.audio_filter:
        found.append(option.audio_filter)
    return found


async def _level(
    shop: Workshop,
    taken: Input,
    filters: list[str],
    request: EnhancementRequest,
    option: FFmpegAudio,
) -> str:
    """Return the filter that sets the loudness, by what it is now; empty of silence."""
    target = f"loudnorm=I={number(request.loudness or 0)}:TP={number(option.peak)}:LRA={RANGE:g}"
    said = await shop.run(
        [
            *taken.arguments, "-map", "0:a:0",
            "-af", ",".join([*filters, f"{target}:print_format=json"]), "-f", "null", "-",
        ],
        taken.probe.seconds,
        lambda share: request.progress(share / 2),
        level="info",
    )  # fmt: skip
    found = _MEASURED.search(said)
    if found is None:
        msg = "ffmpeg: it did not say how loud the sound is"
        raise MalformedReplyError(msg, provider="ffmpeg")
    now: Mapping[str, str] = json.loads(found[0])
    if not all(float(now[name]) > -99 for name in ("input_i", "input_tp")):
        request.warn("loudness", "it is silent; left as it is")
        return ""
    measured = {
        "measured_I": "input_i",
        "measured_TP": "input_tp",
        "measured_LRA": "input_lra",
        "measured_thresh": "input_thresh",
        "offset": "target_offset",
    }
    values = ":".join(f"{name}={number(float(now[key]))}" for name, key in measured.items())
    return f"{target}:{values}:linear=true"


def _packing(packed: SoundFormat, rate: int) -> list[str]:
    """Return the arguments that pack sound, at the rate that it had where none is asked for."""
    if packed.codec in TELEPHONE:
        rate = 8000
    elif packed.codec == "opus" and rate not in OPUS_RATES:
        rate = 48000
    found = [*PACKED[packed.codec], "-ar", str(packed.rate or rate)]
    if packed.kbps is not None and packed.codec in COMPRESSED:
        found += ["-b:a", f"{packed.kbps}k"]
    return found
