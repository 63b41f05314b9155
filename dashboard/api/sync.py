"""GET /sync and /sync/runs: how fresh the data is."""

from typing import Any

from django.db.models import F, IntegerField, Value
from ninja import Query, Router

from dashboard.api.answers import One, Rows
from dashboard.api.calls import Call, fields_of, view_of
from dashboard.api.parameters import Listed, Shown
from dashboard.api.rows import page_of
from dashboard.queries.fields import Field, Kind
from sync.models import SyncRun

router = Router(tags=["Sync"])

_STATES = dict(SyncRun.State.choices)
RUNS = (
    Field("run_id", Kind.INTEGER, "Rollcall's id of the sync, as changes name it.", 312),
    Field("number", Kind.INTEGER, "The sync's number in its account, as the pages show it.", 87),
    Field("kind", Kind.CHOICE, "What it read: everything, what is due, or a file of the console.", "full",
          words=dict(SyncRun.Kind.choices)),
    Field("state", Kind.CHOICE, "How it stands or ended.", "published", words=_STATES),
    Field("started_at", Kind.MOMENT, "When it began to read.", "2026-11-23T05:51:00Z"),
    Field("finished_at", Kind.MOMENT, "When it ended.", "2026-11-23T06:00:00Z", True),
    Field("published_at", Kind.MOMENT, "When its data began to be shown; null unless published.",
          "2026-11-23T06:00:00Z", True),
    Field("requests_made", Kind.INTEGER, "How many requests it made of KnowBe4. Null for who does not see everyone.",
          138, True),
)  # fmt: skip
STATUS = (
    Field("account", Kind.TEXT, "The account's name.", "Brackwater Mutual"),
    Field("time_zone", Kind.TEXT, "The zone in which days and quarters are counted.", "Europe/Berlin"),
    Field("published_run_id", Kind.INTEGER, "The sync whose data is shown; null before the first.", 312, True),
    Field("published_run_number", Kind.INTEGER, "Its number in the account.", 87, True),
    Field("published_at", Kind.MOMENT, "When it was published.", "2026-11-23T06:00:00Z", True),
    Field("data_as_of", Kind.MOMENT, "When it began to read: nothing shown is older.", "2026-11-23T05:51:00Z", True),
    Field("last_run_id", Kind.INTEGER, "The latest sync, published or not.", 312, True),
    Field("last_run_number", Kind.INTEGER, "Its number in the account.", 87, True),
    Field("last_run_state", Kind.CHOICE, "How it stands or ended.", "published", True, words=_STATES),
    Field("last_run_started_at", Kind.MOMENT, "When it began.", "2026-11-23T05:51:00Z", True),
)
_RUNS: dict[str, Any] = {**{field.name: F(field.name) for field in RUNS}, "run_id": F("pk")}


class RunsAsked(Listed):
    """Parameters of the list of syncs."""


class SyncAsked(Shown):
    """Parameters of the sync's state."""


@router.get("/sync", url_name="api_sync", operation_id="get_sync", summary="How fresh the data is")
@view_of("GET /sync")
def sync(call: Call, asked: Query[SyncAsked]) -> One:
    """Return which sync's data is shown, and how the latest one stands."""
    fields, shown = fields_of(STATUS, asked), call.account.published_run
    account, last = call.account, call.scope.runs().order_by("-number").first()
    values = {
        "account": account.name,
        "time_zone": account.time_zone,
        "published_run_id": account.published_run_id,
        "published_run_number": shown.number if shown else None,
        "published_at": account.published_at,
        "data_as_of": account.data_as_of,
        "last_run_id": last.pk if last else None,
        "last_run_number": last.number if last else None,
        "last_run_state": last.state if last else None,
        "last_run_started_at": last.started_at if last else None,
    }
    return One(fields, [values[field.name] for field in fields])


@router.get("/sync/runs", url_name="api_sync_runs", operation_id="list_sync_runs", summary="Syncs")
@view_of("GET /sync/runs")
def sync_runs(call: Call, asked: Query[RunsAsked]) -> Rows:
    """List every sync that was tried, the latest first."""
    shown = _RUNS if call.scope.sees_everyone else {**_RUNS, "requests_made": Value(None, IntegerField())}
    return page_of(call, call.scope.runs(), shown, fields_of(RUNS, asked), asked, latest_first=True)
