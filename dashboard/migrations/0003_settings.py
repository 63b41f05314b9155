from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Per statement: the table is only ever added to.
LOG_APPEND_ONLY = """
CREATE FUNCTION dashboard_refuse_rewriting_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Changes of settings are history: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER setting_change_append_only BEFORE UPDATE OR DELETE ON dashboard_settingchange
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_settings();
"""
LOG_FREE = """
DROP TRIGGER setting_change_append_only ON dashboard_settingchange;
DROP FUNCTION dashboard_refuse_rewriting_settings();
"""

# An exemption is evidence: what was requested stays, and each decision on it is written once.
EXEMPTION_WRITTEN_ONCE = """
CREATE FUNCTION dashboard_refuse_rewriting_exemptions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decisions CONSTANT text[] := ARRAY['approved_by_id', 'approved_at', 'rejected_by_id', 'rejected_at',
                                       'ended_by_id', 'ended_at', 'end_note'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Exemptions are ended, never deleted.';
    END IF;
    IF to_jsonb(NEW) - decisions IS DISTINCT FROM to_jsonb(OLD) - decisions
       OR OLD.approved_at IS NOT NULL
          AND (NEW.approved_by_id, NEW.approved_at) IS DISTINCT FROM (OLD.approved_by_id, OLD.approved_at)
       OR OLD.rejected_at IS NOT NULL
          AND (NEW.rejected_by_id, NEW.rejected_at) IS DISTINCT FROM (OLD.rejected_by_id, OLD.rejected_at)
       OR OLD.ended_at IS NOT NULL
          AND (NEW.ended_by_id, NEW.ended_at, NEW.end_note) IS DISTINCT FROM (OLD.ended_by_id, OLD.ended_at, OLD.end_note)
    THEN
        RAISE EXCEPTION 'What was decided of an exemption is not rewritten; end it and request another.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exemption_written_once BEFORE UPDATE OR DELETE ON dashboard_exemption
    FOR EACH ROW EXECUTE FUNCTION dashboard_refuse_rewriting_exemptions();
"""
EXEMPTION_FREE = """
DROP TRIGGER exemption_written_once ON dashboard_exemption;
DROP FUNCTION dashboard_refuse_rewriting_exemptions();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0002_membership"),
        ("sync", "0006_any_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignSetting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "requirement",
                    models.CharField(
                        choices=[("required", "Required"), ("optional", "Optional"), ("excluded", "Excluded")],
                        default="required",
                        max_length=10,
                    ),
                ),
                (
                    "trigger",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("phishing_failure", "Phishing failure"),
                            ("new_hire", "New hire"),
                            ("group_membership", "Group membership"),
                            ("scheduled", "Scheduled"),
                            ("manager_request", "Manager request"),
                            ("unknown", "Unknown"),
                        ],
                        help_text="Overrides the inferred trigger; blank: does not.",
                        max_length=20,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"),
                ),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="setting", to="sync.campaign"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="InferredTrigger",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("phishing_failure", "Phishing failure"),
                            ("new_hire", "New hire"),
                            ("group_membership", "Group membership"),
                            ("scheduled", "Scheduled"),
                            ("manager_request", "Manager request"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("name", "A word in the campaign's name"),
                            ("group_name", "A word in the name of one of its groups"),
                            ("failed_test", "Enrolled shortly after failing a phishing test"),
                            ("start_date", "Enrolled shortly after starting work"),
                            ("auto_enroll", "New members of its groups are enrolled automatically"),
                            ("recurring", "Campaigns of this name recur"),
                            ("none", "No rule applies"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "evidence",
                    models.TextField(blank=True, help_text='What the rule found: the word, the group, "48 of 50".'),
                ),
                (
                    "newest_enrollment_id",
                    models.BigIntegerField(
                        default=0,
                        help_text="The newest of its enrollments that was looked at; a newer one calls for another look.",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"),
                ),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="inferred_trigger", to="sync.campaign"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AccountSetting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "target_rate",
                    models.DecimalField(
                        decimal_places=1,
                        default=Decimal("95.0"),
                        help_text="Percent; rates below it are colored.",
                        max_digits=4,
                    ),
                ),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="setting", to="sync.account"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("target_rate__gte", 0), ("target_rate__lte", 100)),
                        name="account_target_rate_is_percent",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DepartmentMerge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"),
                ),
                (
                    "department",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="merge", to="sync.department"
                    ),
                ),
                (
                    "into",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.department"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("department", models.F("into")), _negated=True),
                        name="department_merge_into_another",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Exemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("leave", "Leave"),
                            ("sickness", "Long-term sickness"),
                            ("contractor", "Contractor"),
                            ("equivalent", "Equivalent training"),
                            ("role", "Role not in scope"),
                            ("accommodation", "Accommodation"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                (
                    "evidence",
                    models.TextField(blank=True, help_text="Where the proof is kept: a ticket, a certificate."),
                ),
                ("starts_at", models.DateTimeField()),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True, help_text="The first moment after it; null: open-ended.", null=True
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("rejected_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("end_note", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
                    ),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exemptions",
                        to="sync.campaign",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exemptions",
                        to="sync.group",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exemptions",
                        to="sync.person",
                    ),
                ),
                (
                    "rejected_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-requested_at"], name="exemption_by_account")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("group__isnull", True), ("person__isnull", False)),
                            models.Q(("group__isnull", False), ("person__isnull", True)),
                            _connector="OR",
                        ),
                        name="exemption_of_person_or_group",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                        ),
                        name="exemption_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", "other"), _negated=True),
                            models.Q(("note", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="exemption_other_reason_has_note",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(("approved_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="exemption_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_at__isnull", True), ("rejected_at__isnull", True), _connector="OR"
                        ),
                        name="exemption_approved_or_rejected",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                            models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="exemption_approved_by_and_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("rejected_at__isnull", True), ("rejected_by__isnull", True)),
                            models.Q(("rejected_at__isnull", False), ("rejected_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="exemption_rejected_by_and_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_by__isnull", True)),
                            models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="exemption_ended_by_and_at",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SettingChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subject",
                    models.CharField(
                        choices=[
                            ("account", "Account"),
                            ("campaign", "Campaign"),
                            ("department", "Department"),
                            ("exemption", "Exemption"),
                        ],
                        max_length=20,
                    ),
                ),
                ("subject_id", models.BigIntegerField()),
                ("field", models.CharField(max_length=50)),
                ("old", models.TextField(null=True)),
                ("new", models.TextField(null=True)),
                ("changed_at", models.DateTimeField()),
                ("reason", models.TextField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
                    ),
                ),
                (
                    "changed_by",
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
                        fields=["account", "subject", "subject_id", "changed_at"], name="setting_change_by_subject"
                    ),
                    models.Index(fields=["account", "-changed_at"], name="setting_change_by_account"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="setting_change_has_reason"
                    )
                ],
            },
        ),
        migrations.RunSQL(LOG_APPEND_ONLY, LOG_FREE),
        migrations.RunSQL(EXEMPTION_WRITTEN_ONCE, EXEMPTION_FREE),
    ]
