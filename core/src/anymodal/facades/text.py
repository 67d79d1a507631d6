"""Text: `client.text`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..facade import Facade
from ..modalities import TEXT, Modality
from ..modalities.batches import TextBatch
from ..modalities.messages import Prompt, messages_of
from ..modalities.text import (
    Cache,
    Effort,
    OutputT,
    TextOption,
    TextProvider,
    TextRequest,
    TextResult,
    WebSearch,
)
from ..modalities.tools import ToolLike
from ..policies import Policy
from ..shapes import Schema
from ..specs import Deadlines
from ..usage import Cost, Usage, cost_of
from .answers import BoundText, bind
from .asking import Asked, account, finished, needs_of, tokens_of, weight_of
from .batch import BatchPrompt, resumed, submitted
from .chat import Chat
from .jobs import Job
from .text_stream import TextStream

if TYPE_CHECKING:
    from ..doors import Door
    from ..loops import KeptLoop
    from ..sync.text import SyncTextFacade

__all__ = ["BoundText", "Estimate", "TextFacade", "TextStream"]


@attrs.frozen
class Estimate:
    """
    What a call may use and cost, guessed without asking anybody.

    Attributes:
        input_tokens: A token for every four characters, a thousand for each
            picture, sound or document.
        output_tokens: The most that the answer may have; None where unknown.
        cost: At that length; unknown where a price or the length is.
    """

    input_tokens: int
    output_tokens: int | None
    cost: Cost


class TextFacade(Facade[BoundText]):
    """Conversations in, words out."""

    modality: ClassVar[Modality[Any]] = TEXT

    async def generate(
        self,
        prompt: Prompt,
        *,
        model: ModelChoice = None,
        system: str | None = None,
        tools: Sequence[ToolLike] = (),
        tool_choice: str | None = None,
        output: type[OutputT] | Schema | None = None,
        reasoning: Effort | None = None,
        web_search: WebSearch | bool = False,
        cache: Cache | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        seed: int | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[TextOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> TextResult[OutputT]:
        """
        Answer in one piece.

        Args:
            prompt: A string, Image, Audio, Video, File or Message, or several
                of them in order; bare parts form one user turn.
            model: A name or `best(...)`, several of them in order of preference, or
                None for the default of the settings.
            system: The system prompt.
            tools: Functions that the model may ask for. None is run; see `chat`.
            tool_choice: `auto`, `none`, `required`, or the name of one tool.
            output: Shape of the answer: a dataclass, attrs class, TypedDict,
                pydantic-like class, or a JSON Schema.
            reasoning: How hard to think, from `none` to `max`.
            web_search: Whether, or how, the model may search the web.
            cache: How much of the prompt will come again: `system` (with the
                tools) or `conversation`.
            temperature: Randomness, from 0 up.
            top_p: Share of probability to sample from, above 0 and up to 1.
            max_tokens: Longest answer in tokens, reasoning included.
            stop: Strings that end the answer.
            seed: For answers that repeat, as far as the vendor can.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            The answer, with `text`, `output`, `message`, `finish_reason` and
            `record`.

        Raises:
            RequestError: Nothing was sent.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        call = self.call("generate", timeout=timeout, policy=policy, tags=tags)
        call.asked = Asked(
            prompt=prompt, model=model, system=system, tools=tools, tool_choice=tool_choice,
            output=output, reasoning=reasoning, web_search=web_search, cache=cache,
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed,
            options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(_ask)

    def stream(
        self,
        prompt: Prompt,
        *,
        model: ModelChoice = None,
        system: str | None = None,
        tools: Sequence[ToolLike] = (),
        tool_choice: str | None = None,
        output: type[OutputT] | Schema | None = None,
        reasoning: Effort | None = None,
        web_search: WebSearch | bool = False,
        cache: Cache | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        seed: int | None = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[TextOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> TextStream[OutputT]:
        """
        Answer piece by piece; the arguments are those of `generate`.

        Returns:
            A stream, to be entered: `async with ai.text.stream(...) as stream`.
            Entering sends the request and waits for the first event, so that
            what may fail over is raised there.
        """
        call = self.call("stream", timeout=timeout, policy=policy, tags=tags)
        call.asked = Asked(
            prompt=prompt, model=model, system=system, tools=tools, tool_choice=tool_choice,
            output=output, reasoning=reasoning, web_search=web_search, cache=cache, temperature=temperature,
            top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return TextStream(call)

    def chat(
        self,
        *,
        model: ModelChoice = None,
        system: str | None = None,
        tools: Sequence[ToolLike] = (),
        tool_choice: str | None = None,
        output: type[OutputT] | Schema | None = None,
        reasoning: Effort | None = None,
        web_search: WebSearch | bool = False,
        cache: Cache | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        seed: int | None = None,
        policy: Policy | None = None,
        options: Sequence[TextOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
        max_rounds: int = 8,
        restore: Mapping[str, object] | None = None,
    ) -> Chat:
        """
        Begin a conversation whose tools are run.

        The arguments are those of `generate`, and two more: *max_rounds* bounds
        how often the model is asked in one turn, *restore* takes what `Chat.dump`
        returned, to go on from there with this model or another. A *tool_choice*
        that forces a tool holds until it was run, and anew for each prompt.
        """
        asked = Asked(
            model=model, system=system, tools=tools, tool_choice=tool_choice, output=output,
            reasoning=reasoning, web_search=web_search, cache=cache, temperature=temperature,
            top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip

        def begin(operation: str, timeout: float | Deadlines | None) -> Call:
            return self.call(operation, timeout=timeout, policy=policy, tags=tags)

        return Chat(begin, _ask, asked, max_rounds=max_rounds, restore=restore)

    async def batch(
        self,
        prompts: Iterable[BatchPrompt],
        *,
        model: ModelChoice = None,
        system: str | None = None,
        tools: Sequence[ToolLike] = (),
        tool_choice: str | None = None,
        output: type[OutputT] | Schema | None = None,
        reasoning: Effort | None = None,
        web_search: WebSearch | bool = False,
        cache: Cache | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        seed: int | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[TextOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
        key: str | None = None,
    ) -> Job[TextBatch[OutputT]]:
        """
        Submit many prompts as one job, which takes up to a day and costs less.

        *prompts* are prompts, or pairs of a key and a prompt; a prompt of several
        parts is a list here, because a tuple is such a pair. The other arguments
        are those of `generate`; *timeout* bounds each request and not the job.

        With a *key*, a name of the caller's own, the job is made once: who comes
        again with the same key and arguments, in whatever process of this machine,
        gets the same job, and nothing is sent. The key is known until 30 days after
        the job was seen to have ended.

        Returns:
            A job whose result has an answer or an error for each prompt.

        Raises:
            UnsupportedFeatureError: The provider has no batches; nothing was sent.
            RequestError: Nothing was sent.
            KeyReusedError: *key* was used with other arguments; nothing was sent.
            OutcomeUnknownError: The job may have been made, now or, with this
                *key*, before.
            VendorError: The vendor refused or failed.
        """
        call = self.call("batch", timeout=timeout, policy=policy, tags=tags)
        call.asked = Asked(
            model=model, system=system, tools=tools, tool_choice=tool_choice, output=output,
            reasoning=reasoning, web_search=web_search, cache=cache, temperature=temperature,
            top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(lambda call: submitted(self._way, call, prompts, key))

    def resume(
        self, token: str, *, output: type[OutputT] | Schema | None = None
    ) -> Job[TextBatch[OutputT]]:
        """
        Return the batch that *token* leads to. Nothing is sent.

        Args:
            token: From `Job.token`, of this client or another.
            output: The shape that was asked for; a token does not hold it.

        Raises:
            InvalidRequestError: It is no token of a batch of text.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        return resumed(self._way, token, output)

    async def count_tokens(
        self,
        prompt: Prompt,
        *,
        model: ModelChoice = None,
        system: str | None = None,
        tools: Sequence[ToolLike] = (),
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
    ) -> int:
        """
        Ask the vendor how many tokens a prompt has.

        Raises:
            UnsupportedFeatureError: The vendor does not count; see `estimate`.
        """
        call = self.call("count_tokens", timeout=timeout)
        call.asked = Asked(prompt=prompt, model=model, system=system, tools=tools)
        return await call.through(_counted)

    def estimate(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        max_tokens: int | None = None,
    ) -> Estimate:
        """Guess what a call would use and cost, without asking anybody."""
        row = self._way.registry.resolve(model, self.modality.name).winners[0]
        tokens = tokens_of(system or "", messages_of(prompt))
        limits = [one for one in (max_tokens, row.model.max_output_tokens) if one is not None]
        longest = min(limits, default=None)
        return Estimate(tokens, longest, cost_of(Usage(tokens, longest), row.model.prices))

    def sync_face(self, loop: KeptLoop) -> SyncTextFacade:
        """Return the same without `await`."""
        from ..sync.text import SyncTextFacade  # noqa: PLC0415  # few programs need both

        return SyncTextFacade(self, loop)

    def bind(self, provider: TextProvider) -> BoundText:
        """Return *provider* with the way to answer that it lacks derived from the other."""
        return bind(provider)


async def _ask(call: Call) -> TextResult:
    asked: Asked = call.asked
    found = await call.run(
        asked.model,
        partial(asked.request, call),
        _generate,
        bind=bind,
        needs_of=needs_of,
        weigh=weight_of,
    )
    account(call, found.finish)
    await call.settle()
    return finished(call, found.message, found.finish, asked.shape)


async def _counted(call: Call) -> int:
    asked: Asked = call.asked
    request_of = partial(asked.request, call)
    return await call.run(asked.model, request_of, _count, bind=bind, needs_of=needs_of)


async def _generate(door: Door, request: TextRequest) -> TextResult:
    bound: BoundText = door.bound
    return await bound.generate(request)


async def _count(door: Door, request: TextRequest) -> int:
    bound: BoundText = door.bound
    if bound.count_tokens is None:
        msg = f"{door.offer.instance} does not count tokens; text.estimate() guesses them."
        raise e.UnsupportedFeatureError(msg)
    return await bound.count_tokens(request)
