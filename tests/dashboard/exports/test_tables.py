"""Every list as a file: its rows are the page's, its numbers too."""

import re
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from dashboard import audit
from dashboard.access import Scope
from dashboard.exports.tables import TABLES
from dashboard.figures.counts import figures
from dashboard.metrics import days_past_due
from dashboard.models import Exemption, Membership, User
from sync.models import Account, Campaign, Enrollment, Person
from tests import factories
from tests.dashboard.exports.reading import body, fetch, rows_of_csv, sheets_of, whole_rows_of_csv


def address(table: str, **query: Any) -> str:
    """Return the address of a list's export."""
    return reverse("export", args=[table], query=query)


def csv_of(client: Client, table: str, **query: Any) -> list[dict[str, str]]:
    """Return a list's rows as CSV has them, by the keys of all its columns."""
    columns = [column.key for column in TABLES[table].columns]
    head, *rows = rows_of_csv(body(fetch(client, address(table, **query), "csv", column=columns)))
    assert head == [str(column.heading) for column in TABLES[table].columns]
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.fixture
def campaign(company: Account) -> Campaign:
    """Return a campaign with people past due."""
    return Campaign.objects.get(account=company, name="Autumn awareness 2026")


def query_of(table: str, campaign: Campaign) -> dict[str, Any]:
    """Return what a table's address must say."""
    return {"campaign": campaign.pk} if table == "campaign_people" else {}


@pytest.fixture
def as_auditor(client: Client, account: Account, now: datetime) -> Client:
    """Return a client signed in as an auditor: who may have every list."""
    user = factories.UserFactory(email="oda@brackwater.example", first_name="Oda", last_name="Lindqvist")
    later = now + timedelta(days=30)
    factories.MembershipFactory(user=user, account=account, role=Membership.Role.AUDITOR, ends_at=later)
    client.force_login(user)
    return client


@pytest.mark.parametrize("table", TABLES)
def test_every_list_is_the_same_in_both_formats(as_auditor: Client, campaign: Campaign, table: str) -> None:
    query = query_of(table, campaign)
    columns = [column.key for column in TABLES[table].columns]
    text = rows_of_csv(body(fetch(as_auditor, address(table, **query), "csv", column=columns)))
    sheets = sheets_of(body(fetch(as_auditor, address(table, **query), "xlsx", column=columns)))
    if table == "audit_log":  # that the first file was taken along is in the second
        first = next(iter(sheets.values()))
        assert "Exported" in first.pop(1)
    assert list(sheets)[-1] == "About"
    typed = next(iter(sheets.values()))
    assert typed[0] == text[0]
    assert len(typed) == max(len(text), 1)
    for row, written in zip(typed[1:], text[1:], strict=True):
        for kind, value, cell in zip([c.kind for c in TABLES[table].columns], row, written, strict=True):
            if value is None:
                assert cell == ""
            elif kind == "rate":
                assert float(cell) == pytest.approx(value * 100)
            elif kind == "day":
                assert isinstance(value, datetime) and value.date() == date.fromisoformat(cell)
            elif kind == "moment":
                assert isinstance(value, datetime) and abs(value - datetime.fromisoformat(cell)).total_seconds() < 1
            elif kind in {"integer", "number"}:
                assert float(cell) == value
            else:
                assert value == cell
                assert kind != "id" or value.isdecimal()


@pytest.mark.parametrize("table", TABLES)
def test_the_columns_can_be_chosen(as_auditor: Client, campaign: Campaign, table: str) -> None:
    query = query_of(table, campaign)
    response = as_auditor.get(address(table, **query))
    assert response.status_code == 200
    for column in TABLES[table].columns:
        assert f'value="{column.key}"' in response.content.decode()
    one = TABLES[table].columns[0]
    rows = rows_of_csv(body(fetch(as_auditor, address(table, **query), "csv", column=[one.key])))
    assert rows[0] == [str(one.heading)]


def test_past_due_is_the_page_s(as_alice: Client, company: Account) -> None:
    page = as_alice.get(reverse("past_due"), {"by": "none"}).context
    rows = csv_of(as_alice, "past_due", by="none")
    assert len(rows) == page["spread"].people > 5
    assert [int(row["days_past_due"]) for row in rows] == sorted(
        (int(row["days_past_due"]) for row in rows), reverse=True
    )
    enrollments = csv_of(as_alice, "past_due_enrollments")
    assert sum(int(row["items"]) for row in rows) == len(enrollments)
    assert len({row["person_id"] for row in enrollments}) == len(rows)


