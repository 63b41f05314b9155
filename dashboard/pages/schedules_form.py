"""The form of a schedule: what is sent, about what, to whom, and when."""

from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import TextChoices
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.exports.jobs import formats_for
from dashboard.exports.table_request import Question
from dashboard.exports.tables import TABLES
from dashboard.look_alikes import told_apart
from dashboard.mail.composing import REPORTS
from dashboard.mail.reading import possible_recipients
from dashboard.merged_departments import counted_as
from dashboard.models import Schedule, User
from dashboard.reports import Kind
from dashboard.requests.filters import asked
from dashboard.scoped_request import ScopedRequest
from dashboard.services.schedules import Plan

FIGURES = "figures"
# Lists of one campaign need one, and changes are of one sync: neither is a list of a day.
LISTS = tuple(key for key in TABLES if key not in {"campaign_people", "changes"})
WEEKDAYS = (
    (0, gettext_lazy("Monday")),
    (1, gettext_lazy("Tuesday")),
    (2, gettext_lazy("Wednesday")),
    (3, gettext_lazy("Thursday")),
    (4, gettext_lazy("Friday")),
    (5, gettext_lazy("Saturday")),
    (6, gettext_lazy("Sunday")),
)
_MOST = 500


class TimeInput(forms.TimeInput):
    """The browser's own clock."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class PeopleField(forms.ModelMultipleChoiceField):
    """Members to tick."""

    def label_from_instance(self, obj: User) -> str:
        """Return the member's name."""
        return str(obj)


