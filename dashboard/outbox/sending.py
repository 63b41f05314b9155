"""From a delivery that is due to a mail that is sent, once.

A worker holds the delivery's lock while it works on it. It makes the copy and goes through the server's questions with
nothing sent; only then it claims the delivery (`waiting` to `handing_over`, one update that one worker can make), and
sends. So of a worker that is killed before the claim nothing is out, and the delivery is begun anew; of one killed
after it nobody knows, and the delivery becomes `unknown`: it is never sent again by itself.
"""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from config.database_errors import is_away
from dashboard import audit
from dashboard.files import storage
from dashboard.files.errors import GivenUpError, NoAccessError, NotMadeError, explained
from dashboard.files.jobs import begin, name_of, work_of
from dashboard.locks import advisory_lock
from dashboard.models import Delivery
from dashboard.outbox import handing_over
from dashboard.outbox.occurrences import LONGEST_AHEAD, WAITS

logger = logging.getLogger(__name__)

State, Kind = Delivery.State, Delivery.Kind
# A mail that the server puts off for so long is given up. A server that cannot be reached is waited for without end.
PUT_OFF_FOR = timedelta(days=3)
_OPEN = Q(state__in=[State.WAITING, State.HANDING_OVER])


@dataclass
class Prepared:
    """A mail ready to go, what its delivery is to say of it, and the file that a link in it leads to, if one does."""

    message: EmailMessage
    fields: dict[str, object]
    linked: Path | None = None


# Makes a delivery's mail, with a folder for what it writes; None when there is nothing to say and nobody wants to hear
# that. NotMadeError, or what `explained` explains, when there is none.
Prepare = Callable[[Delivery, datetime, Path], Prepared | None]


def deliver(delivery_id: int, prepare: Prepare) -> None:
    """Send one mail, unless another worker does, it is over, or its time has not come.

    What stands in the way is kept in the delivery, for the page. Raises what the database raises when it went away:
    the task is to come again.
    """
    with advisory_lock(f"delivery {delivery_id}") as is_alone:
        if not is_alone:
            return
        delivery = (
            Delivery.objects.select_related("occurrence__schedule__account__published_run")
            .select_related("occurrence__schedule__campaign", "recipient")
            .filter(pk=delivery_id)
            .first()
        )
        now = timezone.now()
        if delivery is None or not delivery.is_open:
            return
        if delivery.state == State.HANDING_OVER:
            # Whoever handed it over holds the lock for as long as they live.
            _end(delivery, State.UNKNOWN, now, _("The worker that was handing it over was stopped in the middle."))
            return
        if now < delivery.next_try_at <= now + LONGEST_AHEAD or not handing_over.is_set_up():
            return
        try:
            _deliver(delivery, now, prepare)
        except Exception as error:
            if is_away(error):
                raise
            # Whatever it is: the log has it whole, and the schedule's page says that it failed.
            logger.exception("delivery %s failed", delivery_id)
            said = _("Rollcall could not make this mail. The worker's log says why.")
            if Delivery.objects.filter(pk=delivery_id, state=State.HANDING_OVER).exists():
                _end(delivery, State.UNKNOWN, now, said)
            else:
                _put_off(delivery, now, said)


def send_again(delivery: Delivery, at: datetime) -> bool:
    """Have a mail that failed, or of which nobody knows, sent once more because somebody says so.

    False for any other, which stays as it is.
    """
    again = Delivery.objects.filter(pk=delivery.pk, state__in=[State.FAILED, State.UNKNOWN, State.NO_ACCESS])
    return bool(
        again.update(state=State.WAITING, next_try_at=at, queued_at=None, first_refused_at=None, attempts=0, begun=0)
    )


def _deliver(delivery: Delivery, now: datetime, prepare: Prepare) -> None:
    with ExitStack() as stack:
        try:
            with explained():
                begin(delivery)
                room = stack.enter_context(storage.work_folder(work_of(delivery)))
                prepared = prepare(delivery, now, room)
        except (NoAccessError, GivenUpError) as error:
            _end(delivery, State.NO_ACCESS if isinstance(error, NoAccessError) else State.FAILED, now, str(error))
            return
        except NotMadeError as error:
            logger.warning("delivery %s was not made: %s", delivery.pk, type(error.__cause__ or error).__name__)
            _put_off(delivery, now, str(error))
            return
        Delivery.objects.filter(pk=delivery.pk).update(begun=0)  # what stops a worker from here on is not the file
        if prepared is None:
            _end(delivery, State.QUIET, now, "")
            return
        _hand_over(delivery, prepared, now)


def _hand_over(delivery: Delivery, prepared: Prepared, now: datetime) -> None:
    email = delivery.recipient.email

    def claim() -> bool:
        claimed = Delivery.objects.filter(pk=delivery.pk, state=State.WAITING).update(
            state=State.HANDING_OVER, email=email, attempts=delivery.attempts + 1, said="", **prepared.fields
        )
        if claimed and prepared.linked is not None:
            # There before the link is: a mail must not lead to nothing.
            delivery.file_name = str(prepared.fields["file_name"])
            with explained():
                storage.put(prepared.linked, name_of(delivery))
        return bool(claimed)

    try:
        handing_over.hand_over(prepared.message, email, claim=claim)
    except handing_over.TakenError:
        return
    except NotMadeError as error:
        _put_off(delivery, now, str(error))
    except handing_over.LaterError as error:
        if error.is_of_server:
            _wait(delivery, now, str(error))
        else:
            _put_off(delivery, now, str(error))
    except handing_over.RefusedError as error:
        _end(delivery, State.FAILED, now, str(error))
    except handing_over.UnknownError as error:
        _end(delivery, State.UNKNOWN, now, str(error))
    else:
        _sent(delivery, prepared)


def _sent(delivery: Delivery, prepared: Prepared) -> None:
    """Note that the server took it. It took it even if another worker believed this one dead meanwhile."""
    schedule = delivery.occurrence.schedule
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(state=State.SENT, said="", finished_at=timezone.now())
        audit.record(
            audit.Action.REPORT_SENT,
            account=schedule.account,
            user=None,
            subject=audit.Subject.SCHEDULE,
            subject_id=schedule.pk,
            details={
                "delivery": delivery.pk,
                "recipient": delivery.recipient_id,
                "kind": delivery.kind,
                "report": schedule.what or schedule.content,
                "format": schedule.format,
                "rows": prepared.fields.get("rows"),
                "sha256": prepared.fields.get("sha256", ""),
            },
        )


def _wait(delivery: Delivery, now: datetime, said: str, **fields: object) -> None:
    """Let it stay due, and try again later: each time a little later."""
    wait = WAITS[min(delivery.attempts, len(WAITS) - 1)]
    Delivery.objects.filter(_OPEN, pk=delivery.pk).update(
        state=State.WAITING,
        said=said,
        attempts=min(delivery.attempts + 1, 30_000),
        next_try_at=now + wait,
        begun=0,
        **fields,
    )


def _put_off(delivery: Delivery, now: datetime, said: str) -> None:
    """Let it stay due, but not for ever: it is this mail that does not go, not the server."""
    first = min(delivery.first_refused_at or now, now)
    if now - first >= PUT_OFF_FOR:
        _end(delivery, State.FAILED, now, said)
    else:
        _wait(delivery, now, said, first_refused_at=first)


def _end(delivery: Delivery, state: Delivery.State, now: datetime, said: str) -> None:
    Delivery.objects.filter(_OPEN, pk=delivery.pk).update(state=state, said=said, finished_at=now)
    if state != State.UNKNOWN:
        storage.remove(name_of(delivery))
