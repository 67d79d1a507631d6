"""Filter graphs, as words: what is done to what, without running it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs
from anymodal.modalities.sizes import CLASSES, Size
from anymodal.modalities.video import Overlay, Track

from .running import Probe

__all__ = ["RATE", "Composed", "Laid", "Piece", "compose", "frame_of", "number", "still"]

RATE = 44_100
SOUND = f"aresample={RATE},aformat=sample_fmts=fltp:channel_layouts=stereo"


@attrs.frozen
class Piece:
    """A clip of a composition: the place of its file, how long it is shown, what it has."""

    place: int
    seconds: float
    is_picture: bool
    is_heard: bool


@attrs.frozen
class Laid:
    """An overlay, and the place of its file."""

    place: int
    is_picture: bool
    said: Overlay


@attrs.frozen
class Composed:
    """A graph whose results are called `v` and `a`, and how long they last."""

    graph: str
    seconds: float


def number(value: float) -> str:
    """Return *value* as FFmpeg reads numbers."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def frame_of(size: Size | None, first: Probe) -> tuple[int, int]:
    """Return width and height, both even: of *size*, in the shape of *first* where it has none."""
    width, height = first.width, first.height
    if size is None:
        return max(round(width / 2), 1) * 2, max(round(height / 2), 1) * 2
    if size.form == "class":
        return Size("ratio", width, height).pixels(CLASSES[size.name], 2)
    return size.pixels(width * height, 2)


def still(seconds: float, frame: tuple[int, int], fps: float, zoom: float, *, has_end: bool) -> str:
    """Return the graph of a picture that is shown, zoomed into, and turned into another."""
    width, height = frame
    count = max(round(seconds * fps), 1)
    held = _held(seconds, fps)
    move = ""
    if zoom > 1:
        # at four times the size, because it moves by whole pixels
        move = (
            f",scale={width * 4}:{height * 4},zoompan=z='1+{number(zoom - 1)}*on/{count}'"
            f":x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2':d=1:s={width}x{height}:fps={number(fps)}"
        )
    parts = [f"[0:v:0]{held},{_fitted(frame, fps)}{move}[v0]"]
    if not has_end:
        return f"{parts[0]};[v0]null[v]"
    parts.append(f"[1:v:0]{held},{_fitted(frame, fps)}[v1]")
    fade = min(1.0, seconds / 2)
    at = number(seconds - fade)
    parts.append(f"[v0][v1]xfade=transition=fade:duration={number(fade)}:offset={at}[v]")
    return ";".join(parts)


def compose(
    pieces: Sequence[Piece],
    overlays: Sequence[Laid],
    tracks: Sequence[tuple[int, Track]],
    *,
    frame: tuple[int, int],
    fps: float,
    is_grid: bool,
) -> Composed:
    """Return the graph of a composition."""
    parts = _grid(pieces, frame, fps) if is_grid else _sequence(pieces, frame, fps)
    lengths = [one.seconds for one in pieces]
    seconds = max(lengths) if is_grid else sum(lengths)
    seen = "vb"
    for count, laid in enumerate(overlays):
        parts += _laid(laid, seen, f"o{count}", frame, seconds)
        seen = f"o{count}"
    heard = "ab"
    if tracks:
        names = [f"t{count}" for count in range(len(tracks))]
        for name, (place, track) in zip(names, tracks, strict=True):
            parts.append(
                f"[{place}:a:0]{SOUND},volume={number(track.volume)},"
                f"adelay=delays={round(track.at * 1000)}:all=1[{name}]"
            )
        labels = "".join(f"[{name}]" for name in names)
        parts.append(f"[ab]{labels}{_mixed(len(names) + 1, 'first')}[am]")
        heard = "am"
    parts += [f"[{seen}]format=yuv420p[v]", f"[{heard}]anull[a]"]
    return Composed(";".join(parts), seconds)


