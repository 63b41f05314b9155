"""One-click sign-ins to the simulator's company: they exist under `bin/run` with the simulator, and nowhere else."""

import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.processes import SIMULATOR_KEY
from dashboard.models import Membership, Role, User
from sync.models import Account, Person
from sync.models.environment import LOCAL_HOSTS
from sync.models.people import PersonStatus

NOBODY = "nobody"
# By role, whom the installation makes up; a head and a manager are people of the company, found once it is read.
MADE_UP = {
    Role.ADMINISTRATOR.value: ("admin@brackwater.example", "Ines", "Halloran"),
    Role.SECURITY_MANAGER.value: ("security@brackwater.example", "Maren", "Okafor"),
    Role.AUDITOR.value: ("audit@brackwater.example", "Tobias", "Lindqvist"),
    NOBODY: ("nobody@brackwater.example", "Robin", "Castellan"),
}
ORDER = (
    *(Role.ADMINISTRATOR, Role.SECURITY_MANAGER, Role.DEPARTMENT_HEAD, Role.PEOPLE_MANAGER, Role.AUDITOR),
    NOBODY,
)
WORDS = {
    Role.ADMINISTRATOR.value: _("Everybody, and all settings"),
    Role.SECURITY_MANAGER.value: _("Everybody"),
    Role.DEPARTMENT_HEAD.value: _("One department"),
    Role.PEOPLE_MANAGER.value: _("Their reporting line"),
    Role.AUDITOR.value: _("Everybody, read-only"),
    NOBODY: _("No role: whom to ask"),
}
AUDITS_FOR = timedelta(days=365)


@dataclass(frozen=True)
class DemoSignIn:
    """One button of the sign-in page."""

    key: str
    title: Any
    words: Any
    user: User


def is_offered() -> bool:
    """Return whether this installation offers demo sign-ins at all: local, on this machine, told to by `bin/run`."""
    return settings.DEMO_SIGN_INS and not find_reasons_against()


def find_reasons_against() -> list[str]:
    """Return why demo sign-ins must not exist here; empty where they may."""
    reasons = []
    if not settings.LOCAL_MODE:
        reasons.append("DATABASE_URL or REDIS_URL is set: this is a server installation.")
    if (urlsplit(settings.KNOWBE4_BASE_URL).hostname or "") not in LOCAL_HOSTS:
        reasons.append("KNOWBE4_BASE_URL names no simulator on this machine.")
    if settings.KNOWBE4_API_KEY != SIMULATOR_KEY:
        reasons.append("KNOWBE4_API_KEY is not the simulator's: behind it may be real people.")
    if (urlsplit(settings.PUBLIC_URL).hostname or "") not in LOCAL_HOSTS:
        reasons.append("PUBLIC_URL is reached from other machines.")
    if settings.OUTSIDE_HOSTS:
        reasons.append(f"ALLOWED_HOSTS lets other machines in, as {', '.join(settings.OUTSIDE_HOSTS)}.")
    return reasons


