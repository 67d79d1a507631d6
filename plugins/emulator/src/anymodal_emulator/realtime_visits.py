"""What the tour asks of those who talk, and how it tells that they were heard and obeyed."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping, Sequence
from typing import Final

import anymodal
from anymodal.facades.conversing import RealtimeSession, SessionEvent
from anymodal.modalities.live import AudioOut, ResponseDone, Transcript

from .operations import Operation
from .sounds import heard, pcm
from .visits import PROMPT, SECONDS, Visit

__all__ = ["REALTIME"]

ASKED: Final = "Ask the lamp_oil gauge."
LEFT: Final = "four barrels and a cup"
SILENCE_SECONDS: Final = 1.2


def lamp_oil(place: str) -> str:
    """Say how much oil is left."""
    del place
    return LEFT


async def _talk(client: anymodal.Client, visit: Visit, name: str) -> None:
    async with client.realtime.open(model=name, timeout=SECONDS) as session:
        await session.send_text(visit.prompt)
        _note(visit, session, await _answer(session))


async def _listen(client: anymodal.Client, visit: Visit, name: str) -> None:
    async with client.realtime.open(model=name, timeout=SECONDS) as session:
        rate = session.input_format.rate
        await session.send_audio(pcm(visit.prompt, rate))
        await session.send_audio(bytes(int(SILENCE_SECONDS * rate) * 2))
        _note(visit, session, await _answer(session))


async def _tool(client: anymodal.Client, visit: Visit, name: str) -> None:
    async with client.realtime.open(model=name, tools=[lamp_oil], timeout=SECONDS) as session:
        await session.send_text(visit.prompt)
        _note(visit, session, await _answer(session))


async def _answer(session: RealtimeSession) -> Sequence[SessionEvent]:
    """
    Read up to the end of an answer that asks for no tool.

    Raises:
        ValueError: It failed, or the session ended before.
    """
    found: list[SessionEvent] = []
    async for event in session:
        found.append(event)
        if isinstance(event, ResponseDone) and event.reason != "tool_calls":
            if event.reason != "stop":
                msg = f"the answer ended as {event.reason}"
                raise ValueError(msg)
            return found
    msg = "the session ended before the answer"
    raise ValueError(msg)


def _note(visit: Visit, session: RealtimeSession, found: Sequence[SessionEvent]) -> None:
    """
    Take the sound as a WAV file, and what was said.

    Raises:
        ValueError: The sound says something else than the transcript.
    """
    packing = session.output_format
    sound = b"".join(event.data for event in found if isinstance(event, AudioOut))
    visit.said = " ".join(
        one.text for one in found if isinstance(one, Transcript) and one.who == "assistant"
    )
    if heard(sound, packing.rate) != visit.said:
        msg = "the sound does not say what the transcript does"
        raise ValueError(msg)
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(packing.channels)
        file.setsampwidth(2)
        file.setframerate(packing.rate)
        file.writeframes(sound)
    visit.artefact, visit.suffix = kept.getvalue(), ".wav"
    visit.first_event = session.record.first_event_seconds


REALTIME: Final[Mapping[str, Operation]] = {
    "talk": Operation("audio_output", _talk, PROMPT),
    "listen": Operation("audio_input", _listen, PROMPT),
    "tool": Operation("function_calling", _tool, ASKED, wanted=(LEFT,)),
}
"""By name, in the order of the table."""
