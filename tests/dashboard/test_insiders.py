"""Attempts of insiders, of another account or of former members: each was a way in, or kept somebody out."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from dashboard.audit import Action
from dashboard.identity.limits import TOLD_FROM
from dashboard.models import (
    ApiToken,
    AuditEvent,
    Delegation,
    EmailDomain,
    Invitation,
    Membership,
    Role,
    Schedule,
    SingleSignOn,
    User,
)
from dashboard.queries.members import find_user
from dashboard.services.members import Offer, end, invite, renew
from dashboard.services.possessions import settle_ended
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.at_once import at_once
from tests.dashboard.mail.conftest import make_schedule
from tests.dashboard.passkey import Passkey
from tests.dashboard.signing_in import own_domains, sign_in_lately
from tests.dashboard.test_take_over import (
    EMAIL,
    PASSWORDS,
    Site,
    arrive,
    browser,
    by_oidc,
    by_password,
    opens,
    reset,
    site,  # noqa: F401 - a fixture
)

pytestmark = pytest.mark.django_db
MALLORYS = PASSWORDS["mallory"]
INSERTED = """
    INSERT INTO dashboard_user
        (password, is_superuser, first_name, last_name, is_staff, is_active, date_joined, email)
    VALUES ('!', false, '', '', false, true, now(), %s)
"""


def set_password(session: Client) -> int:
    """Set Mallory's password for Noor; return how that was answered."""
    return session.post("/password/set/", {"password1": MALLORYS, "password2": MALLORYS}).status_code


# Of another account ---------------------------------------------------------------------------------------------


def test_loan_that_begins_later_keeps_what_its_borrower_signs_in_with(site: Site) -> None:  # noqa: F811
    by_oidc(site.northwind, site.mallorys)
    site.let_her_in()
    head = factories.UserFactory(email="sam@brackwater.example")
    factories.MembershipFactory(user=head, account=site.brackwater, role=Role.PEOPLE_MANAGER)
    invite(site.brackwater, EMAIL, Offer(Role.SECURITY_MANAGER), by=site.ines, at=MOMENT)
    lender = browser()
    lender.force_login(head)
    lent = {"email": EMAIL, "first_day": "2026-11-24", "last_day": "2026-11-30"}
    assert lender.post("/you/access/", lent).status_code == 302
    assert set_password(site.through_northwind()) == 403
    with time_machine.travel(MOMENT + timedelta(days=1, hours=2)):
        assert opens(by_password(MALLORYS)) == set()


def test_domain_that_passed_on_takes_its_word_along(site: Site) -> None:  # noqa: F811
    EmailDomain.objects.all().delete()
    own_domains(by_oidc(site.northwind, site.mallorys))
    assert set_password(site.through_northwind()) == 302
    # It is worth something as long as the domain is Northwind's: whoever has a domain reads its mail.
    assert opens(by_password(MALLORYS)) == {"Northwind Bank"}
    call_command("email_domain", "brackwater.example", "--release")
    call_command("email_domain", "brackwater.example", "--account", "Brackwater Mutual")
    assert opens(site.through_brackwater()) == {"Brackwater Mutual"}
    assert opens(by_password(MALLORYS)) == set()
    assert not User.objects.get(email=EMAIL).has_usable_password()


def test_what_the_domains_own_account_vouches_for_is_good_in_another(site: Site) -> None:  # noqa: F811
    hers = site.through_brackwater()
    assert hers.post("/password/set/", {"password1": PASSWORDS["noor"], "password2": PASSWORDS["noor"]}).status_code
    assert hers.post(site.invited(site.northwind, site.mallory)).status_code == 302
    assert opens(by_password(PASSWORDS["noor"])) == {"Brackwater Mutual", "Northwind Bank"}
    # And stays so, whoever the domain belongs to later.
    EmailDomain.objects.all().delete()
    assert hers.post(site.invited(site.northwind, site.mallory, Role.SECURITY_MANAGER)).status_code in {302, 404}
    assert User.objects.get(email=EMAIL).has_usable_password()


