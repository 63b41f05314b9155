"""Causes for alerts now: in the syncs and the departments of each account, and in each schedule."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q
from django.utils.translation import gettext as _

from dashboard.access import Scope
from dashboard.audit.chain import anchor
from dashboard.mail.subjects import nobody_left
from dashboard.merged_departments import rename_in_words
from dashboard.models import Alert, Delivery, Occurrence, Role, Schedule, SingleSignOn
from dashboard.queries.account_roles import auditors
from dashboard.queries.renames import open_renames
from dashboard.queries.sign_in import untold_groups
from dashboard.queries.sync_status import STOPPED, is_outdated
from sync.models import Account, SyncRun

Kind = Alert.Kind
SYNC_KINDS = frozenset({Kind.SYNC_FAILED, Kind.SYNC_HELD, Kind.SYNC_OUTDATED})
# After midnight between Sunday and Monday.
WEEK_BEGINS = timedelta(hours=7)
_STATE, _DELIVERY = SyncRun.State, Delivery.State
# A report that could not be sent, may not have been, or is put off: it is this mail that does not go, not the server.
_NOT_MAILED = Q(state__in=[_DELIVERY.FAILED, _DELIVERY.UNKNOWN]) | Q(
    state=_DELIVERY.WAITING, first_refused_at__isnull=False
)


@dataclass(frozen=True)
class Cause:
    """One thing that is the matter; see `Alert`."""

    account_id: int
    kind: str
    subject_id: int
    said: str

    @property
    def key(self) -> tuple[int, str, int]:
        """Identity of the cause, however it is worded."""
        return self.account_id, self.kind, self.subject_id


def causes(now: datetime) -> list[Cause]:
    """Return everything that is the matter at `now`, each cause once."""
    found = []
    for account in Account.objects.order_by("pk"):
        cause = _of_syncs(account, now)
        found += [cause] if cause is not None else []
        found += [
            Cause(account.pk, Kind.DEPARTMENT_RENAMED, rename.pk, rename_in_words(rename))
            for rename in open_renames(account)
        ]
        found += _of_nobody(account)
        found += _of_log(account, now)
    return [*found, *_of_schedules(), *_of_groups(now)]


def _of_log(account: Account, now: datetime) -> list[Cause]:
    """Return what auditors get every week, to hold the audit log to it later: where its chain ends.

    Nothing is the matter with it: it is told as a cause that is a new one each week. A week begins on Monday at 07:00.
    """
    end = anchor(account.pk)
    if not end.events or not auditors(account, now):
        return []
    local = now.astimezone(account.zone) - WEEK_BEGINS
    year, week, _day = local.isocalendar()
    said = _("Keep this mail. The audit log has %(events)s events; the hash of the last is %(hash)s.") % {
        "events": end.events,
        "hash": end.digest,
    }
    return [Cause(account.pk, Kind.AUDIT_HEAD, year * 100 + week, said)]


def _of_nobody(account: Account) -> list[Cause]:
    """Return the running schedules that are about a department, a group or a campaign with nobody left."""
    told = Scope(account=account, roles=frozenset({Role.ADMINISTRATOR}))
    running = Schedule.objects.filter(account=account, ended_at=None, paused_at=None).order_by("pk")
    return [
        Cause(account.pk, Kind.SCHEDULE_EMPTY, schedule.pk, f"{schedule.name}: {' '.join(said)}")
        for schedule in running
        if (said := nobody_left(schedule, told))
    ]


def _of_syncs(account: Account, now: datetime) -> Cause | None:
    """Return what is the matter with an account's syncs; of a failed sync's old data nothing is said besides.

    Nothing where no sync is to run by itself.
    """
    if not account.is_sync_enabled or not account.encrypted_key:
        return None
    run = _last_that_tells(account)
    if run is not None and run.state == _STATE.FAILED:
        return Cause(account.pk, Kind.SYNC_FAILED, 0, run.message)
    if run is not None and run.state != _STATE.PUBLISHED:
        return Cause(account.pk, Kind.SYNC_HELD, 0, run.message)
    if is_outdated(account, now=now):
        return Cause(account.pk, Kind.SYNC_OUTDATED, 0, _("No sync was published for twice the time between two."))
    return None


def _last_that_tells(account: Account) -> SyncRun | None:
    """Return the account's last run that says whether syncs work: published, failed, or held with nobody's decision.

    One at work says nothing yet, nor one that was cut short, stopped or discarded by somebody. A held run that a later
    one replaced is still what nobody looked at.
    """
    silent = Q(state__in=[_STATE.RUNNING, _STATE.PAUSED]) | Q(state=_STATE.FAILED, error_kind="")
    decided = Q(state=_STATE.DISCARDED) & (Q(resolved_by__isnull=False) | Q(error_kind=STOPPED))
    runs = account.runs.exclude(kind=SyncRun.Kind.IMPORT).exclude(silent | decided)
    return runs.order_by("-pk").first()


def _of_schedules() -> Iterator[Cause]:
    """Yield the running schedules whose last reports did not all go out."""
    last = Occurrence.objects.filter(schedule__ended_at=None, schedule__paused_at=None).values("schedule")
    latest = last.annotate(latest=Max("pk")).values("latest")
    troubled = Delivery.objects.filter(_NOT_MAILED, kind=Delivery.Kind.REPORT, occurrence__in=latest)
    for schedule in Schedule.objects.filter(pk__in=troubled.values("occurrence__schedule")).order_by("pk"):
        said = troubled.filter(occurrence__schedule=schedule).order_by("pk").values_list("said", flat=True)[0]
        yield Cause(schedule.account_id, Kind.SCHEDULE_FAILED, schedule.pk, f"{schedule.name}: {said}")


def _of_groups(now: datetime) -> Iterator[Cause]:
    """Yield the accounts whose identity provider leaves groups out."""
    for provider in SingleSignOn.objects.filter(untold_groups(now)).order_by("account_id"):
        yield Cause(provider.account_id, Kind.GROUPS_UNTOLD, 0, send_fewer_groups(provider.name))


def send_fewer_groups(provider: str) -> str:
    """Say what an identity provider does that leaves groups out, and how it is told to send only those that count."""
    return _(
        "Somebody is in more groups than %(name)s sends (Entra ID: 200 in OpenID Connect, 150 in SAML), so it sent "
        "none of them. They keep the roles they had. Have it send only the groups assigned to the application: in "
        "Entra ID, assign the groups to the enterprise application, then choose “Groups assigned to the application” "
        "for the groups claim."
    ) % {"name": provider}
