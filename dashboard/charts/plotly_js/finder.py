"""Lets Django's static files hold Plotly's bundle beside our own."""

from functools import cached_property
from pathlib import Path

from django.conf import settings

from dashboard.charts.plotly_js.bundle import NAME, build
from dashboard.generated_files import GeneratedFilesFinder


class PlotlyFinder(GeneratedFilesFinder):
    """Finds `js/plotly.min.js`."""

    names = (NAME,)

    def folder(self) -> Path:
        """Return the folder that holds the bundle."""
        return self._folder

    @cached_property
    def _folder(self) -> Path:
        return build(settings.VAR_DIR / "charts")
