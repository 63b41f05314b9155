"""An account whose KnowBe4 plan has no API: the console's CSV is all there is."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.models import Account, Campaign, ContentItem, Enrollment, Person, SyncRun
from sync.pipeline.console import preview_import
from sync.signals import published
from tests.sync.console.conftest import HEADERS, as_csv


@pytest.fixture
def unplugged(db) -> Account:
    """Return an account without a key, in Berlin."""
    return Account.objects.create(name="Brackwater Mutual", time_zone="Europe/Berlin")


def line(number: int, **cells: str) -> list[str]:
    values = {
        "Campaign": "Autumn awareness",
        "Content": "Spotting a phish",
        "First Name": "Ada",
        "Last Name": f"Quill {number}",
        "Email": f"ada{number}@northwind.example",
        "Status": "Not Started",
        "Enrollment Date": "2026-10-01 08:00",
        "Due Date": "2026-11-30 23:00",
        "Policy Acknowledged": "No",
        **cells,
    }
    return [values.get(name, "") for name in HEADERS]


def file_of(count: int, *more: list[str]) -> str:
    return as_csv(HEADERS, [*(line(number) for number in range(count)), *more])


def test_a_file_becomes_the_mirror(unplugged, upload, accept, now):
    policy = line(
        0,
        **{
            "Content": "Acceptable use",
            "Status": "Bestanden",
            "Enrollment Date": "2026-10-01 08:00",
            "Start Date": "2026-10-02 09:00",
            "Completion Date": "2026-10-02 09:30",
            "Time Spent": "00:12:30",
            "Score": "85 %",
            "Policy Acknowledged": "Yes",
        },
    )
    late = line(1, **{"Content": "Acceptable use", "Due Date": "2026-12-15 23:00", "Status": "Something new"})
    preview = upload(unplugged, file_of(3, policy, late))
    assert preview.report["is_whole"]
    assert preview.report["whole"]["file"] == {"people": 3, "campaigns": 1, "content": 2, "enrollments": 5}
    assert preview.report["whole"]["new"] == 5
    assert not Enrollment.objects.exists()
    assert not Person.objects.exists()
    done = accept(preview)
    unplugged.refresh_from_db()
    assert done.state == "accepted"
    assert (unplugged.published_run, unplugged.published_at, unplugged.data_as_of) == (done.run, now, now)
    assert done.run.counts["enrollment"]["inserted"] == 5
    assert Person.objects.filter(knowbe4_id__lt=0, status="active").count() == 3
    campaign = Campaign.objects.get()
    assert (campaign.reported_status, campaign.duration_type) == ("In Progress", "Specific End Date")
    assert campaign.end_at == datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
    assert len(campaign.content_ids) == 2
    passed = Enrollment.objects.get(reported_status="Passed")
    assert passed.completed_at == datetime(2026, 10, 2, 7, 30, tzinfo=UTC)
    assert (passed.time_spent, passed.score, passed.policy_acknowledged) == (750, 85.0, True)
    assert (passed.due_source, passed.due_at) == ("campaign_end", campaign.end_at)
    extended = Enrollment.objects.get(reported_status="Something new")
    assert (extended.due_source, extended.due_at) == ("extension", datetime(2026, 12, 15, 22, 0, tzinfo=UTC))


def test_the_next_file_finds_its_rows_again(unplugged, upload, accept, now):
    accept(upload(unplugged, file_of(3)))
    ids = set(Enrollment.objects.values_list("knowbe4_id", flat=True))
    again = accept(upload(unplugged, file_of(3)), at=now + timedelta(days=1))
    assert all(not any(counts.values()) for counts in again.run.counts.values())
    done = line(0, Status="Completed", **{"Completion Date": "2026-11-20 10:00"})
    accept(upload(unplugged, as_csv(HEADERS, [done, line(1)])), at=now + timedelta(days=2))
    assert set(Enrollment.objects.values_list("knowbe4_id", flat=True)) == ids
    assert Enrollment.objects.filter(removed_at=None).count() == 2
    assert Enrollment.objects.get(reported_status="Completed").completed_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    unplugged.refresh_from_db()
    assert unplugged.published_at == now + timedelta(days=2)


def test_the_same_training_twice_is_two_enrollments(unplugged, upload, accept):
    again = line(0, **{"Enrollment Date": "2026-11-01 08:00"})
    preview = upload(unplugged, file_of(1, line(0), again))
    assert preview.report["duplicates"] == 1
    accept(preview)
    assert Enrollment.objects.count() == 2
    assert ContentItem.objects.count() == 1


def test_the_shrink_guard_holds_a_file_until_there_is_a_reason(unplugged, upload, accept, now):
    accept(upload(unplugged, file_of(100)))
    held = accept(upload(unplugged, file_of(3)), at=now + timedelta(days=1))
    assert held.state == "held"
    assert "fell from 100 to 3" in held.message
    assert Enrollment.objects.filter(removed_at=None).count() == 100
    assert SyncRun.objects.get(state="discarded").message.startswith("Not imported")
    unplugged.refresh_from_db()
    assert unplugged.published_at == now
    done = accept(held, reason="The others left with the branch.", at=now + timedelta(days=1, hours=1))
    assert done.state == "accepted"
    assert Enrollment.objects.filter(removed_at=None).count() == 3


def test_an_account_with_a_key_by_now_is_previewed_again(unplugged, upload, accept):
    preview = upload(unplugged, file_of(3))
    unplugged.api_key = "simulator-key"
    unplugged.save()
    again = accept(preview)
    assert again.state == "preview"
    assert not again.report["is_whole"]
    assert again.report["unmatched"]["count"] == 3
    assert not Enrollment.objects.exists()


def test_what_is_missing_is_said(unplugged, upload):
    problems = upload(unplugged, as_csv(["Email", "Campaign"], [["ada@northwind.example", "x"]])).report["problems"]
    assert any("content" in problem for problem in problems)
    assert any("enrollment date" in problem for problem in problems)
    assert any("status" in problem for problem in problems)


def test_bad_cells_are_named(unplugged, upload):
    rows = [
        line(1, **{"Enrollment Date": ""}),
        line(2, **{"Status": ""}),
        line(3, **{"Time Spent": "a while"}),
        line(4, **{"Score": "good"}),
        line(5, **{"Policy Acknowledged": "perhaps"}),
        line(6, **{"Email": ""}),
        line(7, **{"Completion Date": "31/31/2026"}),
    ]
    bad = upload(unplugged, as_csv(HEADERS, rows)).report["bad"]
    assert [row["line"] for row in bad["rows"]] == list(range(2, 9))
    for word, row in zip(
        ["enrollment date", "status", "a while", "good", "perhaps", "no person", "31/31"], bad["rows"], strict=True
    ):
        assert word in row["reason"]


def test_a_preview_that_was_discarded_stays_so(unplugged, upload, now):
    preview = upload(unplugged, file_of(1))
    preview.state = "discarded"
    preview.save()
    assert preview_import(preview.pk, now=lambda: now).state == "discarded"


def test_a_span_that_most_lines_share_is_the_campaigns(unplugged, upload, accept):
    days = ("01", "03", "07", "20")
    rows = [
        line(int(day), **{"Enrollment Date": f"2026-11-{day} 08:00", "Due Date": f"2026-12-{day} 08:00"})
        for day in days
    ]
    rows.append(line(40, **{"Campaign": "Library", "Due Date": ""}))
    accept(upload(unplugged, as_csv(HEADERS, rows)))
    relative = Campaign.objects.get(name="Autumn awareness")
    assert (relative.duration_type, relative.relative_duration, relative.relative_days) == (
        "Relative End Date",
        "30 days",
        30,
    )
    assert set(Enrollment.objects.filter(campaign=relative).values_list("due_source", flat=True)) == {"relative"}
    assert Campaign.objects.get(name="Library").duration_type == "No End Date"
    assert Enrollment.objects.get(campaign__name="Library").due_source == "none"


def test_days_alone_are_told_as_the_file_tells_them(unplugged, upload, accept):
    """A due date without a time is the last second of its day; a span of days that all lines share stays one."""
    spans = [
        line(day, **{"Enrollment Date": f"2026-11-{day:02}", "Due Date": f"2026-12-{day:02}"}) for day in (1, 7, 20)
    ]
    ends = [
        line(40 + n, **{"Campaign": "Policies", "Enrollment Date": "2026-11-02", "Due Date": "2026-12-24"})
        for n in (1, 2)
    ]
    accept(upload(unplugged, as_csv(HEADERS, [*spans, *ends])))
    relative = Campaign.objects.get(name="Autumn awareness")
    assert (relative.duration_type, relative.relative_days) == ("Relative End Date", 31)
    assert set(Enrollment.objects.values_list("due_source", flat=True)) == {"relative", "campaign_end"}
    last_second = datetime(2026, 12, 24, 22, 59, 59, tzinfo=UTC)
    assert {enrollment.due_at for enrollment in Enrollment.objects.filter(campaign__name="Policies")} == {last_second}


def test_an_extension_that_the_next_file_lacks_is_gone(unplugged, upload, accept, now):
    extended = line(2, **{"Due Date": "2026-12-15 23:00"})
    accept(upload(unplugged, file_of(2, extended)))
    assert Enrollment.objects.filter(due_source="extension").count() == 1
    accept(upload(unplugged, file_of(3)), at=now + timedelta(days=1))
    assert set(Enrollment.objects.values_list("due_source", flat=True)) == {"campaign_end"}


def test_a_file_with_extensions_is_announced_once(unplugged, upload, accept):
    extended = line(2, **{"Due Date": "2026-12-15 23:00"})
    preview, told = upload(unplugged, file_of(2, extended)), []

    def listen(**message: object) -> None:
        told.append(sorted(Enrollment.objects.values_list("due_source", flat=True)))

    published.connect(listen)
    try:
        accept(preview)
    finally:
        published.disconnect(listen)
    assert told == [["campaign_end", "campaign_end", "extension"]]
