"""A department that is renamed, merged or split at KnowBe4: nothing bound to it goes silent, and all of it follows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import time_machine
from django.test import Client

from dashboard.access import Scope
from dashboard.figures.selection import Filters
from dashboard.files.kept_scope import covers
from dashboard.mail import composing
from dashboard.mail.alerts import watching
from dashboard.models import Alert, AuditEvent, DepartmentRename, Membership, User
from dashboard.queries.renames import open_renames, renamed_in
from dashboard.queries.vacancies import Vacancies, vacancies_of
from dashboard.services import RefusedError
from dashboard.services.departments import merge
from dashboard.services.loans import lend
from dashboard.services.renames import continue_department, keep_apart, note_renames
from sync.models import Account, Change, Department, Person, SyncRun
from sync.simulator.company import Company
from sync.simulator.renamings import Renamings
from sync.simulator.server import Simulator
from tests import factories
from tests.dashboard.mail.conftest import make_schedule
from tests.dashboard.signing_in import sign_in_lately

DAY = timedelta(days=1)
# A department with people past due, at every hour of these tests.
OLD = "Customer Service"
Role = Membership.Role


class World:
    """An account after its first sync, with a department that people, loans, schedules and addresses are bound to."""

    def __init__(self, account: Account, company: Company, simulator: Simulator, sync: Callable[..., SyncRun]) -> None:
        self.account, self.company, self.simulator, self._sync = account, company, simulator, sync
        self.sales = Department.objects.get(account=account, key=OLD.casefold())
        self.head, self.deputy, self.admin = (
            factories.UserFactory(email=f"{name}@brackwater.example") for name in ("head", "deputy", "admin")
        )
        member = factories.MembershipFactory(user=self.head, account=account, role=Role.DEPARTMENT_HEAD)
        member.departments.add(self.sales)
        factories.MembershipFactory(user=self.admin, account=account, role=Role.ADMINISTRATOR)
        at = simulator.clock.now()
        lend(account, self.deputy.email, by=self.head, starts_at=at, ends_at=at + 60 * DAY, at=at)
        self.list = make_schedule(
            account, self.admin, self.admin, self.head, name="The list", content="table", what="enrollments",
            format="csv", query=f"department={self.sales.pk}", when_quiet="skip",
        )  # fmt: skip
        self.report = make_schedule(
            account, self.admin, self.admin, self.head, name="The report", content="report", what="department",
            format="pdf", subject_id=self.sales.pk, when_quiet="skip",
        )  # fmt: skip

    def later(self, **names: Any) -> datetime:
        """Rename at KnowBe4 (new name: share), let a day pass, sync, and return the moment of that."""
        old = names.pop("old")
        for new, share in names.items():
            self.company.renamings.rename(old, new, self.simulator.clock.now() + timedelta(hours=1), share)
        self.simulator.clock.advance(DAY)
        self._sync()
        self.account.refresh_from_db()
        return self.simulator.clock.now()

    def named(self, name: str) -> Department:
        return Department.objects.get(account=self.account, key=name.casefold())

    def seen_by(self, user: User, at: datetime) -> set[int]:
        """Return the ids at KnowBe4 of the active people that a user sees."""
        scope = Scope.of(user, chosen=self.account.pk, at=at)
        return set(scope.people().filter(status="active").values_list("knowbe4_id", flat=True))

    def copies(self, at: datetime, tmp_path: Path) -> dict[str, composing.Copy]:
        """Return what both schedules would send to the head."""
        return {
            one.name: composing.compose(one, self.head, at=at, place=Path(mkdtemp(dir=tmp_path)) / "copy")
            for one in (self.list, self.report)
        }


@pytest.fixture
def world(
    connected: Account,
    company: Company,
    simulator: Simulator,
    run: Callable[..., SyncRun],
    settings: Any,
    tmp_path: Path,
) -> Iterator[World]:
    settings.MEDIA_ROOT = tmp_path
    run()
    connected.refresh_from_db()
    yield World(connected, company, simulator, run)
    company.renamings = Renamings(company.seed)


def _page(user: User, address: str, at: datetime) -> str:
    with time_machine.travel(at, tick=False):
        client = sign_in_lately(Client(), user)
        return client.get(address, follow=True).content.decode()


def test_a_department_is_renamed_told_and_continued_in_one_act(world: World, tmp_path: Path) -> None:
    start = world.simulator.clock.now()
    before = world.seen_by(world.head, start)
    counted = world.copies(start, tmp_path)["The list"].lead
    assert before and counted != "0 rows."
    bookmark = f"/people/?department={world.sales.pk}"
    assert "No people since" not in _page(world.admin, bookmark, start)

    at = world.later(old=OLD, Commercial=1.0)
    day = f"{at:%-d %b %Y}"
    new, said = world.named("Commercial"), f"{OLD} has no people since {day}."
    # Told: to administrators by mail and on their pages.
    [rename] = open_renames(world.account)
    assert (rename.department, rename.into, rename.people) == (world.sales, new, rename.active)
    watching.look(at)
    alerts = {one.kind: one.said for one in Alert.objects.filter(ended_at=None)}
    assert (
        f"active people of {OLD} are now in Commercial, which had nobody before ({day})."
        in alerts["department_renamed"]
    )
    assert Alert.objects.filter(kind="schedule_empty", ended_at=None).count() == 2
    assert alerts["schedule_empty"].endswith(said)
    assert f"Commercial continues {OLD}" in _page(world.admin, "/settings/departments/", at)
    settings = _page(world.admin, "/settings/", at)
    assert "1 seems renamed" in settings and "1 department seems renamed and waits for a decision." in settings
    assert "KnowBe4 lists no active person" not in _page(world.head, "/", at)
    # Until somebody decides, what is bound to nobody says so.
    assert not world.seen_by(world.head, at)
    for user, address in (
        (world.head, "/"), (world.deputy, "/"), (world.head, "/past-due/"), (world.head, "/people/"),
        (world.admin, bookmark), (world.admin, f"/past-due/?department={world.sales.pk}"),
        (world.admin, f"/schedules/{world.list.pk}/"), (world.admin, "/schedules/"),
    ):  # fmt: skip
        assert said in _page(user, address, at), address
    assert f"{OLD} (no people since {day})" in _page(world.admin, "/settings/members/", at)
    for copy in world.copies(at, tmp_path).values():
        assert (copy.lead, copy.is_quiet, copy.file) == (said, False, None)
        assert "nothing to report" not in copy.body("txt") and "nothing to report" not in copy.body("html")

    # Continued: one act, and everything is as it was, under the new name.
    with time_machine.travel(at, tick=False):
        client = sign_in_lately(Client(), world.admin)
        answer = client.post("/settings/departments/", {"rename": rename.pk, "act": "continue"}, follow=True)
    assert f"Commercial continues {OLD}: history, heads" in answer.content.decode()
    assert not open_renames(world.account)
    gone = Person.objects.filter(status="archived").values_list("knowbe4_id", flat=True)
    assert before - set(gone) <= world.seen_by(world.head, at) == world.seen_by(world.deputy, at)
    copies = world.copies(at, tmp_path)
    assert copies["The list"].file and copies["The report"].file
    assert Scope.of(world.head, chosen=world.account.pk, at=at).label == "Commercial"
    page = _page(world.admin, bookmark, at)
    assert f'<option value="{new.pk}" selected>Commercial</option>' in page and "has no people" not in page
    assert "Commercial" in _page(world.admin, "/settings/members/", at)
    for schedule in (world.list, world.report):
        assert f'<option value="{new.pk}" selected>Commercial' in _page(
            world.admin, f"/schedules/{schedule.pk}/change/", at
        )
    watching.look(at)
    assert not Alert.objects.filter(ended_at=None, kind__in=["department_renamed", "schedule_empty"]).exists()
    assert AuditEvent.objects.filter(action="changed_setting", subject_id=world.sales.pk).exists()
    # Of a past day, too: the name of then counts as the one of now.
    assert "Commercial" in _page(world.admin, f"/?as_of={start:%Y-%m-%d}&basis=then", at)

    # Renamed back: offered again, and everything follows once more.
    at = world.later(old="Commercial", **{OLD: 1.0})
    [back] = open_renames(world.account)
    continue_department(back, by=world.admin, at=at)
    world.sales.refresh_from_db()
    new.refresh_from_db()
    assert (world.sales.merged_into, new.merged_into) == (None, world.sales)
    assert Scope.of(world.head, chosen=world.account.pk, at=at).label == OLD
    assert world.seen_by(world.head, at) and world.copies(at, tmp_path)["The list"].file


def test_a_department_is_merged_into_another_at_knowbe4(world: World, tmp_path: Path) -> None:
    start = world.simulator.clock.now()
    before = world.seen_by(world.head, start)
    at = world.later(old=OLD, Sales=1.0)
    said = f"{OLD} has no people since {at:%-d %b %Y}."
    # Sales had people before: it is no rename, and nobody is asked; but nothing is silent.
    assert not open_renames(world.account)
    assert said in _page(world.head, "/", at)
    assert all(copy.lead == said for copy in world.copies(at, tmp_path).values())
    # Merged by hand: the head sees all of it.
    merge(world.sales, world.named("Sales"), by=world.admin, at=at, reason="One department now.")
    assert before <= world.seen_by(world.head, at)
    assert all(copy.file for copy in world.copies(at, tmp_path).values())
    assert said not in _page(world.head, "/", at)
    # A pack's file, a mailed link: who sees the whole sees what was made of a part.
    scope = Scope.of(world.head, chosen=world.account.pk, at=at)
    assert covers(scope, {"departments": [world.sales.pk]})


def test_a_department_is_split_at_knowbe4(world: World, tmp_path: Path) -> None:
    at = world.later(old=OLD, **{f"{OLD} North": 0.4, f"{OLD} South": 1.0})
    assert world.named(f"{OLD} North") and world.named(f"{OLD} South")
    assert not open_renames(world.account)
    said = f"{OLD} has no people since {at:%-d %b %Y}."
    assert said in _page(world.deputy, "/people/", at)
    assert all(copy.lead == said for copy in world.copies(at, tmp_path).values())
    # Both halves can be counted as the old one: the head sees both again.
    for half in (f"{OLD} North", f"{OLD} South"):
        merge(world.named(half), world.sales, by=world.admin, at=at, reason="Still one.")
    assert (
        len(world.seen_by(world.head, at))
        == Person.objects.filter(status="active", department__key__startswith=OLD.casefold()).count()
    )
    assert all(copy.file for copy in world.copies(at, tmp_path).values())


# What a rename is -----------------------------------------------------------------------------------------------


class Moves:
    """People of an account who are somewhere else after one sync; no HTTP is needed for that."""

    def __init__(self, account: Account) -> None:
        self.account, self.at = account, datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.run = factories.SyncRunFactory(account=account)
        self.departments: dict[str, Department] = {}

    def people(
        self, count: int, here: str, *, before: str | None = None, status: str = "active", **fields: Any
    ) -> None:
        """Make people who are in a department, and were in another `before`; `was` is their status before."""
        was = fields.pop("was", None)
        for name in filter(None, (here, before)):
            if name not in self.departments:
                self.departments[name] = factories.DepartmentFactory(account=self.account, name=name)
        made = factories.PersonFactory.create_batch(
            count,
            account=self.account,
            department=self.departments[here],
            department_name=here,
            status=status,
            **fields,
        )
        for one in made:
            if before is not None:
                self._changed(one, "department_name", before, here)
            if was is not None:
                self._changed(one, "status", was, status)

    def _changed(self, person: Person, field: str, old: str, new: str) -> None:
        Change.objects.create(
            account=self.account, run=self.run, observed_at=self.at, subject=1, subject_id=person.pk, field=field,
            old=old, new=new,
        )  # fmt: skip

    @property
    def found(self) -> list[tuple[str, str, int, int]]:
        names = {one.pk: name for name, one in self.departments.items()}
        found = renamed_in(self.account, run_id=self.run.pk, at=self.at)
        return [(names[one.department_id], names[one.into_id], one.people, one.active) for one in found]


@pytest.fixture
def moves(db: None) -> Moves:
    return Moves(factories.AccountFactory())


def test_four_of_five_are_a_rename(moves: Moves) -> None:
    moves.people(8, "Commercial", before="Sales")
    moves.people(2, "Sales")
    assert moves.found == [("Sales", "Commercial", 8, 10)]


def test_fewer_are_none(moves: Moves) -> None:
    moves.people(7, "Commercial", before="Sales")
    moves.people(1, "Finance", before="Sales")
    moves.people(1, "Sales")
    assert moves.found == []


def test_who_leaves_and_who_joins_says_nothing_about_a_name(moves: Moves) -> None:
    moves.people(4, "Commercial", before="Sales")
    moves.people(1, "Sales")
    moves.people(9, "Sales", status="archived", was="active")
    moves.people(9, "Commercial", before="Sales", status="archived", was="active")
    moves.people(9, "Commercial", before="Finance", status="active", was="archived")
    moves.people(9, "Sales", first_seen_at=moves.at)
    moves.people(9, "Commercial", first_seen_at=moves.at)
    assert moves.found == [("Sales", "Commercial", 4, 5)]


@pytest.mark.parametrize(
    "had", [{}, {"status": "archived", "was": "active"}, {"before": "Commercial", "to": "Finance"}]
)
def test_a_name_that_had_somebody_continues_nobody(moves: Moves, had: dict[str, Any]) -> None:
    moves.people(9, "Commercial", before="Sales")
    moves.people(1, had.pop("to", "Commercial"), **had)
    assert ("Sales", "Commercial", 9, 9) not in moves.found


def test_a_name_that_had_only_people_who_left_is_new(moves: Moves) -> None:
    moves.people(9, "Commercial", before="Sales")
    moves.people(3, "Commercial", status="archived")
    assert moves.found == [("Sales", "Commercial", 9, 9)]


def test_two_departments_become_one_new_one(moves: Moves) -> None:
    moves.people(9, "Commercial", before="Sales")
    moves.people(4, "Commercial", before="Marketing")
    assert sorted(moves.found) == [("Marketing", "Commercial", 4, 4), ("Sales", "Commercial", 9, 9)]


def test_blank_names_are_no_departments(moves: Moves) -> None:
    moves.departments[""] = factories.DepartmentFactory(account=moves.account, name="", key="")
    moves.people(9, "Sales", before="")
    moves.people(9, "", before="Finance")
    assert moves.found == []


def test_a_spelling_that_is_renamed_stays_part_of_what_it_was(moves: Moves) -> None:
    moves.people(5, "Sales")
    moves.people(9, "Field force", before="Sales, field")
    sales, field, force = (moves.departments[name] for name in ("Sales", "Sales, field", "Field force"))
    admin = factories.MembershipFactory(account=moves.account, role=Role.ADMINISTRATOR).user
    merge(field, sales, by=admin, at=moves.at, reason="One.")
    note_renames(moves.account, run_id=moves.run.pk, at=moves.at)
    assert note_renames(moves.account, run_id=moves.run.pk, at=moves.at) == 0
    rename = DepartmentRename.objects.get()
    continue_department(rename, by=admin, at=moves.at)
    force.refresh_from_db()
    assert force.merged_into == sales and not open_renames(moves.account)
    with pytest.raises(RefusedError, match="decided already"):
        keep_apart(rename, by=admin, at=moves.at)


def test_who_came_to_the_old_name_is_not_taken_along(moves: Moves) -> None:
    """Sales becomes Commercial and Field becomes Sales, in one sync: the head of Commercial must not get Field."""
    moves.people(9, "Commercial", before="Sales")
    moves.people(4, "Sales", before="Field")
    admin = factories.MembershipFactory(account=moves.account, role=Role.ADMINISTRATOR).user
    note_renames(moves.account, run_id=moves.run.pk, at=moves.at)
    rename = open_renames(moves.account).get()
    with pytest.raises(RefusedError, match="Others are in Sales now, who would be counted in Commercial"):
        continue_department(rename, by=admin, at=moves.at)
    assert not any(one.merged_into_id for one in Department.objects.all())
    keep_apart(rename, by=admin, at=moves.at)


def test_two_departments_are_kept_apart_for_good(moves: Moves) -> None:
    moves.people(9, "Commercial", before="Sales")
    admin = factories.MembershipFactory(account=moves.account, role=Role.ADMINISTRATOR).user
    note_renames(moves.account, run_id=moves.run.pk, at=moves.at)
    keep_apart(open_renames(moves.account).get(), by=admin, at=moves.at)
    assert not open_renames(moves.account)
    assert not any(one.merged_into_id for one in Department.objects.all())


def test_groups_campaigns_and_managers_with_nobody_left_say_so(moves: Moves) -> None:
    account = moves.account
    empty, gone, full = (
        factories.GroupFactory(account=account, name=name, **fields)
        for name, fields in (
            ("Interns", {"vacated_at": moves.at}), ("Board", {"removed_at": moves.at}), ("All", {}),
        )
    )  # fmt: skip
    campaign = factories.CampaignFactory(account=account, name="Basics")
    running = factories.EnrollmentFactory(account=account).campaign
    factories.EnrollmentFactory(account=account, campaign=campaign, removed_at=moves.at)
    boss = factories.PersonFactory(account=account, first_name="Bea", last_name="Boss")
    led = factories.PersonFactory(account=account, manager=boss, status="archived")

    whole = Scope(account=account, roles=frozenset({Role.ADMINISTRATOR}))
    leads = Scope(account=account, roles=frozenset({Role.PEOPLE_MANAGER}), manager_keys=frozenset({boss.pk}))

    def said(**filters: Any) -> tuple[tuple[str, ...], bool]:
        found = vacancies_of(whole, Filters(**filters))
        return found.sentences, found.is_total

    day = "23 Nov 2026"
    assert said(groups=frozenset({empty.pk})) == ((f"The group Interns has no people since {day}.",), True)
    assert said(groups=frozenset({gone.pk, full.pk})) == (
        (f"The group Board is not at KnowBe4 any more since {day}.",), False,
    )  # fmt: skip
    assert said(campaigns=frozenset({campaign.pk})) == ((f"Basics has no enrollments since {day}.",), True)
    assert said(campaigns=frozenset({running.pk})) == ((), False)
    assert said(manager=boss.pk) == (("Nobody reports to Bea Boss.",), True)
    for elsewhere in (
        Filters(manager=boss.pk, campaigns=frozenset({campaign.pk})), Filters(groups=frozenset({empty.pk, gone.pk}))
    ):  # fmt: skip
        assert vacancies_of(leads, elsewhere) == Vacancies()
    Person.objects.filter(pk=led.pk).update(status="active")
    assert said(manager=boss.pk) == ((), False)
