"""Sentences that must read well for none, one and many."""

from datetime import date, timedelta

import pytest

from dashboard.metrics import Age, Counts
from dashboard.queries.overview import Day, DepartmentRow, Headline
from dashboard.queries.past_due import AgeGroup
from dashboard.queries.past_due_groups import PastDueGroup
from dashboard.wording import findings

FIRST = date(2026, 8, 26)


def headline(now: int, before: int) -> Headline:
    return Headline(Counts(counted=400, people_past_due=now), Counts(counted=390, people_past_due=before), FIRST)


def department(name: str, people: int, past_due: int) -> DepartmentRow:
    return DepartmentRow(len(name), name, Counts(counted=people, people_active=people, people_past_due=past_due))


@pytest.mark.parametrize(
    ("now", "before", "sentence"),
    [
        (176, 197, "176 people are past due, down from 197 a week ago."),
        (1204, 900, "1,204 people are past due, up from 900 a week ago."),
        (5, 5, "5 people are past due, as many as a week ago."),
        (1, 0, "1 person is past due, up from none a week ago."),
        (0, 0, "No one is past due. "),
        (0, 1, "No one is past due. A week ago 1 person was."),
        (0, 12, "No one is past due. A week ago 12 people were."),
    ],
)
def test_the_lead_compares_with_a_week_ago(now: int, before: int, sentence: str) -> None:
    lead = findings.overview_lead(headline(now, before), [])
    assert f"{lead.fact}{lead.comparison} {lead.context}".strip() == sentence.strip()


@pytest.mark.parametrize(
    ("rows", "context"),
    [
        ([("Claims", 20, 4), ("Sales", 20, 3)], "Claims has 4 of them."),
        ([("Claims", 20, 4), ("Sales", 20, 4)], ""),
        ([("Claims", 20, 7), ("Sales", 5, 0)], "All of them are in Claims."),
        ([("Claims", 20, 7)], ""),
        ([("", 20, 7)], ""),
        ([("", 20, 6), ("Sales", 5, 1)], "6 of them have no department."),
    ],
)
def test_the_lead_names_where_most_of_them_are(rows: list[tuple[str, int, int]], context: str) -> None:
    lead = findings.overview_lead(headline(7, 9), [department(*row) for row in rows])
    assert lead.context == context


def test_the_lead_says_when_nothing_counts() -> None:
    lead = findings.overview_lead(Headline(Counts(), Counts(), FIRST), [])
    assert lead.fact == "Nobody is enrolled in training that counts"


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ([0, 0, 0], "No one has been past due in the last 3 days"),
        ([4, 4, 4], "Past due has not moved in 3 days"),
        ([1, 2, 3], "Past due is at its highest in 3 days"),
        ([0, 9, 2], "Past due peaked at 9 on 27 Aug and stands at 2"),
        ([0, 9, 0], "Past due peaked at 9 on 27 Aug and has cleared since"),
    ],
)
def test_past_due_finding(counts: list[int], sentence: str) -> None:
    days = [Day(FIRST + timedelta(days=index), count) for index, count in enumerate(counts)]
    assert findings.past_due_finding(days) == sentence


@pytest.mark.parametrize(
    ("week", "old", "sentence"),
    [
        (0, 0, "No one is past due"),
        (3, 0, "No one has been past due for more than 30 days"),
        (3, 1, "1 person has been past due for more than 30 days"),
        (0, 65, "65 people have been past due for more than 30 days"),
    ],
)
def test_ageing_finding(week: int, old: int, sentence: str) -> None:
    assert findings.ageing_finding([AgeGroup(Age.WEEK, people=week), AgeGroup(Age.OLDER, people=old)]) == sentence


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("Claims", 20, 4), ("Sales", 10, 3)], "Sales has the most past due for its size"),
        ([("Claims", 20, 4), ("Sales", 10, 0)], "Claims has the most past due for its size; Sales has none"),
        (
            [("Claims", 20, 4), ("Sales", 10, 0), ("Law", 9, 0)],
            "Claims has the most past due for its size; Law and Sales have none",
        ),
        ([("Claims", 20, 0), ("Sales", 10, 0)], "No department has anyone past due"),
        ([("Claims", 2, 1), ("Sales", 3, 0)], "Only very small departments have anyone past due"),
        ([("Claims", 20, 1)], "1 of the 20 people in Claims is past due"),
        ([("Claims", 20, 0)], "Nobody in Claims is past due"),
        ([("", 20, 4)], "No one has a department in KnowBe4"),
        ([], "There is no department to show"),
    ],
)
def test_departments_finding(rows: list[tuple[str, int, int]], sentence: str) -> None:
    assert findings.departments_finding([department(*row) for row in rows]) == sentence


def test_due_soon_note_names_the_busiest_day() -> None:
    days = [Day(FIRST + timedelta(days=index), count) for index, count in enumerate([0, 3, 5])]
    assert findings.due_soon_note(days) == "Most on 28 Aug"
    assert findings.due_soon_note(days[:2]) == "All on 27 Aug"
    assert findings.due_soon_note(days[:1]) == "Nothing falls due"


@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        ([], "No manager has anyone past due"),
        ([4], "Everyone past due who has a manager reports to Manager 1"),
        ([6, 2, 2], "Manager 1 has 6 of the 10 people past due who have a manager"),
        ([3, 3, 2, 1], "No manager has more than 3 people past due; the 9 are spread over 4 teams"),
        ([1, 1], "No manager has more than 1 person past due; the 2 are spread over 2 teams"),
    ],
)
def test_managers_finding(people: list[int], sentence: str) -> None:
    groups = [PastDueGroup(key, f"Manager {key}", count) for key, count in enumerate(people, 1)]
    assert findings.managers_finding(groups) == sentence