def test_past_due_of_chosen_people(as_alice: Client, company: Account) -> None:
    rows = csv_of(as_alice, "past_due")
    chosen = [rows[3]["person_id"], rows[8]["person_id"]]
    found = csv_of(as_alice, "past_due", person=chosen)
    assert sorted(row["person_id"] for row in found) == sorted(chosen)


def test_days_past_due_are_the_metric_s(as_alice: Client, company: Account) -> None:
    response = fetch(as_alice, address("past_due_enrollments"), "csv", column=["days_past_due", "enrollment_id"])
    rows = rows_of_csv(body(response))[1:]
    as_of = response.wsgi_request.as_of
    due = dict(Enrollment.objects.values_list("pk", "due_at"))
    assert rows
    for days, enrollment in rows:
        assert int(days) == days_past_due(due[int(enrollment)], as_of, company.zone)


@pytest.mark.parametrize(
    "measure", ["counted", "completed", "completed_late", "past_due", "in_progress", "not_started"]
)
def test_rows_behind_a_count_are_as_many_as_it_says(as_alice: Client, company: Account, measure: str) -> None:
    response = fetch(as_alice, address("enrollments", measure=measure), "csv")
    rows = rows_of_csv(body(response))
    request = response.wsgi_request
    counts = figures(Scope.of(request.user), as_of=request.as_of).net
    assert len(rows) - 1 == getattr(counts, measure)


@pytest.mark.parametrize("show", ["", "state=past_due", "state=completed", "show=late", "state=not_started"])
def test_people_of_a_campaign_are_those_of_its_tab(as_alice: Client, campaign: Campaign, show: str) -> None:
    page = as_alice.get(f"{reverse('campaign', args=[campaign.pk])}?{show}").context["people"]["page"]
    name, _, value = show.partition("=")
    rows = csv_of(as_alice, "campaign_people", campaign=campaign.pk, **({name: value} if name else {}))
    assert len(rows) == page.paginator.count
    assert [row["enrollment_id"] for row in rows[: len(page.object_list)]] == [str(one.pk) for one in page.object_list]


def test_people_of_an_uncounted_campaign(as_alice: Client, company: Account) -> None:
    campaign = Campaign.objects.get(account=company, name="Withdrawn pilot")
    page = as_alice.get(reverse("campaign", args=[campaign.pk])).context["people"]["page"]
    rows = csv_of(as_alice, "campaign_people", campaign=campaign.pk)
    assert len(rows) == page.paginator.count == 160
    assert {row["state"] for row in rows} <= {"Completed", "Past due", "In progress", "Not started"}


def test_people_are_the_page_s_in_its_order(as_alice: Client, company: Account) -> None:
    query = {"sort": "-past_due", "standing": "past_due"}
    page = as_alice.get(reverse("people"), query).context["page"]
    rows = csv_of(as_alice, "people", **query)
    assert len(rows) == page.paginator.count
    past_due = [int(row["past_due"]) for row in rows]
    assert past_due == sorted(past_due, reverse=True) and past_due[-1] > 0


def test_campaigns_have_the_page_s_rates(as_alice: Client, company: Account) -> None:
    page = as_alice.get(reverse("campaigns")).context
    rows = csv_of(as_alice, "campaigns")
    assert [row["campaign"] for row in rows] == [str(line.row.campaign) for line in page["lines"]]
    for row, line in zip(rows, page["lines"], strict=True):
        counts = line.row.totals.net
        assert int(row["counted"]) == counts.counted
        if counts.counted:
            assert float(row["completion_rate"]) <= counts.completion_rate.percent < float(row["completion_rate"]) + 0.1


def test_trends_are_the_page_s(as_alice: Client, company: Account) -> None:
    found = as_alice.get(reverse("trends")).context["trend"]
    rows = csv_of(as_alice, "trends")
    shown = found.everybody.due[found.before :]
    assert [int(row["due"]) for row in rows] == [cohort.due for cohort in shown]
    departments = csv_of(as_alice, "departments_by_period")
    for place, period in enumerate(found.periods):
        of_period = [row for row in departments if row["start"] == period.start.isoformat()]
        assert sum(int(row["due"]) for row in of_period) == shown[place].due


