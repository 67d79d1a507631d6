"""
How many words PocketSphinx gets wrong of what eSpeak NG says, as it is and with a grammar.

    python tests/bench/wer.py

Both plugins have to be installed, and eSpeak NG. The rate is that of Levenshtein's
distance between words to the number of words said.
"""

from __future__ import annotations

import anyio
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


async def main() -> None:
    """Say each sentence, hear it both ways, and print what came of it."""
    ways = {"as it is": (), "grammar": (PocketsphinxTranscription(grammar=GRAMMAR),)}
    wrong = dict.fromkeys(ways, 0)
    async with Client(Settings.empty()) as ai:
        for sentence in SENTENCES:
            said = await ai.speech.synthesize(
                sentence, voice="espeak/en-us", format="wav", speed=0.8
            )
            print(sentence)
            for way, options in ways.items():
                found = await ai.transcription.transcribe(
                    said.audio, model="pocketsphinx/en-us", options=options
                )
                wrong[way] += mistakes(sentence.split(), found.text.split())
                print(f"  {way:9} {found.text}")
    total = sum(len(sentence.split()) for sentence in SENTENCES)
    for way, number in wrong.items():
        print(f"{way:9} {number} of {total} words wrong: {number / total:.0%}")


if __name__ == "__main__":
    anyio.run(main)