def check_demo_sign_ins(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse DEMO_SIGN_INS anywhere but on this machine, with the simulator."""
    if not settings.DEMO_SIGN_INS:
        return []
    return [
        Error(
            f"DEMO_SIGN_INS lets anybody in. {reason}",
            hint="Unset DEMO_SIGN_INS: bin/run sets it for its own simulator.",
            id="dashboard.E001",
        )
        for reason in find_reasons_against()
    ]


def demo_sign_ins() -> list[DemoSignIn]:
    """Return the demo sign-ins, as far as the company is known; none where they are not offered."""
    if not is_offered():
        return []
    memberships = Membership.objects.filter(account__is_demo=True, source=Membership.Source.SET_UP)
    users: dict[str, User] = {}
    for membership in memberships.select_related("user").order_by("pk"):
        users.setdefault(membership.role, membership.user)
    nobody = User.objects.filter(email=MADE_UP[NOBODY][0], memberships=None).first()
    if nobody is not None:
        users[NOBODY] = nobody
    titles = dict(Role.choices) | {NOBODY: _("Nobody")}
    return [DemoSignIn(key, titles[key], WORDS[key], users[key]) for key in map(str, ORDER) if key in users]


def make_up(account: Account, *, password: str) -> list[tuple[str, User]]:
    """Make the demo's users, by role, all with one password: a head and a manager only once people are known.

    For the simulator's company only (ValueError for any other account); safe to repeat.
    """
    if not account.is_demo:
        raise ValueError(f"{account} is not the demo: nobody is made up there.")
    now = timezone.now()
    made = [(role, _user(*who, password=password)) for role, who in MADE_UP.items()]
    for role, user in made:
        if role != NOBODY:
            _member(user, account, role, ends_at=now + AUDITS_FOR if role == Role.AUDITOR else None)
    head = _head(account)
    for role, found in ((Role.DEPARTMENT_HEAD, head), (Role.PEOPLE_MANAGER, _manager(account, but=head))):
        set_up = Membership.objects.filter(account=account, role=role, source=Membership.Source.SET_UP)
        present = set_up.select_related("user").first()
        if present is None and found is not None:
            user = _user(found.email, found.first_name, found.last_name, password=password)
            membership = _member(user, account, role)
            if role == Role.DEPARTMENT_HEAD and found.department_id is not None:
                membership.departments.set([found.department_id])
            made.append((role.value, user))
        elif present is not None:
            made.append((role.value, present.user))
    order = [str(role) for role in ORDER]
    return sorted(made, key=lambda pair: order.index(pair[0]))


def _user(email: str, first_name: str, last_name: str, *, password: str) -> User:
    user = User.objects.called(email)
    user = user or User(email=email, first_name=first_name, last_name=last_name)
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    return user


def _member(user: User, account: Account, role: str, *, ends_at: datetime | None = None) -> Membership:
    membership, _is_new = Membership.objects.update_or_create(
        user=user, account=account, role=role, defaults={"ends_at": ends_at, "source": Membership.Source.SET_UP}
    )
    return membership


def _active(account: Account) -> list[Person]:
    people = Person.objects.filter(account=account, status=PersonStatus.ACTIVE, removed_at=None).exclude(email="")
    fields = ("email", "first_name", "last_name", "department", "manager")
    return list(people.only(*fields).order_by("pk"))


def _head(account: Account) -> Person | None:
    """Return whom most people of the largest department report to, of those in it; None before the first sync."""
    people = _active(account)
    by_department: dict[int, list[Person]] = defaultdict(list)
    for person in people:
        if person.department_id is not None:
            by_department[person.department_id].append(person)
    if not by_department:
        return None
    largest = max(by_department.values(), key=len)
    reports: dict[int | None, int] = defaultdict(int)
    for person in people:
        reports[person.manager_id] += 1
    return max(largest, key=lambda person: reports[person.pk])


def _manager(account: Account, *, but: Person | None) -> Person | None:
    """Return who else has the most people below them without being at the top; None where nobody has."""
    people = {person.pk: person for person in _active(account)}
    below: dict[int, int] = defaultdict(int)
    for person in people.values():
        seen, above = {person.pk}, person.manager_id
        while above is not None and above in people and above not in seen:
            below[above] += 1
            seen.add(above)
            above = people[above].manager_id
    candidates = [key for key in below if people[key].manager_id in people and (but is None or key != but.pk)]
    return people[max(candidates, key=lambda key: (below[key], -key))] if candidates else None


def demo_password(folder: Path) -> str:
    """Return this machine's password of the demo sign-ins, made up once and kept beside the data."""
    path = folder / "demo-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text("-".join(secrets.choice(_PASSWORD_WORDS) for _number in range(4)))
    return path.read_text()


_PASSWORD_WORDS = (
    "amber basil cedar delta ember fjord grove harbor indigo juniper kestrel lagoon maple nectar orchid pebble quartz "
    "raven saffron thistle umber violet willow yarrow zephyr anchor beacon canyon dune echo falcon glacier"
).split()
