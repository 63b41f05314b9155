"""The form that adds or changes a KnowBe4 account. The key is written and never read back."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.queries.sync_status import key_problem
from dashboard.services.accounts import is_name_free
from dashboard.services.retention import KEEPING, kept
from sync.models import Account, environment
from sync.models.account import Region, time_zones, validate_time_zone

SHORTEST, LONGEST = 15, 7 * 24 * 60
LONGEST_KEPT = 100 * 365
ADVANCED = ("base_url",)
KEPT = KEEPING
FROM_ENVIRONMENT = ("name", "region", "key", "base_url")


def _days(label: Any, fewest: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=fewest, max_value=LONGEST_KEPT, required=False)


class AccountForm(forms.Form):
    """Fields of an account; `account` is the one being changed, or a new one."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        help_text=gettext_lazy("How it is called here, until KnowBe4 says its own name."),
    )
    region = forms.ChoiceField(
        label=gettext_lazy("Region"),
        choices=Region.choices,
        help_text=gettext_lazy("The one in the address of your KnowBe4 console."),
    )
    key = forms.CharField(
        label=gettext_lazy("Reporting API key"),
        max_length=4000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        validators=[validate_time_zone],
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
        help_text=gettext_lazy("Days and quarters begin at its midnight."),
    )
    interval = forms.IntegerField(
        label=gettext_lazy("Sync every so many minutes"), min_value=SHORTEST, max_value=LONGEST
    )
    base_url = forms.URLField(
        label=gettext_lazy("Address of the API"),
        required=False,
        assume_scheme="https",
        help_text=gettext_lazy("Only for a proxy or a simulator; empty means the region's own."),
    )

    people_days = _days(gettext_lazy("Names of people who left"), 30)
    mails_days = _days(gettext_lazy("Mails that were sent"), 7)
    exports_days = _days(gettext_lazy("Exports that were made"), 1)
    sessions_days = _days(gettext_lazy("Sessions not used any more"), 1)

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        self.account = account
        self.key_problem = key_problem(account)
        self.is_from_environment = is_from_environment(account)
        kwargs["initial"] = {
            "name": account.name,
            "region": account.region,
            "time_zone": account.time_zone,
            "interval": int(account.sync_interval.total_seconds() // 60),
            "base_url": account.base_url,
            **kept(account),
        }
        super().__init__(*args, **kwargs)
        self.is_new = account.pk is None
        self.has_key = bool(account.encrypted_key) and not self.key_problem
        # Without any, the CSV of KnowBe4's console is all the account shows; one that cannot be read is wanted again.
        self.fields["key"].required = bool(self.key_problem)
        self.fields["key"].help_text = (
            _("A key is stored and never shown again. Type another only to replace it.")
            if self.has_key
            else _(
                "In the KnowBe4 console: Account Settings, Account Integrations, API. It is never shown again. "
                "Leave it empty for a plan without the Reporting API: then the console's CSV is imported."
            )
        )
        if account.published_run_id is not None:
            self.fields["region"].disabled = True
            self.fields["region"].help_text = _("Fixed, for this account holds data from there. Add another instead.")
        if self.is_from_environment:
            for name in FROM_ENVIRONMENT:
                self.fields[name].disabled = True
                self.fields[name].help_text = ""
            self.fields["key"].required = False

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """The fields that everybody fills in."""
        return [field for field in self.visible_fields() if field.name not in (*ADVANCED, *KEPT)]

    @property
    def kept_fields(self) -> list[forms.BoundField]:
        """After how many days something is removed."""
        return [self[name] for name in KEPT]

    @property
    def is_kept_open(self) -> bool:
        """Whether one of those is filled in or wrong."""
        return any(field.value() or field.errors for field in self.kept_fields)

    @property
    def advanced_fields(self) -> list[forms.BoundField]:
        """The fields that hardly anybody needs."""
        return [field for field in self.visible_fields() if field.name in ADVANCED]

    @property
    def is_advanced_open(self) -> bool:
        """Whether one of those is filled in or wrong."""
        return any(field.value() or field.errors for field in self.advanced_fields)

    @property
    def zones(self) -> tuple[str, ...]:
        """The names a time zone may have."""
        return time_zones()

    def clean_name(self) -> str:
        """Refuse a name that another account has."""
        name: str = self.cleaned_data["name"].strip()
        if not is_name_free(self.account, name):
            raise ValidationError(_("Another account has this name."))
        return name

    def clean_base_url(self) -> str:
        """Refuse a user or password in the address: it is shown, and KnowBe4 takes a key alone."""
        base_url: str = self.cleaned_data["base_url"]
        if "@" in base_url and base_url != self.account.base_url:
            raise ValidationError(_("Write the address without a user or password."))
        return base_url

    def clean(self) -> dict[str, Any]:
        """Ask for the key again where it would be sent to another address than it was entered for."""
        cleaned = super().clean() or self.cleaned_data
        moved = any(name in cleaned and cleaned[name] != getattr(self.account, name) for name in ("region", "base_url"))
        if not self.is_new and self.has_key and moved and not cleaned.get("key") and not self.is_from_environment:
            self.add_error("key", _("Enter the key again: it would be sent to another address than before."))
        return cleaned

    def save(self) -> bool:
        """Save the account and return whether its connection has to be tested: there is a new key."""
        cleaned, account = self.cleaned_data, self.account
        must_test = bool(cleaned["key"])
        account.time_zone = cleaned["time_zone"]
        account.sync_interval = timedelta(minutes=cleaned["interval"])
        if not self.is_from_environment:
            account.name, account.region, account.base_url = cleaned["name"], cleaned["region"], cleaned["base_url"]
            if cleaned["key"]:
                account.api_key = cleaned["key"].strip()
        if must_test:
            account.is_connected, account.connection_message, account.connection_tested_at = None, "", None
        if self.is_new:
            account.save()
        else:
            account.save(
                update_fields=[
                    "name",
                    "region",
                    "base_url",
                    "encrypted_key",
                    "time_zone",
                    "sync_interval",
                    "is_connected",
                    "connection_message",
                    "connection_tested_at",
                ]
            )
        return must_test


def is_from_environment(account: Account) -> bool:
    """Return whether the environment describes this account: then name, key and address are set there."""
    is_described = account.is_demo if environment.is_demo() else account.is_from_environment
    return is_described and bool(settings.KNOWBE4_API_KEY) and not key_problem(account)
