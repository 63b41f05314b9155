"""Uploaded files, and what becomes of them."""

from collections.abc import Callable
from datetime import datetime

import pytest

from dashboard.models import User
from sync.models import Account, ConsoleImport
from sync.pipeline.console import accept_import, preview_import

Upload = Callable[..., ConsoleImport]

HEADERS = (
    "Campaign,Content,First Name,Last Name,Email,Employee Number,Status,Enrollment Date,Start Date,Completion Date,"
    "Due Date,Extended Due Date,Time Spent,Score,Policy Acknowledged"
).split(",")


def as_csv(headers: list[str], rows: list[list[str]], delimiter: str = ",") -> str:
    """Return a CSV as the console writes it, every cell quoted where it must be."""

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in f'{delimiter}"\n') else text

    return "".join(delimiter.join(map(cell, row)) + "\r\n" for row in [headers, *rows])


@pytest.fixture
def maren(db: None) -> User:
    """Return the administrator who uploads."""
    return User.objects.create_user("maren@brackwater.example", "a long enough phrase")


@pytest.fixture
def upload(maren: User, now: datetime) -> Upload:
    """Upload a file for an account and preview it."""

    def upload_file(account: Account, content: str | bytes, name: str = "results.csv", **fields: object):
        raw = content.encode() if isinstance(content, str) else content
        imported = ConsoleImport.objects.create(
            account=account, uploaded_by=maren, uploaded_at=now, name=name, **ConsoleImport.stored(raw), **fields
        )
        return preview_import(imported.pk, now=lambda: now)

    return upload_file


@pytest.fixture
def accept(maren: User, now: datetime) -> Callable[..., ConsoleImport]:
    """Accept a preview, as a person does, and import it, as a worker does."""

    def accept_file(imported: ConsoleImport, reason: str = "", at: datetime | None = None) -> ConsoleImport:
        assert imported.state in {"preview", "held"}, imported.message
        assert not imported.report["problems"]
        imported.state, imported.decided_by, imported.reason = "importing", maren, reason
        imported.save()
        return accept_import(imported.pk, now=lambda: at or now)

    return accept_file
