"""The form that offers a role: to somebody invited, or to a member instead of the one they have."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.identity.email_field import AddressField, AddressInput
from dashboard.local_days import local_midnight
from dashboard.models import Role
from dashboard.pages.settings.fields import DayField
from dashboard.queries.offers import doubts
from dashboard.scoped_request import ScopedRequest
from dashboard.services.members import Offer
from sync.models import Department

# What each role sees and does, beside its name in the form.
WHAT_ROLES_DO = {
    Role.ADMINISTRATOR: gettext_lazy("Sees everybody; settings, members, keys"),
    Role.SECURITY_MANAGER: gettext_lazy("Sees everybody; campaigns, exemptions, syncs"),
    Role.DEPARTMENT_HEAD: gettext_lazy("Sees the departments chosen below"),
    Role.PEOPLE_MANAGER: gettext_lazy("Sees their reporting line, found by email"),
    Role.AUDITOR: gettext_lazy("Sees everybody, changes nothing; has an end"),
}


@dataclass(frozen=True)
class Doubts:
    """Doubts that a role would show anybody, as sentences; `digest` stands for them in the form sent again."""

    sentences: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Digest that says that they were read: other sentences have another."""
        return hashlib.sha256("\n".join(self.sentences).encode()).hexdigest()[:16] if self.sentences else ""


def unread_doubts(request: ScopedRequest, offer: Offer, email: str) -> Doubts:
    """Return what is to be said before the role is given; nothing once the form was sent with that read."""
    departments = list(offer.departments)
    found = Doubts(tuple(doubts(request.account, offer.role, email=email, departments=departments)))
    return Doubts() if request.POST.get("sure") == found.digest else found


class DepartmentsField(forms.ModelMultipleChoiceField):
    """Departments to tick, those of another spelling left out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            queryset=Department.objects.none(),
            required=False,
            label=gettext_lazy("Departments"),
            help_text=gettext_lazy("Only for department heads. Spellings merged into one come along."),
            widget=forms.CheckboxSelectMultiple(),
            **kwargs,
        )

    def label_from_instance(self, obj: Department) -> str:
        """Return the department's name."""
        return obj.name or _("No department")


class RoleForm(forms.Form):
    """A role, its departments and its last day."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, initial=Role.SECURITY_MANAGER)
    departments = DepartmentsField()
    last_day = DayField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("Empty: no end. An auditor always has one."),
    )

    def __init__(self, request: ScopedRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now, self.zone = request.now, request.account.zone
        departments = request.scope.departments().filter(merged_into=None).order_by("name", "pk")
        self.fields["departments"].queryset = departments  # type: ignore[attr-defined]

    @property
    def roles(self) -> list[tuple[str, str, str]]:
        """The roles with what each does."""
        return [(role.value, str(role.label), str(WHAT_ROLES_DO[role])) for role in Role]

    @property
    def ticked(self) -> set[str]:
        """The departments that are ticked, as the form spells them."""
        value = self["departments"].value() or []
        return {str(getattr(item, "pk", item)) for item in value}

    def clean(self) -> dict[str, Any]:
        """Put what belongs to one field beside it."""
        cleaned = super().clean() or self.cleaned_data
        role = cleaned.get("role")
        if role == Role.DEPARTMENT_HEAD and not cleaned.get("departments"):
            self.add_error("departments", _("A department head has at least one department."))
        if role == Role.AUDITOR and "last_day" in cleaned and cleaned["last_day"] is None:
            self.add_error("last_day", _("An auditor's role has an end."))
        if (ends_at := self.ends_at) is not None and ends_at <= self.now:
            self.add_error("last_day", _("The last day is in the past."))
        return cleaned

    @property
    def ends_at(self) -> datetime | None:
        """The first moment without the role: the end of the last day in the account's zone; None for no end."""
        last_day = self.cleaned_data.get("last_day")
        return None if last_day is None else local_midnight(last_day + timedelta(days=1), self.zone)

    @property
    def offer(self) -> Offer:
        """Offer that the form asks for."""
        role = Role(self.cleaned_data["role"])
        departments = tuple(self.cleaned_data["departments"]) if role == Role.DEPARTMENT_HEAD else ()
        return Offer(role, departments, self.ends_at)


class InviteForm(RoleForm):
    """To whom a role is offered."""

    email = AddressField(
        label=gettext_lazy("Work email"),
        max_length=254,
        widget=AddressInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("The link goes there and works for seven days, once."),
    )
    field_order = ("email", "role", "departments", "last_day")
