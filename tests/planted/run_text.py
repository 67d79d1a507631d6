"""Run by `test_contract.py` in a pytest of its own: a good provider, and each faulty one."""

from acme import Plugin
from anymodal.testing import TextSuite
from text_faults import PLANTED


class TestGood(TextSuite):
    provider = "acme"
    plugins = (Plugin(),)


for name, plugin in PLANTED.items():
    globals()[f"Test_{name}"] = type(
        f"Test_{name}",
        (TextSuite,),
        {"provider": f"acme-{name}", "plugins": (plugin,), "__module__": __name__},
    )
