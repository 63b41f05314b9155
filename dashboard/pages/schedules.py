"""Schedules: which reports are mailed to whom on which days, what each recipient gets, and what became of it."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import audit
from dashboard.exports.tables import TABLES
from dashboard.files import storage
from dashboard.files.downloads import as_attachment, handed_out
from dashboard.files.errors import NoAccessError, NotMadeError, explained
from dashboard.formats import number
from dashboard.mail import reading
from dashboard.mail.composing import REPORTS, Copy, compose, what_is
from dashboard.mail.subjects import nobody_left
from dashboard.models import Delivery, Occurrence, Schedule, User
from dashboard.outbox import handing_over, occurrences
from dashboard.outbox.calendar import upcoming
from dashboard.pages.schedules_form import LISTS, WEEKDAYS, ScheduleForm, initial_of
from dashboard.pages.settings.guards import decider, for_deciders, for_readers_of_settings
from dashboard.queries.account_roles import may_decide
from dashboard.rate_limits import limited
from dashboard.reports import Kind
from dashboard.requests.sent_forms import once
from dashboard.row_security import within
from dashboard.scoped_request import ScopedRequest
from dashboard.services import schedules as decisions
from dashboard.services.deciding import RefusedError
from dashboard.task_queue import send

HISTORY = 20


@require_safe
@for_readers_of_settings
def schedules(request: ScopedRequest) -> HttpResponse:
    """List the account's schedules, when each is due, and how it went the last time."""
    found = list(reading.listed(request.scope))
    last = [one.last_occurrence for one in found if one.last_occurrence]  # type: ignore[attr-defined]
    standings = reading.standings(request.scope, last)
    waits = occurrences.waits(request.account, request.now)
    running = sum(one.is_running for one in found)
    context = {
        "lines": [
            {
                "schedule": one,
                "what": what_is(one),
                "nobody": " ".join(nobody_left(one, request.scope)),
                "days": days_in_words(one),
                "next": upcoming(one, request.now, request.account.zone) if one.is_running else None,
                "last": standing_in_words(standings.get(one.last_occurrence, {})),  # type: ignore[attr-defined]
                "is_trouble": any(state in standings.get(one.last_occurrence, {}) for state in _TROUBLES),  # type: ignore[attr-defined]
            }
            for one in found
        ],
        "lead": ngettext("%(n)s report goes out on its days.", "%(n)s reports go out on their days.", running)
        % {"n": number(running)}
        if running
        else _("No report goes out by itself."),
        "is_set_up": handing_over.is_set_up(),
        "waits": waits,
    }
    return render(request, "dashboard/schedules.html", context)


_TROUBLES = (Delivery.State.NO_ACCESS, Delivery.State.FAILED, Delivery.State.UNKNOWN)


def days_in_words(schedule: Schedule) -> str:
    """Say on which days a schedule falls."""
    at = f"{schedule.at_time:%H:%M}"
    if schedule.frequency == Schedule.Frequency.WEEKLY:
        return _("Every %(day)s, %(at)s") % {"day": dict(WEEKDAYS)[schedule.weekday or 0], "at": at}
    if schedule.frequency == Schedule.Frequency.MONTHLY:
        return _("Day %(day)s of every month, %(at)s") % {"day": schedule.day_of_month, "at": at}
    if schedule.frequency == Schedule.Frequency.QUARTERLY:
        return _("Day %(day)s of every quarter, %(at)s") % {"day": schedule.day_of_month, "at": at}
    words = {"n": schedule.days_after, "campaign": schedule.campaign, "at": at}
    if not schedule.days_after:
        return _("On the last day of %(campaign)s, %(at)s") % words
    text = ngettext(
        "%(n)s day after the deadline of %(campaign)s, %(at)s",
        "%(n)s days after the deadline of %(campaign)s, %(at)s",
        schedule.days_after,
    )
    return text % words


def standing_in_words(states: dict[str, int]) -> str:
    """Say how many mails of one occurrence are in which state: "12 sent, 1 failed"."""
    found = [(Delivery.State(state).label, count) for state, count in states.items()]
    return ", ".join(f"{number(count)} {str(label).lower()}" for label, count in sorted(found, key=lambda one: -one[1]))


