"""One campaign: its sentence, burn-up, lists, cost, and what it says where there is nothing to show."""

import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import plotly.graph_objects as go
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard import rollups
from dashboard.access import Scope
from dashboard.charts import burn_up as chart
from dashboard.figures.counts import figures_by
from dashboard.figures.selection import By, Filters
from dashboard.models import CampaignSetting, Exemption, RollupState, User
from dashboard.queries import campaign as queries
from dashboard.queries.campaign import BurnDay, Show
from dashboard.queries.campaigns import plans
from dashboard.wording import campaign as words
from sync.models import Account, Campaign, Enrollment
from tests import factories


@pytest.fixture
def counted(company: Account, now: datetime) -> Account:
    """Return the small company with its numbers worked out, and one person excused from the autumn campaign."""
    autumn = Campaign.objects.get(name="Autumn awareness 2026")
    enrollment = Enrollment.objects.filter(campaign=autumn).order_by("pk")[0]
    Exemption.objects.create(
        account=company,
        person=enrollment.person,
        campaign=autumn,
        reason=Exemption.Reason.LEAVE,
        starts_at=now - timedelta(days=10),
        ends_at=now + timedelta(days=10),
        requested_by=factories.UserFactory(),
        requested_at=now - timedelta(days=10),
        approved_by=factories.UserFactory(),
        approved_at=now - timedelta(days=9),
    )
    rollups.rebuild(company, at=now)
    return company


@pytest.fixture
def autumn(counted: Account) -> Campaign:
    """Return the campaign whose deadline was 24 days ago."""
    return Campaign.objects.get(account=counted, name="Autumn awareness 2026")


def _scope(account: Account) -> Scope:
    return Scope(account=account, roles=frozenset({"security_manager"}))


