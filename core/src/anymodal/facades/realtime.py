"""Realtime: `client.realtime`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..call import ModelChoice
from ..facade import Facade
from ..modalities import REALTIME, Modality
from ..modalities.live import AudioFormatLike
from ..modalities.realtime import (
    InputTranscription,
    OpensRealtime,
    RealtimeOption,
    TurnBy,
    TurnDetection,
)
from ..modalities.tools import ToolLike
from ..policies import Policy
from ..specs import Deadlines
from .asking_realtime import AskedRealtime
from .conversing import RealtimeSession
from .lines import bind
from .tool_rounds import ToolRounds

if TYPE_CHECKING:
    from ..loops import KeptLoop
    from ..sync.realtime import SyncRealtimeFacade

__all__ = ["RealtimeFacade"]


class RealtimeFacade(Facade[OpensRealtime]):
    """Conversations by voice, both ways at once."""

    modality: ClassVar[Modality[Any]] = REALTIME

    def open(
        self,
        *,
        model: ModelChoice = None,
        instructions: str | None = None,
        voice: str | None = None,
        answers: Literal["audio", "text"] = "audio",
        tools: Sequence[ToolLike] = (),
        tool_choice: str | None = None,
        max_rounds: int = 8,
        turns: TurnDetection | TurnBy | None = None,
        input_format: AudioFormatLike | None = None,
        output_format: AudioFormatLike | None = None,
        transcription: InputTranscription | bool = False,
        max_tokens: int | None = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[RealtimeOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> RealtimeSession:
        """
        Open a conversation: `async with ai.realtime.open(…) as session`.

        Send with `send_audio`, `send_text` and `commit`; iterate for what happens. Sound
        is neither recorded nor played here.

        Args:
            model: A name, several in order of preference, or None for the
                default of the settings. The first that opens is kept.
            instructions: What the model should know and how it should behave.
            voice: The vendor's id of a voice.
            answers: Whether it answers in `audio` with a transcript, or in `text` alone.
            tools: Typed functions and `Tool`s, which are run, their results sent back; and
                `ToolSpec`s, whose results go by `send_results`.
            tool_choice: `auto`, `none`, `required` or the name of a tool.
            max_rounds: How often the model may ask for tools before it says something.
            turns: How it is told that the speaker has finished: a `TurnDetection`, or
                `silence`, `meaning`, or `caller` for `commit`. None is the vendor's way.
            input_format: How the sound is packed that is sent, such as
                `pcm_s16le_24000`; None is the provider's usual one.
            output_format: How the answers are to be packed, likewise.
            transcription: Whether what is said is wanted in writing, too.
            max_tokens: Longest answer.
            timeout: Seconds for all of it, or `Deadlines`; None bounds only the waiting:
                for the connection, for the vendor to take what is sent, and, while an
                answer is due, for the next event.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether each `ResponseDone` has the vendor's own words.

        Returns:
            A session to be entered, which then raises what `RealtimeSession.start` does.

        Raises:
            InvalidRequestError: A tool is none, or *timeout* no time.
        """
        rounds = ToolRounds(tools, max_rounds)
        call = self.call("open", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedRealtime(
            model=model, instructions=instructions, voice=voice, answers=answers,
            tools=rounds.specs, tool_choice=tool_choice, turns=turns, input_format=input_format,
            output_format=output_format, transcription=transcription, max_tokens=max_tokens,
            options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return RealtimeSession(call, rounds, is_bounded=timeout is not None)

    def sync_face(self, loop: KeptLoop) -> SyncRealtimeFacade:
        """Return the same without `await`."""
        from ..sync.realtime import SyncRealtimeFacade  # noqa: PLC0415  # few programs need both

        return SyncRealtimeFacade(self, loop)

    def bind(self, provider: OpensRealtime) -> OpensRealtime:
        """Return *provider*."""
        return bind(provider)
