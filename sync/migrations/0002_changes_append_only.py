from django.db import migrations

# Per statement, so that inserts cost nothing.
FORWARD = """
CREATE FUNCTION sync_refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Changes are history: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER change_append_only BEFORE UPDATE OR DELETE ON sync_change
    FOR EACH STATEMENT EXECUTE FUNCTION sync_refuse_rewriting_history();
"""
BACKWARD = """
DROP TRIGGER change_append_only ON sync_change;
DROP FUNCTION sync_refuse_rewriting_history();
"""


class Migration(migrations.Migration):
    dependencies = [("sync", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
