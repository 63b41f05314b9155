"""The page of a synced company, campaign by campaign, against a count over the simulator's facts."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
import time_machine

from dashboard.models import Membership, User
from tests.sync.truth import DONE, OPEN

pytestmark = pytest.mark.slow


class CampaignRows(HTMLParser):
    """Reads the cells of every campaign's row: by KnowBe4's id, column label to text."""

    def __init__(self):
        super().__init__()
        self.rows, self.row, self.label = {}, None, None

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "tr":
            self.row, self.label = attributes.get("data-campaign"), None
        elif tag == "td":
            self.label = attributes.get("data-label")

    def handle_endtag(self, tag):
        if tag in {"td", "tr"}:
            self.label = None

    def handle_data(self, data):
        if self.row and self.label and data.strip():
            cells = self.rows.setdefault(int(self.row), {})
            cells[self.label] = cells.get(self.label, "") + data.strip()


def true_counts(company, at):
    """Return (counted, completed, due, on time, past due) by campaign, by the definitions and nothing else."""
    active = {
        person.person_id
        for person in company.people(at)
        if person.status == "active" or (person.archived_at is not None and person.archived_at > at)
    }
    cancelled = {c.campaign_id for c in company.campaigns(at) if c.status.lower() in {"cancelled", "canceled"}}
    counts = {}
    for facts in company.enrollments(at):
        if facts.person_id not in active or facts.campaign_id in cancelled or facts.enrolled_at > at:
            continue
        due = facts.derived_due_at
        if facts.status in OPEN and due is not None and due < at - timedelta(hours=48):
            due = None
        completed = facts.status in DONE and facts.completed_at <= at
        row = counts.setdefault(facts.campaign_id, [0, 0, 0, 0, 0])
        row[0] += 1
        row[1] += completed
        row[2] += due is not None and due <= at
        row[3] += due is not None and due <= at and completed and facts.completed_at <= due
        row[4] += due is not None and due <= at and not completed
    return counts


def percent(part, whole):
    """Write a rate as the definitions ask: one decimal, rounded down."""
    if not whole:
        return "–"
    tenths = part * 1000 // whole
    if part == whole:
        return "100%"
    return "<0.1%" if part and not tenths else f"{tenths // 10}.{tenths % 10}%"


@pytest.mark.parametrize("days", [0, 3])
def test_every_campaigns_figures_are_the_truth(run, simulator, connected, company, now, client, days, monkeypatch):
    simulator.clock.set(now + timedelta(days=days))
    run()
    maren = User.objects.create_user("maren@brackwater.example", "a long enough phrase")
    Membership.objects.create(user=maren, account=connected, role=Membership.Role.SECURITY_MANAGER)
    monkeypatch.setattr("dashboard.pages.overview.MOST_CAMPAIGNS", 1_000)
    with time_machine.travel(simulator.clock.now()):
        client.force_login(maren)
        page = client.get("/")
    assert page.status_code == 200
    parser = CampaignRows()
    parser.feed(page.content.decode())
    truth = true_counts(company, simulator.clock.now())
    assert set(parser.rows) == {campaign.campaign_id for campaign in company.campaigns(simulator.clock.now())}
    assert sum(1 for counted, *_ in truth.values() if counted) > 30
    for campaign, cells in parser.rows.items():
        counted, completed, due, on_time, past_due = truth.get(campaign, [0] * 5)
        assert cells["Counted"] == (f"{counted:,}" if counted else "–")
        assert cells["Completion rate"] == percent(completed, counted)
        assert cells["On-time rate"] == percent(on_time, due)
        assert cells["Past due"] == (f"{past_due:,}" if counted else "–")
