"""The report command: the pages' own numbers, in each format, as anyone sees them, as of any day."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management.base import CommandError

from dashboard.access import Scope
from dashboard.figures.cohorts import cohorts
from dashboard.figures.counts import figures, figures_by
from dashboard.figures.selection import By, Filters
from dashboard.local_days import local_midnight
from dashboard.metrics.registry import REGISTRY
from dashboard.models import Membership
from sync.models import Account, Campaign, Department, Enrollment, Person, SyncRun
from sync.simulator.server import Simulator
from tests import factories

Report = Callable[..., str]
Sync = Callable[[], SyncRun]
DAY = date(2026, 9, 30)


def scope_of(account: Account) -> Scope:
    return Scope(account=account, roles=frozenset({Membership.Role.ADMINISTRATOR}))


def read(text: str) -> Any:
    return json.loads(text)


def numbers(told: Any) -> dict[str, Any]:
    """Return all that must not depend on which sync is the last one."""
    return {key: value for key, value in told.items() if key != "sync_run"}


def test_report_tells_what_the_queries_tell(sync: Sync, connected: Account, report: Report) -> None:
    run = sync()
    told = read(report("all", "--as-of", "2026-09-30", "--format", "json"))
    as_of = datetime(2026, 9, 30, 22, 0, tzinfo=UTC)
    assert local_midnight(DAY + timedelta(days=1), connected.zone) == as_of
    assert datetime.fromisoformat(told["as_of"]) == as_of
    assert (told["as_of_day"], told["sync_run"]["id"], told["scope"]) == ("2026-09-30", run.pk, "All departments")
    assert [metric["name"] for metric in told["metrics"]] == list(REGISTRY)
    totals = figures(scope_of(connected), as_of=as_of)
    values = told["total"]["values"]
    assert totals.net.counted > 500
    assert values["completion_rate"]["net"] == {
        "value": totals.net.completion_rate.percent,
        "shown": values["completion_rate"]["net"]["shown"],
        "numerator": totals.net.completed,
        "denominator": totals.net.counted,
    }
    assert values["past_due"]["net"]["value"] == totals.net.past_due
    assert values["people_compliant"]["gross"]["denominator"] == totals.gross.people_counted
    assert told["total"]["exempt"] == totals.exempt


@pytest.mark.parametrize("by", ["department", "manager", "campaign", "content_type", "group"])
def test_rows_are_the_groups(sync: Sync, connected: Account, report: Report, by: str) -> None:
    sync()
    told = read(report("completion_rate", "past_due", "--by", by, "--as-of", "2026-09-30", "--format", "json"))
    as_of = local_midnight(DAY + timedelta(days=1), connected.zone)
    groups = figures_by(scope_of(connected), By(by), as_of=as_of)
    assert [row["key"] for row in told["rows"]] == [group.key for group in groups]
    for row, group in zip(told["rows"], groups, strict=True):
        assert row["name"]
        assert row["values"]["completion_rate"]["net"]["numerator"] == group.totals.net.completed
        assert row["values"]["past_due"]["gross"]["value"] == group.totals.gross.past_due


@pytest.mark.parametrize("by", [By.QUARTER, By.MONTH])
def test_periods_end_with_the_day_asked_for(sync: Sync, connected: Account, report: Report, by: By) -> None:
    sync()
    arguments = ("completion_rate", "due", "--by", by.value, "--periods", "5", "--as-of", "2026-09-30")
    rows = read(report(*arguments, "--format", "json"))["rows"]
    assert len(rows) == 5
    assert rows[-1]["start"] == ("2026-07-01" if by == By.QUARTER else "2026-09-01")
    assert rows[-1]["end"] == "2026-10-01"
    as_of = local_midnight(DAY + timedelta(days=1), connected.zone)
    found = cohorts(scope_of(connected), as_of=as_of, period=by, first=date(2024, 1, 1), last=DAY)
    by_start = {row.start.isoformat(): row for row in found}
    for row in rows:
        start = date.fromisoformat(row["start"])
        cohort, before = by_start[row["start"]].net, by_start[start.replace(year=start.year - 1).isoformat()].net
        cells = row["values"]["completion_rate"]
        assert (cells["net"]["numerator"], cells["net"]["denominator"]) == (cohort.completed_by_end, cohort.due)
        assert cells["year_before"]["denominator"] == before.due


@pytest.mark.slow
def test_a_past_day_stays_as_it_was_through_later_syncs(
    sync: Sync, simulator: Simulator, connected: Account, report: Report, now: datetime
) -> None:
    """Facts of a month ago that later syncs bring or correct would change it; these bring what happened since."""
    sync()
    simulator.clock.set(now + timedelta(days=1))
    first = sync()
    day = ("--as-of", "2026-08-31", "--format", "json")
    asked = [("all", *day), ("completion_rate", "people_past_due", "--by", "department", *day)]
    before = [read(report(*arguments)) for arguments in asked]
    simulator.clock.set(now + timedelta(days=9))
    second = sync()
    assert second.changes.exists()
    after = [read(report(*arguments)) for arguments in asked]
    assert [told["sync_run"]["id"] for told in (before[0], after[0])] == [first.pk, second.pk]
    touched = later_facts(connected, second, datetime(2026, 8, 31, 22, 0, tzinfo=UTC))
    assert not touched, "the sync touched that day's facts: choose another day"
    assert list(map(numbers, after)) == list(map(numbers, before))
    today = read(report("all", "--format", "json"))
    assert today["total"] != after[0]["total"]


def later_facts(account: Account, run: SyncRun, at: datetime) -> list[str]:
    """Return what the run changed or brought that was so at the moment."""
    late = Enrollment.objects.filter(account=account, first_seen_at=run.published_at, enrolled_at__lte=at)
    dated = ("started_at", "completed_at", "due_at", "removed_at", "archived_at")
    changed = run.changes.filter(field__in=dated, new__isnull=False, new__lte=at.isoformat())
    undone = run.changes.filter(field__in=dated, old__isnull=False, old__lte=at.isoformat())
    return [str(row) for rows in (late, changed, undone) for row in rows]


def test_filters_narrow_and_are_told(sync: Sync, connected: Account, report: Report) -> None:
    sync()
    campaign = Campaign.objects.filter(account=connected).order_by("-start_at", "pk")[3]
    department = Department.objects.exclude(key="").order_by("pk")[0]
    arguments = ("counted", "--campaign", str(campaign.knowbe4_id), "--department", department.name.upper())
    told = read(report(*arguments, "--format", "json"))
    as_of = datetime.fromisoformat(told["as_of"])
    filters = Filters(campaigns=frozenset({campaign.pk}), departments=frozenset({department.pk}))
    counted = figures(scope_of(connected), as_of=as_of, filters=filters).net.counted
    assert told["total"]["values"]["counted"]["net"]["value"] == counted
    assert told["filters"] == {"departments": [department.name], "campaigns": [campaign.name]}
    assert f"Filters: departments: {department.name}; campaigns: {campaign.name}" in report(*arguments)
    manager = Person.objects.filter(reports__isnull=False, removed_at=None).order_by("pk")[0]
    whole, direct = (
        read(report("people_active", "--manager", manager.email, *more, "--format", "json"))
        for more in ((), ("--direct",))
    )
    assert direct["filters"] == {"manager": str(manager), "line": "direct reports"}
    people = [told["total"]["values"]["people_active"]["net"]["value"] for told in (whole, direct)]
    assert people[0] >= people[1] > 0


def test_table_says_what_it_stands_on(sync: Sync, report: Report) -> None:
    run = sync()
    text = report("completion_rate,past_due", "days to complete", "--as-of", "2026-09-30")
    lines = text.splitlines()
    assert lines[0].split() == ["Metric", "Net", "Parts", "Gross", "Exempt"]
    assert lines[2].startswith("Completion rate ")
    assert "Brackwater, as of the end of 2026-09-30 (2026-10-01 00:00:00 CEST)" in lines
    assert any(line.startswith(f"From sync run {run.number}, published 2026-11-23 ") for line in lines)
    assert lines[-1] == "Scope: All departments"
    rows = report("completion_rate", "people_past_due", "--by", "department").splitlines()
    assert len({len(line) for line in rows[1:3]}) == 1
    assert "Completion rate" in rows[0]
    assert "People past due (people)" in rows[0]
    assert any(line.startswith("Total ") for line in rows)


def test_csv_opens_in_a_spreadsheet_and_runs_nothing(sync: Sync, report: Report) -> None:
    sync()
    department = Person.objects.filter(department__isnull=False, status="active").order_by("pk")[0].department
    assert department is not None
    Department.objects.filter(pk=department.pk).update(name='=HYPERLINK("x")')
    text = report("completion_rate", "past_due", "--by", "department", "--format", "csv", "--as-of", "2026-09-30")
    assert text.startswith("\ufeffDepartment,Key,Completion rate (%),")
    rows = list(csv.DictReader(StringIO(text.removeprefix("\ufeff"))))
    assert '\'=HYPERLINK("x")' in [row["Department"] for row in rows]
    total = rows[-1]
    assert total["Department"] == "Total"
    parts = [int(total[f"Completion rate: {name}"]) for name in ("completed", "enrollments counted")]
    assert float(total["Completion rate (%)"]) == parts[0] * 1000 // parts[1] / 10
    assert total["As of"] == "2026-10-01T00:00:00+02:00"
    assert total["Scope"] == "All departments"


def test_scope_is_the_readers(sync: Sync, connected: Account, report: Report) -> None:
    sync()
    reader = factories.MembershipFactory(account=connected, user__email="reader@brackwater.example").user
    told = read(report("counted", "--as", "Reader@brackwater.example", "--format", "json"))
    assert (told["reader"], told["scope"]) == (reader.email, "All departments")
    assert "as reader@brackwater.example sees it" in report("counted", "--as", reader.email)
    stranger = factories.MembershipFactory(account=factories.AccountFactory(name="Elsewhere")).user
    for email, message in (
        ("nobody@brackwater.example", "Nobody signs in as 'nobody@brackwater.example'."),
        (stranger.email, f"{stranger.email} has no access to Brackwater."),
    ):
        with pytest.raises(CommandError, match=message) as refused:
            report("counted", "--as", email, "--account", "Brackwater")
        assert refused.value.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("completion",), "There is no metric 'completion'. Did you mean: completion_rate"),
        (("counted", "--as-of", "yesterday"), "'yesterday' is neither a day"),
        (("counted", "--as-of", "9999-12-31"), "is neither a day"),
        (("counted", "--campaign", "1", "--campaign", "-5"), "There is no campaign"),
        (("counted", "--department", "Nowhere"), "There is no department 'Nowhere'"),
        (("counted", "--manager", "gone@x.example"), "There is no manager"),
        (("counted", "--group", "Nothing"), "There is no group"),
        (("counted", "--content-type", "Scroll"), "There is no content type"),
        (("counted", "--account", "Elsewhere"), "Say which account with --account; there are: Brackwater"),
        (("coverage", "--by", "campaign"), "Coverage is not worked out by campaign"),
        (("coverage", "--by", "quarter"), "Coverage is not in a quarter's row"),
        (("counted", "--by", "age"), "Counted is not worked out by age"),
        (("training_after_failure", "--by", "campaign"), "Training after failure is not worked out by campaign"),
        (("days_to_complete", "--by", "manager"), "add --direct"),
        (("due", "--by", "quarter", "--periods", "0"), "at least one period"),
    ],
)
def test_misuse_is_one_sentence(report: Report, arguments: tuple[str, ...], message: str, published: None) -> None:
    with pytest.raises(CommandError) as refused:
        report(*arguments)
    assert message in str(refused.value)
    assert refused.value.returncode == 2


@pytest.fixture
def published(db: None) -> None:
    """Provide an account that published nothing but its run."""
    factories.publish(factories.SyncRunFactory(account=factories.AccountFactory(name="Brackwater")))


def test_without_a_published_sync_it_says_so(db: None, report: Report) -> None:
    with pytest.raises(CommandError, match="There is no account yet"):
        report("counted")
    factories.AccountFactory(name="Brackwater")
    with pytest.raises(CommandError, match="Nothing of Brackwater was published yet") as refused:
        report("counted")
    assert refused.value.returncode == 1


def test_an_empty_account_has_no_rates(published: None, report: Report) -> None:
    told = read(report("completion_rate", "days_to_complete", "--format", "json"))
    cell = {"value": None, "shown": "–", "numerator": 0, "denominator": 0}
    assert [told["total"]["values"][name]["net"] for name in ("completion_rate", "days_to_complete")] == [cell, cell]
    assert "Nobody and nothing" in report("completion_rate", "--by", "department")


@pytest.mark.slow
def test_on_the_command_line_misuse_exits_with_two() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "report", "nothing_like_it"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no metric 'nothing_like_it'.")
