"""Run by `test_contract.py` in a pytest of its own: a good provider, and each faulty one."""

from acme_vectors import Plugin
from anymodal.testing import EmbeddingSuite
from embedding_faults import PLANTED


class TestGood(EmbeddingSuite):
    provider = "acme"
    plugins = (Plugin(),)


for name, plugin in PLANTED.items():
    globals()[f"Test_{name}"] = type(
        f"Test_{name}",
        (EmbeddingSuite,),
        {"provider": f"acme-{name}", "plugins": (plugin,), "__module__": __name__},
    )
