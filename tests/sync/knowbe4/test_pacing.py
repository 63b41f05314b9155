"""One allowance for all processes, in a real Redis."""

import multiprocessing
import threading
import time
from datetime import timedelta
from itertools import count

import pytest
import redis
import time_machine

from sync.knowbe4 import resources
from sync.knowbe4.client import Client
from sync.knowbe4.errors import BudgetExhausted, RateLimited, RetriableError, Unreachable
from sync.knowbe4.pacing import Pacer, Usage, Windows
from tests.sync.knowbe4.conftest import KEY
from tests.sync.knowbe4.server import Reply

accounts = count(1)
UNLIMITED = {"per_second": None, "per_minute": None, "per_day": None}


@pytest.fixture
def connection(redis_url):
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


@pytest.fixture
def account():
    return f"account-{next(accounts)}"


def pacer(connection, account, windows=None, **limits):
    return Pacer(connection, account, windows=windows, **{**UNLIMITED, **limits})


def grants(pacer, number):
    moments = []
    for _ in range(number):
        pacer.acquire()
        moments.append(time.monotonic())
    return moments


def granted(connection, pacer):
    """Return when each request was granted, by the clock that grants: a busy machine hears of it a little late."""
    return [int(moment) / 1e6 for moment in reversed(connection.lrange(pacer._recent, 0, -1))]


@pytest.mark.slow
def test_second_slides(connection, account):
    waits = []
    paced = pacer(connection, account, per_second=4, windows=Windows(second=0.3))

    for _ in range(13):
        paced.acquire(lambda seconds, window: waits.append((seconds, window)))

    moments = granted(connection, paced)
    assert len(moments) == 13
    assert all(later - earlier >= 0.3 for earlier, later in zip(moments, moments[4:], strict=False))
    assert moments[-1] - moments[0] < 3
    assert {window for _, window in waits} == {"second"}
    assert all(0 < seconds <= 0.3 for seconds, _ in waits)


@pytest.mark.slow
def test_run_lasts_at_most_three_percent_longer_than_its_minutes(connection, account):
    minute = 0.6
    paced = pacer(
        connection, account, per_second=20, per_minute=50, windows=Windows(second=0.03, minute=minute * 61 / 60)
    )

    moments = grants(paced, 250)

    assert moments[-1] - moments[0] <= 250 / 50 * minute * 1.03
    moments = granted(connection, paced)
    assert len(moments) == 250
    assert all(later - earlier >= minute for earlier, later in zip(moments, moments[50:], strict=False))


def test_default_minute_is_within_three_percent():
    assert 60 < Windows().minute <= 60 * 1.03


def test_day_used_up_is_an_exhausted_budget(connection, account, now):
    paced = pacer(connection, account, per_day=3)
    grants(paced, 3)

    with pytest.raises(BudgetExhausted, match=r"next is possible at \d{4}-") as caught:
        paced.acquire()

    assert abs(caught.value.until - now - timedelta(days=1)) < timedelta(minutes=1)
    assert isinstance(caught.value, RetriableError)


def test_day_rolls_from_its_first_request(connection, account):
    paced = pacer(connection, account, per_day=2, windows=Windows(day=0.4))
    grants(paced, 1)
    time.sleep(0.25)
    grants(paced, 1)
    with pytest.raises(BudgetExhausted):
        paced.acquire()

    time.sleep(0.2)

    grants(paced, 2)
    with pytest.raises(BudgetExhausted):
        paced.acquire()


def test_usage(connection, account, now):
    paced = pacer(connection, account, per_second=100, per_minute=50, per_day=2000)
    assert paced.usage() == Usage(0, 0, 2000, None)

    grants(paced, 3)

    usage = paced.usage()
    assert (usage.minute, usage.day, usage.day_limit) == (3, 3, 2000)
    assert abs(usage.day_resets_at - now - timedelta(days=1)) < timedelta(minutes=1)


def test_accounts_do_not_share(connection, account):
    grants(pacer(connection, account, per_day=1), 1)

    grants(pacer(connection, f"{account}-other", per_day=1), 1)


def test_no_limit_never_asks_redis(now):
    nowhere = redis.Redis(host="127.0.0.1", port=9)
    paced = pacer(nowhere, "x")

    paced.acquire()
    paced.blocked_until(now + timedelta(hours=1))
    paced.acquire()

    assert paced.usage() == Usage(0, 0, None, None)


