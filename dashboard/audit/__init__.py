"""The audit log: one event for each act, recorded where the act is done, and a chain that proves none is missing."""

from dashboard.audit.log import Action as Action
from dashboard.audit.log import AuditEvent as AuditEvent
from dashboard.audit.log import Subject as Subject
from dashboard.audit.log import Through as Through
from dashboard.audit.log import asked as asked
from dashboard.audit.log import events as events
from dashboard.audit.log import record as record
