"""What sets one vendor of a shared protocol apart from the next, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

import attrs
from anymodal import errors as e
from anymodal.failures import STATUS_ERRORS
from anymodal.media import Media
from anymodal.modalities.messages import Citation
from anymodal.modalities.text import Effort, FinishReason

from .options import CompatibleOption, WireOption

__all__ = ["CODES", "PLAIN", "Quirks", "failed", "fault"]

CODES: Final[Mapping[str, type[e.VendorError]]] = {
    "account_deactivated": e.AuthenticationError,
    "billing_hard_limit_reached": e.QuotaExceededError,
    "billing_not_active": e.QuotaExceededError,
    "bio_policy": e.ContentFilteredError,
    "content_filter": e.ContentFilteredError,
    "content_policy_violation": e.ContentFilteredError,
    "context_length_exceeded": e.ContextLengthError,
    "cyber_policy": e.ContentFilteredError,
    "data_residency_mismatch": e.BadRequestError,
    "image_content_policy_violation": e.ContentFilteredError,
    "insufficient_quota": e.QuotaExceededError,
    "invalid_api_key": e.AuthenticationError,
    "invalid_prompt": e.ContentFilteredError,
    "invalid_request_error": e.BadRequestError,
    "misalignment_policy_violation": e.ContentFilteredError,
    "max_tokens_per_request": e.ContextLengthError,
    "model_not_found": e.NotFoundError,
    "moderation_blocked": e.ContentFilteredError,
    "rate_limit_exceeded": e.RateLimitedError,
    "server_error": e.ServerError,
    "server_is_overloaded": e.OverloadedError,
    "slow_down": e.OverloadedError,
    "string_above_max_length": e.BadRequestError,
    "unsupported_country_region_territory": e.PermissionDeniedError,
    "vector_store_timeout": e.TimedOutError,
    **dict.fromkeys(
        (
            "empty_image_file",
            "failed_to_download_image",
            "image_file_not_found",
            "image_file_too_large",
            "image_parse_error",
            "image_too_large",
            "image_too_small",
            "invalid_base64_image",
            "invalid_image",
            "invalid_image_format",
            "invalid_image_mode",
            "invalid_image_url",
            "unsupported_image_media_type",
        ),
        e.BadRequestError,
    ),
}
"""
What an error's `code`, or else its `type`, means wherever the protocol is spoken.

`invalid_prompt` is what a prompt gets that "was flagged as potentially violating
our usage policy". Sources: https://developers.openai.com/api/docs/guides/error-codes
and openai 3.52, `types/responses/response_error.py`; read 2026-11-20.
"""

_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


REFUSED_KEYWORDS: Final = frozenset(
    {
        "$comment",
        "$id",
        "$schema",
        "contentEncoding",
        "contentMediaType",
        "deprecated",
        "discriminator",
        "examples",
        "oneOf",
        "prefixItems",
        "readOnly",
        "uniqueItems",
        "writeOnly",
    }
)
KNOWN_FORMATS: Final = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"}
)
"""
What a strict schema may not have, and the formats it may; where in doubt, it may not.

