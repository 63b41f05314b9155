"""An administrator sees the product as a member does."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from dashboard.audit import Action
from dashboard.models import Membership, User
from dashboard.models.audit import AuditEvent
from sync.models import Account, Campaign, Department, Person
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.routes import addresses, names

pytestmark = pytest.mark.django_db


@pytest.fixture
def head(account: Account) -> Membership:
    """Return the head of Claims."""
    membership: Membership = factories.MembershipFactory(
        user=factories.UserFactory(email="head@brackwater.example", first_name="Hedda", last_name="Quill"),
        account=account,
        role=Membership.Role.DEPARTMENT_HEAD,
    )
    membership.departments.add(factories.DepartmentFactory(account=account, name="Claims"))
    return membership


def test_the_administrator_sees_only_what_the_member_sees(as_ines: Client, head: Membership) -> None:
    theirs = factories.PersonFactory(account=head.account, department=head.departments.get())
    others = factories.PersonFactory(account=head.account)
    assert as_ines.get(f"/people/{others.pk}/").status_code == 200
    assert as_ines.post(f"/settings/members/{head.pk}/view/")["Location"] == "/"
    page = as_ines.get("/people/").content.decode()
    assert "Ines Halloran sees Rollcall as Hedda Quill does: Claims. Nothing can be changed." in page
    assert as_ines.get(f"/people/{theirs.pk}/").status_code == 200
    assert as_ines.get(f"/people/{others.pk}/").status_code == 404
    assert as_ines.get("/settings/members/").status_code == 404
    assert as_ines.post("/stop-viewing/")["Location"] == "/"
    assert as_ines.get(f"/people/{others.pk}/").status_code == 200


def test_it_is_logged_as_the_administrators_act(as_ines: Client, ines: User, head: Membership) -> None:
    as_ines.post(f"/settings/members/{head.pk}/view/")
    event = AuditEvent.objects.get(action=Action.VIEWED_AS)
    assert (event.actor_id, event.subject_id) == (ines.pk, head.user_id)


def test_nothing_can_be_changed_meanwhile(as_ines: Client, account: Account) -> None:
    manager = factories.MembershipFactory(user=factories.UserFactory(), account=account)
    as_ines.post(f"/settings/members/{manager.pk}/view/")
    for address in ("/sync/start/", "/settings/", f"/settings/members/{manager.pk}/view/"):
        assert as_ines.post(address).status_code == 403
    assert as_ines.get("/settings/").status_code == 200


def test_who_is_no_member_any_more_is_not_viewed(as_ines: Client, ines: User, head: Membership, now: datetime) -> None:
    as_ines.post(f"/settings/members/{head.pk}/view/")
    head.ends_at = now - timedelta(seconds=1)
    head.save()
    assert "sees Rollcall as" not in as_ines.get("/people/").content.decode()


def test_only_administrators_view_and_only_their_members(
    client: Client, as_alice: Client, head: Membership, ines: User
) -> None:
    assert as_alice.post(f"/settings/members/{head.pk}/view/").status_code == 404
    other = factories.MembershipFactory(user=factories.UserFactory(), account=factories.AccountFactory())
    client.force_login(ines)
    assert client.post(f"/settings/members/{other.pk}/view/").status_code == 404
    own = Membership.objects.get(user=ines)
    response = client.post(f"/settings/members/{own.pk}/view/", follow=True)
    assert "as yourself already" in response.content.decode()


@pytest.mark.slow
def test_every_page_names_who_looks_and_as_whom(as_ines: Client, company: Account) -> None:
    """On every address that answers with a page; a refusal's is made without the request, and tells of nobody."""
    auditor = factories.MembershipFactory(
        user=factories.UserFactory(first_name="Otto", last_name="Ernst"), account=company,
        role=Membership.Role.AUDITOR, ends_at=MOMENT + timedelta(days=30),
    )  # fmt: skip
    as_ines.post(f"/settings/members/{auditor.pk}/view/")
    keys = {
        "campaign": [Campaign.objects.order_by("pk")[0].pk],
        "person": [Person.objects.order_by("pk")[0].pk],
        "department": [Department.objects.order_by("pk")[0].pk],
    }
    silent, seen = set(), 0
    for name in names():
        if name in {"account_logout", "demo_sign_in"} or name.startswith("api_"):
            continue
        for address in addresses(name, keys):
            answer = as_ines.get(address)
            if answer.status_code >= 400 or not answer.get("Content-Type", "").startswith("text/html"):
                continue
            page = answer.content.decode()
            if "<body" in page:
                seen += 1
                if "Ines Halloran sees Rollcall as Otto Ernst does" not in page:
                    silent.add((address, answer.status_code))
    assert not silent and seen > 50
