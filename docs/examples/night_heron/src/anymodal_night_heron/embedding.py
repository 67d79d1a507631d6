"""Vectors of texts."""

from __future__ import annotations

from anymodal import Usage
from anymodal.modalities.embedding import EmbeddingRequest, EmbeddingResult, dense

from .vendor import NightHeronVendor, given


class NightHeronVectors(NightHeronVendor):
    """Models that make vectors."""

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Make a vector of each text, in their order."""
        settings = given(request, "purpose", "dimensions", lacks=("end_user",))
        body = {"model": request.model.id, "texts": request.texts, **settings}
        said = await self.ask("/vectors", body)
        return EmbeddingResult(
            dense=tuple(dense(one) for one in said["vectors"]),
            usage=Usage(input_tokens=said["tokens"]),
            model=request.model.id,
            request_id=said["id"],
        )
