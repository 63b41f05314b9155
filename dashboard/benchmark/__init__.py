"""Measurements of the numbers and the pages, for `manage.py benchmark`."""

from dashboard.benchmark.pages import measure_pages
from dashboard.benchmark.queries import measure_queries

__all__ = ["measure_pages", "measure_queries"]
