"""`anymodal transcribe`: a file of sound in, words out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from io import BytesIO
from pathlib import Path
from typing import Final

import anyio
import attrs
import click

from ..client import Client
from ..config import Settings
from ..devices import Microphone
from ..errors import ConfigurationError
from ..facades.hearing import LiveTranscription
from ..modalities.live import AudioFormat, Transcript
from ..modalities.transcription import TranscriptionResult
from .asking import choice, model_option
from .ending import run_async
from .output import Json, Stdout, day, json_option, note, number

__all__ = ["transcribe"]

PIECE_SECONDS: Final = 0.25


@click.command
@click.argument(
    "file", required=False,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)  # fmt: skip
@model_option
@click.option("--language", metavar="TAG", help="What is spoken, such as pt-BR.")
@click.option("--diarize", is_flag=True, help="Tell speakers apart.")
@click.option("--words", is_flag=True, help="With --json: each word with its times.")
@click.option("--keyword", "keywords", metavar="WORD", multiple=True, help="Likely to come up.")
@click.option(
    "--live",
    is_flag=True,
    help="Send a WAV file, or what the microphone hears, and write meanwhile what is heard.",
)
@json_option
def transcribe(
    *,
    file: Path | None,
    models: tuple[str, ...],
    language: str | None,
    diarize: bool,
    words: bool,
    keywords: tuple[str, ...],
    live: bool,
    as_json: bool,
) -> None:
    """
    Write what is said in FILE.

    With --live it goes to a provider that listens live, faster than it was spoken;
    without FILE, what the microphone hears does, until Ctrl-C.
    """
    if file is None and (as_json or not live):
        msg = "Name a FILE, or take --live alone, which listens to the microphone."
        raise click.UsageError(msg)
    out = Stdout.taken()
    asked = _Asked(
        file=file, model=choice(models), language=language, diarize=diarize, words=words,
        keywords=keywords, settings=Settings.load(),
    )  # fmt: skip
    sound = _samples(file) if live and file is not None else None
    if live:
        found = run_async(lambda: asked.live(sound, None if as_json else out))
    else:
        found = run_async(asked.whole)
    for warning in found.record.warnings:
        note(f"{warning.setting}: {warning.message}")
    if file is not None and as_json:
        out.document([_document(found, file)])
    elif not live:
        _write(found, out)


@attrs.frozen(kw_only=True)
class _Asked:
    """What is asked for, and of whom."""

    file: Path | None
    model: str | Sequence[str] | None
    language: str | None
    diarize: bool
    words: bool
    keywords: Sequence[str]
    settings: Settings

    async def whole(self) -> TranscriptionResult:
        """Return what is said, all at once."""
        assert self.file is not None  # only live sound needs none
        async with Client(self.settings) as ai:
            return await ai.transcription.transcribe(
                self.file,
                model=self.model,
                language=self.language,
                diarize=self.diarize,
                words=self.words,
                keywords=self.keywords,
            )

    async def live(
        self, sound: tuple[AudioFormat, bytes] | None, out: Stdout | None
    ) -> TranscriptionResult:
        """Write what is heard while it is sent, of the microphone if not said, and return it."""
        pieces: AsyncIterator[bytes]
        async with AsyncExitStack() as stack:
            if sound is None:
                ear = await stack.enter_async_context(Microphone())
                packing, pieces = ear.format, aiter(ear)
            else:
                packing = sound[0]
                pieces = await stack.enter_async_context(aclosing(_pieces(*sound)))
            ai = await stack.enter_async_context(Client(self.settings))
            live = ai.transcription.live(
                format=packing,
                model=self.model,
                language=self.language,
                diarize=self.diarize,
                words=self.words,
                keywords=self.keywords,
                partials=False,
            )
            session = await stack.enter_async_context(live)
            await _converse(session, pieces, out)
            return await session.result()


async def _converse(
    session: LiveTranscription, pieces: AsyncIterator[bytes], out: Stdout | None
) -> None:
    """Send *pieces*, and write what is heard of them meanwhile."""
    fault: Exception | None = None

    async def send() -> None:
        nonlocal fault
        try:
            try:
                async for piece in pieces:
                    await session.send(piece)
            except ConfigurationError as error:  # the microphone's; what was sent is still heard
                fault = error
            await session.finish()
        except Exception as error:  # noqa: BLE001  # raised below, and not in a group
            fault = error
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        try:
            async for event in session:
                if out is not None and isinstance(event, Transcript):
                    out.say(event.text + "\n")
        except Exception as error:  # noqa: BLE001  # as above
            fault = fault or error
            tasks.cancel_scope.cancel()
    if fault is not None:
        raise fault


async def _pieces(packing: AudioFormat, samples: bytes) -> AsyncGenerator[bytes, None]:
    step = max(int(packing.rate * PIECE_SECONDS), 1) * packing.frame_bytes
    for at in range(0, len(samples), step):
        yield samples[at : at + step]


def _samples(file: Path) -> tuple[AudioFormat, bytes]:
    """Return what is to be sent of a WAV file, and how it is packed."""
    import wave  # noqa: PLC0415  # few files are sent so

    try:
        with wave.open(BytesIO(file.read_bytes())) as sound:
            if sound.getsampwidth() == 2:
                packing = AudioFormat(rate=sound.getframerate(), channels=sound.getnchannels())
                return packing, sound.readframes(sound.getnframes())
    except (wave.Error, EOFError):
        pass
    msg = f"--live takes WAV files with samples of 16 bits, and {file} is none."
    raise click.UsageError(msg)


def _write(found: TranscriptionResult, out: Stdout) -> None:
    turns = [one for one in found.segments if one.speaker is not None]
    if not turns:
        out.say(found.text + "\n")
    for turn in turns:
        out.say(f"{turn.speaker}: {turn.text}\n")


def _document(found: TranscriptionResult, file: Path) -> Json:
    record = found.record
    return {
        "file": str(file),
        "text": found.text,
        "language": found.language,
        "audio_seconds": found.duration,
        "segments": [
            {"text": one.text, "start": one.start, "end": one.end, "speaker": one.speaker}
            for one in found.segments
        ],
        "words": [
            {
                "text": one.text,
                "start": one.start,
                "end": one.end,
                "speaker": one.speaker,
                "confidence": one.confidence,
            }
            for one in found.words
        ],
        "model": record.model,
        "provider": record.provider,
        "instance": record.instance,
        "plugin": record.plugin,
        "cost": {
            "usd": number(record.cost.usd),
            "source": record.cost.source,
            "as_of": day(record.cost.as_of),
        },
        "record_id": record.id,
        "request_id": record.request_id,
        "seconds": record.seconds,
        "warnings": [{"setting": w.setting, "message": w.message} for w in record.warnings],
    }
