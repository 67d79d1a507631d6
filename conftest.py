"""For every test of the repository."""

from hypothesis import settings

settings.register_profile("anymodal", deadline=None)  # tests assert behaviour, never wall time
settings.load_profile("anymodal")
