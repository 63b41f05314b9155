"""A KnowBe4 tenant and how Rollcall reads it."""

from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from sync import keys

# The account of the simulator that `bin/run` starts.
DEMO_NAME = "Demo"


class Region(models.TextChoices):
    """The five regional hosts of the Reporting API."""

    US = "us", "United States"
    EU = "eu", "Europe"
    CA = "ca", "Canada"
    UK = "uk", "United Kingdom"
    DE = "de", "Germany"


def validate_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValidationError(f"{name!r} is not a time zone; write one like Europe/Berlin.") from None


class AccountManager(models.Manager["Account"]):
    """Makes the first account from the environment; the others are added by an administrator."""

    def from_environment(self) -> "Account | None":
        """Create or update the account that KNOWBE4_API_KEY, KNOWBE4_REGION and KNOWBE4_BASE_URL describe.

        None without a key. A key for another place than before makes another account: two tenants never mix, nor does
        a demo company with a real one. A simulator's account rests while the environment names another.
        """
        if not settings.KNOWBE4_API_KEY:
            return None
        host = urlsplit(settings.KNOWBE4_BASE_URL).hostname or ""
        is_demo = host in {"127.0.0.1", "localhost", "::1"}
        name = DEMO_NAME if is_demo else host or f"KnowBe4 {settings.KNOWBE4_REGION.upper()}"
        account = self.filter(name=name).first() or Account(name=name)
        account.region = settings.KNOWBE4_REGION
        account.base_url = settings.KNOWBE4_BASE_URL
        if not account.holds_key(settings.KNOWBE4_API_KEY):
            account.api_key = settings.KNOWBE4_API_KEY
        limits = ("requests_per_second", "requests_per_minute", "requests_per_day")
        if not settings.KNOWBE4_LIMITS:
            for limit in limits:
                setattr(account, limit, None)
        elif all(getattr(account, limit) is None for limit in limits):
            # They were off; a tenant that is read without them locks its reader out.
            untouched = Account()
            for limit in limits:
                setattr(account, limit, getattr(untouched, limit))
        account.save()
        if not is_demo:
            self.filter(name=DEMO_NAME).update(is_sync_enabled=False)
        elif not account.is_sync_enabled:
            self.filter(pk=account.pk).update(is_sync_enabled=True)
        return account


class Account(models.Model):
    """A KnowBe4 tenant: where it is, how fast it may be read, and which sync its pages show.

    Request limits are KnowBe4's own (4 a second, 50 a minute, 2,000 a day plus one per licensed seat; its API
    documentation of September 2025); None means no limit and is meant for a simulator only.
    """

    name = models.CharField(max_length=200, unique=True)
    region = models.CharField(max_length=2, choices=Region.choices, default=Region.US)
    base_url = models.URLField(blank=True, help_text="Overrides the region, for a simulator or a proxy.")
    encrypted_key = models.BinaryField(default=b"", editable=False)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])

    sync_interval = models.DurationField(default=timedelta(minutes=60))
    is_sync_enabled = models.BooleanField(default=True)
    requests_per_second = models.PositiveIntegerField(null=True, blank=True, default=4)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True, default=50)
    requests_per_day = models.PositiveIntegerField(
        null=True, blank=True, default=2000, help_text="Licensed seats are added to it."
    )

    # The last test of the key, made by a worker when it was entered: pages never call KnowBe4.
    connection_tested_at = models.DateTimeField(null=True, blank=True)
    is_connected = models.BooleanField(null=True, blank=True)
    connection_message = models.TextField(
        blank=True, help_text='A sentence to show: "Connected: Northwind, Diamond, 1,842 seats."'
    )

    # What KnowBe4 says of the account.
    knowbe4_name = models.TextField(blank=True)
    subscription_level = models.TextField(blank=True)
    subscription_end_date = models.DateField(null=True, blank=True)
    number_of_seats = models.BigIntegerField(null=True, blank=True)
    domains = models.JSONField(default=list)
    current_risk_score = models.FloatField(null=True, blank=True)

    # The sync that every page shows. Stamped by publish, in its transaction.
    published_run = models.ForeignKey(
        "sync.SyncRun", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    published_at = models.DateTimeField(null=True, blank=True)
    data_as_of = models.DateTimeField(
        null=True, blank=True, help_text="When the published sync began to read: nothing shown is older than this."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountManager()

    def __str__(self) -> str:
        return self.knowbe4_name or self.name

    @property
    def is_demo(self) -> bool:
        """Whether this is the simulator's company."""
        return self.name == DEMO_NAME

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this account's days and quarters are counted."""
        return ZoneInfo(self.time_zone)

    @property
    def api_key(self) -> str:
        """The KnowBe4 key in clear text; empty when none was entered. Never log it, never show it."""
        return keys.decrypt(bytes(self.encrypted_key))

    @api_key.setter
    def api_key(self, value: str) -> None:
        self.encrypted_key = keys.encrypt(value)

    def holds_key(self, key: str) -> bool:
        """Return whether this is the stored key; a key that cannot be read any more is none."""
        try:
            return self.api_key == key
        except keys.KeyUnreadableError:
            return False

    @property
    def daily_allowance(self) -> int | None:
        """Requests per 24 hours: the base plus one for each licensed seat. None means no limit."""
        if self.requests_per_day is None:
            return None
        return self.requests_per_day + (self.number_of_seats or 0)
