"""Qdrant keeps the contract of stores, as a server and in a folder of this machine."""

import pytest
from anymodal.testing import RetrievalSuite


class TestServer(RetrievalSuite):
    provider = "qdrant"
    excuses = {  # noqa: RUF012  # nobody changes it
        "call.keeps-the-request-id": "the server gives requests no ids",
        "cancel.leaves-nothing": "the vendor's client works in threads, which nobody can stop",
        "key.is-asked-for": "a server may be open to all, so that it is the server that asks",
    }


class TestFolder(RetrievalSuite):
    provider = "qdrant"
    for_real = True

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def folder(cls, tmp_path_factory):
        """One for the class, since clients come one after the other."""
        cls.settings = {"path": str(tmp_path_factory.mktemp("qdrant"))}
