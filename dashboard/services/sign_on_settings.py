"""Setting up single sign-on: the identity provider of an account, and what its groups give."""

from collections.abc import Mapping as Fields
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.audit import Action, Subject, record
from dashboard.models import Delegation, Membership, SingleSignOn, SingleSignOnRole, User
from dashboard.queries.belonging import required_single_sign_on
from dashboard.queries.possessions import LeftBehind
from dashboard.services.deciding import RefusedError, deciding
from dashboard.services.domains import follow_domains
from dashboard.services.members import Offer, check, is_last_administrator
from dashboard.services.possessions import leave_behind
from dashboard.services.sessions import end_sessions

_PLAIN = (
    *("kind", "name", "email_domains", "groups_claim", "default_role", "is_enabled", "is_required"),
    *("server_url", "client_id", "idp_entity_id", "idp_sso_url", "idp_certificate", "email_attribute"),
)


@dataclass(frozen=True)
class Mapping:
    """Role that a group gives, spelled as the provider spells it."""

    group: str
    offer: Offer


def save(provider: SingleSignOn, fields: Fields[str, Any], *, by: User, request: HttpRequest | None = None) -> None:
    """Write the checked fields; the secret only where one is given.

    Another provider than before (its address or entity ID) starts without links: whom the old one called by some ID
    may be somebody else's ID there, and sessions that the old one made end. Required from now on, it ends the sessions
    that it did not make of members who can come in no other way.
    """
    with deciding(provider.account):
        changed = [name for name in _PLAIN if getattr(provider, name) != fields[name]]
        if {"kind", "server_url", "idp_entity_id"}.intersection(changed) and provider.pk is not None:
            links = SocialAccount.objects.filter(provider=provider.key)
            for user in User.objects.filter(pk__in=links.values("user")):
                end_sessions(user, made=lambda key: key == provider.key)
            links.delete()
        was_binding = provider.pk is not None and provider.is_enabled and provider.is_required
        for name in _PLAIN:
            setattr(provider, name, fields[name])
        if fields.get("secret"):
            provider.secret = fields["secret"]
            changed.append("secret")
        provider.save()
        follow_domains(provider.account, provider.email_domains, by=by, request=request)
        _note(provider, by, request, changed=changed)
        if provider.is_enabled and provider.is_required and not was_binding:
            _end_other_sessions(provider, by, request)


def _end_other_sessions(provider: SingleSignOn, by: User, request: HttpRequest | None) -> None:
    """End the sessions of members who must come through the provider now, and did not."""
    account = provider.account
    members = Membership.objects.filter(account=account).values("user")
    borrowers = Delegation.objects.filter(account=account).values("borrower")
    for user in User.objects.filter(pk__in=members.union(borrowers)).order_by("pk"):
        if required_single_sign_on(user) is None:
            continue
        ended = end_sessions(user, made=lambda key: key != provider.key)
        if ended:
            record(
                Action.SESSION_ENDED,
                account=account,
                user=by,
                subject=Subject.USER,
                subject_id=user.pk,
                details={"sessions": ended, "required": True},
                request=request,
            )


def add_mapping(
    provider: SingleSignOn, mapping: Mapping, *, by: User, at: datetime, request: HttpRequest | None = None
) -> SingleSignOnRole:
    """Let a group give a role. RefusedError for what cannot be given, and for a group that gives the role already."""
    check(provider.account, mapping.offer, at=at)
    with deciding(provider.account):
        if provider.roles.filter(group=mapping.group, role=mapping.offer.role).exists():
            raise RefusedError(_("This group gives that role already."))
        row: SingleSignOnRole = provider.roles.create(
            group=mapping.group, role=mapping.offer.role, ends_at=mapping.offer.ends_at
        )
        row.departments.set(mapping.offer.departments)
        _note(provider, by, request, changed=["groups"], role=row.role, added=row.pk)
    return row


def remove_mapping(row: SingleSignOnRole, *, by: User, request: HttpRequest | None = None) -> None:
    """Let a group give nothing any more; roles it gave end at their owners' next sign-in."""
    provider = row.single_sign_on
    with deciding(provider.account):
        removed = row.pk
        row.delete()
        _note(provider, by, request, changed=["groups"], role=row.role, removed=removed)


def remove(
    provider: SingleSignOn, *, by: User, at: datetime, request: HttpRequest | None = None
) -> list[tuple[Membership, LeftBehind]]:
    """Remove the provider, its links and mappings, and end the roles it gave; return these, and what became of what
    their holders had.

    The last administrator keeps the role.
    """
    account = provider.account
    with deciding(account):
        given = Membership.objects.filter(account=account, source=Membership.Source.SINGLE_SIGN_ON)
        ending = [one for one in given.select_related("user") if one.holds(at) and not is_last_administrator(one, at)]
        ended = []
        for membership in ending:
            membership.ends_at = at
            membership.save(update_fields=["ends_at"])
            ended.append((membership, leave_behind(account, membership.user, by=by, at=at, request=request)))
        SocialAccount.objects.filter(provider=provider.key).delete()
        follow_domains(account, [], by=by, request=request)
        _note(provider, by, request, changed=["removed"], ended=len(ending))
        provider.delete()
    return ended


def _note(provider: SingleSignOn, by: User, request: HttpRequest | None, **details: object) -> None:
    record(
        Action.SINGLE_SIGN_ON_CHANGED,
        account=provider.account,
        user=by,
        subject=Subject.ACCOUNT,
        subject_id=provider.account_id,
        details=details,
        request=request,
    )
