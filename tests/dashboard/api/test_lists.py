"""Lists: the rows behind the numbers, whole, in a stable order, as JSON and as CSV."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest

from dashboard import rollups
from dashboard.access import Scope
from dashboard.figures.counts import figures
from dashboard.models import Exemption, User
from sync.models import Account, Campaign, Change, ContentItem, Enrollment, Group, Person, SyncRun
from tests.dashboard.api.conftest import Program, token_for
from tests.dashboard.mcp.asking import ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(company: Account, alice: User) -> Program:
    """Return Alice's program."""
    return Program(token_for(alice, company))


def test_rows_add_up_to_the_figures(api: Program, company: Account, alice: User, ines: User, now: datetime) -> None:
    person = Person.objects.filter(account=company).order_by("pk").first()
    assert person is not None
    Exemption.objects.create(
        account=company, person=person, reason=Exemption.Reason.LEAVE, starts_at=now - timedelta(days=9),
        requested_by=alice, requested_at=now,
        approved_by=ines, approved_at=now,
    )  # fmt: skip
    rollups.rebuild(company, at=now)
    rows = api.rows("/enrollments", limit=300)
    totals = figures(Scope.of(alice), as_of=now)
    assert totals.exempt > 0 and totals.gross.counted == len(rows)
    assert sum(row["is_exempt"] for row in rows) == totals.exempt
    for state in ("completed", "past_due", "in_progress", "not_started"):
        found = [row for row in rows if row["state"] == state]
        assert len(found) == getattr(totals.gross, state), state
        assert len([row for row in found if not row["is_exempt"]]) == getattr(totals.net, state), state
        asked = api.rows("/enrollments", state=state, exempt="exclude", limit=1000, fields="enrollment_id")
        assert {one["enrollment_id"] for one in asked} == {
            row["enrollment_id"] for row in found if not row["is_exempt"]
        }
    assert sum(row["is_late"] for row in rows) == totals.gross.completed_late
    assert len(api.rows("/enrollments", exempt="only")) == totals.exempt


def test_numbers_equal_the_report(api: Program, company: Account, alice: User, now: datetime) -> None:
    totals = figures(Scope.of(alice), as_of=now)
    told = api.get("/metrics", metrics="completion_rate,past_due,coverage").json()
    values = told["total"]["values"]
    assert values["past_due"]["net"]["value"] == totals.net.past_due > 0
    assert values["completion_rate"]["net"]["numerator"] == totals.net.completed
    assert values["coverage"]["net"]["denominator"] == totals.net.people_active == 160
    by = api.get("/metrics", metrics="past_due", by="department").json()
    assert sum(row["values"]["past_due"]["net"]["value"] for row in by["rows"]) == totals.net.past_due
    past = api.get("/metrics", metrics="past_due", as_of="2020-01-01").json()
    assert past["as_of_day"] == "2020-01-01" and past["total"]["values"]["past_due"]["net"]["value"] == 0


def test_a_list_is_whole_at_any_size_of_page(api: Program) -> None:
    once = api.rows("/enrollments", limit=1000, fields="enrollment_id,state")
    assert len(once) > 500
    pages = api.rows("/enrollments", limit=97, fields="enrollment_id,state")
    assert pages == once and len({row["enrollment_id"] for row in once}) == len(once)


def test_pages_are_of_one_moment(api: Program, company: Account) -> None:
    first = api.get("/people", limit=2).json()
    second = api.get("/people", limit=2, cursor=first["next_cursor"]).json()
    assert second["as_of"] == first["as_of"]
    assert {row["person_id"] for row in first["data"]}.isdisjoint(row["person_id"] for row in second["data"])


def test_filters_are_those_of_report(api: Program, company: Account) -> None:
    rows = api.rows("/enrollments", department="claims", state="past_due", limit=1000)
    assert rows and {(row["department"], row["state"]) for row in rows} == {("Claims", "past_due")}
    assert all(row["days_past_due"] >= 1 for row in rows)
    told = api.get("/metrics", metrics="past_due", department="Claims").json()
    assert told["total"]["values"]["past_due"]["gross"]["value"] == len(rows)
    campaign = Campaign.objects.get(name="Autumn awareness 2026")
    rows = api.rows("/enrollments", campaign=campaign.knowbe4_id, limit=1000, fields="campaign_id,campaign")
    assert len(rows) == 160 and {row["campaign_id"] for row in rows} == {campaign.knowbe4_id}
    assert len(api.rows("/people", department="No department", limit=1000)) == 160 - 7 * 21


