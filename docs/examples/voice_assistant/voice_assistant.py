"""
A voice assistant: what is said to it, it answers aloud, and begins before it has thought to the end.

    python voice_assistant.py                     microphone and headphones; speaking interrupts it
    python voice_assistant.py said.wav answered.wav             files in their place
"""

import sys

import anyio
from anymodal import Client
from anymodal.devices import Microphone, Speaker, WavReader, WavWriter


async def assist(ai: Client, ear: Microphone | WavReader, mouth: Speaker | WavWriter) -> None:
    """Answer aloud, turn by turn, what *ear* hears."""
    chat = ai.text.chat(system="Your words are spoken: answer in a sentence or two.")
    async with (
        ear,
        mouth,
        ai.transcription.live(format=ear.format) as session,
        session.turns(ear) as turns,
    ):
        async for turn in turns:
            with turn.answering():
                async with (
                    chat.stream(turn.text) as reply,
                    ai.speech.stream(reply.text, format=mouth.format) as speech,
                ):
                    async for chunk in speech:
                        await mouth.play(chunk.data)
                await mouth.drain()
            if turn.is_interrupted:
                mouth.flush()


async def main(said: str | None = None, answered: str = "answered.wav") -> None:
    """Listen and answer until the file ends, or Ctrl-C."""
    ear = Microphone() if said is None else WavReader(said)
    mouth = Speaker() if said is None else WavWriter(answered)
    async with Client() as ai:
        await assist(ai, ear, mouth)


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
