"""Rollups corrected step by step hold what rollups built anew hold, whatever happened in between."""

import random

import pytest
from hypothesis import strategies as st

from dashboard import rollups
from dashboard.models import User
from tests.dashboard.numbers.budget import drawn
from tests.dashboard.numbers.comparing import compare_totals
from tests.dashboard.numbers.history import History, moments_for
from tests.dashboard.numbers.kept import comparable, comparable_from, rows_of
from tests.dashboard.numbers.mirror import write
from tests.dashboard.numbers.undoing import undone
from tests.oracle.companies import companies, moments_of, question
from tests.oracle.records import Company

pytestmark = pytest.mark.django_db


@drawn(4, company=companies(), goal=companies(), seed=st.integers(0, 2**32))
def test_corrected_rollups_equal_rebuilt_ones(
    deciders: tuple[User, User], company: Company, goal: Company, seed: int
) -> None:
    with undone():
        dice = random.Random(seed)
        mirror = write(company, *deciders)
        history = History(company, goal, mirror, deciders, dice)
        first, *later = moments_for(moments_of(company), dice, dice.randint(2, 7))
        rollups.rebuild(mirror.account, at=first)
        for at in later:
            if dice.random() < 0.3:
                rollups.advance(mirror.account, at=at)
            touched = history.step()
            rollups.recount(
                mirror.account,
                people=touched.people,
                campaigns=touched.campaigns,
                enrollments=touched.enrollments,
                at=at,
            )
        rollups.advance(mirror.account, at=later[-1])
        for _ in range(2):
            asking = question(history.company, dice.getrandbits(32))
            compare_totals(history.company, mirror, asking, "corrected")
        corrected, since = rows_of(mirror.account), comparable_from(mirror.account)
        rollups.rebuild(mirror.account, at=later[-1])
        rebuilt, since = rows_of(mirror.account), max(since, comparable_from(mirror.account))
        rows = comparable(rebuilt, since)
        for table, found in comparable(corrected, since).items():
            assert sorted({*found} - {*rows[table]}) == sorted({*rows[table]} - {*found}) == [], table
