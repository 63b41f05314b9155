"""Prepare an installation for its first page: the account of the environment, and someone who can sign in."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.commands import PlainCommand
from dashboard.audit import Action, Subject, Through, record
from dashboard.identity.demo import demo_password, make_up
from dashboard.identity.invitation_mail import link_of, mail_link
from dashboard.models import Role
from dashboard.services import RefusedError
from dashboard.services.operator_links import first_administrator_link
from sync.models import Account
from sync.models.environment import Described, UnknownAccountError, WhichAccountError, describe, place_in_words

EXIT_WHICH_ACCOUNT = 6


@dataclass
class Prepared:
    """Result to print: the account, the demo's sign-ins or a first administrator's link, and sentences."""

    account: Account | None = None
    sign_ins: list[dict[str, str]] = field(default_factory=list)
    link: str = ""
    email: str = ""
    said: list[str] = field(default_factory=list)

    def as_json(self) -> str:
        """Return it for `bin/run`."""
        account = self.account
        return json.dumps(
            {
                "account": str(account or ""),
                "has_key": bool(account and account.encrypted_key),
                "is_published": account is not None and account.published_at is not None,
                "sign_ins": self.sign_ins,
                "link": self.link,
                "email": self.email,
                "said": self.said,
            }
        )


class Command(PlainCommand):
    help = (
        "Make or update the account that the environment describes (KNOWBE4_API_KEY, KNOWBE4_REGION, KNOWBE4_BASE_URL; "
        "without a key: one without a key) and, as long as no administrator can sign in, print a link for the first "
        "one and mail it to ADMIN_EMAIL. Each link ends the one before. Safe to repeat. Exit status 6: the environment "
        "names another place than before, and it must be said which account is meant."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print what is prepared as JSON")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--move", metavar="NAME", default="", help="read this account from the environment's place")
        which.add_argument("--add", action="store_true", help="add an account for the environment's place")
        which.add_argument(
            "--no-demo", action="store_true", help="without a key: make an account though the demo's is there"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        described = self._describe(options)
        prepared = Prepared()
        if described is not None:
            prepared.account, prepared.said = described.account, described.said
            if described.account.is_demo:
                prepared.sign_ins = _demo_sign_ins(described.account)
            else:
                _invite(prepared, described.account, at=now, is_seen=options["json"] or sys.stdout.isatty())
        if options["json"]:
            self.stdout.write(prepared.as_json())
            return
        for line in _lines(prepared, now):
            self.stdout.write(line)

    def _describe(self, options: dict[str, Any]) -> Described | None:
        """Return the account of the environment; whoever sits at the terminal is asked which one is meant."""
        asked = {"move": options["move"], "add": options["add"], "without_demo": options["no_demo"]}
        try:
            return _recorded(asked)
        except UnknownAccountError as error:
            raise CommandError(str(error), returncode=2) from None
        except WhichAccountError as error:
            if options["json"] or not can_ask():
                raise CommandError(str(error), returncode=EXIT_WHICH_ACCOUNT) from None
            return _recorded(asked | _ask(error))


def can_ask() -> bool:
    """Return whether somebody sits at the terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(error: WhichAccountError) -> dict[str, Any]:
    """Ask which account is meant. CommandError for neither."""
    before = place_in_words(error.account.region, error.account.base_url, apart_from=settings.KNOWBE4_BASE_URL)
    question = (
        f'The environment names KnowBe4 at {error.place}; the account "{error.account.name}" is read from {before}.\n'
        f"  move  read that account from {error.place} from now on; its history stays\n"
        f"  add   add another account for {error.place} beside it\n"
        "move or add? "
    )
    try:
        answer = input(question).strip().lower()
    except EOFError:
        answer = ""
    if answer == "move":
        return {"move": error.account.name}
    if answer == "add":
        return {"add": True}
    raise CommandError(f"Nothing was changed. {error}", returncode=EXIT_WHICH_ACCOUNT)


@transaction.atomic
def _recorded(asked: dict[str, Any]) -> Described | None:
    """Do what is asked, on record: by nobody who signs in, but by the command line."""
    described = describe(**asked)
    if described is None:
        return None
    account = described.account
    fields = [name for name in described.changed if name != "key"]
    acts: list[tuple[Action, dict[str, object]]] = []
    if described.is_new:
        acts.append((Action.ACCOUNT_ADDED, {}))
    elif fields:
        acts.append((Action.ACCOUNT_CHANGED, {"fields": fields}))
    if "key" in described.changed and not account.is_demo:
        acts.append((Action.ACCOUNT_KEY_CHANGED, {}))
    for action, details in acts:
        record(
            action,
            account=account,
            user=None,
            subject=Subject.ACCOUNT,
            subject_id=account.pk,
            details=details,
            through=Through.COMMAND,
        )
    return described


def _demo_sign_ins(account: Account) -> list[dict[str, str]]:
    password = demo_password(settings.VAR_DIR)
    titles = dict(Role.choices)
    return [
        {"email": user.email, "password": password, "role": str(titles.get(role, _("Nobody")))}
        for role, user in make_up(account, password=password)
    ]


def _invite(prepared: Prepared, account: Account, *, at: datetime, is_seen: bool) -> None:
    """Make a link for the first administrator, if none can sign in, and mail it where that is possible.

    `is_seen`: somebody reads the terminal, or is shown what is printed.
    """
    try:
        made = first_administrator_link(account, settings.ADMIN_EMAIL, at=at)
    except RefusedError as error:
        prepared.said.append(f"There is no link for a first administrator. {error}")
        return
    if made is None:
        return
    invitation, token = made
    prepared.link, prepared.email = link_of(token), invitation.email
    if invitation.email and settings.HAS_MAIL_SERVER:
        prepared.said.append(mail_link(invitation, token))
    elif not invitation.email and not is_seen:
        also = "" if settings.HAS_MAIL_SERVER else " and EMAIL_URL"
        prepared.said.append(f"Set ADMIN_EMAIL{also} to have the link for the first administrator mailed, too.")


def _lines(prepared: Prepared, now: datetime) -> list[str]:
    lines = list(prepared.said)
    lines += [f"{sign_in['role']}: {sign_in['email']}  {sign_in['password']}" for sign_in in prepared.sign_ins]
    if prepared.link:
        whom = f" ({prepared.email})" if prepared.email else ""
        lines.append(f"First administrator{whom}: open this link within 24 hours. It works once.")
        lines.append(f"  {prepared.link}")
    return lines
