"""The link of an invitation, and the mail it goes with."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from dashboard.models import Invitation
from dashboard.queries.belonging import replaces_password
from dashboard.requests.account_paths import unnamed_address

logger = logging.getLogger(__name__)
# What sending raises: ValueError for addresses, senders and host names that no mail can be made of or sent to.
CANNOT_SEND = (OSError, SMTPException, ValueError)


def link_of(token: str) -> str:
    """Return the address that a token is part of."""
    return public_address("accept_invitation", token=token)


def public_address(name: str, **parts: str) -> str:
    """Return the address of a page as it stands in a mail, and at other systems."""
    return settings.PUBLIC_URL + unnamed_address(name, **parts)


def send_invitation(invitation: Invitation, token: str) -> None:
    """Send the link to the address that is invited. Raises one of CANNOT_SEND when that fails."""
    account = invitation.account
    if invitation.sets_password:
        subject = _("Your way into Rollcall")
    elif invitation.is_from_operator:
        subject = _("Set up Rollcall")
    else:
        subject = _("%(account)s invites you to Rollcall") % {"account": account}
    context = {
        "invitation": invitation,
        "departments": [str(department) for department in invitation.departments.all()],
        "address": link_of(token),
        "single_sign_on": replaces_password(account, invitation.role),
    }
    text = render_to_string("dashboard/members/invitation_mail.txt", context)
    send_mail(subject, text, None, [invitation.email])


def mail_link(invitation: Invitation, token: str) -> str:
    """Send a link that is printed, too, and return in a sentence whether that worked."""
    try:
        send_invitation(invitation, token)
    except CANNOT_SEND as error:
        logger.warning("An invitation could not be sent: %s", type(error).__name__)
        said = _("The link could not be mailed to %(email)s: check EMAIL_URL and EMAIL_FROM, or pass it on yourself.")
    else:
        said = _("The link is mailed to %(email)s, too.")
    return said % {"email": invitation.email}
