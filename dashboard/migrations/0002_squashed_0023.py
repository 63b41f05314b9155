"""Members and how they sign in, settings, tallies, the audit log, files and mail, as of 0.1.0."""

import uuid
from decimal import Decimal

import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import dashboard.models.rollups
import dashboard.models.single_sign_on

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

# As `sync.pipeline` links people to their managers: the person with that email, active ones first, then the oldest.
# A line is cut where it meets somebody again. It runs as the owner of the tables: the scope of whoever asks depends on
# it. It tells nothing but keys.
REPORTING_LINE = """
CREATE FUNCTION reporting_line(in_account bigint, of_email text) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE line (id) AS (
        (SELECT id FROM sync_person
         WHERE account_id = in_account AND upper(email) = upper(of_email) AND email <> '' AND removed_at IS NULL
         ORDER BY (status = 'active') DESC, id LIMIT 1)
        UNION
        SELECT report.id FROM line JOIN sync_person report ON report.manager_id = line.id
        WHERE report.account_id = in_account
    )
    SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM line
    WHERE EXISTS (SELECT FROM sync_person report WHERE report.manager_id = line.id AND report.account_id = in_account)
$$
"""

# It runs as the owner of the tables, so it looks at the scope itself, as the policy of sync_person does, and gives away
# nothing but keys, which the caller's own reading is held to again.
PEOPLE_CALLED = """
CREATE FUNCTION people_called(patterns text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 200 AS $$
DECLARE
    conditions text;
BEGIN
    SELECT string_agg(format('searchable LIKE folded(%L)', pattern), ' AND ') INTO conditions FROM unnest(patterns) pattern;
    IF current_setting('rollcall.everyone', true) IS DISTINCT FROM 'on' THEN
        conditions := conditions || ' AND (department_id = ANY ($2) OR manager_id = ANY ($3))';
    END IF;
    RETURN QUERY EXECUTE 'SELECT id FROM sync_person WHERE account_id = $1 AND ' || conditions
        USING nullif(current_setting('rollcall.account', true), '')::bigint,
              nullif(current_setting('rollcall.departments', true), '')::bigint[],
              nullif(current_setting('rollcall.managers', true), '')::bigint[];
END
$$
"""

# Both functions run as the owner of the tables: whoever writes an event needs no right to the chain, and cannot touch
# it. The text that is hashed is the one `dashboard.audit.chain` builds to verify it.
CHAIN = r"""
CREATE FUNCTION dashboard_seal_audit_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own_chain CONSTANT bigint := coalesce(NEW.account_id, 0);
    head dashboard_audithead;
    place bigint;
    own_digest text;
BEGIN
    -- One transaction of the account at a time from here to its end, which is next.
    SELECT * INTO head FROM dashboard_audithead WHERE chain = own_chain FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO dashboard_audithead (chain, position, digest) VALUES (own_chain, 0, repeat('0', 64))
            ON CONFLICT (chain) DO NOTHING;
        SELECT * INTO head FROM dashboard_audithead WHERE chain = own_chain FOR UPDATE;
    END IF;
    place := head.position + 1;
    own_digest := encode(sha256(convert_to(jsonb_build_object(
        'account', NEW.account_id,
        'action', NEW.action,
        'actor', NEW.actor_id,
        'actor_email', NEW.actor_email,
        'at', to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'details', NEW.details,
        'id', NEW.id,
        'network', NEW.network,
        'position', place,
        'previous', head.digest,
        'subject', NEW.subject,
        'subject_id', NEW.subject_id,
        'through', NEW.through
    )::text, 'UTF8')), 'hex');
    INSERT INTO dashboard_auditseal (event_id, chain, position, previous, digest)
        VALUES (NEW.id, own_chain, place, head.digest, own_digest);
    UPDATE dashboard_audithead SET position = place, digest = own_digest WHERE chain = own_chain;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_event_sealed AFTER INSERT ON dashboard_auditevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dashboard_seal_audit_event();

CREATE FUNCTION dashboard_refuse_rewriting_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is only ever added to: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON dashboard_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_audit();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON dashboard_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_audit();
CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE ON dashboard_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_audit();
CREATE TRIGGER audit_seal_no_truncate BEFORE TRUNCATE ON dashboard_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_audit();
CREATE TRIGGER audit_head_stays BEFORE DELETE ON dashboard_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_audit();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON dashboard_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_audit();
"""
UNCHAIN = """
DROP TRIGGER audit_event_sealed ON dashboard_auditevent;
DROP TRIGGER audit_event_append_only ON dashboard_auditevent;
DROP TRIGGER audit_event_no_truncate ON dashboard_auditevent;
DROP TRIGGER audit_seal_append_only ON dashboard_auditseal;
DROP TRIGGER audit_seal_no_truncate ON dashboard_auditseal;
DROP TRIGGER audit_head_stays ON dashboard_audithead;
DROP TRIGGER audit_head_no_truncate ON dashboard_audithead;
DROP FUNCTION dashboard_seal_audit_event();
DROP FUNCTION dashboard_refuse_rewriting_audit();
"""

