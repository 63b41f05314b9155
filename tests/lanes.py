"""Lanes of the suite that are bounded or drawn: `--seed`, and `--until` for runs that stop when their time is up."""

import os
import random
import time
from datetime import UTC, datetime
from itertools import groupby

import pytest

# The moment at which the run's time is up, by the monotonic clock: the controller sets it, workers inherit it.
_DEADLINE = "ROLLCALL_TESTS_END_AT"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("rollcall")
    group.addoption("--seed", type=int, help="what random tests draw from; today's date as a number if not given")
    group.addoption("--until", type=float, metavar="SECONDS", help="begin no test after so many seconds")
    group.addoption("--shuffle", action="store_true", help="take the modules in an order drawn by the seed")


def pytest_configure(config: pytest.Config) -> None:
    """Settle seed and deadline once for all processes of the run."""
    if config.option.seed is None:
        config.option.seed = int(f"{datetime.now(tz=UTC):%Y%m%d}")  # noqa: TID251 - each day draws others
    if config.option.until is not None:
        os.environ.setdefault(_DEADLINE, str(time.monotonic() + config.option.until))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no deadline to a later run in this process."""
    if not hasattr(config, "workerinput"):
        os.environ.pop(_DEADLINE, None)


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed: with it the same run can be had again."""
    return f"seed: {config.option.seed}"


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """Return what random tests draw from."""
    return pytestconfig.option.seed


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the modules in a drawn order, the same in every process: each day the time cuts off another part."""
    if not config.option.shuffle:
        return
    modules = [list(group) for _path, group in groupby(items, key=lambda item: item.path)]
    random.Random(config.option.seed).shuffle(modules)
    items[:] = [item for module in modules for item in module]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Begin no test when the time is up."""
    end_at = os.environ.get(_DEADLINE)
    return True if end_at is not None and time.monotonic() > float(end_at) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how much of a bounded run its time allowed."""
    if config.option.until is None:
        return
    run = sum(len(terminalreporter.stats.get(outcome, ())) for outcome in ("passed", "failed", "skipped", "error"))
    terminalreporter.write_line(f"Within {config.option.until:.0f} seconds: {run} tests run, no other begun.")