def test_mailbox_alone_takes_no_second_factor_away(site: Site) -> None:  # noqa: F811
    hers = site.through_brackwater()
    secret = hers.get("/you/app/").context["form"].secret
    assert hers.post("/you/app/", {"code": code_of(secret)}).status_code == 302
    reset(PASSWORDS["noor"])
    assert Authenticator.objects.filter(user__email=EMAIL, type=Authenticator.Type.TOTP).exists()
    assert opens(by_password(PASSWORDS["noor"])) == set()


def test_one_account_adds_nothing_to_what_another_vouches_for(site: Site) -> None:  # noqa: F811
    """Else the second one's passkey would be taken for the first one's, and be good where that is."""
    by_oidc(site.northwind, site.mallorys)
    site.let_her_in()
    # No group gives a role here, so nothing is settled as she comes in.
    SingleSignOn.objects.get(account=site.northwind).roles.all().delete()
    User.objects.filter(email=EMAIL).update(vouched_by=factories.AccountFactory(name="Zephyr"))
    assert set_password(site.through_northwind()) == 403
    assert Passkey().add(site.through_northwind()).status_code == 403


def test_providers_sign_in_makes_no_browser_known(site: Site) -> None:  # noqa: F811
    """Each known browser may guess by itself, unheard: whoever runs a provider would have as many as they like."""
    by_oidc(site.northwind, site.mallorys)
    site.let_her_in()
    noor = User.objects.get(email=EMAIL)
    answers = []
    for number in range(2):
        client = site.through_northwind()
        assert "_auth_user_id" in client.session
        client.post("/sign-out/")
        for guess in range(4):
            tried = client.post("/sign-in/", {"login": EMAIL, "password": f"guess {number} {guess}"})
            answers.append("Too many" in tried.content.decode())
    assert answers == [False] * 5 + [True] * 3
    assert cache.get(f"guesses:{noor.pk}") == TOLD_FROM


def test_known_browsers_guess_a_hundred_times_an_hour_together(site: Site) -> None:  # noqa: F811
    noor = factories.UserFactory(email=EMAIL)
    factories.MembershipFactory(user=noor, account=site.brackwater)
    known = [by_password(factories.PASSWORD) for _number in range(21)]
    with time_machine.travel(MOMENT, tick=False) as clock:
        for number, client in enumerate(known):
            client.post("/sign-out/")
            for guess in range(5):
                tried = client.post("/sign-in/", {"login": EMAIL, "password": f"guess {guess}"})
                assert ("Too many" in tried.content.decode()) is (number == 20)
            clock.shift(timedelta(seconds=90))


def test_email_that_only_looks_like_anothers_in_capitals_is_another(site: Site) -> None:  # noqa: F811
    """In capitals an ı is an I: an administrator could take away the sign-in of whoever is invited elsewhere."""
    factories.MembershipFactory(
        user=factories.UserFactory(email="\u0131da@brackwater.example", vouched_by=site.northwind),
        account=site.northwind,
    )
    assert find_user("ida@brackwater.example") is None
    _invitation, token = invite(
        site.brackwater, "Ida@brackwater.example", Offer(Role.SECURITY_MANAGER), by=site.ines, at=MOMENT
    )
    password = PASSWORDS["noor"]
    names = {"first_name": "Ida", "last_name": "Berg", "password": password, "again": password}
    assert browser().post(f"/invitation/{token}/", names).status_code == 302
    found = find_user("IDA@brackwater.example")
    assert found is not None
    assert found.email == "Ida@brackwater.example"


