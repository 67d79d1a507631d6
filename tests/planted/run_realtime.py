"""Run by `test_contract.py` in a pytest of its own: a good provider, and each faulty one."""

from anymodal.testing import RealtimeSuite
from realtime_faults import BED

globals().update(BED.suites(RealtimeSuite, __name__))
