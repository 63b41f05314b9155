"""Scopes: the people each role sees, and figures of a reader are figures of their people."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from dashboard import rollups
from dashboard.access import Scope
from dashboard.figures.counts import figures, figures_by
from dashboard.figures.selection import Basis, By, Filters
from dashboard.models import Delegation, Membership, Role, User
from sync.models import Account, Department, Person
from tests import factories
from tests.clock import MOMENT
from tests.dashboard.numbers.asking import listed

pytestmark = pytest.mark.django_db


@pytest.fixture
def claims(account: Account) -> Department:
    department: Department = factories.DepartmentFactory(account=account, name="Claims")
    return department


@pytest.fixture
def staff(account: Account, claims: Department) -> dict[str, Person]:
    """Return people by name: Mona manages Lee (Claims), who manages Nils (Sales); Carla is in Claims, Sami in Sales."""
    sales = factories.DepartmentFactory(account=account, name="Sales")
    found: dict[str, Person] = {}
    for name, department, above in (
        ("mona", sales, ""),
        ("lee", claims, "mona"),
        ("nils", sales, "lee"),
        ("carla", claims, ""),
        ("sami", sales, ""),
    ):
        found[name] = factories.PersonFactory(
            account=account, email=f"{name}@brackwater.example", department=department, manager=found.get(above)
        )
        factories.EnrollmentFactory(
            account=account,
            person=found[name],
            enrolled_at=MOMENT - timedelta(days=20),
            due_at=MOMENT - timedelta(days=2),
            completed_at=MOMENT - timedelta(days=5) if name in {"lee", "sami"} else None,
        )
    rollups.rebuild(account, at=MOMENT)
    return found


def reader(account: Account, role: Role, *departments: Department, email: str = "reader@brackwater.example") -> User:
    user: User = factories.UserFactory(email=email)
    factories.MembershipFactory(
        user=user, account=account, role=role, ends_at=MOMENT + timedelta(days=9) if role == Role.AUDITOR else None
    ).departments.set(departments)
    return user


def seen(user: User, at: datetime | None = None) -> set[str]:
    return {person.email.split("@")[0] for person in Scope.of(user, at=at).people()}


def lend(account: Account, lender: User, borrower: User, **dates: datetime) -> Delegation:
    dates = {"starts_at": MOMENT - timedelta(days=1), "ends_at": MOMENT + timedelta(days=1), **dates}
    return Delegation.objects.create(account=account, lender=lender, borrower=borrower, created_at=MOMENT, **dates)


def test_a_head_sees_the_department(account: Account, staff: dict[str, Person], claims: Department) -> None:
    assert seen(reader(account, Role.DEPARTMENT_HEAD, claims)) == {"lee", "carla"}


def test_a_head_sees_the_spellings_that_are_merged(
    account: Account, staff: dict[str, Person], claims: Department
) -> None:
    factories.PersonFactory(
        account=account,
        email="old@brackwater.example",
        department=factories.DepartmentFactory(account=account, name="Claims dept.", merged_into=claims),
    )
    head = reader(account, Role.DEPARTMENT_HEAD, claims)
    assert seen(head) == {"lee", "carla", "old"}
    assert {str(department) for department in Scope.of(head).departments()} == {"Claims", "Claims dept."}


def test_a_head_of_nobodys_department_sees_whoever_has_none(account: Account) -> None:
    nobodys = factories.DepartmentFactory(account=account, name="", key="")
    factories.PersonFactory(account=account, email="lost@brackwater.example", department=nobodys)
    factories.PersonFactory(account=account)
    assert seen(reader(account, Role.DEPARTMENT_HEAD, nobodys)) == {"lost"}


def test_a_manager_sees_the_line_and_follows_it(account: Account, staff: dict[str, Person]) -> None:
    mona = reader(account, Role.PEOPLE_MANAGER, email="MONA@brackwater.example")
    assert seen(mona) == {"lee", "nils"}
    Person.objects.filter(pk=staff["nils"].pk).update(manager=None)
    Person.objects.filter(pk=staff["sami"].pk).update(manager=staff["lee"])
    assert seen(mona) == {"lee", "sami"}


def test_a_manager_whom_knowbe4_does_not_know_sees_nobody(account: Account, staff: dict[str, Person]) -> None:
    scope = Scope.of(reader(account, Role.PEOPLE_MANAGER, email="unknown@brackwater.example"))
    assert not scope.sees_anyone
    assert not scope.people().exists()
    assert figures(scope, as_of=MOMENT).gross.counted == 0


def test_a_loop_of_managers_ends(account: Account, staff: dict[str, Person]) -> None:
    Person.objects.filter(pk=staff["mona"].pk).update(manager=staff["nils"])
    assert seen(reader(account, Role.PEOPLE_MANAGER, email="lee@brackwater.example")) == {"mona", "lee", "nils"}


def test_roles_unite(account: Account, staff: dict[str, Person], claims: Department) -> None:
    user = reader(account, Role.DEPARTMENT_HEAD, claims, email="mona@brackwater.example")
    factories.MembershipFactory(user=user, account=account, role=Role.PEOPLE_MANAGER)
    assert seen(user) == {"lee", "nils", "carla"}


def test_an_auditor_sees_everyone_until_the_end(account: Account, staff: dict[str, Person]) -> None:
    auditor = reader(account, Role.AUDITOR)
    scope = Scope.of(auditor)
    assert scope.sees_everyone and scope.may_read_audit
    assert not scope.may_decide and not scope.may_sync
    assert Scope.of(auditor, at=MOMENT + timedelta(days=9)) == Scope()


def test_a_loan_lends_what_the_lender_sees_for_its_time(
    account: Account, staff: dict[str, Person], claims: Department, charlie: User
) -> None:
    head = reader(account, Role.DEPARTMENT_HEAD, claims)
    lend(account, head, charlie)
    assert seen(charlie) == {"lee", "carla"}
    assert Scope.of(charlie).lenders == (head,)
    assert seen(charlie, MOMENT + timedelta(days=1)) == seen(charlie, MOMENT - timedelta(days=2)) == set()
    Membership.objects.filter(user=head).update(ends_at=MOMENT - timedelta(seconds=1))
    assert Scope.of(charlie) == Scope()


def test_a_loan_that_was_ended_is_over(
    account: Account, staff: dict[str, Person], claims: Department, charlie: User
) -> None:
    loan = lend(account, reader(account, Role.DEPARTMENT_HEAD, claims), charlie)
    loan.ended_at = MOMENT
    loan.save()
    assert seen(charlie, MOMENT + timedelta(seconds=1)) == set()


def test_what_is_borrowed_is_not_lent_on_nor_are_wider_roles(
    account: Account, staff: dict[str, Person], claims: Department, charlie: User, alice: User
) -> None:
    third = factories.UserFactory()
    lend(account, reader(account, Role.DEPARTMENT_HEAD, claims), charlie)
    lend(account, charlie, third)
    lend(account, alice, third)
    assert Scope.of(third) == Scope()


@pytest.mark.parametrize("basis", list(Basis))
@pytest.mark.parametrize(
    ("role", "email", "people"),
    [
        (Role.DEPARTMENT_HEAD, "reader@brackwater.example", {"lee", "carla"}),
        (Role.PEOPLE_MANAGER, "mona@brackwater.example", {"lee", "nils"}),
        ("both", "mona@brackwater.example", {"lee", "nils", "carla"}),
    ],
)
def test_figures_are_those_of_the_readers_people(
    account: Account,
    staff: dict[str, Person],
    claims: Department,
    basis: Basis,
    role: str,
    email: str,
    people: set[str],
) -> None:
    user = reader(account, Role.DEPARTMENT_HEAD if role == "both" else Role(role), claims, email=email)
    if role == "both":
        factories.MembershipFactory(user=user, account=account, role=Role.PEOPLE_MANAGER)
    scope = Scope.of(user)
    net = figures(scope, as_of=MOMENT, basis=basis).net
    done = len(people & {"lee", "sami"})
    assert (net.counted, net.completed, net.past_due) == (len(people), done, len(people) - done)
    assert net.people_active == net.people_counted == len(people)
    for by in (By.DEPARTMENT, By.CAMPAIGN, By.CONTENT_TYPE):
        groups = figures_by(scope, by, as_of=MOMENT, basis=basis)
        assert sum(group.totals.net.counted for group in groups) == len(people), by
    emails = listed(scope, "counted", "email", as_of=MOMENT, basis=basis)
    assert {email.split("@")[0] for email in emails} == people
    sales = staff["sami"].department_id
    inside = figures(scope, as_of=MOMENT, basis=basis, filters=Filters(departments=frozenset({sales})))
    assert inside.net.counted == len(people & {"mona", "nils", "sami"})


def test_pages_of_others_are_not_there(
    client: Client, account: Account, staff: dict[str, Person], claims: Department
) -> None:
    client.force_login(reader(account, Role.DEPARTMENT_HEAD, claims))
    assert client.get(f"/people/{staff['carla'].pk}/").status_code == 200
    assert client.get(f"/people/{staff['sami'].pk}/").status_code == 404
    page = client.get("/people/").content.decode()
    assert "Claims" in page
    assert staff["sami"].email not in page
