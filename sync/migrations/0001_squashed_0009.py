"""The tables of the mirror, of its history and of the syncs that fill it, as of 0.1.0."""

import datetime

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import sync.models.account

# Built of what Postgres has anyway, all of it immutable, so that an index may hold it; it refers to nothing by name,
# so a restored dump has it, too.
FOLDED = r"""
CREATE FUNCTION folded(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT replace(replace(replace(replace(
        translate(regexp_replace(normalize(lower(words), NFKD), '[\u0300-\u036f]', '', 'g'), 'øłđðıħŧ', 'olddiht'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
$$
"""

# Per statement, so that inserts cost nothing.
HISTORY_APPEND_ONLY = """
CREATE FUNCTION sync_refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Changes are history: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER change_append_only BEFORE UPDATE OR DELETE ON sync_change
    FOR EACH STATEMENT EXECUTE FUNCTION sync_refuse_rewriting_history();
"""
HISTORY_FREE = """
DROP TRIGGER change_append_only ON sync_change;
DROP FUNCTION sync_refuse_rewriting_history();
"""


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("sync", "0001_initial"),
        ("sync", "0002_changes_append_only"),
        ("sync", "0003_run_plan_and_quarantine"),
        ("sync", "0004_connection_test"),
        ("sync", "0005_console_import"),
        ("sync", "0006_any_length"),
        ("sync", "0007_moments"),
        ("sync", "0008_searchable_people"),
        ("sync", "0009_never_counting"),
    ]
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        # A trusted extension: the owner of the database may create it.
        TrigramExtension(),
        migrations.RunSQL(FOLDED, "DROP FUNCTION folded(text)"),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "region",
                    models.CharField(
                        choices=[
                            ("us", "United States"),
                            ("eu", "Europe"),
                            ("ca", "Canada"),
                            ("uk", "United Kingdom"),
                            ("de", "Germany"),
                        ],
                        default="us",
                        max_length=2,
                    ),
                ),
                (
                    "base_url",
                    models.URLField(blank=True, help_text="Overrides the region, for a simulator or a proxy."),
                ),
                ("encrypted_key", models.BinaryField(default=b"")),
                (
                    "time_zone",
                    models.CharField(default="UTC", max_length=64, validators=[sync.models.account.validate_time_zone]),
                ),
                ("sync_interval", models.DurationField(default=datetime.timedelta(seconds=3600))),
                ("is_sync_enabled", models.BooleanField(default=True)),
                ("requests_per_second", models.PositiveIntegerField(blank=True, default=4, null=True)),
                ("requests_per_minute", models.PositiveIntegerField(blank=True, default=50, null=True)),
                (
                    "requests_per_day",
                    models.PositiveIntegerField(
                        blank=True, default=2000, help_text="Licensed seats are added to it.", null=True
                    ),
                ),
                ("connection_tested_at", models.DateTimeField(blank=True, null=True)),
                ("is_connected", models.BooleanField(blank=True, null=True)),
                (
                    "connection_message",
                    models.TextField(
                        blank=True, help_text='A sentence to show: "Connected: Northwind, Diamond, 1,842 seats."'
                    ),
                ),
                ("knowbe4_name", models.TextField(blank=True)),
                ("subscription_level", models.TextField(blank=True)),
                ("subscription_end_date", models.DateField(blank=True, null=True)),
                ("number_of_seats", models.BigIntegerField(blank=True, null=True)),
                ("domains", models.JSONField(default=list)),
                ("current_risk_score", models.FloatField(blank=True, null=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "data_as_of",
                    models.DateTimeField(
                        blank=True,
                        help_text="When the published sync began to read: nothing shown is older than this.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="SyncRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="sync.account",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("full", "Full"), ("quick", "Quick"), ("import", "Import")], max_length=10
                    ),
                ),
                (
                    "trigger",
                    models.CharField(
                        choices=[("schedule", "Schedule"), ("person", "Started by hand"), ("command", "Command line")],
                        max_length=10,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("published", "Complete"),
                            ("held", "Held"),
                            ("failed", "Failed"),
                            ("paused", "Paused"),
                            ("discarded", "Discarded"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("fetch", "Reading"),
                            ("check", "Checking"),
                            ("publish", "Publishing"),
                            ("done", "Done"),
                        ],
                        max_length=10,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("heartbeat_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("requests_made", models.PositiveIntegerField(default=0)),
                ("resources", models.JSONField(default=dict)),
                ("counts", models.JSONField(default=dict)),
                (
                    "plan",
                    models.JSONField(default=dict, help_text="What it set out to read, and what that would cost."),
                ),
                ("error_kind", models.CharField(blank=True, help_text="The name of the error's class.", max_length=50)),
                (
                    "message",
                    models.TextField(blank=True, help_text="Why it was held, paused or failed: a sentence to show."),
                ),
                ("resume_at", models.DateTimeField(blank=True, null=True)),
                (
                    "resolved_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolution", models.TextField(blank=True, help_text="The reason given.")),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-started_at"], name="run_by_account")],
            },
        ),
        migrations.AddField(
            model_name="account",
            name="published_run",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="sync.syncrun",
            ),
        ),
        migrations.CreateModel(
            name="Department",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                ("key", models.TextField(blank=True)),
                ("name", models.TextField(blank=True)),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="spellings",
                        to="sync.department",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "key"), name="department_key_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("merged_into__isnull", True),
                            models.Q(("merged_into", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="department_not_merged_into_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                ("knowbe4_id", models.BigIntegerField()),
                ("email", models.TextField(blank=True)),
                ("first_name", models.TextField(blank=True)),
                ("last_name", models.TextField(blank=True)),
                ("employee_number", models.TextField(blank=True)),
                ("job_title", models.TextField(blank=True)),
                ("location", models.TextField(blank=True)),
                ("division", models.TextField(blank=True)),
                ("organization", models.TextField(blank=True)),
                ("language", models.TextField(blank=True)),
                (
                    "status",
                    models.TextField(
                        choices=[("active", "Active"), ("archived", "Archived"), ("unlisted", "No longer listed")]
                    ),
                ),
                ("joined_at", models.DateTimeField(blank=True, null=True)),
                ("employee_start_date", models.DateField(blank=True, null=True)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                ("last_sign_in_at", models.DateTimeField(blank=True, null=True)),
                ("current_risk_score", models.FloatField(blank=True, null=True)),
                (
                    "phish_prone_percentage",
                    models.FloatField(blank=True, help_text="Percent: 14.2 is 14.2 %.", null=True),
                ),
                ("department_name", models.TextField(blank=True, help_text="As KnowBe4 spells it.")),
                ("manager_name", models.TextField(blank=True)),
                ("manager_email", models.TextField(blank=True)),
                (
                    "department",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="people",
                        to="sync.department",
                    ),
                ),
                (
                    "manager",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="reports", to="sync.person"
                    ),
                ),
                ("first_seen_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "searchable",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            models.F("last_name"),
                            models.F("first_name"),
                            models.F("email"),
                            models.F("employee_number"),
                            arg_joiner=" || ' ' || ",
                            template="(' ' || folded(%(expressions)s))",
                        ),
                        output_field=models.TextField(),
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("account"), django.db.models.functions.text.Upper("email"), name="person_email"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["searchable"], name="person_searchable", opclasses=["gin_trgm_ops"]
                    ),
                    models.Index(
                        models.F("account"),
                        django.db.models.functions.text.Left("searchable", 80),
                        models.F("id"),
                        name="person_by_name",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "knowbe4_id"), name="person_knowbe4_id_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                ("knowbe4_id", models.BigIntegerField()),
                ("name", models.TextField(blank=True)),
                ("group_type", models.TextField(blank=True)),
                ("status", models.TextField(blank=True)),
                ("member_count", models.BigIntegerField(blank=True, null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "knowbe4_id"), name="group_knowbe4_id_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="GroupMembership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                (
                    "group",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.group"),
                ),
                ("person", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="sync.person")),
                ("first_seen_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("group", "person"), name="membership_unique")],
            },
        ),
        migrations.AddField(
            model_name="group",
            name="members",
            field=models.ManyToManyField(related_name="groups", through="sync.GroupMembership", to="sync.person"),
        ),
        migrations.CreateModel(
            name="ContentItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("store_purchase", "Store purchase"), ("policy", "Uploaded policy")], max_length=20
                    ),
                ),
                ("knowbe4_id", models.BigIntegerField(blank=True, null=True)),
                ("name", models.TextField()),
                (
                    "content_type",
                    models.CharField(
                        choices=[
                            ("Training Module", "Module"),
                            ("Video", "Video"),
                            ("Game", "Game"),
                            ("Assessment", "Assessment"),
                            ("Policy", "Policy"),
                            ("Newsletter", "Newsletter"),
                            ("Poster", "Poster"),
                            ("Other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reported_type", models.TextField(blank=True, help_text="KnowBe4's own word.")),
                ("description", models.TextField(blank=True)),
                ("publisher", models.TextField(blank=True)),
                ("duration", models.BigIntegerField(blank=True, help_text="Minutes.", null=True)),
                ("is_retired", models.BooleanField(blank=True, null=True)),
                ("retirement_at", models.DateTimeField(blank=True, null=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("purchased_at", models.DateTimeField(blank=True, null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "source", "knowbe4_id"), name="content_knowbe4_id_unique"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("knowbe4_id__isnull", True)),
                        fields=("account", "source", "name"),
                        name="content_without_id_unique",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                ("knowbe4_id", models.BigIntegerField()),
                ("name", models.TextField(blank=True)),
                ("reported_status", models.TextField(blank=True, help_text="KnowBe4's own word.")),
                ("duration_type", models.TextField(blank=True, help_text="KnowBe4's own words.")),
                ("start_at", models.DateTimeField(blank=True, null=True)),
                ("end_at", models.DateTimeField(blank=True, null=True)),
                ("relative_duration", models.TextField(blank=True, help_text='KnowBe4\'s own words: "2 weeks".')),
                ("relative_months", models.IntegerField(blank=True, null=True)),
                ("relative_days", models.IntegerField(blank=True, null=True)),
                ("auto_enroll", models.BooleanField(blank=True, null=True)),
                ("allow_multiple_enrollments", models.BooleanField(blank=True, null=True)),
                (
                    "completion_percentage",
                    models.BigIntegerField(
                        blank=True,
                        help_text="KnowBe4's own figure; -1 when it was too big to compute there.",
                        null=True,
                    ),
                ),
                (
                    "content_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="Our ids of its content items.",
                        size=None,
                    ),
                ),
                (
                    "group_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, help_text="Our ids of its groups.", size=None
                    ),
                ),
                (
                    "archived_at",
                    models.DateTimeField(blank=True, help_text="When an administrator archived it here.", null=True),
                ),
                ("first_seen_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "knowbe4_id"), name="campaign_knowbe4_id_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="Enrollment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="sync.account",
                    ),
                ),
                ("knowbe4_id", models.BigIntegerField()),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrollments",
                        to="sync.person",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrollments",
                        to="sync.campaign",
                    ),
                ),
                (
                    "content",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrollments",
                        to="sync.contentitem",
                    ),
                ),
                ("reported_status", models.TextField(help_text="KnowBe4's own word.")),
                ("enrolled_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "is_completion_observed",
                    models.BooleanField(
                        default=False,
                        help_text="KnowBe4 gave no completion date: completed_at is when a sync first saw it done.",
                    ),
                ),
                ("time_spent", models.BigIntegerField(default=0, help_text="Seconds.")),
                ("policy_acknowledged", models.BooleanField(default=False)),
                ("score", models.FloatField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "due_source",
                    models.CharField(
                        choices=[
                            ("extension", "Extension imported from the console"),
                            ("campaign_end", "The campaign's end date"),
                            ("relative", "Enrollment date plus the campaign's duration"),
                            ("observed", "First seen past due"),
                            ("hidden_extension", "Extended in KnowBe4, date not known"),
                            ("none", "No deadline"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "due_after",
                    models.DateTimeField(
                        blank=True,
                        help_text="For an observed due date: the sync before, the earliest it can have been.",
                        null=True,
                    ),
                ),
                ("original_due_at", models.DateTimeField(blank=True, help_text="The first date derived.", null=True)),
                (
                    "extended_due_at",
                    models.DateTimeField(blank=True, help_text="Imported from the console.", null=True),
                ),
                ("first_seen_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["account", "first_seen_at", "due_at"],
                        name="enrollment_moments",
                        opclasses=["int8_minmax_ops", "timestamptz_minmax_multi_ops", "timestamptz_minmax_multi_ops"],
                    ),
                    models.Index(
                        models.F("account"),
                        models.OrderBy(models.F("removed_at"), descending=True),
                        models.F("id"),
                        condition=models.Q(("removed_at__isnull", False)),
                        name="enrollment_vanished",
                    ),
                    models.Index(
                        condition=models.Q(("due_source", "hidden_extension"), ("removed_at__isnull", True)),
                        fields=["account"],
                        name="enrollment_hidden_extension",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("person__isnull", True),
                            models.Q(
                                django.db.models.lookups.In(
                                    django.db.models.functions.text.Lower(
                                        django.db.models.functions.text.Trim("reported_status")
                                    ),
                                    ("passed", "completed", "not started", "in progress", "past due"),
                                ),
                                _negated=True,
                            ),
                            _connector="OR",
                        ),
                        fields=["account"],
                        name="enrollment_never_counts",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "knowbe4_id"), name="enrollment_knowbe4_id_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="PhishingCampaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                ("knowbe4_id", models.BigIntegerField()),
                ("name", models.TextField(blank=True)),
                ("reported_status", models.TextField(blank=True)),
                ("frequency", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(blank=True, null=True)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "knowbe4_id"), name="phishing_campaign_knowbe4_id_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PhishingTest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                ("knowbe4_id", models.BigIntegerField()),
                (
                    "campaign",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tests",
                        to="sync.phishingcampaign",
                    ),
                ),
                ("name", models.TextField(blank=True)),
                ("reported_status", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("duration", models.BigIntegerField(blank=True, help_text="Days.", null=True)),
                ("template_name", models.TextField(blank=True)),
                ("categories", models.JSONField(default=list)),
                (
                    "phish_prone_percentage",
                    models.FloatField(blank=True, help_text="Decimal: 0.277 is 27.7 %.", null=True),
                ),
                ("scheduled_count", models.BigIntegerField(blank=True, null=True)),
                ("delivered_count", models.BigIntegerField(blank=True, null=True)),
                ("opened_count", models.BigIntegerField(blank=True, null=True)),
                ("clicked_count", models.BigIntegerField(blank=True, null=True)),
                ("replied_count", models.BigIntegerField(blank=True, null=True)),
                ("attachment_open_count", models.BigIntegerField(blank=True, null=True)),
                ("macro_enabled_count", models.BigIntegerField(blank=True, null=True)),
                ("data_entered_count", models.BigIntegerField(blank=True, null=True)),
                ("qr_code_scanned_count", models.BigIntegerField(blank=True, null=True)),
                ("reported_count", models.BigIntegerField(blank=True, null=True)),
                ("bounced_count", models.BigIntegerField(blank=True, null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "knowbe4_id"), name="phishing_test_knowbe4_id_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="PhishingResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="sync.account",
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="sync.phishingtest",
                    ),
                ),
                ("knowbe4_id", models.BigIntegerField()),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phishing_results",
                        to="sync.person",
                    ),
                ),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("clicked_at", models.DateTimeField(blank=True, null=True)),
                ("replied_at", models.DateTimeField(blank=True, null=True)),
                ("attachment_opened_at", models.DateTimeField(blank=True, null=True)),
                ("macro_enabled_at", models.DateTimeField(blank=True, null=True)),
                ("data_entered_at", models.DateTimeField(blank=True, null=True)),
                ("qr_code_scanned_at", models.DateTimeField(blank=True, null=True)),
                ("reported_at", models.DateTimeField(blank=True, null=True)),
                ("bounced_at", models.DateTimeField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("first_seen_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("test", "knowbe4_id"), name="phishing_result_unique")],
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="sync.account",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="sync.syncrun",
                    ),
                ),
                ("observed_at", models.DateTimeField()),
                (
                    "subject",
                    models.SmallIntegerField(
                        choices=[
                            (1, "Person"),
                            (2, "Campaign"),
                            (3, "Enrollment"),
                            (4, "Content"),
                            (5, "Group"),
                            (6, "Phishing test"),
                        ]
                    ),
                ),
                ("subject_id", models.BigIntegerField()),
                ("field", models.CharField(max_length=50)),
                ("old", models.TextField(null=True)),
                ("new", models.TextField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "subject", "subject_id", "observed_at"], name="change_by_subject")
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarantinedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="sync.account"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="quarantined", to="sync.syncrun"
                    ),
                ),
                ("list_key", models.CharField(max_length=100)),
                ("reason", models.TextField()),
                ("raw", models.TextField(help_text="The row as it came, its first 2,000 characters.")),
            ],
        ),
        migrations.CreateModel(
            name="ConsoleImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="console_imports",
                        to="sync.account",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("uploaded_at", models.DateTimeField()),
                ("name", models.CharField(help_text="The file's name, as it was uploaded.", max_length=255)),
                ("size", models.PositiveIntegerField(help_text="Bytes.")),
                ("sha256", models.CharField(help_text="Of the bytes as they came, in hexadecimal.", max_length=64)),
                ("content", models.BinaryField(help_text="The bytes as they came, compressed with gzip.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("unreadable", "Not readable"),
                            ("preview", "Waiting for a decision"),
                            ("importing", "Being imported"),
                            ("held", "Held by the checks"),
                            ("accepted", "Imported"),
                            ("discarded", "Discarded"),
                            ("withdrawing", "Being withdrawn"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="reading",
                        max_length=12,
                    ),
                ),
                ("message", models.TextField(blank=True, help_text="Why it cannot go on: a sentence to show.")),
                ("rows_read", models.PositiveIntegerField(default=0, help_text="While it is read: how far.")),
                (
                    "signature",
                    models.CharField(blank=True, help_text="Names this set of column headers.", max_length=64),
                ),
                ("mapping", models.JSONField(default=dict)),
                (
                    "is_mapping_chosen",
                    models.BooleanField(
                        default=False, help_text="A person chose the columns: files with the same headers follow."
                    ),
                ),
                ("report", models.JSONField(default=dict)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.TextField(blank=True, help_text="Why it was imported in spite of the checks.")),
                (
                    "run",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="console_import",
                        to="sync.syncrun",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-uploaded_at"], name="console_import_by_account")],
            },
        ),
        migrations.RunSQL(HISTORY_APPEND_ONLY, HISTORY_FREE),
    ]
