"""Decisions of readers: each in one transaction with its log entry and its recount.

The objects given to these functions come from the reader's scope; here only what holds whoever asks is checked. The
caller reads the clock.
"""

from dashboard.services.deciding import RefusedError

__all__ = ["RefusedError"]
