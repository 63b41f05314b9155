"""The sentences of the Past due page: how many for how long, what narrows the list, and why it is empty."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.metrics import AGE_LIMITS, Age
from dashboard.requests.filter_choices import FilterBar
from dashboard.wording.findings import people_count

# The ages beyond 30 days: what the first sentence counts.
LONG = tuple(age for age in Age if AGE_LIMITS[age][0] > 30)
FRESH = tuple(age for age in Age if age not in LONG)


@dataclass(frozen=True)
class Finding:
    """The first sentence: a fact, linked to the people of its ages, then what is said of it and of the rest.

    `rest` is linked to the people of `rest_ages`. Texts may be empty; the fact never is.
    """

    fact: str
    predicate: str
    ages: tuple[Age, ...] = ()
    before: str = ""
    rest: str = ""
    rest_ages: tuple[Age, ...] = ()
    after: str = ""
    is_due: bool = True


def lead(ages: dict[Age, int]) -> Finding:
    """Say how many of the people past due have been so for more than 30 days, and where most of the rest are."""
    everybody = sum(ages.values())
    long_ago = sum(ages[age] for age in LONG)
    if not everybody:
        return Finding(_("No one is past due"), ".", is_due=False)
    if everybody == 1:
        predicate = (
            _(" has been past due for more than 30 days.") if long_ago else _(" is past due, since not long ago.")
        )
        return Finding(people_count(1), predicate)
    if long_ago == everybody:
        fact = _("All %(n)s people past due") % {"n": intcomma(everybody)}
        return Finding(fact, _(" have been so for more than 30 days."), LONG)
    if not long_ago:
        fact = _("%(n)s people") % {"n": intcomma(everybody)}
        most, word = _most(ages, everybody)
        predicate = _(" are past due, none of them for more than 30 days.")
        return Finding(fact, predicate, (), *_where(_("Most of them, "), most, word))
    fact = _("%(n)s of %(all)s people") % {"n": intcomma(long_ago), "all": intcomma(everybody)}
    predicate = ngettext(
        " has been past due for more than 30 days.", " have been past due for more than 30 days.", long_ago
    )
    most, word = _most(ages, everybody - long_ago)
    return Finding(fact, predicate, LONG, *_where(_("Most of the rest, "), most, word))


def _most(ages: dict[Age, int], of: int) -> tuple[Age | None, str]:
    """Return the age under 31 days that more than half of so many people have, in words; None when there is none."""
    most = max(FRESH, key=lambda age: ages[age])
    return (most, people_count(ages[most])) if ages[most] * 2 > of else (None, "")


def _where(before: str, age: Age | None, people: str) -> tuple[str, str, tuple[Age, ...], str]:
    if age is None:
        return "", "", (), ""
    return before, people, (age,), _(", for %(age)s.") % {"age": age.label}


def narrowing(bar: FilterBar) -> str:
    """Name the filters that are set: "Department Claims, Content Policy"; empty for none."""
    return ", ".join(
        f"{control.label} {control.value_label.strip()}"
        for control in bar.on
        if control.name not in {"basis", "direct"}
    )


def only_department(bar: FilterBar) -> str:
    """Name the department that alone narrows the list; empty when nothing or something else does."""
    narrowing_it = [control for control in bar.on if control.name != "basis"]
    if len(narrowing_it) != 1 or narrowing_it[0].name != "department" or narrowing_it[0].several:
        return ""
    return narrowing_it[0].value_label


def ages_in_words(ages: Collection[Age]) -> str:
    """Name ages in their order: "31–60 days, 61–90 days"."""
    return ", ".join(str(age.label) for age in Age if age in ages)
