"""Lets Django's static files hold Plotly's bundle beside our own: made when it is first asked for, not kept in git."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage

from dashboard.charts.bundle import NAME, build


class PlotlyFinder(BaseFinder):
    """Finds `js/plotly.min.js`."""

    @cached_property
    def storage(self) -> FileSystemStorage:
        """Where the bundle is."""
        return FileSystemStorage(location=build(settings.VAR_DIR / "charts"))

    def check(self, **kwargs: Any) -> list[Any]:
        """Return no problems: there is nothing to configure."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return where the bundle is; nothing for any other path."""
        if path != NAME:
            return []
        found = self.storage.path(NAME)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield the bundle."""
        if not matches_patterns(NAME, list(ignore_patterns or ())):
            yield NAME, self.storage
