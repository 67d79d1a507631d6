"""Image: pictures."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..specs import ProviderSpec

__all__ = ["ImageProviderSpec"]


@attrs.frozen(kw_only=True)
class ImageProviderSpec(ProviderSpec[object]):
    """A provider of pictures. Its contract comes with its first provider."""

    modality: ClassVar[str] = "image"
