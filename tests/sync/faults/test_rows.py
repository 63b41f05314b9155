"""Odd rows: taken as they come where they can be, set aside with their reason where not, and never in the way."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from sync.knowbe4.payloads import Group
from sync.knowbe4.rows import decoder
from sync.models import Campaign, ContentItem, Enrollment, QuarantinedRow
from tests.sync.faults.mirror import assert_truth, dump, is_empty

pytestmark = pytest.mark.slow
HARMLESS = ("duplicate-ids", "unknown-field", "nested-content")
TAKEN = (
    "null-user:resource=enrollments",
    "unknown-status:resource=enrollments",
    "unknown-type",
    "int33:resource=enrollments",
    "dates-both-forms:resource=enrollments",
    "percentage-minus-one",
)
SET_ASIDE = ("int65:resource=enrollments", "impossible-date:resource=enrollments")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_only_unusual_changes_nothing(run, run_during, connected, company, now, text):
    assert run_during(text).state == "published"
    assert_truth(connected, company, now, first=True)
    before = dump(connected)
    assert run().state == "published"
    del before["Account"], before["PhishingResult"], before["PhishingTest"]
    after = dump(connected)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("text", TAKEN, ids=[text.partition(":")[0] for text in TAKEN])
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_what_is_strange_is_kept_as_it_came_until_it_is_mended(run, run_during, connected, company, now, text, first):
    if not first:
        run()
    assert run_during(text).state == "published"
    assert run().state == "published"
    assert_truth(connected, company, now)


def test_strange_words_are_kept(run_during):
    run_during("null-user:resource=enrollments")
    # One on each of three pages.
    assert Enrollment.objects.filter(person=None).count() == 3
    run_during("unknown-status:resource=enrollments")
    assert Counter(Enrollment.objects.values_list("reported_status", flat=True))["Exempted"] == 3
    assert not Enrollment.objects.filter(person=None).exists()
    run_during("null-user:resource=enrollments")
    assert not Enrollment.objects.filter(person=None).exists(), "whose it is was known already"
    run_during("unknown-type:resource=store_purchases")
    item = ContentItem.objects.get(reported_type="Hologram")
    assert item.content_type == "Other"
    run_during("percentage-minus-one")
    assert set(Campaign.objects.values_list("completion_percentage", flat=True)) == {-1}
    run_during("int33:resource=enrollments")
    assert Enrollment.objects.filter(knowbe4_id__gt=1 << 33).count() == 3


@pytest.mark.parametrize("text", SET_ASIDE, ids=[text.partition(":")[0] for text in SET_ASIDE])
def test_what_cannot_be_read_is_set_aside_and_takes_nothing_with_it(
    run, run_during, simulator, connected, company, now, text
):
    run()
    simulator.clock.set(now + timedelta(days=1))
    whole = Enrollment.objects.filter(removed_at=None).count()
    done = run_during(text)
    assert done.state == "published"
    assert done.resources["enrollment"]["rejected"] == 3
    rows = QuarantinedRow.objects.filter(run=done)
    assert [row.list_key for row in rows] == ["enrollments"] * 3
    assert all(row.reason and row.raw.startswith("{") for row in rows)
    assert Enrollment.objects.filter(removed_at=None).count() >= whole
    again = run()
    assert (again.state, again.quarantined.count()) == ("published", 0)
    assert_truth(connected, company, simulator.clock.now())


def test_too_many_of_them_hold_the_run(run, run_during, connected, company, now):
    held = run_during("undecodable-rows:resource=enrollments,share=0.05")
    assert held.state == "held"
    assert "rows of enrollments could not be read" in held.message
    assert is_empty(connected)
    assert 0 < held.quarantined.count() == held.resources["enrollment"]["rejected"]
    assert run().state == "published"
    assert_truth(connected, company, now, first=True)


def test_one_in_a_hundred_does_not(run, run_during, connected, company, now):
    done = run_during("undecodable-rows:resource=enrollments,share=0.008")
    assert done.state == "published"
    total = done.resources["enrollment"]
    assert 0 < total["rejected"] <= 0.01 * (total["rows"] + total["rejected"])
    assert done.quarantined.count() == total["rejected"]
    assert Enrollment.objects.count() == total["rows"]
    assert run().state == "published"
    assert_truth(connected, company, now)


def test_ten_campaigns_at_a_time_are_not_all_of_them(run, connected, company, now):
    run()
    assert Campaign.objects.count() == len(company.campaigns(now)) > 10


def test_a_count_past_32_bits_rejects_its_row_alone():
    rows = [
        {"id": number, "name": "All", "status": "active", "group_type": "console_group", "member_count": 1 << number}
        for number in (31, 32, 5)
    ]
    items, rejected = decoder(Group).page(json.dumps(rows).encode())
    assert [item.id for item in items] == [5]
    assert all("member_count" in row.reason for row in rejected)
    assert len(rejected) == 2
