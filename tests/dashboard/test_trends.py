"""Trends: twelve quarters or months, their findings, the heat table, and what an address may ask."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.figures.selection import By
from dashboard.metrics import Cohort, Counts
from dashboard.models import Membership, User
from dashboard.queries.trends import Course, Period, Trend, trend
from dashboard.wording import trends as words
from dashboard.wording.trend_measures import MEASURES, settled
from sync.models import Account, Department, SyncRun

SETTLED = datetime(2026, 10, 1, tzinfo=UTC)


def course(name: str, *on_time: tuple[int, int], past_due: int = 0) -> Course:
    """Return a course whose cohorts have so many on time of so many due."""
    due = [Cohort(all_, all_, all_, all_, good, good) for good, all_ in on_time]
    return Course(len(name), name, due, [Counts(counted=9, people_counted=10, people_past_due=past_due)] * len(due))


def made(*departments: Course, is_running: bool = False) -> Trend:
    """Return a trend of the last two quarters, with four before them."""
    everybody = Course(
        0,
        "",
        [sum((each.due[place] for each in departments), Cohort()) for place in range(6)],
        [sum((each.stood[place] for each in departments), Counts()) for place in range(6)],
    )
    shown = [
        Period(date(2026, 4, 1), date(2026, 7, 1), datetime(2026, 7, 1, tzinfo=UTC), False),
        Period(date(2026, 7, 1), date(2026, 10, 1), SETTLED, is_running),
    ]
    return Trend(shown, 4, everybody, departments)


@pytest.fixture
def scope(company: Account) -> Scope:
    return Scope(account=company, roles=frozenset({Membership.Role.SECURITY_MANAGER}))


def test_trends_shows_four_charts_and_the_departments(as_alice: Client, company: Account) -> None:
    response = as_alice.get("/trends/")
    assert response.status_code == 200
    text = response.content.decode()
    assert "On-time completion was" in text
    for name in ("trend-completion", "trend-on-time", "trend-past-due", "trend-compliant"):
        assert f'id="{name}"' in text
        assert f'id="{name}-finding"' in text
    assert text.count("Show as table") == 4
    assert text.count('type="application/json"') == 4
    assert "Customer Service" in text
    assert "No department" in text
    assert len(re.findall(r'<th scope="col" class="c">', text)) == 12
    assert 'aria-current="page"' in text


def test_trends_by_month_and_by_another_measure(as_alice: Client, company: Account) -> None:
    text = as_alice.get("/trends/", {"period": "month", "measure": "past_due"}).content.decode()
    assert "People past due at the end of the month" in text
    assert "has the most people past due" in text
    assert "/past-due/?" in text


def test_trends_stay_within_twelve_queries(
    as_alice: Client, company: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    department = Department.objects.get(name="Claims")
    for query in ({}, {"department": department.pk}, {"period": "month"}, {"basis": "then", "as_of": "2026-09-30"}):
        with django_assert_max_num_queries(12):
            assert as_alice.get("/trends/", query).status_code == 200


def test_the_fragment_is_only_what_changes(as_alice: Client, company: Account) -> None:
    text = as_alice.get("/trends/", headers={"HX-Request": "true", "HX-Target": "trends"}).content.decode()
    assert text.strip().startswith('<div id="trends">')
    assert "<html" not in text
    assert "<html" in as_alice.get("/trends/", headers={"HX-Request": "true"}).content.decode()


def test_a_filter_narrows_and_is_kept_in_links(as_alice: Client, company: Account) -> None:
    department = Department.objects.get(name="Claims")
    text = as_alice.get("/trends/", {"department": department.pk}).content.decode()
    assert f"?department={department.pk}" in text
    assert "Customer Service</a></th>" not in text


def test_nothing_due_says_so_and_names_the_filter_to_drop(as_alice: Client, published: SyncRun) -> None:
    assert "No training that counts has fallen due" in as_alice.get("/trends/").content.decode()
    narrowed = as_alice.get("/trends/", {"department": 0}).content.decode()
    assert "Drop a filter to see more" in narrowed


def test_a_past_day_ends_with_its_own_quarter(as_alice: Client, company: Account, now: datetime) -> None:
    day = now.date() - timedelta(days=40)
    text = as_alice.get("/trends/", {"as_of": day.isoformat()}).content.decode()
    assert "You are looking at the past." in text
    last = re.findall(r'<th scope="col" class="c">(Q\d \d\d)', text)[-1]
    assert last == f"Q{(day.month + 2) // 3} {day:%y}"


@pytest.mark.parametrize("query", ["period=week", "measure=speed", "state=past_due", "department=x"])
def test_what_cannot_be_asked_is_refused(as_alice: Client, company: Account, query: str) -> None:
    assert as_alice.get(f"/trends/?{query}").status_code == 400


def test_without_data_the_overview_tells_how_to_connect(as_alice: Client) -> None:
    assert as_alice.get("/trends/").headers["Location"] == "/"


def test_charlie_sees_nothing(client: Client, charlie: User, company: Account) -> None:
    client.force_login(charlie)
    assert client.get("/trends/").status_code == 403


def test_whoever_sees_nobody_gets_empty_periods(company: Account, now: datetime) -> None:
    found = trend(Scope(account=company, roles=frozenset()), as_of=now)
    assert found.is_empty
    assert len(found.periods) == 12


def test_departments_add_up_to_everybody(scope: Scope, now: datetime) -> None:
    found = trend(scope, as_of=now, period=By.MONTH)
    assert len(found.periods) == 12
    assert len(found.everybody.due) == 24
    assert sum(cohort.due for cohort in found.everybody.due) == sum(
        cohort.due for each in found.departments for cohort in each.due
    )
    assert found.everybody.stood[-1].people_past_due > 0


def test_a_running_quarter_is_told_beside_the_one_before() -> None:
    steady = (80, 100)
    found = made(course("Claims", *[steady] * 5, (90, 100)), is_running=True)
    assert settled(found, MEASURES["on_time"]) == 0
    assert words.chart_finding(found, MEASURES["on_time"], By.QUARTER) == (
        "On time was 80.0% in Q2 2026; Q3 stands at 90.0% so far"
    )


def test_a_finding_compares_with_the_quarter_before() -> None:
    found = made(course("Claims", *[(80, 100)] * 5, (90, 100), past_due=1))
    assert words.chart_finding(found, MEASURES["on_time"], By.QUARTER) == (
        "On time was 90.0% in Q3 2026, 10.0 points over Q2"
    )
    assert words.chart_finding(found, MEASURES["past_due"], By.QUARTER) == ("1 person is past due, as at the end of Q2")


def test_the_lead_names_who_turned_the_change() -> None:
    up = course("Sales", *[(80, 100)] * 5, (85, 100))
    down = course("Claims", *[(80, 100)] * 5, (50, 100))
    parts, context = words.lead(made(up, down), By.QUARTER)
    assert "".join(text for text, _place in parts) == (
        "On-time completion was 67.5% in Q3 2026, down 12.5 points in a year and 12.5 points under Q2."
    )
    assert context == "Without Claims it would have gone up."


def test_the_lead_names_who_moved_most_when_all_moved_alike() -> None:
    parts, context = words.lead(
        made(course("Sales", *[(80, 100)] * 5, (79, 100)), course("Claims", *[(80, 100)] * 5, (70, 100))), By.QUARTER
    )
    assert context == "Claims fell most, by 10.0 points."
    assert parts[-1][0].endswith("under Q2.")


def test_nothing_due_has_a_sentence_of_its_own() -> None:
    found = made(course("Sales", *[(0, 0)] * 6))
    assert words.chart_finding(found, MEASURES["completion"], By.QUARTER) == "Nothing fell due in Q3 2026"
    assert words.lead(found, By.QUARTER)[0][0][0] == "Nothing fell due in Q3 2026."
    assert words.heat_finding(found, MEASURES["on_time"], By.QUARTER).startswith("No department has enough")


def test_the_heat_table_names_the_lowest_and_who_fell_most() -> None:
    low = course("Claims", *[(50, 100)] * 6)
    fallen = course("Sales", *[(90, 100)] * 5, (80, 100))
    assert words.heat_finding(made(low, fallen), MEASURES["on_time"], By.QUARTER) == (
        "Claims was lowest in Q3 2026, at 50.0%; Sales fell most, by 10.0 points"
    )
    perfect = made(course("Claims", *[(100, 100)] * 6))
    assert words.heat_finding(perfect, MEASURES["on_time"], By.QUARTER) == (
        "Every department stands at 100% in Q3 2026"
    )
