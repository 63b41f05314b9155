"""Who stands above whom, for a reader whose scope is not known yet."""

from django.db import migrations

# As `sync.pipeline` links people to their managers: the person with that email, active ones first, then the oldest.
# A line is cut where it meets somebody again. It runs as the owner of the tables: the scope of whoever asks depends on
# it. It tells nothing but keys.
FUNCTION = """
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


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0009_members"), ("sync", "0008_searchable_people")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION reporting_line(bigint, text)")]
