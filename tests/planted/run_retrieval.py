"""Run by `test_contract.py` in a pytest of its own: a good provider, and each faulty one."""

from acme_store import Plugin, spec
from anymodal import Capabilities
from anymodal.testing import RetrievalSuite
from retrieval_faults import PLANTED


class TestGood(RetrievalSuite):
    provider = "acme"
    plugins = (Plugin(),)


class TestGoodForWords(RetrievalSuite):
    """Without dense vectors, which it refuses."""

    provider = "acme"
    plugins = (Plugin(lambda: spec(capabilities=Capabilities(yes={"sparse"}, no={"dense"}))),)


for name, plugin in PLANTED.items():
    globals()[f"Test_{name}"] = type(
        f"Test_{name}",
        (RetrievalSuite,),
        {"provider": f"acme-{name}", "plugins": (plugin,), "__module__": __name__},
    )
