"""The quarterly review: a report per quarter, with what it used, what moved it and what comes next."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.models import Exemption, Membership, User
from dashboard.queries.review import latest_quarter, quarter_of, review
from dashboard.rollups import rebuild
from sync.models import Account, Enrollment, SyncRun
from sync.models.training import DueSource
from tests import factories

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
Q3 = date(2026, 7, 1)


@pytest.fixture
def scope(account: Account) -> Scope:
    return Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


def enroll(account: Account, name: str, due_at: datetime, *, content: object, late: int = 0, open_: int = 0) -> None:
    """Enroll ten people in a campaign; some finish late, some never, the others three days before it is due."""
    campaign = factories.CampaignFactory(
        account=account,
        name=name,
        start_at=due_at - timedelta(days=30),
        end_at=due_at,
        content_ids=[content.pk],  # type: ignore[attr-defined]
        reported_status="Closed",
    )
    for place in range(10):
        person = factories.PersonFactory(account=account)
        done = None if place < open_ else due_at + timedelta(days=1 if place < open_ + late else -3)
        factories.EnrollmentFactory(
            account=account,
            person=person,
            campaign=campaign,
            content=content,
            enrolled_at=due_at - timedelta(days=30),
            completed_at=done,
            due_at=due_at,
            due_source=DueSource.CAMPAIGN_END,
            reported_status="Passed" if done else "Past Due",
        )


@pytest.fixture
def quarters(account: Account, published: SyncRun) -> Account:
    """Return the account with one campaign in each of three quarters: the same content in all, in Q3 with a second."""
    old = factories.ContentItemFactory(account=account, name="Old film")
    enroll(account, "Winter", datetime(2026, 2, 10, 12, tzinfo=UTC), content=old)
    enroll(account, "Spring", datetime(2026, 5, 10, 12, tzinfo=UTC), content=old, late=1)
    enroll(account, "Summer", datetime(2026, 8, 10, 12, tzinfo=UTC), content=old, late=2, open_=3)
    retired = factories.ContentItemFactory(
        account=account, name="Retired policy", retirement_at=datetime(2026, 9, 1, tzinfo=UTC)
    )
    enroll(account, "Policy", datetime(2026, 8, 20, 12, tzinfo=UTC), content=retired)
    rebuild(account, at=NOW)
    return account


def test_the_latest_quarter_is_the_last_one_that_ended(scope: Scope) -> None:
    assert latest_quarter(scope, as_of=NOW).start == Q3
    # The midnight that ends a quarter belongs to it.
    assert latest_quarter(scope, as_of=datetime(2026, 9, 30, 22, tzinfo=UTC)).start == Q3
    assert latest_quarter(scope, as_of=datetime(2026, 9, 30, 21, 59, tzinfo=UTC)).start == date(2026, 4, 1)


def test_a_quarter_is_read_at_its_end_or_now(scope: Scope) -> None:
    ended = quarter_of(scope, Q3, as_of=NOW)
    assert ended is not None
    assert not ended.is_running
    assert ended.at == datetime(2026, 9, 30, 22, tzinfo=UTC)
    running = quarter_of(scope, date(2026, 10, 1), as_of=NOW)
    assert running is not None
    assert running.is_running
    assert running.at == NOW
    assert quarter_of(scope, date(2027, 1, 1), as_of=NOW) is None


def test_the_figures_and_what_was_used(scope: Scope, quarters: Account) -> None:
    quarter = quarter_of(scope, Q3, as_of=NOW)
    assert quarter is not None
    found = review(scope, quarter)
    assert found is not None
    cohort = found.trend.everybody.due[-1]
    assert (cohort.due, cohort.completed_by_end, cohort.on_time) == (20, 17, 15)
    assert found.trend.everybody.stood[-1].people_past_due == 3
    assert [(row.campaign.name, row.counts.people_past_due, row.due_in_quarter) for row in found.campaigns] == [
        ("Summer", 3, 10),
        ("Policy", 0, 10),
    ]
    assert [(row.content.name, row.is_retired, row.is_stale) for row in found.content] == [
        ("Retired policy", True, False),
        ("Old film", False, True),
    ]
    assert found.next_campaigns == []


def test_whoever_sees_nobody_gets_no_review(account: Account) -> None:
    scope = Scope(account=account, roles=frozenset())
    quarter = quarter_of(scope, Q3, as_of=NOW)
    assert quarter is not None
    assert review(scope, quarter) is None


def test_the_page_reads_as_a_report(as_alice: Client, quarters: Account) -> None:
    text = as_alice.get("/review/2026-q3/").content.decode()
    assert "85.0% of training due in Q3 2026 was completed by quarter end. 3 people were past due." in text
    assert "Down 15.0 points on Q2, 100%" in text
    assert "Summer left the most people past due, 3" in text
    assert "2 items were used; 1 is retired, 1 was not rotated for two quarters" in text
    assert "3 people carry training past due into Q4 2026." in text
    assert "No campaign has its deadline in Q4 2026 yet." in text
    assert "Replace what is retired: Retired policy." in text
    assert "Rotate what has been used for three quarters: Old film." in text
    assert "No exemption was in force on 30 Sep 2026" in text
    assert "Security manager" in text
    assert "/past-due/?as_of=2026-09-30" in text


def test_an_exemption_in_force_is_listed(
    as_alice: Client, quarters: Account, alice: User, ines: User, now: datetime
) -> None:
    person = Enrollment.objects.filter(campaign__name="Summer", completed_at=None).first().person  # type: ignore[union-attr]
    Exemption.objects.create(
        account=quarters,
        person=person,
        reason=Exemption.Reason.LEAVE,
        starts_at=datetime(2026, 7, 1, tzinfo=UTC),
        ends_at=datetime(2026, 11, 1, tzinfo=UTC),
        requested_by=alice,
        requested_at=datetime(2026, 7, 1, tzinfo=UTC),
        approved_by=ines,
        approved_at=datetime(2026, 7, 2, tzinfo=UTC),
    )
    rebuild(quarters, at=now)
    text = as_alice.get("/review/2026-q3/").content.decode()
    assert "1 exemption was in force on 30 Sep 2026" in text
    assert "They left 1 enrollment out of the quarters above." in text
    assert "1 exemption ends in Q4 2026." in text
    assert "Ines Halloran" in text
    assert "2 people were past due." in text


def test_the_review_stays_within_twelve_queries(
    as_alice: Client, company: Account, django_assert_max_num_queries: DjangoAssertNumQueries, now: datetime
) -> None:
    today = now.date()
    for address in ("2025-q2", f"{today.year}-q{(today.month + 2) // 3}"):
        with django_assert_max_num_queries(12):
            assert as_alice.get(f"/review/{address}/").status_code == 200
    with django_assert_max_num_queries(12):
        assert as_alice.get("/review/2025-q2/?department=0").status_code == 200


def test_a_quarter_without_training_says_so(as_alice: Client, published: SyncRun) -> None:
    text = as_alice.get("/review/2025-q2/").content.decode()
    assert "No training fell due in Q2 2025." in text
    assert "No department had training due" in text
    assert "No campaign ran in the quarter" in text
    assert "These campaigns came without content." in text


def test_the_short_address_leads_to_the_latest_quarter(as_alice: Client, company: Account) -> None:
    response = as_alice.get("/review/?as_of=2026-08-15")
    assert response.headers["Location"] == "/review/2026-q2/?as_of=2026-08-15"


@pytest.mark.parametrize("address", ["2099-q1", "2026-q5", "2026-q0", "1999-q1", "9999-q4"])
def test_a_quarter_that_is_none_is_not_found(as_alice: Client, company: Account, address: str) -> None:
    assert as_alice.get(f"/review/{address}/").status_code == 404


def test_a_state_cannot_be_asked(as_alice: Client, company: Account) -> None:
    assert as_alice.get("/review/2026-q1/?state=past_due").status_code == 400


def test_without_data_the_overview_tells_how_to_connect(as_alice: Client) -> None:
    assert as_alice.get("/review/").headers["Location"] == "/"
    assert as_alice.get("/review/2026-q3/").headers["Location"] == "/"


def test_charlie_sees_nothing(client: Client, charlie: User, company: Account) -> None:
    client.force_login(charlie)
    assert client.get("/review/2026-q1/").status_code == 403
