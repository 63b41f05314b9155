"""Sign-ins from a database of 0.1.0, which does not say whose word they are, nor whose the domains are."""

from importlib import import_module

import pytest
from allauth.socialaccount.models import SocialAccount
from django.apps import apps

from dashboard.models import EmailDomain, Membership, SingleSignOn
from tests import factories

pytestmark = pytest.mark.django_db


def provider(account, **fields):
    return SingleSignOn.objects.create(
        account=account, name="ID", server_url="https://id.example", client_id="rollcall", **fields
    )


@pytest.mark.parametrize("are_several", [False, True])
def test_domains_are_the_only_accounts_own_and_of_several_accounts_nobodys(are_several):
    provider(factories.AccountFactory(), email_domains=["Brackwater.example", "bücher.example"])
    if are_several:
        provider(factories.AccountFactory(), email_domains=["brackwater.example"])
    import_module("dashboard.migrations.0028_proven_sign_ins").name_domains(apps, None)
    rows = sorted(EmailDomain.objects.values_list("name", "proof"))
    if are_several:
        assert rows == [("brackwater.example", ""), ("brackwater.example", ""), ("xn--bcher-kva.example", "")]
    else:
        assert rows == [("brackwater.example", "operator"), ("xn--bcher-kva.example", "operator")]
        assert EmailDomain.objects.exclude(token="").values("token").distinct().count() == 2


def test_who_came_by_a_providers_word_alone_is_told_from_who_was_invited():
    one = provider(factories.AccountFactory(), email_domains=["brackwater.example"])
    invited, came, never = (factories.UserFactory() for _ in range(3))
    factories.MembershipFactory(user=invited, account=one.account, source=Membership.Source.INVITED)
    factories.MembershipFactory(user=came, account=one.account, source=Membership.Source.SINGLE_SIGN_ON)
    for user in (invited, came, never):
        SocialAccount.objects.create(user=user, provider=one.key, uid=str(user.pk))
    import_module("dashboard.migrations.0028_proven_sign_ins").name_who_vouches(apps, None)
    for user in (invited, came, never):
        user.refresh_from_db()
    assert [user.vouched_by for user in (invited, came, never)] == [None, one.account, one.account]
