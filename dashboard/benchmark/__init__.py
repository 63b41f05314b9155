"""Measurements of the numbers, the pages and the files, for `manage.py benchmark`."""

from dashboard.benchmark.api import measure_api
from dashboard.benchmark.exports import measure_exports
from dashboard.benchmark.mcp import measure_mcp
from dashboard.benchmark.pages import measure_pages
from dashboard.benchmark.queries import measure_queries
from dashboard.benchmark.reports import measure_reports

__all__ = ["measure_api", "measure_exports", "measure_mcp", "measure_pages", "measure_queries", "measure_reports"]
