"""Admission by a provider: everybody of the domains that belong to its account, else whom the account invited."""

from django.utils import timezone
from django.utils.translation import gettext as _

from config.email_addresses import domain_of
from dashboard.identity.claims import RefusedSignInError
from dashboard.models import Invitation, Membership, SingleSignOn, User
from dashboard.queries.belonging import owns_domain


def refuse_uninvited(single_sign_on: SingleSignOn, email: str, user: User | None) -> None:
    """Raise RefusedSignInError for somebody of a domain that does not belong to the account, unless invited by name.

    Invited is who accepted an invitation: it went to their mailbox, so the provider's word is not all there is. `email`
    is what the provider says, `user` whom it means: both emails count.
    """
    emails = {email, user.email} if user is not None else {email}
    unproven = [one for one in emails if not owns_domain(single_sign_on.account_id, one)]
    if not unproven or (user is not None and _has_accepted(single_sign_on, user)):
        return
    said = {"name": single_sign_on, "domain": domain_of(unproven[0])}
    if user is None and _is_invited(single_sign_on, email):
        raise RefusedSignInError(
            _("You are invited: open the link in that mail and accept first, then sign in through %(name)s.") % said
        )
    raise RefusedSignInError(
        _("%(name)s signs in only people invited by name until %(domain)s is proven. Ask an administrator.") % said,
        _("The email was of %(domain)s, which is not proven. Prove it below, or invite the person.") % said,
    )


def _has_accepted(single_sign_on: SingleSignOn, user: User) -> bool:
    """Return whether the user holds a role in the account that was given by name, not by the provider."""
    now = timezone.now()
    by_name = Membership.objects.filter(user=user, account=single_sign_on.account).exclude(
        source=Membership.Source.SINGLE_SIGN_ON
    )
    return any(role.holds(now) for role in by_name)


def _is_invited(single_sign_on: SingleSignOn, email: str) -> bool:
    invited = Invitation.objects.filter(account=single_sign_on.account, email__iexact=email)
    return invited.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()).exists()
