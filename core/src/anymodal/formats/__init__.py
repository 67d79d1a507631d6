"""
What bytes of pictures, sound and clips say of themselves, without a decoder.

Nothing here raises on strange bytes: what cannot be told is None.
"""

from __future__ import annotations

from .kinds import HEAD_BYTES, extension, of_kind, sniff

__all__ = ["HEAD_BYTES", "extension", "of_kind", "sniff"]
