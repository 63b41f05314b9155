import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# Both functions run as the owner of the tables: whoever writes an event needs no right to the chain, and cannot touch
# it. The text that is hashed is the one `dashboard.audit_chain` builds to verify it.
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


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0010_reporting_line"),
        ("sync", "0008_searchable_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor_email", models.TextField(blank=True)),
                ("through", models.CharField(max_length=20)),
                ("action", models.CharField(max_length=40)),
                ("subject", models.CharField(blank=True, max_length=20)),
                ("subject_id", models.BigIntegerField(null=True)),
                ("details", models.JSONField(default=dict)),
                ("network", models.TextField(blank=True)),
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
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-at", "-id"], name="audit_by_time"),
                    models.Index(fields=["account", "actor", "-at", "-id"], name="audit_by_actor"),
                    models.Index(fields=["account", "action", "-at", "-id"], name="audit_by_action"),
                    models.Index(fields=["account", "subject", "subject_id", "-at", "-id"], name="audit_by_subject"),
                ]
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
        migrations.RunSQL(CHAIN, UNCHAIN),
    ]
