"""Ending an invitation, and what the audit log says of invitations and roles."""

from datetime import datetime

from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.audit import Action, Subject, Through, record
from dashboard.models import Invitation, Membership, User
from dashboard.services.deciding import RefusedError, deciding


def revoke(invitation: Invitation, *, by: User | None, at: datetime, request: HttpRequest | None = None) -> None:
    """End an invitation that nobody accepted; its link stops working. RefusedError once it is accepted or revoked.

    `by` is None where nobody ends it: the role of who invited is over.
    """
    with deciding(invitation.account):
        invitation.refresh_from_db()
        refuse_closed(invitation)
        invitation.revoked_by, invitation.revoked_at = by, at
        invitation.save(update_fields=["revoked_by", "revoked_at"])
        through = None if by else Through.SCHEDULE
        note(Action.INVITATION_REVOKED, invitation, by, request, through=through, role=invitation.role)


def refuse_closed(invitation: Invitation) -> None:
    """Raise RefusedError for an invitation that is accepted or revoked."""
    if invitation.accepted_at is not None:
        raise RefusedError(_("This invitation was accepted already."))
    if invitation.revoked_at is not None:
        raise RefusedError(_("This invitation was revoked."))


def note(
    action: Action,
    about: Invitation | Membership,
    by: User | None,
    request: HttpRequest | None,
    *,
    through: Through | None = None,
    **details: object,
) -> None:
    """Record it; by nobody is by whoever runs the server, at its command line, unless `through` says otherwise."""
    subject = Subject.INVITATION if isinstance(about, Invitation) else Subject.MEMBERSHIP
    departments = sorted(department.pk for department in about.departments.all())
    ends_at = about.ends_at.isoformat() if about.ends_at else None
    record(
        action,
        account=about.account,
        user=by,
        subject=subject,
        subject_id=about.pk,
        details={**details, "departments": departments, "ends_at": ends_at},
        request=request,
        through=through or (None if by else Through.COMMAND),
    )
