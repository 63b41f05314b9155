"""Members: who may invite, change and end; what the link does; who cannot be ended."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from dashboard.audit import Action, AuditEvent
from dashboard.models import Invitation, Membership, Role, User
from sync.models import Account, SyncRun
from tests import factories
from tests.clock import MOMENT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("committed")]
PASSWORD = "an orchard of seven quiet pears"


@pytest.fixture
def as_ines(client: Client, ines: User, published: SyncRun) -> Client:
    """Return a client on which the administrator has just signed in with her password."""
    return sign_in(client, ines)


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run at once what follows a commit: the transaction around a test never commits."""
    monkeypatch.setattr("dashboard.pages.members.transaction.on_commit", lambda act: act())


def sign_in(client: Client, user: User) -> Client:
    """Sign in through the form, as people do."""
    answer = client.post("/sign-in/", {"login": user.email, "password": factories.PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


def invite(client: Client, **fields: Any) -> str:
    """Invite somebody through the page and return the path of the link that was mailed."""
    answer = client.post("/settings/members/invite/", {"email": "noor@brackwater.example", "role": "auditor"} | fields)
    assert answer.status_code == 302, answer.content.decode()
    return link_in(mail.outbox[-1].body)


def link_in(body: str) -> str:
    """Return the path of the link in a mail."""
    found = re.search(r"/invitation/\S+", body)
    assert found
    return found[0]


def next_week() -> str:
    """Return a day to come, as a form sends it."""
    return (MOMENT + timedelta(days=7)).date().isoformat()


def test_members_page_lists_roles_invitations_and_ends(as_ines: Client, account: Account, alice: User) -> None:
    invite(as_ines, last_day=next_week())
    text = as_ines.get("/settings/members/").content.decode()
    assert "Alice Marlow" in text
    assert "Security manager" in text
    assert "noor@brackwater.example" in text
    assert "2 members." in text
    assert "1 invitation is open." in text


@pytest.mark.parametrize("role", [None, Role.SECURITY_MANAGER, Role.DEPARTMENT_HEAD, Role.AUDITOR])
def test_members_pages_are_not_there_for_others(
    client: Client, account: Account, ines: User, published: SyncRun, role: Role | None, now: datetime
) -> None:
    user = factories.UserFactory()
    if role:
        ends_at = now + timedelta(days=1) if role == Role.AUDITOR else None
        factories.MembershipFactory(user=user, account=account, role=role, ends_at=ends_at)
    sign_in(client, user)
    pk = Membership.objects.get(user=ines).pk
    for path in ("", "invite/", f"{pk}/"):
        assert client.get(f"/settings/members/{path}").status_code == (404 if role else 403)
    assert client.post(f"/settings/members/{pk}/end/").status_code == (404 if role else 403)
    assert Membership.objects.get(pk=pk).ends_at is None


def test_members_of_another_account_are_not_there(as_ines: Client) -> None:
    elsewhere = factories.MembershipFactory(account=factories.AccountFactory(name="Northwind Bank"))
    assert as_ines.get(f"/settings/members/{elsewhere.pk}/").status_code == 404
    assert as_ines.post(f"/settings/members/{elsewhere.pk}/end/").status_code == 404
    assert elsewhere.user.email not in as_ines.get("/settings/members/").content.decode()


def test_invitation_makes_a_user_who_is_signed_in(as_ines: Client, account: Account) -> None:
    path = invite(as_ines, last_day=next_week())
    assert Invitation.objects.get().token_digest not in path  # only a hash is kept
    newcomer = Client()
    assert "auditor" in newcomer.get(path).content.decode()
    answer = newcomer.post(
        path, {"first_name": "Noor", "last_name": "Velasquez", "password": PASSWORD, "again": PASSWORD}
    )
    assert answer.status_code == 302
    membership = Membership.objects.get(user__email="noor@brackwater.example")
    assert (membership.role, membership.source) == (Role.AUDITOR, Membership.Source.INVITED)
    assert membership.ends_at is not None
    assert newcomer.get("/").status_code == 200
    # The link works once.
    assert Client().get(path).status_code == 404
    actions = list(AuditEvent.objects.filter(account=account).values_list("action", flat=True))
    assert {Action.MEMBER_INVITED, Action.INVITATION_ACCEPTED} <= set(actions)


@pytest.mark.parametrize("password", ["short", "password123456", "noor-velasquez"])
def test_invitation_refuses_a_weak_password(as_ines: Client, password: str) -> None:
    path = invite(as_ines, last_day=next_week())
    answer = Client().post(
        path, {"first_name": "Noor", "last_name": "Velasquez", "password": password, "again": password}
    )
    assert answer.status_code == 200
    assert not User.objects.filter(email="noor@brackwater.example").exists()


def test_invitation_asks_an_existing_user_to_sign_in(as_ines: Client, charlie: User, account: Account) -> None:
    path = invite(as_ines, email=charlie.email, role="security_manager")
    theirs = Client()
    assert "Sign in to accept" in theirs.get(path).content.decode()
    # Holding the link is not enough: no password can be set with it.
    theirs.post(path, {"first_name": "C", "last_name": "C", "password": PASSWORD, "again": PASSWORD})
    charlie.refresh_from_db()
    assert charlie.check_password(factories.PASSWORD)
    sign_in(theirs, charlie)
    assert theirs.get(path).status_code == 200
    assert theirs.post(path).status_code == 302
    assert Membership.objects.get(user=charlie).role == Role.SECURITY_MANAGER


def test_invitation_is_for_one_email(as_ines: Client, charlie: User, alice: User) -> None:
    path = invite(as_ines, email=charlie.email, role="administrator")
    other = sign_in(Client(), alice)
    assert "Sign out, then open the link" in other.get(path).content.decode()
    other.post(path)
    assert not Membership.objects.filter(role=Role.ADMINISTRATOR, user=alice).exists()
    assert Invitation.objects.get().accepted_at is None


def test_invitation_sent_again_ends_the_old_link(as_ines: Client) -> None:
    old = invite(as_ines, last_day=next_week())
    as_ines.post(f"/settings/members/invitations/{Invitation.objects.get().pk}/send/")
    new = link_in(mail.outbox[-1].body)
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200
    as_ines.post(f"/settings/members/invitations/{Invitation.objects.get().pk}/revoke/")
    assert Client().get(new).status_code == 404


def test_invitation_runs_out_after_a_week(as_ines: Client, now: datetime) -> None:
    path = invite(as_ines, last_day=(now + timedelta(days=30)).date().isoformat())
    assert Client().get(path).status_code == 200
    Invitation.objects.update(expires_at=now)
    assert Client().get(path).status_code == 404
    # One that ran out makes room for another.
    assert Client().get(invite(as_ines, last_day=next_week())).status_code == 200


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"role": "auditor"}, "has an end"),
        ({"role": "department_head"}, "at least one department"),
        ({"role": "auditor", "last_day": "2020-01-01"}, "in the past"),
        ({"role": "owner"}, "valid choice"),
        ({"email": "ines@brackwater.example", "role": "administrator"}, "this role already"),
    ],
)
def test_invitation_says_what_is_missing(as_ines: Client, fields: dict[str, str], complaint: str) -> None:
    answer = as_ines.post("/settings/members/invite/", {"email": "noor@brackwater.example"} | fields)
    assert answer.status_code == 200
    assert complaint in answer.content.decode()
    assert not mail.outbox


