"""Administrators and auditors read the log: newest first, page by page, and only what they look for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from dashboard import audit
from dashboard.models import AuditEvent, User
from sync.models import Account
from tests import factories


def write(account: Account, user: User, number: int = 1, *, at: datetime | None = None, **given: Any) -> None:
    """Write events that have nothing to do with the test's own sign-in."""
    for _ in range(number):
        audit.record(given.pop("action", audit.Action.EXPORTED), account=account, user=user, at=at, **given)


def shown(client: Client, address: str = "/audit/") -> list[AuditEvent]:
    response = client.get(address)
    assert response.status_code == 200
    return [line.event for line in response.context["lines"]]


def test_the_log_is_for_administrators_and_auditors(
    client: Client, account: Account, alice: User, ines: User, charlie: User, now: datetime
) -> None:
    ends_at = now + timedelta(days=9)
    factories.MembershipFactory(user=charlie, account=account, role="auditor", ends_at=ends_at)
    for user, status in ((ines, 200), (charlie, 200), (alice, 404)):
        client.force_login(user)
        assert client.get("/audit/").status_code == status
        assert ("Audit log" in client.get("/").content.decode()) == (status == 200)


def test_entries_are_said_in_words(as_ines: Client, ines: User, account: Account) -> None:
    person = factories.PersonFactory(account=account, first_name="Wanda", last_name="Quill")
    audit.record(
        audit.Action.VIEWED_PERSON,
        account=account,
        user=ines,
        subject="person",
        subject_id=person.pk,
        details={"as_of": "2026-09-30", "rows": 1200, "filters": {"department": ["7"]}, "full": True},
    )
    text = as_ines.get("/audit/").content.decode()
    assert f'<a class="main-link" href="/people/{person.pk}/">Wanda Quill</a>' in text
    for words in (
        "Viewed a person",
        "as of: 2026-09-30",
        "rows: 1,200",
        "filters: department 7",
        "everything read: yes",
    ):
        assert words in text


def test_another_accounts_events_and_names_are_not_shown(as_ines: Client, account: Account, alice: User) -> None:
    other = factories.AccountFactory(name="Another")
    stranger = factories.PersonFactory(account=other, first_name="Otto", last_name="Elsewhere")
    write(other, alice, subject="person", subject_id=stranger.pk)
    write(account, alice, subject="person", subject_id=stranger.pk)
    assert len([event for event in shown(as_ines) if event.action == "exported"]) == 1
    assert "Elsewhere" not in as_ines.get("/audit/").content.decode()


def test_it_is_searched(as_ines: Client, ines: User, alice: User, account: Account, now: datetime) -> None:
    long_ago = now - timedelta(days=40)
    write(account, alice, at=long_ago, subject="campaign", subject_id=4)
    write(account, alice, action=audit.Action.VIEWED_PERSON, subject="person", subject_id=4)
    write(account, ines, action=audit.Action.VIEWED_PERSON, subject="person", subject_id=5)
    day = long_ago.astimezone(account.zone).date().isoformat()
    for query, number in (
        (f"actor={alice.pk}", 2),
        ("action=viewed_person", 2),
        ("subject=person", 2),
        ("subject=person&subject_id=5", 1),
        (f"day={day}", 1),
        (f"day={day}&actor={ines.pk}", 0),
        ("action=signed_in", 1),
    ):
        assert len(shown(as_ines, f"/audit/?{query}")) == number, query


def test_pages_follow_one_another_without_gaps(as_ines: Client, ines: User, account: Account, now: datetime) -> None:
    at = now - timedelta(days=1)
    write(account, ines, 120, at=at)
    seen, address = [], "/audit/?action=exported"
    while address:
        response = as_ines.get(address)
        seen += [line.event.pk for line in response.context["lines"]]
        address = f"/audit/{response.context['earlier']}" if response.context["earlier"] else ""
    assert len(seen) == 120
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    "query", ["actor=x", "day=2026-13-01", "before=0", "subject=person&subject_id=-1", "day=0001-01-01"]
)
def test_what_makes_no_sense_is_refused(as_ines: Client, query: str) -> None:
    assert as_ines.get(f"/audit/?{query}").status_code == 400


def test_the_list_alone_is_its_fragment(as_ines: Client) -> None:
    response = as_ines.get("/audit/", headers={"HX-Request": "true", "HX-Target": "audit-list"})
    assert response.content.decode().strip().startswith('<section class="panel panel-flush" id="audit-list"')


def test_a_page_takes_few_queries(
    as_ines: Client, ines: User, account: Account, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for subject in ("person", "campaign", "department", "user", "account"):
        write(account, ines, 20, subject=subject, subject_id=1)
    with django_assert_max_num_queries(12):
        as_ines.get("/audit/")


def test_an_empty_search_says_so(as_ines: Client) -> None:
    assert "Clear the filters" in as_ines.get("/audit/?action=api_call").content.decode()
