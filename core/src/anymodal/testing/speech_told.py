"""The clauses of speech that is left in its midst, that breaks, and whose text comes in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import anyio

from .. import errors as e
from ..client import Client
from ..modalities.speech import SpeechResult
from .asking import NOTHING
from .calls import LATE, SILENCE
from .clauses import clause
from .emulators import faults
from .provider import ProviderSuite
from .sounding import left_behind
from .stage import Stage

__all__ = ["SpeechTold", "drip"]

TOLD: Final = " ".join(f"The lighthouse sees wave number {number}." for number in range(1, 25))
"""More than any vendor waits for before it speaks."""

SIZE: Final = 7
"""Characters of a piece: it is cut within words."""


async def drip(text: str, *, end: anyio.Event | None = None) -> AsyncIterator[str]:
    """Give *text* in small pieces, and its end when *end* says so."""
    for at in range(0, len(text), SIZE):
        await anyio.lowlevel.checkpoint()
        yield text[at : at + SIZE]
    if end is not None:
        await end.wait()
        yield " That is all."


class SpeechTold(ProviderSuite):
    """What becomes of speech while it is under way."""

    async def ask_streaming(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> SpeechResult:
        """Return the sound, put together of its pieces."""
        raise NotImplementedError

    async def bytes_of(self, share: float, ai: Client, stage: Stage) -> int:
        """Return how many bytes are a *share* of what the vendor streams in answer to `TOLD`."""
        sizes: list[int] = []

        def weigh(_: int, piece: bytes) -> bytes:
            sizes.append(len(piece))
            return piece

        stage.play(faults().Rewrite(weigh))
        await self.ask_streaming(ai, stage.able("streaming"), TOLD)
        return int(sum(sizes) * share)

    async def first_of_half(self, stage: Stage, ai: Client) -> bool:
        """Whether something comes of a sound of which half is there."""
        size = await self.bytes_of(0.5, ai, stage)
        stage.play(faults().Stall(SILENCE, after_bytes=size))
        came = False
        with anyio.move_on_after(LATE):
            async with ai.speech.stream(TOLD, model=stage.able("streaming")) as stream:
                came = bool((await anext(stream)).data)
        return came

    async def left_in_half(self, stage: Stage) -> list[str]:
        """Return what is left of a stream that was left when half of it was there."""
        async with stage.client() as ai:
            size = await self.bytes_of(0.5, ai, stage)
        async with stage.client() as ai:

            async def leave() -> None:
                async with ai.speech.stream(TOLD, model=stage.able("streaming")) as stream:
                    await anext(stream)

            stage.play(faults().Stall(SILENCE, after_bytes=size))
            return await left_behind(stage, leave)

    # -- text in pieces -------------------------------------------------------------------

    @clause("speech.live.agrees-with-synthesize", "works")
    async def test_pieces_become_as_much_sound(self, stage: Stage, ai: Client) -> None:
        """Text in pieces, wherever it is cut, becomes as much sound as the whole: all is said."""
        packing = self.measured(stage)
        whole = await self.ask(ai, stage.name, TOLD, more={"format": packing})
        async with ai.speech.stream(drip(TOLD), model=stage.name, format=packing) as stream:
            told = await stream.result()
        one, other = (found.seconds or found.audio.seconds or 0.0 for found in (whole, told))
        assert abs(one - other) < 0.3 * max(one, other, 0.1), (
            f"{stage.id} says a text in {one} s, and in pieces in {other} s. Say all of it, each "
            "piece once."
        )

    def measured(self, stage: Stage) -> str | None:
        """Return a format whose length can be told."""
        spec: Any = stage.spec
        bare = [str(one) for one in spec.formats if one.codec in {"pcm", "wav"}]
        return bare[0] if bare else None

    @clause("speech.live.speaks-before-the-end", "complete")
    async def test_it_speaks_before_the_end(self, stage: Stage, ai: Client) -> None:
        """Text in pieces is spoken while it comes: who reads a model's answer waits for none."""
        name, end, came = stage.able("live"), anyio.Event(), False
        with anyio.move_on_after(LATE):
            async with ai.speech.stream(drip(TOLD, end=end), model=name) as stream:
                came = bool((await anext(stream)).data)
                end.set()
                await stream.result()
        assert came, (
            f"{stage.id} was told {len(TOLD)} characters and said nothing before it was told the "
            "last. Send what comes, and yield what comes back."
        )

    @clause("speech.live.closes-when-left", "honest", needs_vendor=True)
    async def test_a_voice_that_is_left_is_closed(self, stage: Stage) -> None:
        """Speech whose text still comes and that is left closes its connection, leaves no task."""
        name = stage.able("live")

        async def leave() -> None:
            text = drip(TOLD, end=anyio.Event())
            async with ai.speech.stream(text, model=name) as stream:
                await anext(stream)

        async with stage.client() as ai:
            left = await left_behind(stage, leave)
        assert not left, f"{stage.id} left {' and '.join(left)} of a voice that was left."

    @clause("speech.live.tells-a-broken-socket", "honest", needs_vendor=True)
    async def test_a_broken_voice_is_an_error(self, stage: Stage, ai: Client) -> None:
        """A connection that breaks while text comes is an error: the rest was not said."""
        name, cue, end = stage.able("live"), faults().OnCue(), anyio.Event()
        stage.play(cue)
        try:
            async with ai.speech.stream(drip(TOLD, end=end), model=name) as stream:
                await anext(stream)
                cue.go()
                await anyio.sleep(0.1)
                end.set()
                found: object = await stream.result()
        except e.VendorError:
            return
        msg = f"{stage.id} lost its connection and ended with {found!r}. Only a SpeechEnd is one."
        raise AssertionError(msg)
