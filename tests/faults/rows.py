"""The campaign: every fault by name, with what is sent and what is seen."""

from __future__ import annotations

from typing import Final

from .breaks import BREAKING, STREAMS
from .contents import CONTENTS, SIZES
from .protocols import CONNECTING, FRAMING, TOOLS
from .refusals import REFUSING

__all__ = ["GROUPS"]

GROUPS: Final = {
    "Connecting": CONNECTING,
    "A connection that breaks or stalls": BREAKING,
    "Streams that do not end well": STREAMS,
    "Refusals": REFUSING,
    "What is in an answer": CONTENTS,
    "Sizes": SIZES,
    "Calls of tools": TOOLS,
    "HTTP that is none": FRAMING,
}