class ScheduleForm(forms.Form):
    """A schedule. The report is chosen by one word: `report:board`, `table:past_due`, `figures`."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    what = forms.ChoiceField(label=gettext_lazy("What is sent"))
    format = forms.ChoiceField(label=gettext_lazy("Lists as"), required=False)
    department = forms.ChoiceField(
        label=gettext_lazy("Department"),
        required=False,
        help_text=gettext_lazy("Of a Department report; of lists and figures, a filter."),
    )
    campaign = forms.ChoiceField(
        label=gettext_lazy("Campaign"),
        required=False,
        help_text=gettext_lazy("Of a Campaign report; of lists and figures, a filter; after its deadline, which."),
    )
    recipients = PeopleField(
        label=gettext_lazy("Recipients"),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple(),
        error_messages={"required": gettext_lazy("Choose at least one member to send it to.")},
    )
    frequency = forms.ChoiceField(label=gettext_lazy("How often"), choices=Schedule.Frequency.choices)
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("Day of the week"), choices=WEEKDAYS, coerce=int, required=False, empty_value=None
    )
    day_of_month = forms.IntegerField(
        label=gettext_lazy("Day of the month"),
        min_value=1,
        max_value=31,
        required=False,
        help_text=gettext_lazy("Quarterly: of the quarter's first month. Its last day where it has fewer."),
    )
    days_after = forms.IntegerField(
        label=gettext_lazy("Days after the deadline"), min_value=0, max_value=365, required=False
    )
    at_time = forms.TimeField(label=gettext_lazy("At"), widget=TimeInput(), input_formats=["%H:%M"])
    way = forms.ChoiceField(label=gettext_lazy("The file is"), choices=Schedule.Way.choices)
    when_quiet = forms.ChoiceField(label=gettext_lazy("With nothing to report"), choices=Schedule.Quiet.choices)

    def __init__(self, request: ScopedRequest, *args: Any, extra: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.extra = request, extra
        fields: Any = self.fields
        fields["what"].choices = what_choices(request)
        formats = sorted(formats_for(request.user), key=lambda kind: kind.is_csv)
        fields["format"].choices = [(kind.value, kind.label) for kind in formats]
        departments = request.scope.departments().filter(merged_into=None).exclude(key="").order_by("name", "pk")
        named = told_apart((one.pk, one.name) for one in departments[:_MOST])
        fields["department"].choices = [("", _("Any")), *((str(key), name) for key, name in named)]
        campaigns = request.scope.campaigns().order_by("-start_at", "name", "pk")
        named = told_apart((one.pk, str(one)) for one in campaigns[:_MOST])
        fields["campaign"].choices = [("", _("Any")), *((str(key), name) for key, name in named)]
        fields["recipients"].queryset = possible_recipients(request.scope)
        fields["at_time"].help_text = _("In %(zone)s") % {"zone": request.account.time_zone}

    @property
    def ticked(self) -> set[str]:
        """The recipients that are ticked, as the form spells them."""
        value = self["recipients"].value() or []
        return {str(getattr(item, "pk", item)) for item in value}

    def clean(self) -> dict[str, Any]:
        """Put what belongs to one field beside it."""
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("what", "")
        needs = {
            Schedule.Frequency.WEEKLY: ["weekday"],
            Schedule.Frequency.MONTHLY: ["day_of_month"],
            Schedule.Frequency.QUARTERLY: ["day_of_month"],
            Schedule.Frequency.AFTER_DEADLINE: ["campaign", "days_after"],
        }
        wanted = list(needs.get(cleaned.get("frequency", ""), []))
        wanted += ["department"] if kind == f"report:{Kind.DEPARTMENT}" else []
        wanted += ["campaign"] if kind == f"report:{Kind.CAMPAIGN}" else []
        for name in dict.fromkeys(wanted):
            if name not in self.errors and cleaned.get(name) in (None, ""):
                self.add_error(name, _("This is needed here."))
        if not self.errors:
            self._try()
        return cleaned

    def _try(self) -> None:
        """Ask once what the schedule would ask: filters that cannot be any are told now, not on its day."""
        plan = self.plan
        question = Question(self.request.scope, QueryDict(plan.query), self.request.now, self.request.now)
        try:
            if plan.content == Schedule.Content.TABLE:
                TABLES[plan.what].ask(question)
            else:
                asked(question.request)
        except (BadRequest, Http404):
            self.add_error(None, _("These filters do not go with what is sent."))

    @property
    def plan(self) -> Plan:
        """Schedule that the form asks for."""
        data = self.cleaned_data
        content, _colon, what = data["what"].partition(":")
        frequency = Schedule.Frequency(data["frequency"])
        is_late = frequency == Schedule.Frequency.AFTER_DEADLINE
        campaign = self.request.scope.campaigns().filter(pk=data["campaign"]).first() if data["campaign"] else None
        subjects = {Kind.DEPARTMENT.value: data["department"], Kind.CAMPAIGN.value: data["campaign"]}
        query = QueryDict(self.extra, mutable=True)
        if content != Schedule.Content.REPORT:
            for name in ("department", "campaign"):
                query.pop(name, None)
                if data[name]:
                    query[name] = data[name]
        formats = {Schedule.Content.REPORT: "pdf", Schedule.Content.TABLE: data["format"] or "xlsx"}
        return Plan(
            name=data["name"],
            content=Schedule.Content(content),
            what=what,
            format=Schedule.Format(formats.get(Schedule.Content(content), "")),
            query="" if content == Schedule.Content.REPORT else query.urlencode(),
            subject_id=int(subjects[what]) if content == Schedule.Content.REPORT and subjects.get(what) else None,
            way=Schedule.Way(data["way"]),
            when_quiet=Schedule.Quiet(data["when_quiet"]),
            frequency=frequency,
            at_time=data["at_time"],
            recipients=list(data["recipients"]),
            weekday=data["weekday"] if frequency == Schedule.Frequency.WEEKLY else None,
            day_of_month=data["day_of_month"] if frequency in _BY_DAY else None,
            campaign=campaign if is_late else None,
            days_after=data["days_after"] if is_late else None,
        )


_BY_DAY: frozenset[TextChoices] = frozenset({Schedule.Frequency.MONTHLY, Schedule.Frequency.QUARTERLY})


def what_choices(request: ScopedRequest) -> list[tuple[str, str]]:
    """Return what can be sent: figures, the PDF reports, and the lists that the reader may have."""
    lists = [(f"table:{key}", str(TABLES[key].title)) for key in LISTS if TABLES[key].allows(request.scope)]
    return [(FIGURES, _("Figures in the mail")), *((f"report:{kind}", str(kind.label)) for kind in REPORTS), *lists]


def initial_of(schedule: Schedule) -> dict[str, Any]:
    """Return what the form shows of a schedule."""
    query = QueryDict(schedule.query)
    about = schedule.what if schedule.content == Schedule.Content.REPORT else ""
    department: Any = schedule.subject_id if about == Kind.DEPARTMENT else query.get("department", "")
    if str(department).isdecimal():
        # One that was merged is not among the choices: what it is part of now is.
        department = next(iter(counted_as(schedule.account, [int(department)])))
    campaign: Any = query.get("campaign") or schedule.campaign_id or ""
    if about == Kind.CAMPAIGN:
        campaign = schedule.subject_id
    return {
        **{name: getattr(schedule, name) for name in ("name", "format", "frequency", "weekday", "day_of_month")},
        **{name: getattr(schedule, name) for name in ("days_after", "way", "when_quiet")},
        # As the browser's clock wants it, not as the language writes it.
        "at_time": f"{schedule.at_time:%H:%M}",
        "what": schedule.content if schedule.content == FIGURES else f"{schedule.content}:{schedule.what}",
        # As the choices are spelled.
        "department": str(department),
        "campaign": str(campaign),
        "recipients": list(schedule.recipients.values_list("pk", flat=True)),
    }
