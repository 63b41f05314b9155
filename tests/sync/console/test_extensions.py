"""Due dates that only the console knows, for an account that KnowBe4's API feeds."""

import hashlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from sync.models import Account, Change, ConsoleImport, Enrollment, SyncRun
from sync.models.training import DueSource
from sync.pipeline.console import accept_import, withdraw_import
from tests.sync.console.conftest import as_csv
from tests.sync.truth import OPEN

HEADERS = [
    "Campaign",
    "Content",
    "Email",
    "Employee Number",
    "Enrollment Date",
    "Status",
    "Due Date/ Extended Due Date",
]


@pytest.fixture
def now() -> datetime:
    """Return a Monday on which several people have deadlines that KnowBe4's API hides."""
    return datetime(2025, 4, 7, 9, 30, tzinfo=UTC)


@pytest.fixture
def synced(run, connected) -> Account:
    """Return the account after a first sync."""
    run()
    connected.refresh_from_db()
    return connected


@pytest.fixture
def truth(company, now):
    """Return everything the console would export, true due dates and all."""
    return list(company.enrollments(now))


@pytest.fixture
def export(company, now, truth, synced):
    """Return the console's CSV: times in the account's zone, to the second, US spelling."""
    people = {person.person_id: person for person in company.people(now)}
    campaigns = {campaign.campaign_id: campaign.name for campaign in company.campaigns(now)}
    zone = ZoneInfo(synced.time_zone)

    def write(facts_of=truth, **overrides):
        def moment(at):
            return at.astimezone(zone).strftime("%m/%d/%Y %I:%M:%S %p") if at else ""

        return as_csv(
            HEADERS,
            [
                [
                    campaigns[facts.campaign_id],
                    facts.module_name,
                    people[facts.person_id].email.upper(),
                    people[facts.person_id].employee_number or "",
                    moment(facts.enrolled_at),
                    facts.status,
                    moment(overrides.get(facts.enrollment_id, facts.due_at)),
                ]
                for facts in facts_of
                if facts.person_id in people and facts.campaign_id in campaigns
            ],
        )

    return write


def hidden(account):
    return Enrollment.objects.filter(account=account, removed_at=None, due_source=DueSource.HIDDEN_EXTENSION)


def test_every_hidden_extension_gets_its_true_date(synced, export, truth, upload, accept, run, simulator, now):
    unknown = set(hidden(synced).values_list("knowbe4_id", flat=True))
    assert unknown
    stamp = synced.published_at
    preview = upload(synced, export())
    assert preview.state == "preview"
    assert hidden(synced).count() == len(unknown)
    assert not Enrollment.objects.exclude(extended_due_at=None).exists()
    done = accept(preview)
    assert done.state == "accepted"
    assert not hidden(synced).exists()
    due = dict(Enrollment.objects.filter(removed_at=None).values_list("knowbe4_id", "due_at"))
    exported = {facts.enrollment_id: facts.due_at for facts in truth}
    assert {key: due[key] for key in unknown} == {key: exported[key] for key in unknown}
    matched = {facts.enrollment_id for facts in truth if facts.extended or facts.due_at == facts.derived_due_at}
    assert {key: due[key] for key in matched if key in due} == {key: exported[key] for key in matched if key in due}
    synced.refresh_from_db()
    assert synced.published_at == stamp
    assert done.run.kind == SyncRun.Kind.IMPORT
    assert (done.run.state, done.run.published_at) == ("published", now)
    assert "results.csv" in done.run.message
    assert done.run.counts["enrollment"]["changed"] == preview.report["changes"]["count"] > 0
    fields = set(Change.objects.filter(run=done.run).values_list("field", flat=True))
    assert {"extended_due_at", "due_at", "due_source"} <= fields
    # The next sync keeps what the console said.
    simulator.clock.set(now + timedelta(hours=3))
    run()
    still = dict(Enrollment.objects.filter(knowbe4_id__in=unknown).values_list("knowbe4_id", "due_at"))
    assert still == {key: exported[key] for key in unknown}
    assert set(Enrollment.objects.filter(knowbe4_id__in=unknown).values_list("due_source", flat=True)) == {"extension"}


def test_the_preview_tells_what_acceptance_does(synced, export, truth, upload, accept):
    report = upload(synced, export()).report
    assert report["rows"] == report["matched"] + report["unmatched"]["count"] + report["bad"]["count"]
    assert report["matched"] > 0.95 * report["rows"]
    assert report["changes"]["set"] == report["changes"]["count"]
    assert report["orders"]["due_at"] == "month"


def test_accepting_twice_changes_nothing_more(synced, export, upload, accept, now):
    done = accept(upload(synced, export()))
    changes = Change.objects.count()
    assert accept_import(done.pk, now=lambda: now).run == done.run
    again = accept(upload(synced, export()))
    assert Change.objects.count() == changes
    assert again.report["changed"] == 0
    assert again.run != done.run


