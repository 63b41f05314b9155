"""The Sync page's questions about a million enrollments are answered from indexes."""

import pytest
from django.db import connection

from dashboard.access import Scope
from dashboard.models import Membership
from dashboard.queries import sync_changes, vanished
from sync.models import Account, Change, SyncRun
from sync.models.training import DueSource
from tests import factories


@pytest.fixture
def scope(account: Account) -> Scope:
    """Return the scope of someone who sees everybody."""
    return Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("new", "enrollment_moments"),
        ("past due", "enrollment_moments"),
        ("vanished", "enrollment_vanished"),
        ("hidden", "enrollment_hidden_extension"),
    ],
)
def test_an_index_answers(scope: Scope, published: SyncRun, question: str, index: str) -> None:
    rows = {
        "new": sync_changes.new_rows(scope, published, Change.Subject.ENROLLMENT).order_by(),
        "past due": sync_changes.newly_past_due(scope, published).order_by(),
        "vanished": vanished.vanished_rows(scope, "enrollment"),
        "hidden": scope.enrollments().filter(due_source=DueSource.HIDDEN_EXTENSION, removed_at=None),
    }[question]
    with connection.cursor() as cursor:
        # Enough rows that the planner minds which index it takes; it would still read so small a table whole.
        cursor.execute(
            "INSERT INTO sync_enrollment (account_id, knowbe4_id, person_id, campaign_id, content_id, reported_status,"
            " enrolled_at, is_completion_observed, time_spent, policy_acknowledged, due_source, first_seen_at)"
            " SELECT account_id, 10000000 + n, person_id, campaign_id, content_id, reported_status, enrolled_at, false,"
            " 0, false, due_source, first_seen_at FROM sync_enrollment, generate_series(1, 20000) n WHERE id = %s",
            [factories.EnrollmentFactory(account=scope.account).pk],
        )
        cursor.execute("ANALYZE sync_enrollment")
        cursor.execute("SELECT brin_summarize_new_values('enrollment_moments')")
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in rows.explain()
