"""Budget of drawn companies: a few in every run, the same ones; in the soak lane many, by its seed."""

import os
from collections.abc import Callable
from inspect import signature
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis.strategies import SearchStrategy

Test = Callable[..., None]

# How many times as many the soak lane draws.
AT_LENGTH = 20
# NUMBERS_SHRINK=1 looks for the smallest company that fails, which takes minutes.
SHRINKS = bool(os.environ.get("NUMBERS_SHRINK"))


def drawn(examples: int, **strategies: SearchStrategy[Any]) -> Callable[[Test], Test]:
    """Give a test so many drawn companies, and leave beside it, for the soak lane, the same with more of them.

    The other test is called `..._at_length`; it draws by the run's seed. Fixtures of a function serve all its
    companies: each is written into an account of its own.
    """

    def decorate(test: Test) -> Test:
        @pytest.mark.soak
        @pytest.mark.timeout(1_800)
        def at_length(request: pytest.FixtureRequest, seed: int) -> None:
            names = [name for name in signature(test).parameters if name not in strategies]
            hold = _budget(examples * AT_LENGTH)(hypothesis.seed(seed)(hypothesis.given(**strategies)(test)))
            hold(**{name: request.getfixturevalue(name) for name in names})

        test.__globals__[f"{test.__name__}_at_length"] = at_length
        return pytest.mark.slow(_budget(examples, derandomize=True)(hypothesis.given(**strategies)(test)))

    return decorate


def _budget(examples: int, **options: bool) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if SHRINKS else [])],
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
        **options,
    )
