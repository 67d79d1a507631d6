"""
Text: `client.text`, without `await`.

Written by tools/make_sync.py, from facades/text.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..call import ModelChoice
from ..facades.batch import BatchPrompt
from ..facades.text import Estimate, TextFacade
from ..modalities.batches import TextBatch
from ..modalities.messages import Prompt
from ..modalities.text import Cache, Effort, OutputT, TextOption, TextResult, WebSearch
from ..modalities.tools import ToolLike
from ..policies import Policy
from ..shapes import Schema
from ..specs import Deadlines
from .chat import SyncChat
from .face import Face
from .jobs import SyncJob
from .text_stream import SyncTextStream

__all__ = ["SyncTextFacade"]


class SyncTextFacade(Face[TextFacade]):
    """Conversations in, words out."""

    __slots__ = ()

    def generate(
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
        inner = self._inner.generate(
            prompt, model=model, system=system, tools=tools, tool_choice=tool_choice,
            output=output, reasoning=reasoning, web_search=web_search, cache=cache,
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed,
            timeout=timeout, policy=policy, options=options, tags=tags, end_user=end_user,
            strict=strict, raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)

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
    ) -> SyncTextStream[OutputT]:
        """
        Answer piece by piece; the arguments are those of `generate`.

        Returns:
            A stream, to be entered: `with ai.text.stream(...) as stream`.
            Entering sends the request and waits for the first event, so that
            what may fail over is raised there.
        """
        inner = self._inner.stream(
            prompt, model=model, system=system, tools=tools, tool_choice=tool_choice,
            output=output, reasoning=reasoning, web_search=web_search, cache=cache,
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed,
            timeout=timeout, policy=policy, options=options, tags=tags, end_user=end_user,
            strict=strict, raw=raw,
        )  # fmt: skip
        return SyncTextStream(inner, self._loop)

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
    ) -> SyncChat:
        """
        Begin a conversation whose tools are run.

        The arguments are those of `generate`, and two more: *max_rounds* bounds
        how often the model is asked in one turn, *restore* takes what `SyncChat.dump`
        returned, to go on from there with this model or another. A *tool_choice*
        that forces a tool holds until it was run, and anew for each prompt.
        """
        inner = self._inner.chat(
            model=model, system=system, tools=tools, tool_choice=tool_choice, output=output,
            reasoning=reasoning, web_search=web_search, cache=cache, temperature=temperature,
            top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed, policy=policy,
            options=options, tags=tags, end_user=end_user, strict=strict, raw=raw,
            max_rounds=max_rounds, restore=restore,
        )  # fmt: skip
        return SyncChat(inner, self._loop)

    def batch(
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
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[TextOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
        key: str | None = None,
    ) -> SyncJob[TextBatch[OutputT]]:
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
        inner = self._inner.batch(
            prompts, model=model, system=system, tools=tools, tool_choice=tool_choice,
            output=output, reasoning=reasoning, web_search=web_search, cache=cache,
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=stop, seed=seed,
            timeout=timeout, policy=policy, options=options, tags=tags, end_user=end_user,
            strict=strict, raw=raw, key=key,
        )  # fmt: skip
        return SyncJob(self._loop.run(inner), self._loop)

    def resume(
        self, token: str, *, output: type[OutputT] | Schema | None = None
    ) -> SyncJob[TextBatch[OutputT]]:
        """
        Return the batch that *token* leads to. Nothing is sent.

        Args:
            token: From `SyncJob.token`, of this client or another.
            output: The shape that was asked for; a token does not hold it.

        Raises:
            InvalidRequestError: It is no token of a batch of text.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        return SyncJob(self._inner.resume(token, output=output), self._loop)

    def count_tokens(
        self,
        prompt: Prompt,
        *,
        model: ModelChoice = None,
        system: str | None = None,
        tools: Sequence[ToolLike] = (),
        timeout: float | Deadlines | None = None,
    ) -> int:
        """
        Ask the vendor how many tokens a prompt has.

        Raises:
            UnsupportedFeatureError: The vendor does not count; see `estimate`.
        """
        inner = self._inner.count_tokens(
            prompt, model=model, system=system, tools=tools, timeout=timeout,
        )  # fmt: skip
        return self._loop.run(inner)

    def estimate(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        system: str | None = None,
        max_tokens: int | None = None,
    ) -> Estimate:
        """Guess what a call would use and cost, without asking anybody."""
        return self._inner.estimate(prompt, model=model, system=system, max_tokens=max_tokens)
