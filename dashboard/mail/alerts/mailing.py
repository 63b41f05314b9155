"""Sending one mail of an alert, once, as `dashboard.outbox.sending` does those of schedules."""

from email.message import EmailMessage
from functools import partial

from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.access import Scope
from dashboard.locks import advisory_lock
from dashboard.mail.alerts.causes import SYNC_KINDS
from dashboard.models import Alert, AlertMail
from dashboard.outbox import handing_over
from dashboard.outbox.occurrences import WAITS
from dashboard.outbox.sending import PUT_OFF_FOR
from dashboard.requests.mailed_address import mailed_address

State = AlertMail.State
_OPEN = Q(state__in=[State.WAITING, State.HANDING_OVER])


def deliver(mail_id: int) -> None:
    """Send one mail, unless another worker does, or it is over. Raises what the database raises when it went away."""
    with advisory_lock(f"alert mail {mail_id}") as is_alone:
        if not is_alone:
            return
        mail = AlertMail.objects.select_related("alert__account", "recipient").filter(_OPEN, pk=mail_id).first()
        if mail is None or not handing_over.is_set_up():
            return
        if mail.state == State.HANDING_OVER:
            # Whoever handed it over holds the lock for as long as they live.
            _end(mail, State.UNKNOWN, _("The worker that was handing it over was stopped in the middle."))
            return
        _hand_over(mail)


def _hand_over(mail: AlertMail) -> None:
    waiting = AlertMail.objects.filter(pk=mail.pk, state=State.WAITING)
    try:
        handing_over.hand_over(
            _message(mail), mail.recipient.email, claim=lambda: bool(waiting.update(state=State.HANDING_OVER))
        )
    except handing_over.TakenError:
        return
    except handing_over.LaterError as error:
        began_at = mail.alert.ended_at if mail.is_over else mail.alert.began_at
        now = timezone.now()
        if not error.is_of_server and began_at is not None and now - began_at >= PUT_OFF_FOR:
            _end(mail, State.FAILED, str(error))
            return
        wait = WAITS[min(mail.attempts, len(WAITS) - 1)]
        waiting.update(said=str(error), attempts=min(mail.attempts + 1, 30_000), next_try_at=now + wait)
    except handing_over.RefusedError as error:
        _end(mail, State.FAILED, str(error))
    except handing_over.UnknownError as error:
        _end(mail, State.UNKNOWN, str(error))
    else:
        _end(mail, State.SENT, "")


def _end(mail: AlertMail, state: AlertMail.State, said: str) -> None:
    AlertMail.objects.filter(_OPEN, pk=mail.pk).update(state=state, said=said)


def _message(mail: AlertMail) -> EmailMessage:
    alert = mail.alert
    subject = _subject(alert, is_over=mail.is_over)
    page = mailed_address(_page(alert), Scope.of(mail.recipient, chosen=alert.account_id))
    context = {"alert": alert, "is_over": mail.is_over, "subject": subject, "page": page}
    render = partial(render_to_string, context=context)
    with timezone.override(alert.account.zone):
        text, html = render("mail/alert.txt"), render("mail/alert.html")
    return handing_over.addressed(mail.recipient.email, subject, text, html)


def _page(alert: Alert) -> str:
    if alert.kind in SYNC_KINDS:
        return reverse("sync")
    pages = {
        Alert.Kind.DEPARTMENT_RENAMED: "settings_departments",
        Alert.Kind.GROUPS_UNTOLD: "single_sign_on",
        Alert.Kind.AUDIT_HEAD: "audit_log",
    }
    if alert.kind in pages:
        return reverse(pages[Alert.Kind(alert.kind)])
    return reverse("schedule", args=[alert.subject_id])


def _subject(alert: Alert, *, is_over: bool) -> str:
    if is_over:
        said = {
            Alert.Kind.SYNC_FAILED: _("%(account)s is synced again"),
            Alert.Kind.SYNC_HELD: _("%(account)s is synced again"),
            Alert.Kind.SYNC_OUTDATED: _("%(account)s is synced again"),
            Alert.Kind.SCHEDULE_FAILED: _("A report of %(account)s is mailed again"),
            Alert.Kind.GROUPS_UNTOLD: _("Nobody's groups were left out in %(account)s for a week"),
            Alert.Kind.SCHEDULE_EMPTY: _("A report of %(account)s is about somebody again"),
        }
    else:
        said = {
            Alert.Kind.SYNC_FAILED: _("A sync of %(account)s failed"),
            Alert.Kind.SYNC_HELD: _("A sync of %(account)s was held"),
            Alert.Kind.SYNC_OUTDATED: _("%(account)s has not been synced for too long"),
            Alert.Kind.SCHEDULE_FAILED: _("A report of %(account)s could not be mailed"),
            Alert.Kind.GROUPS_UNTOLD: _("Single sign-on of %(account)s left out somebody's groups"),
            Alert.Kind.SCHEDULE_EMPTY: _("A report of %(account)s is about nobody any more"),
            Alert.Kind.DEPARTMENT_RENAMED: _("A department of %(account)s seems to be renamed"),
            Alert.Kind.AUDIT_HEAD: _("The audit log of %(account)s, for your records"),
        }
    return said[Alert.Kind(alert.kind)] % {"account": alert.account}
