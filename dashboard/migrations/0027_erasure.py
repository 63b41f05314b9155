"""Erasing people from the log, settings and exemptions, and what an account keeps for how long."""

import django.db.models.deletion
from django.db import migrations, models

# Each function as it was, but for what `rollcall_may_erase` lets through, and what that may do.
APPEND_ONLY_BUT_FOR_ERASURE = """
CREATE OR REPLACE FUNCTION dashboard_refuse_rewriting_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'dashboard_auditevent' AND rollcall_may_erase(TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The audit log is only ever added to: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE FUNCTION dashboard_refuse_all_but_erasing_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - ARRAY['actor_email', 'network'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['actor_email', 'network']
       OR NEW.actor_email <> '' OR NEW.network <> ''
    THEN
        RAISE EXCEPTION 'The audit log is only ever added to: erasing empties email and network and nothing else.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_event_only_emptied BEFORE UPDATE ON dashboard_auditevent
    FOR EACH ROW EXECUTE FUNCTION dashboard_refuse_all_but_erasing_audit();
CREATE TRIGGER audit_erasure_append_only BEFORE UPDATE OR DELETE ON dashboard_auditerasure
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_audit();
CREATE TRIGGER audit_erasure_no_truncate BEFORE TRUNCATE ON dashboard_auditerasure
    FOR EACH STATEMENT EXECUTE FUNCTION dashboard_refuse_rewriting_audit();

CREATE OR REPLACE FUNCTION dashboard_refuse_rewriting_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND rollcall_may_erase(TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'Changes of settings are history: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE FUNCTION dashboard_refuse_all_but_erasing_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - ARRAY['old', 'new', 'reason'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['old', 'new', 'reason']
       OR coalesce(NEW.old, '') <> '' OR coalesce(NEW.new, '') <> '' OR NEW.reason <> 'Erased'
    THEN
        RAISE EXCEPTION 'Changes of settings are history: erasing empties their words and nothing else.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER setting_change_only_emptied BEFORE UPDATE ON dashboard_settingchange
    FOR EACH ROW EXECUTE FUNCTION dashboard_refuse_all_but_erasing_settings();

CREATE OR REPLACE FUNCTION dashboard_refuse_rewriting_exemptions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decisions CONSTANT text[] := ARRAY['approved_by_id', 'approved_at', 'rejected_by_id', 'rejected_at',
                                       'ended_by_id', 'ended_at', 'end_note'];
    words CONSTANT text[] := ARRAY['note', 'evidence', 'end_note'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Exemptions are ended, never deleted.';
    END IF;
    IF rollcall_may_erase(TG_RELID) AND to_jsonb(NEW) - words = to_jsonb(OLD) - words
       AND NEW.note IN ('', 'Erased') AND NEW.evidence = '' AND NEW.end_note = ''
    THEN
        RETURN NEW;
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
"""
# The way back leaves the functions as they are: without `rollcall.erasing` they refuse what they refused before.
KEPT_FUNCTIONS = """
DROP TRIGGER audit_event_only_emptied ON dashboard_auditevent;
DROP FUNCTION dashboard_refuse_all_but_erasing_audit();
DROP TRIGGER setting_change_only_emptied ON dashboard_settingchange;
DROP FUNCTION dashboard_refuse_all_but_erasing_settings();
"""


class Migration(migrations.Migration):
    dependencies = [("sync", "0013_erasure"), ("dashboard", "0026_sent_forms")]

    operations = [
        migrations.CreateModel(
            name="AuditErasure",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="erasure",
                        serialize=False,
                        to="dashboard.auditevent",
                    ),
                ),
                (
                    "act",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dashboard.auditevent"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("people_days", models.PositiveIntegerField(blank=True, null=True)),
                ("mails_days", models.PositiveIntegerField(blank=True, null=True)),
                ("exports_days", models.PositiveIntegerField(blank=True, null=True)),
                ("sessions_days", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="retention", to="sync.account"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(APPEND_ONLY_BUT_FOR_ERASURE, KEPT_FUNCTIONS),
    ]