def test_two_providers_with_one_client_id_and_a_second_factor(site: Site) -> None:  # noqa: F811
    by_oidc(site.northwind, site.mallorys)
    hers = site.through_brackwater()
    secret = hers.get("/you/app/").context["form"].secret
    assert hers.post("/you/app/", {"code": code_of(secret)}).status_code == 302
    assert Authenticator.objects.filter(user__email=EMAIL, type=Authenticator.Type.TOTP).exists()
    cache.clear()
    client = browser()
    assert arrive(client, site.theirs, site.single_sign_on)["Location"] == "/second-factor/"
    assert client.get("/second-factor/").status_code == 200
    assert client.post("/second-factor/", {"code": code_of(secret)}).status_code == 302
    assert client.session["signed_in_through"] == site.single_sign_on.key
    # While it waits for the code, its provider is switched off.
    cache.clear()
    waits = browser()
    arrive(waits, site.theirs, site.single_sign_on)
    SingleSignOn.objects.filter(pk=site.single_sign_on.pk).update(is_enabled=False)
    assert waits.get("/second-factor/")["Location"] == "/sign-in/"


@pytest.mark.django_db(transaction=True)
def test_who_comes_in_twice_at_once_is_one_user(site: Site) -> None:  # noqa: F811
    """Two tabs, or the invitations of two accounts: the second hears so instead of an error."""
    link = site.invited(site.brackwater, site.ines)
    names = {"first_name": "Noor", "last_name": "V", "password": MALLORYS, "again": MALLORYS}
    with at_once(INSERTED, [EMAIL]):
        assert browser().post(link, names).status_code == 404
    User.objects.get(email=EMAIL).delete()
    client = browser()
    with at_once(INSERTED, [EMAIL]):
        answered = arrive(client, site.theirs, site.single_sign_on)
    assert answered["Location"] == "/sign-in/"
    assert "in another tab. Sign in once more" in client.get("/sign-in/").content.decode()
    assert opens(site.through_brackwater()) == {"Brackwater Mutual"}


