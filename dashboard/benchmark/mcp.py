"""Every tool as an assistant calls it: its answer as JSON, within the scope of who sees everybody."""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import cycle, islice
from typing import Any

import msgspec
from django.utils import timezone

from dashboard.access import Scope
from dashboard.benchmark.queries import percentile
from dashboard.mcp.answering import answer
from dashboard.mcp.reading import Reader
from dashboard.models import Membership
from sync.benchmark.figures import Figure
from sync.models import Account

GOAL = 40.0
RUNS, WARM_UP, DRAWN = 40, 2, 12
Arguments = dict[str, Any]


def measure_mcp(account: Account, *, now: datetime, say: Callable[[str], None], runs: int = RUNS) -> list[Figure]:
    """Return the 95th percentile of each tool, in milliseconds; beside it its median and what this process computed.

    Things are drawn by chance, the same each time; `now` is only told apart from run to run.
    """
    scope = Scope(account=account, roles=frozenset({Membership.Role.SECURITY_MANAGER}), accounts=(account,))
    figures = []
    for title, name, asked in _calls(scope, now):
        turns = list(islice(cycle(asked), runs + WARM_UP)) if asked else []
        timed = [_timed(scope, name, arguments) for arguments in turns][WARM_UP:]
        if not timed:
            continue
        walls, computed = [wall for wall, _ in timed], [cpu for _, cpu in timed]
        figure = Figure(
            f"tool: {title}",
            round(percentile(walls, 95), 1),
            "ms",
            at_most=GOAL,
            beside={
                "median ms": round(statistics.median(walls), 1),
                "CPU ms": round(statistics.median(computed), 1),
            },
        )
        say(f"{figure.name}: {figure.measured} ({figure.remarks})")
        figures.append(figure)
    return figures


def _calls(scope: Scope, now: datetime) -> Iterator[tuple[str, str, Sequence[Arguments]]]:
    rng = random.Random(7)  # noqa: S311 - draws for a measurement

    def drawn(keys: Any) -> list[Any]:
        known = list(keys)
        return rng.sample(known, min(DRAWN, len(known)))

    campaigns = drawn(scope.campaigns().order_by("pk").values_list("knowbe4_id", flat=True))
    enrollments = drawn(scope.enrollments().order_by("pk").values_list("knowbe4_id", flat=True)[:5_000])
    content = drawn(
        scope.content().filter(source="store_purchase", knowbe4_id__isnull=False).values_list("knowbe4_id", flat=True)
    )
    people = drawn(scope.people().order_by("pk").values_list("email", flat=True)[:5_000])
    departments = drawn(scope.departments().exclude(key="").order_by("pk").values_list("name", flat=True))
    training = "knowbe4_training_"
    yield "list campaigns", f"{training}list_campaigns", [{}, {"status": "active"}]
    yield "get campaign", f"{training}get_campaign", [{"campaign_id": key} for key in campaigns]
    yield (
        "list enrollments",
        f"{training}list_enrollments",
        [{"campaign_id": key, **more} for key in campaigns for more in ({}, {"status": "past_due"}, {"page": 5})],
    )
    yield "get enrollment", f"{training}get_enrollment", [{"enrollment_id": key} for key in enrollments]
    yield "list modules", f"{training}list_modules", [{}, {"type": "Policy"}]
    yield "get module", f"{training}get_module", [{"module_id": key} for key in content]
    yield "list store purchases", f"{training}list_store_purchases", [{}]
    yield "get store purchase", f"{training}get_store_purchase", [{"store_purchase_id": key} for key in content]
    yield "compliance summary", "compliance_summary", [{}, *({"department": name} for name in departments)]
    yield "compliance summary by department", "compliance_summary", [{"by": "department"}]
    yield "compliance summary by manager", "compliance_summary", [{"by": "manager"}]
    yield "past due", "list_past_due", [{}, *({"department": name} for name in departments)]
    yield "past due by department", "list_past_due", [{"by": "department"}]
    yield "past due by manager", "list_past_due", [{"by": "manager"}]
    year = now.year - 1
    yield "quarterly review", "quarterly_review", [{}, *({"quarter": f"{year}-Q{n}"} for n in (1, 2, 3, 4))]
    yield "find person", "find_person", [{"query": email} for email in people]
    yield "explain number", "explain_number", [{"metric": name} for name in ("past_due", "people_compliant")]
    yield "explain number, of enrollments", "explain_number", [{"metric": "completion_rate"}]


def _timed(scope: Scope, name: str, arguments: Arguments) -> tuple[float, float]:
    """Return the milliseconds that a call took, by the clock and computed here."""
    wall, cpu = time.perf_counter(), time.process_time()
    told = answer(Reader(scope, timezone.now()), name, arguments, note=lambda called, details: None)
    if not isinstance(told, dict):
        raise TypeError(f"{name} {arguments}: {told}")
    msgspec.json.encode(told)
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000