# Whoever acts may add to the log; only readers of the log see it, and only their account's. The chain's tables are
# written by the function that seals, which acts as their owner: policies do not hold for owners. `rollcall.account` and
# `rollcall.audit` are what `dashboard.row_security` sets for the length of a request's transaction.
WALLS = """
ALTER TABLE dashboard_auditevent ENABLE ROW LEVEL SECURITY;
CREATE POLICY written_by_whoever_acts ON dashboard_auditevent FOR INSERT WITH CHECK (true);
CREATE POLICY read_by_readers_of_the_log ON dashboard_auditevent FOR SELECT USING (
    account_id = (SELECT nullif(current_setting('rollcall.account', true), '')::bigint)
    AND (SELECT current_setting('rollcall.audit', true) = 'on')
);
ALTER TABLE dashboard_auditseal ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_by_readers_of_the_log ON dashboard_auditseal FOR SELECT USING (
    chain = (SELECT nullif(current_setting('rollcall.account', true), '')::bigint)
    AND (SELECT current_setting('rollcall.audit', true) = 'on')
);
ALTER TABLE dashboard_audithead ENABLE ROW LEVEL SECURITY;
"""
OPENINGS = """
DROP POLICY written_by_whoever_acts ON dashboard_auditevent;
DROP POLICY read_by_readers_of_the_log ON dashboard_auditevent;
ALTER TABLE dashboard_auditevent DISABLE ROW LEVEL SECURITY;
DROP POLICY read_by_readers_of_the_log ON dashboard_auditseal;
ALTER TABLE dashboard_auditseal DISABLE ROW LEVEL SECURITY;
ALTER TABLE dashboard_audithead DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    replaces = [
        ("dashboard", "0002_membership"),
        ("dashboard", "0003_settings"),
        ("dashboard", "0004_rollups"),
        ("dashboard", "0005_tallies_from"),
        ("dashboard", "0006_standing_indexes"),
        ("dashboard", "0007_past_due_indexes"),
        ("dashboard", "0008_fact_by_campaign_due"),
        ("dashboard", "0009_members"),
        ("dashboard", "0010_reporting_line"),
        ("dashboard", "0011_audit"),
        ("dashboard", "0012_lines"),
        ("dashboard", "0013_audit_walls"),
        ("dashboard", "0014_exports"),
        ("dashboard", "0015_single_sign_on"),
        ("dashboard", "0016_branding"),
        ("dashboard", "0017_fact_by_manager"),
        ("dashboard", "0018_past_due_under_row_security"),
        ("dashboard", "0019_people_called"),
        ("dashboard", "0020_api_tokens"),
        ("dashboard", "0021_schedules"),
        ("dashboard", "0022_content_licenses"),
        ("dashboard", "0023_fact_ceased"),
    ]
    dependencies = [("dashboard", "0001_initial"), ("sync", "0001_squashed_0009")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="sync.account"
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="departments",
            field=models.ManyToManyField(blank=True, related_name="+", to="sync.department"),
        ),
        migrations.AddField(
            model_name="membership",
            name="ends_at",
            field=models.DateTimeField(blank=True, help_text="The first moment without it; null: no end.", null=True),
        ),
        migrations.AddField(
            model_name="membership",
            name="source",
            field=models.CharField(
                choices=[
                    ("invited", "Invited"),
                    ("single_sign_on", "Single sign-on"),
                    ("set_up", "Set up with the installation"),
                ],
                default="set_up",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"), name="user_email_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("user", "account", "role"), name="membership_role_unique"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("role", "auditor"), _negated=True), ("ends_at__isnull", False), _connector="OR"
                ),
                name="membership_auditor_ends",
            ),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="sync.account"
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("administrator", "Administrator"),
                            ("security_manager", "Security manager"),
                            ("department_head", "Department head"),
                            ("people_manager", "People manager"),
                            ("auditor", "Auditor"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True, help_text="When the role will end; null: it has no end.", null=True
                    ),
                ),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("invited_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "accepted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("accepted_at", models.DateTimeField(null=True)),
                (
                    "revoked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("revoked_at", models.DateTimeField(null=True)),
                ("departments", models.ManyToManyField(blank=True, related_name="+", to="sync.department")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("account"),
                        django.db.models.functions.text.Lower("email"),
                        models.F("role"),
                        condition=models.Q(("accepted_at__isnull", True), ("revoked_at__isnull", True)),
                        name="invitation_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("role", "auditor"), _negated=True), ("ends_at__isnull", False), _connector="OR"
                        ),
                        name="invitation_auditor_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delegation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="delegations", to="sync.account"
                    ),
                ),
                (
                    "lender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="delegations_given",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "borrower",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="delegations_held",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("lender", models.F("borrower")), _negated=True),
                        name="delegation_to_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="delegation_ends_after_start"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SingleSignOn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="single_sign_on", to="sync.account"
                    ),
                ),
                (
                    "key",
                    models.SlugField(
                        default=dashboard.models.single_sign_on.new_key, editable=False, max_length=20, unique=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("oidc", "OpenID Connect"), ("saml", "SAML 2.0")], default="oidc", max_length=4
                    ),
                ),
                ("name", models.CharField(help_text="As the sign-in page calls it.", max_length=60)),
                ("is_enabled", models.BooleanField(default=True)),
                ("is_required", models.BooleanField(default=False)),
                (
                    "email_domains",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=253), size=None),
                ),
                (
                    "default_role",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("administrator", "Administrator"),
                            ("security_manager", "Security manager"),
                            ("department_head", "Department head"),
                            ("people_manager", "People manager"),
                            ("auditor", "Auditor"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "groups_claim",
                    models.CharField(default="groups", help_text="The claim or attribute with groups.", max_length=200),
                ),
                ("server_url", models.URLField(blank=True, max_length=500)),
                ("client_id", models.CharField(blank=True, max_length=300)),
                ("encrypted_secret", models.BinaryField(default=b"")),
                ("idp_entity_id", models.CharField(blank=True, max_length=500)),
                ("idp_sso_url", models.URLField(blank=True, max_length=500)),
                ("idp_certificate", models.TextField(blank=True)),
                ("email_attribute", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("email_domains", []), _negated=True), name="single_sign_on_has_domains"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("default_role", "auditor"), _negated=True),
                        name="single_sign_on_default_has_no_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "oidc"), _negated=True),
                            models.Q(
                                models.Q(("server_url", ""), _negated=True), models.Q(("client_id", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="single_sign_on_oidc_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "saml"), _negated=True),
                            models.Q(
                                models.Q(("idp_entity_id", ""), _negated=True),
                                models.Q(("idp_sso_url", ""), _negated=True),
                                models.Q(("idp_certificate", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="single_sign_on_saml_is_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SingleSignOnRole",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "single_sign_on",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="roles", to="dashboard.singlesignon"
                    ),
                ),
                ("group", models.CharField(max_length=300)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("administrator", "Administrator"),
                            ("security_manager", "Security manager"),
                            ("department_head", "Department head"),
                            ("people_manager", "People manager"),
                            ("auditor", "Auditor"),
                        ],
                        max_length=20,
                    ),
                ),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("departments", models.ManyToManyField(blank=True, related_name="+", to="sync.department")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("single_sign_on", "group", "role"), name="single_sign_on_role_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("role", "auditor"), _negated=True), ("ends_at__isnull", False), _connector="OR"
                        ),
                        name="single_sign_on_role_auditor_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to="sync.account",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("token_digest", models.CharField(help_text="SHA-256, in hexadecimal.", max_length=64, unique=True)),
                ("prefix", models.CharField(max_length=20)),
                ("numbers_only", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(blank=True, help_text="To the minute.", null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["account", "user"], name="api_token_by_member")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="api_token_ends_after_start",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountSetting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="setting", to="sync.account"
                    ),
                ),
                (
                    "target_rate",
                    models.DecimalField(
                        decimal_places=1,
                        default=Decimal("95.0"),
                        help_text="Percent; rates below it are colored.",
                        max_digits=4,
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
            name="CampaignSetting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
            ],
        ),
        migrations.CreateModel(
            name="InferredTrigger",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
            ],
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
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
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
                (
                    "requested_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("requested_at", models.DateTimeField()),
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
                ("approved_at", models.DateTimeField(blank=True, null=True)),
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
                ("rejected_at", models.DateTimeField(blank=True, null=True)),
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
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("end_note", models.TextField(blank=True)),
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
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
                    ),
                ),
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
                (
                    "changed_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("changed_at", models.DateTimeField()),
                ("reason", models.TextField()),
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
        migrations.CreateModel(
            name="Branding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="branding", to="sync.account"
                    ),
                ),
                ("color", models.CharField(default="#0c6663", help_text="As #rrggbb.", max_length=7)),
                ("logo", models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="ContentLicense",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="content_licenses", to="sync.account"
                    ),
                ),
                (
                    "content",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="license", to="sync.contentitem"
                    ),
                ),
                ("ends_on", models.DateField(help_text="The last day, in the account's time zone.")),
                (
                    "entered_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("entered_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="RollupState",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rollups",
                        serialize=False,
                        to="sync.account",
                    ),
                ),
                ("time_zone", models.TextField()),
                ("horizon", models.DateTimeField()),
                ("days_from", models.DateTimeField()),
                ("tallies_from", models.DateTimeField(null=True)),
                ("built_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Fact",
            fields=[
                (
                    "enrollment",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="fact",
                        serialize=False,
                        to="sync.enrollment",
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("person_id", models.BigIntegerField()),
                ("department_id", models.BigIntegerField()),
                ("manager_id", models.BigIntegerField()),
                ("campaign_id", models.BigIntegerField()),
                ("content_type", models.SmallIntegerField()),
                ("enrolled_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                ("left_at", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("is_due_unknown", models.BooleanField()),
                ("is_acknowledged", models.BooleanField()),
            ],
            options={
                "indexes": [
                    models.Index(models.F("account_id"), models.F("person_id"), name="fact_by_person"),
                    models.Index(
                        models.F("account_id"), models.F("campaign_id"), models.F("due_at"), name="fact_by_campaign_due"
                    ),
                    models.Index(models.F("account_id"), models.F("department_id"), name="fact_by_department"),
                    models.Index(models.F("account_id"), models.F("manager_id"), name="fact_by_manager"),
                    models.Index(
                        models.F("account_id"),
                        dashboard.models.rollups.PastDueEnds("completed_at", "until"),
                        django.db.models.functions.comparison.Greatest("due_at", "enrolled_at"),
                        condition=models.Q(
                            ("due_at__isnull", False),
                            django.db.models.lookups.LessThan(
                                django.db.models.functions.comparison.Greatest("due_at", "enrolled_at"),
                                dashboard.models.rollups.PastDueEnds("completed_at", "until"),
                            ),
                        ),
                        name="fact_past_due",
                    ),
                    models.Index(
                        condition=models.Q(("until__isnull", False)),
                        fields=["account_id", "until"],
                        include=("enrolled_at", "removed_at", "department_id", "manager_id"),
                        name="fact_ceased",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PersonStanding",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="standing",
                        serialize=False,
                        to="sync.person",
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("department_id", models.BigIntegerField()),
                ("manager_id", models.BigIntegerField()),
                ("joined_at", models.DateTimeField(null=True)),
                ("left_at", models.DateTimeField(null=True)),
                ("computed_at", models.DateTimeField()),
                ("next_event_at", models.DateTimeField(null=True)),
                ("counted", models.IntegerField(default=0)),
                ("completed", models.IntegerField(default=0)),
                ("past_due", models.IntegerField(default=0)),
                ("exempt", models.IntegerField(default=0)),
                ("oldest_due_at", models.DateTimeField(null=True)),
                ("last_activity_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(models.F("account_id"), models.F("next_event_at"), name="standing_by_next_event"),
                    models.Index(models.F("account_id"), models.F("computed_at"), name="standing_by_computed"),
                    models.Index(models.F("account_id"), models.F("manager_id"), name="standing_by_manager"),
                    models.Index(models.F("account_id"), models.F("department_id"), name="standing_by_department"),
                    models.Index(
                        models.F("account_id"),
                        models.F("oldest_due_at"),
                        condition=models.Q(("past_due__gt", 0)),
                        name="standing_past_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportingLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.BigIntegerField()),
                ("manager_id", models.BigIntegerField()),
                ("below_id", models.BigIntegerField()),
                ("is_loop", models.BooleanField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("account_id"),
                        models.F("manager_id"),
                        condition=models.Q(("is_loop", True)),
                        name="line_with_loop",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account_id", "manager_id", "below_id"), name="line_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="ExemptSpan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("enrollment_id", models.BigIntegerField()),
                ("account_id", models.BigIntegerField()),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
            ],
            options={
                "indexes": [
                    models.Index(models.F("enrollment_id"), name="exempt_span_by_enrollment"),
                    models.Index(models.F("account_id"), name="exempt_span_by_account"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.BigIntegerField()),
                (
                    "grain",
                    models.SmallIntegerField(
                        choices=[
                            (1, "Department"),
                            (2, "Manager"),
                            (3, "Campaign and content type"),
                            (4, "Department, campaign and content type"),
                            (5, "Department and the month of the due date"),
                        ]
                    ),
                ),
                ("is_standing", models.BooleanField()),
                ("is_exempt", models.BooleanField()),
                ("at", models.DateTimeField()),
                ("department_id", models.BigIntegerField()),
                ("manager_id", models.BigIntegerField()),
                ("campaign_id", models.BigIntegerField()),
                ("content_type", models.SmallIntegerField()),
                ("counted", models.IntegerField()),
                ("completed", models.IntegerField()),
                ("completed_late", models.IntegerField()),
                ("past_due", models.IntegerField()),
                ("in_progress", models.IntegerField()),
                ("due", models.IntegerField()),
                ("on_time", models.IntegerField()),
                ("unknown_due", models.IntegerField()),
                ("policies", models.IntegerField()),
                ("acknowledged", models.IntegerField()),
                ("people_counted", models.IntegerField()),
                ("people_past_due", models.IntegerField()),
                ("people_active", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "account_id",
                            "grain",
                            "is_standing",
                            "at",
                            "department_id",
                            "manager_id",
                            "campaign_id",
                            "content_type",
                            "is_exempt",
                        ),
                        name="tally_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CohortTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.BigIntegerField()),
                ("is_standing", models.BooleanField()),
                ("is_exempt", models.BooleanField()),
                ("at", models.DateTimeField()),
                ("department_id", models.BigIntegerField()),
                ("due_month", models.IntegerField()),
                ("enrolled", models.IntegerField()),
                ("due", models.IntegerField()),
                ("completed", models.IntegerField()),
                ("on_time", models.IntegerField()),
                ("due_on_time", models.IntegerField()),
                ("completed_in_month", models.IntegerField()),
                ("completed_in_quarter", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_id", "is_standing", "at", "department_id", "due_month", "is_exempt"),
                        name="cohort_tally_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sync.account",
                    ),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("actor_email", models.TextField(blank=True)),
                ("through", models.CharField(max_length=20)),
                ("action", models.CharField(max_length=40)),
                ("subject", models.CharField(blank=True, max_length=20)),
                ("subject_id", models.BigIntegerField(null=True)),
                ("details", models.JSONField(default=dict)),
                ("network", models.TextField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-at", "-id"], name="audit_by_time"),
                    models.Index(fields=["account", "actor", "-at", "-id"], name="audit_by_actor"),
                    models.Index(fields=["account", "action", "-at", "-id"], name="audit_by_action"),
                    models.Index(fields=["account", "subject", "subject_id", "-at", "-id"], name="audit_by_subject"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="seal",
                        serialize=False,
                        to="dashboard.auditevent",
                    ),
                ),
                ("chain", models.BigIntegerField()),
                ("position", models.BigIntegerField()),
                ("previous", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("chain", "position"), name="audit_seal_in_its_place"),
                    models.CheckConstraint(condition=models.Q(("position__gte", 1)), name="audit_seal_from_one"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("chain", models.BigIntegerField(primary_key=True, serialize=False)),
                ("position", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to="sync.account",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("table", models.CharField(max_length=40)),
                ("parameters", models.JSONField(default=dict)),
                ("format", models.CharField(choices=[("csv", "CSV"), ("xlsx", "XLSX")], max_length=4)),
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
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("bytes", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("begun", models.SmallIntegerField(default=0, help_text="How often a worker took it up.")),
                ("requested_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("account"),
                        models.F("user"),
                        models.OrderBy(models.F("requested_at"), descending=True),
                        name="export_by_reader",
                    ),
                    models.Index(
                        models.F("requested_at"),
                        condition=models.Q(("state__in", ["waiting", "working", "ready"])),
                        name="export_unfinished",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EvidencePack",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
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
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                (
                    "department",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.department"
                    ),
                ),
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
                (
                    "previous",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="next",
                        to="dashboard.evidencepack",
                    ),
                ),
                ("manifest_sha256", models.CharField(blank=True, max_length=64)),
                ("enrollments", models.BigIntegerField(null=True)),
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("bytes", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("requested_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
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
            name="Schedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="schedules", to="sync.account"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                ("days_after", models.SmallIntegerField(null=True)),
                ("at_time", models.TimeField()),
                ("created_at", models.DateTimeField()),
                ("since", models.DateTimeField()),
                ("paused_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("recipients", models.ManyToManyField(related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("frequency", "weekly"),
                                ("weekday__isnull", False),
                                ("weekday__gte", 0),
                                ("weekday__lte", 6),
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
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Occurrence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
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
                ("due_at", models.DateTimeField()),
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
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-due_at"], name="occurrence_by_account")],
                "constraints": [models.UniqueConstraint(fields=("schedule", "due_at"), name="occurrence_once")],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sync.account"
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
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
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
        migrations.RunSQL(LOG_APPEND_ONLY, LOG_FREE),
        migrations.RunSQL(EXEMPTION_WRITTEN_ONCE, EXEMPTION_FREE),
        migrations.RunSQL(REPORTING_LINE, "DROP FUNCTION reporting_line(bigint, text)"),
        migrations.RunSQL(PEOPLE_CALLED, "DROP FUNCTION people_called(text[])"),
        migrations.RunSQL(CHAIN, UNCHAIN),
        migrations.RunSQL(WALLS, OPENINGS),
    ]
