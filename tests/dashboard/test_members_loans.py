"""Loans: heads and managers lend what they see, for a time, to somebody who can sign in here."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from dashboard.access import Scope
from dashboard.models import Delegation, Role, User
from sync.models import Account, SyncRun
from tests import factories
from tests.clock import MOMENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def head(account: Account, published: SyncRun) -> User:
    """Return the head of Claims, where one person works."""
    claims = factories.DepartmentFactory(account=account, name="Claims")
    factories.PersonFactory(account=account, department=claims, first_name="Wren", last_name="Abara")
    factories.PersonFactory(account=account, first_name="Somebody", last_name="Else")
    held = factories.MembershipFactory(
        account=account, role=Role.DEPARTMENT_HEAD, user=factories.UserFactory(first_name="Sam", last_name="Ito")
    )
    held.departments.set([claims])
    return held.user


def days(first: int, last: int) -> dict[str, str]:
    """Return a span around today as the form sends it."""
    today: date = MOMENT.date()
    return {
        "first_day": (today + timedelta(days=first)).isoformat(),
        "last_day": (today + timedelta(days=last)).isoformat(),
    }


def lend(client: Client, email: str, **fields: Any) -> str:
    """Lend through the page and return what the answer says."""
    return client.post("/you/access/", {"email": email} | days(0, 7) | fields, follow=True).content.decode()


def test_colleague_sees_what_the_head_sees_and_it_is_said(client: Client, head: User, charlie: User) -> None:
    client.force_login(head)
    assert "sees what you see" in lend(client, "CHARLIE@brackwater.example", note="Parental leave")
    assert [str(person) for person in Scope.of(charlie).people()] == ["Wren Abara"]
    theirs = Client()
    theirs.force_login(charlie)
    text = theirs.get("/you/access/").content.decode()
    assert "You also see what Sam Ito sees, for a time." in text
    assert "Parental leave" in text
    # Given back.
    theirs.post(f"/you/access/loans/{Delegation.objects.get().pk}/end/")
    assert theirs.get("/people/").status_code == 403
    assert (
        "This loan is over"
        in client.post(f"/you/access/loans/{Delegation.objects.get().pk}/end/", follow=True).content.decode()
    )


def test_borrowed_scope_cannot_be_lent_on(client: Client, head: User, charlie: User, alice: User) -> None:
    client.force_login(head)
    lend(client, charlie.email)
    theirs = Client()
    theirs.force_login(charlie)
    assert theirs.post("/you/access/", {"email": alice.email} | days(0, 7)).status_code == 404
    assert Delegation.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "fields", "complaint"),
    [
        ("stranger@brackwater.example", {}, "Nobody signs in here"),
        ("elsewhere@northwind.example", {}, "Nobody signs in here"),
        ("charlie@brackwater.example", days(3, 1), "before the first"),
        ("charlie@brackwater.example", days(-9, -2), "nor in the past"),
        ("charlie@brackwater.example", days(0, 400), "a year at most"),
    ],
)
def test_loan_that_cannot_be_is_refused(
    client: Client, head: User, charlie: User, email: str, fields: dict[str, str], complaint: str
) -> None:
    other = factories.AccountFactory(name="Northwind Bank")
    factories.MembershipFactory(account=other, user=factories.UserFactory(email="elsewhere@northwind.example"))
    client.force_login(head)
    assert complaint in lend(client, email, **fields)
    assert not Delegation.objects.exists()


def test_nobody_lends_to_themselves_or_twice(client: Client, head: User, charlie: User) -> None:
    client.force_login(head)
    assert "somebody else" in lend(client, head.email)
    lend(client, charlie.email)
    assert "in that time already" in lend(client, charlie.email)
    assert Delegation.objects.count() == 1


def test_security_managers_have_nothing_to_lend(as_alice: Client, charlie: User, published: SyncRun) -> None:
    assert "Lend what you see" not in as_alice.get("/you/access/").content.decode()
    assert as_alice.post("/you/access/", {"email": charlie.email} | days(0, 7)).status_code == 404


def test_others_loans_are_not_there(client: Client, head: User, charlie: User, alice: User) -> None:
    client.force_login(head)
    lend(client, charlie.email)
    pk = Delegation.objects.get().pk
    hers = Client()
    hers.force_login(alice)
    assert hers.post(f"/you/access/loans/{pk}/end/").status_code == 404
    assert hers.post(f"/settings/members/loans/{pk}/end/").status_code == 404
    assert Delegation.objects.get().ended_at is None
