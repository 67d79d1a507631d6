"""The base of what `client[modality]` gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from .call import Call
from .modalities import Modality
from .policies import Policy
from .specs import Deadlines
from .way import Way

__all__ = ["Facade"]

BoundT = TypeVar("BoundT")


class Facade(ABC, Generic[BoundT]):
    """
    Base of what `client[modality]` gives.

    A modality's own facade subclasses this, says what it binds, and runs its
    operations through `call`. With a method `sync_face`, as
    `anymodal.sync.face.HasFace` has it, `SyncClient[modality]` serves it too.
    """

    modality: ClassVar[Modality[Any]]

    def __init__(self, way: Way) -> None:
        self._way = way

    def call(
        self,
        operation: str,
        *,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Call:
        """
        Begin a call.

        Raises:
            ConfigurationError: The client is not open.
            InvalidRequestError: *timeout* is no time, or *policy* none.
        """
        return Call(
            self._way, self.modality.name, operation, timeout=timeout, policy=policy, tags=tags
        )

    @abstractmethod
    def bind(self, provider: Any) -> BoundT:
        """Return what this facade calls of *provider*; asked once per connection."""
