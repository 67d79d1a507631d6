"""What a caller asks of a conversation, and the requests that this makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..modalities.live import AudioFormat, AudioFormatLike
from ..modalities.realtime import (
    InputTranscription,
    RealtimeOption,
    RealtimeRequest,
    TurnBy,
    TurnDetection,
)
from ..modalities.repacking import Repacking, source_for, target_of
from ..modalities.text import ToolSpec
from ..usage import Usage, Used
from ..vendor_options import laid_over

if TYPE_CHECKING:
    from ..resolution import Offer, Row

__all__ = ["AskedRealtime", "needs_of", "weight_of"]

USUAL: Final = (Used("audio_input_token", 500), Used("audio_output_token", 1000))
"""What a conversation is taken for before it begins, beside text: about a minute of sound."""

USUAL_TEXT: Final = 1000


@attrs.frozen(kw_only=True)
class AskedRealtime:
    """
    What a caller asks for, as it was given.

    The attributes are the arguments of `RealtimeFacade.open`, the tools by their descriptions.
    """

    model: ModelChoice = None
    instructions: str | None = None
    voice: str | None = None
    answers: Literal["audio", "text"] = "audio"
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | None = None
    turns: TurnDetection | TurnBy | None = None
    input_format: AudioFormatLike | None = None
    output_format: AudioFormatLike | None = None
    transcription: InputTranscription | bool = False
    max_tokens: int | None = None
    options: Sequence[RealtimeOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> RealtimeRequest:
        """
        Return the request for the candidate *row*.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
            UnsupportedFeatureError: The provider does not know a format, nor one that has
                the same sound in it.
        """
        spec: Any = row.offer.spec
        turns, written = self.turns, self.transcription
        return RealtimeRequest(
            model=row.model,
            instructions=self.instructions,
            voice=self.voice,
            answers=self.answers,
            tools=self.tools,
            tool_choice=self.tool_choice,
            turns=TurnDetection(turns) if isinstance(turns, str) else turns,
            input_format=_format("input_format", self.input_format, spec, target_of),
            output_format=_format("output_format", self.output_format, spec, source_for),
            transcription=(InputTranscription() if written else None)
            if isinstance(written, bool)
            else written,
            max_tokens=self.max_tokens,
            options=_options(self.options, row.offer),
            end_user=self.end_user,
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
        )

    def formats(self, request: RealtimeRequest) -> tuple[AudioFormat, AudioFormat]:
        """Return how the caller packs sound, and is given it, where *request* was made of this."""
        said = (self.input_format, self.output_format)
        given = (request.input_format, request.output_format)
        heard, spoken = (
            one if name is None else AudioFormat.parse(name)
            for name, one in zip(said, given, strict=True)
        )
        return heard, spoken

    def repackings(self, request: RealtimeRequest) -> tuple[Repacking, Repacking]:
        """Return what makes the provider's sound of the caller's, and the caller's of its."""
        heard, spoken = self.formats(request)
        return Repacking(heard, request.input_format), Repacking(request.output_format, spoken)


def _format(
    name: str,
    said: AudioFormatLike | None,
    spec: Any,
    found_for: Callable[[AudioFormat, Sequence[AudioFormat]], AudioFormat | None],
) -> AudioFormat:
    """Return what the provider takes or gives of which what was said is made, or that of it."""
    known: Sequence[AudioFormat] = getattr(spec, f"{name}s")
    if said is None:
        return known[0]
    wanted = AudioFormat.parse(said)
    found = found_for(wanted, known)
    if found is None:
        which = "; ".join(map(str, known))
        msg = f"{spec.id} does not take {name} {wanted}; it takes: {which}."
        raise e.UnsupportedFeatureError(msg)
    return found


def _options(given: Sequence[Any], offer: Offer) -> tuple[Any, ...]:
    """Return the caller's options of vendors, over those that settings give."""
    default = offer.vendor_option
    if not isinstance(default, RealtimeOption):
        return tuple(given)
    mine = [laid_over(default, one) for one in given if type(one) is type(default)]
    others = [one for one in given if type(one) is not type(default)]
    return (*(mine or [default]), *others)


def needs_of(request: RealtimeRequest) -> list[str]:
    """Return the capabilities without which *request* makes no sense."""
    needs = ["function_calling"] if request.tools else []
    return [*needs, "audio_output"] if request.answers == "audio" else needs


def weight_of(request: RealtimeRequest) -> Usage:
    """Return what a request is expected to use; of sound only where the model bills it apart."""
    sold = request.model.prices.per_unit if request.model.prices else ()
    units = tuple(one for one in USUAL if request.answers == "audio" and one.unit in sold)
    return Usage(input_tokens=USUAL_TEXT, output_tokens=USUAL_TEXT, units=units)
