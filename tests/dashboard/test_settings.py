"""The pages of settings: campaigns, departments, the target and the log."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.access import Scope
from dashboard.models import AccountSetting, CampaignSetting, InferredTrigger, SettingChange, Trigger, User
from dashboard.queries.departments import department_lines, suggestions
from dashboard.services import departments as deciding
from dashboard.services.campaigns import set_requirement
from sync.models import Account, Campaign, Department
from tests import factories

FRAGMENT = {"HX-Request": "true"}


def campaign_named(account: Account, name: str) -> Campaign:
    return Campaign.objects.get(account=account, name=name)


def department_named(account: Account, name: str) -> Department:
    return Department.objects.get(account=account, name=name)


def text_of(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


# The front page -------------------------------------------------------------------------------------------------


def test_the_front_page_says_what_is_decided(
    as_alice: Client,
    alice: User,
    company: Account,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    now: datetime,
) -> None:
    campaign = campaign_named(company, "Use of AI tools policy")
    set_requirement(campaign, CampaignSetting.Requirement.OPTIONAL, by=alice, at=now, reason="Only an <offer>.")
    with django_assert_max_num_queries(12):
        text = text_of(as_alice, "/settings/")
    assert "Nothing waits for a decision." in text
    assert "1 of 6 campaigns are left out of compliance." in text
    assert "Only an &lt;offer&gt;." in text
    assert f'href="/settings/campaigns/{campaign.pk}/"' in text
    assert "The target is 95.0%" in text


def test_the_front_page_without_anything(as_alice: Client, account: Account) -> None:
    text = text_of(as_alice, "/settings/")
    assert "There are no campaigns yet." in text
    assert "Nothing was decided yet." in text


def test_the_target_is_set_with_a_reason(as_alice: Client, account: Account) -> None:
    response = as_alice.post("/settings/", {"rate": "97.5", "reason": "The board asks for it."}, follow=True)
    assert response.redirect_chain == [("/settings/", 302)]
    assert "The target is now 97.5%." in response.content.decode()
    assert AccountSetting.objects.get().target_rate == Decimal("97.5")
    assert "The board asks for it." in text_of(as_alice, "/settings/log/")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"rate": "97.5", "reason": " "}, "A reason is needed: say why."),
        ({"rate": "101", "reason": "Why not."}, "less than or equal to 100"),
        ({"rate": "97.55", "reason": "Why not."}, "no more than 1 decimal place"),
        ({"rate": "much", "reason": "Why not."}, "Enter a number."),
    ],
)
def test_a_wrong_target_is_said_beside_its_field(
    as_alice: Client, account: Account, sent: dict[str, str], sentence: str
) -> None:
    text = as_alice.post("/settings/", sent).content.decode()
    assert sentence in text
    assert 'aria-invalid="true"' in text
    assert not SettingChange.objects.exists()


# Campaigns ------------------------------------------------------------------------------------------------------


def test_campaigns_are_listed_with_what_is_decided(
    as_alice: Client,
    alice: User,
    company: Account,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    now: datetime,
) -> None:
    campaign = campaign_named(company, "Use of AI tools policy")
    set_requirement(campaign, CampaignSetting.Requirement.EXCLUDED, by=alice, at=now, reason="A mistake.")
    with django_assert_max_num_queries(12):
        text = text_of(as_alice, "/settings/campaigns/")
    assert "5 of 6 campaigns count for compliance." in text
    assert "A mistake." in text
    assert "Alice Marlow" in text


def test_campaigns_are_searched_in_a_fragment(as_alice: Client, company: Account) -> None:
    part = as_alice.get(
        "/settings/campaigns/?name=autumn&state=active", headers={**FRAGMENT, "HX-Target": "settings-campaigns"}
    ).content.decode()
    assert "<html" not in part
    assert "Autumn awareness 2026" in part
    assert "Payment fraud awareness" not in part
    assert "No campaign passes these filters." in text_of(as_alice, "/settings/campaigns/?name=nowhere")


@pytest.mark.parametrize("query", ["requirement=maybe", "trigger=moon", "state=gone", f"name={'x' * 200}"])
def test_a_filter_that_cannot_be_is_refused(as_alice: Client, account: Account, query: str) -> None:
    assert as_alice.get(f"/settings/campaigns/?{query}").status_code == 400


def test_a_campaign_shows_what_leaving_it_out_would_change(
    as_alice: Client, company: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    campaign = campaign_named(company, "Autumn awareness 2026")
    InferredTrigger.objects.create(
        account=company, campaign=campaign, trigger=Trigger.SCHEDULED, rule="recurring", evidence="year"
    )
    with django_assert_max_num_queries(12):
        text = text_of(as_alice, f"/settings/campaigns/{campaign.pk}/")
    assert "160 enrollments count for compliance." in text
    assert "Campaigns of this name start about every year." in text
    assert "Without it" in text
    assert 'value="archive"' not in text


def test_a_campaign_is_made_optional_and_the_figures_follow(as_alice: Client, company: Account) -> None:
    campaign = campaign_named(company, "Autumn awareness 2026")
    address = f"/settings/campaigns/{campaign.pk}/"
    sent = {"act": "requirement", "requirement-requirement": "optional", "requirement-reason": ""}
    assert "A reason is needed: say why." in as_alice.post(address, sent).content.decode()
    assert not CampaignSetting.objects.exists()

    response = as_alice.post(address, {**sent, "requirement-reason": "An offer."}, follow=True)
    text = response.content.decode()
    assert response.redirect_chain == [(address, 302)]
    assert "The campaign is optional; every figure is recounted without it." in text
    assert "Optional: nothing of it counts for compliance." in text
    assert "An offer." in text
    again = as_alice.post(address, {**sent, "requirement-reason": "Twice."}, follow=True).content.decode()
    assert "It was so already; nothing was changed." in again


def test_a_trigger_is_chosen_and_given_back(as_alice: Client, company: Account) -> None:
    campaign = campaign_named(company, "Autumn awareness 2026")
    address = f"/settings/campaigns/{campaign.pk}/"
    sent = {"act": "trigger", "trigger-trigger": "new_hire", "trigger-reason": "They all are."}
    assert "The trigger is now “New hire”." in as_alice.post(address, sent, follow=True).content.decode()
    assert CampaignSetting.objects.get().trigger == Trigger.NEW_HIRE
    sent |= {"trigger-trigger": ""}
    assert "The trigger is the inferred one again." in as_alice.post(address, sent, follow=True).content.decode()
    assert CampaignSetting.objects.get().trigger == ""


def test_only_an_administrator_archives(as_alice: Client, ines: User, company: Account) -> None:
    campaign = campaign_named(company, "Information handling policy 2026")
    address = f"/settings/campaigns/{campaign.pk}/"
    sent = {"act": "archive", "archive-reason": "Replaced."}
    assert as_alice.post(address, sent).status_code == 404
    as_alice.force_login(ines)
    assert "The campaign is archived." in as_alice.post(address, sent, follow=True).content.decode()
    campaign.refresh_from_db()
    assert campaign.archived_at is not None
    assert "Archived here on" in text_of(as_alice, address)
    assert "back from the archive" in as_alice.post(address, sent, follow=True).content.decode()
    campaign.refresh_from_db()
    assert campaign.archived_at is None


def test_an_act_nobody_knows_is_not_found(as_alice: Client, company: Account) -> None:
    campaign = campaign_named(company, "Autumn awareness 2026")
    assert as_alice.post(f"/settings/campaigns/{campaign.pk}/", {"act": "delete"}).status_code == 404


# Departments ----------------------------------------------------------------------------------------------------


def test_departments_are_listed_with_their_spellings(
    as_alice: Client, company: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    claims = department_named(company, "Claims")
    people = list(claims.people.order_by("pk"))
    for person in people:
        person.department_name = "Claims"
        person.save()
    people[0].department_name = "CLAIMS "
    people[0].save()
    with django_assert_max_num_queries(12):
        text = text_of(as_alice, "/settings/departments/")
    assert "7 departments" in text
    assert '<q class="spelling">CLAIMS </q>' in text
    part = as_alice.get(
        "/settings/departments/?name=finance", headers={**FRAGMENT, "HX-Target": "settings-departments"}
    ).content.decode()
    assert "Finance" in part
    assert "Claims" not in part
    assert "<html" not in part
    assert "No department is called “nowhere”." in text_of(as_alice, "/settings/departments/?name=nowhere")


def test_merging_shows_the_figures_first_and_then_changes_them(
    as_alice: Client, company: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    claims, sales = department_named(company, "Claims"), department_named(company, "Sales")
    address = f"/settings/departments/{claims.pk}/?into={sales.pk}"
    with django_assert_max_num_queries(12):
        text = text_of(as_alice, address)
    assert "Merge Claims into Sales" in text
    after = text.split("after the merge")[1]
    assert 'data-label="People">42<' in after
    assert "A reason is needed: say why." in as_alice.post(address, {"reason": ""}).content.decode()
    said = as_alice.post(address, {"reason": "One since May."}, follow=True).content.decode()
    assert "Claims is counted as part of Sales." in said
    assert "Counted as part of Sales." in said
    claims.refresh_from_db()
    assert claims.merged_into == sales
    refused = as_alice.post(
        f"/settings/departments/{sales.pk}/?into={claims.pk}", {"reason": "The other way."}
    ).content.decode()
    assert "separate it first" in refused
    said = as_alice.post(
        f"/settings/departments/{claims.pk}/", {"reason": "Apart again."}, follow=True
    ).content.decode()
    assert "Claims is counted by itself again." in said
    claims.refresh_from_db()
    assert claims.merged_into is None


def test_a_department_of_nobody_or_itself_is_no_target(as_alice: Client, company: Account) -> None:
    claims, nobody = department_named(company, "Claims"), Department.objects.get(account=company, key="")
    other = factories.DepartmentFactory(name="Elsewhere")
    for into in (claims.pk, nobody.pk, other.pk, 10**9):
        assert as_alice.get(f"/settings/departments/{claims.pk}/?into={into}").status_code == 404
    assert as_alice.get(f"/settings/departments/{claims.pk}/?into=x").status_code == 400
    assert as_alice.get(f"/settings/departments/{other.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("bigger", "smaller"),
    [
        ("Customer Service", "Customer-Service Team"),
        ("Human Resources", "HR"),
        ("Research and Development", "R&D"),
        ("Qualité", "qualite department"),
        ("Finance", "Finance & Treasury"),
    ],
)
def test_names_that_look_like_one_are_suggested(
    account: Account, alice: User, bigger: str, smaller: str, now: datetime
) -> None:
    into, department = (factories.DepartmentFactory(account=account, name=name) for name in (bigger, smaller))
    factories.DepartmentFactory(account=account, name="Claims")
    factories.PersonFactory.create_batch(10, account=account, department=into)
    factories.PersonFactory(account=account, department=department)
    found = suggestions(department_lines(Scope.of(alice), as_of=now))
    assert [(pair.department.department, pair.into.department) for pair in found] == [(department, into)]


def test_departments_of_one_beginning_and_of_like_size_are_not_suggested(
    account: Account, alice: User, now: datetime
) -> None:
    for name in ("Finance", "Finance Operations", "Sales"):
        department = factories.DepartmentFactory(account=account, name=name)
        factories.PersonFactory.create_batch(3, account=account, department=department)
    assert suggestions(department_lines(Scope.of(alice), as_of=now)) == []


# The log --------------------------------------------------------------------------------------------------------


def test_the_log_names_what_was_decided_about(
    as_alice: Client,
    alice: User,
    company: Account,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    now: datetime,
) -> None:
    claims, sales = department_named(company, "Claims"), department_named(company, "Sales")
    at = now
    deciding.merge(claims, sales, by=alice, at=at - timedelta(hours=1), reason="One since May.")
    set_requirement(
        campaign_named(company, "Autumn awareness 2026"),
        CampaignSetting.Requirement.OPTIONAL,
        by=alice,
        at=at,
        reason="An offer.",
    )
    with django_assert_max_num_queries(12):
        text = text_of(as_alice, "/settings/log/")
    assert text.index("An offer.") < text.index("One since May.")
    assert "by itself" in text
    part = as_alice.get(
        "/settings/log/?subject=department", headers={**FRAGMENT, "HX-Target": "settings-log"}
    ).content.decode()
    assert "An offer." not in part
    assert "One since May." in part
    assert "Nothing of this kind was decided yet." in text_of(as_alice, "/settings/log/?subject=exemption")
    assert as_alice.get("/settings/log/?subject=weather").status_code == 400


# Whose it is ----------------------------------------------------------------------------------------------------

PAGES = ("/settings/", "/settings/log/", "/settings/campaigns/", "/settings/departments/", "/settings/exemptions/")


def test_settings_of_another_account_are_not_there(as_alice: Client, alice: User, company: Account) -> None:
    campaign = factories.CampaignFactory(name="Zephyr secret")
    assert as_alice.get(f"/settings/campaigns/{campaign.pk}/").status_code == 404
    assert as_alice.post(f"/settings/campaigns/{campaign.pk}/", {"act": "requirement"}).status_code == 404
    for address in PAGES:
        assert "Zephyr" not in text_of(as_alice, address)


def test_whoever_has_no_role_has_no_settings(client: Client, charlie: User, account: Account) -> None:
    client.force_login(charlie)
    for address in PAGES:
        assert client.get(address).status_code == 403