@require_http_methods(["GET", "HEAD", "POST"])
@for_deciders
@once()
def add_schedule(request: ScopedRequest) -> HttpResponse:
    """Make a schedule; the address may say of what, with which filters, as those of an export and a report do."""
    query = request.GET.copy()
    table, report, subject = (query.pop(name, [""])[-1] for name in ("table", "report", "subject"))
    if table and table not in LISTS:
        raise BadRequest("table is one of the lists")
    if report and report not in REPORTS:
        raise BadRequest("report is one of the reports")
    initial: dict[str, Any] = {
        "at_time": "07:00",
        "weekday": 0,
        "day_of_month": 1,
        "days_after": 1,
        "what": f"table:{table}" if table else f"report:{report or Kind.BOARD}",
        "department": subject if report == Kind.DEPARTMENT else query.get("department", ""),
        "campaign": subject if report == Kind.CAMPAIGN else query.get("campaign", ""),
        "when_quiet": Schedule.Quiet.NOTE,
    }
    form = ScheduleForm(
        request, request.POST if request.method == "POST" else None, initial=initial, extra=_kept(query)
    )
    if form.is_valid():
        try:
            made = decisions.create(request.account, form.plan, by=decider(request), at=request.now)
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("“%(name)s” goes out from its next day on.") % {"name": made.name})
            return redirect("schedule", made.pk)
    return render(request, "dashboard/schedules/form.html", {"form": form, "extra": form.extra})


def _kept(query: QueryDict) -> str:
    """Return the filters that a page's address brings along, beside those the form shows."""
    for name in ("page", "as_of", "column", "format", "found", "person", "quarter"):
        query.pop(name, None)
    return query.urlencode()


@require_http_methods(["GET", "HEAD", "POST"])
@for_deciders
def edit_schedule(request: ScopedRequest, pk: int) -> HttpResponse:
    """Change a schedule."""
    found = get_object_or_404(reading.schedules(request.scope), pk=pk)
    data = request.POST if request.method == "POST" else None
    form = ScheduleForm(request, data, initial=initial_of(found), extra=found.query)
    if form.is_valid():
        try:
            is_changed = decisions.change(found, form.plan, by=decider(request), at=request.now)
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            said = _("“%(name)s” is changed.") if is_changed else _("Nothing was changed for “%(name)s”.")
            messages.success(request, said % {"name": found.name})
            return redirect("schedule", pk)
    return render(request, "dashboard/schedules/form.html", {"form": form, "schedule": found, "extra": form.extra})


@require_safe
@for_readers_of_settings
def schedule(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show a schedule, its next day, and what became of each mail of its last times."""
    found = get_object_or_404(reading.schedules(request.scope), pk=pk)
    people = list(occurrences.recipients_of(found))
    lines = [
        {
            "occurrence": one,
            "deliveries": [delivery for delivery in one.deliveries.all() if delivery.kind == Delivery.Kind.REPORT],
            "notice": _notice(one),
        }
        for one in reading.history(request.scope, found, HISTORY)
    ]
    context = {
        "schedule": found,
        "what": what_is(found),
        "nobody": " ".join(nobody_left(found, request.scope)),
        "days": days_in_words(found),
        "next": upcoming(found, request.now, request.account.zone) if found.is_running else None,
        "recipients": people,
        "has_owner": may_decide(found.owner, request.account, request.now),
        "lines": lines,
        "is_set_up": handing_over.is_set_up(),
    }
    return render(request, "dashboard/schedules/schedule.html", context)


def _notice(occurrence: Occurrence) -> Delivery | None:
    """Return the notice that tells of an occurrence's trouble: to administrators, where the owner could not be told."""
    notices = [one for one in occurrence.deliveries.all() if one.kind == Delivery.Kind.NOTICE]
    reached = [one for one in notices if one.state != Delivery.State.NO_ACCESS]
    return next(iter([*reached, *notices]), None)


_ACTS = {
    "pause": decisions.pause,
    "resume": decisions.resume,
    "end": decisions.end,
    "send": decisions.send_now,
    "take": decisions.take_over,
}


@require_POST
@limited("export", when=lambda request: request.POST.get("act") == "send")
@for_deciders
@once(when=lambda request: request.POST.get("act") == "send")
def act_on_schedule(request: ScopedRequest, pk: int) -> HttpResponse:
    """Pause, resume, end or take over a schedule, or send it now. 400 for any other word."""
    found, act = get_object_or_404(reading.schedules(request.scope), pk=pk), request.POST.get("act", "")
    if act not in _ACTS:
        raise BadRequest("act is pause, resume, end, take or send")
    said = {
        "pause": _("“%(name)s” is paused."),
        "resume": _("“%(name)s” goes out from its next day on."),
        "end": _("“%(name)s” has ended."),
        "send": _("“%(name)s” is on its way."),
        "take": _("“%(name)s” is yours: you are told when somebody does not get it."),
    }
    try:
        _ACTS[act](found, by=decider(request), at=request.now)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said[act] % {"name": found.name})
        if act == "send":
            _hurry(request)
    return redirect("schedules") if act == "end" else redirect("schedule", pk)


