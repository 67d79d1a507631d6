"""Vectors of words keep the contract of vectors, on this machine alone."""

from anymodal.testing import EmbeddingSuite


class TestEmbedding(EmbeddingSuite):
    provider = "lexical"
