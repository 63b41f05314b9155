"""Figures about this installation for Prometheus, read from Postgres at each scrape: any web process gives the same."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from config.version import VERSION
from dashboard.access import Scope
from dashboard.models import AlertMail, AskedTask, Delivery
from dashboard.row_security import within
from sync.models import Account, SyncRun

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ACCOUNT = ("account", "name")
# Every state is told, those without a mail too: an alert on a series that is not there never fires.
_MAIL_STATES = {state.value: 0 for state in Delivery.State}


def exposition(now: datetime) -> bytes:
    """Return every figure as text. Raises what the database raises."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(now))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, now: datetime) -> None:
        self.now = now

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("rollcall", "This Rollcall.", {"version": VERSION})
        yield from self._syncs()
        yield from self._tasks()
        yield self._mails()

    def _syncs(self) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "rollcall_sync_age_seconds", "Since the last sync was published; none before the first.", labels=_ACCOUNT
        )
        interval = GaugeMetricFamily(
            "rollcall_sync_interval_seconds",
            "How often it is to be synced; 0: not by itself.",
            labels=_ACCOUNT,
        )
        running = GaugeMetricFamily("rollcall_sync_running", "1 while a sync runs.", labels=_ACCOUNT)
        requests = CounterMetricFamily(
            "rollcall_knowbe4_requests", "Requests to KnowBe4 that syncs have made.", labels=_ACCOUNT
        )
        made = dict(SyncRun.objects.values_list("account").annotate(Sum("requests_made")))
        at_work = set(SyncRun.objects.filter(state=SyncRun.State.RUNNING).values_list("account", flat=True))
        for account in Account.objects.order_by("pk"):
            labels = (str(account.pk), str(account))
            if account.published_at is not None:
                age.add_metric(labels, (self.now - account.published_at).total_seconds())
            is_scheduled = account.is_sync_enabled and bool(account.encrypted_key)
            interval.add_metric(labels, account.sync_interval.total_seconds() if is_scheduled else 0)
            running.add_metric(labels, int(account.pk in at_work))
            requests.add_metric(labels, made.get(account.pk, 0))
        yield from (age, interval, running, requests)

    def _tasks(self) -> Iterator[Metric]:
        waiting = AskedTask.objects.aggregate(count=Count("pk"), oldest=Min("asked_at"))
        yield GaugeMetricFamily(
            "rollcall_tasks", "Tasks that were asked for and have not ended.", value=waiting["count"]
        )
        oldest = (self.now - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0
        yield GaugeMetricFamily("rollcall_tasks_oldest_seconds", "Since the oldest was asked for.", value=oldest)

    def _mails(self) -> Metric:
        mails = GaugeMetricFamily("rollcall_mails", "Mails by what became of them.", labels=(*_ACCOUNT, "state"))
        for account in Account.objects.order_by("pk"):
            # The pages' own role sees mails of one account at a time.
            with within(Scope(account=account)):
                found = Counter(_MAIL_STATES)
                for kind in (Delivery, AlertMail):
                    rows = kind.objects.filter(account=account).values_list("state").annotate(Count("pk"))
                    found.update(dict(rows.order_by()))
            for state, count in found.items():
                mails.add_metric((str(account.pk), str(account), state), count)
        return mails
