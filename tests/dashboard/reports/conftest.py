"""A question for everybody's figures, and other people's programs that look at a PDF."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from dashboard.access import Scope
from dashboard.models import Membership
from dashboard.reports import Question
from sync.models import Account


@pytest.fixture
def scope(account: Account) -> Scope:
    return Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


@pytest.fixture
def question(scope: Scope, now: datetime) -> Question:
    return Question(scope, now, now)


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """Return a way to run a program on the bytes of a PDF, for what it prints."""

    def run(content: bytes, name: str, *arguments: str) -> str:
        assert shutil.which(name), f"{name} is needed: install poppler-utils and qpdf"
        path = tmp_path / "report.pdf"
        path.write_bytes(content)
        done = subprocess.run(
            [name, *(argument.replace("FILE", str(path)) for argument in arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def text_of(program: Callable[..., str]) -> Callable[[bytes], str]:
    """Return a way to read a PDF's text, its blanks and line ends as single blanks."""
    return lambda content: " ".join(program(content, "pdftotext", "-layout", "FILE", "-").split())
