"""Sentences about what becomes, or became, of a member's possessions in the account when a role ends."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.formats import last_day
from dashboard.models import Membership, User
from dashboard.queries.possessions import LeftBehind, possessions, without


def what_becomes(membership: Membership, *, ends: User, at: datetime) -> list[str]:
    """Say what the holder of a role has, and what becomes of it when `ends` ends that role; nothing for nothing."""
    user, account = membership.user, membership.account
    has, still = possessions(user, account, at=at), without(membership, at=at)
    found = []
    if has.owned and not still.decides:
        said = _("Owns %(names)s: passes to an administrator, who then hears when it does not go out.")
        if ends != user:
            said = _("Owns %(names)s: passes to you, and you then hear when it does not go out.")
        found.append(said % {"names": _named(has.owned)})
    if has.received and not still.sees:
        said = _("Gets %(names)s by mail: is sent none of it any more, and the owner is told until they are taken off.")
        found.append(said % {"names": _named(has.received)})
    if not still.lends:
        found += [
            _("Lends what they see to %(who)s until %(day)s: the loan ends now.")
            % {"who": loan.borrower, "day": last_day(loan.ends_at)}
            for loan in has.lent
        ]
    found += [
        _("Sees what %(who)s sees until %(day)s, a loan: stays until somebody ends it.")
        % {"who": loan.lender, "day": last_day(loan.ends_at)}
        for loan in has.borrowed
    ]
    if has.tokens:
        said = _("Has the tokens %(names)s: they are revoked.")
        if still.sees:
            said = _("Has the tokens %(names)s: they stay, and read what is left to see.")
        found.append(said % {"names": _named(has.tokens)})
    if has.invited and not still.administers:
        who = ", ".join(invitation.invitee for invitation in has.invited)
        said = ngettext(
            "Invited %(who)s, who has not accepted yet: the invitation is revoked.",
            "Invited %(who)s, who have not accepted yet: the invitations are revoked.",
            len(has.invited),
        )
        found.append(said % {"who": who})
    return found


def what_became(left: LeftBehind) -> list[str]:
    """Say what was done with what a member had."""
    found = []
    if left.schedules:
        said = _("Handed on to %(heir)s, who now hears when they do not go out: %(names)s.")
        found.append(said % {"heir": left.schedules[0].owner, "names": _named(left.schedules)})
    found += [_("The loan to %(who)s is ended.") % {"who": loan.borrower} for loan in left.loans]
    if left.tokens:
        found.append(_("Revoked: the tokens %(names)s.") % {"names": _named(left.tokens)})
    if left.invitations:
        who = ", ".join(invitation.invitee for invitation in left.invitations)
        said = ngettext(
            "Revoked: the invitation of %(who)s.", "Revoked: the invitations of %(who)s.", len(left.invitations)
        )
        found.append(said % {"who": who})
    return found


def _named(things: Iterable[object]) -> str:
    return ", ".join(f"“{thing}”" for thing in things)
