"""Measurements of the numbers and the pages, for `manage.py benchmark`."""

from dashboard.benchmark.pages import measure_pages
from dashboard.benchmark.queries import measure_queries
from dashboard.benchmark.reports import measure_reports

__all__ = ["measure_pages", "measure_queries", "measure_reports"]