def _hurry(request: ScopedRequest) -> None:
    """Have what waits sent at once, instead of within a minute."""
    if not handing_over.is_set_up():
        messages.info(request, _("Mail is not set up: it waits until EMAIL_URL names a mail server."))
        return
    send("dashboard.tasks.send_due_mail")


@require_POST
@for_deciders
@once()
def resend_delivery(request: ScopedRequest, pk: int) -> HttpResponse:
    """Send one mail again that did not arrive, or may not have."""
    found = get_object_or_404(reading.deliveries(request.scope), pk=pk)
    try:
        decisions.send_again(found, by=decider(request), at=request.now)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The mail to %(who)s goes out again.") % {"who": found.recipient})
        _hurry(request)
    return redirect("schedule", found.occurrence.schedule_id)


# What a recipient gets ------------------------------------------------------------------------------------------


def _recipient(request: ScopedRequest, found: Schedule) -> User:
    """Return whom the preview is for: one of the schedule's recipients, the first unless the address names one.

    404 for any other, and for a list that the reader may not have themselves: the audit log.
    """
    if (
        found.content == Schedule.Content.TABLE
        and found.what in TABLES
        and not TABLES[found.what].allows(request.scope)
    ):
        raise Http404
    people = list(occurrences.recipients_of(found))
    text = request.GET.get("as", "")
    if not text and people:
        return people[0]
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise Http404
    chosen = next((one for one in people if one.pk == int(text)), None)
    if chosen is None:
        raise Http404
    return chosen


@require_safe
@limited("export")
@for_deciders
def preview_schedule(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show what a recipient would get now, in that recipient's scope."""
    found = get_object_or_404(reading.schedules(request.scope), pk=pk)
    recipient = _recipient(request, found)
    copy, problem = None, ""
    try:
        with explained(), storage.work_folder(f"preview-{uuid4()}") as room:
            copy = compose(found, recipient, at=request.now, place=room / "report")
    except NotMadeError as error:
        problem = str(error)
    text, label = _shown(copy)
    context = {
        "schedule": found,
        "recipient": recipient,
        "recipients": list(occurrences.recipients_of(found)),
        "copy": copy,
        "text": text,
        "scope_label": label,
        "problem": problem,
    }
    _note_preview(request, found, recipient)
    return render(request, "dashboard/schedules/preview.html", context)


def _shown(copy: Copy | None) -> tuple[str, str]:
    """Return the text of the mail and the words for its scope."""
    if copy is None:
        return "", ""
    with within(copy.scope):
        link = _("(here stands the link)")
        return copy.body("txt", link=link, until=timezone.now() + Delivery.KEPT_FOR), copy.scope.label


@require_safe
@limited("export")
def preview_file(request: ScopedRequest, pk: int) -> HttpResponseBase:
    """Answer with the file that a recipient would get now; 404 when there is none, and to who may not decide.

    What cannot be made leads to the preview, which says why.
    """
    if not request.scope.may_decide:
        raise Http404
    found = get_object_or_404(reading.schedules(request.scope), pk=pk)
    recipient = _recipient(request, found)
    try:
        with explained(), storage.work_folder(f"preview-{uuid4()}") as room:
            copy = compose(found, recipient, at=request.now, place=room / "report")
            if copy.file is None:
                raise Http404
            # Open files stay readable when their name is gone.
            response = as_attachment(copy.file.path.open("rb"), copy.file.name)
    except NoAccessError as error:
        raise Http404 from error
    except NotMadeError:
        return redirect(f"{reverse('preview_schedule', args=[pk])}?as={recipient.pk}")
    _note_preview(request, found, recipient, copy.file.sha256)
    return response


def _note_preview(request: ScopedRequest, found: Schedule, recipient: User, digest: str = "") -> None:
    audit.record(
        audit.Action.EXPORTED,
        account=request.account,
        user=request.user,
        subject=audit.Subject.SCHEDULE,
        subject_id=found.pk,
        details={"report": found.what or found.content, "as": recipient.pk, "sha256": digest},
        request=request,
    )


@require_safe
@limited("export")
def delivery_file(request: ScopedRequest, key: str) -> HttpResponseBase:
    """Answer with the file behind a mailed link: for its recipient alone, while it holds and their scope does."""
    found = get_object_or_404(reading.own_deliveries(request.scope), key=key)
    response = handed_out(request, found)
    audit.record(
        audit.Action.DOWNLOADED,
        account=request.account,
        user=request.user,
        subject=audit.Subject.SCHEDULE,
        subject_id=found.occurrence.schedule_id,
        details={"delivery": found.pk, "sha256": found.sha256},
        request=request,
    )
    return response