def test_withdrawing_restores_what_was(synced, export, upload, accept, now):
    names = ("id", "due_at", "due_source", "due_after", "extended_due_at", "original_due_at")
    before = list(Enrollment.objects.order_by("id").values_list(*names))
    done = accept(upload(synced, export()))
    assert list(Enrollment.objects.order_by("id").values_list(*names)) != before
    done.state = "withdrawing"
    done.save()
    gone = withdraw_import(done.pk, now=lambda: now + timedelta(minutes=5))
    assert gone.state == "withdrawn"
    assert list(Enrollment.objects.order_by("id").values_list(*names)) == before
    assert SyncRun.objects.filter(kind="import", message__startswith="Withdrawn").count() == 1


def test_a_later_file_takes_an_extension_back(synced, export, truth, upload, accept, now):
    extended = next(facts for facts in truth if facts.extended and facts.status in OPEN and facts.derived_due_at)
    accept(upload(synced, export()))
    row = Enrollment.objects.get(knowbe4_id=extended.enrollment_id)
    assert (row.due_at, row.due_source) == (extended.due_at, "extension")
    changed = accept(upload(synced, export(facts_of=[extended])))
    assert changed.report["changed"] == 0
    accept(upload(synced, export_one(export, extended)))
    row.refresh_from_db()
    assert row.extended_due_at is None
    assert row.due_source != "extension"


def export_one(export, facts):
    return export(facts_of=[replace(facts, due_at=facts.derived_due_at)])


def test_rows_are_matched_by_id_and_by_employee_number(synced, upload, truth, company, now):
    people = {person.person_id: person for person in company.people(now)}
    by_id = truth[-1]
    number = next(facts for facts in truth if people[facts.person_id].employee_number)
    text = as_csv(
        ["Enrollment ID", "Employee Number", "Campaign", "Content", "Enrollment Date", "Extended Due Date"],
        [
            [str(by_id.enrollment_id), "", "", "", "", "2027-01-05 17:00"],
            [
                "",
                people[number.person_id].employee_number,
                next(c.name for c in company.campaigns(now) if c.campaign_id == number.campaign_id),
                f"  {number.module_name.upper()} ",
                number.enrolled_at.isoformat(),
                "2027-01-06",
            ],
            ["999", "", "", "", "", "2027-01-05 17:00"],
            ["", "nobody", "Some campaign", "Some content", "", "2027-01-05"],
            ["", people[number.person_id].employee_number, "No such campaign", "x", "", "2027-01-05"],
        ],
    )
    report = upload(synced, text).report
    assert report["matched"] == 2
    assert [row["line"] for row in report["unmatched"]["rows"]] == [4, 5, 6]
    reasons = [row["reason"] for row in report["unmatched"]["rows"]]
    assert "no enrollment with this ID" in reasons[0]
    assert "Nobody" in reasons[1]
    assert "No campaign" in reasons[2]
    assert {row["after"] for row in report["changes"]["rows"]} == {
        "2027-01-05T17:00:00+00:00",
        "2027-01-06T23:59:59+00:00",
    }


def test_bad_rows_are_listed_with_line_and_reason(synced, upload, accept, truth):
    text = as_csv(
        ["Enrollment ID", "Due Date"],
        [
            [str(truth[0].enrollment_id), "2027-01-05 17:00"],
            ["12x", "2027-01-05"],
            [str(truth[1].enrollment_id), "31.02.2027"],
            [str(truth[2].enrollment_id), "tomorrow"],
        ],
    )
    imported = upload(synced, text + "one\r\n")
    bad = imported.report["bad"]
    assert bad["count"] == 4
    assert [row["line"] for row in bad["rows"]] == [3, 4, 5, 6]
    assert "12x" in bad["rows"][0]["reason"]
    assert "does not exist" in bad["rows"][1]["reason"]
    assert "is not a date" in bad["rows"][2]["reason"]
    assert "columns" in bad["rows"][3]["reason"]
    done = accept(imported)
    assert done.run.quarantined.count() == 4
    assert "4 of them not usable" in done.run.message


def test_formulas_are_text(synced, upload, truth):
    text = as_csv(["Email", "Campaign", "Content", "Due Date"], [["=1+1", '=HYPERLINK("x")', "@SUM(A1)", "2027-01-05"]])
    [row] = upload(synced, text).report["unmatched"]["rows"]
    assert (row["person"], row["campaign"], row["content"]) == ("=1+1", '=HYPERLINK("x")', "@SUM(A1)")


def test_the_bytes_are_kept_as_they_came(synced, upload):
    raw = "Enrollment ID;Due Date\r\n1;5.1.2027\r\n".encode("utf-16")
    imported = ConsoleImport.objects.get(pk=upload(synced, raw).pk)
    assert imported.original == raw
    assert imported.sha256 == hashlib.sha256(raw).hexdigest()
    assert imported.report["encoding"] == "UTF-16"
