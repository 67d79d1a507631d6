"""The program, run: with its progress, and nothing left behind."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Final

import anyio
import anyio.to_thread
import attrs
from anyio.abc import ByteReceiveStream, Process
from anymodal.errors import BadRequestError, InvalidRequestError, ServerError
from anymodal.formats import extension
from anymodal.media import Image, Media

__all__ = ["Input", "Probe", "Workshop", "workshop"]

QUIET: Final = ("-nostdin", "-hide_banner", "-y", "-protocol_whitelist", "file,pipe")
CONTAINERS: Final = "aac,aiff,alaw,amr,avi,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mulaw,ogg,w64,wav"
"""What is read. Playlists are not: they name further files, which would be read too."""

PICTURES: Final = {
    "image/png": "png_pipe",
    "image/jpeg": "jpeg_pipe",
    "image/webp": "webp_pipe",
    "image/bmp": "bmp_pipe",
    "image/gif": "gif",
    "image/tiff": "tiff_pipe",
}
TELLING_LINES: Final = 8
GRACE_SECONDS: Final = 3.0

_DURATION: Final = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")
_SIZE: Final = re.compile(r"Stream #0.*: Video: .*?[ ,](\d{1,5})x(\d{1,5})[ ,\n]")
_SOUND: Final = re.compile(r"Stream #0.*: Audio: .*?(\d+) Hz")


@attrs.frozen
class Probe:
    """
    What stands in a file.

    Attributes:
        seconds: How long it lasts; 0 of a picture, or where it does not say.
        width: Of what is seen; 0 where nothing is.
        height: Likewise.
        rate: Samples per second of what is heard; 0 where nothing is.
    """

    seconds: float = 0.0
    width: int = 0
    height: int = 0
    rate: int = 0


@attrs.frozen
class Input:
    """A file that is read, and what is known of it."""

    arguments: tuple[str, ...]
    probe: Probe
    is_picture: bool = False


@attrs.frozen(eq=False)
class Workshop:
    """A folder for one piece of work, and the program."""

    binary: str
    folder: Path

    async def take(self, media: Media, name: str, *before: str) -> Input:
        """
        Return *media* as a file that is read.

        Args:
            media: Bytes or a file.
            name: Of the argument, for errors.
            before: Arguments that say how it is read.

        Raises:
            InvalidRequestError: It is a URL, or of a type that is not read.
            BadRequestError: FFmpeg cannot read it.
        """
        if media.url is not None:
            msg = f"{name}: FFmpeg fetches nothing; give the bytes or the path of a file."
            raise InvalidRequestError(msg, field=name)
        path = media.path
        if path is None:
            count = len(list(self.folder.iterdir()))
            path = self.folder / f"{count}{extension(media.media_type)}"
            await anyio.Path(path).write_bytes(media.data or b"")
        how = ("-format_whitelist", CONTAINERS)
        if isinstance(media, Image):
            kind = PICTURES.get(media.media_type)
            if kind is None:
                msg = f"{name}: FFmpeg is given no {media.media_type}; a PNG or a JPEG is taken."
                raise InvalidRequestError(msg, field=name)
            how = ("-f", kind)
        place = ("-i", f"file:{path.absolute()}")
        probe = await self._probed((*how, *place), name)
        return Input((*how, *before, *place), probe, isinstance(media, Image))

    async def _probed(self, arguments: Sequence[str], name: str) -> Probe:
        said = "\n".join(await self._heard([*QUIET, *arguments], lines=200))
        size, sound = _SIZE.search(said + "\n"), _SOUND.search(said)
        if size is None and sound is None:
            msg = f"ffmpeg: {name}: there is neither picture nor sound in it that FFmpeg can read"
            raise BadRequestError(msg, provider="ffmpeg")
        length = _DURATION.search(said)
        hours, minutes, seconds = length.groups() if length else ("0", "0", "0")
        return Probe(
            int(hours) * 3600 + int(minutes) * 60 + float(seconds),
            *((int(size[1]), int(size[2])) if size else (0, 0)),
            int(sound[1]) if sound else 0,
        )

    async def _heard(self, arguments: Sequence[str], *, lines: int) -> list[str]:
        """Run the program for what it says, whether it is pleased or not."""
        said: deque[str] = deque(maxlen=lines)
        async with running([self.binary, *arguments]) as process:
            await _gather(process, lambda _: None, said.append)
        return list(said)

    async def run(
        self,
        arguments: Sequence[str],
        seconds: float,
        progress: Callable[[float], None],
        *,
        level: str = "error",
    ) -> str:
        """
        Run the program to its end, and return the last that it said.

        Args:
            arguments: After those that keep it quiet.
            seconds: How long the result will last, to tell progress by.
            progress: Told the share that is done.
            level: How much it is to say.

        Raises:
            BadRequestError: It could not do it; its last words are in the message.
            ServerError: It was killed.
        """
        said: deque[str] = deque(maxlen=40)

        def tell(line: str) -> None:
            key, _, value = line.partition("=")
            if key == "out_time_us" and value.lstrip("-").isdigit() and seconds:
                progress(min(max(int(value) / 1e6 / seconds, 0.0), 1.0))

        said_so = ("-loglevel", level, "-progress", "pipe:1", "-nostats")
        async with running([self.binary, *QUIET, *said_so, *arguments]) as process:
            await _gather(process, tell, said.append)
            status = process.returncode
        if status:
            words = " ".join(list(said)[-TELLING_LINES:]).replace(str(self.folder), "…")
            if status < 0:
                msg = f"ffmpeg: it was ended by signal {-status}"
                raise ServerError(msg, provider="ffmpeg")
            msg = f"ffmpeg: status {status}: {words[:1000] or 'it says nothing'}"
            raise BadRequestError(msg, provider="ffmpeg")
        progress(1.0)
        return "\n".join(said)


@asynccontextmanager
async def workshop(binary: str) -> AsyncIterator[Workshop]:
    """Give a folder that is gone afterwards, whatever happens."""
    made = await anyio.to_thread.run_sync(lambda: tempfile.TemporaryDirectory(prefix="anymodal-"))
    try:
        yield Workshop(binary, Path(made.name))
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(made.cleanup)


@asynccontextmanager
async def running(command: Sequence[str]) -> AsyncIterator[Process]:
    """Run *command*, never by a shell; where it is left early, it is ended first."""
    with anyio.CancelScope(shield=True):  # who is cancelled here would leave it running
        process = await anyio.open_process(command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                await _ended(process)
            await process.aclose()


async def _ended(process: Process) -> None:
    """End it: kindly, and then not."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        with anyio.move_on_after(GRACE_SECONDS):
            await process.wait()
            return
        process.kill()
        await process.wait()


async def _gather(process: Process, out: Callable[[str], None], err: Callable[[str], None]) -> None:
    """Hand on the lines of both streams, and wait for the end."""
    async with anyio.create_task_group() as tasks:
        for stream, told in ((process.stdout, out), (process.stderr, err)):
            if stream is not None:
                tasks.start_soon(_read, stream, told)
    await process.wait()


async def _read(stream: ByteReceiveStream, told: Callable[[str], None]) -> None:
    rest = b""
    with contextlib.suppress(anyio.EndOfStream, anyio.ClosedResourceError):
        while True:
            *lines, rest = (rest + await stream.receive()).split(b"\n")
            for line in lines:
                told(line.decode("utf-8", "replace").strip())
            rest = rest[-65_536:]
    if rest:
        told(rest.decode("utf-8", "replace").strip())
