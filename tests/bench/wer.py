"""
How many words PocketSphinx gets wrong of what eSpeak NG says, as it is and with a grammar.

    python tests/bench/wer.py

Both plugins have to be installed, and eSpeak NG. The rate is that of Levenshtein's
distance between words to the number of words said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import anyio
import attrs
from anymodal import Client, Settings
from anymodal_pocketsphinx import PocketsphinxTranscription

SENTENCES = (
    "please turn on the light",
    "turn off the fan in the kitchen",
    "please open the door of the house",
    "close the window",
    "turn on the radio in the kitchen",
    "please close the door",
    "open the window of the bedroom",
    "turn off the light in the bedroom",
    "please turn off the radio",
    "open the door of the kitchen",
)
GRAMMAR = """#JSGF V1.0;
grammar house;
<room> = kitchen | house | bedroom;
<thing> = light | fan | door | window | radio;
<deed> = turn on | turn off | open | close;
public <order> = [please] <deed> the <thing> [(in | of) the <room>];
"""


def mistakes(said: list[str], heard: list[str]) -> int:
    """Return how many words have to be put in, left out or replaced."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        before, row = row, [number]
        for place, other in enumerate(heard):
            row.append(min(before[place] + (word != other), before[place + 1] + 1, row[-1] + 1))
    return row[-1]


@attrs.frozen
class Heard:
    """What was heard of a sentence, one way or the other."""

    way: str
    said: str
    heard: str

    @property
    def mistakes(self) -> int:
        """How many words are wrong."""
        return mistakes(self.said.split(), self.heard.split())


async def hearing() -> AsyncIterator[Heard]:
    """Say each sentence, and iterate over what is heard of it both ways."""
    ways = {"as it is": (), "grammar": (PocketsphinxTranscription(grammar=GRAMMAR),)}
    async with Client(Settings.empty()) as ai:
        for sentence in SENTENCES:
            said = await ai.speech.synthesize(
                sentence, voice="espeak/en-us", format="wav", speed=0.8
            )
            for way, options in ways.items():
                found = await ai.transcription.transcribe(
                    said.audio, model="pocketsphinx/en-us", options=options
                )
                yield Heard(way, sentence, found.text)


def rates(found: Sequence[Heard]) -> dict[str, float]:
    """Return the share of words that are wrong, by way."""
    wrong: dict[str, list[int]] = {}
    words: dict[str, list[int]] = {}
    for one in found:
        wrong.setdefault(one.way, []).append(one.mistakes)
        words.setdefault(one.way, []).append(len(one.said.split()))
    return {way: sum(wrong[way]) / sum(words[way]) for way in wrong}


async def main() -> None:
    """Print what is heard, and the rates."""
    found = [one async for one in hearing()]
    for one in found:
        print(f"  {one.way:9} {one.said:36} {one.heard}")
    for way, rate in rates(found).items():
        print(f"{way:9} {rate:.0%} of the words wrong")


if __name__ == "__main__":
    anyio.run(main)
