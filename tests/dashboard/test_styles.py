"""One style sheet out of many: all of them, in their order, anew when one changes."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from dashboard.web import styles


def test_every_style_sheet_is_in_it_once():
    written = [path.name for path in (settings.BASE_DIR / "static" / "css").glob("*.css")]
    named = [path.name for path in styles.sheets()]

    assert sorted(named) == sorted(written)
    assert (named[0], named[-1]) == ("tokens.css", "print.css")


def test_it_is_found_beside_the_other_files():
    found = finders.find("css/rollcall.css")

    text = Path(found).read_text()
    places = [text.index(path.read_text()) for path in styles.sheets()]
    assert places == sorted(places)
    assert "@import" not in text  # Plotly puts its rules first, where no import may follow


def test_it_is_written_anew_when_a_part_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    part = tmp_path / "one.css"
    part.write_text("a {}")
    monkeypatch.setattr(styles, "sheets", lambda: [part])
    sheet = styles.write(tmp_path / "css" / "all.css")
    later = sheet.stat().st_mtime + max(1, styles.ORDER.stat().st_mtime - sheet.stat().st_mtime + 1)
    os.utime(sheet, (later, later))
    part.write_text("b {}")

    assert styles.write(sheet).read_text() == "a {}"
    os.utime(part, (later + 1, later + 1))
    assert styles.write(sheet).read_text() == "b {}"