def _mixed(count: int, duration: str) -> str:
    return f"amix=inputs={count}:duration={duration}:dropout_transition=0:normalize=0"


def _held(seconds: float, fps: float) -> str:
    """Return what makes a clip of the one frame of a picture."""
    return (
        f"trim=end_frame=1,loop=loop=-1:size=1:start=0,setpts=N/{number(fps)}/TB,"
        f"trim=duration={number(seconds)}"
    )


def _fitted(frame: tuple[int, int], fps: float) -> str:
    width, height = frame
    return (
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,"
        f"pad={width}:{height}:-1:-1,setsar=1,fps={number(fps)},format=yuv420p"
    )


def _piece(count: int, piece: Piece, frame: tuple[int, int], fps: float) -> list[str]:
    seconds = number(piece.seconds)
    shown = _held(piece.seconds, fps) if piece.is_picture else "setpts=PTS-STARTPTS"
    # the last picture stays where what is seen ends before what is heard
    filled = f"tpad=stop=-1:stop_mode=clone,trim=duration={seconds}"
    parts = [f"[{piece.place}:v:0]{shown},{_fitted(frame, fps)},{filled}[v{count}]"]
    source = f"[{piece.place}:a:0]" if piece.is_heard else f"anullsrc=r={RATE}:cl=stereo,"
    silence = f"asetpts=PTS-STARTPTS,{SOUND},apad,atrim=duration={seconds}"
    return [*parts, f"{source}{silence}[a{count}]"]


def _sequence(pieces: Sequence[Piece], frame: tuple[int, int], fps: float) -> list[str]:
    parts = [part for n, piece in enumerate(pieces) for part in _piece(n, piece, frame, fps)]
    labels = "".join(f"[v{count}][a{count}]" for count in range(len(pieces)))
    return [*parts, f"{labels}concat=n={len(pieces)}:v=1:a=1[vb][ab]"]


def _grid(pieces: Sequence[Piece], frame: tuple[int, int], fps: float) -> list[str]:
    count = len(pieces)
    if count == 1:
        return _sequence(pieces, frame, fps)
    wide = math.ceil(math.sqrt(count))
    high = math.ceil(count / wide)
    cell = (max(frame[0] // wide // 2, 1) * 2, max(frame[1] // high // 2, 1) * 2)
    longest = max(one.seconds for one in pieces)
    parts = []
    for n, piece in enumerate(pieces):
        held = attrs.evolve(piece, seconds=longest)  # who ends early stands still
        parts += _piece(n, held, cell, fps)
    places = "|".join(f"{n % wide * cell[0]}_{n // wide * cell[1]}" for n in range(count))
    seen = "".join(f"[v{n}]" for n in range(count))
    heard = "".join(f"[a{n}]" for n in range(count))
    return [
        *parts,
        f"{seen}xstack=inputs={count}:layout={places}:fill=black,pad={frame[0]}:{frame[1]}:-1:-1[vb]",
        f"{heard}{_mixed(count, 'longest')}[ab]",
    ]


def _laid(laid: Laid, under: str, name: str, frame: tuple[int, int], seconds: float) -> list[str]:
    said = laid.said
    end = seconds if said.seconds is None else min(said.at + said.seconds, seconds)
    width = max(round(frame[0] * said.width / 2), 1) * 2
    length = number(max(end - said.at, 0.001))
    shown = _held(max(end - said.at, 0.001), 25) if laid.is_picture else f"trim=duration={length}"
    cut = (
        f"[{laid.place}:v:0]{shown},scale={width}:-2,format=yuva420p,"
        f"colorchannelmixer=aa={number(said.opacity)},"
        f"setpts=PTS-STARTPTS+{number(said.at)}/TB[{name}s]"
    )
    put = (
        f"[{under}][{name}s]overlay=x={round(frame[0] * said.x)}:y={round(frame[1] * said.y)}"
        f":eof_action=pass:enable='between(t,{number(said.at)},{number(end)})'[{name}]"
    )
    return [cut, put]
