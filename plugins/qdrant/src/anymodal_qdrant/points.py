"""Documents as points, and points as hits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from anymodal.modalities.documents import Collection, Document
from anymodal.modalities.embedding import SparseVector
from anymodal.modalities.retrieval import Hit
from qdrant_client import models

from .conditions import PAYLOAD

__all__ = [
    "DENSE",
    "SPARSE",
    "dense_params",
    "hit_of",
    "point_id",
    "point_of",
    "sparse_params",
    "thin",
]

DENSE: Final = "dense"
SPARSE: Final = "sparse"
NAMESPACE: Final = uuid.UUID("3d9f6f0a-52a8-4f0e-9b39-5d5a9f3b7c11")
DISTANCES: Final = {"cosine": models.Distance.COSINE, "dot": models.Distance.DOT}


def point_id(document_id: str) -> str:
    """
    Return the id of a document's point: Qdrant takes whole numbers and UUIDs alone.

    Source: https://qdrant.tech/documentation/concepts/points/#point-ids, read 2026-11-20.
    """
    return str(uuid.uuid5(NAMESPACE, document_id))


def thin(vector: SparseVector) -> models.SparseVector:
    """Return a sparse vector as Qdrant has it."""
    return models.SparseVector(indices=vector.indices.tolist(), values=vector.values.tolist())


def point_of(document: Document) -> models.PointStruct:
    """Return *document* with its vectors, as a point."""
    vectors: dict[str, Any] = {}
    if document.vector is not None:
        vectors[DENSE] = document.vector.tolist()
    if document.sparse is not None:
        vectors[SPARSE] = thin(document.sparse)
    payload = {"id": document.id, "text": document.text, PAYLOAD: dict(document.payload)}
    return models.PointStruct(id=point_id(document.id), vector=vectors, payload=payload)


def hit_of(point: models.ScoredPoint) -> Hit:
    """
    Return what was found.

    Raises:
        KeyError: It is no point of ours.
    """
    kept: Mapping[str, Any] = point.payload or {}
    return Hit(
        id=kept["id"], score=point.score, text=kept.get("text"), payload=kept.get(PAYLOAD) or {}
    )


def dense_params(collection: Collection) -> dict[str, models.VectorParams]:
    """Return the dense vectors of a new collection."""
    if collection.dimensions is None:
        return {}
    distance = DISTANCES[collection.distance]
    return {DENSE: models.VectorParams(size=collection.dimensions, distance=distance)}


def sparse_params(collection: Collection) -> dict[str, models.SparseVectorParams]:
    """Return its sparse ones; it counts rare words itself, over what it holds."""
    if not collection.has_sparse:
        return {}
    modifier = models.Modifier.IDF if collection.idf else models.Modifier.NONE
    return {SPARSE: models.SparseVectorParams(modifier=modifier)}
