"""Models of what Rollcall owns: users, what they may see, and what is counted."""

from dashboard.models.alerts import Alert, AlertMail
from dashboard.models.audit import AuditErasure, AuditEvent, AuditHead, AuditSeal
from dashboard.models.branding import Branding
from dashboard.models.domains import EmailDomain
from dashboard.models.evidence import EvidencePack
from dashboard.models.exports import Export
from dashboard.models.forms import SentForm
from dashboard.models.licenses import ContentLicense
from dashboard.models.members import Delegation, Invitation, Membership, Role
from dashboard.models.retention import Retention
from dashboard.models.rollups import (
    CONTENT_TYPE_CODES,
    CohortTally,
    ExemptSpan,
    Fact,
    Grain,
    PersonStanding,
    ReportingLine,
    RollupState,
    Tally,
)
from dashboard.models.schedules import Delivery, Occurrence, Schedule
from dashboard.models.settings import (
    AccountSetting,
    CampaignSetting,
    DepartmentMerge,
    DepartmentRename,
    Exemption,
    InferredTrigger,
    SettingChange,
    Trigger,
)
from dashboard.models.single_sign_on import SingleSignOn, SingleSignOnRole
from dashboard.models.tokens import ApiToken
from dashboard.models.users import User, UserManager
from dashboard.models.work import AskedTask

__all__ = [
    "CONTENT_TYPE_CODES",
    "AccountSetting",
    "Alert",
    "AlertMail",
    "ApiToken",
    "AskedTask",
    "AuditErasure",
    "AuditEvent",
    "AuditHead",
    "AuditSeal",
    "Branding",
    "CampaignSetting",
    "CohortTally",
    "ContentLicense",
    "Delegation",
    "Delivery",
    "DepartmentMerge",
    "DepartmentRename",
    "EmailDomain",
    "EvidencePack",
    "ExemptSpan",
    "Exemption",
    "Export",
    "Fact",
    "Grain",
    "InferredTrigger",
    "Invitation",
    "Membership",
    "Occurrence",
    "PersonStanding",
    "ReportingLine",
    "Retention",
    "Role",
    "RollupState",
    "Schedule",
    "SentForm",
    "SettingChange",
    "SingleSignOn",
    "SingleSignOnRole",
    "Tally",
    "Trigger",
    "User",
    "UserManager",
]
