"""Measurements of the numbers, for `manage.py benchmark`."""

from dashboard.benchmark.queries import measure_queries

__all__ = ["measure_queries"]
