"""Rate limits: 4 a second, 50 a minute with a lock-out, 2,000 a day plus seats."""

from datetime import timedelta

import pytest

from sync.simulator import Limits, serve


class Watch:
    """A clock turned by hand, in seconds."""

    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


def spend(limits, watch, count, every):
    for _ in range(count):
        assert limits.refuse() is None
        watch.now += every


def test_fifth_request_in_a_second_is_refused(watch):
    limits = Limits(now=watch)
    assert [limits.refuse() for _ in range(5)] == [None] * 4 + ["second"]
    watch.now += 1.0
    assert limits.refuse() is None


def test_fifty_first_in_a_minute_locks_for_five_minutes_from_the_first(watch):
    limits = Limits(now=watch)
    started = watch.now
    spend(limits, watch, 50, 0.5)
    assert limits.refuse() == "burst"
    watch.now = started + 299
    assert limits.refuse() == "burst"
    watch.now = started + 301
    assert limits.refuse() is None


def test_daily_limit_counts_seats_and_rolls_from_the_first_request(watch):
    limits = Limits(per_day=10, seats=5, now=watch)
    started = watch.now
    spend(limits, watch, 15, 60.0)
    assert limits.refuse() == "day"
    watch.now = started + 86_399
    assert limits.refuse() == "day"
    watch.now = started + 86_400
    assert limits.refuse() is None


def test_limits_on_the_wire(company, now, session):
    with serve(company, at=now, limits=Limits(per_second=2)) as running:
        answers = [session.get(f"{running.url}/v1/account", timeout=5) for _ in range(3)]
        running.clock.advance(timedelta(days=1))
        assert session.get(f"{running.url}/v1/account", timeout=5).status_code == 429, (
            "real time counts, not the company's"
        )
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json() == {"message": "Too Many Requests"}
    assert "Retry-After" not in answers[2].headers


def test_a_stranger_spends_nothing(company, now, session):
    with serve(company, at=now, limits=Limits(per_second=1)) as running:
        session.headers["Authorization"] = "Bearer stranger"
        for _ in range(3):
            assert session.get(f"{running.url}/v1/account", timeout=5).status_code == 401
        session.headers["Authorization"] = "Bearer simulator-key"
        assert session.get(f"{running.url}/v1/account", timeout=5).status_code == 200
