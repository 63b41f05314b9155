"""Sums that make every page independent of the number of enrollments, kept equal to what they sum up.

`recount` after a setting changed, `after_publish` in a sync's transaction, `advance` as days and due dates pass,
`rebuild` for all of an account.
"""

from dashboard.rollups.upkeep import advance, after_publish, rebuild, recount

__all__ = ["advance", "after_publish", "rebuild", "recount"]
