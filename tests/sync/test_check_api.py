"""`manage.py check_api` as a terminal sees it, and the task that a page asks for."""

import json
from io import StringIO

import pytest
import time_machine

from sync import tasks
from sync.management.commands.check_api import Command
from sync.models import Account, ApiCheck
from sync.pipeline.api_check import check_account
from sync.pipeline.run import allowance
from sync.simulator import Company


@pytest.fixture(scope="session")
def company() -> Company:
    """Return the smallest company there is."""
    return Company(seed=11, people=20)


@pytest.fixture
def typed(tmp_path):
    """Return a function that runs the command as typed: its exit status, what it said where, and the file."""

    def run(*words: str) -> tuple[int, str, str, dict]:
        file = tmp_path / "report.json"
        out, errors = StringIO(), StringIO()
        command = Command(stdout=out, stderr=errors, no_color=True)
        command._called_from_command_line = True
        given = ["--output", str(file), *words]
        options = vars(command.create_parser("manage.py", "check_api").parse_args(given))
        status = 0
        try:
            command.execute(*options.pop("args", ()), **options)
        except SystemExit as ended:
            status = ended.code
        return status, out.getvalue(), errors.getvalue(), json.loads(file.read_text()) if file.exists() else {}

    return run


@pytest.mark.parametrize(
    ("disguise", "status", "words"),
    [
        ("", 0, "KnowBe4 answers as Rollcall expects."),
        ("unknown-status", 0, "- KnowBe4 says “Exempted”"),
        ("phishing-forbidden", 3, "- The key may not read security tests"),
        ("key-refused", 4, "did not accept the key"),
        ("proxy-page", 5, "something other than KnowBe4's JSON"),
        ("no-reporting-api", 7, "lacks the Reporting API"),
    ],
)
def test_each_end_has_its_sentence_and_its_exit_status(typed, connected, simulator, disguise, status, words):
    simulator.disguise(*filter(None, [disguise]))
    ended, out, errors, told = typed()
    assert ended == status
    assert words in out + errors
    assert len(errors.strip().splitlines()) == (status != 0)
    assert "report.json: " in out
    assert told["requests"] == len(told["facts"]["requests"])
    kept = ApiCheck.objects.get(account=connected)
    assert (kept.report, kept.message) == (told, told["message"])
    assert [surprise["sentence"] for surprise in kept.surprises] == [
        line.removeprefix("- ") for line in out.splitlines() if line.startswith("- ")
    ]


def test_the_limit_of_requests_has_its_own_status(typed, connected, simulator):
    simulator.fault("rate-limited-retry-after:seconds=3600")
    ended, _, errors, _ = typed()
    assert (ended, "limit of requests is reached: backed off until" in errors) == (6, True)


def test_requests_are_counted_with_those_of_a_sync(connected, simulator):
    connected.requests_per_day = 10_000
    connected.save()
    report = check_account(connected)
    assert allowance(connected).used == report.requests == len(simulator.requests)


def test_a_check_leaves_the_reserve_of_the_day_alone(connected, simulator):
    connected.requests_per_day = 20
    connected.save()
    assert check_account(connected).outcome == "rate limited"
    assert 0 < allowance(connected).used < 20


@pytest.mark.slow
def test_a_check_is_finished_when_it_ends(connected, simulator, now):
    with time_machine.travel(now, tick=False) as traveller:
        simulator.disguise("retry-after")
        check_account(connected, now=now, on_wait=lambda seconds, why: traveller.shift(seconds))
    assert ApiCheck.objects.get().finished_at > now


def test_a_day_without_requests_left_is_told_and_asks_nothing(connected, simulator):
    connected.requests_per_day = 1
    connected.save()
    first, second = check_account(connected), check_account(connected)
    assert (first.outcome, second.outcome) == ("rate limited", "rate limited")
    assert (first.requests, second.requests) == (1, 0)
    assert len(simulator.requests) == 1


def test_an_account_without_a_key_is_one_sentence(typed, db):
    Account.objects.create(name="Keyless")
    ended, _, errors, told = typed()
    assert (ended, told) == (1, {})
    assert "has no KnowBe4 key" in errors


def test_a_file_that_cannot_be_written_is_one_sentence_before_anything_is_asked(typed, connected, simulator):
    ended, _, errors, _ = typed("--output", "/proc/no/such/file")
    assert (ended, len(simulator.requests)) == (1, 0)
    assert "name another file with --output" in errors


def test_the_task_keeps_the_last_report(connected, simulator):
    simulator.disguise("trial")
    tasks.check_api(account_id=connected.pk)
    assert ApiCheck.objects.get().surprises[0]["kind"] == "trial-account"
    simulator.disguise()
    tasks.check_api(account_id=connected.pk)
    kept = ApiCheck.objects.get()
    assert (kept.surprises, kept.is_read) == ([], True)


def test_the_task_notes_a_key_that_cannot_be_read(connected, settings):
    settings.SECRET_KEY = "another"
    tasks.check_api(account_id=connected.pk)
    kept = ApiCheck.objects.get()
    assert (kept.report, kept.is_read) == ({}, False)
    assert "SECRET_KEY has changed" in kept.message
