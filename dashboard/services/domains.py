"""Email domains of an account: proven by a DNS record, by a mail to postmaster, or by the operator."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from config.email_addresses import domain_of
from dashboard.audit import Action, Subject, Through, record
from dashboard.models import EmailDomain, User
from dashboard.models.domains import new_domain_token
from dashboard.services.deciding import RefusedError, deciding
from sync.models import Account

# What the DNS record is called, in front of the domain, and what it says, in front of the token.
RECORD, SAYS = "_rollcall", "rollcall-domain="
LINK_HOLDS = timedelta(hours=24)
_SIGNER = TimestampSigner(salt="dashboard.decisions.domains")


def record_name(domain: EmailDomain) -> str:
    """Return the name of the DNS record that proves the domain."""
    return f"{RECORD}.{domain.name}"


def record_text(domain: EmailDomain) -> str:
    """Return the text of the DNS record that proves the domain for this account."""
    return SAYS + domain.token


def follow_domains(account: Account, domains: Iterable[str], *, by: User, request: HttpRequest | None = None) -> None:
    """Make the account's domains those that its single sign-on speaks for; the others are given up."""
    names = {domain_of(domain) for domain in domains}
    for domain in EmailDomain.objects.filter(account=account).exclude(name__in=names):
        release(domain, by=by, request=request)
        domain.delete()
    present = set(EmailDomain.objects.filter(account=account).values_list("name", flat=True))
    EmailDomain.objects.bulk_create(EmailDomain(account=account, name=name) for name in sorted(names - present))


def refuse_anothers(domain: EmailDomain) -> None:
    """Raise RefusedError for a domain that belongs to another account."""
    if EmailDomain.objects.filter(name=domain.name).exclude(proven_at=None).exclude(account=domain.account).exists():
        raise _anothers(domain)


def _anothers(domain: EmailDomain) -> RefusedError:
    said = _("%(domain)s belongs to another account here. Whoever runs this server can move it.")
    return RefusedError(said % {"domain": domain.name})


def prove(
    domain: EmailDomain,
    proof: EmailDomain.Proof,
    *,
    by: User | None,
    at: datetime,
    request: HttpRequest | None = None,
) -> None:
    """Let the domain belong to the account; nothing where it does. RefusedError where it belongs to another."""
    with deciding(domain.account):
        refuse_anothers(domain)
        domain.refresh_from_db()
        if domain.proven_at is not None:
            return
        domain.proof, domain.proven_at = proof, at
        try:
            with transaction.atomic():
                domain.save(update_fields=["proof", "proven_at"])
        except IntegrityError:
            # Another account proved it at this moment.
            raise _anothers(domain) from None
        _note(Action.DOMAIN_PROVEN, domain, by, request, proof=str(proof))


def release(domain: EmailDomain, *, by: User | None, request: HttpRequest | None = None) -> None:
    """Let the domain belong to nobody; what proved it, or would have, proves nothing any more."""
    with deciding(domain.account):
        if domain.proven_at is not None:
            _note(Action.DOMAIN_RELEASED, domain, by, request)
        domain.proof, domain.proven_at, domain.token = "", None, new_domain_token()
        domain.save(update_fields=["proof", "proven_at", "token"])


def link_token(domain: EmailDomain) -> str:
    """Return the token of a link that proves the domain for a day to whoever reads mail to its postmaster."""
    return _SIGNER.sign(f"{domain.pk}.{domain.token}")


def domain_of_link(token: str) -> EmailDomain | None:
    """Return the domain that the link would prove; None for any other text, and after a day."""
    try:
        key, _dot, secret = _SIGNER.unsign(token, max_age=LINK_HOLDS).partition(".")
    except BadSignature:
        return None
    return EmailDomain.objects.filter(pk=int(key), token=secret).select_related("account").first()


def _note(action: Action, domain: EmailDomain, by: User | None, request: HttpRequest | None, **details: object) -> None:
    record(
        action,
        account=domain.account,
        user=by,
        subject=Subject.ACCOUNT,
        subject_id=domain.account_id,
        details={"domain": domain.name, **details},
        request=request,
        through=None if request is not None else Through.COMMAND,
    )
