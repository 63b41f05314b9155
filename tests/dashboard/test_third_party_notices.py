"""Notices of other people's work that an installation contains."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def notices() -> str:
    out = StringIO()
    call_command("third_party_notices", stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def locked() -> list[str]:
    text = (ROOT / "requirements/base.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z0-9.-]+)==([^ ;]+) \\$", text, re.MULTILINE)
    assert len(found) > 50
    return [f"{name} {version}" for name, version in found]


def test_every_locked_package_is_named_with_its_version_and_licence(notices: str, locked: list[str]) -> None:
    said = dict(re.findall(r"^(\S+ \S+)\n=+\nLicence: (.+)$", notices, re.MULTILINE))
    said = {re.sub(r"[._]", "-", heading.lower()): licence for heading, licence in said.items()}
    for package in locked:
        assert said.get(package.replace(".", "-"), "not said") != "not said", package


def test_licences_are_given_in_full(notices: str) -> None:
    # Of a package, of a script inside one, and of a font inside one.
    assert "Copyright (c) Django Software Foundation" in notices
    assert "SIL OPEN FONT LICENSE" in notices.upper()