def test_what_is_not_counted_can_be_had(api: Program, company: Account) -> None:
    counted = {row["enrollment_id"] for row in api.rows("/enrollments", limit=1000)}
    rows = api.rows("/enrollments", uncounted="true", limit=1000)
    assert {row["enrollment_id"] for row in rows} > counted
    assert {row["enrollment_id"] for row in rows if row["is_counted"]} == counted
    assert {row["campaign"] for row in rows if not row["is_counted"]} == {"Withdrawn pilot"}
    # What both lists have, they tell alike.
    plain = {row["enrollment_id"]: row for row in api.rows("/enrollments", limit=1000)}
    assert {row["enrollment_id"]: row for row in rows if row["is_counted"]} == plain
    claims = api.rows("/enrollments", uncounted="true", department="Claims", content_type="Training Module", limit=1000)
    assert {row["department"] for row in claims} == {"Claims"} and any(not row["is_counted"] for row in claims)


def test_what_is_not_counted_says_so_beside_its_state(api: Program, company: Account, alice: User) -> None:
    scope = Scope.of(alice)
    rows = api.rows("/enrollments", uncounted="true", limit=1000, fields="enrollment_id,state")
    assert {tuple(row) for row in rows} == {("enrollment_id", "state", "is_counted")}
    late = next(row for row in rows if row["state"] == "past_due" and not row["is_counted"])
    assert api.get(f"/enrollments/{late['enrollment_id']}", fields="state").json()["data"] == {
        "state": "past_due",
        "is_counted": False,
    }
    assert set(api.get("/enrollments", limit=1, fields="state").json()["data"][0]) == {"state"}
    told = ask(scope, "knowbe4_training_get_enrollment", {"enrollment_id": late["enrollment_id"]})["enrollment"]
    assert (told["status"], told["is_counted"]) == ("past_due", False)
    counted = next(row["enrollment_id"] for row in rows if row["is_counted"])
    assert ask(scope, "knowbe4_training_get_enrollment", {"enrollment_id": counted})["enrollment"]["is_counted"]


def test_one_of_each_kind(api: Program, company: Account) -> None:
    enrollment = Enrollment.objects.filter(account=company).order_by("pk").last()
    assert enrollment is not None and enrollment.person is not None
    found = api.get(f"/enrollments/{enrollment.knowbe4_id}").json()["data"]
    assert found["enrollment_id"] == enrollment.knowbe4_id
    assert found["person_id"] == enrollment.person.knowbe4_id and found["email"] == enrollment.person.email
    person = api.get(f"/people/{enrollment.person.knowbe4_id}").json()["data"]
    rows = api.rows("/enrollments", person=enrollment.person.knowbe4_id)
    assert person["assigned"] == len(rows)
    assert person["past_due"] == len([row for row in rows if row["state"] == "past_due"])
    campaign = Campaign.objects.get(name="Payment fraud awareness")
    told = api.get(f"/campaigns/{campaign.knowbe4_id}").json()["data"]
    assert told["status"] == "active" and told["counted"] == 160
    for path, words in (("/enrollments/7", "Enrollment"), ("/campaigns/7", "Campaign"), ("/people/7", "Person")):
        response = api.get(path)
        assert response.status_code == 404 and response.json()["detail"] == f"{words} not found"
    assert api.get(f"/people/{2**70}").status_code == 404


def test_people_stand_as_their_enrollments(api: Program) -> None:
    people = {row["person_id"]: row for row in api.rows("/people", limit=1000)}
    rows = api.rows("/enrollments", limit=1000)
    for state in ("completed", "past_due", "in_progress"):
        counts: dict[int, int] = dict.fromkeys(people, 0)
        for row in rows:
            counts[row["person_id"]] += row["state"] == state
        assert {key: row[state] for key, row in people.items()} == counts, state


