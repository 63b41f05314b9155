"""Access: nothing without a membership, never another account's."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse

from dashboard.access import Scope
from dashboard.models import Membership, User
from sync.models import Account
from tests import factories
from tests.dashboard import routes

# Addresses that anybody may open: they are the way in.
OPEN_TO_ANYONE = {
    "account_login",
    "account_signup",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "accept_invitation",
    "api_description",
    "demo_sign_in",
    "mfa_login_webauthn",
    "openid_connect_login",
    "openid_connect_callback",
    "prove_domain",
    *("saml_login", "saml_acs", "saml_finish_acs", "saml_sls", "saml_metadata"),
}
# What an address of the sign-in may answer with invented arguments: a page, a way on, a complaint, nothing there.
WAYS_IN = {200, 302, 400, 404, 405}
# Programs have a token; a session is no way in. What describes the API tells of nobody, and is open.
FOR_PROGRAMS = {name for name in routes.names() if name.startswith("api_")} - {"api_reference", "api_description"} | {
    "mcp"
}
REFUSED_PROGRAMS = {401, 403, 404, 405}


def addresses() -> list[tuple[str, str]]:
    """Return the name and address of every route, with invented arguments."""
    return [(name, next(iter(routes.addresses(name, {})))) for name in routes.names()]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "address"), addresses())
def test_anonymous_readers_are_sent_to_the_sign_in(client: Client, name: str, address: str) -> None:
    for response in (client.get(address), client.post(address)):
        if name in OPEN_TO_ANYONE:
            assert response.status_code in WAYS_IN
            continue
        if name in FOR_PROGRAMS:
            assert response.status_code in REFUSED_PROGRAMS
            continue
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login")) or response["Location"] == "/"


@pytest.mark.parametrize(("name", "address"), addresses())
def test_a_reader_without_a_role_is_told_whom_to_ask(client: Client, charlie: User, name: str, address: str) -> None:
    client.force_login(charlie)
    for response in (client.get(address), client.post(address)):
        if name in FOR_PROGRAMS:
            assert response.status_code in REFUSED_PROGRAMS
        elif name.startswith(("account_", "mfa_")) or name in OPEN_TO_ANYONE:
            assert response.status_code in WAYS_IN
        else:
            assert response.status_code == 403
            assert "Ask an administrator" in response.content.decode()
        # The examples in the description of the API are of an invented company of that name.
        assert name == "api_description" or "Brackwater" not in response.content.decode()


def test_a_scope_grants_nothing_by_itself(account: Account) -> None:
    factories.EnrollmentFactory(account=account)
    factories.SyncRunFactory(account=account)
    for scope in (Scope(), Scope(account=account), Scope(account=account, roles=frozenset({"no such role"}))):
        assert not scope.people().exists()
        assert not scope.enrollments().exists()
        assert not scope.departments().exists()
        assert not scope.may_sync
    for scope in (Scope(), Scope(account=account)):
        assert not scope.campaigns().exists()
        assert not scope.content().exists()
        assert not scope.runs().exists()


@pytest.mark.parametrize("role", [Membership.Role.ADMINISTRATOR, Membership.Role.SECURITY_MANAGER])
def test_both_roles_see_everybody_of_their_account_only(account: Account, charlie: User, role: str) -> None:
    other = factories.AccountFactory(name="Another Company")
    mine = factories.EnrollmentFactory(account=account)
    factories.EnrollmentFactory(account=other)
    factories.SyncRunFactory(account=other)
    factories.MembershipFactory(user=charlie, account=account, role=role)
    scope = Scope.of(charlie)
    assert scope.account == account
    assert list(scope.enrollments()) == [mine]
    assert list(scope.people()) == [mine.person]
    assert list(scope.campaigns()) == [mine.campaign]
    assert list(scope.content()) == [mine.content]
    assert not scope.runs().exists()


def test_of_several_accounts_the_first_by_name_is_shown(account: Account, charlie: User) -> None:
    later = factories.AccountFactory(name="Zephyr")
    factories.MembershipFactory(user=charlie, account=later, role=Membership.Role.ADMINISTRATOR)
    factories.MembershipFactory(user=charlie, account=account)
    assert Scope.of(charlie) == Scope(account=account, roles=frozenset({"security_manager"}))


def test_nobody_has_the_empty_scope(charlie: User) -> None:
    assert Scope.of(AnonymousUser()) == Scope()
    assert Scope.of(charlie) == Scope()
    charlie.is_active = False
    assert Scope.of(charlie) == Scope()


def test_a_superuser_without_a_membership_sees_nothing(client: Client, account: Account) -> None:
    client.force_login(factories.UserFactory(is_superuser=True, is_staff=True))
    assert client.get("/").status_code == 403


def test_a_fragment_asked_for_after_signing_out_reloads_the_page(client: Client, account: Account) -> None:
    response = client.get("/sync/status/", headers={"HX-Request": "true", "HX-Target": "sync-status"})
    assert response["HX-Refresh"] == "true"
