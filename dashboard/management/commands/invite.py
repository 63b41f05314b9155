"""`manage.py invite`: a link for somebody new, and the way back in for whoever is locked out."""

from argparse import ArgumentParser
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from config.commands import PlainCommand
from config.email_addresses import validate_address
from dashboard.identity.invitation_mail import link_of, mail_link
from dashboard.local_days import local_midnight
from dashboard.management.accounts import EXIT_MISUSE, find_account
from dashboard.models import Invitation, Role
from dashboard.queries.belonging import replaces_password
from dashboard.queries.members import find_user
from dashboard.queries.offers import doubts
from dashboard.services import RefusedError
from dashboard.services.members import Offer
from dashboard.services.operator_links import way_in
from sync.models import Account, Department


class Command(PlainCommand):
    help = (
        "Print a link that lets somebody in with a role, and mail it where EMAIL_URL is set. It works once, for 24 "
        "hours. Whoever has a sign-in already chooses another password with it. Recorded in the audit log as an act of "
        "the command line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="whom to let in")
        parser.add_argument("--role", required=True, metavar="ROLE", help=f"one of {', '.join(Role.values)}")
        parser.add_argument("--account", metavar="NAME", help="which account; not needed when there is only one")
        parser.add_argument(
            "--department", metavar="NAME", action="append", default=[], help="of a department head; can be repeated"
        )
        parser.add_argument(
            "--until", metavar="DAY", help="the role's last day, such as 2026-12-31; an auditor has one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        email = options["email"].strip()
        try:
            validate_address(email)
        except ValidationError:
            raise CommandError(f"{email!r} is no email address.", returncode=EXIT_MISUSE) from None
        if options["role"] not in Role.values:
            known = ", ".join(Role.values)
            raise CommandError(f"There is no role {options['role']!r}; the roles are: {known}.", returncode=EXIT_MISUSE)
        account = find_account(options["account"])
        offer = Offer(
            Role(options["role"]),
            [_department(account, name) for name in options["department"]],
            _end(options["until"], account),
        )
        has_sign_in = find_user(email) is not None
        try:
            invitation, token = way_in(account, email, offer, at=now)
        except RefusedError as error:
            raise CommandError(str(error), returncode=EXIT_MISUSE) from None
        for doubt in doubts(account, offer.role, email=email, departments=list(offer.departments)):
            self.stdout.write(f"Note: {doubt}")
        if settings.HAS_MAIL_SERVER:
            self.stdout.write(mail_link(invitation, token))
        does, role = _does(invitation, has_sign_in=has_sign_in), invitation.get_role_display().lower()
        self.stdout.write(f"This link {does} {email}, {role} of {account}. It works once, for 24 hours:")
        self.stdout.write(f"  {link_of(token)}")


def _does(invitation: Invitation, *, has_sign_in: bool) -> str:
    """Say what the link does, up to for whom."""
    single_sign_on = replaces_password(invitation.account, invitation.role)
    if single_sign_on is not None:
        return f"sets no password, for members sign in through {single_sign_on}; it gives the role to"
    return "chooses another password for" if has_sign_in else "makes a sign-in for"


def _department(account: Account, name: str) -> Department:
    """Return the account's department of this name; CommandError when there is none."""
    found = Department.objects.filter(account=account, name=name, merged_into=None).first()
    if found is None:
        raise CommandError(f"{account} has no department {name!r}.", returncode=EXIT_MISUSE)
    return found


def _end(day: str | None, account: Account) -> datetime | None:
    """Return the first moment after a last day, in the account's zone; None for no end. CommandError for no day."""
    if day is None:
        return None
    try:
        return local_midnight(date.fromisoformat(day) + timedelta(days=1), account.zone)
    except (ValueError, OverflowError):
        raise CommandError(f"--until takes a day like 2026-12-31, not {day!r}.", returncode=EXIT_MISUSE) from None