def test_campaigns_are_told_with_their_figures(api: Program, company: Account) -> None:
    rows = api.rows("/campaigns", limit=2)
    assert len(rows) == 6
    told = api.get("/metrics", metrics="counted,completed,past_due", by="campaign").json()["rows"]
    by_name = {row["name"]: row["values"] for row in told}
    for row in rows:
        values = by_name.get(row["name"])
        for name in ("counted", "completed", "past_due"):
            assert row[name] == (values[name]["net"]["value"] if values else 0), row["name"]
    assert [row["name"] for row in api.rows("/campaigns", status="cancelled")] == ["Withdrawn pilot"]


def test_the_other_lists(api: Program, company: Account, published: SyncRun, now: datetime) -> None:
    Group.objects.create(account=company, knowbe4_id=77, name="New hires", status="active", first_seen_at=now)
    item = ContentItem.objects.get(account=company)
    person = Person.objects.filter(account=company).order_by("pk").first()
    assert person is not None
    for subject, key in ((Change.Subject.PERSON, person.pk), (Change.Subject.CONTENT, item.pk)):
        Change.objects.create(
            account=company, run=published, observed_at=now - timedelta(minutes=9), subject=subject, subject_id=key,
            field="name", old="Old", new=None,
        )  # fmt: skip
    assert [(row["group_id"], row["name"]) for row in api.rows("/groups")] == [(77, "New hires")]
    assert [row["content_id"] for row in api.rows("/content", source="store_purchase")] == [item.knowbe4_id]
    assert api.rows("/content", source="policy") == []
    assert [row["store_purchase_id"] for row in api.rows("/store-purchases")] == [item.knowbe4_id]
    changes = api.rows("/changes", run=published.pk)
    assert [(row["subject"], row["subject_id"]) for row in changes] == [
        ("person", person.knowbe4_id),
        ("content", item.knowbe4_id),
    ]
    assert len(api.rows("/changes", since=(now - timedelta(minutes=10)).isoformat())) == 2
    assert api.rows("/changes", since=now.isoformat()) == []
    assert [row["run_id"] for row in api.rows("/sync/runs")] == [published.pk]
    assert api.get("/sync").json()["data"]["published_run_id"] == published.pk


def test_csv_has_the_same_rows(api: Program, company: Account) -> None:
    Person.objects.filter(account=company).update(job_title="=1+1")
    response = api.get("/people", format="csv", limit=50)
    assert response["Content-Type"].startswith("text/csv")
    found = list(csv.DictReader(StringIO(response.content.decode())))
    rows = api.get("/people", limit=50).json()["data"]
    assert [row["person_id"] for row in found] == [str(row["person_id"]) for row in rows]
    assert {row["job_title"] for row in found} == {"'=1+1"}
    following = response["Link"].partition(">")[0].removeprefix("<").partition("/api/v1")[2]
    more = list(csv.DictReader(StringIO(api.get(following).content.decode())))
    assert more and more[0]["person_id"] not in {row["person_id"] for row in found}
    assert api.get("/people", headers={"Accept": "text/csv"}).content.startswith(b"person_id,")
    assert api.get("/metrics", format="csv", by="department").content.startswith(b"Department,Key,")
    assert api.get("/people", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("path", ["/enrollments", "/campaigns", "/people", "/metrics", "/sync", "/metrics?format=csv"])
def test_unchanged_answers_are_not_sent_again(api: Program, path: str) -> None:
    tag = api.get(path)["ETag"]
    again = api.get(path, headers={"If-None-Match": f'"other", {tag}'})
    assert again.status_code == 304 and again.content == b"" and again["ETag"] == tag
    assert api.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_changed_row_has_another_tag(api: Program, company: Account) -> None:
    tag = api.get("/people", limit=3)["ETag"]
    person = Person.objects.filter(account=company).order_by("pk").first()
    assert person is not None
    Person.objects.filter(pk=person.pk).update(last_name="Renamed")
    assert api.get("/people", limit=3, headers={"If-None-Match": tag}).status_code == 200


def test_chosen_fields_alone_come(api: Program) -> None:
    rows = api.get("/enrollments", fields="state, enrollment_id", limit=3).json()["data"]
    assert [list(row) for row in rows] == [["enrollment_id", "state"]] * 3


def test_a_page_costs_few_questions(api: Program, django_assert_max_num_queries: Any) -> None:
    for path, most in (("/enrollments", 8), ("/people", 8), ("/campaigns", 14), ("/changes", 8), ("/metrics", 14)):
        api.get(path)
        with django_assert_max_num_queries(most, info=path):
            assert api.get(path).status_code == 200