def test_limit_of_zero_is_refused(connection):
    with pytest.raises(ValueError, match="at least 1"):
        pacer(connection, "x", per_minute=0)


def test_hold_stops_everyone_until_it_ends(connection, account, now):
    waits = []
    paced = pacer(connection, account, per_minute=50)
    with time_machine.travel(now):
        pacer(connection, account, per_minute=50).blocked_until(now + timedelta(seconds=0.4))
        paced.blocked_until(now + timedelta(seconds=0.1))  # never shortens

    began = time.monotonic()
    paced.acquire(lambda seconds, window: waits.append(window))

    assert 0.35 < time.monotonic() - began < 0.8
    assert set(waits) == {"hold"}


def test_long_hold_is_an_exhausted_budget(connection, account, now):
    paced = pacer(connection, account, per_minute=50)
    paced.blocked_until(now + timedelta(hours=3))

    with pytest.raises(BudgetExhausted):
        paced.acquire()


def _take(redis_url, account, seconds, taken):
    paced = pacer(redis.Redis.from_url(redis_url), account, per_second=10, windows=Windows(second=0.25))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        paced.acquire()
        taken.put(time.monotonic())


@pytest.mark.slow
def test_processes_share_one_allowance(redis_url, account):
    context = multiprocessing.get_context("fork")
    taken = context.Queue()
    processes = [context.Process(target=_take, args=(redis_url, account, 1.5, taken)) for _ in range(3)]
    for process in processes:
        process.start()
    time.sleep(1.6)
    moments = []
    while any(process.is_alive() for process in processes) or not taken.empty():
        while not taken.empty():
            moments.append(taken.get())
        time.sleep(0.02)
    for process in processes:
        process.join()

    assert 50 <= len(moments) <= 80
    with redis.Redis.from_url(redis_url) as connection:
        moments = granted(connection, pacer(connection, account))
    assert all(later - earlier >= 0.25 for earlier, later in zip(moments, moments[10:], strict=False))


@pytest.mark.slow
def test_redis_away_for_a_while_is_waited_for(own_redis):
    with redis.Redis.from_url(own_redis.url) as connection:
        paced = pacer(connection, "a", per_minute=50)
        paced.acquire()
        own_redis.stop()
        back = threading.Timer(0.5, own_redis.start)
        back.start()

        paced.acquire()

        back.join()
        assert paced.usage().minute == 1


def test_redis_that_stays_away_is_named(own_redis):
    with redis.Redis.from_url(own_redis.url) as connection:
        paced = Pacer(connection, "a", redis_patience=0.3)
        own_redis.stop()

        with pytest.raises(Unreachable, match="Redis") as caught:
            paced.acquire()

        assert caught.value.__context__ is None


# With the client


@pytest.mark.slow
def test_429_seen_by_one_client_holds_the_others(server, connection, account):
    server.says(Reply({}, status=429, headers={"Retry-After": "1"}), {"name": "Northwind"})
    clients = [Client(server.url, KEY, pacer=pacer(connection, account, per_minute=50)) for _ in range(2)]
    first = threading.Thread(target=clients[0].get, args=(resources.ACCOUNT,))

    first.start()
    while not server.asked:
        time.sleep(0.01)
    time.sleep(0.1)
    clients[1].get(resources.ACCOUNT)
    first.join()

    assert len(server.asked) == 3
    assert all(asked.at - server.asked[0].at > 0.9 for asked in server.asked[1:])
    for client in clients:
        client.close()


def test_daily_limit_holds_all_until_the_day_is_over(server, connection, account):
    server.says({"name": "Northwind"}, Reply({"message": "daily limit"}, status=429))
    paced = pacer(connection, account, per_day=2000)

    with Client(server.url, KEY, pacer=paced) as client:
        client.get(resources.ACCOUNT)
        with pytest.raises(RateLimited) as caught:
            client.get(resources.ACCOUNT)
        with pytest.raises(BudgetExhausted):
            client.get(resources.ACCOUNT)

    assert abs(caught.value.until - paced.usage().day_resets_at) < timedelta(seconds=2)
    assert len(server.asked) == 2


def test_requests_and_retries_are_all_counted(server, connection, account):
    server.says(Reply(b"", status=503), {"name": "Northwind"})
    paced = pacer(connection, account, per_day=2000)

    with Client(server.url, KEY, pacer=paced, sleep=lambda seconds: None) as client:
        client.get(resources.ACCOUNT)

    assert paced.usage().day == client.requests_made == 2
