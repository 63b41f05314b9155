"""Pages drawn in a thread of their own."""

import threading
import time
from itertools import chain

import pytest

from sync.pipeline.reading_ahead import DEPTH, read_ahead


def nothing():
    """Do nothing meanwhile."""


def test_items_come_in_order():
    drawn = read_ahead(iter(range(100)), every=1, meanwhile=nothing)
    assert list(chain.from_iterable(drawn)) == list(range(100))


def test_what_waits_comes_together():
    drawn = read_ahead(iter(range(DEPTH * 3)), every=1, meanwhile=nothing)
    assert next(drawn)[0] == 0
    time.sleep(0.3)
    assert DEPTH <= len(next(drawn)) <= DEPTH + 1
    drawn.close()


def test_an_item_does_not_wait_for_the_next():
    may_go_on = threading.Event()

    def source():
        yield 1
        may_go_on.wait(5)
        yield 2

    drawn = read_ahead(source(), every=1, meanwhile=nothing)
    assert next(drawn) == [1]
    may_go_on.set()
    assert next(drawn) == [2]
    assert next(drawn, None) is None


def test_an_error_is_raised_after_the_items_before_it():
    def source():
        yield 1
        raise ValueError("cut")

    seen = []
    with pytest.raises(ValueError, match="cut"):
        seen.extend(chain.from_iterable(read_ahead(source(), every=1, meanwhile=nothing)))
    assert seen == [1]


def test_the_next_item_is_read_while_the_last_is_at_work():
    read = []

    def source():
        for number in range(DEPTH * 3):
            read.append(number)
            yield number

    drawn = read_ahead(source(), every=1, meanwhile=nothing)
    next(drawn)
    deadline = time.monotonic() + 5
    while len(read) < DEPTH and time.monotonic() < deadline:
        time.sleep(0.01)
    assert DEPTH <= len(read) <= DEPTH + 2
    drawn.close()


def test_a_slow_source_leaves_time_for_a_sign_of_life():
    beats = []

    def source():
        time.sleep(0.3)
        yield 1

    assert list(read_ahead(source(), every=0.05, meanwhile=lambda: beats.append(1))) == [[1]]
    assert len(beats) >= 2


def test_who_stops_early_leaves_no_thread():
    def endless():
        while True:
            yield 0

    drawn = read_ahead(endless(), every=1, meanwhile=nothing)
    next(drawn)
    drawn.close()
    deadline = time.monotonic() + 5
    while any(thread.name == "read ahead" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(thread.name == "read ahead" for thread in threading.enumerate())
