"""The lists of the API, ready to be paged: what is in them at a moment, and in which order."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeVar

from . import serializers, snapshot
from .company import Company
from .paging import Listing
from .rows import FULL, Flags, Rows
from .timestamps import FOUNDING, moment

Query = dict[str, str]
T = TypeVar("T")


class NotFoundError(LookupError):
    """No such thing at this moment."""


def whole(text: str) -> int:
    """Return an id out of a path or query. Anything but digits raises NotFoundError."""
    if not text.isascii() or not text.isdigit():
        raise NotFoundError(text)
    return int(text)


def listing_of(facts: Sequence[T], identify: Callable[[T], int], write: Callable[[T], serializers.Row]) -> Listing:
    """Return a listing of facts that are all there already; sorted by id."""
    ordered = sorted(facts, key=identify)
    return Listing(
        range(len(ordered)),
        lambda place: identify(ordered[place]),
        lambda places: b",".join(serializers.encode(write(ordered[place])) for place in places),
    )


class Listings:
    """Builds the lists of one company. Use it under the company's lock."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.rows = Rows(company)
        self._users: tuple[int, dict[int, bytes]] = (-1, {})

    def warm(self, second: int) -> None:
        """Write all enrollments and users as they stand at `second`."""
        self.rows.warm(second)
        for place in range(self.company.organization.person_count(second)):
            self._user(place, second)

    def users(self, second: int, query: Query, group_id: int | None = None) -> Listing:
        """Return the users, narrowed by `status` and `group_id`; without `status` both active and archived."""
        company = self.company
        people, groups_of = company.organization.people, company.groups_kept.of
        status = query.get("status")
        if group_id is None and query.get("group_id"):
            group_id = whole(query["group_id"])

        def keep(place: int) -> bool:
            active = people[place].is_active(second)
            if status in ("active", "archived") and active != (status == "active"):
                return False
            return group_id is None or (active and group_id in groups_of(people[place], second))

        names: dict[int, serializers.Row] | None = None
        if query.get("expand") == "group":
            facts = snapshot.groups(company, second, company.group_counts(second))
            names = {entry.group_id: serializers.group(entry) for entry in facts}

        def render(places: list[int]) -> bytes:
            if names is None:
                return b",".join([self._user(place, second) for place in places])
            written = []
            for place in places:
                facts = snapshot.person(company, people[place], second)
                written.append(serializers.encode(serializers.user(facts, [names[number] for number in facts.groups])))
            return b",".join(written)

        count = company.organization.person_count(second)
        return Listing(range(count), snapshot.person_id, render, keep)

    def _user(self, place: int, second: int) -> bytes:
        """Return a user's row at `second`; rows of the second asked for last are kept, for a clock that stands."""
        if self._users[0] != second:
            self._users = (second, {})
        row = self._users[1].get(place)
        if row is None:
            facts = snapshot.person(self.company, self.company.organization.people[place], second)
            row = self._users[1][place] = serializers.encode(serializers.user(facts))
        return row

    def groups(self, second: int, query: Query) -> Listing:
        """Return the groups, narrowed by `status`."""
        found = [
            entry for entry in self.company.groups(moment(second)) if query.get("status", entry.status) == entry.status
        ]
        return listing_of(found, lambda entry: entry.group_id, serializers.group)

    def campaigns(self, second: int, query: Query) -> Listing:
        """Return the training campaigns; the percentage only unless `exclude_percentages` is exactly `true`."""
        percentages = query.get("exclude_percentages") != "true"
        plans = self.company.living_campaigns(second) if second >= FOUNDING else []

        def render(places: list[int]) -> bytes:
            facts = (snapshot.campaign(self.company, plans[place], second, percentages) for place in places)
            return b",".join(serializers.encode(serializers.campaign(entry, percentages)) for entry in facts)

        return Listing(range(len(plans)), lambda place: plans[place].campaign_id, render)

    def enrollments(self, second: int, query: Query, without_campaign: int | None = None) -> Listing:
        """Return the enrollments, with the filters and optional fields of the query."""
        company, ledger = self.company, self.company.ledger
        flags = Flags(
            query.get("include_campaign_id") == "true",
            query.get("include_store_purchase_id") == "true",
            query.get("include_employee_number") == "true",
            "campaign_id" in query,
        )
        filters = [key for key in ("campaign_id", "user_id", "store_purchase_id") if query.get(key)]
        skip_archived = query.get("exclude_archived_users") == "true"
        if not filters and not skip_archived and without_campaign is None:
            return self._all(second, flags)
        places: Sequence[int] = range(ledger.count(second))
        if query.get("user_id"):
            index = snapshot.person_index(whole(query["user_id"]))
            places = company.ordinals_of_person(index) if index is not None else []
        elif query.get("campaign_id"):
            wanted = whole(query["campaign_id"])
            places = next((plan.ordinals for plan in company.program.campaigns if plan.campaign_id == wanted), [])
        units = set(range(len(ledger.units)))
        if query.get("campaign_id"):
            wanted = whole(query["campaign_id"])
            units = {unit for unit in units if ledger.units[unit][0].campaign_id == wanted}
        if query.get("store_purchase_id"):
            bought = whole(query["store_purchase_id"])
            units = {
                unit
                for unit in units
                if ledger.units[unit][1].content_id == bought and not ledger.units[unit][1].is_policy
            }
        units = {unit for unit in units if ledger.units[unit][0].campaign_id != without_campaign}
        people = company.organization.people

        def keep(place: int) -> bool:
            if ledger.unit[place] not in units or not ledger.exists(place, second):
                return False
            return not skip_archived or people[ledger.person[place]].is_active(second)

        return Listing(places, ledger.id_of, self._render(second, flags), keep)

    def _render(self, second: int, flags: Flags) -> Callable[[list[int]], bytes]:
        return lambda places: b",".join(self.rows.render(place, second, flags) for place in places)

    def _all(self, second: int, flags: Flags) -> Listing:
        ledger = self.company.ledger
        gone = sorted(ordinal for removed_at, ordinal in ledger.removals if removed_at <= second)

        def locate(number: int) -> int:
            position = number
            while (shifted := number + bisect_left(gone, position + 1)) != position:
                position = shifted
            return min(position, ledger.count(second))

        return Listing(
            range(ledger.count(second)),
            ledger.id_of,
            self._render(second, flags),
            lambda place: ledger.exists(place, second),
            locate,
            fast=(lambda position, size: self.rows.fast_page(position, size, second)) if flags == FULL else None,
        )

    def recipients(self, second: int, pst_id: int, callback: bool) -> Listing:
        """Return the recipients of a test. Raises NotFoundError."""
        company = self.company
        at = moment(second)
        test = next(
            (entry for entry in company.phishing_tests(at) if entry.pst_id == pst_id and entry.callback == callback),
            None,
        )
        if test is None:
            raise NotFoundError(str(pst_id))
        plan = next(entry for entry in company.phishing.tests if entry.pst_id == pst_id)
        outcomes = company.phishing.outcomes(plan) if plan.start_at <= second else []

        def render(places: list[int]) -> bytes:
            facts = (snapshot.recipient(company, plan, outcomes[place], second) for place in places)
            return b",".join(serializers.encode(serializers.recipient(entry, test.template)) for entry in facts)

        return Listing(range(len(outcomes)), plan.recipient_id, render)

    def history(self, second: int, key: str, query: Query, paginated: bool, joined: int = FOUNDING) -> Listing:
        """Return a risk score history; a user's comes whole, whatever the page asked for."""
        points = self.company.risk_score_history(moment(second), key, query.get("full") == "true", joined)
        return Listing(
            range(len(points)),
            lambda place: place + 1,
            lambda places: b",".join(
                serializers.encode({"risk_score": points[place][1], "date": points[place][0]}) for place in places
            ),
            paginated=paginated,
        )
