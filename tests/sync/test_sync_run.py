"""Whole syncs over HTTP: what is published is what the simulated KnowBe4 held."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Count

from sync.models import Account, Campaign, Change, Enrollment, Person, PhishingResult, SyncRun
from sync.simulator.faults import Fault
from tests.sync.truth import expected_enrollments, mirrored_enrollments


def test_a_first_sync_publishes_the_whole_truth(run, connected, company, now):
    done = run()
    assert (done.state, done.message) == ("published", "")
    assert mirrored_enrollments(connected) == expected_enrollments(company, now)
    people = {person.person_id: person for person in company.people(now)}
    assert {person.knowbe4_id for person in Person.objects.exclude(status="unlisted")} == set(people)
    for person in Person.objects.exclude(status="unlisted").select_related("department", "manager"):
        facts = people[person.knowbe4_id]
        assert (person.email, person.status, person.archived_at) == (facts.email, facts.status, facts.archived_at)
        assert person.department_name == (facts.department or "")
    campaigns = {campaign.campaign_id: campaign for campaign in company.campaigns(now)}
    assert set(Campaign.objects.values_list("knowbe4_id", flat=True)) == set(campaigns)


@pytest.mark.slow
def test_old_phishing_results_follow_in_the_next_full_pass(run, company, now):
    results = {test.pst_id: len(company.recipients(test.pst_id, now)) for test in company.phishing_tests(now)}
    run()
    started = {test.pst_id: test.started_at for test in company.phishing_tests(now) if test.started_at}
    recent = {test for test, started_at in started.items() if (now - started_at).days < 60}
    read = set(PhishingResult.objects.values_list("test__knowbe4_id", flat=True))
    assert recent <= read < {test for test, count in results.items() if count}
    run()
    counted = PhishingResult.objects.values_list("test__knowbe4_id").annotate(count=Count("pk"))
    assert dict(counted) == {test: count for test, count in results.items() if count}


@pytest.mark.slow
def test_the_same_again_changes_nothing(run):
    run()
    run()
    again = run()
    assert all(not any(counts.values()) for counts in again.counts.values())
    assert not Change.objects.exists()


@pytest.mark.slow
def test_a_week_later_the_mirror_has_moved_on(run, simulator, connected, company, now):
    run()
    for days in (2, 4, 7):
        simulator.clock.set(now + timedelta(days=days))
        moved = run()
        expected = expected_enrollments(company, simulator.clock.now())
        mirrored = mirrored_enrollments(connected)
        assert set(mirrored) == set(expected)
        for key, facts in expected.items():
            # What was first seen earlier may be dated more closely than a first sync could.
            assert mirrored[key][:9] == facts[:9]
    assert Change.objects.filter(run=moved).exists()
    assert moved.counts["enrollment"]["inserted"] or moved.counts["enrollment"]["changed"]


@pytest.mark.parametrize("style", ["_metadata", "both", "header", "link", "enrollments-only", "page-rejected"])
@pytest.mark.slow
def test_every_paging_style_brings_the_same(run, simulator, connected, company, now, style):
    simulator.service.cursor_style = style
    assert run().state == "published"
    assert mirrored_enrollments(connected) == expected_enrollments(company, now)


@pytest.mark.slow
def test_a_quick_pass_reads_where_change_is_likely(run, simulator, connected, company, now):
    run()
    simulator.clock.set(now + timedelta(hours=1))
    requests = len(simulator.requests)
    quick = run(full=False)
    assert quick.kind == SyncRun.Kind.QUICK
    asked = [request.query for request in list(simulator.requests)[requests:]]
    assert any("campaign_id=" in query for query in asked) or quick.plan["campaign_ids"] is None
    expected = expected_enrollments(company, simulator.clock.now())
    assert set(mirrored_enrollments(connected)) >= set(expected)


def test_a_bad_key_publishes_nothing_and_says_what_to_check(run, connected):
    connected.api_key = "wrong"
    connected.save()
    refused = run()
    assert (refused.state, refused.error_kind) == ("failed", "Unauthorized")
    assert "check KNOWBE4_API_KEY and the region" in refused.message
    assert "wrong" not in refused.message
    assert not Person.objects.exists()
    connected.refresh_from_db()
    assert connected.published_at is None


@pytest.mark.slow
def test_a_cut_run_goes_on_where_it_stopped(run, simulator, connected, company, now):
    simulator.faults.append(Fault.parse("forbidden-midway:resource=enrollments"))
    assert run().state == "failed"
    simulator.faults.clear()
    simulator.faults.append(Fault.parse("html:resource=enrollments"))
    paused = run()
    assert (paused.state, Enrollment.objects.count()) == ("paused", 0)
    simulator.faults.clear()
    before = len(simulator.requests)
    resumed = run()
    assert (resumed.pk, resumed.state) == (paused.pk, "published")
    paths = {request.path for request in list(simulator.requests)[before:]}
    assert "/v1/users" not in paths, "people were read before the cut"
    assert mirrored_enrollments(connected) == expected_enrollments(company, now)


@pytest.mark.slow
def test_a_run_staged_too_long_ago_starts_afresh(run, simulator, now):
    simulator.faults.append(Fault.parse("html:resource=enrollments"))
    stale = run()
    simulator.faults.clear()
    simulator.clock.set(now + timedelta(hours=7))
    fresh = run()
    assert fresh.pk != stale.pk
    assert SyncRun.objects.get(pk=stale.pk).state == "failed"


@pytest.mark.slow
def test_a_cut_run_does_not_go_on_from_another_place(run, simulator, connected):
    simulator.faults.append(Fault.parse("html:resource=enrollments"))
    assert run().state == "paused"
    simulator.faults.clear()
    connected.base_url = simulator.url.replace("127.0.0.1", "localhost")
    connected.save()
    done = run()
    assert done.state == "published"
    assert SyncRun.objects.count() == 2, "pages of two places, which may be two organizations', are not mixed"


@pytest.mark.parametrize(
    ("name", "domains", "state"),
    [
        ("Northwind Bank", ["northwind.example"], "held"),
        ("Northwind Bank", [], "held"),
        ("Northwind Bank", ["BRACKWATER.example"], "published"),
        ("brackwater mutual", ["northwind.example"], "published"),
    ],
)
@pytest.mark.slow
def test_the_key_of_another_organization_is_noticed(run, connected, name, domains, state):
    run()
    Account.objects.filter(pk=connected.pk).update(knowbe4_name=name, domains=domains)
    second = run()
    assert second.state == state
    connected.refresh_from_db()
    if state == "held":
        assert "opens the KnowBe4 account of Brackwater Mutual, which shares neither name nor domain" in second.message
        assert connected.knowbe4_name == name, "what is shown stays"


@pytest.mark.slow
def test_a_shrunken_list_is_held(run, simulator, connected):
    run()
    before = Enrollment.objects.count()
    simulator.faults.append(Fault.parse("empty-list:resource=enrollments"))
    held = run()
    assert held.state == "held"
    assert f"Enrollments fell from {before:,} to 0." in held.message
    assert Enrollment.objects.filter(removed_at=None).count() == before


@pytest.mark.parametrize(
    ("fault", "code"), [("unauthorized-midway", 4), ("forbidden-midway", 4), ("repeated-cursor", 3)]
)
def test_the_command_tells_by_its_exit_status(connected, simulator, fault, code):
    simulator.faults.append(Fault.parse(f"{fault}:after=0"))
    with pytest.raises(CommandError) as error:
        call_command("sync")
    assert error.value.returncode == code


@pytest.mark.slow
def test_the_command_tells_that_nobody_answers(connected, simulator):
    simulator.stop()
    with pytest.raises(CommandError, match="could not be reached") as error:
        call_command("sync")
    assert error.value.returncode == 5


@pytest.mark.usefixtures("connected")
def test_the_command_says_what_it_published(capsys):
    # An account beside it, without a key, is no reason to ask which.
    Account.objects.create(name="Brackwater Mutual")
    call_command("sync", "--if-never")
    assert "Published run" in capsys.readouterr().out
    call_command("sync", "--if-never")
    assert not capsys.readouterr().out