def code_of(secret: str) -> str:
    """Return the code that an authenticator app shows now."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(MOMENT.timestamp()) // 30))


def test_refused_answers_of_a_provider_are_in_its_accounts_log(site: Site) -> None:  # noqa: F811
    by_oidc(site.northwind, site.mallorys)
    site.through_northwind()
    site.through_brackwater()
    site.through_northwind()
    failed = AuditEvent.objects.filter(action=Action.SIGN_IN_FAILED).order_by("pk")
    noor = User.objects.get(email=EMAIL)
    assert [(event.account, event.subject_id) for event in failed] == [
        (site.northwind, None),
        (site.northwind, noor.pk),
    ]


# Who has left ---------------------------------------------------------------------------------------------------


@pytest.fixture
def leaver(site: Site) -> Membership:  # noqa: F811
    """Return the role of an administrator of Brackwater who owns, lends and has invited something."""
    user = factories.UserFactory(email="lee@brackwater.example")
    membership = factories.MembershipFactory(user=user, account=site.brackwater, role=Role.ADMINISTRATOR)
    make_schedule(site.brackwater, user, site.ines)
    ApiToken.objects.create(
        **{"account": site.brackwater, "user": user, "name": "Night job", "token_digest": "x" * 64, "prefix": "x"},
        **{"created_at": MOMENT, "expires_at": MOMENT + timedelta(days=90)},
    )
    invite(site.brackwater, "lee@home.example", Offer(Role.ADMINISTRATOR), by=user, at=MOMENT)
    return membership


def left_of(user: User) -> list[bool]:
    """Return whether the user still owns a schedule, uses a token, lends something, and has an open invitation."""
    return [
        Schedule.objects.filter(owner=user).exists(),
        ApiToken.objects.filter(user=user, revoked_at=None).exists(),
        Delegation.objects.filter(lender=user, ended_at=None).exists(),
        Invitation.objects.filter(invited_by=user, revoked_at=None).exists(),
    ]


def test_who_is_ended_lets_themselves_in_by_no_invitation_of_their_own(site: Site, leaver: Membership) -> None:  # noqa: F811
    invitation = Invitation.objects.get()
    token = renew(invitation, by=leaver.user, at=MOMENT)
    kept = invite(site.brackwater, "new@brackwater.example", Offer(Role.SECURITY_MANAGER), by=leaver.user, at=MOMENT)[0]
    renew(kept, by=site.ines, at=MOMENT)
    left = end(leaver, by=site.ines, at=MOMENT)
    assert left.invitations == [invitation]
    assert browser().get(f"/invitation/{token}/").status_code == 404
    # What somebody else sent again is theirs.
    kept.refresh_from_db()
    assert (kept.revoked_at, kept.invited_by) == (None, site.ines)


def test_what_another_role_keeps_is_no_work_for_the_minute_s_look(
    site: Site,  # noqa: F811
    leaver: Membership,
    django_assert_num_queries: Any,
) -> None:
    factories.MembershipFactory(
        user=leaver.user, account=site.brackwater, role=Role.SECURITY_MANAGER, ends_at=MOMENT - timedelta(days=1)
    )
    with django_assert_num_queries(4):
        assert settle_ended(MOMENT) == 0
    assert left_of(leaver.user)[1]


@pytest.mark.parametrize("way", ["time", "groups", "provider removed"])
def test_what_somebody_has_is_settled_however_their_role_ends(site: Site, leaver: Membership, way: str) -> None:  # noqa: F811
    user, account = leaver.user, site.brackwater
    line = factories.MembershipFactory(user=user, account=account, role=Role.PEOPLE_MANAGER)
    Delegation.objects.create(
        **{"account": account, "lender": user, "borrower": site.ines, "created_at": MOMENT},
        **{"starts_at": MOMENT, "ends_at": MOMENT + timedelta(days=9)},
    )
    assert left_of(user) == [True] * 4
    assert settle_ended(MOMENT) == 0
    if way == "time":
        Membership.objects.filter(user=user).update(ends_at=MOMENT)
        assert settle_ended(MOMENT) == 1
        assert settle_ended(MOMENT) == 0
        through = AuditEvent.objects.filter(action=Action.TOKEN_REVOKED).values_list("through", "actor")
        assert list(through) == [("schedule", None)]
    else:
        Membership.objects.filter(user=user).update(source=Membership.Source.SINGLE_SIGN_ON)
        if way == "groups":
            site.theirs.claims = {"sub": "lee", "email": user.email, "groups": []}
            arrive(browser(), site.theirs, site.single_sign_on)
        else:
            admin = sign_in_lately(browser(), site.ines)
            page = admin.post("/settings/sign-on/remove/", {"confirmed": "on"}, follow=True).content.decode()
            assert "2 roles from it ended." in page
            assert f"{user}: Revoked: the invitation of lee@home.example." in page
    line.refresh_from_db()
    assert line.ends_at is not None
    assert left_of(user) == [False] * 4
    assert Schedule.objects.get().owner == site.ines


def test_view_as_a_member_ends_with_the_role_and_the_account(site: Site) -> None:  # noqa: F811
    """Else it went on in another account of the viewer's, whose log knew nothing of it."""
    ines, member = site.ines, factories.UserFactory(email="sam@brackwater.example")
    for account in (site.brackwater, site.northwind):
        factories.MembershipFactory(user=member, account=account, role=Role.SECURITY_MANAGER)
    factories.MembershipFactory(user=ines, account=site.northwind, role=Role.ADMINISTRATOR)
    client = sign_in_lately(browser(), ines)
    client.post(f"/accounts/{site.brackwater.pk}/switch/")
    pk = Membership.objects.get(user=member, account=site.brackwater).pk
    client.post(f"/settings/members/{pk}/view/")
    assert client.get("/you/access/", follow=True).context["request"].scope.viewer == ines
    Membership.objects.filter(user=ines, account=site.brackwater).delete()
    scope = client.get("/you/access/", follow=True).context["request"].scope
    assert (scope.account, scope.user, scope.viewer) == (site.northwind, ines, None)
    stopped = AuditEvent.objects.get(action=Action.STOPPED_VIEWING_AS)
    assert (stopped.account, stopped.actor, stopped.subject_id) == (site.brackwater, ines, member.pk)
