"""Samples for the questions: pairs of filters and past days, drawn from what is filled."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import Count

from dashboard.access import Scope
from dashboard.figures.selection import Filters
from dashboard.local_days import local_midnight
from dashboard.metrics import CampaignState, State

TWO_YEARS = 730


@dataclass(frozen=True)
class Asked:
    """One way to ask a question: as of when, and about whom and what."""

    as_of: datetime
    filters: Filters = field(default_factory=Filters)


class Samples:
    """Samples of one account, the same each time for the same seed and data."""

    def __init__(self, scope: Scope, *, now: datetime, seed: int = 7) -> None:
        self._scope = scope
        self._rng = random.Random(seed)  # noqa: S311 - a benchmark needs no secrets
        self.now = now
        self._departments = list(
            scope.departments().filter(merged_into=None).exclude(key="").order_by("pk").values_list("pk", flat=True)
        )
        self._campaigns = list(scope.campaigns().order_by("pk").values_list("pk", flat=True))
        # Those who lead other leaders: a line worth the name.
        self._managers = list(
            scope.people()
            .annotate(lines=Count("reports__reports"))
            .filter(lines__gt=0)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        self._groups = list(scope.groups().exclude(member_count=None).order_by("pk").values_list("pk", flat=True))
        self._types = list(scope.content().order_by("content_type").values_list("content_type", flat=True).distinct())

    def past_days(self, count: int) -> list[Asked]:
        """Return so many questions as of the midnight that ends a day of the last two years."""
        account = self._scope.account
        if account is None:
            return []
        today = self.now.astimezone(account.zone).date()
        days = [today - timedelta(days=self._rng.randrange(1, TWO_YEARS)) for _ in range(count)]
        return [Asked(local_midnight(day, account.zone)) for day in days]

    def pairs(self, count: int) -> list[Asked]:
        """Return so many questions with two filters each, the kinds of pair by turns."""
        kinds: list[Callable[[], Filters]] = [
            lambda: replace(self._department(), content_types=self._content_types()),
            lambda: replace(self._campaign(), manager=self._one(self._managers)),
            lambda: replace(self._department(), campaigns=self._campaign().campaigns),
            lambda: replace(self._department(), campaign_states=frozenset({CampaignState.CLOSED.value})),
            lambda: Filters(manager=self._one(self._managers), content_types=self._content_types()),
            lambda: replace(self._department(), states=frozenset({State.PAST_DUE})),
            lambda: Filters(groups=frozenset(self._some(self._groups)), content_types=self._content_types()),
        ]
        return [Asked(self.now, kinds[number % len(kinds)]()) for number in range(count)]

    def _department(self) -> Filters:
        return Filters(departments=frozenset(self._some(self._departments)))

    def _campaign(self) -> Filters:
        return Filters(campaigns=frozenset(self._some(self._campaigns)))

    def _content_types(self) -> frozenset[str]:
        return frozenset(self._rng.sample(self._types, 1)) if self._types else frozenset()

    def _some(self, ids: list[int]) -> list[int]:
        return self._rng.sample(ids, min(len(ids), self._rng.choice((1, 1, 3))))

    def _one(self, ids: list[int]) -> int | None:
        return self._rng.choice(ids) if ids else None
