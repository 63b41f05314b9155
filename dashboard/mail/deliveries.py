"""The mail of a delivery: a schedule's report, or the notice that somebody did not get one."""

from datetime import datetime
from pathlib import Path

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.access import Scope
from dashboard.files.errors import NoAccessError
from dashboard.files.kept_scope import kept
from dashboard.mail.composing import compose
from dashboard.models import Delivery, Schedule
from dashboard.outbox import handing_over, sending
from dashboard.outbox.sending import Kind, Prepared
from dashboard.queries.account_roles import may_decide
from dashboard.requests.mailed_address import mailed_address


def deliver(delivery_id: int) -> None:
    """Send one mail: see `dashboard.outbox.sending.deliver`."""
    sending.deliver(delivery_id, prepare)


def prepare(delivery: Delivery, now: datetime, room: Path) -> Prepared | None:
    """Return the mail; None when there is nothing to report and nobody wants to hear that."""
    schedule, recipient = delivery.occurrence.schedule, delivery.recipient
    if delivery.kind == Kind.NOTICE:
        return _notice(delivery, now)
    copy = compose(schedule, recipient, at=now, place=room / "report")
    if copy.is_quiet and schedule.when_quiet == Schedule.Quiet.SKIP:
        return None
    has_log = copy.file is not None and copy.file.is_of_log
    fields: dict[str, object] = {"as_of": now, "scope": kept(copy.scope, has_log=has_log)}
    link, until = "", None
    if copy.file is not None:
        file = copy.file
        fields |= {"file_name": file.name, "bytes": file.bytes, "sha256": file.sha256, "rows": file.rows}
    has_link = copy.file is not None and not copy.is_attached()
    if has_link:
        link = mailed_address(reverse("delivery_file", args=[delivery.key]), copy.scope)
        until = now + Delivery.KEPT_FOR
        fields["expires_at"] = until
    linked = copy.file.path if copy.file is not None and has_link else None
    return Prepared(copy.message(link=link, until=until), fields, linked)


def _notice(delivery: Delivery, now: datetime) -> Prepared:
    """Return the mail that tells a schedule's owner, or administrators in their place, who did not get it."""
    occurrence, schedule = delivery.occurrence, delivery.occurrence.schedule
    if not may_decide(delivery.recipient, schedule.account, now):
        raise NoAccessError(_("They decide nothing in this account any more."))
    reader = Scope.of(delivery.recipient, chosen=schedule.account_id, at=now)
    troubled = occurrence.deliveries.filter(kind=Kind.REPORT).select_related("recipient").order_by("recipient__email")
    context = {
        "schedule": schedule,
        "account": schedule.account,
        "occurrence": occurrence,
        "troubled": [one for one in troubled if one.is_trouble],
        "page": mailed_address(reverse("schedule", args=[schedule.pk]), reader),
    }
    subject = _("Not everybody got %(name)s") % {"name": schedule.name}
    with timezone.override(schedule.account.zone):
        text, html = (render_to_string(f"mail/notice.{kind}", context) for kind in ("txt", "html"))
    return Prepared(handing_over.addressed(delivery.recipient.email, subject, text, html), {"as_of": now})
