"""`manage.py email_domain`: whoever runs the server says which account an email domain belongs to."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import DomainNameValidator
from django.utils import timezone

from config.commands import PlainCommand
from config.email_addresses import domain_of
from dashboard.management.accounts import EXIT_MISUSE, find_account
from dashboard.models import EmailDomain
from dashboard.services import RefusedError
from dashboard.services.domains import prove, release


class Command(PlainCommand):
    help = (
        "Say that an email domain belongs to an account, so that its single sign-on signs in everybody of it; or, with "
        "--release, that it belongs to nobody. Without a domain: list who owns which. Recorded in the audit log as an "
        "act of the command line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", metavar="DOMAIN", nargs="?", help="such as example.com")
        parser.add_argument("--account", metavar="NAME", help="which account; not needed when there is only one")
        parser.add_argument("--release", action="store_true", help="let it belong to nobody")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["domain"] is None:
            self._list()
            return
        name = domain_of(options["domain"].strip())
        try:
            DomainNameValidator()(name)
        except ValidationError:
            raise CommandError(f"{options['domain']!r} is no domain.", returncode=EXIT_MISUSE) from None
        if options["release"]:
            owned = EmailDomain.objects.filter(name=name).exclude(proven_at=None).select_related("account").first()
            if owned is None:
                raise CommandError(f"{name} belongs to no account.", returncode=EXIT_MISUSE)
            release(owned, by=None)
            self.stdout.write(f"{name} belonged to {owned.account}, and now to no account.")
            return
        account = find_account(options["account"])
        domain, _is_new = EmailDomain.objects.get_or_create(account=account, name=name)
        try:
            prove(domain, EmailDomain.Proof.OPERATOR, by=None, at=timezone.now())
        except RefusedError:
            raise CommandError(
                f"{name} belongs to another account: run this with --release first.", returncode=EXIT_MISUSE
            ) from None
        self.stdout.write(f"{name} belongs to {account}.")

    def _list(self) -> None:
        for domain in EmailDomain.objects.select_related("account").order_by("name", "account__name"):
            how = domain.get_proof_display() if domain.proven_at else "not proven"
            self.stdout.write(f"{domain.name}  {domain.account}  {how}")
