"""Run by `test_contract.py` in a pytest of its own: a good provider, and each faulty one."""

from acme_makes import plugin
from anymodal.testing import ImageSuite
from image_faults import PLANTED


class TestGood(ImageSuite):
    provider = "acme"
    plugins = (plugin("image"),)


for name, faulty in PLANTED.items():
    globals()[f"Test_{name}"] = type(
        f"Test_{name}",
        (ImageSuite,),
        {"provider": f"acme-{name}", "plugins": (faulty,), "__module__": __name__},
    )
