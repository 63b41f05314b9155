from django.db import migrations

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
    dependencies = [("dashboard", "0012_lines")]

    operations = [migrations.RunSQL(WALLS, OPENINGS)]
