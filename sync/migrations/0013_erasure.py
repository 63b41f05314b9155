"""A person can be erased: their row keeps its id and dates, and Change loses what it remembers of who they were."""

from django.db import migrations, models

# `rollcall.erasing` is set by `dashboard.services.erasure` for the length of its transaction. It opens nothing to the pages'
# role, which is no member of the tables' owner; and what may be written is only less than was there.
MAY_ERASE = """
CREATE FUNCTION rollcall_may_erase(relation oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_setting('rollcall.erasing', true) = 'on' AND pg_has_role(current_user, relowner, 'USAGE')
    FROM pg_class WHERE oid = relation
$$;
"""
HISTORY_BUT_FOR_ERASURE = """
CREATE OR REPLACE FUNCTION sync_refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND rollcall_may_erase(TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'Changes are history: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE FUNCTION sync_refuse_all_but_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - ARRAY['old', 'new'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['old', 'new']
       OR coalesce(NEW.old, '') <> '' OR coalesce(NEW.new, '') <> ''
    THEN
        RAISE EXCEPTION 'Changes are history: erasing empties their values and nothing else.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER change_only_emptied BEFORE UPDATE ON sync_change
    FOR EACH ROW EXECUTE FUNCTION sync_refuse_all_but_erasing();
"""
HISTORY_FOR_EVER = """
DROP TRIGGER change_only_emptied ON sync_change;
DROP FUNCTION sync_refuse_all_but_erasing();
CREATE OR REPLACE FUNCTION sync_refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Changes are history: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("sync", "0012_run_numbers")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="erased_at",
            field=models.DateTimeField(
                null=True, blank=True, help_text="Whoever this was is forgotten: no sync writes who it is again."
            ),
        ),
        migrations.RunSQL(MAY_ERASE, "DROP FUNCTION rollcall_may_erase(oid)"),
        migrations.RunSQL(HISTORY_BUT_FOR_ERASURE, HISTORY_FOR_EVER),
    ]
