"""For tests of what one attempt does."""

from anymodal import Policy, Retry

ONCE = Policy(retry=Retry(attempts=1))
"""Nothing is tried again."""
