"""Accounts from a database of 0.1.0, which does not say whose each is: names and keys tell."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from config.processes import SIMULATOR_KEY
from config.sealing import Purpose, seal
from dashboard.models import Role, User
from sync.models import Account
from tests import factories

pytestmark = pytest.mark.django_db


def account_of_0_1_0(name: str, key: str, **fields: Any) -> Account:
    return Account.objects.create(name=name, encrypted_key=seal(key, Purpose.KNOWBE4_KEY), **fields)


def marks() -> dict[str, str]:
    """Tell the accounts apart as the migration does; return what each became, by name."""
    import_module("sync.migrations.0011_account_of_environment").tell_apart(apps, None)
    return {
        account.name: "demo" if account.is_demo else "environment" if account.is_from_environment else ""
        for account in Account.objects.all()
    }


def test_the_demo_and_the_account_of_the_environment_are_told_apart():
    account_of_0_1_0("Demo", SIMULATOR_KEY, base_url="http://127.0.0.1:8900")
    account_of_0_1_0("KnowBe4 EU", "a-key", region="eu")
    account_of_0_1_0("Added by hand", "another-key", region="eu")
    assert marks() == {"Demo": "demo", "KnowBe4 EU": "environment", "Added by hand": ""}


def test_of_two_places_none_is_taken_for_the_environments():
    account_of_0_1_0("KnowBe4 EU", "a-key", region="eu")
    account_of_0_1_0("KnowBe4 US", "a-key", region="us")
    assert set(marks().values()) == {""}


def test_a_proxy_that_was_taken_for_the_demo_is_real_and_its_made_up_users_have_no_role_any_more():
    proxy = account_of_0_1_0("Demo", "a-key", base_url="http://127.0.0.1:8899")
    made_up, invited = factories.MembershipFactory(account=proxy), factories.MembershipFactory(account=proxy)
    type(invited).objects.filter(pk=invited.pk).update(source="invited")
    assert marks() == {"Demo": "environment"}
    import_module("dashboard.migrations.0024_links_of_operator").end_made_up(apps, None)
    made_up.refresh_from_db()
    invited.refresh_from_db()
    assert made_up.ends_at is not None
    assert invited.ends_at is None
    assert not User.objects.get(pk=made_up.user_id).has_usable_password()
    assert User.objects.get(pk=invited.user_id).has_usable_password()


def test_of_a_proxy_roles_that_were_made_up_with_an_end_are_ended_and_the_first_administrator_stays(now):
    proxy = account_of_0_1_0("Demo", "a-key", base_url="http://127.0.0.1:8899")
    in_a_year = now + timedelta(days=365)
    auditor = factories.MembershipFactory(account=proxy, role=Role.AUDITOR, ends_at=in_a_year)
    first = factories.MembershipFactory(account=proxy, user__email="admin@rollcall.example")
    elsewhere = factories.MembershipFactory(account=proxy)
    factories.MembershipFactory(user=elsewhere.user, account=factories.AccountFactory(name="Northwind Bank"))
    nobody = factories.UserFactory(email="nobody@brackwater.example")
    import_module("dashboard.migrations.0024_links_of_operator").end_made_up(apps, None)
    auditor.refresh_from_db()
    first.refresh_from_db()
    assert not auditor.holds(now + timedelta(hours=1))
    assert first.ends_at is None
    usable = {user.pk for user in User.objects.all() if user.has_usable_password()}
    assert usable == {first.user_id, elsewhere.user_id}
    assert nobody.pk not in usable