Sources, read 2026-11-20: the vendor's guide to structured outputs as quoted in
https://github.com/ai-dynamo/dynamo/pull/15153,
https://github.com/openai/openai-agents-python/pull/1884 (`oneOf`) and
https://github.com/mastra-ai/mastra/issues/23321 (`uniqueItems`). The formats are
those of the guide in earlier years; what it lists now was not seen.
"""


def _finish_reasons(more: Mapping[str, FinishReason]) -> Mapping[str, FinishReason]:
    return {**_FINISH_REASONS, **more}


@attrs.frozen(kw_only=True)
class Quirks:
    """
    How a vendor deviates from the protocols as OpenAI documents them.

    Args:
        option: The class of options that the vendor's plugin exports.
        max_tokens_field: Chat: `max_tokens` or `max_completion_tokens`.
        seed_field: Chat: field for the seed.
        system_role: Chat: role of the system prompt.
        stream_options: Chat: whether `stream_options.include_usage` is sent.
        reasoning_fields: Chat: fields of a message or delta that show reasoning.
        reasoning_back: Chat: field of an assistant's message in which its
            reasoning goes back to the vendor; empty for none.
        reasoning_unknown: Chat: what stands there in a turn that shows none;
            empty for no such field.
        thinks_in_content: Chat: whether reasoning stands among the pieces of a
            message's content, and goes back there.
        state_field: Chat: field of a message or delta that goes back unchanged,
            as `ProviderState`; empty for none.
        call_id_length: Chat: how many letters and digits the id of a tool call
            has to have; others are remade. 0 for any id.
        media_forms: Chat: kind of media to a function that returns its form,
            where the vendor's is its own.
        finish_reasons: Chat: words for the end that others do not use.
        failures: Chat: words for the end of an answer that failed.
        extension: Chat: object of an answer or chunk with the vendor's `id` of
            the request and, in a chunk, `usage` and `error`; empty for none.
        sources: Chat: finds sources in a message or delta, beside its annotations.
        stateless: Responses: whether `store: false` is sent, and encrypted
            reasoning asked for.
        kept_items: Responses: types of output items that go back unchanged, as
            `ProviderState`.
        efforts: Reasoning effort to the fields of the body that ask for it;
            None for the protocol's own. An effort that is not there is not
            sent, with a warning.
        refused_efforts: Model id to the efforts it is known to refuse.
        own_efforts: Model id to the only efforts that it has, and the vendor's
            words for them. For another the nearest is asked for, with a warning.
        samples_unreasoned: Whether models that reason take `temperature` and
            `top_p` while their effort is `none`, and only then.
        web_search: Chat: fields of the body that let the model search the web;
            None for none.
        web_search_tool: Responses: type of the tool that searches the web;
            empty for none.
        schemas: Whether answers can be held to a schema, to JSON, or to nothing.
        strict_schemas: Whether the vendor knows `strict`.
        refused_keywords: Keywords of JSON Schema that it refuses beside `strict`.
        known_formats: The formats that it knows beside `strict`; None for any.
        schemas_streamed: Chat: whether an answer held to a schema can be
            streamed; else it comes in one piece.
        schemas_with_tools: Chat: whether an answer can be held to a schema while
            tools or a search are offered; else the schema is only described.
        cache_key_field: Chat: field for a key that prompts with the same beginning
            share, where the vendor caches only those that have one; empty for none.
        end_user_field: Field for the caller's id of a person; empty for none.
        dropped: Settings of a request that the vendor refuses or ignores; they
            are left out, with a warning.
        codes: Error codes beyond `CODES`, or against them.
        statuses: HTTP statuses of the vendor's own.
        cached_tokens_field: Field of `usage` with cached input, where it is not
            in the protocol's place.
        usd_in_usage: Path within `usage` to what the call cost, in dollars.
        body: Fields that every request has.
        model_bodies: Model id to fields that requests for it have.
        headers: Headers that every request has; lower-case names.
    """

    option: type[WireOption] = CompatibleOption
    max_tokens_field: str = "max_tokens"
    seed_field: str = "seed"
    system_role: str = "system"
    stream_options: bool = True
    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning")
    reasoning_back: str = ""
    reasoning_unknown: str = ""
    thinks_in_content: bool = False
    state_field: str = ""
    call_id_length: int = 0
    media_forms: Mapping[type[Media], Callable[[Any], Mapping[str, object]]] = attrs.field(
        factory=dict, hash=False
    )
    finish_reasons: Mapping[str, FinishReason] = attrs.field(
        factory=dict, converter=_finish_reasons, hash=False
    )
    failures: Mapping[str, type[e.VendorError]] = attrs.field(factory=dict, hash=False)
    extension: str = ""
    sources: Callable[[Mapping[str, Any]], Iterable[Citation]] | None = None
    stateless: bool = True
    kept_items: frozenset[str] = frozenset({"reasoning"})
    efforts: Mapping[Effort, Mapping[str, object]] | None = attrs.field(default=None, hash=False)
    refused_efforts: Mapping[str, frozenset[str]] = attrs.field(factory=dict, hash=False)
    own_efforts: Mapping[str, Mapping[Effort, str]] = attrs.field(factory=dict, hash=False)
    samples_unreasoned: bool = False
    web_search: Mapping[str, object] | None = attrs.field(default=None, hash=False)
    web_search_tool: str = "web_search"
    schemas: Literal["json_schema", "json_object", "none"] = "json_schema"
    strict_schemas: bool = True
    refused_keywords: frozenset[str] = REFUSED_KEYWORDS
    known_formats: frozenset[str] | None = KNOWN_FORMATS
    schemas_streamed: bool = True
    schemas_with_tools: bool = True
    cache_key_field: str = ""
    end_user_field: str = "user"
    dropped: frozenset[str] = frozenset()
    codes: Mapping[str, type[e.VendorError]] = attrs.field(factory=dict, hash=False)
    statuses: Mapping[int, type[e.VendorError]] = attrs.field(factory=dict, hash=False)
    cached_tokens_field: str = ""
    usd_in_usage: tuple[str, ...] = ()
    body: Mapping[str, object] = attrs.field(factory=dict, hash=False)
    model_bodies: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict, hash=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    def meaning(self, *words: object) -> type[e.VendorError] | None:
        """Return what the first of an error's *words* that is known means."""
        for word in words:
            if isinstance(word, str):
                cls = self.codes.get(word) or CODES.get(word)
                if cls is not None:
                    return cls
        return None

    def refine(
        self, status: int, headers: Mapping[str, str], body: object
    ) -> type[e.VendorError] | None:
        """
        Return the class that an answer of *status* means, or None for the table's.

        Give it to the spec: `errors=QUIRKS.refine`.
        """
        del headers
        inner = body.get("error", body) if isinstance(body, Mapping) else None
        if isinstance(inner, Mapping):
            cls = self.meaning(inner.get("code")) or self.meaning(inner.get("type"))
            # A general word such as `invalid_request_error` says less than the status.
            if cls is not None and cls not in {e.BadRequestError, e.ServerError}:
                return cls
        return self.statuses.get(status)


