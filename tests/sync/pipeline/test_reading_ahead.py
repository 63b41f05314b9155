"""Pages drawn in a thread of their own."""

import threading
import time

import pytest

from sync.pipeline.reading_ahead import DEPTH, read_ahead


def nothing():
    """Do nothing meanwhile."""


def test_items_come_in_order():
    assert list(read_ahead(iter(range(100)), every=1, meanwhile=nothing)) == list(range(100))


def test_an_error_is_raised_after_the_items_before_it():
    def source():
        yield 1
        raise ValueError("cut")

    seen = []
    with pytest.raises(ValueError, match="cut"):
        seen.extend(read_ahead(source(), every=1, meanwhile=nothing))
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

    assert list(read_ahead(source(), every=0.05, meanwhile=lambda: beats.append(1))) == [1]
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
