"""Scheduled mail and evidence packs."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0020_api_tokens"),
        ("sync", "0008_searchable_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "content",
                    models.CharField(
                        choices=[("report", "PDF report"), ("table", "List"), ("figures", "Figures")], max_length=10
                    ),
                ),
                ("what", models.CharField(blank=True, max_length=40)),
                (
                    "format",
                    models.CharField(
                        blank=True,
                        choices=[("", "None"), ("pdf", "PDF"), ("csv", "CSV"), ("xlsx", "XLSX")],
                        max_length=4,
                    ),
                ),
                ("query", models.TextField(blank=True)),
                ("subject_id", models.BigIntegerField(null=True)),
                (
                    "way",
                    models.CharField(
                        choices=[("attachment", "Attached"), ("link", "By a link that expires")],
                        default="attachment",
                        max_length=10,
                    ),
                ),
                (
                    "when_quiet",
                    models.CharField(
                        choices=[("skip", "Send nothing"), ("note", "Send a short note")], default="note", max_length=10
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("weekly", "Weekly"),
                            ("monthly", "Monthly"),
                            ("quarterly", "Quarterly"),
                            ("after_deadline", "After a campaign’s deadline"),
                        ],
                        max_length=20,
                    ),
                ),
                ("weekday", models.SmallIntegerField(help_text="0 is Monday.", null=True)),
                (
                    "day_of_month",
                    models.SmallIntegerField(
                        help_text="Of the month, or of the quarter's first month; its last day where it has fewer.",
                        null=True,
                    ),
                ),
                ("days_after", models.SmallIntegerField(null=True)),
                ("at_time", models.TimeField()),
                ("created_at", models.DateTimeField()),
                ("since", models.DateTimeField()),
                ("paused_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="schedules", to="sync.account"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sync.campaign",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("recipients", models.ManyToManyField(related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name="Occurrence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="occurrences",
                        to="dashboard.schedule",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EvidencePack",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("sample_size", models.IntegerField(default=25)),
                ("sample_seed", models.CharField(default="1", max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("working", "Being made"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("rows_done", models.BigIntegerField(default=0)),
                ("rows_total", models.BigIntegerField(default=0)),
                ("begun", models.SmallIntegerField(default=0, help_text="How often a worker took it up.")),
                ("number", models.IntegerField(null=True)),
                ("manifest_sha256", models.CharField(blank=True, max_length=64)),
                ("enrollments", models.BigIntegerField(null=True)),
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("bytes", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("requested_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.department"
                    ),
                ),
                (
                    "previous",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="next",
                        to="dashboard.evidencepack",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("account"),
                        models.OrderBy(models.F("requested_at"), descending=True),
                        name="evidence_pack_by_account",
                    ),
                    models.Index(
                        models.F("requested_at"),
                        condition=models.Q(("state__in", ["waiting", "working", "ready"])),
                        name="evidence_pack_unfinished",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "number"), name="evidence_pack_in_its_place"),
                    models.CheckConstraint(
                        condition=models.Q(("last_day__gte", models.F("first_day"))), name="evidence_pack_period"
                    ),
                    models.CheckConstraint(condition=models.Q(("sample_size__gte", 0)), name="evidence_pack_sample"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("report", "Report"), ("notice", "Notice to the owner")],
                        default="report",
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("handing_over", "Being handed over"),
                            ("sent", "Sent"),
                            ("quiet", "Nothing to report"),
                            ("no_access", "No access any more"),
                            ("failed", "Failed"),
                            ("unknown", "Not known whether sent"),
                            ("superseded", "Replaced by a newer one"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                ("email", models.TextField(blank=True, help_text="Where it was handed over for.")),
                ("said", models.TextField(blank=True, help_text="What stood in the way, as a sentence.")),
                ("attempts", models.SmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField()),
                ("queued_at", models.DateTimeField(null=True)),
                ("first_refused_at", models.DateTimeField(null=True)),
                ("as_of", models.DateTimeField(help_text="The moment of its figures.", null=True)),
                ("scope", models.JSONField(default=dict, help_text="Whose people it holds: a link asks for no less.")),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("bytes", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("rows", models.BigIntegerField(null=True)),
                (
                    "expires_at",
                    models.DateTimeField(help_text="Until when a link works; null: it was attached.", null=True),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "occurrence",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="dashboard.occurrence",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("next_try_at"),
                        condition=models.Q(("state__in", ["waiting", "handing_over"])),
                        name="delivery_unfinished",
                    ),
                    models.Index(
                        models.F("expires_at"),
                        condition=models.Q(("expires_at__isnull", False)),
                        name="delivery_with_link",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("occurrence", "recipient", "kind"), name="delivery_once")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("frequency", "weekly"), ("weekday__isnull", False), ("weekday__gte", 0), ("weekday__lte", 6)
                    ),
                    models.Q(
                        ("day_of_month__isnull", False),
                        ("frequency__in", ["monthly", "quarterly"]),
                        ("day_of_month__gte", 1),
                        ("day_of_month__lte", 31),
                    ),
                    models.Q(
                        ("campaign__isnull", False),
                        ("days_after__gte", 0),
                        ("days_after__lte", 365),
                        ("frequency", "after_deadline"),
                    ),
                    _connector="OR",
                ),
                name="schedule_has_its_days",
            ),
        ),
        migrations.AddIndex(
            model_name="occurrence",
            index=models.Index(fields=["account", "-due_at"], name="occurrence_by_account"),
        ),
        migrations.AddConstraint(
            model_name="occurrence",
            constraint=models.UniqueConstraint(fields=("schedule", "due_at"), name="occurrence_once"),
        ),
    ]
