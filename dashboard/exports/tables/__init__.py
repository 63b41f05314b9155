"""Every list that can be had as a file, by the key that addresses name it with."""

from dashboard.exports.table_request import Table
from dashboard.exports.tables.audit import AUDIT_LOG
from dashboard.exports.tables.campaigns import CAMPAIGNS
from dashboard.exports.tables.changes import CHANGES
from dashboard.exports.tables.enrollments import CAMPAIGN_PEOPLE, ENROLLMENTS, PAST_DUE_ENROLLMENTS
from dashboard.exports.tables.exemptions import EXEMPTIONS
from dashboard.exports.tables.people import PAST_DUE, PEOPLE
from dashboard.exports.tables.trends import DEPARTMENTS_BY_PERIOD, TRENDS

TABLES: dict[str, Table] = {
    table.key: table
    for table in (
        PAST_DUE,
        PAST_DUE_ENROLLMENTS,
        PEOPLE,
        ENROLLMENTS,
        CAMPAIGNS,
        CAMPAIGN_PEOPLE,
        TRENDS,
        DEPARTMENTS_BY_PERIOD,
        EXEMPTIONS,
        CHANGES,
        AUDIT_LOG,
    )
}
