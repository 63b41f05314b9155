"""Sums that make every page independent of the number of enrollments, kept equal to what they sum up.

`recount` after a setting changed, `after_publish` in a sync's transaction, `advance` as days and due dates pass,
`rebuild` for all of an account, and `build_tallies` where a first sync left
them to be worked out.
"""

from dashboard.rollups.upkeep import advance, after_publish, build_tallies, rebuild, recount

__all__ = ["advance", "after_publish", "build_tallies", "rebuild", "recount"]