def test_exemptions(as_alice: Client, alice: User, company: Account, now: datetime) -> None:
    person = Person.objects.filter(account=company).order_by("pk")[0]
    made = Exemption.objects.create(
        account=company,
        person=person,
        reason=Exemption.Reason.values[0],
        note="On leave",
        starts_at=now,
        requested_by=alice,
        requested_at=now,
    )
    rows = csv_of(as_alice, "exemptions", state="all")
    assert [row["email"] for row in rows] == [person.email]
    assert Exemption.objects.get(pk=made.pk).get_reason_display() == rows[0]["reason"]


def test_the_audit_log_is_the_page_s(as_auditor: Client, alice: User, account: Account) -> None:
    for number in range(3):
        audit.record(
            audit.Action.EXPORTED, account=account, user=alice, subject=audit.Subject.TABLE,
            details={"table": "people", "rows": number},
        )  # fmt: skip
    audit.record(audit.Action.VIEWED_PERSON, account=account, user=None, subject=audit.Subject.PERSON, subject_id=7)
    query = {"actor": alice.pk, "action": "exported"}
    lines = as_auditor.get(reverse("audit_log"), query).context["lines"]
    rows = csv_of(as_auditor, "audit_log", **query)
    assert [row["event_id"] for row in rows] == [str(line.event.pk) for line in lines]
    assert [row["details"] for row in rows] == [f"rows: {number}; table: people" for number in (2, 1, 0)]
    assert {row["who"] for row in rows} == {"alice@brackwater.example"}
    (viewed,) = csv_of(as_auditor, "audit_log", subject="person", subject_id=7)
    assert (viewed["who"], viewed["about"], viewed["subject_id"]) == ("Rollcall, on schedule", "Person 7", "7")
    told = sheets_of(body(fetch(as_auditor, address("audit_log", **query), "xlsx")))["About"]
    assert ["Filters", "Who: alice@brackwater.example; Did what: Exported"] in [row[:2] for row in told]


def test_an_id_is_no_key_to_names_in_the_log(as_auditor: Client, account: Account) -> None:
    stranger = factories.UserFactory(email="stranger@elsewhere.example")
    query = {"subject": "user", "subject_id": stranger.pk}
    assert stranger.email not in as_auditor.get(reverse("audit_log"), query).content.decode()
    told = sheets_of(body(fetch(as_auditor, address("audit_log", actor=stranger.pk, **query), "xlsx")))["About"]
    assert stranger.email not in str(told)


def test_the_audit_log_is_for_its_readers_only(as_alice: Client, account: Account) -> None:
    assert as_alice.get(address("audit_log")).status_code == 404
    assert as_alice.post(address("audit_log"), {"format": "csv"}).status_code == 404


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("past_due", {"sort": "shoe size"}),
        ("people", {"standing": "tall"}),
        ("enrollments", {"measure": "height"}),
        ("campaign_people", {}),
        ("trends", {"period": "week"}),
    ],
)
def test_what_no_page_asks_is_refused(as_alice: Client, company: Account, table: str, query: dict[str, str]) -> None:
    assert as_alice.get(address(table, **query)).status_code == 400


def test_unknown_columns_and_formats_are_refused(as_alice: Client, company: Account) -> None:
    assert as_alice.post(address("people"), {"format": "csv", "column": ["salary"]}).status_code == 400
    assert as_alice.post(address("people"), {"format": "pdf"}).status_code == 400
    assert as_alice.get(address("salaries")).status_code == 404
    assert as_alice.get(address("campaign_people", campaign=2**40)).status_code == 404


def test_about_says_what_the_numbers_are(as_alice: Client, company: Account) -> None:
    sheets = sheets_of(body(fetch(as_alice, address("past_due", sort="person", as_of="2026-01-31"), "xlsx")))
    about = {row[0]: row[1] for row in sheets["About"] if row[0]}
    assert about["Account"] == "Brackwater Mutual"
    assert about["Scope"] == "All departments"
    assert about["As of"] == datetime.fromisoformat("2026-02-01")
    assert about["End of day"] == "2026-01-31"
    assert "alice@brackwater.example" in about["Exported by"]
    assert about["Sync run"] == str(company.published_run.number)
    assert about["Data as of"] == company.data_as_of.astimezone(company.zone).replace(tzinfo=None, microsecond=0)
    assert about["Rows"] == len(next(iter(sheets.values()))) - 1
    assert re.search("due date", about["Past due"])


