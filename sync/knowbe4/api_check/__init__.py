"""Asking a real KnowBe4 for two rows of everything, and saying what differs from what Rollcall expects.

What is kept holds shapes and KnowBe4's own words: no name, address, id or other value of anybody.
"""

from sync.knowbe4.api_check.check import check_api
from sync.knowbe4.api_check.report import Outcome, Report
from sync.knowbe4.api_check.surprises import Effect, Surprise

__all__ = ["Effect", "Outcome", "Report", "Surprise", "check_api"]
