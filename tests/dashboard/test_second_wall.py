"""Without the filtering of `access.py` still nobody meets anybody who is not theirs: the database alone holds it.

On pages, for programs, for assistants and in mail alike. Whoever sees everyone is let into the second company, for in
theirs nothing is kept from them; all others, and who has no role at all, believe that they see all of ours.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.access import SEE_EVERYONE
from dashboard.models import User
from sync.models import Account
from tests.clock import MOMENT
from tests.dashboard.api.asking import answers
from tests.dashboard.api.asking import marks as marks_in_answer
from tests.dashboard.api.conftest import Program, token_for
from tests.dashboard.canary import FOREIGN, MANAGER, MAY_SEE, NOWHERE, OURS, Canary
from tests.dashboard.mcp.asking import marks as marks_in_tool
from tests.dashboard.mcp.asking import scope_of, told
from tests.dashboard.unfiltered import take_the_filters_away
from tests.dashboard.walking import Seen, assert_nothing_leaks, made_files, mails, reports, signed_in, walk

pytestmark = pytest.mark.slow
# Names of things that are no person's are not the database's to keep.
PEOPLE = OURS | {FOREIGN}
Walk = Callable[[Canary, str, Account, Path], Iterator[Seen]]


@pytest.fixture
def canary(marked_companies: Canary, db: None, settings: Any, tmp_path: Path) -> Canary:
    """Return the two marked companies; nothing is asked too often, and files are the test's own."""
    settings.MEDIA_ROOT = tmp_path
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1_000_000, 60))
    return marked_companies


def on_pages(canary: Canary, role: str, _account: Account, _place: Path) -> Iterator[Seen]:
    """Walk all addresses."""
    return walk(signed_in(canary, role), canary)


def by_program(canary: Canary, role: str, account: Account, _place: Path, numbers_only: bool = False) -> Iterator[Seen]:
    """Ask the API for everything."""
    program = Program(token_for(canary.readers[role], account, numbers_only=numbers_only))
    for asked, response in answers(program):
        assert response.status_code in {200, 400, 403, 404}, (asked, response.content)
        yield str(response.resolver_match.url_name), asked, marks_in_answer(asked, response)


def by_assistant(canary: Canary, role: str, account: Account, _place: Path) -> Iterator[Seen]:
    """Ask every tool about everything."""
    for name, arguments, answered in told(scope_of(canary.readers[role], account)):
        assert not str(answered).startswith("500"), (name, arguments, answered)
        yield name, str(arguments), marks_in_tool(arguments, answered)


def by_mail(canary: Canary, role: str, account: Account, place: Path) -> Iterator[Seen]:
    """Compose whatever can be mailed."""
    return mails(canary, canary.readers[role], account=account, at=MOMENT, place=place)


def in_files(canary: Canary, role: str, account: Account, _place: Path) -> Iterator[Seen]:
    """Have workers make whatever they make."""
    return made_files(canary, canary.readers[role], account=account, at=MOMENT)


def in_terminal(canary: Canary, role: str, account: Account, _place: Path) -> Iterator[Seen]:
    """Have the command tell whatever there is."""
    return reports(canary.readers[role], account)


WALKS = (on_pages, by_program, by_assistant, by_mail, in_files, in_terminal)
# To the database these are others in this list: everybody of an account, or some departments. Whom they meet with both
# walls up is told by `test_canary.py`.
SHOWN_ALIKE = {"security_manager", "auditor", "borrower"}
ROLES = [pytest.param(role, marks=pytest.mark.soak if role in SHOWN_ALIKE else ()) for role in MAY_SEE]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("walked", WALKS)
def test_the_database_alone_holds_it(
    canary: Canary, walked: Walk, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = let_in(canary, role, monkeypatch)
    seen = [(name, asked, marks & PEOPLE) for name, asked, marks in walked(canary, role, account, tmp_path)]
    assert_nothing_leaks(seen, MAY_SEE[role])
    # The walk is worth something only if it meets whom it may; figures of managers are the terminal's only names.
    met = {mark for _, _, marks in seen for mark in marks}
    assert walked is in_terminal or met >= MAY_SEE[role] - {MANAGER, NOWHERE}


@pytest.mark.parametrize("role", ["administrator", "department_head", "nobody"])
@pytest.mark.parametrize("walked", WALKS)
def test_without_both_walls_the_walk_would_notice(
    canary: Canary, walked: Walk, role: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = let_in(canary, role, monkeypatch)
    settings.ROW_SECURITY = False
    assert any(marks & PEOPLE - MAY_SEE[role] for _, _, marks in walked(canary, role, account, tmp_path))


@pytest.mark.parametrize("role", ["administrator", "department_head"])
def test_a_token_of_figures_still_meets_nobody(
    canary: Canary, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = let_in(canary, role, monkeypatch)
    seen = [(name, asked, marks & PEOPLE) for name, asked, marks in
            by_program(canary, role, account, tmp_path, numbers_only=True)]  # fmt: skip
    assert_nothing_leaks(seen, frozenset())


@pytest.mark.parametrize("role", MAY_SEE)
def test_figures_count_nobody_else(canary: Canary, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, reader = canary.account, canary.readers[role]
    is_narrow = role not in SEE_EVERYONE and role != "nobody"
    own = past_due_of(reader, ours) if is_narrow else dict.fromkeys(BY, 0)
    account = let_in(canary, role, monkeypatch)
    assert {by: number for by, number in past_due_of(reader, account).items() if number > own[by]} == {}
    assert not is_narrow or min(own.values()) > 0


BY = ("", "department", "manager", "campaign", "content_type", "group", "age")


def past_due_of(reader: User, account: Account) -> dict[str, int]:
    """Return how many enrollments past due the API tells of, by each grouping."""
    program, found = Program(token_for(reader, account)), {}
    for by in BY:
        told = program.get("/metrics", metrics="past_due", by=by).json()
        groups = [told["total"], *told["rows"]]
        found[by] = sum(
            group["values"]["past_due"][part]["value"] or 0 for group in groups for part in ("net", "gross")
        )
    return found


def let_in(canary: Canary, role: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Take the filters away from the reader of a role, and return the account they are let into."""
    ours = canary.account
    account = Account.objects.exclude(pk=ours.pk).get() if role in SEE_EVERYONE else ours
    if role != "people_manager":
        # Logins are open to the site: the manager's is not to be taken for the person of the same address.
        User.objects.filter(pk=canary.readers["people_manager"].pk).update(email="line@reads.example")
    take_the_filters_away(monkeypatch, account)
    return account
