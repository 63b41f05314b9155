"""Samples are drawn from the data, the same each time."""

from datetime import timedelta

from dashboard.benchmark.samples import TWO_YEARS, Samples
from dashboard.local_days import local_midnight


def test_draws_are_the_same_each_time(scope, now):
    first, second = Samples(scope, now=now), Samples(scope, now=now)

    assert first.pairs(14) == second.pairs(14)
    assert first.past_days(5) == second.past_days(5)
    assert Samples(scope, now=now, seed=8).past_days(5) != first.past_days(5)


def test_pairs_hold_two_filters_of_every_kind(scope, now):
    pairs = [asked.filters for asked in Samples(scope, now=now).pairs(14)]

    fields = ("departments", "manager", "campaigns", "campaign_states", "content_types", "groups", "states")
    used = [{name for name in fields if getattr(filters, name)} for filters in pairs]
    assert all(len(names) == 2 for names in used)
    assert set().union(*used) == set(fields)


def test_past_days_end_at_midnight_within_two_years(scope, now):
    zone = scope.account.zone
    for asked in Samples(scope, now=now).past_days(30):
        day = asked.as_of.astimezone(zone).date()
        assert asked.as_of == local_midnight(day, zone)
        assert timedelta(0) < now - asked.as_of < timedelta(days=TWO_YEARS + 1)
