"""What the bodies of both protocols have in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

from anymodal.errors import MalformedReplyError, UnsupportedFeatureError
from anymodal.media import Media
from anymodal.modalities.messages import Message, ProviderState
from anymodal.modalities.text import EFFORTS, Effort, TextRequest
from anymodal.usage import Usage

from .options import Api
from .quirks import Quirks

__all__ = [
    "add_cache_key",
    "add_extras",
    "add_settings",
    "file_name",
    "merge",
    "own_state",
    "read_usage",
    "unsupported",
]

SETTINGS: Final[Mapping[Api, Mapping[str, str]]] = {
    "chat": {"temperature": "temperature", "top_p": "top_p", "stop": "stop", "seed": "seed"},
    "responses": {"temperature": "temperature", "top_p": "top_p"},
}
"""Settings of a request that a protocol has fields for."""

_SAMPLING: Final = frozenset({"temperature", "top_p"})


def add_settings(body: dict[str, object], request: TextRequest, quirks: Quirks, api: Api) -> None:
    """Add the portable settings to *body*, or a warning to *request*."""
    known = SETTINGS[api]
    samples = _samples(request, quirks)
    for setting in ("temperature", "top_p", "stop", "seed"):
        value = getattr(request, setting)
        if value is None or value == ():
            continue
        if setting not in known:
            request.warn(setting, "left out, because this protocol has no field for it")
        elif setting in quirks.dropped:
            request.warn(setting, "left out, because the vendor does not honour it")
        elif setting in _SAMPLING and not samples:
            request.warn(setting, f"left out, because {request.model.id} refuses it as it is asked")
        else:
            field = quirks.seed_field if setting == "seed" else known[setting]
            body[field] = list(value) if setting == "stop" else value
    if request.reasoning is not None:
        _add_effort(body, request, quirks, api)
    if request.end_user is not None:
        if quirks.end_user_field:
            body[quirks.end_user_field] = request.end_user
        else:
            request.warn("end_user", "left out, because the vendor has no field for it")


def _samples(request: TextRequest, quirks: Quirks) -> bool:
    """Tell whether the model, asked like this, takes sampling settings, as far as is known."""
    model, effort = request.model, request.reasoning
    known = model.capabilities.get("sampling")
    if quirks.samples_unreasoned and effort and model.capabilities.get("reasoning") is not False:
        return effort == "none" and effort not in quirks.refused_efforts.get(model.id, ())
    return known is not False


def _add_effort(body: dict[str, object], request: TextRequest, quirks: Quirks, api: Api) -> None:
    effort, model = request.reasoning, request.model
    if effort is None:
        return
    if model.capabilities.get("reasoning") is False:
        if effort != "none":
            request.warn("reasoning", f"left out, because {model.id} does not reason")
        return
    own = quirks.own_efforts.get(model.id)
    refused = quirks.refused_efforts.get(model.id, frozenset())
    known = tuple(own or (one for one in EFFORTS if one not in refused))
    nearest = _nearest(effort, cast("tuple[Effort, ...]", known))
    if nearest != effort:
        what = f"{nearest!r} is asked for, because {model.id} has no {effort!r}"
        request.warn("reasoning", what)
    if own is not None or quirks.efforts is None:
        word = own[nearest] if own else nearest
        chat = api == "chat"
        merge(body, {"reasoning_effort": word} if chat else {"reasoning": {"effort": word}})
    elif nearest in quirks.efforts:
        merge(body, quirks.efforts[nearest])
    else:
        request.warn("reasoning", f"left out, because the vendor has no effort {nearest!r}")


def _nearest(effort: Effort, own: tuple[Effort, ...]) -> Effort:
    """Return the nearest of a model's *own* efforts, of two the higher; some thought never is none."""
    wanted = EFFORTS.index(effort)
    if effort in own:
        return effort
    some = tuple(known for known in own if known != "none") or own
    return min(some, key=lambda known: (abs(EFFORTS.index(known) - wanted), -EFFORTS.index(known)))


