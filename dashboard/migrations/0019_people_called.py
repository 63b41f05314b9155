"""Find people by words of their names through the index, which row-level security keeps LIKE from."""

from django.db import migrations

# It runs as the owner of the tables, so it looks at the scope itself, as the policy of sync_person does, and gives away
# nothing but keys, which the caller's own reading is held to again.
FUNCTION = """
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


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0018_past_due_under_row_security"), ("sync", "0008_searchable_people")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION people_called(text[])")]
