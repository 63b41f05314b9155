"""Every list that can be had as a file, by the key that addresses name it with."""

from dashboard.exports.table_request import Table
from dashboard.exports.tables.audit import AUDIT_LOG
from dashboard.exports.tables.campaigns import ALL_CAMPAIGNS
from dashboard.exports.tables.changes import CHANGES
from dashboard.exports.tables.enrollments import ALL_ENROLLMENTS, CAMPAIGN_PEOPLE, PAST_DUE_ENROLLMENTS
from dashboard.exports.tables.exemptions import EXEMPTIONS
from dashboard.exports.tables.people import ALL_PEOPLE, PAST_DUE_PEOPLE
from dashboard.exports.tables.trends import DEPARTMENTS_BY_PERIOD, TRENDS

TABLES: dict[str, Table] = {
    table.key: table
    for table in (
        PAST_DUE_PEOPLE,
        PAST_DUE_ENROLLMENTS,
        ALL_PEOPLE,
        ALL_ENROLLMENTS,
        ALL_CAMPAIGNS,
        CAMPAIGN_PEOPLE,
        TRENDS,
        DEPARTMENTS_BY_PERIOD,
        EXEMPTIONS,
        CHANGES,
        AUDIT_LOG,
    )
}
