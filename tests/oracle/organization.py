"""Departments, managers and reporting lines of people, now or then."""

from datetime import datetime

from tests.oracle.records import Company, Person


def spelled(text: str) -> str:
    """Return a department's text as it is compared: trimmed, inner spaces collapsed, without case."""
    return " ".join(text.split()).lower()


def text_at(person: Person, name: str, at: datetime | None) -> str:
    """Return a text of the person as it was at a moment: of now (None), or with every later change undone."""
    text: str = getattr(person, name)
    if at is None:
        return text
    for change in sorted(person.past, key=lambda change: change.at, reverse=True):
        if change.field == name and change.at > at:
            text = change.old
    return text


class Organization:
    """The company's departments and reporting lines, of now or (with a moment) of then."""

    def __init__(self, company: Company, at: datetime | None = None) -> None:
        self.company = company
        self.at = at
        self._by_email: dict[str, int] = {}
        for person in sorted(company.people.values(), key=lambda one: (one.status != "active", one.key)):
            email = text_at(person, "email", at).lower()
            if email and person.removed_at is None:
                self._by_email.setdefault(email, person.key)

    def department(self, key: int) -> str:
        """Return the spelling that the person's department is merged into at last; "" is no department."""
        spelling = spelled(text_at(self.company.people[key], "department", self.at))
        while spelling in self.company.merges:
            spelling = self.company.merges[spelling]
        return spelling

    def manager(self, key: int) -> int | None:
        """Return the person whose email is the manager's, without case; nobody manages themselves."""
        email = text_at(self.company.people[key], "manager_email", self.at).strip().lower()
        found = self._by_email.get(email) if email else None
        return None if found == key else found

    def manager_or_name(self, key: int) -> int | str:
        """Return the manager's key; of one who is nobody here, the name as text; "" is no manager."""
        manager = self.manager(key)
        return text_at(self.company.people[key], "manager_name", self.at).strip() if manager is None else manager

    def above(self, key: int) -> list[int]:
        """Return everyone above the person, nearest first; a loop ends before it meets anybody a second time."""
        line: list[int] = []
        manager = self.manager(key)
        while manager is not None and manager != key and manager not in line:
            line.append(manager)
            manager = self.manager(manager)
        return line
