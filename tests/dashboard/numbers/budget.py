"""How much is drawn: a fixed budget in every run, more when a number is hunted."""

import os

from hypothesis import HealthCheck, Phase, settings

# NUMBERS_TIMES=20 draws twenty times as many companies, and others each time.
TIMES = int(os.environ.get("NUMBERS_TIMES", "0"))
# NUMBERS_SHRINK=1 looks for the smallest company that fails, which takes minutes.
SHRINKS = bool(os.environ.get("NUMBERS_SHRINK"))


def budget(examples: int) -> settings:
    """Return settings for so many companies; the same ones in every run unless NUMBERS_TIMES asks for more.

    Fixtures of a function serve all its companies: each is written into an account of its own.
    """
    return settings(
        max_examples=examples * max(1, TIMES),
        deadline=None,
        derandomize=not TIMES,
        database=None,
        print_blob=True,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if SHRINKS else [])],
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )
