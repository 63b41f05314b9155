"""The world: the same whenever and however it is asked, and full of what real accounts are full of."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from sync.simulator import Company
from sync.simulator.timestamps import add_relative, moment, seconds

DONE = {"Passed", "Completed"}
BEFORE = datetime(2023, 10, 31, 23, 59, tzinfo=UTC)


@pytest.fixture(scope="module")
def enrollments(firm, now):
    return {facts.enrollment_id: facts for facts in firm.enrollments(now)}


@pytest.fixture(scope="module")
def now():
    return datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def snapshot(company, at):
    return (
        company.account(at),
        company.people(at),
        company.groups(at),
        company.store_purchases(at),
        company.policies(at),
        company.campaigns(at),
        list(company.enrollments(at)),
        company.phishing_campaigns(at),
        [company.recipients(test.pst_id, at) for test in company.phishing_tests(at)],
        company.risk_score_history(at, "account", full=True),
    )


def test_two_instances_agree_whatever_was_asked_before(now):
    early, late = Company(seed=3, people=40), Company(seed=3, people=40)
    late.enrollment_count(now + timedelta(days=900))  # history far ahead is made already
    for at in (now - timedelta(days=700), now - timedelta(days=31), now):
        assert snapshot(early, at) == snapshot(late, at) == snapshot(early, at)


def test_another_seed_is_another_company(now):
    assert Company(seed=3, people=40).people(now) != Company(seed=4, people=40).people(now)


def test_nothing_before_the_founding(firm):
    assert firm.account(BEFORE).name == "Brackwater Mutual"
    for listed in (firm.people, firm.groups, firm.store_purchases, firm.policies, firm.campaigns, firm.phishing_tests):
        assert listed(BEFORE) == []
    assert list(firm.enrollments(BEFORE)) == []
    assert firm.risk_score_history(BEFORE, "account", full=True) == []


def test_size_is_what_was_asked_for(now):
    company = Company()
    assert sum(person.status == "active" for person in company.people(now)) == pytest.approx(1842, abs=20)
    assert 60 <= len(company.campaigns(now, percentages=False)) <= 80
    assert 35_000 <= company.enrollment_count(now) <= 60_000
    assert company.account(now).number_of_seats > 1842


def test_targets_for_benchmarks_steer_the_shape(now):
    company = Company(people=2_000, enrollments=40_000, campaigns=240, departments=120)
    assert company.enrollment_count(now) == pytest.approx(40_000, rel=0.15)
    assert len(company.campaigns(now, percentages=False)) == pytest.approx(240, rel=0.12)
    assert len({person.department_name for person in company.people(now)}) == 120


def test_company_of_more_enrollments_than_its_program_brings(now):
    company = Company(people=150, enrollments=20_000, campaigns=74, departments=4)
    assert company.enrollment_count(now) == pytest.approx(20_000, rel=0.35)
    assert Company(people=150, campaigns=74, departments=4).enrollment_count(now) < 10_000
    facts = list(company.enrollments(now))
    assert len({f.campaign_id for f in facts}) < 100
    titles = {item.name for item in [*company.store_purchases(now), *company.policies(now)]}
    assert {f.module_name for f in facts} <= titles
    assert "Security Awareness Fundamentals, part 2" in titles


def test_too_few_people_are_refused():
    with pytest.raises(ValueError, match="at least 20 people"):
        Company(people=10)


def test_a_moment_without_time_zone_is_refused(firm):
    with pytest.raises(ValueError, match="time zone"):
        firm.people(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_completion_is_plausible(firm, enrollments, now):
    active = {person.person_id for person in firm.people(now) if person.status == "active"}
    recent = now - timedelta(days=60)
    due = [facts for facts in enrollments.values() if facts.due_at and recent <= facts.due_at <= now]
    due = [facts for facts in due if facts.person_id in active]
    done = sum(facts.status in DONE for facts in due)
    assert 0.91 < done / len(due) < 0.98


def test_customer_service_is_the_least_punctual_large_department(firm, enrollments, now):
    people = {person.person_id: person for person in firm.people(now)}
    on_time, due = Counter(), Counter()
    for facts in enrollments.values():
        if facts.due_at and facts.due_at <= now:
            department = people[facts.person_id].department_name
            due[department] += 1
            on_time[department] += facts.completed_at is not None and facts.completed_at <= facts.due_at
    rates = {name: on_time[name] / due[name] for name in due if due[name] > 1_500}
    assert min(rates, key=rates.__getitem__) == "Customer Service"


def test_past_due_jumps_at_a_deadline_and_clears(firm):
    deadline = next(
        c.end_at for c in firm.campaigns(datetime(2026, 11, 1, tzinfo=UTC)) if c.name == "Autumn awareness 2026"
    )

    def past_due(at):
        return sum(facts.status == "Past Due" for facts in firm.enrollments(at))

    before, after = past_due(deadline - timedelta(hours=2)), past_due(deadline + timedelta(hours=2))
    assert after > before + 50
    assert past_due(deadline + timedelta(days=18)) < before + (after - before) / 2


def test_history_only_grows_but_for_removals_and_resets(firm, now):
    earlier = {facts.enrollment_id: facts for facts in firm.enrollments(now - timedelta(days=90))}
    later = {facts.enrollment_id: facts for facts in firm.enrollments(now)}
    vanished = earlier.keys() - later.keys()
    assert vanished
    assert all(now - timedelta(days=90) < firm.removed_at(key, now) <= now for key in vanished)
    reset = 0
    for key in earlier.keys() & later.keys():
        was, is_ = earlier[key], later[key]
        assert (was.person_id, was.campaign_id, was.module_name, was.enrolled_at) == (
            is_.person_id, is_.campaign_id, is_.module_name, is_.enrolled_at,
        )  # fmt: skip
        if was.completed_at and is_.completed_at != was.completed_at:
            reset += 1
    assert 0 < reset < 50
    assert min(later.keys() - earlier.keys()) > max(earlier)


def test_a_removed_enrollment_is_gone(firm, now):
    gone = next(key for key in (facts.enrollment_id for facts in firm.enrollments(datetime(2026, 2, 5, tzinfo=UTC)))
                if firm.removed_at(key, now))  # fmt: skip
    at = firm.removed_at(gone, now)
    assert firm.enrollment(gone, at) is None
    assert firm.enrollment(gone, at - timedelta(seconds=1)) is not None
    assert firm.removed_at(gone, at - timedelta(seconds=1)) is None


def test_listing_and_asking_one_by_one_agree(firm, enrollments, now):
    for key in list(enrollments)[::97]:
        assert firm.enrollment(key, now) == enrollments[key]
    assert firm.enrollment(max(enrollments) + 1_000_000_000, now) is None
    assert firm.enrollment(min(enrollments) + 1, now) is None
    assert firm.enrollment_count(now) == len(enrollments)


def test_status_follows_the_console(enrollments, now):
    for facts in enrollments.values():
        if facts.completed_at:
            assert facts.status in DONE
        elif facts.due_at and facts.due_at <= now:
            assert facts.status == "Past Due"
        else:
            assert facts.status == ("In Progress" if facts.started_at else "Not Started")
        if facts.status == "Not Started":
            assert facts.time_spent == 0


def test_derived_dates_come_from_the_campaign(firm, enrollments, now):
    campaigns = {campaign.campaign_id: campaign for campaign in firm.campaigns(now)}
    kinds = set()
    for facts in enrollments.values():
        campaign = campaigns[facts.campaign_id]
        kinds.add(campaign.duration_type)
        if campaign.relative_duration:
            expected = moment(add_relative(seconds(facts.enrolled_at), campaign.relative_duration))
        else:
            expected = campaign.end_at
        assert facts.derived_due_at == expected
        assert facts.extended or facts.due_at == facts.derived_due_at
    assert kinds == {"Specific End Date", "Relative End Date", "No End Date"}


@pytest.mark.slow
def test_enrollments_have_every_oddity(firm, enrollments, now):
    facts = list(enrollments.values())
    assert any(f.completed_at and f.completed_at < f.enrolled_at and f.time_spent == 0 for f in facts), "credit"
    assert any(f.completed_at and f.completed_at > f.enrolled_at and f.time_spent == 0 for f in facts), "marked done"
    assert any(f.completed_at and f.due_at and f.completed_at > f.due_at for f in facts), "late"
    assert any(f.status == "In Progress" and f.time_spent == 0 for f in firm_over_time(firm, now)), "started, no time"
    hidden = [f for f in firm_over_time(firm, now) if f.extended and f.status in ("Not Started", "In Progress")]
    assert hidden, "extension only the console shows"
    pairs = Counter((f.person_id, f.content_kind, f.content_id) for f in facts)
    assert max(pairs.values()) > 1, "same content in several campaigns"
    assert {f.content_kind for f in facts} == {
        "Training Module", "Video", "Game", "Assessment", "Policy", "Newsletter", "Poster",
    }  # fmt: skip
    assert any(len(f.module_name) > 120 and "&" in f.module_name for f in facts), "long name with &"
    assert any(f.score is not None for f in facts)


def firm_over_time(firm, now):
    for weeks in range(0, 60, 6):
        at = now - timedelta(weeks=weeks)
        for facts in firm.enrollments(at):
            if facts.status in ("Not Started", "In Progress") and (
                facts.status == "In Progress" or (facts.derived_due_at and facts.derived_due_at < at)
            ):
                yield facts


def test_past_due_can_be_taken_back(firm, now):
    taken_back = [
        ordinal for ordinal, special in firm.ledger.specials.items()
        if special.granted_at < seconds(now)
        and firm.ledger.state(ordinal, special.granted_at - 1).status == "Past Due"
        and firm.ledger.state(ordinal, special.granted_at).status in ("Not Started", "In Progress")
    ]  # fmt: skip
    assert taken_back


def test_campaigns_of_every_state(firm, now):
    campaigns = firm.campaigns(now)
    assert {c.status for c in campaigns} >= {"Created", "In Progress", "Completed", "Closed", "Cancelled"}
    assert any(c.status == "Created" and c.start_at is None for c in campaigns)
    assert any(c.status == "Created" and c.start_at and c.start_at > now for c in campaigns)
    start = next(c.start_at for c in campaigns if c.name == "Autumn awareness 2026")
    word = next(c.status for c in firm.campaigns(start + timedelta(minutes=10)) if c.name == "Autumn awareness 2026")
    assert word == "Enrolling"
    assert Counter(c.name for c in campaigns)["Use of AI tools policy"] == 2, "two campaigns of one name"


def test_an_end_date_was_moved_and_a_campaign_deleted(firm):
    def campaign(name, at):
        return next((c for c in firm.campaigns(at) if c.name == name), None)

    before, after = datetime(2025, 3, 10, tzinfo=UTC), datetime(2025, 3, 20, tzinfo=UTC)
    assert campaign("Annual awareness 2025", before).end_at < campaign("Annual awareness 2025", after).end_at
    pilot = campaign("Pilot: do not use (2026)", datetime(2026, 3, 15, tzinfo=UTC))
    rows = [f for f in firm.enrollments(datetime(2026, 3, 15, tzinfo=UTC)) if f.campaign_id == pilot.campaign_id]
    assert rows
    gone = datetime(2026, 4, 20, tzinfo=UTC)
    assert campaign("Pilot: do not use (2026)", gone) is None
    assert all(firm.enrollment(f.enrollment_id, gone) is None for f in rows)


def test_a_week_brings_something_new_for_ever(firm):
    at = datetime(2031, 5, 5, tzinfo=UTC)
    assert firm.enrollment_count(at) < firm.enrollment_count(at + timedelta(days=31))
    assert any("2031" in campaign.name for campaign in firm.campaigns(at, percentages=False))


def test_people_come_go_move_and_come_back(firm, now):
    ids_before = {person.person_id: person for person in firm.people(now - timedelta(days=365))}
    people = {person.person_id: person for person in firm.people(now)}
    assert ids_before.keys() < people.keys()
    both = [(ids_before[key], people[key]) for key in ids_before]
    assert any(was.status == "active" and is_.status == "archived" for was, is_ in both)
    back = set()
    for weeks in range(4, 152, 4):
        archived = {p.person_id for p in firm.people(now - timedelta(weeks=weeks)) if p.status == "archived"}
        back |= {key for key in archived if people[key].status == "active"}
    assert back
    assert all(people[key].archived_at is None for key in back)
    assert any(was.department_name != is_.department_name for was, is_ in both)
    renamed = [(was, is_) for was, is_ in both if was.email != is_.email]
    assert renamed
    assert all(was.email in is_.aliases for was, is_ in renamed)
    assert all(person.archived_at is not None for person in people.values() if person.status == "archived")


def test_leavers_finish_nothing_after_they_left(firm, enrollments, now):
    archived = {person.person_id: person.archived_at for person in firm.people(now) if person.archived_at}
    late = [
        facts for facts in enrollments.values()
        if facts.person_id in archived and facts.completed_at and facts.completed_at > archived[facts.person_id]
    ]  # fmt: skip
    assert late == []


def test_departments_are_spelled_in_several_ways(firm, now):
    spellings = {person.department for person in firm.people(now) if person.department_name == "Customer Service"}
    assert {"Customer Service", "Customer service ", "customer  service"} <= spellings
    everyone = {person.department for person in firm.people(now)}
    assert None in everyone
    assert len({person.department_name for person in firm.people(now)}) == 14


def test_names_come_in_many_scripts(firm, now):
    assert sum(not person.last_name.isascii() for person in firm.people(now)) > 20
    assert all(person.email.isascii() for person in firm.people(now))
    emails = Counter(person.email for person in firm.people(now))
    assert max(emails.values()) == 1


def chain(people, person):
    """Return the managers above a person, ending at the top or where it loops."""
    seen = []
    while person.manager_id is not None and person.manager_id not in seen:
        seen.append(person.manager_id)
        person = people[person.manager_id]
    return seen, person.manager_id is not None


def test_reporting_tree_has_five_levels_and_one_loop():
    company, at = Company(), datetime(2023, 11, 2, tzinfo=UTC)
    people = {person.person_id: person for person in company.people(at)}
    chains = [chain(people, person) for person in people.values()]
    assert max(len(seen) for seen, looped in chains if not looped) == 4, "five levels are four steps"
    loops = {frozenset(seen[-2:]) for seen, looped in chains if looped}
    assert len(loops) == 1


def test_managers_are_missing_named_only_or_in_other_case(firm, now):
    people = firm.people(now)
    emails = {person.email for person in people}
    assert any(person.manager_id and person.manager_name is None and person.manager_email is None for person in people)
    assert any(person.manager_name and person.manager_email is None for person in people)
    other = [p.manager_email for p in people if p.manager_email and p.manager_email not in emails]
    assert other
    assert all(email.lower() in emails for email in other)


def test_failed_phishing_brings_remedial_training(firm, enrollments, now):
    remediation = [c.campaign_id for c in firm.campaigns(now) if c.name.startswith("Phishing remediation")]
    enrolled = {(f.person_id, f.enrolled_at) for f in enrollments.values() if f.campaign_id in remediation}
    test = next(t for t in firm.phishing_tests(now) if t.started_at and t.started_at.year == 2026 and not t.callback)
    failed = []
    for r in firm.recipients(test.pst_id, now):
        traps = (r.clicked_at, r.replied_at, r.attachment_opened_at, r.data_entered_at, r.qr_code_scanned_at)
        if any(traps):
            failed.append((r.person_id, min(filter(None, traps))))
    assert failed
    people = {person.person_id: person for person in firm.people(now)}
    for person_id, at in failed:
        if people[person_id].status == "active":
            assert any(p == person_id and at <= when <= at + timedelta(days=14) for p, when in enrolled)


def test_recipients_agree_with_the_counts(firm, now):
    for test in firm.phishing_tests(now)[-4:]:
        recipients = firm.recipients(test.pst_id, now)
        assert test.counts["delivered_count"] == sum(r.delivered_at is not None for r in recipients)
        assert test.counts["reported_count"] == sum(r.reported_at is not None for r in recipients)


def test_ids_have_the_size_of_real_ones(firm, enrollments, now):
    assert all(33_000_000 < person.person_id < 81_000_000 for person in firm.people(now))
    assert all(450_000_000 < key < 460_000_000 for key in enrollments)
    recipients = [r.recipient_id for test in firm.phishing_tests(now) for r in firm.recipients(test.pst_id, now)]
    assert len(set(recipients)) == len(recipients)
    assert min(recipients) < 2**31 < max(recipients)
