"""Filters in words: what people write finds what they mean, and nothing out of scope."""

import pytest

from dashboard import rollups
from dashboard.access import Scope
from dashboard.figures.selection import Filters
from dashboard.metrics import State
from dashboard.models import Membership, PersonStanding
from dashboard.requests.named_filters import NoSuchFilterError, Wanted, resolve
from sync.models import Account, Group
from tests import factories
from tests.factories import SEEN_AT


@pytest.fixture
def account(db: None) -> Account:
    """Return an empty account."""
    return factories.AccountFactory()


@pytest.fixture
def scope(account: Account) -> Scope:
    """Return the scope of its administrator."""
    return Scope(account=account, roles=frozenset({Membership.Role.ADMINISTRATOR}))


def test_nothing_given_filters_nothing(scope: Scope) -> None:
    assert resolve(scope, Wanted()) == (Filters(), {})


def test_departments_by_any_spelling_of_their_name(account: Account, scope: Scope) -> None:
    home = factories.DepartmentFactory(account=account, name="Claims East", key="claims east")
    factories.DepartmentFactory(account=account, name="Claims E.", key="claims e.", merged_into=home)
    for name in ("claims  EAST ", "Claims e."):
        assert resolve(scope, Wanted(department=[name])) == (
            Filters(departments=frozenset({home.pk})),
            {"departments": ["Claims East"]},
        )
    for name in ("", "No department", " no DEPARTMENT"):
        filters, words = resolve(scope, Wanted(department=[name]))
        assert (filters.departments, words) == (frozenset({0}), {"departments": ["No department"]})


def test_a_department_may_be_called_no_department(account: Account, scope: Scope) -> None:
    named = factories.DepartmentFactory(account=account, name="No Department", key="no department")
    assert resolve(scope, Wanted(department=["no department"]))[0].departments == {named.pk}


def test_managers_by_email_or_by_a_name_without_one(account: Account, scope: Scope) -> None:
    gone = factories.PersonFactory(account=account, email="ida@brackwater.example", status="archived")
    ida = factories.PersonFactory(account=account, email="IDA@brackwater.example")
    report = factories.PersonFactory(account=account, manager_name=" Otto Vale")
    rollups.rebuild(account, at=SEEN_AT)
    assert gone.pk < ida.pk
    filters, words = resolve(scope, Wanted(manager="ida@Brackwater.example", direct=True))
    assert filters == Filters(manager=ida.pk, whole_line=False)
    assert words == {"manager": str(ida), "line": "direct reports"}
    assert resolve(scope, Wanted(manager="None"))[0].manager == 0
    filters, words = resolve(scope, Wanted(manager="otto vale"))
    key = PersonStanding.objects.get(person=report).manager_id
    assert key < 0
    assert (filters.manager, words) == (key, {"manager": "Otto Vale"})


def test_campaigns_by_knowbe4s_id_first(account: Account, scope: Scope) -> None:
    ours = factories.CampaignFactory(account=account, name="Ours")
    theirs = factories.CampaignFactory(account=account, name="Theirs", knowbe4_id=ours.pk)
    assert resolve(scope, Wanted(campaign=[ours.pk]))[0].campaigns == {theirs.pk}
    assert resolve(scope, Wanted(campaign=[theirs.pk]))[0].campaigns == {theirs.pk}
    assert resolve(scope, Wanted(campaign=[ours.knowbe4_id]))[1] == {"campaigns": ["Ours"]}


def test_the_others_in_their_own_words(account: Account, scope: Scope) -> None:
    groups = [
        Group.objects.create(account=account, knowbe4_id=number, name=name, first_seen_at=SEEN_AT)
        for number, name in enumerate(("Riders", "riders", "Walkers"))
    ]
    wanted = Wanted(
        group=["RIDERS "],
        content_type=["policy", "Training module"],
        state=["past_due"],
        campaign_state=["closed"],
        trigger=["new_hire"],
    )
    filters, words = resolve(scope, wanted)
    assert filters == Filters(
        groups=frozenset(group.pk for group in groups[:2]),
        content_types=frozenset({"Policy", "Training Module"}),
        states=frozenset({State.PAST_DUE}),
        campaign_states=frozenset({"closed"}),
        triggers=frozenset({"new_hire"}),
    )
    assert words == {
        "groups": ["RIDERS"],
        "content_types": ["Policy", "Training Module"],
        "campaign_states": ["closed"],
        "triggers": ["new_hire"],
        "states": ["past_due"],
    }


def test_nothing_is_found_out_of_scope(account: Account) -> None:
    other = factories.AccountFactory()
    campaign = factories.CampaignFactory(account=other)
    person = factories.PersonFactory(account=other)
    for scope in (Scope(), Scope(account=account, roles=frozenset({Membership.Role.ADMINISTRATOR}))):
        for wanted in (
            Wanted(campaign=[campaign.pk]),
            Wanted(manager=person.email),
            Wanted(department=[person.department.name]),
        ):
            with pytest.raises(NoSuchFilterError, match="There is no"):
                resolve(scope, wanted)
