"""Quillon's provider does what every provider of text does."""

from __future__ import annotations

from anymodal.testing import TextSuite


class TestText(TextSuite):
    """The contract, clause by clause, against the emulator."""

    provider = "quillon"
