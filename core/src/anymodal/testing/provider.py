"""The base of the suites of all modalities."""

from __future__ import annotations

from .calls import Calls
from .declared import Declared
from .failures import Failures

__all__ = ["ProviderSuite"]


class ProviderSuite(Declared, Calls, Failures):
    """
    The clauses that all modalities have.

    A suite of a modality sets `modality` and `methods`, and writes `ask` and `content`;
    `ways` where there is more than one plain call, and `refusable` where something can
    be asked for that a model may lack.
    """
