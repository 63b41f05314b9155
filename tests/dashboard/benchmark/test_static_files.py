"""Pages are measured in an installation whose static files nobody collected."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import CommandError

from dashboard.benchmark.static_files import collect_missing


@pytest.fixture
def uncollected(settings: Any, tmp_path: Path) -> Path:
    """Return where files are collected by their contents, and nothing is yet."""
    settings.STATIC_ROOT = tmp_path / "static"
    backend = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}
    return tmp_path / "static"


@pytest.mark.slow
def test_what_is_missing_is_collected_once(uncollected: Path) -> None:
    said: list[str] = []
    collect_missing(said.append)
    collect_missing(said.append)
    assert len(said) == 1
    assert (uncollected / "staticfiles.json").exists()
    assert staticfiles_storage.url("css/rollcall.css").startswith("/static/css/rollcall.")


@pytest.mark.slow
def test_where_they_cannot_be_written_it_is_one_sentence(uncollected: Path) -> None:
    uncollected.mkdir()
    (uncollected / "css").write_text("in the way")
    with pytest.raises(CommandError, match=r"run manage\.py collectstatic as whoever may"):
        collect_missing([].append)
