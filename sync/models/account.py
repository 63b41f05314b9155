"""A KnowBe4 tenant and how Rollcall reads it."""

from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Q

from config.sealing import Purpose, SecretUnreadableError, seal, unseal


class Region(models.TextChoices):
    """The five regional hosts of the Reporting API."""

    US = "us", "United States"
    EU = "eu", "Europe"
    CA = "ca", "Canada"
    UK = "uk", "United Kingdom"
    DE = "de", "Germany"


@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of time zones that Python and the database both know, sorted: each of them works out days."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = {name for (name,) in cursor.fetchall()}
    # Which one that is depends on the machine.
    return tuple(sorted((available_timezones() - {"localtime"}) & known))


def validate_time_zone(name: str) -> None:
    """Refuse a name that Python or the database does not know as a time zone."""
    if name not in time_zones():
        raise ValidationError(f"{name!r} is not a time zone; write one like Europe/Berlin.")


class Account(models.Model):
    """A KnowBe4 tenant: where it is, how fast it may be read, and which sync its pages show.

    Request limits are KnowBe4's own (4 a second, 50 a minute, 2,000 a day plus one per licensed seat; its API
    documentation of September 2025); None means no limit and is meant for a simulator only.

    `is_from_environment`: KNOWBE4_API_KEY and its place describe this one (`sync.models.environment`). `is_demo`: the
    invented company of the simulator that `bin/run` starts itself.
    """

    name = models.CharField(max_length=200, unique=True)
    region = models.CharField(max_length=2, choices=Region.choices, default=Region.US)
    base_url = models.URLField(blank=True, help_text="Overrides the region, for a simulator or a proxy.")
    encrypted_key = models.BinaryField(default=b"", editable=False)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    is_from_environment = models.BooleanField(default=False, editable=False)
    is_demo = models.BooleanField(default=False, editable=False)

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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_from_environment"],
                condition=Q(is_from_environment=True),
                name="account_of_environment_once",
            ),
            models.UniqueConstraint(fields=["is_demo"], condition=Q(is_demo=True), name="account_demo_once"),
            models.CheckConstraint(condition=~Q(is_demo=True, is_from_environment=True), name="account_demo_apart"),
        ]

    def __str__(self) -> str:
        return self.knowbe4_name or self.name

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this account's days and quarters are counted."""
        return ZoneInfo(self.time_zone)

    @property
    def api_key(self) -> str:
        """The KnowBe4 key in clear text; empty when none was entered. Never log it, never show it."""
        return unseal(bytes(self.encrypted_key), Purpose.KNOWBE4_KEY)

    @api_key.setter
    def api_key(self, value: str) -> None:
        self.encrypted_key = seal(value, Purpose.KNOWBE4_KEY)

    def holds_key(self, key: str) -> bool:
        """Return whether this is the stored key; a key that cannot be read any more is none."""
        try:
            return self.api_key == key
        except SecretUnreadableError:
            return False

    @property
    def daily_allowance(self) -> int | None:
        """Requests per 24 hours: the base plus one for each licensed seat. None means no limit."""
        if self.requests_per_day is None:
            return None
        return self.requests_per_day + (self.number_of_seats or 0)