def test_a_past_day_is_exported_as_it_was(as_alice: Client, company: Account) -> None:
    day = (company.published_at.date()).replace(day=1).isoformat()
    page = as_alice.get(reverse("past_due"), {"by": "none", "as_of": day}).context
    assert len(csv_of(as_alice, "past_due", as_of=day)) == page["spread"].people


def test_ids_are_no_numbers(as_alice: Client, company: Account) -> None:
    """A spreadsheet would put separators into them, and show a narrow one as ####."""
    ids = [column for table in TABLES.values() for column in table.columns if column.key.endswith("_id")]
    assert len(ids) > 15
    assert {column.kind for column in ids} == {"id"}
    person = Person.objects.filter(account=company).order_by("pk")[0]
    person.knowbe4_id = 1_498_000_001_099
    person.save(update_fields=["knowbe4_id"])
    content = body(fetch(as_alice, address("people"), "xlsx", column=["email", "person_knowbe4_id"]))
    sheet = openpyxl.load_workbook(BytesIO(content)).worksheets[0]
    cell = next(row[1] for row in sheet.iter_rows() if row[0].value == person.email)
    assert (cell.value, cell.data_type) == ("1498000001099", "s")
    assert sheet.column_dimensions["B"].width > len(cell.value)


@pytest.mark.parametrize("table", ["people", "past_due", "enrollments", "past_due_enrollments", "exemptions"])
def test_people_are_named_by_their_id_in_knowbe4_too(table: str) -> None:
    assert [column.heading for column in TABLES[table].chosen([]) if column.key == "person_knowbe4_id"]


@pytest.mark.parametrize("table", ["people", "campaigns"])
def test_every_row_of_csv_says_when_and_where(as_alice: Client, company: Account, table: str) -> None:
    day = "2026-01-31"
    content = body(fetch(as_alice, address(table, as_of=day), "csv"))
    head, *rows = whole_rows_of_csv(content)
    read_at = company.data_as_of.astimezone(company.zone).replace(tzinfo=None, microsecond=0)
    assert head[-3:] == ["As of", "Data as of", "Time zone"]
    assert {tuple(row[-3:]) for row in rows} == {("2026-02-01 00:00:00", read_at.isoformat(" "), company.time_zone)}


@pytest.mark.parametrize("table", ["people", "campaigns"])
def test_semicolons_say_the_same_with_decimal_commas(as_alice: Client, company: Account, table: str) -> None:
    Person.objects.filter(account=company).update(current_risk_score=31.5)
    commas = rows_of_csv(body(fetch(as_alice, address(table), "csv")))
    response = fetch(as_alice, address(table), "csv_semicolons")
    assert response["Content-Type"].startswith("text/csv")
    assert response["Content-Disposition"].endswith('.csv"')
    semicolons = rows_of_csv(body(response), ";")
    decimals = [column.kind in {"rate", "number"} for column in TABLES[table].chosen([])]
    assert any(decimals)
    assert semicolons == [
        commas[0],
        *(
            [cell.replace(".", ",") if has else cell for has, cell in zip(decimals, row, strict=True)]
            for row in commas[1:]
        ),
    ]
    assert any("," in cell for row in semicolons for has, cell in zip(decimals, row, strict=True) if has)


def test_the_last_csv_is_offered_first(as_alice: Client, alice: User, company: Account) -> None:
    def offered(page: str) -> list[str]:
        return re.findall(r'name="format" value="(\w+)"', as_alice.get(page).content.decode())

    assert offered(reverse("people")) == offered(address("people")) == ["csv", "csv_semicolons", "xlsx"]
    fetch(as_alice, address("people"), "csv_semicolons")
    fetch(as_alice, address("people"), "xlsx")
    assert offered(reverse("people")) == offered(address("people")) == ["csv_semicolons", "csv", "xlsx"]
    form = as_alice.get(reverse("add_schedule")).context["form"]
    assert [value for value, _label in form.fields["format"].choices] == ["xlsx", "csv_semicolons", "csv"]
