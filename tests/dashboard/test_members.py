"""Members: who may invite, change and end; what the link does; who cannot be ended."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from dashboard.audit import Action, AuditEvent
from dashboard.models import Invitation, Membership, Role, User
from dashboard.services.loans import end_loan, lend
from dashboard.services.tokens import create
from sync.models import Account, Person, SyncRun
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.mail.conftest import make_schedule

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
        # An auditor reviews who has access, and changes nothing.
        status = 200 if role == Role.AUDITOR and not path else 404 if role else 403
        assert client.get(f"/settings/members/{path}").status_code == status
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
    as_ines.post(f"/settings/members/{pk}/end/", {"confirmed": "on"})
    as_ines.post(f"/settings/members/{pk}/", {"role": "security_manager"})
    as_ines.post(f"/settings/members/{pk}/", {"role": "administrator", "last_day": next_week()})
    assert Membership.objects.get(pk=pk).ends_at is None
    assert Membership.objects.get(pk=pk).role == Role.ADMINISTRATOR
    factories.MembershipFactory(user=alice, account=account, role=Role.ADMINISTRATOR)
    as_ines.post(f"/settings/members/{pk}/end/", {"confirmed": "on"})
    assert Membership.objects.get(pk=pk).ends_at is not None


def test_ended_member_sees_nothing(as_ines: Client, alice: User) -> None:
    hers = sign_in(Client(), alice)
    assert hers.get("/people/").status_code == 200
    as_ines.post(f"/settings/members/{Membership.objects.get(user=alice).pk}/end/", {"confirmed": "on"})
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


def test_an_auditor_reads_who_has_access_and_can_change_nothing(
    client: Client, as_ines: Client, account: Account, alice: User, ines: User, now: datetime
) -> None:
    invite(as_ines, last_day=next_week())
    auditor = factories.UserFactory()
    factories.MembershipFactory(user=auditor, account=account, role=Role.AUDITOR, ends_at=now + timedelta(days=9))
    head = factories.MembershipFactory(account=account, role=Role.DEPARTMENT_HEAD)
    head.departments.add(factories.DepartmentFactory(account=account, name="Claims"))
    factories.MembershipFactory(user=factories.UserFactory(), account=factories.AccountFactory(name="Northwind Bank"))
    theirs = sign_in(Client(), auditor)
    page = theirs.get("/settings/members/").content.decode()
    for said in ("Alice Marlow", "Ines Halloran", "noor@brackwater.example", "Claims", "Last sign-in", "4 members."):
        assert said in page
    main = page[page.index('<main class="main"') : page.index("</main>")]
    assert "<form" not in main and "/settings/members/" not in main.replace('href="/settings/"', "")
    assert "/settings/members/" in theirs.get("/settings/").content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"role": "people_manager"}, "KnowBe4 knows nobody by the email noor@brackwater.example"),
        ({"role": "people_manager", "email": "LONE@brackwater.example"}, "nobody reports to LONE@brackwater.example"),
        ({"role": "department_head"}, "Sales has no people since 20 Nov 2026."),
        ({"role": "people_manager", "email": "Boss@Brackwater.example"}, ""),
        ({"role": "security_manager"}, ""),
    ],
)
def test_a_role_that_would_show_nobody_is_warned_of_and_can_be_given(
    as_ines: Client, account: Account, now: datetime, fields: dict[str, Any], said: str
) -> None:
    sales = factories.DepartmentFactory(account=account, name="Sales", vacated_at=now - timedelta(days=3))
    factories.PersonFactory(account=account, email="lone@brackwater.example")
    factories.PersonFactory(
        account=account, manager=factories.PersonFactory(account=account, email="boss@brackwater.example")
    )
    form = {"email": "noor@brackwater.example"} | fields
    if fields["role"] == "department_head":
        form["departments"] = [sales.pk]
    answer = as_ines.post("/settings/members/invite/", form)
    page = answer.content.decode()
    assert (said in page, answer.status_code) == (True, 200 if said else 302)
    if said:
        assert "Sales (no people since 20 Nov 2026)</label>" in page and "press “Send the invitation” again" in page
    assert Invitation.objects.exists() is not bool(said)
    if not said:
        return
    # Another role in the form is warned of anew; the same is taken as meant.
    sure = answer.context["doubts"].digest
    assert as_ines.post("/settings/members/invite/", form | {"sure": "0" * 16}).status_code == 200
    assert as_ines.post("/settings/members/invite/", form | {"sure": sure}).status_code == 302
    assert Invitation.objects.get().role == fields["role"]
    # A member who is given it: the same.
    pk = factories.MembershipFactory(
        user=factories.UserFactory(email=form["email"].lower() + ".uk"), account=account
    ).pk
    if fields["role"] == "department_head":
        assert "has no people" in as_ines.post(f"/settings/members/{pk}/", form).content.decode()


def test_managers_of_nobody_are_marked(as_ines: Client, account: Account) -> None:
    for email in ("boss@brackwater.example", "lone@brackwater.example"):
        factories.MembershipFactory(user=factories.UserFactory(email=email), account=account, role=Role.PEOPLE_MANAGER)
    boss = factories.PersonFactory(account=account, email="Boss@brackwater.example")
    factories.PersonFactory(account=account, manager=boss)
    assert as_ines.get("/settings/members/").content.decode().count("Nobody reports to them at KnowBe4") == 1
    theirs = sign_in(Client(), User.objects.get(email="lone@brackwater.example"))
    assert "At KnowBe4 nobody reports to lone@brackwater.example." in theirs.get("/people/").content.decode()


def test_manager_whose_reports_have_all_left_reads_so(as_ines: Client, account: Account) -> None:
    user = factories.UserFactory(email="boss@brackwater.example")
    factories.MembershipFactory(user=user, account=account, role=Role.PEOPLE_MANAGER)
    boss = factories.PersonFactory(account=account, email=user.email)
    report = factories.PersonFactory(account=account, manager=boss)
    theirs, said = sign_in(Client(), user), "Everybody in the reporting line has left."
    pages = ("/", "/past-due/", "/people/")
    for page in pages:
        assert said not in theirs.get(page).content.decode(), page
    Person.objects.filter(pk=report.pk).update(status="archived")
    for page in pages:
        text = theirs.get(page).content.decode()
        assert said in text, page
        assert "KnowBe4 has no enrollment of an active person" not in text


def test_nothing_ends_unconfirmed(as_ines: Client, alice: User) -> None:
    membership = Membership.objects.get(user=alice)
    page = as_ines.get(f"/settings/members/{membership.pk}/").content.decode()
    assert f"Yes: {alice} is no longer security manager here from now on." in page
    page = as_ines.post(f"/settings/members/{membership.pk}/end/", follow=True).content.decode()
    assert "Nothing was done: tick the box to confirm it." in page
    membership.refresh_from_db()
    assert membership.ends_at is None


def test_ending_a_role_says_what_becomes_of_what_they_have(
    as_ines: Client, account: Account, ines: User, alice: User, now: datetime
) -> None:
    maren = factories.UserFactory(email="maren@brackwater.example", first_name="Maren", last_name="Okafor")
    manager = factories.MembershipFactory(user=maren, account=account)
    head = factories.MembershipFactory(user=maren, account=account, role=Role.DEPARTMENT_HEAD)
    head.departments.add(factories.DepartmentFactory(account=account))
    other = factories.MembershipFactory(account=account, role=Role.DEPARTMENT_HEAD).user
    other.memberships.get().departments.add(factories.DepartmentFactory(account=account))
    span = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=30), "at": now}
    lent = lend(account, alice.email, by=maren, **span)
    held = lend(account, maren.email, by=other, **span)
    owned = make_schedule(account, maren, alice, name="Board figures")
    make_schedule(account, ines, maren, name="Weekly list")
    token, _secret = create(maren, account, "BI tool", expires_at=now + timedelta(days=30), at=now)

    def becomes(pk: int) -> str:
        return as_ines.get(f"/settings/members/{pk}/").content.decode()

    page = becomes(head.pk)
    assert "View as" in page and "View as" not in becomes(ines.memberships.get().pk)
    assert "Lends what they see to Alice Marlow until" in page and "Board figures" not in page
    assert "“BI tool”: they stay, and read what is left to see." in page
    page = as_ines.post(f"/settings/members/{head.pk}/end/", {"confirmed": "on"}, follow=True).content.decode()
    assert "The loan to Alice Marlow is ended." in page and "Revoked" not in page
    lent.refresh_from_db()
    assert lent.ended_at and lent.ended_by == ines

    page = becomes(manager.pk)
    assert "Owns “Board figures”: passes to you" in page and f"Sees what {other} sees until" in page
    # The loan still shows them somebody: reports and tokens stay until that ends, too.
    assert "“Weekly list”" not in page and "they stay" in page
    end_loan(held, by=ines, at=now)
    page = becomes(manager.pk)
    assert "Gets “Weekly list” by mail: is sent none of it any more" in page
    assert "Has the tokens “BI tool”: they are revoked." in page
    page = as_ines.post(f"/settings/members/{manager.pk}/end/", {"confirmed": "on"}, follow=True).content.decode()
    assert "Handed on to Ines Halloran" in page and "Revoked: the tokens “BI tool”." in page
    token.refresh_from_db()
    owned.refresh_from_db()
    assert token.revoked_at and owned.owner == ines
    assert set(AuditEvent.objects.values_list("action", flat=True)) >= {
        Action.MEMBER_ENDED, Action.LOAN_ENDED, Action.TOKEN_REVOKED, Action.SCHEDULE_CHANGED,
    }  # fmt: skip
