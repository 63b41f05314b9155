"""Functions that hold what the pages' role sees, writes and logs to proofs with a key that it cannot read."""

from django.db import migrations

# HMAC-SHA-256 by two calls of sha256, which every server has; the key is kept as it begins them.
PROOFS = """
CREATE TABLE rollcall_key (id text PRIMARY KEY, inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);
COMMENT ON TABLE rollcall_key IS 'Written by migrate, from SECRET_KEY; for the tables'' owner alone.';

CREATE FUNCTION rollcall_moment() RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT pg_backend_pid() || ':' || (extract(epoch FROM now()) * 1000000)::bigint
$$;

CREATE FUNCTION rollcall_challenge(names text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT id || ' ' || rollcall_moment() FROM rollcall_key WHERE id = ANY (names)
    ORDER BY array_position(names, id) LIMIT 1
$$;

CREATE FUNCTION rollcall_is_proven(purpose text, message text, proof text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    key record;
    said bytea := convert_to(
        purpose || ' ' || pg_backend_pid() || ':' || (extract(epoch FROM now()) * 1000000)::bigint || ' ' || message,
        'UTF8'
    );
BEGIN
    SELECT inner_pad, outer_pad INTO key FROM rollcall_key WHERE id = split_part(proof, ' ', 1);
    RETURN FOUND AND encode(sha256(key.outer_pad || sha256(key.inner_pad || said)), 'hex') = split_part(proof, ' ', 2);
END $$;

-- A part of the scope that the transaction was told, by its place; null for none, and for what was not proven. It takes
-- `rollcall.scope` to be the proof, a bar and the parts with bars between them.
CREATE FUNCTION rollcall_scope(place integer) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    told text := current_setting('rollcall.scope', true);
    said text := substr(told, strpos(told, '|') + 1);
BEGIN
    IF coalesce(told, '') = '' OR NOT rollcall_is_proven('scope', said, split_part(told, '|', 1)) THEN
        RETURN NULL;
    END IF;
    RETURN nullif(split_part(said, '|', place), '');
END $$;

CREATE FUNCTION rollcall_require_proof() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE')
       AND rollcall_is_proven('write ' || TG_TABLE_NAME, '', current_setting('rollcall.write', true)) IS NOT TRUE
    THEN
        RAISE EXCEPTION '% on % is refused: it does not come from Rollcall.', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
"""
NO_PROOFS = """
DROP FUNCTION rollcall_require_proof() CASCADE;
DROP FUNCTION rollcall_scope(integer) CASCADE;
DROP FUNCTION rollcall_is_proven(text, text, text);
DROP FUNCTION rollcall_challenge(text[]);
DROP FUNCTION rollcall_moment();
DROP TABLE rollcall_key;
"""

# As before, but for where it learns the scope (`row_security.PLACES`).
PEOPLE_CALLED = """
CREATE OR REPLACE FUNCTION people_called(patterns text[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 200 AS $$
DECLARE
    conditions text;
BEGIN
    SELECT string_agg(format('searchable LIKE folded(%L)', pattern), ' AND ') INTO conditions FROM unnest(patterns) pattern;
    IF rollcall_scope(2) IS DISTINCT FROM 'on' THEN
        conditions := conditions || ' AND (department_id = ANY ($2) OR manager_id = ANY ($3))';
    END IF;
    RETURN QUERY EXECUTE 'SELECT id FROM sync_person WHERE account_id = $1 AND ' || conditions
        USING rollcall_scope(1)::bigint, rollcall_scope(3)::bigint[], rollcall_scope(4)::bigint[];
END
$$
"""
PEOPLE_CALLED_BEFORE = PEOPLE_CALLED
for place, name in ((1, "account"), (2, "everyone"), (3, "departments"), (4, "managers")):
    PEOPLE_CALLED_BEFORE = PEOPLE_CALLED_BEFORE.replace(
        f"rollcall_scope({place})", f"nullif(current_setting('rollcall.{name}', true), '')"
    )

# Whoever acts, this program writes the event; nobody else does. Only readers of the log see it.
AUDIT = """
CREATE FUNCTION rollcall_write_event(event text, proof text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF rollcall_is_proven('event', event, proof) IS NOT TRUE THEN
        RAISE EXCEPTION 'The audit log is written by Rollcall alone: this event does not come from it.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO dashboard_auditevent
        (account_id, at, actor_id, actor_email, through, action, subject, subject_id, details, network)
    SELECT account, at, actor, actor_email, through, action, subject, subject_id, details, network
    FROM jsonb_to_record(event::jsonb) AS told (
        account bigint, at timestamptz, actor bigint, actor_email text, through text, action text, subject text,
        subject_id bigint, details jsonb, network text
    );
END $$;
DROP POLICY written_by_whoever_acts ON dashboard_auditevent;
ALTER POLICY read_by_readers_of_the_log ON dashboard_auditevent USING (
    account_id = (SELECT rollcall_scope(1)::bigint) AND (SELECT rollcall_scope(5) = 'on')
);
ALTER POLICY read_by_readers_of_the_log ON dashboard_auditseal USING (
    chain = (SELECT rollcall_scope(1)::bigint) AND (SELECT rollcall_scope(5) = 'on')
);
"""
AUDIT_BEFORE = """
DROP FUNCTION rollcall_write_event(text, text);
CREATE POLICY written_by_whoever_acts ON dashboard_auditevent FOR INSERT WITH CHECK (true);
ALTER POLICY read_by_readers_of_the_log ON dashboard_auditevent USING (
    account_id = (SELECT nullif(current_setting('rollcall.account', true), '')::bigint)
    AND (SELECT current_setting('rollcall.audit', true) = 'on')
);
ALTER POLICY read_by_readers_of_the_log ON dashboard_auditseal USING (
    chain = (SELECT nullif(current_setting('rollcall.account', true), '')::bigint)
    AND (SELECT current_setting('rollcall.audit', true) = 'on')
);
"""


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0033_export_scope")]

    operations = [
        migrations.RunSQL(PROOFS, NO_PROOFS),
        migrations.RunSQL(PEOPLE_CALLED, PEOPLE_CALLED_BEFORE),
        migrations.RunSQL(AUDIT, AUDIT_BEFORE),
    ]
