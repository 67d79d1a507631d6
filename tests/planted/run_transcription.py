"""Run by `test_contract.py` in a pytest of its own: a good provider, and each faulty one."""

from anymodal.testing import TranscriptionSuite
from transcription_faults import BED

globals().update(BED.suites(TranscriptionSuite, __name__))