def _lead(text: str) -> str:
    found = re.search(r'class="lead">(.*?)</p>', text, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def test_a_campaign_says_how_far_it_is_against_its_deadline(as_alice: Client, autumn: Campaign) -> None:
    text = as_alice.get(f"/campaigns/{autumn.pk}/").content.decode()
    assert re.fullmatch(
        r"\d\d\.\d% have completed it, 2[34] days after the deadline\. \d+ people are past due\.", _lead(text)
    )
    assert "had by the deadline" in text
    assert "Campaigns of this name" in text or "Not looked at yet" in text
    assert "The campaign’s end, the same for everybody" in text
    assert "1 exempt" in text


def test_a_campaign_counts_what_figures_count(autumn: Campaign, counted: Account, now: datetime) -> None:
    scope = _scope(counted)
    filters = Filters(campaigns=frozenset({autumn.pk}))
    for as_of in (now, now.astimezone(counted.zone).replace(hour=0, minute=0, second=0, microsecond=0)):
        found = queries.figures_of(scope, autumn, as_of=as_of)
        assert found.totals == figures_by(scope, By.CAMPAIGN, as_of=as_of, filters=filters)[0].totals
        groups = figures_by(scope, By.DEPARTMENT, as_of=as_of, filters=filters, with_people=False)
        assert list(found.departments) == groups
        assert found.days[-1].completed == found.totals.net.completed
        assert found.days[-1].counted == found.totals.net.counted
    assert found.totals.exempt == 1


def test_a_burn_up_is_the_same_from_facts(autumn: Campaign, counted: Account, now: datetime) -> None:
    scope = _scope(counted)
    from_tallies = queries.figures_of(scope, autumn, as_of=now)
    RollupState.objects.update(tallies_from=None)
    from_facts = queries.figures_of(scope, autumn, as_of=now)
    assert from_facts.days == from_tallies.days
    assert from_facts.totals == from_tallies.totals


def test_a_burn_up_agrees_with_the_figures_of_each_day(autumn: Campaign, counted: Account, now: datetime) -> None:
    scope = _scope(counted)
    days = queries.figures_of(scope, autumn, as_of=now).days
    for row in days[:-1:9]:
        midnight = datetime.combine(row.date + timedelta(days=1), datetime.min.time(), tzinfo=counted.zone)
        then = queries.figures_of(scope, autumn, as_of=midnight).totals.net
        assert (row.completed, row.counted) == (then.completed, then.counted)


def test_every_list_holds_as_many_rows_as_it_says(autumn: Campaign, counted: Account, now: datetime) -> None:
    scope = _scope(counted)
    counts = queries.counts_by_show(queries.figures_of(scope, autumn, as_of=now).totals)
    assert counts == queries.count_listed(scope, autumn, as_of=now)
    states = {Show.COMPLETED: "completed", Show.PAST_DUE: "past_due", Show.NOT_STARTED: "not_started"}
    for show, count in counts.items():
        rows = queries.listed(scope, autumn, show, count, as_of=now)[0:1000]
        assert len(rows) == count
        assert all(row.state == states[show] for row in rows if show in states)
    late = queries.listed(scope, autumn, Show.LATE, counts[Show.LATE], as_of=now)[0:1000]
    assert late
    assert all(row.is_late for row in late)


def test_lists_are_narrowed_by_department(as_alice: Client, autumn: Campaign, counted: Account, now: datetime) -> None:
    group = queries.figures_of(_scope(counted), autumn, as_of=now).departments[0]
    text = as_alice.get(f"/campaigns/{autumn.pk}/?department={group.key}").content.decode()
    assert f"Only people of {group.name}." in text
    assert f"{group.totals.net.counted} enrollments</p>" in text


def test_a_list_is_swapped_alone(as_alice: Client, autumn: Campaign) -> None:
    response = as_alice.get(
        f"/campaigns/{autumn.pk}/?state=past_due&page=2",
        headers={"HX-Request": "true", "HX-Target": "campaign-people"},
    )
    text = response.content.decode()
    assert text.lstrip().startswith("<section")
    assert "<h1>" not in text
    assert 'class="status status-due"' in text
    assert 'class="status status-done"' not in text


def test_a_campaign_stays_within_twelve_queries(
    as_alice: Client, autumn: Campaign, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    # One more where a filter names something: has it anybody left?
    for query, most in {"": 12, "?state=past_due": 12, "?show=late&department=1": 13, "?as_of=2026-03-01": 12}.items():
        with django_assert_max_num_queries(most):
            assert as_alice.get(f"/campaigns/{autumn.pk}/{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["state=odd", "state=past_due&state=completed", "show=all", "show=late&state=completed"]
)
def test_a_campaign_refuses_what_cannot_be_asked(as_alice: Client, autumn: Campaign, query: str) -> None:
    assert as_alice.get(f"/campaigns/{autumn.pk}/?{query}").status_code == 400


def test_a_campaign_of_another_account_is_not_found(as_alice: Client, autumn: Campaign) -> None:
    other = factories.CampaignFactory(account=factories.AccountFactory())
    assert as_alice.get(f"/campaigns/{other.pk}/").status_code == 404
    assert as_alice.get(f"/campaigns/{other.pk}/knowbe4/").status_code == 404
    assert as_alice.get("/campaigns/999999999/").status_code == 404


def test_a_campaign_needs_a_membership(client: Client, charlie: User, autumn: Campaign) -> None:
    client.force_login(charlie)
    assert client.get(f"/campaigns/{autumn.pk}/").status_code == 403


def test_a_campaign_on_a_past_day_knows_nothing_later(as_alice: Client, autumn: Campaign, now: datetime) -> None:
    day = now.date() - timedelta(days=40)
    text = as_alice.get(f"/campaigns/{autumn.pk}/?as_of={day}").content.decode()
    assert "days before the deadline" in _lead(text)
    assert "past due" not in _lead(text)
    assert f"as_of={day}" in text


def test_a_campaign_that_waits_says_when_it_starts(as_alice: Client, counted: Account) -> None:
    waiting = Campaign.objects.get(name="Code of conduct policy 2027")
    text = as_alice.get(f"/campaigns/{waiting.pk}/").content.decode()
    assert re.match(r"It starts in \d+ days, on", _lead(text))
    assert 'id="burn-up"' not in text
    assert "No active person is enrolled in this campaign." in text


def test_a_cancelled_campaign_lists_its_enrollments_and_counts_none(as_alice: Client, counted: Account) -> None:
    cancelled = Campaign.objects.get(name="Withdrawn pilot")
    text = as_alice.get(f"/campaigns/{cancelled.pk}/").content.decode()
    assert _lead(text).startswith("This campaign was cancelled in KnowBe4, so no figure counts it.")
    assert "160 enrollments</p>" in text
    assert 'id="statuses"' not in text


def test_an_optional_campaign_says_that_it_is_in_no_figure(
    as_alice: Client, autumn: Campaign, counted: Account, now: datetime
) -> None:
    CampaignSetting.objects.create(account=counted, campaign=autumn, requirement="optional")
    rollups.rebuild(counted, at=now)
    text = as_alice.get(f"/campaigns/{autumn.pk}/").content.decode()
    assert _lead(text).startswith("This campaign is optional, so no figure counts it.")


def test_a_campaign_that_has_just_begun_explains_its_zero(as_alice: Client, counted: Account, now: datetime) -> None:
    fresh = factories.CampaignFactory(
        account=counted, name="Clean desk", start_at=now - timedelta(days=2), end_at=now + timedelta(days=20)
    )
    factories.EnrollmentFactory(account=counted, campaign=fresh, enrolled_at=now - timedelta(days=2))
    rollups.rebuild(counted, at=now)
    lead = _lead(as_alice.get(f"/campaigns/{fresh.pk}/").content.decode())
    assert lead == "No one has completed it yet. It enrolled its first people 2 days ago; 20 days are left."


def test_a_campaign_beside_knowbe4(
    as_alice: Client, autumn: Campaign, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Campaign.objects.filter(pk=autumn.pk).update(completion_percentage=90)
    page = as_alice.get(f"/campaigns/{autumn.pk}/").content.decode()
    assert f'href="/campaigns/{autumn.pk}/knowbe4/"' in page
    with django_assert_max_num_queries(12):
        text = as_alice.get(f"/campaigns/{autumn.pk}/knowbe4/?reason=exempt").content.decode()
    assert "KnowBe4 says 90%" in _lead(text)
    assert "1 enrollment</p>" in text
    assert as_alice.get(f"/campaigns/{autumn.pk}/knowbe4/?reason=luck").status_code == 400


# Sentences and charts, from days alone


def _days(*counts: int, whole: int = 100, first: date = date(2026, 10, 1)) -> list[BurnDay]:
    return [BurnDay(first + timedelta(days=place), count, whole) for place, count in enumerate(counts)]


def test_half_is_reached_when_it_stays_reached() -> None:
    days = [*_days(60), BurnDay(date(2026, 10, 2), 60, 200), BurnDay(date(2026, 10, 3), 100, 200)]
    assert words.reached(days, 50) == date(2026, 10, 3)
    assert words.reached(days, 75) is None
    assert words.reached([], 50) is None


@pytest.mark.parametrize(
    ("counts", "deadline", "expected"),
    [
        ((10, 20, 30), None, "30.0% have finished after 2 days"),
        (tuple(range(1, 12)), None, "The last week added 7.0 points"),
        ((9,) * 12, None, "The share has not grown in the last week"),
        ((10, 60, 70), None, "Half had finished by 2 Oct; three quarters have not yet"),
        ((10, 60, 80), None, "Half had finished by 2 Oct, three quarters by 3 Oct"),
        ((60, 70, 80), date(2026, 10, 2), "Half had finished on the first day; 70.0% had by the deadline"),
        ((10, 20, 30), date(2026, 10, 2), "20.0% had finished by the deadline"),
    ],
)
def test_burn_findings(counts: tuple[int, ...], deadline: date | None, expected: str) -> None:
    assert words.burn_finding(_days(*counts), deadline) == expected


def test_a_chart_ends_when_nothing_happens_any_more() -> None:
    days = _days(10, 50, *[60] * 900)
    assert len(chart.window(days, None)) == 3 + chart.FEWEST_DAYS_AFTER
    assert len(chart.window(days, date(2026, 10, 31))) == 61
    assert chart.window(days[:1], None) == days[:1]


def test_a_chart_marks_its_days_and_extends_to_the_deadline() -> None:
    days = _days(*range(0, 100, 4))
    drawn = chart.burn_up(days, date(2026, 11, 30), chart.WIDE)
    assert [mark.label for mark in drawn.marks] == ["75% on 20 Oct", "50% on 14 Oct"]
    assert drawn.deadline is not None
    assert drawn.deadline.x == chart.WIDE.width - chart.WIDE.right
    assert drawn.last.x < drawn.deadline.x
    assert drawn.last.label == "96.0%"
    assert chart.burn_up(days[:1], None, chart.NARROW).last.label == "0.0%"


def test_a_long_chart_is_drawn_with_few_points_and_keeps_its_ends() -> None:
    days = _days(*range(1100), whole=2000)
    thin = chart.thinned(days, [days[501].date])
    assert len(thin) <= chart.MOST_POINTS + 3
    assert thin[0] == days[0]
    assert thin[-1] == days[-1]
    assert days[501] in thin
    assert len(chart.table_rows(days)) <= chart.TABLE_ROWS


@pytest.mark.parametrize("deadline", [None, date(2026, 10, 8), date(2026, 12, 1), date(2026, 9, 1)])
def test_the_figure_passes_plotlys_own_checks(deadline: date | None) -> None:
    figure = chart.figure(_days(*range(0, 100, 4)), deadline)
    assert go.Figure(json.loads(json.dumps(figure))).data[0].y[-1] == 96


def test_a_forecast_follows_the_last_week(counted: Account, now: datetime) -> None:
    campaign = Campaign.objects.filter(name="Use of AI tools policy")
    plan = plans(campaign, as_of=now)[0]
    figures = queries.figures_of(_scope(counted), plan.campaign, as_of=now)
    steady = _days(*range(0, 40, 2))
    halfway = replace(figures, days=tuple(steady))
    net = figures.totals.net._replace(counted=100, completed=38, past_due=0)
    lead = words.campaign_lead(
        plan, replace(halfway, totals=figures.totals._replace(net=net)), as_of=now, zone=counted.zone
    )
    # Two a day for a little over four days.
    assert lead.context == "At the pace of the last week, about 46% will have by then."