def add_cache_key(body: dict[str, object], request: TextRequest, quirks: Quirks) -> None:
    """
    Add the key under which the beginning that *request* wants cached will be found again.

    It is made of that beginning, so that nobody has to remember it.
    """
    if not quirks.cache_key_field or request.cache is None:
        return
    start: list[object] = [request.model.id, request.system]
    start += [[tool.name, tool.description, dict(tool.parameters)] for tool in request.tools]
    if request.cache == "conversation":
        start.append(request.messages[0].to_dict())
    text = json.dumps(start, sort_keys=True)
    body[quirks.cache_key_field] = hashlib.sha256(text.encode()).hexdigest()[:32]


def add_extras(body: dict[str, object], request: TextRequest, quirks: Quirks, api: Api) -> None:
    """Merge into *body* what the vendor always wants, and the caller's options for it."""
    merge(body, quirks.body)
    merge(body, quirks.model_bodies.get(request.model.id, {}))
    option = request.option(quirks.option)
    if option is not None:
        merge(body, option.fields(api, request))
        merge(body, option.extra_body)


def merge(body: dict[str, object], more: Mapping[str, object]) -> None:
    """Put *more* into *body*: objects are merged, lists joined, all else replaced."""
    for name, value in more.items():
        there = body.get(name)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            inner = dict(there)
            merge(inner, value)
            body[name] = inner
        elif isinstance(there, list) and isinstance(value, list):
            body[name] = [*there, *value]
        else:
            body[name] = value


# -- parts ------------------------------------------------------------------------

_SUFFIXES: Final = {"plain": "txt", "markdown": "md", "msword": "doc"}


def file_name(media: Media) -> str:
    """Return the file's name, or one that its type suggests; the protocols want one."""
    if media.name:
        return media.name
    kind = media.media_type.rpartition("/")[2]
    return f"file.{_SUFFIXES.get(kind, kind)}" if kind.isalnum() else "file"


def unsupported(media: object, what: str) -> UnsupportedFeatureError:
    """Return the error that says why *media* cannot be sent."""
    name = media.kind if isinstance(media, Media) else type(media).__name__
    return UnsupportedFeatureError(f"{name}: {what}; nothing was sent.")


def own_state(message: Message, provider: str, request: TextRequest) -> list[ProviderState]:
    """Return the states in *message* that are from *provider*; warn of the others."""
    found: list[ProviderState] = []
    for state in message.state:
        if state.provider == provider:
            found.append(state)
        else:
            request.warn("state", f"what {state.provider} wants back was left out")
    return found


# -- usage --------------------------------------------------------------------------


def read_usage(found: object, quirks: Quirks) -> Usage | None:
    """
    Return what the vendor counted, under the names of either protocol.

    Both count cached input within the input and reasoning within the output.

    Raises:
        MalformedReplyError: A count is not a whole number from 0 up.
    """
    if not isinstance(found, Mapping):
        return None
    inputs = found.get("input_tokens_details") or found.get("prompt_tokens_details") or {}
    outputs = found.get("output_tokens_details") or found.get("completion_tokens_details") or {}
    cached = inputs.get("cached_tokens")
    if cached is None and quirks.cached_tokens_field:
        cached = found.get(quirks.cached_tokens_field)
    return Usage(
        _count(found.get("input_tokens", found.get("prompt_tokens"))),
        _count(found.get("output_tokens", found.get("completion_tokens"))),
        _count(cached),
        _count(inputs.get("cache_write_tokens")),
        _count(outputs.get("reasoning_tokens")),
        _usd(found, quirks.usd_in_usage) if quirks.usd_in_usage else None,
    )


def _count(found: object) -> int | None:
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        msg = f"the usage has {str(found)[:40]!r} for a count of tokens"
        raise MalformedReplyError(msg)
    return found


def _usd(usage: Mapping[str, object], path: tuple[str, ...]) -> Decimal | None:
    found: object = usage
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    return Decimal(str(found))
