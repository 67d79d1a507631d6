"""What a conversation is made of: messages of parts, in and out of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias, cast

import attrs

from ..errors import InvalidRequestError
from ..media import Media, media_from_dict

__all__ = [
    "Citation",
    "Message",
    "Part",
    "Prompt",
    "ProviderState",
    "Reasoning",
    "Role",
    "ToolCall",
    "ToolResult",
    "messages_of",
]

Role = Literal["user", "assistant"]
ROLES: Final = ("user", "assistant")
_STRING: Final = attrs.validators.instance_of(str)


@attrs.frozen
class ToolCall:
    """
    The model asks for a tool.

    Attributes:
        id: Joins the call to its result.
        name: The tool's name.
        arguments: JSON, as the model wrote it.
    """

    id: str = attrs.field(validator=_STRING)
    name: str = attrs.field(validator=_STRING)
    arguments: str = attrs.field(default="{}", validator=_STRING)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "type": "tool_call",
            "id": self.id,
            "name": self.name,
            "arguments": self.arguments,
        }


@attrs.frozen
class ToolResult:
    """What a tool gave back: text, and whether it failed."""

    id: str = attrs.field(validator=_STRING)
    content: str = attrs.field(validator=_STRING)
    name: str = attrs.field(default="", validator=_STRING)
    is_error: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "type": "tool_result",
            "id": self.id,
            "content": self.content,
            "name": self.name,
            "is_error": self.is_error,
        }


@attrs.frozen
class Reasoning:
    """What the model let us see of its reasoning."""

    text: str = attrs.field(validator=_STRING)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {"type": "reasoning", "text": self.text}


@attrs.frozen
class Citation:
    """
    A source that the model names.

    Attributes:
        url: Where it is.
        title: What it is called.
        start: First character of the answer that it supports.
        end: One past the last.
    """

    url: str
    title: str = ""
    start: int | None = None
    end: int | None = None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {"type": "citation", **attrs.asdict(self)}


@attrs.frozen
class ProviderState:
    """
    What a vendor wants back unchanged with the next turn; sent to it alone.

    Attributes:
        provider: Id of the provider that it is from.
        data: JSON, opaque to everybody else.
    """

    provider: str
    data: object = attrs.field(repr=False)


def _states(found: Iterable[ProviderState]) -> tuple[ProviderState, ...]:
    return tuple(found)


Part: TypeAlias = str | Media | ToolCall | ToolResult | Reasoning | Citation

_KINDS: Final = (str, Media, ToolCall, ToolResult, Reasoning, Citation)
"""The same for `isinstance`; to make a union of six costs more than all else about a message."""


def _parts(found: object) -> tuple[Part, ...]:
    parts = (found,) if isinstance(found, str) else tuple(cast("Iterable[Part]", found))
    if not parts:
        msg = "parts: a message has at least one."
        raise InvalidRequestError(msg, field="parts")
    for part in parts:
        if not isinstance(part, _KINDS):
            msg = (
                f"parts: {type(part).__name__} is not a part; use a string, "
                "Image, Audio, Video or File."
            )
            raise InvalidRequestError(msg, field="parts")
    return parts


@attrs.frozen
class Message:
    """
    One turn of a conversation.

    Args:
        role: `user` or `assistant`. The system prompt goes by `system=`.
        parts: Strings, media, tool calls and their results, in order.
        state: What the vendor that wrote it wants back.

    Raises:
        InvalidRequestError: The role is unknown, there are no parts, or one is
            not a part.
    """

    role: Role
    parts: tuple[Part, ...] = attrs.field(converter=_parts)
    state: tuple[ProviderState, ...] = attrs.field(default=(), converter=_states)

    def __attrs_post_init__(self) -> None:
        role: str = self.role
        if role not in ROLES:
            hint = " The system prompt goes by system=." if role == "system" else ""
            msg = f"role: {self.role!r} is neither 'user' nor 'assistant'.{hint}"
            raise InvalidRequestError(msg, field="role")

    @classmethod
    def user(cls, *parts: Part) -> Message:
        """Return a user's turn."""
        return cls("user", parts)

    @classmethod
    def assistant(cls, *parts: Part) -> Message:
        """Return a model's turn."""
        return cls("assistant", parts)

    @property
    def text(self) -> str:
        """The strings among the parts, joined."""
        return "".join(part for part in self.parts if isinstance(part, str))

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object that `from_dict` reads, provider state included."""
        found: dict[str, object] = {
            "role": self.role,
            "parts": [p if isinstance(p, str) else p.to_dict() for p in self.parts],
        }
        if self.state:
            found["state"] = [attrs.asdict(state) for state in self.state]
        return found

    @classmethod
    def from_dict(cls, found: Mapping[str, object]) -> Message:
        """
        Read what `to_dict` wrote.

        Raises:
            InvalidRequestError: The object is no message; the field is named.
        """
        if not isinstance(found, Mapping):
            msg = f"message: an object is needed, not {type(found).__name__}."
            raise InvalidRequestError(msg, field="message")
        parts, states = found.get("parts"), found.get("state", [])
        if not isinstance(parts, list):
            msg = f"parts: a list is needed, not {type(parts).__name__}."
            raise InvalidRequestError(msg, field="parts")
        if not isinstance(states, list) or not all(
            isinstance(s, Mapping) and isinstance(s.get("provider"), str) for s in states
        ):
            msg = "state: a list of objects with a provider is needed."
            raise InvalidRequestError(msg, field="state")
        return cls(
            cast("Role", found.get("role")),
            tuple(p if isinstance(p, str) else _part_from_dict(p) for p in parts),
            [ProviderState(s["provider"], s.get("data")) for s in states],
        )


_PARTS: Final[Mapping[str, type[ToolCall | ToolResult | Reasoning | Citation]]] = {
    "tool_call": ToolCall,
    "tool_result": ToolResult,
    "reasoning": Reasoning,
    "citation": Citation,
}


def _part_from_dict(found: object) -> Part:
    if not isinstance(found, Mapping):
        msg = f"parts: {type(found).__name__} is neither a string nor an object."
        raise InvalidRequestError(msg, field="parts")
    cls = _PARTS.get(str(found.get("type")))
    if cls is None:
        return media_from_dict(found)
    try:
        return cls(**{key: value for key, value in found.items() if key != "type"})
    except TypeError as error:
        msg = f"parts: {found.get('type')} has a field too many or too few."
        raise InvalidRequestError(msg, field="parts") from error


Prompt: TypeAlias = Part | Message | Sequence[Part | Message]


def messages_of(prompt: Prompt) -> tuple[Message, ...]:
    """
    Return the conversation that *prompt* means: bare parts form one user turn.

    Raises:
        InvalidRequestError: It is empty, or holds what is no part or message.
    """
    if isinstance(prompt, str):
        if not prompt.strip():
            msg = "prompt: it is empty."
            raise InvalidRequestError(msg, field="prompt")
        return (Message("user", (prompt,)),)
    if isinstance(prompt, Message):
        return (prompt,)
    items = list(prompt) if isinstance(prompt, Sequence) else [prompt]
    found: list[Message] = []
    bare: list[Part] = []
    for item in items:
        if isinstance(item, Message):
            if bare:
                found.append(Message("user", tuple(bare)))
                bare.clear()
            found.append(item)
        else:
            bare.append(item)
    if bare:
        found.append(Message("user", tuple(bare)))
    if not any(
        part.strip() if isinstance(part, str) else True
        for message in found
        for part in message.parts
    ):
        msg = "prompt: it is empty."
        raise InvalidRequestError(msg, field="prompt")
    return tuple(found)
