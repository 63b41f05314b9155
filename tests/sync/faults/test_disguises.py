"""A sync under the disguises that `manage.py check_api` names does what its sentences promise."""

import pytest

from dashboard import metrics
from dashboard.metrics import CampaignState
from sync.models import Campaign, ContentItem, Enrollment, Person, PhishingTest
from tests.sync.faults.conftest import AT_ONCE
from tests.sync.faults.mirror import assert_truth, is_empty

pytestmark = pytest.mark.slow
# Read as if nothing were odd: put on together, since no two of them change the same thing.
HARMLESS = (
    (
        *("account-in-list", "unknown-field", "missing-field", "earlier-names", "hyphenated-name", "integers-as-text"),
        *("decimals-as-text", "truths-as-numbers", "dates-with-offset", "dates-empty", "nested-content"),
        *("content-type", "limits-in-headers", "null-template", "small-pages", "clock-ahead", "status-left-out"),
    ),
    (
        *("trial", "policy-id", "store-purchased-id", "dates-without-zone", "status-ignored", "percentages-always"),
        *("no-cursors", "risk-moments", "retry-after"),
    ),
    ("cursor-refused", "dates-without-milliseconds", "campaign-cap-off", "large-pages-refused"),
)


@pytest.mark.parametrize("names", HARMLESS, ids=("fields", "pages", "refusals"))
def test_what_is_read_all_the_same_changes_nothing(run, simulator, connected, company, now, names):
    simulator.disguise(*names)
    assert run().state == "published"
    assert_truth(connected, company, now, first=True)
    connected.refresh_from_db()
    seats = connected.number_of_seats
    if "trial" in names:
        assert (seats, connected.daily_allowance) == (None, connected.requests_per_day)
    else:
        assert seats == company.account(now).number_of_seats
    assert not Person.objects.filter(status="").exists()
    assert not Campaign.objects.filter(content_ids=[]).exists(), "earlier names and nested lists are read"


def test_unknown_words_are_kept_and_counted_as_told(run, simulator, now):
    simulator.disguise("unknown-status", "unknown-campaign-status", "unknown-type")
    assert run().state == "published"
    exempted = Enrollment.objects.filter(reported_status="Exempted")
    assert exempted.count() == 3, "one on each page"
    assert not exempted.filter(metrics.known_status()).exists()
    campaign = Campaign.objects.get(reported_status="Active")
    states = Campaign.objects.annotate(state=metrics.campaign_state(now)).values_list("pk", "state")
    assert dict(states)[campaign.pk] == CampaignState.OTHER
    assert campaign.enrollments.filter(metrics.campaign_counts()).count() == campaign.enrollments.count() > 0
    assert ContentItem.objects.get(reported_type="Hologram").content_type == "Other"


def test_what_is_missing_stays_empty(run, simulator):
    simulator.disguise("null-name", "group-without-id", "missing-campaign-id")
    assert run().state == "published"
    assert set(Campaign.objects.values_list("name", flat=True)) == {""}
    assert set(map(tuple, Campaign.objects.values_list("group_ids", flat=True))) == {()}
    enrollments = Enrollment.objects.all()
    assert enrollments.exists()
    assert not enrollments.filter(campaign__isnull=False).exists()
    assert set(enrollments.exclude(reported_status="Past Due").values_list("due_source", flat=True)) == {"none"}


def test_rows_that_do_not_decode_are_set_aside(run, simulator):
    simulator.disguise("dates-with-slashes")
    done = run()
    assert (done.state, done.quarantined.count()) == ("published", 3)


STOPPED = {
    "missing-status": ("held", "rows of groups could not be read"),
    "cursor-repeated": ("held", "repeated a cursor"),
    "rows-under-results": ("paused", "something other than a complete"),
    "html-policies": ("paused", "something other than a complete"),
    "phishing-forbidden": ("failed", "does not let this key read"),
}


@pytest.mark.parametrize(("name", "outcome"), STOPPED.items(), ids=STOPPED)
def test_what_stops_a_sync_publishes_nothing(run, simulator, connected, name, outcome):
    simulator.disguise(name)
    stopped = run(retry=AT_ONCE)
    assert (stopped.state, is_empty(connected)) == (outcome[0], True)
    assert outcome[1] in stopped.message


def test_phishing_tests_keep_their_figures_without_a_template(run, simulator, company, now):
    simulator.disguise("null-template")
    assert run().state == "published"
    assert set(PhishingTest.objects.values_list("template_name", flat=True)) == {""}
    assert PhishingTest.objects.count() == len(company.phishing_tests(now))