def fault(
    found: object,
    *,
    provider: str,
    quirks: Quirks,
    request_id: str | None,
    scrub: Callable[[str], str] = str,
) -> e.VendorError:
    """
    Return the error that an error object within a successful answer means.

    Args:
        found: The object: `code`, `type`, `message`, or any of them.
        provider: Id of the provider.
        quirks: Tell what its codes mean.
        request_id: The vendor's id of the request.
        scrub: Takes secrets out of the vendor's words.
    """
    error = found if isinstance(found, Mapping) else {"message": found}
    code, words = error.get("code"), error.get("message")
    cls = quirks.meaning(code, error.get("type"))
    if cls is None:
        status = int(str(code)) if str(code).isdecimal() else 500
        fallback = e.BadRequestError if 400 <= status < 500 else e.ServerError
        cls = quirks.statuses.get(status) or STATUS_ERRORS.get(status, fallback)
    text = " ".join(words.split())[:500] if isinstance(words, str) else "it failed"
    return cls(
        f"{provider}: {scrub(text)}",
        provider=provider,
        vendor_code=str(code) if isinstance(code, str | int) else None,
        request_id=request_id,
    )


def failed(
    provider: str, word: str, quirks: Quirks, request_id: str | None, *, partial: str = ""
) -> e.VendorError:
    """Return the error that *word*, at the end of an answer, means."""
    cls = quirks.failures[word]
    error = cls(
        f"{provider}: the answer ended in failure ({word})",
        provider=provider,
        vendor_code=word,
        request_id=request_id,
    )
    if partial and hasattr(error, "partial"):
        error.partial = partial
    return error


PLAIN: Final = Quirks()
"""A vendor that does as the protocols say."""
