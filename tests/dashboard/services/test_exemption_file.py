"""Requests for exemptions out of a file: which rows can be asked for, and why others cannot."""

from datetime import date

import pytest

from dashboard.models import Exemption
from dashboard.services.exemption_file import Reading, decode, read
from sync.models import Account, Campaign, Group, Person
from tests import factories


@pytest.fixture
def ada(account: Account) -> Person:
    """Return someone in training."""
    return factories.PersonFactory(account=account, email="ada@a.example", employee_number="0042")


def reading(account: Account, text: str) -> Reading:
    return read(
        text,
        account,
        people=Person.objects.filter(account=account),
        groups=Group.objects.filter(account=account),
        campaigns=Campaign.objects.filter(account=account),
        existing=Exemption.objects.filter(account=account),
    )


def problem(account: Account, header: str, row: str) -> str:
    (only,) = reading(account, f"{header}\n{row}\n").bad
    return only.problem


def test_a_row_is_read_with_everything_it_says(account: Account, ada: Person) -> None:
    campaign = factories.CampaignFactory(account=account, name="Autumn 2026")
    text = (
        "Note\tEmployee number\tReason\tFrom\tTo\tCampaign\tTicket\r\n"
        "Until spring\t0042\tLong-term sickness\t2026-12-01\t28.02.2027\tautumn 2026\tHR 7\r\n"
    )
    (row,) = reading(account, text).good
    excuse = row.excuse
    assert excuse is not None
    assert (row.line, excuse.person, excuse.campaign, excuse.group) == (2, ada, campaign, None)
    assert (excuse.first_day, excuse.last_day) == (date(2026, 12, 1), date(2027, 2, 28))
    assert (excuse.reason, excuse.note, excuse.evidence) == (Exemption.Reason.SICKNESS, "Until spring", "HR 7")


def test_a_row_keeps_its_line_where_a_note_has_several(account: Account, ada: Person) -> None:
    text = 'email,reason,from,note\n\nada@a.example,other,2026-12-01,"one\ntwo"\nada@a.example,leave,soon,\n'
    found = reading(account, text)
    assert [row.line for row in found.rows] == [4, 5]
    assert found.good[0].excuse is not None
    assert found.good[0].excuse.note == "one\ntwo"


@pytest.mark.parametrize(
    ("header", "row", "sentence"),
    [
        ("email,reason,from", ",leave,2026-12-01", "It names nobody."),
        ("email,reason,from", "bert@a.example,leave,2026-12-01", "No active person has this email."),
        ("number,employee number,reason,from", "1,7,leave,2026-12-01", "No active person has this employee number."),
        ("group,reason,from", "Nowhere,leave,2026-12-01", "No group has this name."),
        ("email,group,reason,from", "ada@a.example,Crew,leave,2026-12-01", "it must be one of them"),
        ("email,reason,from", "ada@a.example,tired,2026-12-01", "“tired” is none of the reasons: Leave,"),
        ("email,reason,from", "ada@a.example,leave,", "It has no first day."),
        ("email,reason,from", "ada@a.example,leave,2026-13-01", "is no day"),
        ("email,reason,from", "ada@a.example,leave,0026-12-01", "is no day"),
        ("email,reason,from,until", "ada@a.example,leave,2026-12-01,2026-11-30", "The last day is before the first."),
        ("email,reason,from", "ada@a.example,other,2026-12-01", "For another reason, a note must say which."),
        ("email,reason,from,campaign", "ada@a.example,leave,2026-12-01,Winter", "No campaign has this name."),
        ("email,reason,from,campaign", "ada@a.example,leave,2026-12-01,Twice", "Several campaigns have this name."),
        ("email,reason,from,evidence", f"ada@a.example,leave,2026-12-01,{'x' * 501}", "longer than 500 characters"),
    ],
)
def test_a_row_that_cannot_be_asked_for_says_why(
    account: Account, ada: Person, header: str, row: str, sentence: str
) -> None:
    factories.CampaignFactory.create_batch(2, account=account, name="Twice")
    assert sentence in problem(account, header, row)


def test_a_group_of_everybody_and_one_of_another_account_are_none(account: Account) -> None:
    Group.objects.create(account=account, knowbe4_id=0, name="All Users", first_seen_at=factories.SEEN_AT)
    elsewhere = factories.AccountFactory(name="Zephyr")
    Group.objects.create(account=elsewhere, knowbe4_id=9, name="Crew", first_seen_at=factories.SEEN_AT)
    for name in ("All Users", "Crew"):
        assert problem(account, "group,reason,from", f"{name},leave,2026-12-01") == "No group has this name."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_of_any_office_is_decoded(encoding: str) -> None:
    assert decode("email;Begründung\r\n".encode(encoding)) == "email;Begründung\r\n"