def test_member_gets_departments_and_another_role(as_ines: Client, alice: User, account: Account) -> None:
    department = factories.DepartmentFactory(account=account, name="Claims")
    pk = Membership.objects.get(user=alice).pk
    assert as_ines.get(f"/settings/members/{pk}/").status_code == 200
    as_ines.post(f"/settings/members/{pk}/", {"role": "department_head", "departments": [department.pk]})
    membership = Membership.objects.get(user=alice)
    assert membership.role == Role.DEPARTMENT_HEAD
    assert list(membership.departments.all()) == [department]


def test_departments_of_another_account_are_refused(as_ines: Client, alice: User) -> None:
    foreign = factories.DepartmentFactory(account=factories.AccountFactory(name="Northwind Bank"))
    pk = Membership.objects.get(user=alice).pk
    as_ines.post(f"/settings/members/{pk}/", {"role": "department_head", "departments": [foreign.pk]})
    assert Membership.objects.get(user=alice).role == Role.SECURITY_MANAGER


def test_last_administrator_stays(as_ines: Client, ines: User, alice: User, account: Account) -> None:
    pk = Membership.objects.get(user=ines).pk
    as_ines.post(f"/settings/members/{pk}/end/")
    as_ines.post(f"/settings/members/{pk}/", {"role": "security_manager"})
    as_ines.post(f"/settings/members/{pk}/", {"role": "administrator", "last_day": next_week()})
    assert Membership.objects.get(pk=pk).ends_at is None
    assert Membership.objects.get(pk=pk).role == Role.ADMINISTRATOR
    factories.MembershipFactory(user=alice, account=account, role=Role.ADMINISTRATOR)
    as_ines.post(f"/settings/members/{pk}/end/")
    assert Membership.objects.get(pk=pk).ends_at is not None


def test_ended_member_sees_nothing(as_ines: Client, alice: User) -> None:
    hers = sign_in(Client(), alice)
    assert hers.get("/people/").status_code == 200
    as_ines.post(f"/settings/members/{Membership.objects.get(user=alice).pk}/end/")
    assert hers.get("/people/").status_code == 403
    assert "1 role that ended" in as_ines.get("/settings/members/").content.decode()
    # Invited anew, the role holds again.
    path = invite(as_ines, email=alice.email, role="security_manager")
    assert hers.post(path).status_code == 302
    assert hers.get("/people/").status_code == 200


def test_sensitive_acts_ask_again_after_a_while(as_ines: Client, alice: User) -> None:
    session = as_ines.session
    session["account_authentication_methods"] = [
        record | {"at": record["at"] - 3600} for record in session["account_authentication_methods"]
    ]
    session.save()
    answer = as_ines.get("/settings/members/invite/")
    assert answer["Location"] == "/confirm/?next=%2Fsettings%2Fmembers%2Finvite%2F"
    pk = Membership.objects.get(user=alice).pk
    assert as_ines.post(f"/settings/members/{pk}/end/")["Location"].startswith("/confirm/")
    assert Membership.objects.get(pk=pk).ends_at is None
    confirmed = as_ines.post("/confirm/?next=/settings/members/invite/", {"password": factories.PASSWORD})
    assert confirmed["Location"] == "/settings/members/invite/"
    assert as_ines.get("/settings/members/invite/").status_code == 200


def test_mail_that_cannot_be_sent_is_said(as_ines: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 9
    settings.EMAIL_HOST = "127.0.0.1"
    answer = as_ines.post(
        "/settings/members/invite/",
        {"email": "noor@brackwater.example", "role": "auditor", "last_day": next_week()},
        follow=True,
    )
    assert "could not be sent" in answer.content.decode()
    assert Invitation.objects.count() == 1


def test_members_page_asks_few_questions(as_ines: Client, account: Account, django_assert_max_num_queries: Any) -> None:
    for _number in range(12):
        factories.MembershipFactory(account=account)
    with django_assert_max_num_queries(12):
        as_ines.get("/settings/members/")
