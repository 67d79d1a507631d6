"""Run by `test_contract.py` in a pytest of its own: a good provider, and each faulty one."""

from acme_makes import plugin
from anymodal.testing import VideoSuite
from video_faults import PLANTED


class TestGood(VideoSuite):
    provider = "acme"
    plugins = (plugin("video"),)


for name, faulty in PLANTED.items():
    globals()[f"Test_{name}"] = type(
        f"Test_{name}",
        (VideoSuite,),
        {"provider": f"acme-{name}", "plugins": (faulty,), "__module__": __name__},
    )
