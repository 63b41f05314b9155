"""The rules that infer a trigger, as a pure function of what is known of a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dashboard.models import InferredTrigger, Trigger
from dashboard.triggers import words
from dashboard.triggers.recurrence import Cadence

Rule = InferredTrigger.Rule

# A clear majority of the people looked at, and enough of them to rule out chance: after a company-wide test, a third
# of any campaign may have failed it lately.
MAJORITY = 0.6
FEWEST = 3


class Share(NamedTuple):
    """Number of the people looked at of whom something is true."""

    part: int
    whole: int

    @property
    def is_majority(self) -> bool:
        """Whether it is true of a clear majority of enough people."""
        return self.whole >= FEWEST and self.part >= MAJORITY * self.whole

    def __str__(self) -> str:
        return f"{self.part} of {self.whole}"


@dataclass(frozen=True)
class Inference:
    """A trigger, the rule that gave it, and what the rule found."""

    trigger: Trigger
    rule: InferredTrigger.Rule
    evidence: str = ""


def by_words(name: str, groups: Sequence[str]) -> Inference | None:
    """Return what the campaign's name or the names of its groups tell; None when they tell nothing.

    `groups` leaves out "All Users". Groups tell something only if all of them tell the same.
    """
    found = words.in_campaign_name(name)
    if found:
        return Inference(found[0], Rule.NAME, found[1])
    told = [words.in_group_name(group) for group in groups]
    triggers = {trigger for trigger, _words in filter(None, told)}
    if len(triggers) == 1 and all(told):
        return Inference(triggers.pop(), Rule.GROUP_NAME, groups[0])
    return None


def by_people(after_failure: Share, after_start: Share) -> Inference | None:
    """Return what the moments of enrollment tell; None when they tell nothing.

    Counted are the people enrolled within 14 days after a failed phishing test, and within 30 days after starting
    work. A new starter who fails a test is enrolled for failing it.
    """
    if after_failure.is_majority:
        return Inference(Trigger.PHISHING_FAILURE, Rule.FAILED_TEST, str(after_failure))
    if after_start.is_majority:
        return Inference(Trigger.NEW_HIRE, Rule.START_DATE, str(after_start))
    return None


def by_plan(*, auto_enroll: bool, groups: Sequence[str], cadence: Cadence | None) -> Inference:
    """Return what the campaign's plan tells: automatic enrollment of a group's members, a recurring name, or nothing.

    Automatic enrollment of "All Users" is no membership of a group.
    """
    if auto_enroll and groups:
        return Inference(Trigger.GROUP_MEMBERSHIP, Rule.AUTO_ENROLL, groups[0])
    if cadence is not None:
        return Inference(Trigger.SCHEDULED, Rule.RECURRING, cadence.value)
    return Inference(Trigger.UNKNOWN, Rule.NONE)
