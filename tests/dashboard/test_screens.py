"""The command that takes pictures says what it lacks."""

import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command


def test_without_playwright_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(CommandError, match="Playwright, which is not installed"):
        call_command("screens", to=tmp_path / "screens")
    assert not (tmp_path / "screens").exists()


def test_without_chromium_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dashboard.management.commands.screens.CHROMIUM", (str(tmp_path / "none"),))
    with pytest.raises(CommandError, match="Chromium, which is not on this machine"):
        call_command("screens", to=tmp_path)
