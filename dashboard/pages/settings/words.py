"""Decisions in words: from the log, and from what a trigger was inferred from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.access import Scope
from dashboard.models import CampaignSetting, Exemption, InferredTrigger, SettingChange, Trigger
from dashboard.queries.setting_changes import Key, names
from dashboard.triggers.recurrence import Cadence

Subject = SettingChange.Subject
Rule = InferredTrigger.Rule

_PAGES = {
    Subject.CAMPAIGN: "settings_campaign",
    Subject.DEPARTMENT: "settings_department",
    Subject.EXEMPTION: "exemption",
}
_FIELDS: dict[tuple[str, str], Any] = {
    (Subject.CAMPAIGN, "requirement"): gettext_lazy("Compliance"),
    (Subject.CAMPAIGN, "trigger"): gettext_lazy("Trigger"),
    (Subject.CAMPAIGN, "archived"): gettext_lazy("Archived"),
    (Subject.DEPARTMENT, "merged_into"): gettext_lazy("Counted as part of"),
    (Subject.EXEMPTION, "state"): gettext_lazy("Exemption"),
    (Subject.ACCOUNT, "target_rate"): gettext_lazy("Target rate"),
    (Subject.ACCOUNT, "report_color"): gettext_lazy("Color of reports"),
    (Subject.ACCOUNT, "report_logo"): gettext_lazy("Logo of reports"),
}
_CADENCES = {
    Cadence.MONTH.value: gettext_lazy("about every month"),
    Cadence.QUARTER.value: gettext_lazy("about every quarter"),
    Cadence.HALF_YEAR.value: gettext_lazy("about every half year"),
    Cadence.YEAR.value: gettext_lazy("about every year"),
}


@dataclass(frozen=True)
class LogLine:
    """One line of the log: about what, what was changed from what to what, by whom, when and why."""

    change: SettingChange
    title: str
    address: str
    what: str
    old: str
    new: str

    @property
    def changed_at(self) -> datetime:
        """Time of the decision."""
        return self.change.changed_at


def log_lines(scope: Scope, changes: Iterable[SettingChange]) -> list[LogLine]:
    """Write changes as lines; names are looked up for all of them together."""
    changes = list(changes)
    known = names(scope, changes)
    return [_line(change, known) for change in changes]


def _line(change: SettingChange, known: Mapping[Key, str]) -> LogLine:
    subject = Subject(change.subject)
    kind = str(subject.label)
    title = known.get((subject, change.subject_id), "")
    is_linked = subject in _PAGES and (subject, change.subject_id) in known
    return LogLine(
        change=change,
        title=title or (_("The account") if subject == Subject.ACCOUNT else f"{kind} {change.subject_id}"),
        address=reverse(_PAGES[subject], args=[change.subject_id]) if is_linked else "",
        what=str(_FIELDS.get((subject, change.field), change.field)),
        old=_value(change, change.old, known),
        new=_value(change, change.new, known),
    )


def _value(change: SettingChange, value: str | None, known: Mapping[Key, str]) -> str:
    match change.subject, change.field:
        case Subject.CAMPAIGN, "requirement":
            return _label(CampaignSetting.Requirement, value)
        case Subject.CAMPAIGN, "trigger":
            return _label(Trigger, value) if value else _("as inferred")
        case Subject.CAMPAIGN, "archived":
            return _("yes") if value == "yes" else _("no")
        case Subject.DEPARTMENT, _field:
            if value is None:
                return _("by itself")
            return known.get((Subject.DEPARTMENT, int(value)), "") if value.isdecimal() else value
        case Subject.EXEMPTION, "state":
            if value == Exemption.State.APPROVED:
                return _("Approved")
            return _label(Exemption.State, value) if value else ""
        case Subject.ACCOUNT, "target_rate":
            return f"{value}%" if value else ""
    return value or ""


def _label(choices: Any, value: str | None) -> str:
    return str(choices(value).label) if value in choices.values else value or ""


def evidence(inferred: InferredTrigger | None) -> str:
    """Say by which rule a trigger was inferred, and from what; empty where nothing was."""
    if inferred is None:
        return ""
    found = inferred.evidence
    match inferred.rule:
        case Rule.NAME:
            return _("The campaign's name says “%(words)s”.") % {"words": found}
        case Rule.GROUP_NAME:
            return _("It enrolls the group “%(group)s”, whose name says so.") % {"group": found}
        case Rule.FAILED_TEST:
            return _("%(share)s people looked at were enrolled within 14 days after failing a phishing test.") % {
                "share": found
            }
        case Rule.START_DATE:
            return _("%(share)s people looked at were enrolled within 30 days after starting work.") % {"share": found}
        case Rule.AUTO_ENROLL:
            return _("New members of the group “%(group)s” are enrolled automatically.") % {"group": found}
        case Rule.RECURRING:
            cadence = _CADENCES.get(found, found)
            return _("Campaigns of this name start %(cadence)s.") % {"cadence": cadence}
    return _("No rule applies: neither names, nor groups, nor the people enrolled tell.")
